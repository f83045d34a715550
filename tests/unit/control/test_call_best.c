/* SPDX-License-Identifier: BSD-3-Clause */
/* The choice among the final responses of several targets: RFC 3261 16.7 step 6. */
#include "control/call_best.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
better(int a, int b)
{
	if (call_best_compare(a, b) <= 0 || call_best_compare(b, a) >= 0)
		fail_msg("%d is not better than %d", a, b);
}

static void
test_6xx_wins(void **state)
{
	better(600, 302);
	better(603, 404);
	better(603, 500);
}

static void
test_lowest_class_wins(void **state)
{
	better(302, 404);
	better(404, 500);
	better(486, 503);
}

static void
test_what_can_be_mended_wins(void **state)
{
	better(401, 404);
	better(407, 480);
	better(420, 486);
	better(484, 404);
}

static void
test_what_says_nothing_loses(void **state)
{
	better(486, 408);
	better(404, 487);
	better(500, 503);
	assert_int_equal(call_best_compare(486, 404), 0);
	assert_int_equal(call_best_compare(503, 503), 0);
}

/* The caller hears what is about the callee, and nothing of our own leg to it. */
static void
test_map(void **state)
{
	assert_int_equal(call_best_map(486), 486);
	assert_int_equal(call_best_map(603), 603);
	assert_int_equal(call_best_map(401), 480);
	assert_int_equal(call_best_map(407), 480);
	assert_int_equal(call_best_map(302), 480);
	assert_int_equal(call_best_map(481), 480);
	assert_int_equal(call_best_map(503), 480);
	assert_int_equal(call_best_map(513), 500);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_6xx_wins),
		cmocka_unit_test(test_lowest_class_wins),
		cmocka_unit_test(test_what_can_be_mended_wins),
		cmocka_unit_test(test_what_says_nothing_loses),
		cmocka_unit_test(test_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
