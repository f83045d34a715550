/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits on calls: each refuses at its number and not before, is counted by its name, and is given
 * back once. */
#include "control/call_limits.h"
#include "control/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1000000 /* ms */

static struct config_trunk trunks[] = {
	{.name = "plain"},
	{.name = "small", .calls_max = 2},
	{.name = "slow", .calls_per_second = 2},
};

static struct party
user(const char *name)
{
	struct party party;

	party_set_user(&party, name);
	return party;
}

static struct party
trunk(unsigned index)
{
	struct party party;

	party_set_trunk(&party, &trunks[index]);
	return party;
}

static struct call_limits *
make(struct config_sip *config, uint32_t max, uint32_t per_user, uint32_t per_second)
{
	*config = (struct config_sip){
		.trunks = trunks,
		.trunks_count = 3,
		.calls = {max, per_user, per_second},
	};
	struct call_limits *limits = call_limits_create(config);
	assert_non_null(limits);
	return limits;
}

static void
test_none(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 0, 0);
	struct call_limits_hold hold[100] = {0};
	struct party alice = user("alice"), bob = user("bob");

	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[i], &alice, NOW));
		assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[i], &bob, NOW));
	}
	assert_int_equal(100, call_limits_count(limits));
	assert_int_equal(100, call_limits_count_of(limits, &bob));
	for (unsigned i = 0; i < 100; i++)
		call_limits_give(&hold[i]);
	assert_int_equal(0, call_limits_count(limits));
	assert_int_equal(0, call_limits_count_of(limits, &alice));
	assert_int_equal(0, call_limits_count_of(limits, &bob));
	call_limits_destroy(limits);
}

static void
test_in_all(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 2, 0, 0);
	struct call_limits_hold hold[3] = {0};
	struct party alice = user("alice"), bob = user("bob");
	uint64_t counted = counters_get(COUNTER_LIMIT_CALLS);

	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[0], &alice, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[1], &bob, NOW));
	assert_int_equal(CALL_LIMIT_CALLS, call_limits_take(limits, &hold[2], &bob, NOW));
	assert_int_equal(counted + 1, counters_get(COUNTER_LIMIT_CALLS));
	call_limits_give(&hold[2]); /* of what was refused nothing is given back */
	assert_int_equal(2, call_limits_count(limits));
	call_limits_give(&hold[0]);
	call_limits_give(&hold[0]); /* nor twice */
	assert_int_equal(1, call_limits_count(limits));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[2], &bob, NOW));
	assert_int_equal(CALL_LIMIT_CALLS, call_limits_take(limits, &hold[0], &bob, NOW));
	call_limits_destroy(limits);
}

/* As caller and as called. */
static void
test_of_a_user(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 2, 0);
	struct call_limits_hold hold[4] = {0};
	struct party alice = user("alice"), bob = user("bob"), carol = user("carol");
	uint64_t counted = counters_get(COUNTER_LIMIT_USER);

	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[0], &alice, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[0], &bob, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[1], &carol, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[1], &alice, NOW));
	assert_int_equal(CALL_LIMIT_USER, call_limits_take(limits, &hold[2], &alice, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[2], &bob, NOW));
	assert_int_equal(CALL_LIMIT_USER, call_limits_take_to(&hold[2], &alice, NOW));
	assert_int_equal(counted + 2, counters_get(COUNTER_LIMIT_USER));
	assert_int_equal(2, call_limits_count_of(limits, &alice));
	/* it held the caller's alone */
	call_limits_give(&hold[2]);
	assert_int_equal(1, call_limits_count_of(limits, &bob));
	call_limits_give(&hold[0]);
	assert_int_equal(1, call_limits_count_of(limits, &alice));
	assert_int_equal(0, call_limits_count_of(limits, &bob));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[3], &alice, NOW));
	call_limits_destroy(limits);
}

static void
test_of_a_trunk(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 0, 0);
	struct call_limits_hold hold[3] = {0};
	struct party alice = user("alice"), small = trunk(1), plain = trunk(0);

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[i], &alice, NOW));
		assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[i], &small, NOW));
		/* the next address of the same trunk is the same call */
		assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[i], &small, NOW));
	}
	assert_int_equal(2, call_limits_count_of(limits, &small));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[2], &alice, NOW));
	assert_int_equal(CALL_LIMIT_TRUNK, call_limits_take_to(&hold[2], &small, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[2], &plain, NOW));
	/* one that goes on to another trunk leaves the first */
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold[0], &plain, NOW));
	assert_int_equal(1, call_limits_count_of(limits, &small));
	assert_int_equal(2, call_limits_count_of(limits, &plain));
	for (unsigned i = 0; i < 3; i++)
		call_limits_give(&hold[i]);
	assert_int_equal(0, call_limits_count_of(limits, &small));
	assert_int_equal(0, call_limits_count_of(limits, &plain));
	/* as a caller it counts, too */
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[0], &small, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold[1], &small, NOW));
	assert_int_equal(CALL_LIMIT_TRUNK, call_limits_take(limits, &hold[2], &small, NOW));
	call_limits_destroy(limits);
}

/* How many of `tries` at this moment are let in. */
static unsigned
let_in(struct call_limits *limits, const struct party *from, unsigned tries, uint64_t now_ms)
{
	unsigned count = 0;

	for (unsigned i = 0; i < tries; i++) {
		struct call_limits_hold hold = {0};
		count += call_limits_take(limits, &hold, from, now_ms) == CALL_LIMIT_NONE;
		call_limits_give(&hold);
	}
	return count;
}

static void
test_a_second(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 0, 10);
	struct party alice = user("alice");
	uint64_t counted = counters_get(COUNTER_LIMIT_RATE);

	assert_int_equal(10, let_in(limits, &alice, 50, NOW)); /* a second's worth at once */
	assert_int_equal(counted + 40, counters_get(COUNTER_LIMIT_RATE));
	assert_int_equal(0, let_in(limits, &alice, 5, NOW + 99));
	assert_int_equal(1, let_in(limits, &alice, 5, NOW + 100));
	assert_int_equal(5, let_in(limits, &alice, 50, NOW + 600));
	/* however long it was quiet, no more than a second's */
	assert_int_equal(10, let_in(limits, &alice, 50, NOW + 3600000));
	call_limits_destroy(limits);
}

static void
test_trunk_a_second(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 0, 0);
	struct party slow = trunk(2), plain = trunk(0);

	assert_int_equal(2, let_in(limits, &slow, 5, NOW));
	assert_int_equal(5, let_in(limits, &plain, 5, NOW));
	assert_int_equal(1, let_in(limits, &slow, 5, NOW + 500));
	call_limits_destroy(limits);
}

/* Who may come in holds, and then counts in place of who was there. */
static void
test_guests(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 1, 0);
	struct call_limits_hold hold = {0};
	struct call_limits_guest guest = {0}, other = {0};
	struct party alice = user("alice"), bob = user("bob"), carol = user("carol");
	struct party small = trunk(1), slow = trunk(2);

	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &hold, &alice, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_to(&hold, &bob, NOW));
	assert_int_equal(CALL_LIMIT_USER, call_limits_take_guest(limits, &guest, &bob, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_guest(limits, &guest, &carol, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_guest(limits, &guest, &carol, NOW));
	assert_int_equal(CALL_LIMIT_USER, call_limits_take_guest(limits, &other, &carol, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_guest(limits, &guest, &small, NOW));
	assert_int_equal(0, call_limits_count_of(limits, &carol));
	assert_int_equal(1, call_limits_count_of(limits, &small));
	call_limits_give_guest(&guest);
	call_limits_give_guest(&guest);
	assert_int_equal(0, call_limits_count_of(limits, &small));

	call_limits_replace(&hold, 0, &carol);
	assert_int_equal(0, call_limits_count_of(limits, &alice));
	assert_int_equal(1, call_limits_count_of(limits, &carol));
	call_limits_replace(&hold, 1, &carol); /* no limit is asked */
	assert_int_equal(0, call_limits_count_of(limits, &bob));
	assert_int_equal(2, call_limits_count_of(limits, &carol));
	for (unsigned i = 0; i < 5; i++)
		call_limits_replace(&hold, 1, &slow); /* and no token taken */
	assert_int_equal(1, call_limits_count_of(limits, &slow));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take_guest(limits, &guest, &slow, NOW));
	call_limits_give_guest(&guest);
	assert_int_equal(1, call_limits_count(limits));
	call_limits_give(&hold);
	assert_int_equal(0, call_limits_count_of(limits, &carol));
	assert_int_equal(0, call_limits_count_of(limits, &slow));
	call_limits_replace(&hold, 0, &alice); /* holds nothing any more */
	assert_int_equal(0, call_limits_count_of(limits, &alice));
	call_limits_destroy(limits);
}

/* A restart finds calls of trunks that have had none in this life: they count, and cost no second
 * its share. */
static void
test_resumed(void **state)
{
	struct config_sip config;
	struct call_limits *limits = make(&config, 0, 0, 0);
	struct call_limits_hold hold[5] = {0}, fresh[3] = {0};
	struct party alice = user("alice"), slow = trunk(2);

	for (unsigned i = 0; i < 5; i++)
		call_limits_resume(
			limits, &hold[i], i % 2 == 0 ? &alice : &slow, i % 2 == 0 ? &slow : &alice);
	assert_int_equal(5, call_limits_count(limits));
	assert_int_equal(5, call_limits_count_of(limits, &slow));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &fresh[0], &slow, NOW));
	assert_int_equal(CALL_LIMIT_NONE, call_limits_take(limits, &fresh[1], &slow, NOW));
	assert_int_equal(CALL_LIMIT_TRUNK_RATE, call_limits_take(limits, &fresh[2], &slow, NOW));
	for (unsigned i = 0; i < 5; i++)
		call_limits_give(&hold[i]);
	call_limits_give(&fresh[0]);
	call_limits_give(&fresh[1]);
	assert_int_equal(0, call_limits_count_of(limits, &slow));
	assert_int_equal(0, call_limits_count(limits));
	call_limits_destroy(limits);
}

static void
test_status(void **state)
{
	const char *phrase;
	unsigned retry_after_s;

	assert_int_equal(486, call_limits_status(CALL_LIMIT_USER, true, &phrase, &retry_after_s));
	assert_int_equal(0, retry_after_s);
	assert_int_equal(503, call_limits_status(CALL_LIMIT_USER, false, &phrase, &retry_after_s));
	assert_int_equal(503, call_limits_status(CALL_LIMIT_CALLS, false, &phrase, &retry_after_s));
	assert_true(retry_after_s > 0);
	assert_int_equal(
		503, call_limits_status(CALL_LIMIT_TRUNK_RATE, true, &phrase, &retry_after_s));
	assert_int_equal(1, retry_after_s);
	assert_int_equal(
		500, call_limits_status(CALL_LIMIT_NO_MEMORY, true, &phrase, &retry_after_s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_in_all),
		cmocka_unit_test(test_of_a_user),
		cmocka_unit_test(test_of_a_trunk),
		cmocka_unit_test(test_a_second),
		cmocka_unit_test(test_trunk_a_second),
		cmocka_unit_test(test_guests),
		cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
