/* SPDX-License-Identifier: BSD-3-Clause */
/* The section "web": safe where nothing is said, and refused where it would not be safe. */
#include "config_file.h"

static void
load(struct config_file *file, const char *text)
{
	config_file_load(file, text, strlen(text));
}

static void
nothing_said_is_loopback(void **state)
{
	struct config_file file;

	load(&file, "log:\n  level: info\n");
	assert_int_equal(0, file.result);
	assert_string_equal("127.0.0.1", file.config->web.address);
	assert_int_equal(9478, file.config->web.port);
	assert_int_equal(64, file.config->web.connections);
	assert_int_equal(16, file.config->web.connections_per_source);
	assert_int_equal(15, file.config->web.timeout_s);
	assert_null(file.config->web.metrics.address);
	assert_null(file.config->web.certificate);
	assert_null(file.config->web.login.user);
	config_free(file.config);
}

#define HASH "scrypt$15$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
everything_said_is_taken(void **state)
{
	struct config_file file;

	load(&file, "web:\n"
		    "  address: \"::\"\n"
		    "  port: 443\n"
		    "  certificate: /c.pem\n"
		    "  private_key: /k.pem\n"
		    "  user: nobody\n"
		    "  login: {user: operator, hash: \"" HASH "\"}\n"
		    "  metrics: {address: \"::1\"}\n"
		    "  connections: 100\n");
	assert_int_equal(0, file.result);
	assert_string_equal("::", file.config->web.address);
	assert_string_equal("operator", file.config->web.login.user);
	assert_string_equal("::1", file.config->web.metrics.address);
	assert_int_equal(9479, file.config->web.metrics.port);
	assert_int_equal(100, file.config->web.connections);
	config_free(file.config);
}

static void
what_is_not_safe_or_not_whole_is_refused(void **state)
{
	static const char *const bad[][2] = {
		{"web:\n  address: 0.0.0.0\n", ":2: web.address: 0.0.0.0 can be reached"},
		{"web:\n  address: 192.0.2.1\n  login: {user: a, hash: \"" HASH "\"}\n",
			"set web.certificate"},
		{"web:\n  address: \"::\"\n  certificate: /c\n  private_key: /k\n",
			"set web.login"},
		{"web:\n  metrics: {address: 192.0.2.1}\n", "web.metrics.address: 192.0.2.1 can"},
		{"web:\n  address: localhost\n", "no numeric IP address"},
		{"web:\n  certificate: /c\n", "web.private_key: is missing"},
		{"web:\n  private_key: /k\n", "web.certificate: is missing"},
		{"web:\n  login: {user: a}\n", "web.login.hash: is missing"},
		{"web:\n  login: {hash: \"" HASH "\"}\n", "web.login.user: is missing"},
		{"web:\n  login: {user: \"a:b\", hash: \"" HASH "\"}\n", "no colon"},
		{"web:\n  login: {user: a, hash: secret}\n", "sallyctl web-password"},
		{"web:\n  port: 0\n", "web.port: 0 is not between"},
		{"web:\n  connections: 2\n", "web.connections: 2 is not between"},
		{"web:\n  timeout_s: 1000\n", "web.timeout_s: 1000 is not between"},
		{"web:\n  metrics: {address: 127.0.0.1, port: 9478}\n", "where the page is"},
		{"web:\n  pages: 1\n", "pages"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_file file;
		load(&file, bad[i][0]);
		if (file.result == 0 || strstr(file.error, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], file.result == 0 ? "is good" : file.error);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_said_is_loopback),
		cmocka_unit_test(everything_said_is_taken),
		cmocka_unit_test(what_is_not_safe_or_not_whole_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
