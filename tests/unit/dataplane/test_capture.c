/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures, in the box: what they take, what they leave, and what they must never hold. */
#include "dataplane/capture.h"
#include "tests/box/call.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define BLOCK_PACKET 6u /* pcapng's enhanced packet block */

static char path[64];
static uint8_t file[1 << 20];
static size_t file_length;

static int
new_file(void)
{
	strcpy(path, "/tmp/test-capture-XXXXXX");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	return fd;
}

/* Reads the file, removes it, and counts its packets. */
static unsigned
packets_in_file(void)
{
	FILE *stream = fopen(path, "r");
	unsigned packets = 0;

	assert_non_null(stream);
	file_length = fread(file, 1, sizeof(file), stream);
	fclose(stream);
	unlink(path);
	for (size_t at = 0; at + 12 <= file_length;) {
		uint32_t kind, length;
		memcpy(&kind, file + at, 4);
		memcpy(&length, file + at + 4, 4);
		assert_in_range(length, 12, file_length - at);
		packets += kind == BLOCK_PACKET;
		at += length;
	}
	return packets;
}

static enum relay_code
start(const char *id, struct relay_capture request, int fd)
{
	char padded[RELAY_ID_SIZE] = "", reason[RELAY_REASON_SIZE] = "";
	struct session *session = NULL;

	strcpy(padded, id);
	if (id[0] != '\0')
		assert_int_equal(session_find(padded, &session, reason), RELAY_OK);
	memcpy(request.id, padded, sizeof(padded));
	enum relay_code code = capture_start(
		&request, fd, session != NULL ? session_state(session) : NULL, reason);
	assert_int_equal(code == RELAY_OK, reason[0] == '\0');
	return code;
}

static void
takes_one_session_and_no_key(void **state)
{
	struct call one, other;

	call_start(&one, "one", SUITE, RELAY_SUITE_AEAD_AES_256_GCM);
	call_start(&other, "other", SUITE, SUITE);
	assert_int_equal(start("one", (struct relay_capture){.seconds = 10}, new_file()), RELAY_OK);
	for (unsigned i = 0; i < 10; i++) {
		assert_true(call_carries(&one, i % 2));
		assert_true(call_carries(&other, i % 2));
	}
	box_events(RELAY_EVENT_CAPTURE_END);
	box_pass(11);
	assert_int_equal(box_events(RELAY_EVENT_CAPTURE_END), 1);
	assert_int_equal(packets_in_file(), 20); /* in and out */
	/* neither keys nor what they hide */
	for (unsigned leg = 0; leg < 2; leg++) {
		assert_null(memmem(file, file_length, one.leg[leg].receive.key, 16));
		assert_null(memmem(file, file_length, one.leg[leg].transmit.key, 16));
	}
	uint8_t voice[16];
	for (unsigned i = 0; i < 16; i++)
		voice[i] = (uint8_t)(1000 * 7 + i);
	assert_null(memmem(file, file_length, voice, sizeof(voice)));
	call_end(&one);
	call_end(&other);
}

static void
ends_by_number_and_cuts(void **state)
{
	struct call call;

	call_start(&call, "some", SUITE, SUITE);
	assert_int_equal(
		start("",
			(struct relay_capture){
				.interface = "core", .seconds = 100, .packets = 5, .snap = 60},
			new_file()),
		RELAY_OK);
	for (unsigned i = 0; i < 10; i++)
		assert_true(call_carries(&call, 0));
	assert_int_equal(box_events(RELAY_EVENT_CAPTURE_END), 1);
	assert_int_equal(packets_in_file(), 5);
	assert_true(file_length < 5 * 160 + 1000);
	call_end(&call);
}

static void
ends_with_its_session(void **state)
{
	struct call call;

	call_start(&call, "gone", SUITE, SUITE);
	assert_int_equal(
		start("gone", (struct relay_capture){.seconds = 100}, new_file()), RELAY_OK);
	assert_true(call_carries(&call, 0));
	call_end(&call);
	assert_int_equal(box_events(RELAY_EVENT_CAPTURE_END), 1);
	assert_int_equal(packets_in_file(), 2);
}

static void
refuses_by_name(void **state)
{
	struct call call;
	int pipes[2];

	call_start(&call, "refusals", SUITE, SUITE);
	assert_int_equal(start("", (struct relay_capture){.seconds = 0}, -1), RELAY_E_NO_SESSION);
	assert_int_equal(
		start("", (struct relay_capture){.seconds = 4000}, new_file()), RELAY_E_MALFORMED);
	unlink(path);
	assert_int_equal(start("", (struct relay_capture){.seconds = 1, .snap = 9000}, new_file()),
		RELAY_E_MALFORMED);
	unlink(path);
	assert_int_equal(
		start("", (struct relay_capture){.seconds = 1, .interface = "none"}, new_file()),
		RELAY_E_NO_INTERFACE);
	unlink(path);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(
		start("", (struct relay_capture){.seconds = 1}, pipes[1]), RELAY_E_MALFORMED);
	close(pipes[0]);
	assert_int_equal(start("", (struct relay_capture){.seconds = 9}, new_file()), RELAY_OK);
	assert_int_equal(
		start("", (struct relay_capture){.seconds = 9}, open("/dev/null", O_WRONLY)),
		RELAY_E_CONFLICT);
	assert_int_equal(start("", (struct relay_capture){.seconds = 0}, -1), RELAY_OK);
	assert_int_equal(packets_in_file(), 0);
	call_end(&call);
}

/* A disk that is full ends the capture, and nothing else. */
static void
outlives_a_full_disk(void **state)
{
	struct call call;

	call_start(&call, "full", SUITE, SUITE);
	int fd = new_file(), read_only = open(path, O_RDONLY);
	close(fd);
	/* writing to it fails from the first block on */
	enum relay_code code = start("full", (struct relay_capture){.seconds = 9}, read_only);
	unlink(path);
	for (unsigned i = 0; i < 5; i++)
		assert_true(call_carries(&call, 0));
	assert_false(capture_running);
	(void)code;
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_session_and_no_key),
		cmocka_unit_test(ends_by_number_and_cuts),
		cmocka_unit_test(ends_with_its_session),
		cmocka_unit_test(refuses_by_name),
		cmocka_unit_test(outlives_a_full_disk),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
