/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers out of URIs, the dial plan's choice, and the order of trunks by priority and weight. */
#include "control/dialplan.h"
#include "control/weight.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sofia-sip/su_alloc.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void
test_numbers(void **state)
{
	static const struct {
		const char *uri;
		int result;
		const char *number;
	} cases[] = {
		{"tel:+49-30-123456", 0, "+4930123456"},
		{"tel:+1(201)555-0123", 0, "+12015550123"},
		{"tel:7042;phone-context=example.com", 0, "7042"},
		{"tel:863-1234;phone-context=+1-914-555", 0, "+19145558631234"},
		{"tel:7042;phone-context=other.example", -EINVAL, NULL},
		{"tel:7042;phone-context=+x", -EINVAL, NULL},
		{"tel:7042", 0, "7042"},
		{"tel:7042;phone-contextual", 0, "7042"},
		{"tel:7042;phone-context", -EINVAL, NULL},
		{"tel:7042;a=b;Phone-Context=+49;c", 0, "+497042"},
		{"sip:alice@example.com;userp", -ENOENT, NULL},
		{"tel:+", -EINVAL, NULL},
		{"tel:abc", -EINVAL, NULL},
		{"sip:+4930123456@example.com", 0, "+4930123456"},
		{"sip:+49.30.12@example.com;user=phone", 0, "+493012"},
		{"sips:*21#@example.com", 0, "*21#"},
		{"sip:030123;phone-context=+49@example.com;user=phone", 0, "+49030123"},
		{"sip:030123;phone-context=elsewhere@example.com;user=phone", -EINVAL, NULL},
		{"sip:%2B4930@example.com", 0, "+4930"},
		{"sip:49%0030@example.com", -EINVAL, NULL},
		{"sip:alice@example.com", -ENOENT, NULL},
		{"sip:alice@example.com;user=phone", -EINVAL, NULL},
		{"sip:4a@example.com", -ENOENT, NULL},
		{"sip:example.com", -ENOENT, NULL},
		{"sip:++49@example.com", -ENOENT, NULL},
		{"mailto:123@example.com", -ENOENT, NULL},
		{"sip:12345678901234567890123456789012345678901234567890123456789012@example.com",
			0, "12345678901234567890123456789012345678901234567890123456789012"},
		{"tel:1234567890123456789012345678901234567890123456789012345678901234", -EINVAL,
			NULL},
	};

	su_home_t home[1] = {SU_HOME_INIT(home)};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char number[NUMBER_SIZE] = "";
		const url_t *url = url_make(home, cases[i].uri);
		assert_non_null(url);
		int result = number_of_url(url, "example.com", number);
		if (result != cases[i].result ||
			(result == 0 && strcmp(number, cases[i].number) != 0))
			fail_msg("%s: %d \"%s\"", cases[i].uri, result, number);
	}
	su_home_deinit(home);
}

/* A phone-context too long to be looked at is none that may be passed over. */
static void
test_long_context(void **state)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	char uri[700], number[NUMBER_SIZE];

	snprintf(uri, sizeof(uri), "tel:7042;phone-context=%0600d", 1);
	assert_int_equal(-EINVAL, number_of_url(url_make(home, uri), "example.com", number));
	su_home_deinit(home);
}

/* Nothing behind the end of the text is looked at. */
static void
test_url_param(void **state)
{
	static const char beyond[] = "ab;lrx\0lr=found;";
	char value[8] = "before";

	assert_int_equal(0, url_param(beyond, "lr", value, sizeof(value)));
	assert_int_equal(0, url_param(beyond, "a", value, sizeof(value)));
	assert_string_equal("before", value);
	assert_int_equal(1, url_param("a;LR", "lr", value, sizeof(value)));
	assert_string_equal("", value);
	assert_int_equal(1, url_param("lr;a", "lr=", NULL, 0));
	assert_int_equal(4, url_param("lrx;lr=yes;a", "lr", value, sizeof(value)));
	assert_string_equal("yes", value);
	assert_int_equal(9, url_param("a=12345678", "a", value, sizeof(value)));
	assert_string_equal("yes", value);
	assert_int_equal(0, url_param(NULL, "a", value, sizeof(value)));
	assert_int_equal(0, url_param("", "a", value, sizeof(value)));
}

static char *both[] = {"b", "a"}, *users[] = {"users"};

static struct config_trunk trunks[] = {
	{.name = "a", .group = "carriers", .priority = 10, .weight = 1},
	{.name = "b", .group = "carriers", .priority = 20, .weight = 3},
	{.name = "c", .group = "carriers", .priority = 20, .weight = 1},
	{.name = "d", .group = "carriers", .direction = CONFIG_DIRECTION_IN},
};

static struct config_route routes[] = {
	{.from = "users", .to = both, .to_count = 2},
	{.prefix = "+49", .from = "any", .to = both, .to_count = 2, .priority = 5},
	{.prefix = "+49",
		.from = "users",
		.to = both,
		.to_count = 2,
		.priority = 2,
		.strip = 3,
		.prepend = "0"},
	{.prefix = "+4930", .from = "carriers", .to = users, .to_count = 1, .strip = 5},
	{.prefix = "+4930", .from = "d", .to = users, .to_count = 1, .priority = 1},
};

static const struct config_sip config = {
	.domain = "example.com",
	.trunks = trunks,
	.trunks_count = COUNT(trunks),
	.routes = routes,
	.routes_count = COUNT(routes),
};

/* The found entries as their indexes, "12". */
static const char *
found(const struct party *from, const char *number)
{
	static char text[16];
	const struct config_route *out[8];
	unsigned count = dialplan_find(&config, from, number, out, 8);

	text[0] = '\0';
	for (unsigned i = 0; i < count; i++)
		snprintf(text + i, sizeof(text) - i, "%d", (int)(out[i] - routes));
	return text;
}

static void
test_longest_prefix(void **state)
{
	struct party user, trunk_a, trunk_d, stranger;
	static struct config_trunk alone = {.name = "alone"};

	party_set_user(&user, "alice");
	party_set_trunk(&trunk_a, &trunks[0]);
	party_set_trunk(&trunk_d, &trunks[3]);
	party_set_trunk(&stranger, &alone);
	assert_string_equal("0", found(&user, "112"));
	assert_string_equal("21", found(&user, "+4989"));   /* by priority */
	assert_string_equal("21", found(&user, "+493012")); /* the longer one is not his */
	assert_string_equal("3", found(&trunk_a, "+493012"));
	assert_string_equal("34", found(&trunk_d, "+493012"));
	assert_string_equal("1", found(&stranger, "+493012"));
	assert_string_equal("", found(&stranger, "112"));
	assert_string_equal("", found(&stranger, "49"));
}

static void
test_rewrite(void **state)
{
	char result[NUMBER_SIZE];
	struct config_route all = {.strip = 4}, prepend = {.prepend = "+1"};
	char longest[NUMBER_SIZE];

	assert_int_equal(0, dialplan_rewrite(&routes[2], "+493012", result));
	assert_string_equal("03012", result);
	assert_int_equal(0, dialplan_rewrite(&routes[0], "112", result));
	assert_string_equal("112", result);
	assert_int_equal(-EINVAL, dialplan_rewrite(&all, "1234", result));
	assert_int_equal(-EINVAL, dialplan_rewrite(&all, "123", result));
	memset(longest, '1', sizeof(longest));
	longest[NUMBER_SIZE - 1] = '\0';
	assert_int_equal(-ENOSPC, dialplan_rewrite(&prepend, longest, result));
}

static uint32_t next_random;

static uint32_t
chosen_random(uint32_t below)
{
	return next_random % below;
}

static void
test_trunks(void **state)
{
	const struct config_trunk *out[4];

	next_random = 3;
	assert_int_equal(3, dialplan_trunks(&config, "carriers", chosen_random, out, 4));
	assert_string_equal("a", out[0]->name); /* alone in its priority */
	assert_int_equal(1, dialplan_trunks(&config, "b", chosen_random, out, 4));
	assert_string_equal("b", out[0]->name);
	assert_int_equal(0, dialplan_trunks(&config, "d", chosen_random, out, 4)); /* calls us */
	assert_int_equal(2, dialplan_trunks(&config, "carriers", chosen_random, out, 2));
}

/* Among equals, each comes first as often as its weight says. */
static void
test_weights(void **state)
{
	unsigned first[3] = {0};
	static const uint32_t weights[] = {10, 60, 30};

	srandom(1);
	for (unsigned round = 0; round < 10000; round++) {
		struct weighted entries[] = {
			{7, weights[0], &first[0]},
			{7, weights[1], &first[1]},
			{7, weights[2], &first[2]},
		};
		weight_order(entries, 3, weight_random);
		++*(unsigned *)(uintptr_t)entries[0].what;
		assert_true(entries[0].what != entries[1].what &&
			    entries[1].what != entries[2].what &&
			    entries[0].what != entries[2].what);
	}
	for (unsigned i = 0; i < 3; i++)
		assert_in_range(first[i], weights[i] * 100 - 300, weights[i] * 100 + 300);
}

static void
test_weight_of_zero(void **state)
{
	unsigned first = 0;

	for (unsigned round = 0; round < 10000; round++) {
		struct weighted entries[] = {{0, 99, NULL}, {0, 0, &first}, {9, 0, NULL}};
		weight_order(entries, 3, weight_random);
		first += entries[0].what == &first;
		assert_int_equal(9, entries[2].priority);
	}
	assert_in_range(first, 30, 250); /* one in a hundred */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_long_context),
		cmocka_unit_test(test_url_param),
		cmocka_unit_test(test_longest_prefix),
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_trunks),
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_weight_of_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
