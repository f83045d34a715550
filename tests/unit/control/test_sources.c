/* SPDX-License-Identifier: BSD-3-Clause */
/* Token buckets, and the table of sources that has an end. */
#include "control/sources.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct relay_ip
ip(const char *text)
{
	struct relay_ip out;

	assert_int_equal(0, relay_ip_parse(text, strlen(text), &out));
	return out;
}

static unsigned
take_all(struct bucket *bucket, uint32_t rate, uint32_t burst, uint64_t now)
{
	unsigned taken = 0;

	while (taken < 100000 && bucket_take(bucket, rate, burst, now))
		taken++;
	return taken;
}

static void
test_bucket(void **state)
{
	struct bucket bucket = {0};

	assert_int_equal(20, take_all(&bucket, 5, 20, 1000));
	assert_int_equal(0, take_all(&bucket, 5, 20, 1199));
	assert_int_equal(1, take_all(&bucket, 5, 20, 1200));
	assert_int_equal(5, take_all(&bucket, 5, 20, 2200));
	/* never more than the burst, however long nothing came */
	assert_int_equal(20, take_all(&bucket, 5, 20, 2200 + 3600 * 1000));
	assert_int_equal(20, take_all(&bucket, 5, 20, UINT64_MAX - 1));
	/* a clock that goes back gives nothing */
	assert_int_equal(0, take_all(&bucket, 5, 20, 1000));
}

/* What comes too fast is not lost for the future: at twice the rate, every second one gets in. */
static void
test_bucket_under_pressure(void **state)
{
	struct bucket bucket = {0};
	unsigned taken = 0;

	take_all(&bucket, 50, 100, 1000);
	for (uint64_t now = 1010; now <= 11000; now += 10)
		taken += bucket_take(&bucket, 50, 100, now);
	assert_in_range(taken, 498, 501);
}

static void
test_one_source(void **state)
{
	struct sources *sources;
	struct relay_ip a = ip("2001:db8:0:1::1"), b = ip("2001:db8:0:1:ffff::2"),
			c = ip("2001:db8:0:2::1"), d = ip("192.0.2.1"), e = ip("192.0.2.2"),
			mapped = ip("::ffff:192.0.2.1");

	assert_int_equal(0, sources_create(100, &sources));
	assert_ptr_equal(sources_get(sources, &a), sources_get(sources, &b));
	assert_ptr_not_equal(sources_get(sources, &a), sources_get(sources, &c));
	assert_ptr_not_equal(sources_get(sources, &d), sources_get(sources, &e));
	assert_ptr_equal(sources_get(sources, &d), sources_get(sources, &mapped));
	assert_int_equal(4, sources_count(sources));
	sources_destroy(sources);
}

static struct relay_ip
number(uint32_t value)
{
	struct relay_ip out = {.family = 4};

	memcpy(out.ip, &value, sizeof(value));
	return out;
}

static void
test_the_table_has_an_end(void **state)
{
	struct sources *sources;
	struct relay_ip busy = ip("192.0.2.1"), recent = ip("192.0.2.2");

	assert_int_equal(0, sources_create(64, &sources));
	struct source_record *kept = sources_get(sources, &busy);
	kept->connections = 1;
	sources_get(sources, &recent)->requests.last_ms = 77;
	for (uint32_t i = 0; i < 100000; i++) {
		struct relay_ip at = number(0x0a000000 + i);
		assert_non_null(sources_get(sources, &at));
		if (i % 16 == 0)
			assert_int_equal(77, sources_get(sources, &recent)->requests.last_ms);
		assert_true(sources_count(sources) <= 64);
	}
	/* who has a connection is not forgotten, and neither who was here a moment ago */
	assert_ptr_equal(kept, sources_get(sources, &busy));
	assert_int_equal(1, kept->connections);
	sources_destroy(sources);
}

static void
test_all_have_connections(void **state)
{
	struct sources *sources;

	assert_int_equal(0, sources_create(16, &sources));
	for (uint32_t i = 1; i <= 50; i++) {
		struct relay_ip at = number(i);
		sources_get(sources, &at)->connections++;
	}
	for (uint32_t i = 1; i <= 50; i++) {
		struct relay_ip at = number(i);
		assert_int_equal(1, sources_get(sources, &at)->connections--);
	}
	struct relay_ip one_more = number(51);
	sources_get(sources, &one_more);
	assert_true(sources_count(sources) <= 51);
	sources_destroy(sources);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_bucket_under_pressure),
		cmocka_unit_test(test_one_source),
		cmocka_unit_test(test_the_table_has_an_end),
		cmocka_unit_test(test_all_have_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
