/* SPDX-License-Identifier: BSD-3-Clause */
/* The blocking side of the relay API's client, and that a request's keys are wiped. malloc() and
 * free() are wrapped by the linker, to watch the client's copy of the request. */
#include "relay_end.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* The copy is known by its size, which nothing else here has. */
static int copies_made, copies_freed, copies_dirty;
static void *copies[4096];

void *__real_malloc(size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void __wrap_free(void *memory);

void *
__wrap_malloc(size_t size)
{
	void *memory = __real_malloc(size);

	if (size == sizeof(struct relay_create) && copies_made < 4096)
		copies[copies_made++] = memory;
	return memory;
}

void
__wrap_free(void *memory)
{
	for (int i = 0; memory != NULL && i < copies_made; i++) {
		if (copies[i] != memory)
			continue;
		copies[i] = NULL;
		copies_freed++;
		for (size_t k = 0; k < sizeof(struct relay_create); k++)
			if (((const uint8_t *)memory)[k] != 0) {
				copies_dirty++;
				break;
			}
		break;
	}
	__real_free(memory);
}

/* Answers `count` requests from a thread of its own, each after `events` events. */
struct answerer {
	struct relay_end *end;
	int count;
	int events;
	pthread_t thread;
};

static void *
answer(void *arg)
{
	struct answerer *answerer = arg;

	for (int i = 0; i < answerer->count; i++) {
		struct relay_header request;
		struct relay_event event = {.header = {.version = RELAY_API_VERSION,
						    .op = RELAY_OP_EVENT,
						    .length = sizeof(event)}};
		struct relay_session reply = {.timeout_ms = 1234};
		if (recv(answerer->end->fd, &request, sizeof(request), 0) <= 0)
			return NULL;
		for (int k = 0; k < answerer->events; k++)
			send(answerer->end->fd, &event, sizeof(event), MSG_NOSIGNAL);
		reply.header = relay_end_header(&request, RELAY_OK, sizeof(reply));
		send(answerer->end->fd, &reply, sizeof(reply), MSG_NOSIGNAL);
	}
	return NULL;
}

static int
query(struct relay_end *end, void *reply, size_t room, int timeout_ms)
{
	struct relay_by_id request = {.header = {.op = RELAY_OP_QUERY}, .id = "x"};

	return relay_client_call(end->client, &request, sizeof(request), reply, room, timeout_ms);
}

static void
test_call_waits_for_its_reply(void **state)
{
	struct relay_end end;
	struct relay_session reply;

	relay_end_open(&end);
	struct answerer answerer = {.end = &end, .count = 2, .events = 3};
	assert_int_equal(0, pthread_create(&answerer.thread, NULL, answer, &answerer));
	for (int i = 0; i < 2; i++) {
		memset(&reply, 0, sizeof(reply));
		assert_int_equal(0, query(&end, &reply, sizeof(reply), 5000));
		assert_int_equal(RELAY_OK, reply.header.code);
		assert_int_equal(1234, reply.timeout_ms);
	}
	assert_int_equal(0, pthread_join(answerer.thread, NULL));
	relay_end_close(&end);
}

static void
test_call_cuts_a_reply_that_does_not_fit(void **state)
{
	struct relay_end end;
	struct {
		struct relay_reply_error reply;
		uint8_t guard[64];
	} room;

	relay_end_open(&end);
	struct answerer answerer = {.end = &end, .count = 1};
	assert_int_equal(0, pthread_create(&answerer.thread, NULL, answer, &answerer));
	memset(&room, 0xa5, sizeof(room));
	assert_int_equal(-EMSGSIZE, query(&end, &room.reply, sizeof(room.reply), 5000));
	assert_int_equal(RELAY_OP_QUERY, room.reply.header.op);
	for (size_t i = 0; i < sizeof(room.guard); i++)
		assert_int_equal(0xa5, room.guard[i]);
	assert_int_equal(0, pthread_join(answerer.thread, NULL));
	relay_end_close(&end);
}

static void
test_call_ends_when_the_relay_goes(void **state)
{
	struct relay_end end;
	struct relay_session reply;

	relay_end_open(&end);
	relay_end_hang_up(&end);
	assert_int_equal(-EPIPE, query(&end, &reply, sizeof(reply), 5000));
	relay_end_close(&end);

	/* it hangs up while the call waits */
	relay_end_open(&end);
	assert_int_equal(0, shutdown(end.fd, SHUT_WR));
	assert_int_equal(-EPIPE, query(&end, &reply, sizeof(reply), 5000));
	relay_end_close(&end);
}

/* The late reply to a call that was given up is not taken for the next one's. */
static void
test_call_that_timed_out_is_forgotten(void **state)
{
	struct relay_end end;
	struct relay_by_id late;
	struct relay_session reply = {.timeout_ms = 1};

	relay_end_open(&end);
	assert_int_equal(-ETIMEDOUT, query(&end, &reply, sizeof(reply), 20));
	relay_end_receive(&end, &late, sizeof(late));
	reply.header = relay_end_header(&late.header, RELAY_OK, sizeof(reply));
	relay_end_send(&end, &reply, sizeof(reply));

	struct answerer answerer = {.end = &end, .count = 1};
	assert_int_equal(0, pthread_create(&answerer.thread, NULL, answer, &answerer));
	memset(&reply, 0, sizeof(reply));
	assert_int_equal(0, query(&end, &reply, sizeof(reply), 5000));
	assert_int_equal(1234, reply.timeout_ms);
	assert_int_equal(0, pthread_join(answerer.thread, NULL));
	relay_end_close(&end);
}

static void
count_reply(void *arg, const struct relay_header *reply)
{
	++*(int *)arg;
}

static void
secret_request(struct relay_create *request)
{
	memset(request, 0x5e, sizeof(*request));
	request->header.op = RELAY_OP_CREATE;
}

static void
test_keys_are_wiped(void **state)
{
	struct relay_end end;
	struct relay_create request, got;
	int answered = 0, asked = 0;

	relay_end_open(&end);
	copies_made = copies_freed = copies_dirty = 0;
	secret_request(&request);
	assert_int_equal(0,
		relay_client_send(end.client, &request, sizeof(request), count_reply, &answered));
	asked++;
	relay_end_receive(&end, &got, sizeof(got));
	assert_memory_equal(request.leg, got.leg, sizeof(got.leg));
	/* sent: the copy is gone before the reply is there */
	assert_int_equal(1, copies_made);
	assert_int_equal(1, copies_freed);

	/* not yet sent, because the relay does not read: wiped when the client closes */
	while (!relay_client_wants_write(end.client) && asked < 4000) {
		secret_request(&request);
		assert_int_equal(0, relay_client_send(end.client, &request, sizeof(request),
					    count_reply, &answered));
		asked++;
	}
	assert_true(relay_client_wants_write(end.client));
	assert_true(copies_freed < copies_made);
	relay_end_close(&end);
	assert_int_equal(asked, answered);
	assert_int_equal(asked, copies_made);
	assert_int_equal(copies_made, copies_freed);
	assert_int_equal(0, copies_dirty);

	/* refused by the socket: wiped at once */
	relay_end_open(&end);
	relay_end_hang_up(&end);
	copies_made = copies_freed = copies_dirty = 0;
	secret_request(&request);
	assert_int_equal(-EPIPE,
		relay_client_send(end.client, &request, sizeof(request), count_reply, &answered));
	assert_int_equal(1, copies_made);
	assert_int_equal(1, copies_freed);
	assert_int_equal(0, copies_dirty);
	relay_end_close(&end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_waits_for_its_reply),
		cmocka_unit_test(test_call_cuts_a_reply_that_does_not_fit),
		cmocka_unit_test(test_call_ends_when_the_relay_goes),
		cmocka_unit_test(test_call_that_timed_out_is_forgotten),
		cmocka_unit_test(test_keys_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
