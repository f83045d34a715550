/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 3261 10.3: what a REGISTER does to the bindings, all of it or nothing. */
#include "control/counters.h"
#include "registrar_stage.h"

#include <stdio.h>
#include <string.h>

#define CONTACT(name, params) "Contact: <sip:" name "@127.0.0.1:9>" params "\r\n"

static void
test_contacts_by_q(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);

	assert_int_equal(200,
		line_register(stage, &line, "alice",
			CONTACT("low", ";q=0.2") CONTACT("none", "") CONTACT("high", ";q=0.9")));
	assert_string_equal("none high low", stage_order(stage, "alice"));
	/* among equals the newest */
	assert_int_equal(200, line_register(stage, &line, "alice", CONTACT("b", ";q=0.9")));
	assert_string_equal("none b high low", stage_order(stage, "alice"));
	assert_int_equal(200, line_register(stage, &line, "alice", CONTACT("high", ";q=0.9")));
	assert_string_equal("none high b low", stage_order(stage, "alice"));
	assert_non_null(strstr(line.answer, "<sip:low@127.0.0.1:9>;expires=3600;q=0.200"));
	assert_string_equal("", stage_order(stage, "bob"));
}

static void
test_expires(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);

	assert_int_equal(200, line_register(stage, &line, "alice",
				      "Expires: 100\r\n" CONTACT("own", ";expires=200")
					      CONTACT("header", "") CONTACT("odd", ";expires=1x")
						      CONTACT("long", ";expires=99999999999")));
	assert_non_null(strstr(line.answer, "<sip:own@127.0.0.1:9>;expires=200"));
	assert_non_null(strstr(line.answer, "<sip:header@127.0.0.1:9>;expires=100"));
	assert_non_null(strstr(line.answer, "<sip:odd@127.0.0.1:9>;expires=3600"));
	assert_non_null(strstr(line.answer, "<sip:long@127.0.0.1:9>;expires=7200"));
	assert_non_null(strstr(line.answer, "\r\nDate: "));
	/* 0 removes, and what is not there is no fault */
	assert_int_equal(200, line_register(stage, &line, "alice",
				      CONTACT("own", ";expires=0") CONTACT("who", ";expires=0")));
	assert_string_equal("long odd header", stage_order(stage, "alice"));
	assert_int_equal(3, registrar_count(stage->registrar));
}

static void
test_too_brief_changes_nothing(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);

	assert_int_equal(
		423, line_register(stage, &line, "alice",
			     CONTACT("good", ";expires=60") CONTACT("brief", ";expires=59")));
	assert_non_null(strstr(line.answer, "\r\nMin-Expires: 60\r\n"));
	assert_int_equal(1, counters_get(COUNTER_REGISTER_BRIEF));
	assert_int_equal(0, registrar_count(stage->registrar));
}

static void
test_star(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);

	line_register(stage, &line, "alice", CONTACT("a", "") CONTACT("b", ""));
	line_register(stage, &line, "bob", CONTACT("c", ""));
	assert_int_equal(400, line_register(stage, &line, "alice", "Contact: *\r\n"));
	assert_int_equal(
		400, line_register(stage, &line, "alice", "Contact: *\r\nExpires: 60\r\n"));
	assert_int_equal(400, line_register(stage, &line, "alice",
				      "Contact: *\r\n" CONTACT("a", "") "Expires: 0\r\n"));
	assert_int_equal(400, line_register(stage, &line, "alice",
				      CONTACT("a", "") "Contact: *\r\nExpires: 0\r\n"));
	assert_string_equal("b a", stage_order(stage, "alice"));
	assert_int_equal(200, line_register(stage, &line, "alice", "Contact: *\r\nExpires: 0\r\n"));
	assert_null(strstr(line.answer, "\r\nContact:"));
	assert_string_equal("", stage_order(stage, "alice"));
	assert_string_equal("c", stage_order(stage, "bob"));
	/* when there is nothing to remove, too */
	assert_int_equal(200, line_register(stage, &line, "carol", "Contact: *\r\nExpires: 0\r\n"));
}

/* Steps 6 and 7: an old request is told from a new one by Call-ID and CSeq, for each binding. */
static void
test_out_of_order(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage), other = line_open(stage);

	line.cseq = 10;
	assert_int_equal(200, line_register(stage, &line, "alice", CONTACT("a", "")));
	strcpy(other.call_id, line.call_id);
	other.cseq = 8;
	assert_int_equal(400, line_register(stage, &other, "alice",
				      CONTACT("new", "") CONTACT("a", ";expires=0")));
	assert_string_equal("a", stage_order(stage, "alice"));
	other.cseq = 10; /* not higher is not newer */
	assert_int_equal(400, line_register(stage, &other, "alice", CONTACT("a", ";expires=0")));
	other.cseq = 7;
	assert_int_equal(
		400, line_register(stage, &other, "alice", "Contact: *\r\nExpires: 0\r\n"));
	assert_string_equal("a", stage_order(stage, "alice"));
	/* a contact that it does not name is not asked */
	other.cseq = 6;
	assert_int_equal(200, line_register(stage, &other, "alice", CONTACT("b", "")));
	/* another Call-ID is another life of the phone */
	struct line third = line_open(stage);
	assert_int_equal(200, line_register(stage, &third, "alice", CONTACT("a", ";expires=0")));
	assert_string_equal("b", stage_order(stage, "alice"));
}

static void
test_same_contact(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);

	line_register(stage, &line, "alice", "Contact: <sip:a@Host.test:9>;q=0.1\r\n");
	line_register(stage, &line, "alice", "Contact: <sip:a@hOST.test:9>;q=0.2\r\n");
	assert_string_equal("a", stage_order(stage, "alice"));
	line_register(stage, &line, "alice", "Contact: <sip:A@host.test:9>\r\n");
	line_register(stage, &line, "alice", "Contact: <sip:a@host.test:8>;q=0.1\r\n");
	assert_string_equal("A a a", stage_order(stage, "alice"));
}

static void
test_limits(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);
	char text[2000];

	assert_int_equal(400, line_register(stage, &line, "alice",
				      CONTACT("1", "") CONTACT("2", "") CONTACT("3", "")
					      CONTACT("4", "") CONTACT("5", "")));
	assert_int_equal(
		200, line_register(stage, &line, "alice",
			     CONTACT("1", "") CONTACT("2", "") CONTACT("3", "") CONTACT("4", "")));
	assert_int_equal(403, line_register(stage, &line, "alice", CONTACT("5", "")));
	assert_int_equal(200, line_register(stage, &line, "alice", CONTACT("4", "")));
	assert_int_equal(200,
		line_register(stage, &line, "alice", CONTACT("4", ";expires=0") CONTACT("5", "")));
	assert_int_equal(
		200, line_register(stage, &line, "bob", CONTACT("1", "") CONTACT("2", "")));
	assert_int_equal(503, line_register(stage, &line, "carol", CONTACT("1", "")));
	assert_non_null(strstr(line.answer, "\r\nRetry-After: "));
	assert_int_equal(200, line_register(stage, &line, "bob", CONTACT("2", "")));
	assert_int_equal(6, registrar_count(stage->registrar));
	assert_int_equal(1, counters_get(COUNTER_REGISTER_FULL));
	assert_int_equal(1, counters_get(COUNTER_REGISTER_CONTACTS));

	snprintf(text, sizeof(text), "Contact: <sip:%0600d@127.0.0.1>\r\n", 0);
	assert_int_equal(400, line_register(stage, &line, "bob", text));
	assert_int_equal(400, line_register(stage, &line, "bob", "Contact: <tel:+1555>\r\n"));
	assert_int_equal(400, line_register(stage, &line, "bob", "Contact: <mailto:a@b>\r\n"));
}

/* What a phone says is shown on terminals and sent on as it is. */
static void
test_characters(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage);

	assert_int_equal(
		400, line_register(stage, &line, "alice", "Contact: <sip:a@h;x=\x1b[31m>\r\n"));
	assert_int_equal(
		400, line_register(stage, &line, "alice", "Contact: <sip:\xc3\xa4@h>\r\n"));
	assert_int_equal(
		400, line_register(stage, &line, "alice",
			     "Supported: path\r\nPath: \"\x1b[31m\" <sip:p.test;lr>\r\n" CONTACT(
				     "a", "")));
	assert_int_equal(0, registrar_count(stage->registrar));
	assert_int_equal(
		200, line_register(stage, &line, "alice", "Contact: <sip:%1b%c3%a4@h;x=%00>\r\n"));
}

static void
test_query(void **state)
{
	struct stage *stage = *state;
	struct line line = line_open(stage), other = line_open(stage);

	line_register(stage, &line, "alice", CONTACT("a", ""));
	assert_int_equal(200, line_register(stage, &other, "alice", ""));
	assert_non_null(strstr(other.answer, "<sip:a@127.0.0.1:9>"));
	assert_int_equal(1, registrar_count(stage->registrar));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_contacts_by_q),
		TEST(test_expires),
		TEST(test_too_brief_changes_nothing),
		TEST(test_star),
		TEST(test_out_of_order),
		TEST(test_same_contact),
		TEST(test_limits),
		TEST(test_characters),
		TEST(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
