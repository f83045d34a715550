/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 6188 section 7: AES-192 and AES-256 in counter mode, and as the key derivation's function. */
#include "session_key.h"
#include "tests/test_engine.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct keystream {
	enum relay_suite suite;
	const char *key;
	const char *first; /* three blocks */
};

/* 7.1 and 7.3; the session salt is that of RFC 3711 B.2 */
static const char session_salt[] = "f0f1f2f3f4f5f6f7f8f9fafbfcfd";
static const struct keystream keystreams[] = {
	{RELAY_SUITE_AES_256_CM_HMAC_SHA1_80,
		"57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
		"92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac"
		"63c4868b7096d88421b563b8c94c9a31"},
	{RELAY_SUITE_AES_192_CM_HMAC_SHA1_32, "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
		"35096cba4610028dc1b57503804ce37c5de986291dcce161d5165ec4568f5c9a"
		"474a40c77894bc17180202272a4c264d"},
};

struct derivation {
	enum relay_suite suite;
	const char *master_key, *master_salt;
	const char *cipher_key, *cipher_salt, *auth_key;
};

/* 7.2 and 7.4 */
static const struct derivation derivations[] = {
	{RELAY_SUITE_AES_256_CM_HMAC_SHA1_32,
		"f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
		"3b04803de51ee7c96423ab5b78d2",
		"5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
		"fa31791685ca444a9e07c6c64e93", "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"},
	{RELAY_SUITE_AES_192_CM_HMAC_SHA1_80, "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
		"c8522f3acd4ce86d5add78edbb11", "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
		"2372b82d639b6d8503a47adc0a6c", "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"},
};

static const struct crypto_engine *engine;
static void *state;

static void
keystreams_of_long_keys(void **unused)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t key[32], salt[14], expected[48], packet[12 + 48 + SRTP_TAG_MAX] = {0};
		from_hex(keystreams[i].key, key);
		unsigned length = from_hex(session_salt, salt);
		assert_int_equal(from_hex(keystreams[i].first, expected), 48);
		union srtp_key_room room =
			session_key(keystreams[i].suite, key, salt, length, "", 0);
		struct crypto_op op = {.data = packet,
			.length = 60,
			.cipher_offset = 12,
			.cipher_length = 48,
			.kind = CRYPTO_RTP,
			.tx = &room.key};
		struct crypto_op *ops[1] = {&op};
		engine->transcrypt(state, ops, 1);
		assert_memory_equal(packet + 12, expected, 48);
	}
}

/* The authentication key shows in the tag that it makes. */
static void
check_auth_key(struct srtp_key *key, const char *hex)
{
	uint8_t auth[20], data[64 + SRTP_TAG_MAX] = {0}, whole[64 + 4] = {0}, expected[20];
	struct crypto_op op = {
		.data = data, .length = 64, .cipher_offset = 64, .kind = CRYPTO_RTP, .tx = key};
	struct crypto_op *ops[1] = {&op};
	unsigned length;

	assert_int_equal(from_hex(hex, auth), 20);
	engine->transcrypt(state, ops, 1);
	assert_non_null(HMAC(EVP_sha1(), auth, 20, whole, sizeof(whole), expected, &length));
	assert_memory_equal(op.tag, expected, key->tag_length);
}

static void
derives_long_keys(void **unused)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct derivation *vector = &derivations[i];
		struct relay_crypto master = {.suite = (uint8_t)vector->suite};
		uint8_t cipher_key[32], salt[14];
		struct srtp_key *key;

		from_hex(vector->master_key, master.key);
		from_hex(vector->master_salt, master.salt);
		unsigned length = from_hex(vector->cipher_key, cipher_key);
		from_hex(vector->cipher_salt, salt);
		assert_int_equal(srtp_key_create(&master, &key), 0);
		/* AES's first round keys are the key itself */
		assert_memory_equal(key->schedule, cipher_key, length);
		assert_memory_equal(key->salt, salt, sizeof(salt));
		check_auth_key(key, vector->auth_key);
		srtp_key_unref(key);
	}
}

static int
setup(void **unused)
{
	engine = test_engine();
	state = engine->create();
	return state == NULL || srtp_key_init() != 0 ? -1 : 0;
}

static int
teardown(void **unused)
{
	engine->destroy(state);
	srtp_keys_fini();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keystreams_of_long_keys),
		cmocka_unit_test(derives_long_keys),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
