/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 3711 appendix B, through the engine that packets go through. */
#include "session_key.h"
#include "tests/test_engine.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80

static const uint8_t none[20];
static const struct crypto_engine *engine;
static void *state;

/* B.2: the session key, and the salt that is already shifted to the left by 16 bits */
static const uint8_t b2_key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15,
	0x88, 0x09, 0xcf, 0x4f, 0x3c};
static const uint8_t b2_salt[14] = {
	0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd};

/* keystream of counters 0000, 0001, 0002 */
static const uint8_t b2_first[48] = {0xe0, 0x3e, 0xad, 0x09, 0x35, 0xc9, 0x5e, 0x80, 0xe1, 0x66,
	0xb1, 0x6d, 0xd9, 0x2b, 0x4e, 0xb4, 0xd2, 0x35, 0x13, 0x16, 0x2b, 0x02, 0xd0, 0xf7, 0x2a,
	0x43, 0xa2, 0xfe, 0x4a, 0x5f, 0x97, 0xab, 0x41, 0xe9, 0x5b, 0x3b, 0xb0, 0xa2, 0xe8, 0xdd,
	0x47, 0x79, 0x01, 0xe4, 0xfc, 0xa8, 0x94, 0xc0};

/* B.3 */
static const uint8_t b3_master_key[16] = {0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0, 0xd6,
	0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39};
static const uint8_t b3_master_salt[14] = {
	0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb, 0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6};
static const uint8_t b3_cipher_key[16] = {0xc6, 0x1e, 0x7a, 0x93, 0x74, 0x4f, 0x39, 0xee, 0x10,
	0x73, 0x4a, 0xfe, 0x3f, 0xf7, 0xa0, 0x87};
static const uint8_t b3_cipher_salt[14] = {
	0x30, 0xcb, 0xbc, 0x08, 0x86, 0x3d, 0x8c, 0x85, 0xd4, 0x9d, 0xb3, 0x4a, 0x9a, 0xe1};
/* the first 20 of the 94 bytes given: what HMAC-SHA1 takes */
static const uint8_t b3_auth_key[20] = {0xce, 0xbe, 0x32, 0x1f, 0x6f, 0xf7, 0x71, 0x6b, 0x6f, 0xd4,
	0xab, 0x49, 0xaf, 0x25, 0x6a, 0x15, 0x6d, 0x38, 0xba, 0xa4};

/* The engine's keystream under `key` for SSRC 0 and this index: what it makes of zeros, with the
 * other side in clear. */
static void
engine_keystream(const struct srtp_key *key, int as_rx, uint64_t index, uint8_t *out, int length)
{
	uint8_t packet[1500] = {0};
	struct crypto_op op = {.data = packet,
		.length = (uint16_t)(12 + length),
		.cipher_offset = 12,
		.cipher_length = (uint16_t)length,
		.kind = CRYPTO_RTP,
		.rx = as_rx ? key : NULL,
		.tx = as_rx ? NULL : key,
		.rx_index = index,
		.tx_index = index};
	struct crypto_op *ops[1] = {&op};

	engine->transcrypt(state, ops, 1);
	memcpy(out, packet + 12, (size_t)length);
}

static void
b2_aes_cm_keystream(void **unused)
{
	union srtp_key_room key = session_key(SUITE, b2_key, b2_salt, sizeof(b2_salt), none, 0);
	uint8_t keystream[48];

	for (int as_rx = 0; as_rx < 2; as_rx++) {
		engine_keystream(&key.key, as_rx, 0, keystream, sizeof(keystream));
		assert_memory_equal(keystream, b2_first, sizeof(keystream));
	}
}

/* SSRC and index enter where 4.1.1 says: XORed into the salt beforehand, they cancel out. */
static void
b2_with_ssrc_and_index(void **unused)
{
	static const uint64_t index = UINT64_C(0x123456789abc);
	uint8_t salt[14], keystream[48];
	union srtp_key_room key;

	memcpy(salt, b2_salt, sizeof(salt));
	for (unsigned i = 0; i < 6; i++)
		salt[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
	key = session_key(SUITE, b2_key, salt, sizeof(salt), none, 0);
	for (int as_rx = 0; as_rx < 2; as_rx++) {
		engine_keystream(&key.key, as_rx, index, keystream, sizeof(keystream));
		assert_memory_equal(keystream, b2_first, sizeof(keystream));
	}
}

static void
b3_key_derivation(void **unused)
{
	static const uint8_t message[] = "the authentication key shows in what it makes";
	struct relay_crypto master = {.suite = SUITE};
	uint8_t data[sizeof(message) + SRTP_TAG_MAX] = {0}, whole[sizeof(message) + 4],
				       expected[20];
	unsigned length;
	struct srtp_key *rtp;
	struct crypto_op op = {.data = data,
		.length = sizeof(message),
		.cipher_offset = sizeof(message),
		.kind = CRYPTO_RTP,
		.tx_index = UINT64_C(0x01020304) << 16};
	struct crypto_op *ops[1] = {&op};

	memcpy(master.key, b3_master_key, sizeof(b3_master_key));
	memcpy(master.salt, b3_master_salt, sizeof(b3_master_salt));
	assert_int_equal(srtp_key_create(&master, &rtp), 0);
	assert_memory_equal(rtp->schedule, b3_cipher_key, sizeof(b3_cipher_key));
	assert_memory_equal(rtp->salt, b3_cipher_salt, sizeof(b3_cipher_salt));

	memcpy(data, message, sizeof(message));
	op.tx = rtp;
	engine->transcrypt(state, ops, 1);
	memcpy(whole, message, sizeof(message));
	memcpy(whole + sizeof(message), "\1\2\3\4", 4); /* the ROC */
	assert_non_null(HMAC(EVP_sha1(), b3_auth_key, sizeof(b3_auth_key), whole, sizeof(whole),
		expected, &length));
	assert_memory_equal(op.tag, expected, 10);
	srtp_key_unref(rtp);
}

static int
setup(void **unused)
{
	engine = test_engine();
	if (srtp_key_init() != 0)
		return -1;
	state = engine->create();
	return state == NULL ? -1 : 0;
}

static int
teardown(void **unused)
{
	engine->destroy(state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(b2_aes_cm_keystream),
		cmocka_unit_test(b2_with_ssrc_and_index),
		cmocka_unit_test(b3_key_derivation),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
