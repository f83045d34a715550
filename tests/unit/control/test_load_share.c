/* SPDX-License-Identifier: BSD-3-Clause */
/* The share that is refused follows the load: strangers first, and nobody once it is over. */
#include "control/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
ticks(struct load *load, unsigned count, double late)
{
	for (unsigned i = 0; i < count; i++)
		load_tick(load, late, 100);
}

static void
test_idle(void **state)
{
	struct load load = {0};

	ticks(&load, 1000, 90);
	assert_false(load_refuses(&load, false, 0));
	assert_false(load_refuses(&load, true, 0));
}

static void
test_one_late_tick(void **state)
{
	struct load load = {0};

	load_tick(&load, 60000, 100);
	ticks(&load, 10, 0);
	assert_false(load_refuses(&load, false, 0));
}

static void
test_strangers_first(void **state)
{
	struct load load = {0};

	do
		load_tick(&load, 150, 100);
	while (load.refused < 1);
	assert_true(load_refuses(&load, false, 0.999));
	assert_false(load_refuses(&load, true, 0.3));
	ticks(&load, 100, 150);
	assert_true(load_refuses(&load, true, 0.999));
}

static void
test_it_passes(void **state)
{
	struct load load = {0};

	ticks(&load, 1000, 5000);
	assert_true(load_refuses(&load, true, 0.999));
	ticks(&load, 8000 / LOAD_TICK_MS, 0); /* in eight seconds */
	assert_false(load_refuses(&load, false, 0));
}

/* With a plant that is as late as it is loaded, the share finds its place instead of swinging from
 * nobody to everybody. */
static void
test_it_settles(void **state)
{
	struct load load = {0};
	double late = 0, least = 2, most = 0;

	for (unsigned i = 0; i < 4000; i++) {
		double served = 3 * (1 - (load.refused > 1 ? 1 : load.refused)); /* of what fits */
		late += (served - 1) * LOAD_TICK_MS;
		if (late < 0)
			late = 0;
		load_tick(&load, late, 100);
		if (i > 2000 && load.refused < least)
			least = load.refused;
		if (i > 2000 && load.refused > most)
			most = load.refused;
	}
	assert_true(late < 1000);
	assert_true(least > 0);
}

/* A loop without a pause: strangers are refused first, then who is known, last the second half of
 * what was begun; and nobody as soon as it has paused. */
static void
test_no_pause(void **state)
{
	assert_false(load_jams(100, 100, LOAD_STRANGER));
	assert_true(load_jams(101, 100, LOAD_STRANGER));
	assert_false(load_jams(999, 100, LOAD_KNOWN));
	assert_true(load_jams(1001, 100, LOAD_KNOWN));
	assert_false(load_jams(2999, 100, LOAD_PROVING));
	assert_true(load_jams(3001, 100, LOAD_PROVING));
	assert_false(load_jams(0, 100, LOAD_STRANGER));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_one_late_tick),
		cmocka_unit_test(test_strangers_first),
		cmocka_unit_test(test_it_passes),
		cmocka_unit_test(test_it_settles),
		cmocka_unit_test(test_no_pause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
