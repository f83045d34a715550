/* SPDX-License-Identifier: BSD-3-Clause */
/* A hundred thousand users: what each costs in memory and time, here and in the store, and that
 * looking for one costs no more than among a hundred. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/registrar_private.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define USERS 100000
#define BYTES_MOST 512 /* of one registration, all told */

static const struct config_sip config = {.contacts_max = 10, .bindings_max = 200000};

static double
now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* What a phone behind NAT says. */
static int
add(struct registrar_table *table, unsigned number, uint32_t expires_s, int64_t now)
{
	static const struct relay_ip peer = {.family = 4, .ip = {198, 51, 100, 7}};
	char user[32], contact[96], instance[64], call_id[64];
	struct registration wish = {.contact = contact,
		.instance = instance,
		.call_id = call_id,
		.cseq = 1,
		.reg_id = 1,
		.q = 1000,
		.expires_s = expires_s};
	struct registration_list list = {
		.call_id = call_id, .cseq = 1, .count = 1, .contact = &wish};

	snprintf(user, sizeof(user), "user%06u", number);
	snprintf(contact, sizeof(contact), "sip:%s@192.168.%u.%u:%u;transport=tls;ob", user,
		number / 250 % 250, number % 250, 1024 + number % 60000);
	snprintf(instance, sizeof(instance), "<urn:uuid:%08x-0000-1000-8000-0123456789ab>", number);
	snprintf(call_id, sizeof(call_id), "%08x-1111-2222-3333-0123456789ab", number);
	return registrar_table_apply(table, user, &list, NULL, &peer, now);
}

static void
test_memory_and_time(void **state)
{
	struct registrar_table table;
	char user[32];

	assert_int_equal(0, registrar_table_create(&table, &config));
	size_t before = mallinfo2().uordblks;
	double begun = now_us();
	for (unsigned i = 0; i < USERS; i++)
		assert_int_equal(0, add(&table, i, 3600, 1000));
	double added = now_us();
	size_t bytes = (mallinfo2().uordblks - before) / USERS;
	for (unsigned i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "user%06u", i);
		assert_non_null(registrar_table_find(&table, user));
	}
	double found = now_us();
	print_message("%u users: %zu bytes a registration, %.2f us to add, %.2f us to find\n",
		USERS, bytes, (added - begun) / USERS, (found - added) / USERS);
	assert_true(bytes <= BYTES_MOST); /* a sanitizer's malloc counts none */
	assert_int_equal(USERS, table.heap.count);
	assert_true(table.buckets >= USERS / 2);
	registrar_table_destroy(&table);
}

/* The next to expire is on top, whatever was added, changed and removed before. */
static void
test_expiry_in_order(void **state)
{
	struct registrar_table table;
	unsigned left = 0;
	int64_t last = 0;

	assert_int_equal(0, registrar_table_create(&table, &config));
	srand(1);
	for (unsigned i = 0; i < 20000; i++)
		assert_int_equal(0, add(&table, i, 60 + (unsigned)rand() % 7000, 0));
	for (unsigned i = 0; i < 20000; i += 3) {
		char user[32];
		snprintf(user, sizeof(user), "user%06u", i);
		struct aor *aor = registrar_table_find(&table, user);
		assert_non_null(aor);
		registrar_table_drop(&table, aor->first);
	}
	for (; table.heap.count > 0; left++) {
		struct entry *entry = table.heap.at[0];
		assert_true(entry->expires_at >= last);
		last = entry->expires_at;
		registrar_table_drop(&table, entry);
	}
	assert_int_equal(20000 - 6667, left);
	assert_int_equal(0, table.aors);
	registrar_table_destroy(&table);
}

static void
put_back(void *arg, const struct bindings_record *record)
{
	struct registrar_table *table = arg;

	assert_int_equal(0, registrar_table_restore(table, record, 60, 0));
}

static void
ignore(void *arg, const struct bindings_record *record)
{
}

static void
test_store(void **state)
{
	struct registrar_table table, second;
	char folder[] = "/tmp/sallyport-scale-XXXXXX", path[64];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/bindings.db", folder);
	assert_int_equal(0, registrar_table_create(&table, &config));
	assert_int_equal(0, bindings_open(path, ignore, NULL, &table.store));
	double begun = now_us();
	for (unsigned i = 0; i < USERS; i++) {
		assert_int_equal(0, add(&table, i, 3600, 1000));
		while (!bindings_has_room(table.store))
			usleep(1000);
	}
	assert_false(bindings_is_stale(table.store));
	bindings_close(table.store);
	double written = now_us();
	assert_int_equal(0, registrar_table_create(&second, &config));
	assert_int_equal(0, bindings_open(path, put_back, &second, &second.store));
	double loaded = now_us();
	print_message("%u users: %.2f us to add and write, %.2f us to load\n", USERS,
		(written - begun) / USERS, (loaded - written) / USERS);
	assert_int_equal(USERS, second.heap.count);
	bindings_close(second.store);
	registrar_table_destroy(&second);
	registrar_table_destroy(&table);
	unlink(path);
	assert_int_equal(0, rmdir(folder));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_and_time),
		cmocka_unit_test(test_expiry_in_order),
		cmocka_unit_test(test_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
