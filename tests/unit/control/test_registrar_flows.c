/* SPDX-License-Identifier: BSD-3-Clause */
/* Bindings and connections: Path (RFC 3327), outbound (RFC 5626), phones that go and come back. */
#include "registrar_stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define CONTACT(name, params) "Contact: <sip:" name "@127.0.0.1:9>" params "\r\n"
#define PHONE_1 ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000000000001>\""
#define PHONE_2 ";+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-000000000002>\""
#define OUTBOUND "Supported: path, outbound\r\n"

static void
test_path(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);
	struct binding binding;

	assert_int_equal(420, line_register(stage, &line, "alice",
				      CONTACT("a", "") "Path: <sip:p1.test;lr>\r\n"));
	assert_non_null(strstr(line.answer, "\r\nUnsupported: path\r\n"));
	assert_int_equal(0, registrar_count(stage->registrar));
	assert_int_equal(200, line_register(stage, &line, "alice",
				      CONTACT("a", "") "Supported: path\r\n"
						       "Path: <sip:p1.test;lr>\r\n"
						       "Path: <sip:p2.test;lr>\r\n"));
	assert_non_null(strstr(line.answer, "Path: <sip:p1.test;lr>"));
	assert_non_null(strstr(line.answer, "<sip:p2.test;lr>"));
	assert_int_equal(0, registrar_find(stage->registrar, "alice", &binding));
	assert_string_equal("<sip:p1.test;lr>, <sip:p2.test;lr>", binding.path);
	/* the next one comes by another way */
	assert_int_equal(200, line_register(stage, &line, "alice", CONTACT("a", "")));
	assert_int_equal(0, registrar_find(stage->registrar, "alice", &binding));
	assert_null(binding.path);
}

static void
test_path_too_long(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);
	char text[2000];

	snprintf(text, sizeof(text),
		CONTACT("a", "") "Supported: path\r\nPath: <sip:%01100d.test>\r\n", 0);
	assert_int_equal(400, line_register(stage, &line, "alice", text));
}

static void
test_outbound(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);
	struct binding binding;

	assert_int_equal(200,
		line_register(stage, &line, "alice", OUTBOUND CONTACT("a", PHONE_1 ";reg-id=1")));
	assert_non_null(strstr(line.answer, "\r\nRequire: outbound\r\n"));
	assert_non_null(strstr(line.answer, "\r\nFlow-Timer: 120\r\n"));
	assert_non_null(strstr(line.answer, PHONE_1 ";reg-id=1"));
	assert_int_equal(0, registrar_find(stage->registrar, "alice", &binding));
	assert_string_equal("<urn:uuid:00000000-0000-1000-8000-000000000001>", binding.instance);
	assert_int_equal(1, binding.reg_id);

	/* by another connection, with another contact: the same binding */
	struct line second = line_open(stage);
	assert_int_equal(200,
		line_register(stage, &second, "alice", OUTBOUND CONTACT("b", PHONE_1 ";reg-id=1")));
	assert_string_equal("b", stage_order(stage, "alice"));
	assert_int_equal(1, registrar_count(stage->registrar));
}

static void
test_several_flows(void **state)
{
	struct stage *stage = *state;
	struct line one = line_open(stage), two = line_open(stage), three = line_open(stage);

	line_register(stage, &one, "alice", OUTBOUND CONTACT("one", PHONE_1 ";reg-id=1"));
	line_register(stage, &two, "alice", OUTBOUND CONTACT("two", PHONE_1 ";reg-id=2"));
	line_register(stage, &three, "alice", OUTBOUND CONTACT("three", PHONE_2 ";reg-id=1"));
	assert_int_equal(3, registrar_count(stage->registrar));
	/* a phone is called once, by its newest flow */
	assert_string_equal("three two", stage_order(stage, "alice"));
	line_close(stage, &two);
	assert_string_equal("three one", stage_order(stage, "alice"));
	line_close(stage, &three);
	assert_string_equal("one", stage_order(stage, "alice"));
	struct line again = line_open(stage);
	line_register(stage, &again, "alice", OUTBOUND CONTACT("again", PHONE_1 ";reg-id=2"));
	assert_string_equal("again", stage_order(stage, "alice"));
	assert_int_equal(3, registrar_count(stage->registrar));
}

static void
test_outbound_rules(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);
	struct binding binding;

	/* without its option tag, or without an instance, a reg-id is nothing */
	assert_int_equal(
		200, line_register(stage, &line, "alice", CONTACT("a", PHONE_1 ";reg-id=1")));
	assert_null(strstr(line.answer, "Require:"));
	assert_null(strstr(line.answer, "Flow-Timer:"));
	assert_int_equal(0, registrar_find(stage->registrar, "alice", &binding));
	assert_int_equal(0, binding.reg_id);
	assert_int_equal(
		200, line_register(stage, &line, "bob", OUTBOUND CONTACT("b", ";reg-id=1")));
	assert_null(strstr(line.answer, "Require:"));

	assert_int_equal(400, line_register(stage, &line, "carol",
				      OUTBOUND CONTACT("a", PHONE_1 ";reg-id=1")
					      CONTACT("b", PHONE_1 ";reg-id=2")));
	assert_int_equal(400,
		line_register(stage, &line, "carol", OUTBOUND CONTACT("a", PHONE_1 ";reg-id=0")));
	assert_int_equal(400, line_register(stage, &line, "carol",
				      OUTBOUND CONTACT("a", PHONE_1 ";reg-id=2147483648")));
	/* one old flow may go in the request that makes a new one */
	assert_int_equal(200, line_register(stage, &line, "carol",
				      OUTBOUND CONTACT("a", PHONE_1 ";reg-id=1;expires=0")
					      CONTACT("b", PHONE_1 ";reg-id=2147483647")));
	assert_int_equal(3, registrar_count(stage->registrar));
}

/* RFC 5626 6: a proxy before us must be one that keeps flows. */
static void
test_first_hop(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);
	const char *via = "Via: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKx\r\n";
	char text[600];

	snprintf(text, sizeof(text), "%s" OUTBOUND CONTACT("a", PHONE_1 ";reg-id=1"), via);
	assert_int_equal(439, line_register(stage, &line, "alice", text));
	snprintf(text, sizeof(text),
		"%s" OUTBOUND CONTACT("a", PHONE_1 ";reg-id=1") "Path: <sip:p.test;lr>\r\n", via);
	assert_int_equal(439, line_register(stage, &line, "alice", text));
	assert_int_equal(0, registrar_count(stage->registrar));
	snprintf(text, sizeof(text),
		"%s" OUTBOUND CONTACT("a", PHONE_1 ";reg-id=1") "Path: <sip:p.test;lr;ob>\r\n",
		via);
	assert_int_equal(200, line_register(stage, &line, "alice", text));
	assert_null(strstr(line.answer, "Flow-Timer:")); /* that is the proxy's to say */
}

static void
test_closed_connection(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage), other = line_open(stage);
	struct binding binding;

	line_register(stage, &line, "alice", CONTACT("a", ""));
	line_register(stage, &other, "alice", CONTACT("b", ""));
	line_close(stage, &line);
	assert_string_equal("b", stage_order(stage, "alice"));
	line_register(stage, &other, "alice", "");
	assert_null(strstr(other.answer, "<sip:a@"));
	assert_int_equal(2, registrar_count(stage->registrar));

	/* not by a request of somebody else, nor by one that names another contact */
	line_meet(stage, &other, "bob", CONTACT("a", ""));
	line_meet(stage, &other, "alice", CONTACT("c", ""));
	assert_string_equal("b", stage_order(stage, "alice"));
	line_meet(stage, &other, "alice", CONTACT("a", ""));
	assert_string_equal("b a", stage_order(stage, "alice"));
	line_close(stage, &other);
	assert_int_equal(-ENOENT, registrar_find(stage->registrar, "alice", &binding));
}

static void
test_instance_comes_back(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage), second = line_open(stage), third = line_open(stage);

	line_register(stage, &line, "alice", CONTACT("old", PHONE_1));
	line_close(stage, &line);
	/* the same phone elsewhere: by its instance, whatever the contact */
	line_meet(stage, &second, "alice", CONTACT("old", PHONE_2));
	assert_string_equal("", stage_order(stage, "alice"));
	line_meet(stage, &second, "alice", CONTACT("new", PHONE_1));
	assert_string_equal("old", stage_order(stage, "alice"));
	line_close(stage, &second);
	/* registered anew, it leaves its old contact behind */
	line_register(stage, &third, "alice", CONTACT("new", PHONE_1));
	assert_string_equal("new", stage_order(stage, "alice"));
	assert_int_equal(1, registrar_count(stage->registrar));
}

/* The connection of the user's first binding, held. */
static tport_t *
hold(struct stage *stage, struct binding *binding)
{
	assert_int_equal(0, registrar_find(stage->registrar, "alice", binding));
	return tport_ref(binding->connection);
}

static bool
is_again(struct stage *stage, tport_t *closed, const char *contact)
{
	struct relay_ip peer;
	struct binding binding;

	relay_ip_parse("127.0.0.1", 9, &peer);
	return registrar_find_again(stage->registrar, "alice", closed, &peer, &binding) == 0
	               ? contact != NULL && strcmp(binding.contact, contact) == 0
	               : contact == NULL;
}

/* A call's phone that comes back is not taken for another one of the same user. */
static void
test_same_phone_again(void **state)
{
	struct stage *stage = *state;
	struct line other = line_open(stage), line = line_open(stage), back = line_open(stage);
	struct binding binding;

	line_register(stage, &other, "alice", CONTACT("other", PHONE_2 ";q=0.9"));
	line_register(stage, &line, "alice", CONTACT("a", PHONE_1));
	tport_t *first = hold(stage, &binding);
	line_close(stage, &line);
	assert_true(is_again(stage, first, NULL));
	line_register(stage, &back, "alice", CONTACT("b", PHONE_1));
	assert_true(is_again(stage, first, "sip:b@127.0.0.1:9"));
	tport_unref(first);

	/* by another request than a REGISTER, and before the closed one was noticed */
	tport_t *second = hold(stage, &binding);
	line_close(stage, &back);
	struct line third = line_open(stage);
	line_meet(stage, &third, "alice", CONTACT("b", PHONE_1));
	assert_true(is_again(stage, second, "sip:b@127.0.0.1:9"));
	tport_unref(second);

	/* without an instance: the only one from there */
	line_register(stage, &third, "alice", CONTACT("b", ";expires=0"));
	struct line old = line_open(stage);
	line_register(stage, &old, "alice", CONTACT("c", ""));
	tport_t *nameless = hold(stage, &binding);
	line_close(stage, &old);
	assert_true(is_again(stage, nameless, NULL));
	line_register(stage, &third, "alice", CONTACT("d", ""));
	assert_true(is_again(stage, nameless, "sip:d@127.0.0.1:9"));
	line_register(stage, &third, "alice", CONTACT("e", ""));
	assert_true(is_again(stage, nameless, NULL));
	tport_unref(nameless);
}

static void
test_closed_ones_make_room(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage), other = line_open(stage);

	line_register(stage, &line, "alice", CONTACT("1", "") CONTACT("2", "") CONTACT("3", ""));
	line_register(stage, &other, "alice", CONTACT("4", ""));
	assert_int_equal(403, line_register(stage, &other, "alice", CONTACT("5", "")));
	line_close(stage, &line);
	assert_int_equal(200, line_register(stage, &other, "alice", CONTACT("5", "")));
	assert_string_equal("5 4", stage_order(stage, "alice"));
	assert_int_equal(4, registrar_count(stage->registrar));
}

static void
test_restart(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage), other = line_open(stage);
	struct binding binding;

	stage_restart(stage);
	line_register(stage, &line, "alice",
		OUTBOUND CONTACT(
			"a", PHONE_1 ";reg-id=7;q=0.5;expires=600") "Path: <sip:p.test;lr;ob>\r\n");
	line_register(stage, &line, "bob", CONTACT("b", "") CONTACT("c", ""));
	line_register(stage, &line, "bob", CONTACT("c", ""));
	line_register(stage, &line, "bob", CONTACT("c", ";expires=0"));
	stage_restart(stage);
	assert_int_equal(2, registrar_count(stage->registrar));
	assert_string_equal("", stage_order(stage, "alice"));
	/* an old REGISTER is still known for one */
	strcpy(other.call_id, line.call_id);
	assert_int_equal(400, line_register(stage, &other, "bob", CONTACT("b", ";expires=0")));
	/* it is behind a proxy, and comes back through one */
	line_meet(stage, &other, "alice", CONTACT("x", PHONE_1));
	assert_string_equal("", stage_order(stage, "alice"));
	line_meet(stage, &other, "alice",
		"Via: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKx\r\n" CONTACT("x", PHONE_1));
	assert_string_equal("a", stage_order(stage, "alice"));
	assert_int_equal(0, registrar_find(stage->registrar, "alice", &binding));
	assert_string_equal("<sip:p.test;lr;ob>", binding.path);
	assert_int_equal(7, binding.reg_id);
	assert_int_equal(500, binding.q);
	assert_in_range(binding.expires_s, 590, 600);
	/* ids go on where they were */
	line_register(stage, &other, "carol", CONTACT("d", ""));
	stage_restart(stage);
	assert_int_equal(3, registrar_count(stage->registrar));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_path),
		TEST(test_path_too_long),
		TEST(test_outbound),
		TEST(test_several_flows),
		TEST(test_outbound_rules),
		TEST(test_first_hop),
		TEST(test_closed_connection),
		TEST(test_instance_comes_back),
		TEST(test_same_phone_again),
		TEST(test_closed_ones_make_room),
		TEST(test_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
