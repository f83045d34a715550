/* SPDX-License-Identifier: BSD-3-Clause */
/* A relay that lies: each kind of wrong reply ends the connection, and nobody reads past it. */
#include "relay_end.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct seen {
	int answered; /* with a reply */
	int lost;     /* with NULL */
};

static void
on_reply(void *arg, const struct relay_header *reply)
{
	struct seen *seen = arg;

	if (reply != NULL)
		seen->answered++;
	else
		seen->lost++;
}

/* A datagram to come back for a request of `op`; `spoil` makes it wrong. */
static union {
	struct relay_header header;
	struct relay_session session;
	struct relay_list_reply list;
	struct relay_stats_reply stats;
	struct relay_status_reply status;
	struct relay_event event;
	uint8_t bytes[RELAY_DATAGRAM_MAX + 8];
} wire __attribute__((aligned(8)));

static void
check_refused(uint16_t op, size_t length, void (*spoil)(void), const char *what)
{
	struct relay_end end;
	union {
		struct relay_header header;
		struct relay_by_id by_id;
		struct relay_list list;
	} request = {.header = {.op = op}};
	size_t size = op == RELAY_OP_LIST    ? sizeof(request.list)
	              : op == RELAY_OP_QUERY ? sizeof(request.by_id)
	                                     : sizeof(request.header);
	struct seen seen = {0};

	relay_end_open(&end);
	assert_int_equal(0, relay_client_send(end.client, &request, size, on_reply, &seen));
	relay_end_receive(&end, &request, size);
	memset(&wire, 0, sizeof(wire));
	wire.header = relay_end_header(&request.header, RELAY_OK, length);
	if (spoil != NULL)
		spoil();
	relay_end_send(&end, &wire, length);
	int result = relay_client_process(end.client);
	if (spoil == NULL) {
		/* the same reply unspoilt is taken: so it is the spoiling that is refused */
		assert_int_equal(0, result);
		assert_int_equal(1, seen.answered);
	} else if (result != -EPIPE || seen.answered != 0 || seen.lost != 1) {
		fail_msg("%s: %d, %d answered, %d lost", what, result, seen.answered, seen.lost);
	}
	relay_end_close(&end);
	assert_int_equal(1, seen.answered + seen.lost);
}

static void
another_version(void)
{
	wire.header.version = RELAY_API_VERSION + 1;
}

static void
length_0(void)
{
	wire.header.length = 0;
}

static void
length_below_header(void)
{
	wire.header.length = 16;
}

static void
length_odd(void)
{
	wire.header.length -= 4;
}

static void
as_it_is(void)
{
}

static void
length_beyond_datagram(void)
{
	wire.header.length += 8;
}

static void
length_huge(void)
{
	wire.header.length = UINT32_MAX - 7;
}

static void
rest_after_message(void)
{
	wire.header.length -= 8;
}

static void
other_request_id(void)
{
	wire.header.request_id++;
}

static void
other_op(void)
{
	wire.header.op = RELAY_OP_SUBSCRIBE;
}

static void
refusal_too_short(void)
{
	wire.header.code = RELAY_E_MALFORMED;
}

static void
event_too_short(void)
{
	wire.header.op = RELAY_OP_EVENT;
}

static void
list_count(void)
{
	wire.list.count = 3;
}

static void
list_count_huge(void)
{
	wire.list.count = UINT32_MAX;
}

static void
stats_count(void)
{
	wire.stats.count = 3;
}

static void
status_interfaces(void)
{
	wire.status.interfaces = RELAY_STATUS_INTERFACES + 1;
}

static void
test_lies(void **state)
{
	static const size_t header = sizeof(struct relay_header),
			    session = sizeof(struct relay_session),
			    list = sizeof(struct relay_list_reply) +
	                           2 * sizeof(struct relay_list_entry),
			    odd = sizeof(struct relay_list_reply) + 4,
			    stats = sizeof(struct relay_stats_reply) +
	                            2 * sizeof(struct relay_counter),
			    status = sizeof(struct relay_status_reply);
	static const struct {
		uint16_t op;
		const size_t *length;
		void (*spoil)(void);
		const char *what;
	} cases[] = {
		{RELAY_OP_SUBSCRIBE, &header, NULL, "good"},
		{RELAY_OP_QUERY, &session, NULL, "good"},
		{RELAY_OP_LIST, &list, NULL, "good"},
		{RELAY_OP_STATS, &stats, NULL, "good"},
		{RELAY_OP_STATUS, &status, NULL, "good"},
		{RELAY_OP_SUBSCRIBE, &header, another_version, "another version"},
		{RELAY_OP_SUBSCRIBE, &header, length_0, "length 0"},
		{RELAY_OP_SUBSCRIBE, &header, length_below_header, "length 16"},
		{RELAY_OP_QUERY, &session, length_odd, "length no multiple of 8"},
		{RELAY_OP_LIST, &odd, as_it_is, "datagram no multiple of 8"},
		{RELAY_OP_SUBSCRIBE, &header, length_beyond_datagram, "length too long"},
		{RELAY_OP_SUBSCRIBE, &header, length_huge, "length huge"},
		{RELAY_OP_QUERY, &session, rest_after_message, "session cut short"},
		{RELAY_OP_QUERY, &header, length_beyond_datagram, "session is but a header"},
		{RELAY_OP_SUBSCRIBE, &header, other_request_id, "another's reply"},
		{RELAY_OP_QUERY, &session, other_op, "reply to another op"},
		{RELAY_OP_SUBSCRIBE, &header, refusal_too_short, "refusal without room"},
		{RELAY_OP_SUBSCRIBE, &header, event_too_short, "event cut short"},
		{RELAY_OP_LIST, &list, list_count, "list of 3 with room for 2"},
		{RELAY_OP_LIST, &list, list_count_huge, "list of 2^32 - 1"},
		{RELAY_OP_STATS, &stats, stats_count, "3 counters with room for 2"},
		{RELAY_OP_STATUS, &status, status_interfaces, "17 interfaces"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_refused(cases[i].op, *cases[i].length, cases[i].spoil, cases[i].what);
}

/* A message of the wrong length is refused even where its header tells the truth. */
static void
test_every_short_length(void **state)
{
	static const struct {
		uint16_t op;
		size_t least;
	} ops[] = {
		{RELAY_OP_QUERY, sizeof(struct relay_session)},
		{RELAY_OP_LIST, sizeof(struct relay_list_reply)},
		{RELAY_OP_STATS, sizeof(struct relay_stats_reply)},
		{RELAY_OP_STATUS, sizeof(struct relay_status_reply)},
	};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		check_refused(ops[i].op, ops[i].least, NULL, "good");
		for (size_t length = 8; length < ops[i].least; length += 8) {
			struct relay_end end;
			struct seen seen = {0};
			struct relay_list request = {.header = {.op = ops[i].op}};
			relay_end_open(&end);
			assert_int_equal(0, relay_client_send(end.client, &request, sizeof(request),
						    on_reply, &seen));
			memset(&wire, 0, sizeof(wire));
			wire.header = relay_end_header(&request.header, RELAY_OK, length);
			relay_end_send(&end, &wire, length);
			assert_int_equal(-EPIPE, relay_client_process(end.client));
			assert_int_equal(0, seen.answered);
			assert_int_equal(1, seen.lost);
			relay_end_close(&end);
		}
	}
}

/* A reply that nobody asked for, and a datagram longer than any may be. */
static void
test_unasked_and_oversized(void **state)
{
	struct relay_end end;
	struct seen seen = {0};
	struct relay_header request = {.op = RELAY_OP_STATS};

	relay_end_open(&end);
	memset(&wire, 0, sizeof(wire));
	wire.header = (struct relay_header){.version = RELAY_API_VERSION,
		.op = RELAY_OP_SUBSCRIBE,
		.length = sizeof(struct relay_header)};
	relay_end_send(&end, &wire, sizeof(struct relay_header));
	assert_int_equal(-EPIPE, relay_client_process(end.client));
	relay_end_close(&end);

	relay_end_open(&end);
	assert_int_equal(
		0, relay_client_send(end.client, &request, sizeof(request), on_reply, &seen));
	wire.header = relay_end_header(&request, RELAY_OK, sizeof(wire));
	relay_end_send(&end, &wire, sizeof(wire));
	assert_int_equal(-EPIPE, relay_client_process(end.client));
	assert_int_equal(0, seen.answered);
	assert_int_equal(1, seen.lost);
	relay_end_close(&end);
}

/* The longest datagram that is allowed arrives whole. */
static void
test_longest_datagram(void **state)
{
	struct relay_end end;
	struct seen seen = {0};
	struct relay_header request = {.op = RELAY_OP_STATS};
	size_t count = (RELAY_DATAGRAM_MAX - sizeof(struct relay_stats_reply)) /
	               sizeof(struct relay_counter);
	size_t length = sizeof(struct relay_stats_reply) + count * sizeof(struct relay_counter);

	relay_end_open(&end);
	assert_int_equal(
		0, relay_client_send(end.client, &request, sizeof(request), on_reply, &seen));
	memset(&wire, 'n', sizeof(wire));
	wire.header = relay_end_header(&request, RELAY_OK, length);
	wire.stats.count = (uint32_t)count;
	relay_end_send(&end, &wire, length);
	assert_int_equal(0, relay_client_process(end.client));
	assert_int_equal(1, seen.answered);
	relay_end_close(&end);
}

/* What the texts of a session, a list, the counters and the status are after their check. */
static void
on_texts(void *arg, const struct relay_header *reply)
{
	struct seen *seen = arg;

	assert_non_null(reply);
	seen->answered++;
	if (reply->op == RELAY_OP_QUERY) {
		const struct relay_session *session = (const void *)reply;
		assert_int_equal(RELAY_ID_SIZE - 1, strlen(session->id));
		assert_int_equal(RELAY_NAME_SIZE - 1, strlen(session->leg[0].interface));
		assert_int_equal(RELAY_NAME_SIZE - 1, strlen(session->leg[1].interface));
	} else if (reply->op == RELAY_OP_LIST) {
		const struct relay_list_reply *list = (const void *)reply;
		assert_int_equal(2, list->count);
		assert_int_equal(RELAY_ID_SIZE - 1, strlen(list->entry[1].id));
	} else if (reply->op == RELAY_OP_STATS) {
		const struct relay_stats_reply *stats = (const void *)reply;
		assert_int_equal(2, stats->count);
		assert_int_equal(
			sizeof(stats->counter[1].name) - 1, strlen(stats->counter[1].name));
	} else {
		const struct relay_status_reply *status = (const void *)reply;
		assert_int_equal(sizeof(status->release) - 1, strlen(status->release));
		assert_int_equal(sizeof(status->engine) - 1, strlen(status->engine));
		assert_int_equal(sizeof(status->engine_why) - 1, strlen(status->engine_why));
		assert_int_equal(sizeof(status->memory) - 1, strlen(status->memory));
		assert_int_equal(RELAY_NAME_SIZE - 1, strlen(status->interface[1].name));
		assert_int_equal(sizeof(status->interface[1].device) - 1,
			strlen(status->interface[1].device));
	}
}

static void
test_texts_are_ended(void **state)
{
	static const struct {
		uint16_t op;
		size_t length;
	} ops[] = {
		{RELAY_OP_QUERY, sizeof(struct relay_session)},
		{RELAY_OP_LIST,
			sizeof(struct relay_list_reply) + 2 * sizeof(struct relay_list_entry)},
		{RELAY_OP_STATS,
			sizeof(struct relay_stats_reply) + 2 * sizeof(struct relay_counter)},
		{RELAY_OP_STATUS, sizeof(struct relay_status_reply)},
	};
	struct relay_end end;
	struct seen seen = {0};

	relay_end_open(&end);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct relay_list request = {.header = {.op = ops[i].op}};
		assert_int_equal(0,
			relay_client_send(end.client, &request, sizeof(request), on_texts, &seen));
		memset(&wire, 't', sizeof(wire));
		wire.header = relay_end_header(&request.header, RELAY_OK, ops[i].length);
		if (ops[i].op == RELAY_OP_LIST)
			wire.list.count = 2;
		else if (ops[i].op == RELAY_OP_STATS)
			wire.stats.count = 2;
		else if (ops[i].op == RELAY_OP_STATUS)
			wire.status.interfaces = 2;
		relay_end_send(&end, &wire, ops[i].length);
		assert_int_equal(0, relay_client_process(end.client));
	}
	assert_int_equal(4, seen.answered);
	relay_end_close(&end);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_every_short_length),
		cmocka_unit_test(test_unasked_and_oversized),
		cmocka_unit_test(test_longest_datagram),
		cmocka_unit_test(test_texts_are_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
