/* SPDX-License-Identifier: BSD-3-Clause */
/* Users kept for while their store is away. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/users_cache.h"

#include <stdio.h>
#include <string.h>

#define KEEP_MS 1000

static struct user
user_of(const char *name, const char *realm)
{
	struct user user = {.created = 0};

	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(user.realm, sizeof(user.realm), "%s", realm);
	return user;
}

static bool
has(struct users_cache *cache, const char *name, const char *realm, uint64_t now_ms)
{
	struct user user = user_of(name, realm);
	bool found = users_cache_get(cache, &user, now_ms);

	if (found)
		assert_string_equal(user.ha1[DIGEST_SHA_256], name);
	return found;
}

static void
put(struct users_cache *cache, const char *name, const char *realm, uint64_t now_ms)
{
	struct user user = user_of(name, realm);

	strcpy(user.ha1[DIGEST_SHA_256], name);
	users_cache_put(cache, &user, now_ms);
}

static void
test_keeps_for_a_while(void **state)
{
	struct users_cache *cache = users_cache_create(KEEP_MS);
	struct user alice = user_of("alice", "r");

	assert_false(has(cache, "alice", "r", 5));
	put(cache, "alice", "r", 5);
	assert_true(has(cache, "alice", "r", 5));
	assert_false(has(cache, "alice", "other", 5));
	assert_false(has(cache, "alic", "r", 5));
	assert_false(has(cache, "", "r", 5));
	assert_true(has(cache, "alice", "r", 5 + KEEP_MS));
	assert_false(has(cache, "alice", "r", 6 + KEEP_MS));
	assert_false(has(cache, "alice", "r", 5)); /* and wiped */
	put(cache, "alice", "r", 7);
	put(cache, "bob", "other", 7); /* one realm alone */
	assert_false(has(cache, "bob", "other", 7));
	users_cache_forget(cache, &alice);
	assert_false(has(cache, "alice", "r", 7));
	users_cache_destroy(cache);
}

static void
test_switched_off(void **state)
{
	struct users_cache *cache = users_cache_create(0);

	put(cache, "alice", "r", 5);
	assert_false(has(cache, "alice", "r", 5));
	users_cache_destroy(cache);
}

/* A hundred thousand fit, nearly; more push out the oldest and break nothing. */
static void
test_many(void **state)
{
	struct users_cache *cache = users_cache_create(KEEP_MS);
	unsigned found = 0;
	char name[16];

	for (unsigned i = 0; i < 400000; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		put(cache, name, "r", 1 + i / 1000);
	}
	for (unsigned i = 300000; i < 400000; i++) {
		snprintf(name, sizeof(name), "user%u", i);
		found += has(cache, name, "r", 400);
	}
	assert_true(found > 60000);
	put(cache, "alice", "r", 400);
	assert_true(has(cache, "alice", "r", 400));
	users_cache_destroy(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_for_a_while),
		cmocka_unit_test(test_switched_off),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
