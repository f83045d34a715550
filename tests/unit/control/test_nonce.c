/* SPDX-License-Identifier: BSD-3-Clause */
/* Nonces: made, forged, expired, replayed, and more of them than the table has room for. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/nonce.h"

#include <ctype.h>
#include <string.h>

#define LIFETIME_MS 10000
#define REMEMBERED 8 /* one set of the table: the oldest is forgotten exactly */

static int
setup(void **state)
{
	struct nonces *nonces;

	assert_int_equal(nonces_create(LIFETIME_MS, REMEMBERED, &nonces), 0);
	*state = nonces;
	return 0;
}

static int
teardown(void **state)
{
	nonces_destroy(*state);
	return 0;
}

static void
test_text_is_safe_and_unique(void **state)
{
	char text[2][NONCE_TEXT_SIZE];

	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(nonce_make(*state, 1, text[i]), 0);
		assert_int_equal(strlen(text[i]), NONCE_TEXT_SIZE - 1);
		for (const char *at = text[i]; *at != '\0'; at++)
			assert_true(isxdigit((unsigned char)*at));
	}
	assert_string_not_equal(text[0], text[1]);
	assert_int_equal(strlen(nonces_opaque(*state)), NONCE_OPAQUE_SIZE - 1);
}

static void
test_lifetime(void **state)
{
	char text[NONCE_TEXT_SIZE];

	assert_int_equal(nonce_make(*state, 5000, text), 0);
	assert_int_equal(nonce_check(*state, text, 5000), NONCE_VALID);
	assert_int_equal(nonce_check(*state, text, 5000 + LIFETIME_MS), NONCE_VALID);
	assert_int_equal(nonce_check(*state, text, 5001 + LIFETIME_MS), NONCE_STALE);
	assert_int_equal(nonce_use(*state, text, 1, 5001 + LIFETIME_MS), NONCE_STALE);
	assert_int_equal(nonce_check(*state, text, 4999), NONCE_STALE);
	assert_int_equal(nonce_check(*state, text, UINT64_MAX), NONCE_STALE);
}

/* The key changes each lifetime: a nonce is good for its whole lifetime nevertheless, and what the
 * key before the last made is not even known. */
static void
test_key_rotates(void **state)
{
	char first[NONCE_TEXT_SIZE], last[NONCE_TEXT_SIZE], later[NONCE_TEXT_SIZE];

	assert_int_equal(nonce_make(*state, 2 * LIFETIME_MS, first), 0);
	assert_int_equal(nonce_make(*state, 3 * LIFETIME_MS, last), 0);      /* same key */
	assert_int_equal(nonce_make(*state, 3 * LIFETIME_MS + 1, later), 0); /* the next */
	assert_int_equal(nonce_check(*state, last, 4 * LIFETIME_MS), NONCE_VALID);
	assert_int_equal(nonce_use(*state, last, 1, 4 * LIFETIME_MS), NONCE_VALID);
	assert_int_equal(nonce_check(*state, later, 4 * LIFETIME_MS), NONCE_VALID);
	assert_int_equal(nonce_check(*state, first, 4 * LIFETIME_MS), NONCE_STALE);
	assert_int_equal(nonce_make(*state, 4 * LIFETIME_MS + 2, first), 0); /* one more */
	assert_int_equal(nonce_check(*state, last, 4 * LIFETIME_MS + 2), NONCE_FORGED);
	assert_int_equal(nonce_use(*state, later, 1, 4 * LIFETIME_MS + 2), NONCE_STALE);
}

/* Every digit counts, and so does every length. */
static void
test_forged(void **state)
{
	char text[NONCE_TEXT_SIZE], other[NONCE_TEXT_SIZE + 1];
	struct nonces *stranger;

	assert_int_equal(nonce_make(*state, 77, text), 0);
	for (unsigned i = 0; i < NONCE_TEXT_SIZE - 1; i++) {
		strcpy(other, text);
		other[i] = other[i] == '0' ? '1' : '0';
		assert_int_equal(nonce_use(*state, other, 1, 77), NONCE_FORGED);
		strcpy(other, text);
		other[i] = 'x';
		assert_int_equal(nonce_check(*state, other, 77), NONCE_FORGED);
		other[i] = '\0';
		assert_int_equal(nonce_check(*state, other, 77), NONCE_FORGED);
	}
	strcpy(other, text);
	strcat(other, "0");
	assert_int_equal(nonce_check(*state, other, 77), NONCE_FORGED);
	assert_int_equal(nonces_create(LIFETIME_MS, REMEMBERED, &stranger), 0);
	assert_int_equal(nonce_check(stranger, text, 77), NONCE_FORGED);
	assert_string_not_equal(nonces_opaque(stranger), nonces_opaque(*state));
	nonces_destroy(stranger);
	assert_int_equal(nonce_use(*state, text, 1, 77), NONCE_VALID);
}

static void
test_nc_rises(void **state)
{
	char text[NONCE_TEXT_SIZE];

	assert_int_equal(nonce_make(*state, 0, text), 0);
	assert_int_equal(nonce_use(*state, text, 0, 1), NONCE_REPLAYED);
	assert_int_equal(nonce_use(*state, text, 1, 1), NONCE_VALID);
	assert_int_equal(nonce_use(*state, text, 1, 1), NONCE_REPLAYED);
	assert_int_equal(nonce_use(*state, text, 5, 1), NONCE_VALID);
	assert_int_equal(nonce_use(*state, text, 4, 1), NONCE_REPLAYED);
	assert_int_equal(nonce_use(*state, text, 6, 1), NONCE_VALID);
	assert_int_equal(nonce_use(*state, text, UINT32_MAX, 1), NONCE_VALID);
	assert_int_equal(nonce_use(*state, text, UINT32_MAX, 1), NONCE_REPLAYED);
	assert_int_equal(nonce_use(*state, text, 1, 1), NONCE_REPLAYED);
}

/* A full table forgets the oldest nonce; what is forgotten is stale, what is newer goes on. */
static void
test_overflow(void **state)
{
	char text[REMEMBERED + 1][NONCE_TEXT_SIZE];

	for (unsigned i = 0; i <= REMEMBERED; i++)
		assert_int_equal(nonce_make(*state, 100 + i, text[i]), 0);
	for (unsigned i = 0; i < REMEMBERED; i++)
		assert_int_equal(nonce_use(*state, text[i], 1, 200), NONCE_VALID);
	for (unsigned i = 0; i < REMEMBERED; i++)
		assert_int_equal(nonce_use(*state, text[i], 2, 200), NONCE_VALID);
	assert_int_equal(nonce_use(*state, text[REMEMBERED], 1, 200), NONCE_VALID);
	assert_int_equal(nonce_use(*state, text[0], 1, 200), NONCE_STALE);
	assert_int_equal(nonce_use(*state, text[0], 3, 200), NONCE_STALE);
	for (unsigned i = 1; i < REMEMBERED; i++) {
		assert_int_equal(nonce_use(*state, text[i], 2, 200), NONCE_REPLAYED);
		assert_int_equal(nonce_use(*state, text[i], 3, 200), NONCE_VALID);
	}
	assert_int_equal(nonce_use(*state, text[REMEMBERED], 1, 200), NONCE_REPLAYED);
}

/* However nonces come and go, in any order and many of one millisecond: none is taken twice with
 * one nc. */
static void
test_never_twice(void **state)
{
	enum { COUNT = 500 };
	static char text[COUNT][NONCE_TEXT_SIZE];
	static unsigned taken[COUNT];

	memset(taken, 0, sizeof(taken));
	for (unsigned i = 0; i < COUNT; i++)
		assert_int_equal(nonce_make(*state, 1000 + i / 20, text[i]), 0);
	for (unsigned round = 0; round < 4; round++)
		for (unsigned i = 0; i < COUNT; i++) {
			unsigned which = (i * 7919 + round * 31) % COUNT;
			if (nonce_use(*state, text[which], 1, 2000) == NONCE_VALID)
				taken[which]++;
		}
	for (unsigned i = 0; i < COUNT; i++)
		assert_true(taken[i] <= 1);
	/* and a fresh one still works */
	assert_int_equal(nonce_make(*state, 2000, text[0]), 0);
	assert_int_equal(nonce_use(*state, text[0], 1, 2000), NONCE_VALID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_text_is_safe_and_unique, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lifetime, setup, teardown),
		cmocka_unit_test_setup_teardown(test_key_rotates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nc_rises, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_twice, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
