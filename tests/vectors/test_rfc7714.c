/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 7714 sections 16 and 17: AEAD of RTP and RTCP, through the engine that packets go through. */
#include "session_key.h"
#include "tests/test_engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SALT "517569642070726f2071756f" /* "Quid pro quo" */
#define KEY_128 "000102030405060708090a0b0c0d0e0f"
#define KEY_256 KEY_128 "101112131415161718191a1b1c1d1e1f"

/* 16: SSRC 5501a0b2, sequence f17b, ROC 0 */
#define RTP                        \
	"8040f17b8041f8d35501a0b2" \
	"47616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573"
/* 17.1: the packet that is encrypted there, of SSRC 4d617273 and index 5d4 */
#define RTCP               \
	"81c8000d4d617273" \
	"4e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
#define RTCP_INDEX 0x5d4

struct vector {
	enum relay_suite suite;
	enum crypto_kind kind;
	const char *key, *plain;
	unsigned offset;       /* of what is encrypted */
	const char *protected; /* with its tag, without E and index */
};

static const struct vector vectors[] = {
	{RELAY_SUITE_AEAD_AES_128_GCM, CRYPTO_RTP, KEY_128, RTP, 12,
		"8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f"
		"42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"},
	{RELAY_SUITE_AEAD_AES_256_GCM, CRYPTO_RTP, KEY_256, RTP, 12,
		"8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3"
		"b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"},
	{RELAY_SUITE_AEAD_AES_128_GCM, CRYPTO_RTCP, KEY_128, RTCP, 8,
		"81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1"
		"730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade"},
	{RELAY_SUITE_AEAD_AES_256_GCM, CRYPTO_RTCP, KEY_256, RTCP, 8,
		"81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1"
		"110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be"},
	/* 17.3: E = 0 */
	{RELAY_SUITE_AEAD_AES_128_GCM, CRYPTO_RTCP, KEY_128, RTCP, 52,
		RTCP "841dd9683dd78ec92ae58790125f62b3"},
};

static const struct crypto_engine *engine;
static void *state;

static void
check(const struct vector *vector)
{
	uint8_t key[32], salt[12], data[128 + SRTP_TAG_MAX] = {0}, plain[128], expected[128];
	unsigned length = from_hex(vector->plain, plain);
	bool rtcp = vector->kind == CRYPTO_RTCP, clear = vector->offset == length;

	from_hex(vector->key, key);
	from_hex(SALT, salt);
	assert_int_equal(from_hex(vector->protected, expected), length + 16);
	union srtp_key_room room = session_key(vector->suite, key, salt, sizeof(salt), "", 0);
	memcpy(data, plain, length);
	struct crypto_op op = {.data = data,
		.length = (uint16_t)length,
		.cipher_offset = (uint16_t)vector->offset,
		.cipher_length = (uint16_t)(length - vector->offset),
		.kind = (uint8_t)vector->kind,
		.ssrc = rtcp ? 0x4d617273 : 0x5501a0b2,
		.rtcp_word = (clear ? 0 : 0x80000000u) | RTCP_INDEX,
		.tx_index = rtcp ? RTCP_INDEX : 0xf17b,
		.tx = &room.key};
	struct crypto_op *ops[1] = {&op};
	engine->transcrypt(state, ops, 1);
	assert_memory_equal(data, expected, length);
	assert_memory_equal(op.tag, expected + length, 16);
	/* and back */
	op.rx = &room.key;
	op.rx_index = op.tx_index;
	op.tx = NULL;
	op.tag[3] ^= 1;
	engine->verify(state, ops, 1);
	assert_false(op.genuine);
	assert_memory_equal(data, expected, length);
	op.tag[3] ^= 1;
	engine->verify(state, ops, 1);
	assert_true(op.genuine);
	engine->transcrypt(state, ops, 1);
	assert_memory_equal(data, plain, length);
}

static void
sections_16_and_17(void **unused)
{
	for (unsigned i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		check(&vectors[i]);
}

static int
setup(void **unused)
{
	engine = test_engine();
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
		cmocka_unit_test(sections_16_and_17),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
