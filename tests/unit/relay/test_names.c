/* SPDX-License-Identifier: BSD-3-Clause */
/* The crypto suites and the drop reasons: their names are part of the relay API. */
#include "relay/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
test_suite_facts(void **state)
{
	const struct relay_suite_info *long_tag =
		relay_suite_info(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	const struct relay_suite_info *short_tag =
		relay_suite_info(RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);

	/* RFC 4568 6.2: the table of the suites' parameters */
	assert_string_equal("AES_CM_128_HMAC_SHA1_80", long_tag->name);
	assert_string_equal("AES_CM_128_HMAC_SHA1_32", short_tag->name);
	assert_int_equal(10, long_tag->rtp_tag_length);
	assert_int_equal(4, short_tag->rtp_tag_length);
	assert_int_equal(10, long_tag->rtcp_tag_length);
	assert_int_equal(10, short_tag->rtcp_tag_length);
	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		const struct relay_suite_info *info = relay_suite_info(suite);
		/* RFC 6188 3, RFC 7714 12 */
		assert_int_equal(strstr(info->name, "256") != NULL   ? 32
				 : strstr(info->name, "192") != NULL ? 24
								     : 16,
			info->key_length);
		assert_int_equal(info->aead ? 12 : 14, info->salt_length);
		assert_int_equal(info->aead, strncmp(info->name, "AEAD_", 5) == 0);
		assert_int_equal(info->aead ? 16 : 10, info->rtcp_tag_length);
		assert_true(info->rtp_lifetime == UINT64_C(281474976710656));
		assert_true(info->rtcp_lifetime == UINT64_C(2147483648));
	}
	assert_null(relay_suite_info(RELAY_SUITE_NONE));
	assert_null(relay_suite_info(RELAY_SUITE_COUNT));
	assert_null(relay_suite_info(~0u));
}

static void
test_suite_by_name(void **state)
{
	static const char name[] = "AES_CM_128_HMAC_SHA1_32 inline:";

	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		const char *its = relay_suite_info(suite)->name;
		assert_int_equal(suite, relay_suite_by_name(its, strlen(its)));
	}
	assert_int_equal(RELAY_SUITE_AES_CM_128_HMAC_SHA1_32, relay_suite_by_name(name, 23));
	assert_int_equal(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80,
		relay_suite_by_name("aes_cm_128_hmac_sha1_80", 23));
	assert_int_equal(RELAY_SUITE_NONE, relay_suite_by_name(name, 24));
	assert_int_equal(RELAY_SUITE_NONE, relay_suite_by_name(name, 22));
	assert_int_equal(RELAY_SUITE_NONE, relay_suite_by_name(name, 0));
	assert_int_equal(RELAY_SUITE_NONE, relay_suite_by_name("F8_128_HMAC_SHA1_80", 19));
}

static void
test_drop_names(void **state)
{
	for (unsigned i = 0; i < RELAY_DROP_COUNT; i++) {
		const char *name = relay_drop_name(i);
		assert_in_range(strlen(name), 1, 40);
		/* a counter's name, and a key of JSON */
		assert_int_equal(strlen(name), strspn(name, "abcdefghijklmnopqrstuvwxyz_"));
		assert_in_range(strlen(relay_drop_help(i)), 10, 100);
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(name, relay_drop_name(k));
			assert_string_not_equal(relay_drop_help(i), relay_drop_help(k));
		}
	}
	assert_string_equal("unknown", relay_drop_name(RELAY_DROP_COUNT));
	assert_string_equal("unknown", relay_drop_help(~0u));
}

/* Numbers that programs of others may have compiled in. */
static void
test_numbers_are_stable(void **state)
{
	static const struct {
		unsigned number;
		const char *name;
	} drops[] = {{0, "none"}, {7, "port_unknown"}, {8, "leg_not_ready"}, {20, "auth_failed"},
		{22, "replayed"}, {23, "too_old"}, {26, "source_mismatch"}, {32, "no_memory"},
		{33, "vlan_unknown"}, {38, "leg_on_hold"}};

	for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++)
		assert_string_equal(drops[i].name, relay_drop_name(drops[i].number));
	assert_int_equal(1, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(2, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(8, RELAY_SUITE_AEAD_AES_256_GCM);
	assert_int_equal(24, sizeof(struct relay_header));
	assert_int_equal(256, sizeof(struct relay_reply_error));
	assert_int_equal(1056, sizeof(struct relay_create));
	assert_int_equal(72, sizeof(struct relay_by_id));
	assert_int_equal(128, sizeof(struct relay_list_entry));
	assert_int_equal(104, sizeof(struct relay_capture));
	assert_int_equal(64, sizeof(struct relay_counter));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suite_facts),
		cmocka_unit_test(test_suite_by_name),
		cmocka_unit_test(test_drop_names),
		cmocka_unit_test(test_numbers_are_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
