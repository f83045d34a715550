/* SPDX-License-Identifier: BSD-3-Clause */
/* Trunks, dial plan and limits on calls in the configuration: each field lands where it belongs,
 * and each mistake is named with its line. Passwords come from files, and only from safe ones. */
#include "config_file.h"

#include <sys/stat.h>

#define SIP                                                                             \
	"sip:\n  address: 192.0.2.2\n  domain: a.example\n  certificate: /c\n"          \
	"  private_key: /k\n  ca: /ca\n  peering: {address: 192.0.2.2}\n" /* 7 lines */ \
	"  srtp: required\n"

#define TRUNKS                                                                                \
	"  trunks:\n    - {name: a, group: g, address: a.example}\n    - {name: b, address: " \
	"192.0.2.9}\n"

static struct config *
load_good(const char *text)
{
	struct config_file file;

	config_file_load(&file, text, strlen(text));
	if (file.result != 0)
		fail_msg("%s", file.error);
	return file.config;
}

static void
test_defaults(void **state)
{
	struct config *config = load_good(SIP TRUNKS "  routes:\n    - {to: [a]}\n");
	const struct config_trunk *trunk = &config->sip.trunks[0];

	assert_int_equal(2, config->sip.trunks_count);
	assert_string_equal("a.example", trunk->host);
	assert_int_equal(0, trunk->port);
	assert_string_equal("a.example", trunk->tls_name);
	assert_string_equal("a.example", trunk->from_domain);
	assert_int_equal(CONFIG_SRTP_REQUIRED, trunk->srtp);
	assert_int_equal(2, trunk->suites_count);
	assert_int_equal(config->sip.suites[1], trunk->suites[1]);
	assert_int_equal(0, trunk->priority);
	assert_int_equal(1, trunk->weight);
	assert_int_equal(0, trunk->calls_max);
	assert_int_equal(0, trunk->calls_per_second);
	assert_int_equal(30, trunk->ping_s);
	assert_int_equal(3, trunk->ping_failures);
	assert_int_equal(CONFIG_DIRECTION_BOTH, trunk->direction);
	assert_false(trunk->trust_identity);
	assert_int_equal(0, trunk->credentials_count);
	assert_string_equal("192.0.2.9", config->sip.trunks[1].tls_name);
	assert_int_equal(1, config->sip.routes_count);
	assert_null(config->sip.routes[0].prefix);
	assert_string_equal("any", config->sip.routes[0].from);
	assert_int_equal(0, config->sip.calls.max);
	assert_int_equal(0, config->sip.calls.per_user);
	assert_int_equal(0, config->sip.calls.per_second);
	config_free(config);
}

static void
test_every_trunk_field(void **state)
{
	struct config *config = load_good(SIP "  trunks:\n"
					      "    - name: c-1\n"
					      "      group: carriers\n"
					      "      address: '[2001:db8::9]:5071'\n"
					      "      tls_name: sip.c.example\n"
					      "      certificate: /t.pem\n"
					      "      private_key: /t.key\n"
					      "      credentials:\n"
					      "        - {user: u, password_file: /p1}\n"
					      "        - {realm: r, user: v, password_file: /p2}\n"
					      "      priority: 7\n"
					      "      weight: 0\n"
					      "      srtp: preferred\n"
					      "      suites: [AEAD_AES_128_GCM]\n"
					      "      calls_max: 12\n"
					      "      calls_per_second: 3\n"
					      "      ping_s: 0\n"
					      "      ping_failures: 2\n"
					      "      from_domain: ours.example\n"
					      "      trust_identity: true\n"
					      "      direction: out\n"
					      "  calls: {max: 5, per_user: 2, per_second: 1}\n");
	const struct config_trunk *trunk = &config->sip.trunks[0];

	assert_string_equal("c-1", trunk->name);
	assert_string_equal("carriers", trunk->group);
	assert_string_equal("2001:db8::9", trunk->host);
	assert_int_equal(5071, trunk->port);
	assert_string_equal("sip.c.example", trunk->tls_name);
	assert_string_equal("/t.pem", trunk->certificate);
	assert_string_equal("/t.key", trunk->private_key);
	assert_int_equal(2, trunk->credentials_count);
	assert_null(trunk->credentials[0].realm);
	assert_string_equal("u", trunk->credentials[0].user);
	assert_string_equal("r", trunk->credentials[1].realm);
	assert_string_equal("/p2", trunk->credentials[1].password_file);
	assert_int_equal(7, trunk->priority);
	assert_int_equal(0, trunk->weight);
	assert_int_equal(CONFIG_SRTP_PREFERRED, trunk->srtp);
	assert_int_equal(1, trunk->suites_count);
	assert_int_equal(RELAY_SUITE_AEAD_AES_128_GCM, trunk->suites[0]);
	assert_int_equal(12, trunk->calls_max);
	assert_int_equal(3, trunk->calls_per_second);
	assert_int_equal(0, trunk->ping_s);
	assert_int_equal(2, trunk->ping_failures);
	assert_string_equal("ours.example", trunk->from_domain);
	assert_true(trunk->trust_identity);
	assert_int_equal(CONFIG_DIRECTION_OUT, trunk->direction);
	assert_int_equal(5, config->sip.calls.max);
	assert_int_equal(2, config->sip.calls.per_user);
	assert_int_equal(1, config->sip.calls.per_second);
	config_free(config);
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
	} cases[] = {
		{"192.0.2.9", "192.0.2.9", 0},
		{"192.0.2.9:1", "192.0.2.9", 1},
		{"2001:db8::9", "2001:db8::9", 0},
		{"[2001:db8::9]", "2001:db8::9", 0},
		{"[2001:db8::9]:65535", "2001:db8::9", 65535},
		{"sip.a-b.example", "sip.a-b.example", 0},
		{"sip.a-b.example:5062", "sip.a-b.example", 5062},
	};
	char text[1024];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s  trunks: [{name: a, address: '%s'}]\n", SIP,
			cases[i].text);
		struct config *config = load_good(text);
		assert_string_equal(cases[i].host, config->sip.trunks[0].host);
		assert_int_equal(cases[i].port, config->sip.trunks[0].port);
		config_free(config);
	}
}

static void
test_every_route_field(void **state)
{
	struct config *config = load_good(
		SIP TRUNKS "  routes:\n"
			   "    - {prefix: '+49', from: users, to: [a, g, users], strip: 3, "
			   "prepend: '0', priority: 4}\n"
			   "    - {prefix: '*21#', from: g, to: [b]}\n"
			   "    - {prefix: '+', from: b, to: [users]}\n");
	const struct config_route *route = &config->sip.routes[0];

	assert_int_equal(3, config->sip.routes_count);
	assert_string_equal("+49", route->prefix);
	assert_string_equal("users", route->from);
	assert_int_equal(3, route->to_count);
	assert_string_equal("g", route->to[1]);
	assert_int_equal(3, route->strip);
	assert_string_equal("0", route->prepend);
	assert_int_equal(4, route->priority);
	config_free(config);
}

struct bad {
	const char *text;
	unsigned line;
	const char *sentence;
};

static void
check_all(const struct bad *bad, size_t count)
{
	char text[4096], expected[1024];

	for (size_t i = 0; i < count; i++) {
		struct config_file file;
		snprintf(text, sizeof(text), "%s%s", SIP, bad[i].text);
		config_file_load(&file, text, strlen(text));
		snprintf(expected, sizeof(expected), "%s:%u: %s", file.path, bad[i].line,
			bad[i].sentence);
		if (file.result == 0) {
			config_free(file.config);
			fail_msg("taken, instead of: %s", expected);
		}
		assert_string_equal(expected, file.error);
	}
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))
#define ONE "  trunks:\n    - name: a\n      address: a.example\n" /* lines 9 to 11 */

static void
test_bad_trunks(void **state)
{
	static const struct bad cases[] = {
		{"  trunks: [{name: a}]\n", 9, "sip.trunks[0].address: is missing"},
		{"  trunks: [{address: a}]\n", 9, "sip.trunks[0].name: is missing"},
		{ONE "      colour: red\n", 12, "sip.trunks[0].colour: there is no such key"},
		{"  trunks: [{name: 'a b', address: a}]\n", 9,
			"sip.trunks[0].name: \"a b\": use letters, digits, - and _"},
		{"  trunks: [{name: users, address: a}]\n", 9,
			"sip.trunks[0].name: \"users\" means something else in the dial plan: "
			"choose another name"},
		{"  trunks: [{name: a23456789012345678901234567890xx, address: a}]\n", 9,
			"sip.trunks[0].name: \"a23456789012345678901234567890xx\" has more than "
			"31 characters"},
		{TRUNKS "    - {name: a, address: c}\n", 12,
			"sip.trunks[2].name: \"a\" is also the name of trunk 0"},
		{TRUNKS "    - {name: c, address: c, group: b}\n", 12,
			"sip.trunks[2].group: \"b\" is the name of trunk 1: give the group "
			"another"},
		{"  trunks:\n    - name: a\n      address: a:0\n", 11,
			"sip.trunks[0].address: \"a:0\" is no HOST or HOST:PORT; IPv6 with a "
			"port: [2001:db8::1]:5061"},
		{"  trunks: [{name: a, address: 'a b'}]\n", 9,
			"sip.trunks[0].address: \"a b\" is no HOST or HOST:PORT; IPv6 with a "
			"port: [2001:db8::1]:5061"},
		{"  trunks: [{name: a, address: '[192.0.2.1]:5061'}]\n", 9,
			"sip.trunks[0].address: \"[192.0.2.1]:5061\" is no HOST or HOST:PORT; "
			"IPv6 with a port: [2001:db8::1]:5061"},
		{"  trunks: [{name: a, address: 'a:65536'}]\n", 9,
			"sip.trunks[0].address: \"a:65536\" is no HOST or HOST:PORT; IPv6 with a "
			"port: [2001:db8::1]:5061"},
		{ONE "      tls_name: 'a;b'\n", 12,
			"sip.trunks[0].tls_name: \"a;b\" is no host name"},
		{ONE "      from_domain: 'a>'\n", 12,
			"sip.trunks[0].from_domain: \"a>\" is no host name"},
		{ONE "      certificate: /c\n", 10,
			"sip.trunks[0]: certificate and private_key go together: give both, or "
			"neither"},
		{ONE "      weight: 65536\n", 12,
			"sip.trunks[0].weight: 65536 is not between 0 and 65535"},
		{ONE "      ping_failures: 0\n", 12,
			"sip.trunks[0].ping_failures: 0 is not between 1 and 100"},
		{ONE "      srtp: maybe\n", 12,
			"sip.trunks[0].srtp: must be required, preferred or off"},
		{ONE "      direction: up\n", 12,
			"sip.trunks[0].direction: must be both, in or out"},
		{ONE "      suites: [AEAD_AES_128_GCM, AEAD_AES_128_GCM]\n", 12,
			"sip.trunks[0].suites: AEAD_AES_128_GCM is named twice"},
		{ONE "      credentials: [{user: u}]\n", 12,
			"sip.trunks[0].credentials[0].password_file: is missing"},
		{ONE "      credentials: [{user: u, password: x, password_file: /p}]\n", 12,
			"sip.trunks[0].credentials[0].password: there is no such key"},
		{ONE "      credentials: [{user: 'a\"', password_file: /p}]\n", 12,
			"sip.trunks[0].credentials[0]: user: at most 127 characters, without \" "
			"and \\"},
		{ONE "      credentials:\n        - {user: u, password_file: /p, realm: r}\n"
		     "        - {user: v, password_file: /p, realm: r}\n",
			14,
			"sip.trunks[0].credentials[1]: entry 0 has the same realm, or none "
			"either: give each its own"},
	};

	CHECK_ALL(cases);
}

static void
test_bad_routes(void **state)
{
	static const struct bad cases[] = {
		{TRUNKS "  routes: [{prefix: '1'}]\n", 12, "sip.routes[0].to: is missing"},
		{TRUNKS "  routes: [{to: []}]\n", 12, "sip.routes[0].to: has too few entries"},
		{TRUNKS "  routes:\n    - to: [a]\n    - prefix: 1a\n      to: [a]\n", 14,
			"sip.routes[1].prefix: \"1a\": at most 32 of the digits, * and #, maybe "
			"after a +"},
		{TRUNKS "  routes: [{to: [a], prepend: '++1'}]\n", 12,
			"sip.routes[0].prepend: \"++1\": at most 32 of the digits, * and #, "
			"maybe after a +"},
		{TRUNKS "  routes: [{to: [a], strip: 33}]\n", 12,
			"sip.routes[0].strip: 33 is not between 0 and 32"},
		{TRUNKS "  routes:\n    - to:\n        - a\n        - c\n", 15,
			"sip.routes[0].to[1]: there is no trunk or group \"c\": add it to "
			"sip.trunks, or write \"users\""},
		{TRUNKS "  routes: [{to: [a], from: c}]\n", 12,
			"sip.routes[0].from: there is no trunk or group \"c\": add it to "
			"sip.trunks, or write \"users\" or \"any\""},
		{ONE "      direction: in\n  routes: [{to: [a]}]\n", 13,
			"sip.routes[0].to[0]: trunk \"a\" has direction: in, which allows no "
			"call that way"},
		{ONE "      direction: out\n  routes: [{to: [a], from: a}]\n", 13,
			"sip.routes[0].from: trunk \"a\" has direction: out, which allows no "
			"call that way"},
		{TRUNKS "  routes:\n    - {to: [a], prefix: '1'}\n    - {to: [b], prefix: '1'}\n",
			14,
			"sip.routes[1]: route 0 has the same prefix, from and priority: change "
			"one's priority, or join their \"to\""},
		{"  calls: {max: 1000001}\n", 9,
			"sip.calls.max: 1000001 is not between 0 and 1000000"},
		{"  calls: {per_second: 100001}\n", 9,
			"sip.calls.per_second: 100001 is not between 0 and 100000"},
	};

	CHECK_ALL(cases);
}

/* Without a listener for them there are no trunks. */
static void
test_no_peering(void **state)
{
	struct config_file file;
	const char *text = "sip:\n  address: 192.0.2.2\n  domain: a.example\n"
			   "  certificate: /c\n  private_key: /k\n  trunks:\n"
			   "    - {name: a, address: b}\n";

	config_file_load(&file, text, strlen(text));
	assert_int_equal(-EINVAL, file.result);
	assert_non_null(strstr(file.error,
		":6: sip.trunks: sip.peering is missing: trunks connect there, and we from "
		"there to them"));
}

/* What becomes of a password file of these bytes and this mode: the error, or "" and the password
 * in `password`. */
static const char *
read_secret(const char *bytes, mode_t mode, char password[300])
{
	static char error[512];
	char folder[] = "/tmp/sallyport-secret-XXXXXX", path[64], text[1024];

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/p", folder);
	if (bytes != NULL) {
		FILE *out = fopen(path, "w");
		assert_non_null(out);
		fputs(bytes, out);
		fclose(out);
		chmod(path, mode);
	}
	snprintf(text, sizeof(text), "%s%s      credentials: [{user: u, password_file: %s}]\n", SIP,
		ONE, path);
	struct config *config = load_good(text);
	error[0] = '\0';
	int result = config_read_secrets(config, error, sizeof(error));
	assert_int_equal(result == 0, error[0] == '\0');
	const char *found = config->sip.trunks[0].credentials[0].password;
	assert_int_equal(result == 0, found != NULL);
	snprintf(password, 300, "%s", found != NULL ? found : "");
	config_free(config);
	unlink(path);
	rmdir(folder);
	return error;
}

static void
test_secrets(void **state)
{
	char password[300], text[400];

	assert_string_equal("", read_secret("open sesame\n", 0600, password));
	assert_string_equal("open sesame", password);
	assert_string_equal("", read_secret("x\r\nsecond line\n", 0640, password));
	assert_string_equal("x", password);
	assert_string_equal("", read_secret("without end", 0400, password));
	assert_string_equal("without end", password);
	memset(text, 'p', 255);
	text[255] = '\0';
	assert_string_equal("", read_secret(text, 0600, password));
	assert_string_equal(text, password);
	memset(text, 'p', 256);
	text[256] = '\0';
	assert_non_null(strstr(read_secret(text, 0600, password), "more than 255 bytes"));
	assert_non_null(strstr(read_secret("x\n", 0644, password), "chmod o= it"));
	assert_non_null(strstr(read_secret("\n", 0600, password), "must be the password"));
	assert_non_null(strstr(read_secret("", 0600, password), "must be the password"));
	assert_non_null(strstr(read_secret(NULL, 0600, password), "No such file"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_every_trunk_field),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_every_route_field),
		cmocka_unit_test(test_bad_trunks),
		cmocka_unit_test(test_bad_routes),
		cmocka_unit_test(test_no_peering),
		cmocka_unit_test(test_secrets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
