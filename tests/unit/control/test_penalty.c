/* SPDX-License-Identifier: BSD-3-Clause */
/* Penalties: they grow, end, are forgotten, and hurt none but the guilty. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/penalty.h"

#include <stdio.h>
#include <string.h>

#define HOUR_MS 3600000ull

static const struct config_penalties config = {
	.user_free = 3, .source_free = 6, .first_s = 2, .max_s = 60, .forget_s = 10, .entries = 64};

static int
setup(void **state)
{
	return penalties_create(&config, (struct penalties **)state);
}

static int
teardown(void **state)
{
	penalties_destroy(*state);
	return 0;
}

static struct relay_ip
ip(const char *text)
{
	struct relay_ip out;

	assert_int_equal(relay_ip_parse(text, strlen(text), &out), 0);
	return out;
}

/* Failures of one name from many sources: the fourth costs 2 s, the next twice as much, up to 60;
 * and it makes no difference whether there is such a user. */
static void
test_grows_by_user(void **state)
{
	static const uint64_t wanted[] = {0, 0, 0, 2000, 4000, 8000, 16000, 32000, 60000, 60000};
	uint64_t now = HOUR_MS;
	char text[32];

	for (unsigned i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", i);
		struct relay_ip source = ip(text), other = ip("198.51.100.1");
		assert_int_equal(
			penalties_check(*state, &other, "alice", now), i > 0 ? wanted[i - 1] : 0);
		penalties_failed(*state, &source, "alice", now);
		assert_int_equal(penalties_check(*state, &source, "alice", now), wanted[i]);
		assert_int_equal(penalties_check(*state, &other, "bob", now), 0);
	}
	struct relay_ip source = ip("192.0.2.1");
	assert_int_equal(penalties_check(*state, &source, "alice", now + 59999), 1);
	assert_int_equal(penalties_check(*state, &source, "alice", now + 60000), 0);
}

/* Many names from one source: the source pays, and no other. IPv6: the whole /64. */
static void
test_grows_by_source(void **state)
{
	struct relay_ip source = ip("2001:db8::1"), near = ip("2001:db8::ffff:2");
	struct relay_ip far = ip("2001:db8:0:1::1");
	char user[32];

	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(penalties_check(*state, &near, "alice", HOUR_MS), 0);
		snprintf(user, sizeof(user), "user-%u", i);
		penalties_failed(*state, &source, user, HOUR_MS);
	}
	assert_int_equal(penalties_check(*state, &near, "alice", HOUR_MS), 2000);
	assert_int_equal(penalties_check(*state, &far, "alice", HOUR_MS), 0);
	assert_int_equal(penalties_check(*state, &far, "user-1", HOUR_MS), 0);
}

/* One failure is forgotten every 10 s: now and then a slip costs nothing, ever. */
static void
test_decays(void **state)
{
	struct relay_ip source = ip("192.0.2.1");
	uint64_t now = HOUR_MS;

	for (unsigned i = 0; i < 100; i++, now += 11000) {
		penalties_failed(*state, &source, "alice", now);
		assert_int_equal(penalties_check(*state, &source, "alice", now), 0);
	}
	now += 30000;
	for (unsigned i = 0; i < 4; i++)
		penalties_failed(*state, &source, "alice", now);
	assert_int_equal(penalties_check(*state, &source, "alice", now), 2000);
	now += 10000; /* three are left, so the next is the fourth again */
	penalties_failed(*state, &source, "alice", now);
	assert_int_equal(penalties_check(*state, &source, "alice", now), 2000);
}

/* However bad it was: after max_s one more try is looked at, and some time later all is as new. */
static void
test_has_an_end(void **state)
{
	struct relay_ip source = ip("192.0.2.1");

	for (unsigned i = 0; i < 100000; i++)
		penalties_failed(*state, &source, "alice", HOUR_MS);
	assert_int_equal(penalties_check(*state, &source, "alice", HOUR_MS), 60000);
	penalties_failed(*state, &source, "alice", HOUR_MS + 300000);
	assert_int_equal(penalties_check(*state, &source, "alice", HOUR_MS + 300000), 0);
}

/* Strangers' guesses lock no user out of where it lives; but from there it can't be guessed for
 * ever either. */
static void
test_friends(void **state)
{
	struct relay_ip home = ip("192.0.2.1"), stranger = ip("198.51.100.1");
	uint64_t now = HOUR_MS;

	penalties_succeeded(*state, &home, "alice", now);
	for (unsigned i = 0; i < 50; i++)
		penalties_failed(*state, &stranger, "alice", now);
	for (unsigned i = 0; i < 50; i++)
		penalties_failed(*state, &home, "bob", now);
	assert_true(penalties_check(*state, &stranger, "alice", now) > 0);
	assert_true(penalties_check(*state, &home, "bob", now) > 0);
	assert_true(penalties_check(*state, &home, "carol", now) > 0);
	assert_int_equal(penalties_check(*state, &home, "alice", now), 0);
	for (unsigned i = 0; i < 4; i++)
		penalties_failed(*state, &home, "alice", now);
	assert_int_equal(penalties_check(*state, &home, "alice", now), 2000);
	penalties_succeeded(*state, &home, "alice", now + 2000);
	penalties_failed(*state, &home, "alice", now + 2000);
	assert_int_equal(penalties_check(*state, &home, "alice", now + 2000), 0);
	/* a day later it is a stranger as any other */
	for (unsigned i = 0; i < 50; i++)
		penalties_failed(*state, &stranger, "alice", now + 25 * HOUR_MS);
	assert_true(penalties_check(*state, &home, "alice", now + 25 * HOUR_MS) > 0);
}

/* More names than there is room for push out each other, not who is guilty. */
static void
test_flood_of_names(void **state)
{
	struct relay_ip source = ip("192.0.2.1");
	char text[32];

	for (unsigned i = 0; i < 30; i++)
		penalties_failed(*state, &source, "alice", HOUR_MS);
	uint64_t before = penalties_check(*state, &source, "alice", HOUR_MS);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "10.%u.%u.1", i / 256 % 256, i % 256);
		struct relay_ip other = ip(text);
		snprintf(text, sizeof(text), "nobody-%u", i);
		penalties_failed(*state, &other, text, HOUR_MS + 1);
	}
	struct relay_ip other = ip("198.51.100.1");
	assert_int_equal(penalties_check(*state, &other, "alice", HOUR_MS), before);
	assert_int_equal(penalties_check(*state, &source, "carol", HOUR_MS), before);
}

static void
test_switched_off(void **state)
{
	static const struct config_penalties off = {
		.user_free = 1, .source_free = 1, .entries = 16};
	struct relay_ip source = ip("192.0.2.1");
	struct penalties *penalties;

	assert_int_equal(penalties_create(&off, &penalties), 0);
	for (unsigned i = 0; i < 100; i++)
		penalties_failed(penalties, &source, "alice", HOUR_MS);
	assert_int_equal(penalties_check(penalties, &source, "alice", HOUR_MS), 0);
	penalties_destroy(penalties);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_grows_by_user),
		TEST(test_grows_by_source),
		TEST(test_decays),
		TEST(test_has_an_end),
		TEST(test_friends),
		TEST(test_flood_of_names),
		TEST(test_switched_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
