/* SPDX-License-Identifier: BSD-3-Clause */
/* The map of an interface's addresses: every address is found, a stranger is not, and neighbours in
 * one network need no search, which a CPU could not foresee. */
#include "dataplane/iface.h"
#include "dataplane/port_table.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ADDRESSES 64

static struct media_address addresses[ADDRESSES];
static struct media_address *pointers[ADDRESSES];
static struct iface interface;

/* `count` addresses, `step` apart from `first`, host order. */
static void
make(unsigned count, uint32_t first, uint32_t step)
{
	interface = (struct iface){.port_id = 1, .addresses = pointers, .addresses_count = count};
	for (unsigned i = 0; i < count; i++) {
		uint32_t word = htonl(first + i * step);
		addresses[i] = (struct media_address){.ip.family = 4};
		__builtin_memcpy(addresses[i].ip.ip, &word, 4);
		pointers[i] = &addresses[i];
	}
	assert_int_equal(iface_register(&interface), 0);
}

/* How many addresses are not where the search for them begins. */
static unsigned
displaced(void)
{
	unsigned found = 0;

	for (unsigned i = 0; i < interface.addresses_count; i++) {
		uint32_t word;
		__builtin_memcpy(&word, addresses[i].ip.ip, 4);
		uint32_t at = media_address_hash(&interface, word) & interface.map_mask;
		found += interface.map[at].address != &addresses[i];
	}
	return found;
}

static void
test_no_search(void **state)
{
	static const struct {
		unsigned count;
		uint32_t first, step;
	} networks[] = {
		{1, 0xc6336401, 1},
		{2, 0xc6336401, 1},
		{36, 0xc6336401, 1},        /* one after the other: the last byte differs */
		{ADDRESSES, 0x0a000001, 1}, /* as many as there may be */
		{36, 0xc6330001, 256},      /* the third byte differs */
		{36, 0x0a000001, 0x10101},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		make(networks[i].count, networks[i].first, networks[i].step);
		assert_int_equal(displaced(), 0);
		iface_unregister(&interface);
	}
}

static void
test_found_or_not(void **state)
{
	(void)state;
	make(36, 0xc6336401, 1);
	for (uint32_t last = 0; last < 256; last++) {
		uint32_t word = htonl(0xc6336400 + last);
		bool ours = last >= 1 && last <= 36;
		const struct media_address *address =
			iface_address(&interface, (const uint8_t *)&word, 4);
		const struct iface_slot *slot = iface_slot_ipv4(&interface, word);
		assert_ptr_equal(address, ours ? &addresses[last - 1] : NULL);
		assert_ptr_equal(slot != NULL ? slot->address : NULL, address);
	}
	iface_unregister(&interface);
}

/* An IPv6 address whose last four bytes are an IPv4 one is another. */
static void
test_families(void **state)
{
	const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [12] = 198, 51, 100, 2};

	(void)state;
	make(2, 0xc6336401, 1);
	assert_null(iface_address(&interface, v6, 6));
	iface_unregister(&interface);
	interface = (struct iface){.port_id = 1, .addresses = pointers, .addresses_count = 1};
	addresses[0] = (struct media_address){.ip.family = 6};
	__builtin_memcpy(addresses[0].ip.ip, v6, sizeof(v6));
	assert_int_equal(iface_register(&interface), 0);
	assert_ptr_equal(iface_address(&interface, v6, 6), &addresses[0]);
	assert_null(iface_address(&interface, v6 + 12, 4));
	uint32_t word;
	__builtin_memcpy(&word, v6 + 12, 4);
	assert_null(iface_slot_ipv4(&interface, word));
	iface_unregister(&interface);
}

static void
test_table(void **state)
{
	struct port_table *table = port_table_create(20000, 20099);
	uint32_t word = htonl(0xc6336402);

	(void)state;
	assert_non_null(table);
	make(3, 0xc6336401, 1);
	const struct iface_slot *slot = iface_slot_ipv4(&interface, word);
	assert_int_equal(slot->ports, 0);
	media_address_set_table(&addresses[1], table);
	assert_int_equal(slot->ports_first, 20000);
	assert_int_equal(slot->ports, 100);
	assert_ptr_equal(slot->entries, table->entry);
	assert_int_equal(iface_slot_ipv4(&interface, htonl(0xc6336401))->ports, 0);
	media_address_set_table(&addresses[1], NULL);
	assert_int_equal(slot->ports, 0);
	iface_unregister(&interface);
	port_table_destroy(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_search),
		cmocka_unit_test(test_found_or_not),
		cmocka_unit_test(test_families),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests_name("iface_map", tests, NULL, NULL);
}
