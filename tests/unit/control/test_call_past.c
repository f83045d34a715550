/* SPDX-License-Identifier: BSD-3-Clause */
/* What a restarted relay is told of a stream, and which keys are held back: those under which it is
 * not known what was sent. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/call_past.h"

#include <stdlib.h>
#include <string.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80

static union {
	struct relay_state_entry entry;
	uint8_t room[sizeof(struct relay_state_entry) + 8 * sizeof(struct relay_stream_state)];
} told;

/* A stream between two SRTP legs; the relay has said nothing of it. */
static struct call_stream
stream_up(void)
{
	struct call_stream stream = {.id = "call", .in_relay = true};

	for (unsigned i = 0; i < 2; i++) {
		stream.local[i] = (struct relay_addr){.ip = {.family = 4, .ip = {192, 0, 2, 1}},
			.port = (uint16_t)(20000 + 2 * i)};
		stream.told[i] = (struct call_leg){.transport = RELAY_TRANSPORT_SRTP,
			.remote_rtp = {.ip = {.family = 4, .ip = {198, 51, 100, 7}}, .port = 4000},
			.receive = {.suite = SUITE, .key = {(uint8_t)(1 + i)}},
			.transmit = {.suite = SUITE, .key = {(uint8_t)(11 + i)}}};
	}
	call_past_begin(&stream);
	return stream;
}

/* One SSRC on each leg, settled. */
static void
tell(struct call_stream *stream, uint64_t highest, uint64_t base)
{
	memset(&told, 0, sizeof(told));
	told.entry.length = sizeof(told.entry) + 2 * sizeof(told.entry.stream[0]);
	for (unsigned i = 0; i < 2; i++) {
		told.entry.flow[i].flags = RELAY_FLOW_SETTLED;
		told.entry.flow[i].streams = 1;
		told.entry.flow[i].rtcp_sent = 5 + i;
		told.entry.stream[i] = (struct relay_stream_state){.ssrc = 100 + i,
			.flags = RELAY_STREAM_RTP,
			.rtp_highest = highest + i,
			.tx_base = base};
		told.entry.remote[i][0] = (struct relay_addr){
			.ip = {.family = 4, .ip = {198, 51, 100, 8}}, .port = 4100};
	}
	call_past_take(stream, &told.entry);
}

static bool
has_key(const struct relay_crypto *key)
{
	static const struct relay_crypto none;

	return memcmp(key, &none, sizeof(none)) != 0;
}

static void
test_untold_and_unchanged(void **state)
{
	struct call_stream stream = stream_up();
	struct relay_restore request;

	assert_int_equal(call_past_restore(&stream, &request), 0);
	assert_string_equal(request.create.id, "call");
	assert_int_equal(request.create.leg[0].local_rtp.port, 20000);
	assert_int_equal(request.create.leg[1].local_rtp.port, 20002);
	assert_int_equal(request.create.leg[0].remote_rtp.port, 4000);
	assert_int_equal(request.create.leg[0].flags & RELAY_LEG_LATCH, RELAY_LEG_LATCH);
	assert_true(has_key(&request.create.leg[0].transmit));
	assert_true(has_key(&request.create.leg[1].transmit));
	assert_int_equal(request.flow[0].streams, 0);
	call_past_forget(&stream);
}

/* What was told once may be half of one moment and half of another. */
static void
test_believed_when_told_twice(void **state)
{
	struct call_stream stream = stream_up();
	struct relay_restore request;

	tell(&stream, 1000, 0);
	assert_int_equal(call_past_restore(&stream, &request), 0);
	assert_int_equal(request.flow[0].streams, 0);
	assert_int_equal(request.create.leg[0].remote_rtp.port, 4100);
	tell(&stream, 1050, 0);
	assert_int_equal(call_past_restore(&stream, &request), 0);
	assert_int_equal(request.flow[0].streams, 1);
	assert_int_equal(request.stream[0][0].rtp_highest, 1050);
	assert_int_equal(request.stream[1][0].ssrc, 101);
	assert_int_equal(request.flow[1].rtcp_sent, 6);
	/* another base: not yet; the same again: now */
	tell(&stream, 1100, 65536);
	call_past_restore(&stream, &request);
	assert_int_equal(request.stream[0][0].tx_base, 0);
	tell(&stream, 1150, 65536);
	call_past_restore(&stream, &request);
	assert_int_equal(request.stream[0][0].tx_base, 65536);
	call_past_forget(&stream);
}

/* From a change of a key or an address until it was told twice what came of it. */
static void
test_in_doubt_after_a_change(void **state)
{
	static const struct {
		unsigned leg, mask, fresh;
	} changes[] = {
		{0, RELAY_UPDATE_RECEIVE, 2},
		{0, RELAY_UPDATE_REMOTE, 2},
		{0, RELAY_UPDATE_TRANSMIT, 1},
		{1, RELAY_UPDATE_RECEIVE | RELAY_UPDATE_TRANSMIT, 3},
		{1, RELAY_UPDATE_TRANSPORT, 3},
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct call_stream stream = stream_up();
		struct relay_restore request;

		tell(&stream, 1000, 0);
		tell(&stream, 1050, 0);
		call_past_changed(&stream, changes[i].leg, changes[i].mask);
		tell(&stream, 1100, 0); /* asked for before the change was done */
		tell(&stream, 1150, 0);
		call_past_answered(&stream, changes[i].leg, false);
		struct call_stream copy = stream;
		assert_int_equal(call_past_restore(&copy, &request), changes[i].fresh);
		for (unsigned leg = 0; leg < 2; leg++)
			assert_int_equal(has_key(&request.create.leg[leg].transmit),
				(changes[i].fresh >> leg & 1) == 0);
		tell(&stream, 1200, 7);
		copy = stream;
		assert_int_equal(call_past_restore(&copy, &request), changes[i].fresh);
		tell(&stream, 1250, 7);
		assert_int_equal(call_past_restore(&stream, &request), 0);
		assert_int_equal(request.stream[0][0].tx_base, 7);
		call_past_forget(&stream);
	}
}

/* A key that was held back once does not come back, whatever is told: only a fresh one counts. */
static void
test_held_until_a_fresh_key(void **state)
{
	struct call_stream stream = stream_up();
	struct relay_restore request;

	call_past_changed(&stream, 0, RELAY_UPDATE_RECEIVE);
	call_past_answered(&stream, 0, false);
	assert_int_equal(call_past_restore(&stream, &request), 2);
	for (unsigned i = 0; i < 5; i++)
		tell(&stream, 1000 + i, 0);
	assert_int_equal(call_past_restore(&stream, &request), 2);
	/* one that the relay refuses, or does not answer, is none */
	call_past_changed(&stream, 1, RELAY_UPDATE_TRANSMIT);
	call_past_answered(&stream, 1, true);
	for (unsigned i = 0; i < 5; i++)
		tell(&stream, 1000 + i, 0);
	assert_int_equal(call_past_restore(&stream, &request), 2);
	call_past_changed(&stream, 1, RELAY_UPDATE_TRANSMIT);
	call_past_answered(&stream, 1, false);
	assert_int_equal(call_past_restore(&stream, &request), 2);
	call_past_changed(&stream, 1, RELAY_UPDATE_TRANSMIT);
	call_past_answered(&stream, 1, false);
	tell(&stream, 2000, 0);
	tell(&stream, 2010, 0);
	assert_int_equal(call_past_restore(&stream, &request), 0);
	call_past_forget(&stream);
}

static void
test_clear_is_always_in_doubt(void **state)
{
	struct call_stream stream = stream_up();
	struct relay_restore request;

	stream.told[0].transport = RELAY_TRANSPORT_RTP;
	memset(&stream.told[0].receive, 0, sizeof(stream.told[0].receive));
	memset(&stream.told[0].transmit, 0, sizeof(stream.told[0].transmit));
	tell(&stream, 1000, 0);
	tell(&stream, 1000, 0);
	assert_int_equal(call_past_restore(&stream, &request), 2);
	assert_false(has_key(&request.create.leg[1].transmit));
	assert_true(has_key(&request.create.leg[1].receive));
	/* its address is that of its SDP */
	assert_int_equal(request.create.leg[0].remote_rtp.port, 4000);
	call_past_forget(&stream);
}

/* One that the relay held before this process began. */
static void
test_adopted(void **state)
{
	struct call_stream stream = stream_up();
	struct relay_restore request;

	stream.sure = 0;
	struct call_stream copy = stream;
	assert_int_equal(call_past_restore(&copy, &request), 3);
	tell(&stream, 1000, 0);
	tell(&stream, 1050, 0);
	assert_int_equal(call_past_restore(&stream, &request), 0);
	call_past_forget(&stream);
}

/* While it rings, nothing has been sent. */
static void
test_ringing(void **state)
{
	struct call_stream stream = stream_up();
	struct relay_restore request;

	stream.told[1] = (struct call_leg){.transport = RELAY_TRANSPORT_NONE};
	call_past_changed(&stream, 0, RELAY_UPDATE_REMOTE);
	call_past_answered(&stream, 0, false);
	assert_int_equal(call_past_restore(&stream, &request), 0);
	assert_int_equal(request.create.leg[1].transport, RELAY_TRANSPORT_NONE);
	assert_int_equal(request.create.leg[1].local_rtp.port, 20002);
	assert_int_equal(request.create.leg[1].remote_rtp.port, 0);
	call_past_forget(&stream);
}

static void
test_latched(void **state)
{
	const struct relay_addr there = {
		.ip = {.family = 4, .ip = {198, 51, 100, 9}}, .port = 4242};
	struct call_stream stream = stream_up();
	struct relay_restore request;

	call_past_latched(&stream, 1, &there);
	call_past_restore(&stream, &request);
	assert_int_equal(request.create.leg[1].remote_rtp.port, 4242);
	assert_int_equal(request.create.leg[0].remote_rtp.port, 4000);
	call_past_changed(&stream, 1, RELAY_UPDATE_REMOTE);
	call_past_answered(&stream, 1, false);
	call_past_restore(&stream, &request);
	assert_int_equal(request.create.leg[1].remote_rtp.port, 4000);
	call_past_forget(&stream);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_untold_and_unchanged),
		cmocka_unit_test(test_believed_when_told_twice),
		cmocka_unit_test(test_in_doubt_after_a_change),
		cmocka_unit_test(test_held_until_a_fresh_key),
		cmocka_unit_test(test_clear_is_always_in_doubt),
		cmocka_unit_test(test_adopted),
		cmocka_unit_test(test_ringing),
		cmocka_unit_test(test_latched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
