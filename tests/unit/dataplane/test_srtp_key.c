/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys: made, compared, shared, wiped. What they derive is in tests/vectors. */
#include "dataplane/slab.h"
#include "dataplane/srtp_key.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct relay_crypto
master(enum relay_suite suite, unsigned seed)
{
	struct relay_crypto crypto = {.suite = (uint8_t)suite};
	const struct relay_suite_info *info = relay_suite_info(suite);

	for (unsigned i = 0; info != NULL && i < info->key_length; i++)
		crypto.key[i] = (uint8_t)(seed * 31 + i * 7);
	for (unsigned i = 0; info != NULL && i < info->salt_length; i++)
		crypto.salt[i] = (uint8_t)(seed * 17 + i * 5);
	return crypto;
}

static void
every_suite_has_its_facts(void **unused)
{
	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		struct relay_crypto crypto = master(suite, 1);
		const struct relay_suite_info *info = relay_suite_info(suite);
		union srtp_key_room room;
		struct srtp_key *key;

		crypto.mki_length = 3;
		memcpy(crypto.mki, "abc", 3);
		assert_int_equal(srtp_key_create(&crypto, &key), 0);
		assert_int_equal((uintptr_t)key % 64, 0);
		assert_int_equal(key->suite, suite);
		assert_int_equal(key->tag_length, info->rtp_tag_length);
		assert_true(key->lifetime == info->rtp_lifetime);
		assert_memory_equal(srtp_key_mki(key), "abc", 3);
		srtp_key_derive_rtcp(key, &room);
		assert_int_equal(room.key.tag_length, info->rtcp_tag_length);
		assert_memory_not_equal(room.key.salt, key->salt, info->salt_length);
		srtp_key_unref(key);
	}
}

static void
a_key_is_known_again(void **unused)
{
	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		struct relay_crypto crypto = master(suite, 1), other;
		struct srtp_key *key, *twin, *stranger;

		assert_int_equal(srtp_key_create(&crypto, &key), 0);
		assert_int_equal(srtp_key_create(&crypto, &twin), 0);
		other = crypto;
		other.key[relay_suite_info(suite)->key_length - 1] ^= 1;
		assert_int_equal(srtp_key_create(&other, &stranger), 0);
		assert_true(srtp_key_is(key, &crypto));
		assert_false(srtp_key_is(key, &other));
		assert_true(srtp_key_same(key, twin));
		assert_false(srtp_key_same(key, stranger));
		assert_false(srtp_key_same(key, NULL));
		other = crypto;
		other.salt[0] ^= 1;
		assert_false(srtp_key_is(key, &other));
		other = crypto;
		other.mki_length = 1;
		assert_false(srtp_key_is(key, &other));
		srtp_key_unref(key);
		srtp_key_unref(twin);
		srtp_key_unref(stranger);
	}
}

/* The same key in the suites of both tags is one key to whoever looks for a second use. */
static void
the_tag_makes_no_other_key(void **unused)
{
	struct relay_crypto crypto = master(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, 1);
	struct srtp_key *long_tag, *short_tag;

	assert_int_equal(srtp_key_create(&crypto, &long_tag), 0);
	crypto.suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_32;
	assert_int_equal(srtp_key_create(&crypto, &short_tag), 0);
	assert_true(srtp_key_same(long_tag, short_tag));
	assert_false(srtp_key_is(long_tag, &crypto));
	srtp_key_unref(long_tag);
	srtp_key_unref(short_tag);
}

static void
refuses_what_is_none(void **unused)
{
	struct relay_crypto crypto = master(RELAY_SUITE_NONE, 1);
	struct srtp_key *key = NULL;

	assert_int_equal(srtp_key_create(&crypto, &key), -EINVAL);
	crypto.suite = RELAY_SUITE_COUNT;
	assert_int_equal(srtp_key_create(&crypto, &key), -EINVAL);
	crypto = master(RELAY_SUITE_AEAD_AES_128_GCM, 1);
	crypto.mki_length = RELAY_MKI_MAX + 1;
	assert_int_equal(srtp_key_create(&crypto, &key), -EINVAL);
	assert_null(key);
}

/* A chunk that the test can look into. */
static uint8_t *chunk;
static size_t chunk_size;

static void *
take(const char *name, size_t size, size_t alignment)
{
	chunk = aligned_alloc(alignment, size);
	chunk_size = size;
	return chunk != NULL ? memset(chunk, 0, size) : NULL;
}

static void
the_last_user_wipes_it(void **unused)
{
	static const struct slab_source source = {take, free};
	struct relay_crypto crypto = master(RELAY_SUITE_AES_256_CM_HMAC_SHA1_80, 9);
	struct srtp_key *key;

	srtp_keys_fini();
	slab_set_source(&source);
	assert_int_equal(srtp_key_create(&crypto, &key), 0);
	/* the master key's chunk was the last one taken */
	assert_non_null(memmem(chunk, chunk_size, crypto.key, 32));
	srtp_key_ref(key);
	srtp_key_unref(key);
	assert_true(srtp_key_is(key, &crypto));
	uint8_t schedule[32];
	memcpy(schedule, key->schedule, sizeof(schedule));
	srtp_key_unref(key);
	assert_null(memmem(chunk, chunk_size, crypto.key, 32));
	assert_memory_not_equal(key->schedule, schedule, sizeof(schedule));
	srtp_keys_fini();
	slab_set_source(NULL);
}

static void
a_key_has_its_size(void **unused)
{
	assert_int_equal(srtp_key_bytes(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80), 256 + 32);
	assert_int_equal(srtp_key_bytes(RELAY_SUITE_AES_256_CM_HMAC_SHA1_32), 320 + 48);
	assert_in_range(srtp_key_bytes(RELAY_SUITE_AEAD_AES_256_GCM), 400, SRTP_KEY_SIZE_MAX + 48);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_suite_has_its_facts),
		cmocka_unit_test(a_key_is_known_again),
		cmocka_unit_test(the_tag_makes_no_other_key),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(the_last_user_wipes_it),
		cmocka_unit_test(a_key_has_its_size),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	srtp_keys_fini();
	return failed;
}
