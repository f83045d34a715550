/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's login: hashes, guesses, locks. */
#include "web/login.h"
#include "web/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct relay_ip here = {.family = 4, .ip = {192, 0, 2, 1}};
static const struct relay_ip there = {.family = 4, .ip = {192, 0, 2, 2}};
static char hash[PASSWORD_HASH_SIZE];

static struct config_web_login
config(void)
{
	return (struct config_web_login){.user = (char *)(uintptr_t) "operator", .hash = hash};
}

static void
a_hash_is_its_passwords_alone(void **state)
{
	char other[PASSWORD_HASH_SIZE];

	assert_int_equal(0, password_hash("correct horse", other));
	assert_string_not_equal(hash, other); /* a salt of its own */
	assert_true(password_is_hash(other));
	assert_true(password_matches("correct horse", other));
	assert_false(password_matches("correct horsf", other));
	assert_false(password_matches("", other));
}

static void
what_is_no_hash_matches_nothing(void **state)
{
	static const char *const bad[] = {"", "scrypt$", "scrypt$15$8$1$AAAA$AAAA",
		/* a cost that would hold us up for minutes */
		"scrypt$22$8$1$AAAAAAAAAAAAAAAAAAAAAA==$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"scrypt$15$8$9$AAAAAAAAAAAAAAAAAAAAAA==$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		"scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=more"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(password_is_hash(bad[i]));
		assert_false(password_matches("x", bad[i]));
	}
}

static void
right_and_wrong(void **state)
{
	struct config_web_login wanted = config();
	struct login *login = login_create(&wanted);

	assert_non_null(login);
	assert_int_equal(LOGIN_RIGHT, login_check(login, &here, "operator", "correct horse", 1000));
	assert_int_equal(LOGIN_WRONG, login_check(login, &here, "operator", "x", 1000));
	assert_int_equal(LOGIN_WRONG, login_check(login, &here, "operatos", "correct horse", 1000));
	assert_int_equal(LOGIN_WRONG, login_check(login, &here, "", "", 3000));
	login_free(login);
}

static void
guessing_locks_its_source_alone(void **state)
{
	struct config_web_login wanted = config();
	struct login *login = login_create(&wanted);
	uint64_t now = 10000;

	for (unsigned i = 0; i < LOGIN_FREE; i++, now += 1000)
		assert_int_equal(LOGIN_WRONG, login_check(login, &here, "operator", "guess", now));
	/* even the right one is not looked at, unless it is known already */
	assert_int_equal(LOGIN_LOCKED, login_check(login, &here, "operator", "correct horse", now));
	assert_int_equal(LOGIN_RIGHT, login_check(login, &there, "operator", "correct horse", now));
	assert_int_equal(LOGIN_RIGHT, login_check(login, &here, "operator", "correct horse", now));
	assert_int_equal(LOGIN_LOCKED, login_check(login, &here, "operator", "guess", now));
	now += LOGIN_LOCK_S * 1000 + 1;
	assert_int_equal(LOGIN_WRONG, login_check(login, &here, "operator", "guess", now));
	login_free(login);
}

static void
hashes_of_a_second_are_few(void **state)
{
	struct config_web_login wanted = config();
	struct login *login = login_create(&wanted);
	struct relay_ip source = here;

	for (unsigned i = 0; i < LOGIN_HASHES; i++) {
		source.ip[3] = (uint8_t)i;
		assert_int_equal(
			LOGIN_WRONG, login_check(login, &source, "operator", "guess", 5000));
	}
	source.ip[3] = 99;
	assert_int_equal(LOGIN_BUSY, login_check(login, &source, "operator", "guess", 5900));
	assert_int_equal(LOGIN_WRONG, login_check(login, &source, "operator", "guess", 6000));
	login_free(login);
}

static void
a_network_of_ipv6_is_one_source(void **state)
{
	struct config_web_login wanted = config();
	struct login *login = login_create(&wanted);
	struct relay_ip source = {.family = 6, .ip = {0x20, 0x01, 0x0d, 0xb8}};
	uint64_t now = 10000;

	for (unsigned i = 0; i < LOGIN_FREE; i++, now += 1000) {
		source.ip[15] = (uint8_t)i;
		assert_int_equal(
			LOGIN_WRONG, login_check(login, &source, "operator", "guess", now));
	}
	source.ip[15] = 77;
	assert_int_equal(LOGIN_LOCKED, login_check(login, &source, "operator", "guess", now));
	source.ip[7] = 1;
	assert_int_equal(LOGIN_WRONG, login_check(login, &source, "operator", "guess", now));
	login_free(login);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_is_its_passwords_alone),
		cmocka_unit_test(what_is_no_hash_matches_nothing),
		cmocka_unit_test(right_and_wrong),
		cmocka_unit_test(guessing_locks_its_source_alone),
		cmocka_unit_test(hashes_of_a_second_are_few),
		cmocka_unit_test(a_network_of_ipv6_is_one_source),
	};

	if (password_hash("correct horse", hash) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
