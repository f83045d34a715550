/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/port_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FIRST 20000
#define LAST 20019 /* ten pairs */

static void
covers_its_range_only(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);

	assert_non_null(table);
	assert_true(port_table_covers(table, FIRST));
	assert_true(port_table_covers(table, LAST));
	assert_false(port_table_covers(table, FIRST - 1));
	assert_false(port_table_covers(table, LAST + 1));
	assert_false(port_table_covers(table, 0));
	assert_false(port_table_covers(table, 65535));
	port_table_destroy(table);
}

static void
the_highest_ports_fit(void **state)
{
	struct port_table *table = port_table_create(65532, 65535);

	assert_int_equal(port_table_reserve(table, 0), 65532);
	assert_int_equal(port_table_reserve(table, 0), 65534);
	assert_true(port_table_covers(table, 65535));
	assert_false(port_table_covers(table, 0));
	port_table_destroy(table);
}

static void
gives_each_pair_once(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);
	uint8_t given[LAST - FIRST + 1] = {0};

	for (int i = 0; i < 10; i++) {
		uint16_t port = port_table_reserve(table, 0);
		assert_in_range(port, FIRST, LAST - 1);
		assert_int_equal(port % 2, 0);
		assert_int_equal(given[port - FIRST], 0);
		given[port - FIRST] = 1;
	}
	assert_int_equal(port_table_reserve(table, 0), 0);
	assert_int_equal(table->used, 10);
	port_table_destroy(table);
}

static void
reuses_the_longest_free(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);
	uint16_t a = port_table_reserve(table, 0);
	uint16_t b = port_table_reserve(table, 0);

	port_table_release(table, b);
	port_table_release(table, a);
	for (int i = 0; i < 8; i++) {
		uint16_t port = port_table_reserve(table, 0);
		assert_int_not_equal(port, a);
		assert_int_not_equal(port, b);
	}
	assert_int_equal(port_table_reserve(table, 0), b);
	assert_int_equal(port_table_reserve(table, 0), a);
	port_table_destroy(table);
}

static void
takes_a_wanted_pair(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);

	assert_int_equal(port_table_reserve(table, FIRST + 6), FIRST + 6);
	assert_int_equal(port_table_reserve(table, FIRST + 6), 0);
	assert_int_equal(port_table_reserve(table, FIRST + 7), 0); /* odd */
	assert_int_equal(port_table_reserve(table, LAST + 1), 0);
	assert_int_equal(port_table_reserve(table, FIRST - 2), 0);
	/* the others come once each, and the wanted one never twice */
	for (int i = 0; i < 9; i++)
		assert_int_not_equal(port_table_reserve(table, 0), FIRST + 6);
	assert_int_equal(port_table_reserve(table, 0), 0);
	port_table_release(table, FIRST + 6);
	assert_int_equal(port_table_reserve(table, 0), FIRST + 6);
	port_table_destroy(table);
}

/* Pairs taken by name and given back again and again stay in the queue once each. */
static void
survives_a_long_mixture(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);
	uint8_t held[10] = {0};
	unsigned count = 0, seed = 1;

	for (int i = 0; i < 100000; i++) {
		seed = seed * 1103515245u + 12345u;
		unsigned pair = (seed >> 16) % 10;
		uint16_t port = (uint16_t)(FIRST + 2 * pair);
		if (held[pair]) {
			port_table_release(table, port);
			held[pair] = 0;
			count--;
			continue;
		}
		port = port_table_reserve(table, seed & 0x8000 ? port : 0);
		assert_int_not_equal(port, 0);
		assert_int_equal(held[(port - FIRST) / 2], 0);
		held[(port - FIRST) / 2] = 1;
		count++;
		assert_int_equal(table->used, count);
	}
	port_table_destroy(table);
}

static void
a_second_release_changes_nothing(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);
	uint16_t port = port_table_reserve(table, 0);

	port_table_release(table, port);
	port_table_release(table, port);
	assert_int_equal(table->used, 0);
	for (int i = 0; i < 10; i++)
		assert_int_not_equal(port_table_reserve(table, 0), 0);
	assert_int_equal(port_table_reserve(table, 0), 0);
	port_table_destroy(table);
}

static void
both_ports_of_a_pair_find_the_bridge(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);
	uint16_t port = port_table_reserve(table, FIRST + 4);
	const struct bridge *bridge = (const void *)&table; /* any even address */

	assert_null(port_table_lookup(table, port).bridge);
	port_table_publish(table, port, bridge, 1);
	assert_ptr_equal(port_table_lookup(table, port).bridge, bridge);
	assert_int_equal(port_table_lookup(table, port).leg, 1);
	assert_ptr_equal(port_table_lookup(table, (uint16_t)(port + 1)).bridge, bridge);
	assert_null(port_table_lookup(table, (uint16_t)(port + 2)).bridge);
	assert_null(port_table_lookup(table, (uint16_t)(port - 1)).bridge);
	port_table_withdraw(table, port);
	assert_null(port_table_lookup(table, port).bridge);
	port_table_destroy(table);
}

/* Another range while a session has a port of the first: it keeps that, and finds its bridge there;
 * new ones get ports of the new range alone, each once. */
static void
another_range_is_offered(void **state)
{
	struct port_table *table = port_table_create(FIRST, LAST);
	const struct bridge *bridge = (const struct bridge *)(uintptr_t)0x1000;
	uint16_t kept = port_table_reserve(table, 0);

	port_table_publish(table, kept, bridge, 0);
	port_table_offer(table, 30000, 30003);
	assert_true(port_table_covers(table, kept));
	assert_true(port_table_covers(table, 30003));
	assert_false(port_table_covers(table, 30004));
	assert_ptr_equal(port_table_lookup(table, kept).bridge, bridge);
	assert_int_equal(port_table_reserve(table, 0), 30000);
	assert_int_equal(port_table_reserve(table, 0), 30002);
	assert_int_equal(port_table_reserve(table, 0), 0);
	assert_int_equal(table->used_offered, 2);
	port_table_withdraw(table, kept);
	port_table_release(table, kept);
	assert_int_equal(port_table_reserve(table, 0), 0); /* it is not offered any more */
	port_table_release(table, 30000);
	port_table_offer(table, FIRST, LAST); /* back again: each is there once */
	for (unsigned i = 0; i < 10; i++) {
		uint16_t port = port_table_reserve(table, 0);
		assert_in_range(port, FIRST, LAST);
	}
	assert_int_equal(port_table_reserve(table, 0), 0);
	assert_true(port_table_covers(table, 30002));
	port_table_destroy(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers_its_range_only),
		cmocka_unit_test(the_highest_ports_fit),
		cmocka_unit_test(gives_each_pair_once),
		cmocka_unit_test(reuses_the_longest_free),
		cmocka_unit_test(takes_a_wanted_pair),
		cmocka_unit_test(survives_a_long_mixture),
		cmocka_unit_test(a_second_release_changes_nothing),
		cmocka_unit_test(both_ports_of_a_pair_find_the_bridge),
		cmocka_unit_test(another_range_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
