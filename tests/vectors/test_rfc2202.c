/* SPDX-License-Identifier: BSD-3-Clause */
/* The HMAC-SHA1 vectors of RFC 2202 section 3, through the engine and its precomputed states. */
#include "session_key.h"
#include "tests/test_engine.h"

#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SENT_MAX 16 /* bytes that an engine makes at least: SRTP sends 10 of them at most */
#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80

static const struct crypto_engine *engine;
static void *state;

/* Test case 4 is not here: its key of 25 bytes is longer than any that SRTP makes, and not longer
 * than a block, beyond which HMAC itself would shorten it. */
static const struct vector {
	const char *name;
	const char *key; /* NULL: key_byte, key_length times */
	uint8_t key_byte;
	unsigned key_length;
	const char *data; /* NULL: data_byte, data_length times */
	uint8_t data_byte;
	unsigned data_length;
	uint8_t digest[20];
} vectors[] = {
	{"1", NULL, 0x0b, 20, "Hi There", 0, 8,
		{0xb6, 0x17, 0x31, 0x86, 0x55, 0x05, 0x72, 0x64, 0xe2, 0x8b, 0xc0, 0xb6, 0xfb, 0x37,
			0x8c, 0x8e, 0xf1, 0x46, 0xbe, 0x00}},
	{"2", "Jefe", 0, 4, "what do ya want for nothing?", 0, 28,
		{0xef, 0xfc, 0xdf, 0x6a, 0xe5, 0xeb, 0x2f, 0xa2, 0xd2, 0x74, 0x16, 0xd5, 0xf1, 0x84,
			0xdf, 0x9c, 0x25, 0x9a, 0x7c, 0x79}},
	{"3", NULL, 0xaa, 20, NULL, 0xdd, 50,
		{0x12, 0x5d, 0x73, 0x42, 0xb9, 0xac, 0x11, 0xcd, 0x91, 0xa3, 0x9a, 0xf4, 0x8a, 0xa1,
			0x7b, 0x4f, 0x63, 0xf1, 0x75, 0xd3}},
	{"5", NULL, 0x0c, 20, "Test With Truncation", 0, 20,
		{0x4c, 0x1a, 0x03, 0x42, 0x4b, 0x55, 0xe0, 0x7f, 0xe7, 0xf2, 0x7b, 0xe1, 0xd5, 0x8b,
			0xb9, 0x32, 0x4a, 0x9a, 0x5a, 0x04}},
	{"6", NULL, 0xaa, 80, "Test Using Larger Than Block-Size Key - Hash Key First", 0, 54,
		{0xaa, 0x4a, 0xe5, 0xe1, 0x52, 0x72, 0xd0, 0x0e, 0x95, 0x70, 0x56, 0x37, 0xce, 0x8a,
			0x3b, 0x55, 0xed, 0x40, 0x21, 0x12}},
	{"7", NULL, 0xaa, 80,
		"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data", 0, 73,
		{0xe8, 0xe9, 0x9d, 0x0f, 0x45, 0x23, 0x7d, 0x78, 0x6d, 0x6b, 0xba, 0xa7, 0x96, 0x5c,
			0x78, 0x08, 0xbb, 0xff, 0x1a, 0x91}},
};

#define VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static union srtp_key_room
key_of(const struct vector *vector)
{
	static const uint8_t none[16];
	uint8_t key[80], digest[20];

	memset(key, vector->key_byte, sizeof(key));
	if (vector->key != NULL)
		memcpy(key, vector->key, vector->key_length);
	if (vector->key_length <= 64)
		return session_key(SUITE, none, none, 0, key, vector->key_length);
	/* RFC 2104 section 2: a key longer than a block is hashed first */
	SHA1(key, vector->key_length, digest);
	return session_key(SUITE, none, none, 0, digest, sizeof(digest));
}

static void
all_in_one_batch(void **unused)
{
	union srtp_key_room key[VECTORS];
	uint8_t data[VECTORS][100 + SRTP_TAG_MAX];
	struct crypto_op op[VECTORS], *ops[VECTORS];

	memset(op, 0, sizeof(op));
	for (size_t i = 0; i < VECTORS; i++) {
		const struct vector *vector = &vectors[i];

		key[i] = key_of(vector);
		memset(data[i], vector->data_byte, sizeof(data[i]));
		if (vector->data != NULL)
			memcpy(data[i], vector->data, vector->data_length);
		op[i].data = data[i];
		/* SRTCP's tag covers the packet and its index word, which come apart */
		unsigned length = vector->data_length - 4;
		op[i].length = op[i].cipher_offset = (uint16_t)length;
		for (unsigned k = 0; k < 4; k++)
			op[i].rtcp_word = op[i].rtcp_word << 8 | data[i][length + k];
		op[i].kind = CRYPTO_RTCP;
		op[i].rx = op[i].tx = &key[i].key;
		ops[i] = &op[i];
	}
	engine->transcrypt(state, ops, VECTORS);
	for (size_t i = 0; i < VECTORS; i++)
		assert_memory_equal(op[i].tag, vectors[i].digest, SENT_MAX);
	engine->verify(state, ops, VECTORS);
	for (size_t i = 0; i < VECTORS; i++)
		assert_true(op[i].genuine);
}

/* SRTP puts the ROC behind the packet: a vector whose last 4 bytes are taken for it. */
static void
with_the_end_as_roc(void **unused)
{
	const struct vector *vector = &vectors[1];
	union srtp_key_room key = key_of(vector);
	uint8_t data[100 + SRTP_TAG_MAX] = {0};
	unsigned length = vector->data_length - 4;
	struct crypto_op op = {.data = data,
		.length = (uint16_t)length,
		.cipher_offset = (uint16_t)length,
		.kind = CRYPTO_RTP};
	struct crypto_op *ops[1] = {&op};

	memcpy(data, vector->data, length);
	for (unsigned i = 0; i < 4; i++)
		op.rx_index = op.rx_index << 8 | (uint8_t)vector->data[length + i];
	op.rx_index = op.rx_index << 16 | 0x4321;
	op.tx_index = op.rx_index;
	op.rx = op.tx = &key.key;
	memcpy(op.tag, vector->digest, 20);
	engine->verify(state, ops, 1);
	assert_true(op.genuine);
	memset(op.tag, 0, sizeof(op.tag));
	engine->transcrypt(state, ops, 1);
	assert_memory_equal(op.tag, vector->digest, SENT_MAX);
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
		cmocka_unit_test(all_in_one_batch),
		cmocka_unit_test(with_the_end_as_roc),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
