/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct relay_ip
ip(const char *text)
{
	struct relay_ip out;

	if (relay_ip_parse(text, strlen(text), &out) != 0)
		fail_msg("%s is not read", text);
	return out;
}

static void
test_text_and_back(void **state)
{
	static const char *const same[] = {"0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1",
		"2001:db8::1", "2001:db8:1:2:3:4:5:6", "::ffff:192.0.2.1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"};
	char text[RELAY_ADDR_TEXT];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct relay_ip out = ip(same[i]);
		assert_int_equal(strchr(same[i], ':') != NULL ? 6 : 4, out.family);
		assert_string_equal(same[i], relay_ip_format(&out, text));
	}
	struct relay_ip four = ip("192.0.2.1");
	static const uint8_t bytes[16] = {192, 0, 2, 1};
	assert_memory_equal(bytes, four.ip, 16);
	/* only so many bytes are looked at: no NUL is needed */
	assert_int_equal(0, relay_ip_parse("192.0.2.12:5004", 9, &four));
	assert_string_equal("192.0.2.1", relay_ip_format(&four, text));
}

static void
test_wrong_text(void **state)
{
	static const char *const wrong[] = {"", " ", "192.0.2", "192.0.2.256", "192.0.2.1 ",
		" 192.0.2.1", "192.0.2.1.1", "192.0.2.01x", "192.0.2.1/24", "0x7f.1", "2130706433",
		"localhost", ":", ":::", "2001:db8::1::2", "2001:db8::g", "[::1]", "fe80::1%eth0",
		"1:2:3:4:5:6:7:8:9", "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255.255.255"};
	struct relay_ip out, before;

	memset(&out, 0xa5, sizeof(out));
	before = out;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (relay_ip_parse(wrong[i], strlen(wrong[i]), &out) != -EINVAL)
			fail_msg("\"%s\" is taken", wrong[i]);
		assert_memory_equal(&before, &out, sizeof(out));
	}
	assert_int_equal(-EINVAL, relay_ip_parse("192.0.2.1\0", 10, &out));
	assert_int_equal(-EINVAL, relay_ip_parse("192.0\0.2.1", 10, &out));
}

static void
test_transport_address(void **state)
{
	struct relay_addr addr = {.ip = ip("192.0.2.1"), .port = 65535}, other;
	char text[RELAY_ADDR_TEXT];

	assert_string_equal("192.0.2.1:65535", relay_addr_format(&addr, text));
	addr.ip = ip("2001:db8::1");
	assert_string_equal("[2001:db8::1]:65535", relay_addr_format(&addr, text));
	addr.ip = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_string_equal(
		"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", relay_addr_format(&addr, text));
	other = addr;
	assert_true(relay_addr_equal(&addr, &other));
	other.port = 1;
	assert_false(relay_addr_equal(&addr, &other));
	other = addr;
	other.ip.ip[15] ^= 1;
	assert_false(relay_addr_equal(&addr, &other));
	memset(&addr, 0, sizeof(addr));
	assert_string_equal("-", relay_addr_format(&addr, text));
	assert_string_equal("-", relay_ip_format(&addr.ip, text));
	addr.ip.family = 9;
	assert_string_equal("-", relay_addr_format(&addr, text));
}

static void
test_equal(void **state)
{
	struct relay_ip a = ip("192.0.2.1"), b = ip("192.0.2.1"), none = {0}, none2 = {0};

	b.ip[9] = 7; /* beyond an IPv4 address */
	assert_true(relay_ip_equal(&a, &b));
	b.ip[3] = 2;
	assert_false(relay_ip_equal(&a, &b));
	b = ip("::c000:201");
	assert_false(relay_ip_equal(&a, &b));
	none2.ip[0] = 1;
	assert_true(relay_ip_equal(&none, &none2));
	assert_false(relay_ip_equal(&none, &a));
}

static void
test_prefix(void **state)
{
	static const struct {
		const char *ip;
		const char *network;
		unsigned prefix;
		bool in;
	} cases[] = {
		{"192.0.2.1", "192.0.2.254", 24, true},
		{"192.0.3.1", "192.0.2.254", 24, false},
		{"192.0.3.1", "192.0.2.254", 23, true},
		{"192.0.2.127", "192.0.2.0", 25, true},
		{"192.0.2.128", "192.0.2.0", 25, false},
		{"192.0.2.1", "192.0.2.1", 32, true},
		{"192.0.2.1", "192.0.2.0", 32, false},
		{"192.0.2.1", "10.0.0.0", 0, true},
		{"192.0.2.1", "192.0.2.1", 33, false},
		{"2001:db8::1", "2001:db8::", 64, true},
		{"2001:db8:0:1::1", "2001:db8::", 64, false},
		{"2001:db8::1", "2001:db8::1", 128, true},
		{"2001:db8::1", "2001:db8::", 128, false},
		{"2001:db8::1", "2001:db8::1", 129, false},
		{"2001:db8::1", "2001:db8::1", 4000000000u, false},
		{"febf::1", "fe80::", 10, true},
		{"fec0::1", "fe80::", 10, false},
		{"192.0.2.1", "::", 0, false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct relay_ip at = ip(cases[i].ip), network = ip(cases[i].network);
		if (relay_ip_in_prefix(&at, &network, cases[i].prefix) != cases[i].in)
			fail_msg("%s in %s/%u", cases[i].ip, cases[i].network, cases[i].prefix);
	}
	struct relay_ip none = {0};
	assert_false(relay_ip_in_prefix(&none, &none, 0));
}

static void
test_where_media_may_go(void **state)
{
	static const char *const good[] = {"192.0.2.1", "10.0.0.1", "100.64.0.1", "172.16.0.1",
		"192.168.1.1", "1.0.0.0", "126.255.255.255", "128.0.0.1", "169.253.0.1",
		"169.255.0.1", "223.255.255.255", "2001:db8::1", "fd00::1", "fec0::1", "::2",
		"64:ff9b::1"};
	static const char *const bad[] = {"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.255",
		"169.254.0.1", "169.254.255.255", "224.0.0.1", "239.255.255.255", "240.0.0.1",
		"255.255.255.255", "::", "::1", "fe80::1", "febf::1", "ff02::1", "ff0e::1",
		"::ffff:192.0.2.1", "::ffff:127.0.0.1"};
	struct relay_ip none = {0};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct relay_ip at = ip(good[i]);
		if (!relay_ip_is_routable_unicast(&at))
			fail_msg("%s is refused", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct relay_ip at = ip(bad[i]);
		if (relay_ip_is_routable_unicast(&at))
			fail_msg("%s is taken", bad[i]);
	}
	assert_false(relay_ip_is_routable_unicast(&none));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_wrong_text),
		cmocka_unit_test(test_transport_address),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_prefix),
		cmocka_unit_test(test_where_media_may_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
