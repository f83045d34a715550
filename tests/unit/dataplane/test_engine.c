/* SPDX-License-Identifier: BSD-3-Clause */
/* Every engine against OpenSSL's HMAC-SHA1 and AES-CTR, batch by batch. */
#include "dataplane/engine.h"
#include "random.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOM 2048 /* bytes of one packet's buffer */
#define BEFORE 64 /* bytes before the packet that nobody may touch */
#define CANARY 0x5a
#define KEYS 16

/* A key as the engine has it, and as OpenSSL wants it. */
struct known_key {
	struct srtcp_key plain;
	struct srtp_key expanded;
};

static struct known_key known_keys[KEYS];
static struct test_random dice;
static const struct crypto_engine *engine;
static void *state;

struct trial {
	struct crypto_op op;
	const struct known_key *rx, *tx;
	uint8_t buffer[ROOM];   /* what the engine works on */
	uint8_t expected[ROOM]; /* the same packet after transcrypt() */
	uint8_t tag[20];        /* the new tag */
	int forged;
};

static struct trial trials[ENGINE_BATCH_MAX];
static struct crypto_op *ops[ENGINE_BATCH_MAX];

static void
openssl_hmac(const struct known_key *key, const struct crypto_op *op, uint64_t index,
	const uint8_t *data, uint8_t tag[20])
{
	uint8_t input[ROOM + 4];
	unsigned length = op->auth_length, written;

	memcpy(input, data, length);
	if (op->kind == CRYPTO_RTP)
		for (int shift = 40; shift >= 16; shift -= 8)
			input[length++] = (uint8_t)(index >> shift);
	assert_non_null(HMAC(EVP_sha1(), key->plain.auth, 20, input, length, tag, &written));
}

/* RFC 3711 4.1.1, byte by byte. */
static void
openssl_keystream(
	const struct known_key *key, const struct crypto_op *op, uint64_t index, uint8_t *data)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = {0};
	int written;

	memcpy(iv, key->plain.salt, 14);
	for (unsigned i = 0; i < 4; i++)
		iv[4 + i] ^= (uint8_t)(op->ssrc >> (24 - 8 * i));
	for (unsigned i = 0; i < 6; i++)
		iv[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
	assert_int_equal(
		EVP_EncryptInit_ex2(ctx, EVP_aes_128_ctr(), key->plain.encryption, iv, NULL), 1);
	assert_int_equal(EVP_EncryptUpdate(ctx, data + op->cipher_offset, &written,
				 data + op->cipher_offset, op->cipher_length),
		1);
	EVP_CIPHER_CTX_free(ctx);
}

static unsigned
random_length(void)
{
	static const unsigned edges[] = {
		0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256};

	if (random_percent(&dice, 40))
		return edges[random_below(&dice, sizeof(edges) / sizeof(edges[0]))];
	return random_below(&dice, 1401);
}

static void
make_trial_of(struct trial *trial, uint8_t kind, unsigned length)
{
	struct crypto_op *op = &trial->op;
	uint8_t *data = trial->buffer + BEFORE, *expected = trial->expected + BEFORE;
	unsigned header = 12 + 4 * random_below(&dice, 16), after;

	memset(op, 0, sizeof(*op));
	trial->rx = &known_keys[random_below(&dice, KEYS)];
	trial->tx = &known_keys[random_below(&dice, KEYS)];
	op->kind = kind;
	op->data = data;
	op->cipher_offset = op->kind == CRYPTO_RTP ? (uint16_t)header : 8;
	op->cipher_length = (uint16_t)length;
	after = op->kind == CRYPTO_RTP ? 0 : 4; /* E and the index */
	op->auth_length = (uint16_t)(op->cipher_offset + op->cipher_length + after);
	op->ssrc = (uint32_t)random_next(&dice);
	op->rx_index = random_next(&dice) >> (op->kind == CRYPTO_RTP ? 16 : 33);
	op->tx_index = random_next(&dice) >> (op->kind == CRYPTO_RTP ? 16 : 33);
	op->rx = &trial->rx->expanded;
	op->tx = &trial->tx->expanded;

	memset(trial->buffer, CANARY, sizeof(trial->buffer));
	random_fill(&dice, data, op->auth_length + SRTP_TAG_MAX);
	memcpy(trial->expected, trial->buffer, sizeof(trial->buffer));
	random_fill(
		&dice, op->tag, sizeof(op->tag)); /* what lies behind a short tag is no matter */
	openssl_hmac(trial->rx, op, op->rx_index, data, trial->tag);
	memcpy(op->tag, trial->tag, op->rx->tag_length);
	openssl_keystream(trial->rx, op, op->rx_index, expected);
	openssl_keystream(trial->tx, op, op->tx_index, expected);
	openssl_hmac(trial->tx, op, op->tx_index, expected, trial->tag);

	op->genuine = random_percent(&dice, 50); /* verify() must set it either way */
	trial->forged = 0;
}

static void
make_trial(struct trial *trial)
{
	struct crypto_op *op = &trial->op;

	make_trial_of(trial, random_percent(&dice, 25) ? CRYPTO_RTCP : CRYPTO_RTP, random_length());
	trial->forged = random_percent(&dice, 20);
	if (trial->forged)
		op->tag[random_below(&dice, op->rx->tag_length)] ^= 1u << random_below(&dice, 8);
}

/* The packet is as expected, its header untouched, and so is all but the room behind it. */
static void
check_trial(const struct trial *trial)
{
	const struct crypto_op *op = &trial->op;
	unsigned end = BEFORE + op->auth_length + SRTP_TAG_MAX;

	assert_memory_equal(trial->buffer, trial->expected, BEFORE + op->auth_length);
	assert_memory_equal(trial->buffer + end, trial->expected + end, ROOM - end);
	assert_memory_equal(op->tag, trial->tag, op->tx->tag_length);
}

static void
run_batch(unsigned n)
{
	unsigned genuine = 0;

	for (unsigned i = 0; i < n; i++) {
		make_trial(&trials[i]);
		ops[i] = &trials[i].op;
	}
	engine->verify(state, ops, n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(trials[i].op.genuine, !trials[i].forged);
		if (trials[i].op.genuine)
			ops[genuine++] = &trials[i].op;
	}
	engine->transcrypt(state, ops, genuine);
	for (unsigned i = 0; i < genuine; i++)
		check_trial((const struct trial *)(const void *)ops[i]);
}

static void
agrees_with_openssl_in_batches_of_every_size(void **unused)
{
	_Static_assert(offsetof(struct trial, op) == 0, "a trial is found by its op");

	for (unsigned n = 0; n <= ENGINE_BATCH_MAX; n++)
		run_batch(n);
	for (unsigned i = 0; i < 60; i++)
		run_batch(random_below(&dice, ENGINE_BATCH_MAX + 1));
}

static void
agrees_with_openssl_at_every_length(void **unused)
{
	for (unsigned i = 0; i <= 2 * 1400; i++) {
		struct trial *trial = &trials[0];

		make_trial_of(trial, i % 2, i / 2);
		ops[0] = &trial->op;
		engine->verify(state, ops, 1);
		assert_true(trial->op.genuine);
		engine->transcrypt(state, ops, 1);
		check_trial(trial);
	}
}

/* Behind the room for the tag comes a page that nobody may touch: what an engine's assembler reads
 * or writes, no sanitizer sees. */
static void
stays_in_the_room_it_is_given(void **unused)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *map = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(map, MAP_FAILED);
	assert_int_equal(mprotect(map + page, page, PROT_READ | PROT_WRITE), 0);
	for (unsigned i = 0; i <= 2 * 300; i++) {
		struct trial *trial = &trials[0];
		struct crypto_op *op = &trial->op;
		uint8_t *placed;

		make_trial_of(trial, i % 2, i / 2);
		placed = map + 2 * page - op->auth_length - SRTP_TAG_MAX;
		memcpy(placed, op->data, op->auth_length);
		op->data = placed;
		ops[0] = op;
		engine->verify(state, ops, 1);
		assert_true(op->genuine);
		engine->transcrypt(state, ops, 1);
		assert_memory_equal(placed, trial->expected + BEFORE, op->auth_length);
		assert_memory_equal(op->tag, trial->tag, op->tx->tag_length);
	}
	munmap(map, 3 * page);
}

/* A flip of any bit under the tag, in the tag, or in the index, is seen. */
static void
refuses_every_flipped_bit(void **unused)
{
	struct trial *trial = &trials[0];

	for (unsigned kind = 0; kind < 2; kind++) {
		make_trial_of(trial, (uint8_t)kind, 100);
		ops[0] = &trial->op;
		for (unsigned bit = 0; bit < 8u * trial->op.auth_length; bit++) {
			trial->op.data[bit / 8] ^= 1u << bit % 8;
			engine->verify(state, ops, 1);
			assert_false(trial->op.genuine);
			trial->op.data[bit / 8] ^= 1u << bit % 8;
		}
		for (unsigned bit = 0; bit < 8u * trial->op.rx->tag_length; bit++) {
			trial->op.tag[bit / 8] ^= 1u << bit % 8;
			engine->verify(state, ops, 1);
			assert_false(trial->op.genuine);
			trial->op.tag[bit / 8] ^= 1u << bit % 8;
		}
		for (unsigned bit = 16; bit < 48 && kind == CRYPTO_RTP; bit++) {
			trial->op.rx_index ^= UINT64_C(1) << bit;
			engine->verify(state, ops, 1);
			assert_false(trial->op.genuine);
			trial->op.rx_index ^= UINT64_C(1) << bit;
		}
		engine->verify(state, ops, 1);
		assert_true(trial->op.genuine);
	}
}

/* One leg's state must not leak into the next packet: two workers' engines, taken in turns. */
static void
states_are_apart(void **unused)
{
	void *first = state, *second = engine->create();

	assert_non_null(second);
	for (unsigned i = 0; i < 20; i++) {
		state = i % 2 ? first : second;
		run_batch(random_below(&dice, ENGINE_BATCH_MAX + 1));
	}
	state = first;
	engine->destroy(second);
	engine->destroy(NULL);
}

static void
selects_by_name(void **unused)
{
	const char *reason = NULL;

	assert_non_null(engine_select("auto", &reason));
	assert_ptr_equal(engine_select("ipsec-mb", &reason), &engine_ipsec_mb);
	assert_null(reason);

	assert_null(engine_select("enigma", &reason));
	assert_non_null(reason);
	assert_non_null(strstr(reason, "enigma"));
	assert_non_null(strstr(reason, "auto, ipsec-mb"));
	assert_null(engine_select("", &reason));
	assert_null(engine_select("ipsec-m", &reason));
}

static void
says_what_it_chose(void **unused)
{
	assert_non_null(engine->variant(state));
	assert_true(strlen(engine->name) > 0 && strlen(engine->help) > 0);
	assert_string_not_equal(engine->variant(state), "unknown");
}

static int
setup(void **unused)
{
	const char *reason = "";

	dice = random_seeded("engine");
	engine = engine_select("auto", &reason);
	if (engine == NULL || srtp_key_init() != 0)
		return -1;
	state = engine->create();
	for (unsigned i = 0; i < KEYS; i++) {
		struct srtcp_key *plain = &known_keys[i].plain;

		plain->suite = i % 2 ? RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
		                     : RELAY_SUITE_AES_CM_128_HMAC_SHA1_32;
		plain->tag_length = i % 2 ? 10 : 4;
		random_fill(&dice, plain->auth, 20);
		random_fill(&dice, plain->salt, 14);
		random_fill(&dice, plain->encryption, 16);
		srtcp_key_expand(plain, &known_keys[i].expanded);
	}
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
		cmocka_unit_test(agrees_with_openssl_in_batches_of_every_size),
		cmocka_unit_test(agrees_with_openssl_at_every_length),
		cmocka_unit_test(stays_in_the_room_it_is_given),
		cmocka_unit_test(refuses_every_flipped_bit),
		cmocka_unit_test(states_are_apart),
		cmocka_unit_test(selects_by_name),
		cmocka_unit_test(says_what_it_chose),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
