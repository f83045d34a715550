/* SPDX-License-Identifier: BSD-3-Clause */
/* The event-driven side of the relay API's client. */
#include "relay_end.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What a callback saw: how often, and the last reply's code and reason (-1: none, the relay is
 * gone). `order` is when, among all. */
struct seen {
	int times;
	int64_t code;
	int order;
	char reason[RELAY_REASON_SIZE];
};

static int callbacks;

static void
on_reply(void *arg, const struct relay_header *reply)
{
	struct seen *seen = arg;

	seen->times++;
	seen->order = ++callbacks;
	seen->code = reply == NULL ? -1 : (int64_t)reply->code;
	seen->reason[0] = '\0';
	if (reply != NULL)
		snprintf(seen->reason, sizeof(seen->reason), "%s", relay_reply_reason(reply));
}

struct events {
	int times;
	int order;
	struct relay_event last;
};

static void
on_event(void *arg, const struct relay_event *event)
{
	struct events *events = arg;

	events->times++;
	events->order = ++callbacks;
	events->last = *event;
}

static int
open_end(void **state)
{
	static struct relay_end end;

	callbacks = 0;
	relay_end_open(&end);
	*state = &end;
	return 0;
}

static int
close_end(void **state)
{
	relay_end_close(*state);
	return 0;
}

static void
subscribe(struct relay_end *end, struct seen *seen, struct relay_header *request)
{
	struct relay_header message = {.op = RELAY_OP_SUBSCRIBE};

	assert_int_equal(
		0, relay_client_send(end->client, &message, sizeof(message), on_reply, seen));
	relay_end_receive(end, request, sizeof(*request));
}

static void
test_connect_says_why_not(void **state)
{
	struct relay_client *client = NULL;
	char folder[] = "/tmp/sallyport-connect-XXXXXX";
	char path[200];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/none.sock", folder);
	assert_int_equal(-ENOENT, relay_client_connect(path, &client));
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	assert_int_equal(-ECONNREFUSED, relay_client_connect(path, &client));
	unlink(path);
	rmdir(folder);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(-ENAMETOOLONG, relay_client_connect(path, &client));
	assert_null(client);
	relay_client_close(NULL);
}

static void
test_request_is_completed_and_answered(void **state)
{
	struct relay_end *end = *state;
	struct relay_header request = {
		.op = RELAY_OP_SUBSCRIBE, .version = 77, .code = 9, .reserved = 9};
	struct relay_header got;
	struct seen seen = {0};

	assert_int_equal(
		0, relay_client_send(end->client, &request, sizeof(request), on_reply, &seen));
	relay_end_receive(end, &got, sizeof(got));
	assert_int_equal(RELAY_API_VERSION, got.version);
	assert_int_equal(RELAY_OP_SUBSCRIBE, got.op);
	assert_int_equal(sizeof(got), got.length);
	assert_int_equal(0, got.code);
	assert_int_equal(0, got.reserved);
	assert_int_equal(request.request_id, got.request_id);
	assert_int_equal(0, relay_client_process(end->client));
	assert_int_equal(0, seen.times);

	struct relay_header reply = relay_end_header(&got, RELAY_OK, sizeof(reply));
	relay_end_send(end, &reply, sizeof(reply));
	assert_int_equal(0, relay_client_process(end->client));
	assert_int_equal(1, seen.times);
	assert_int_equal(RELAY_OK, seen.code);
	assert_string_equal("", seen.reason);
}

static void
test_refusal_carries_its_sentence(void **state)
{
	struct relay_end *end = *state;
	struct relay_reply_error refusal = {.reason = "no session \"x\""};
	struct relay_header got;
	struct seen seen = {0};

	subscribe(end, &seen, &got);
	refusal.header = relay_end_header(&got, RELAY_E_NO_SESSION, sizeof(refusal));
	relay_end_send(end, &refusal, sizeof(refusal));
	assert_int_equal(0, relay_client_process(end->client));
	assert_int_equal(RELAY_E_NO_SESSION, seen.code);
	assert_string_equal("no session \"x\"", seen.reason);

	/* a sentence without an end is ended within its field */
	subscribe(end, &seen, &got);
	memset(refusal.reason, 'x', sizeof(refusal.reason));
	refusal.header = relay_end_header(&got, RELAY_E_NO_SESSION, sizeof(refusal));
	relay_end_send(end, &refusal, sizeof(refusal));
	assert_int_equal(0, relay_client_process(end->client));
	assert_int_equal(RELAY_REASON_SIZE - 1, strlen(seen.reason));
}

static void
test_wrong_request_is_not_sent(void **state)
{
	struct relay_end *end = *state;
	static uint8_t big[RELAY_DATAGRAM_MAX + 8];
	struct seen seen = {0};

	assert_int_equal(-EINVAL, relay_client_send(end->client, big, 16, on_reply, &seen));
	assert_int_equal(-EINVAL, relay_client_send(end->client, big, 28, on_reply, &seen));
	assert_int_equal(
		-EINVAL, relay_client_send(end->client, big, sizeof(big), on_reply, &seen));
	assert_int_equal(0, seen.times);
	assert_false(relay_client_wants_write(end->client));
}

/* One datagram: a reply, an event, a reply. All three are delivered, in that order. */
static void
test_datagram_of_several_messages(void **state)
{
	struct relay_end *end = *state;
	struct relay_header got[2];
	struct seen seen[2] = {{0}, {0}};
	struct events events = {0};
	struct {
		struct relay_header first;
		struct relay_event event;
		struct relay_reply_error second;
	} datagram = {.event = {.kind = RELAY_EVENT_LATCHED, .leg = 1}};

	relay_client_on_event(end->client, on_event, &events);
	subscribe(end, &seen[0], &got[0]);
	subscribe(end, &seen[1], &got[1]);
	datagram.first = relay_end_header(&got[0], RELAY_OK, sizeof(datagram.first));
	datagram.event.header = (struct relay_header){.version = RELAY_API_VERSION,
		.op = RELAY_OP_EVENT,
		.length = sizeof(datagram.event)};
	memset(datagram.event.id, 'i', sizeof(datagram.event.id));
	datagram.second = (struct relay_reply_error){.reason = "full"};
	datagram.second.header =
		relay_end_header(&got[1], RELAY_E_NO_PORTS, sizeof(datagram.second));
	relay_end_send(end, &datagram, sizeof(datagram));
	assert_int_equal(0, relay_client_process(end->client));

	assert_int_equal(1, seen[0].order);
	assert_int_equal(2, events.order);
	assert_int_equal(3, seen[1].order);
	assert_int_equal(RELAY_EVENT_LATCHED, events.last.kind);
	assert_int_equal(1, events.last.leg);
	assert_int_equal(RELAY_ID_SIZE - 1, strlen(events.last.id));
	assert_int_equal(RELAY_E_NO_PORTS, seen[1].code);
	assert_string_equal("full", seen[1].reason);
}

static void
test_event_without_listener_is_passed_over(void **state)
{
	struct relay_end *end = *state;
	struct relay_event event = {.header = {.version = RELAY_API_VERSION,
					    .op = RELAY_OP_EVENT,
					    .length = sizeof(event)}};
	struct relay_header got;
	struct seen seen = {0};

	relay_end_send(end, &event, sizeof(event));
	subscribe(end, &seen, &got);
	struct relay_header reply = relay_end_header(&got, RELAY_OK, sizeof(reply));
	relay_end_send(end, &reply, sizeof(reply));
	assert_int_equal(0, relay_client_process(end->client));
	assert_int_equal(1, seen.times);
}

/* Some requests are answered, then the relay goes away: the others hear NULL, once. */
static void
test_relay_goes_away_with_requests_open(void **state)
{
	struct relay_end *end = *state;
	struct relay_header got[3];
	struct seen seen[3] = {{0}, {0}, {0}};

	for (int i = 0; i < 3; i++)
		subscribe(end, &seen[i], &got[i]);
	struct relay_header reply = relay_end_header(&got[0], RELAY_OK, sizeof(reply));
	relay_end_send(end, &reply, sizeof(reply));
	relay_end_hang_up(end);
	assert_int_equal(-EPIPE, relay_client_process(end->client));
	assert_int_equal(RELAY_OK, seen[0].code);
	for (int i = 1; i < 3; i++) {
		assert_int_equal(1, seen[i].times);
		assert_int_equal(-1, seen[i].code);
	}

	struct relay_header request = {.op = RELAY_OP_STATS};
	struct seen late = {0};
	assert_int_equal(
		-EPIPE, relay_client_send(end->client, &request, sizeof(request), on_reply, &late));
	assert_int_equal(-EPIPE, relay_client_process(end->client));
	assert_int_equal(0, late.times);
	assert_int_equal(1, seen[2].times);
}

/* The relay went away, but nobody has called process() yet. */
static void
test_send_to_a_relay_that_is_gone(void **state)
{
	struct relay_end *end = *state;
	struct relay_header got, request = {.op = RELAY_OP_STATS};
	struct seen before = {0}, after = {0};

	subscribe(end, &before, &got);
	struct relay_header reply = relay_end_header(&got, RELAY_OK, sizeof(reply));
	relay_end_send(end, &reply, sizeof(reply));
	relay_end_hang_up(end);
	assert_int_equal(-EPIPE,
		relay_client_send(end->client, &request, sizeof(request), on_reply, &after));
	assert_int_equal(0, before.times);
	assert_int_equal(-EPIPE, relay_client_process(end->client));
	assert_int_equal(1, before.times);
	assert_int_equal(RELAY_OK, before.code); /* it had been answered */
	assert_int_equal(0, after.times);
}

/* The relay was killed with a request unread: what it answered before is heard all the same. */
static void
test_relay_goes_away_without_reading(void **state)
{
	struct relay_end *end = *state;
	struct relay_header got, request = {.op = RELAY_OP_STATS};
	struct seen first = {0}, second = {0};

	subscribe(end, &first, &got);
	struct relay_header reply = relay_end_header(&got, RELAY_OK, sizeof(reply));
	relay_end_send(end, &reply, sizeof(reply));
	assert_int_equal(
		0, relay_client_send(end->client, &request, sizeof(request), on_reply, &second));
	relay_end_hang_up(end);
	assert_int_equal(-EPIPE, relay_client_process(end->client));
	assert_int_equal(1, first.times);
	assert_int_equal(RELAY_OK, first.code);
	assert_int_equal(1, second.times);
	assert_int_equal(-1, second.code);
}

/* As before, with requests that wait for the socket: writing fails, yet the answer is read. */
static void
test_relay_goes_away_with_requests_unsent(void **state)
{
	struct relay_end *end = *state;
	static struct seen seen[4000];
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}}, got;
	struct relay_reply_error reply = {.reason = "full"};
	int asked = 0;

	memset(seen, 0, sizeof(seen));
	while (asked < 4000 && !relay_client_wants_write(end->client)) {
		assert_int_equal(0, relay_client_send(end->client, &request, sizeof(request),
					    on_reply, &seen[asked]));
		asked++;
	}
	assert_true(relay_client_wants_write(end->client));
	for (int i = 0; i < asked - 1; i++) {
		relay_end_receive(end, &got, sizeof(got));
		if (i > 0)
			continue;
		reply.header = relay_end_header(&got.header, RELAY_E_NO_MEMORY, sizeof(reply));
		relay_end_send(end, &reply, sizeof(reply));
	}
	relay_end_hang_up(end);
	assert_int_equal(-EPIPE, relay_client_process(end->client));
	assert_int_equal(RELAY_E_NO_MEMORY, seen[0].code);
	for (int i = 1; i < asked; i++) {
		assert_int_equal(1, seen[i].times);
		assert_int_equal(-1, seen[i].code);
	}
}

struct again {
	struct relay_client *client;
	int times;
	int result;
};

/* A callback that never gives up. */
static void
ask_again(void *arg, const struct relay_header *reply)
{
	struct again *again = arg;
	struct relay_header request = {.op = RELAY_OP_SUBSCRIBE};

	again->times++;
	again->result =
		relay_client_send(again->client, &request, sizeof(request), ask_again, again);
}

static void
test_close_answers_with_nothing(void **state)
{
	struct relay_end *end = *state;
	struct again again = {.client = end->client};
	struct relay_header request = {.op = RELAY_OP_SUBSCRIBE};
	struct seen seen = {0};

	assert_int_equal(
		0, relay_client_send(end->client, &request, sizeof(request), ask_again, &again));
	assert_int_equal(
		0, relay_client_send(end->client, &request, sizeof(request), on_reply, &seen));
	relay_client_close(end->client);
	end->client = NULL;
	assert_int_equal(1, again.times);
	assert_int_equal(-EPIPE, again.result);
	assert_int_equal(1, seen.times);
	assert_int_equal(-1, seen.code);
}

static void
test_callback_may_send(void **state)
{
	struct relay_end *end = *state;
	static struct again again; /* its last request is answered by the teardown's close */
	struct relay_header request = {.op = RELAY_OP_SUBSCRIBE}, got;

	again = (struct again){.client = end->client};
	assert_int_equal(
		0, relay_client_send(end->client, &request, sizeof(request), ask_again, &again));
	for (int i = 1; i <= 3; i++) {
		relay_end_receive(end, &got, sizeof(got));
		struct relay_header reply = relay_end_header(&got, RELAY_OK, sizeof(reply));
		relay_end_send(end, &reply, sizeof(reply));
		assert_int_equal(0, relay_client_process(end->client));
		assert_int_equal(i, again.times);
		assert_int_equal(0, again.result);
	}
}

#define MANY 4000

/* A relay that does not read for a while: nothing is lost, nothing comes out of order. */
static void
test_socket_full(void **state)
{
	struct relay_end *end = *state;
	static struct seen seen[MANY];
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}}, got;
	int sent = 0, answered = 0;

	memset(seen, 0, sizeof(seen));
	while (sent < MANY && (!relay_client_wants_write(end->client) || sent % 100 != 0)) {
		snprintf(request.id, sizeof(request.id), "session-%d", sent);
		assert_int_equal(0, relay_client_send(end->client, &request, sizeof(request),
					    on_reply, &seen[sent]));
		sent++;
	}
	assert_true(relay_client_wants_write(end->client));
	for (; answered < sent; answered++) {
		char id[RELAY_ID_SIZE];
		struct relay_reply_error reply = {.reason = "full"};
		relay_end_receive(end, &got, sizeof(got));
		snprintf(id, sizeof(id), "session-%d", answered);
		assert_string_equal(id, got.id);
		reply.header = relay_end_header(&got.header, RELAY_E_NO_MEMORY, sizeof(reply));
		relay_end_send(end, &reply, sizeof(reply));
		assert_int_equal(0, relay_client_process(end->client));
	}
	assert_false(relay_client_wants_write(end->client));
	for (int i = 0; i < sent; i++) {
		assert_int_equal(1, seen[i].times);
		assert_int_equal(i + 1, seen[i].order);
	}
}

int
main(void)
{
#define WITH_END(test) cmocka_unit_test_setup_teardown(test, open_end, close_end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connect_says_why_not),
		WITH_END(test_request_is_completed_and_answered),
		WITH_END(test_refusal_carries_its_sentence),
		WITH_END(test_wrong_request_is_not_sent),
		WITH_END(test_datagram_of_several_messages),
		WITH_END(test_event_without_listener_is_passed_over),
		WITH_END(test_relay_goes_away_with_requests_open),
		WITH_END(test_send_to_a_relay_that_is_gone),
		WITH_END(test_relay_goes_away_without_reading),
		WITH_END(test_relay_goes_away_with_requests_unsent),
		WITH_END(test_close_answers_with_nothing),
		WITH_END(test_callback_may_send),
		WITH_END(test_socket_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
