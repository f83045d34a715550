/* SPDX-License-Identifier: BSD-3-Clause */
/* The buckets of kinds of lines, by a clock of our own. */
#include "relay/log_limit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static unsigned
take(const char *kind, unsigned count, uint64_t now_ms)
{
	unsigned passed = 0;

	while (count-- > 0)
		passed += log_limit_take(kind, 10, 2, now_ms);
	return passed;
}

static void
test_burst_and_rate(void **state)
{
	static const char a[] = "burst and rate", b[] = "its own";
	struct log_limit_told told;
	uint64_t before = log_limit_count();

	assert_int_equal(10, take(a, 30, 1000));
	assert_int_equal(10, take(b, 10, 1000)); /* of another kind */
	assert_int_equal(0, take(a, 1, 1499));
	assert_int_equal(1, take(a, 5, 1500));
	assert_int_equal(0, take(a, 1, 1400));          /* a thread that comes late */
	assert_int_equal(10, take(a, 99, 3600 * 1000)); /* never more than the burst */
	assert_int_equal(20 + 1 + 4 + 1 + 89, log_limit_count() - before);
	assert_true(log_limit_tell(3600 * 1000, &told));
	assert_false(log_limit_tell(3600 * 1000, &told));
}

static void
test_told_once(void **state)
{
	static const char quiet[] = "told once", other[] = "told later";
	struct log_limit_told told;

	assert_int_equal(10, take(quiet, 17, 7000000));
	assert_int_equal(10, take(other, 11, 7004000));
	assert_false(log_limit_tell(7009999, &told));
	assert_true(log_limit_tell(7012500, &told));
	assert_ptr_equal(quiet, told.kind);
	assert_int_equal(7, told.count);
	assert_int_equal(12, told.seconds);
	assert_false(log_limit_tell(7013999, &told));
	assert_true(log_limit_tell(7014000, &told));
	assert_ptr_equal(other, told.kind);
	assert_int_equal(1, told.count);
	assert_false(log_limit_tell(UINT64_MAX - 1, &told));
}

static unsigned passed[4];

static void *
hammer(void *arg)
{
	*(unsigned *)arg = take("of many threads", 5000, 9000000);
	return NULL;
}

static void
test_threads(void **state)
{
	pthread_t threads[4];
	struct log_limit_told told;

	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, hammer, &passed[i]));
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(10, passed[0] + passed[1] + passed[2] + passed[3]);
	assert_true(log_limit_tell(9010000, &told));
	assert_int_equal(4 * 5000 - 10, told.count);
}

/* More kinds than there is room for share one bucket, and nothing is lost. */
static void
test_too_many_kinds(void **state)
{
	static char kinds[600][8];
	struct log_limit_told told;
	unsigned last = 0;

	for (unsigned i = 0; i < 600; i++)
		take(kinds[i], 1, 20000000);
	for (unsigned i = 590; i < 600; i++)
		last += take(kinds[i], 10, 20000000);
	assert_in_range(last, 0, 10);
	assert_true(log_limit_tell(20010000, &told));
	assert_string_equal("others", told.kind);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_and_rate),
		cmocka_unit_test(test_told_once),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_too_many_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
