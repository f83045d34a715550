/* SPDX-License-Identifier: BSD-3-Clause */
/* What the vectors of RFC 3711 do not say; those are in tests/vectors. */
#include "dataplane/srtp_key.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct relay_crypto
master_of(uint8_t suite)
{
	struct relay_crypto master;

	memset(&master, 0, sizeof(master));
	master.suite = suite;
	for (unsigned i = 0; i < 32; i++)
		master.key[i] = (uint8_t)(3 * i + 1);
	for (unsigned i = 0; i < 16; i++)
		master.salt[i] = (uint8_t)(0xf0 - 5 * i);
	return master;
}

static int
all_zero(const void *data, size_t length)
{
	const uint8_t *byte = data;

	for (size_t i = 0; i < length; i++)
		if (byte[i] != 0)
			return 0;
	return 1;
}

static void
refuses_other_suites_and_wipes(void **unused)
{
	static const uint8_t others[] = {RELAY_SUITE_NONE, RELAY_SUITE_COUNT, 255};

	for (unsigned i = 0; i < sizeof(others); i++) {
		struct relay_crypto master = master_of(others[i]);
		struct srtp_key rtp;
		struct srtcp_key rtcp;

		memset(&rtp, 0xff, sizeof(rtp));
		memset(&rtcp, 0xff, sizeof(rtcp));
		assert_int_equal(srtp_key_derive(&master, &rtp, &rtcp), -EINVAL);
		assert_true(all_zero(&rtp, sizeof(rtp)));
		assert_true(all_zero(&rtcp, sizeof(rtcp)));
	}
}

static void
tag_lengths_follow_the_suite(void **unused)
{
	static const struct {
		uint8_t suite, rtp, rtcp;
	} cases[] = {
		{RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, 10, 10},
		{RELAY_SUITE_AES_CM_128_HMAC_SHA1_32, 4, 10}, /* RFC 4568 6.2.2 */
	};

	for (unsigned i = 0; i < 2; i++) {
		struct relay_crypto master = master_of(cases[i].suite);
		struct srtp_key rtp;
		struct srtcp_key rtcp;

		assert_int_equal(srtp_key_derive(&master, &rtp, &rtcp), 0);
		assert_int_equal(rtp.suite, cases[i].suite);
		assert_int_equal(rtcp.suite, cases[i].suite);
		assert_int_equal(rtp.tag_length, cases[i].rtp);
		assert_int_equal(rtcp.tag_length, cases[i].rtcp);
	}
}

/* Only 16 bytes of key and 14 of salt count; every one of them does, for every session key. */
static void
every_byte_of_the_master_counts(void **unused)
{
	struct relay_crypto master = master_of(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	struct srtp_key rtp, rtp_other;
	struct srtcp_key rtcp, rtcp_other;

	assert_int_equal(srtp_key_derive(&master, &rtp, &rtcp), 0);
	for (unsigned i = 0; i < 48; i++) {
		uint8_t *byte = i < 32 ? &master.key[i] : &master.salt[i - 32];
		int counts = i < 16 || (i >= 32 && i < 46);

		*byte ^= 0x40;
		assert_int_equal(srtp_key_derive(&master, &rtp_other, &rtcp_other), 0);
		*byte ^= 0x40;
		if (!counts) {
			assert_memory_equal(&rtp, &rtp_other, sizeof(rtp));
			assert_memory_equal(&rtcp, &rtcp_other, sizeof(rtcp));
			continue;
		}
		assert_memory_not_equal(rtp.schedule, rtp_other.schedule, 16);
		assert_memory_not_equal(rtp.salt, rtp_other.salt, 14);
		assert_memory_not_equal(rtp.hmac_inner, rtp_other.hmac_inner, 20);
		assert_memory_not_equal(rtcp.encryption, rtcp_other.encryption, 16);
		assert_memory_not_equal(rtcp.salt, rtcp_other.salt, 14);
		assert_memory_not_equal(rtcp.auth, rtcp_other.auth, 20);
	}
}

static void
rtp_and_rtcp_share_no_key(void **unused)
{
	struct relay_crypto master = master_of(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	struct srtp_key rtp, expanded;
	struct srtcp_key rtcp;

	assert_int_equal(srtp_key_derive(&master, &rtp, &rtcp), 0);
	srtcp_key_expand(&rtcp, &expanded);
	assert_memory_not_equal(rtp.schedule, expanded.schedule, 16);
	assert_memory_not_equal(rtp.salt, expanded.salt, 14);
	assert_memory_not_equal(rtp.hmac_inner, expanded.hmac_inner, 20);
	assert_memory_not_equal(expanded.hmac_inner, expanded.hmac_outer, 20);
	assert_true(all_zero(rtp.salt + 14, 2));
	assert_true(all_zero(expanded.salt + 14, 2));
}

/* FIPS 197 appendix A.1: the round keys as ipsec-mb wants them are those of the standard. */
static void
schedule_is_that_of_fips_197(void **unused)
{
	static const uint8_t first[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab,
		0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
	static const uint8_t last[16] = {0xd0, 0x14, 0xf9, 0xa8, 0xc9, 0xee, 0x25, 0x89, 0xe1, 0x3f,
		0x0c, 0xc8, 0xb6, 0x63, 0x0c, 0xa6};
	struct srtcp_key key;
	struct srtp_key expanded;

	memset(&key, 0, sizeof(key));
	memcpy(key.encryption, first, sizeof(first));
	srtcp_key_expand(&key, &expanded);
	assert_memory_equal(expanded.schedule, first, 16);
	assert_memory_equal(expanded.schedule + 160, last, 16);
}

#define THREADS 3
#define EXPANSIONS 2000

struct expander {
	pthread_t thread;
	struct srtcp_key key;
	struct srtp_key expected;
	unsigned wrong;
};

static void *
expand_often(void *opaque)
{
	struct expander *expander = opaque;
	struct srtp_key expanded;

	for (unsigned i = 0; i < EXPANSIONS; i++) {
		srtcp_key_expand(&expander->key, &expanded);
		if (memcmp(&expanded, &expander->expected, sizeof(expanded)) != 0)
			expander->wrong++;
	}
	return NULL;
}

static void
expands_on_any_thread(void **unused)
{
	struct expander expander[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		struct relay_crypto master = master_of(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
		struct srtp_key rtp;

		master.key[0] = (uint8_t)i;
		expander[i].wrong = 0;
		assert_int_equal(srtp_key_derive(&master, &rtp, &expander[i].key), 0);
		srtcp_key_expand(&expander[i].key, &expander[i].expected);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&expander[i].thread, NULL, expand_often, &expander[i]), 0);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(expander[i].thread, NULL);
		assert_int_equal(expander[i].wrong, 0);
	}
}

static int
setup(void **unused)
{
	return srtp_key_init();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_other_suites_and_wipes),
		cmocka_unit_test(tag_lengths_follow_the_suite),
		cmocka_unit_test(every_byte_of_the_master_counts),
		cmocka_unit_test(rtp_and_rtcp_share_no_key),
		cmocka_unit_test(schedule_is_that_of_fips_197),
		cmocka_unit_test(expands_on_any_thread),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
