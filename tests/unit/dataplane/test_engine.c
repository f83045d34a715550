/* SPDX-License-Identifier: BSD-3-Clause */
/* Engines: batches of any mixture of suites, legs, lengths, RTP and RTCP, against OpenSSL
 * (tests/evp_srtp.h); forged packets, which come out as they were; and the choice of an engine.
 * SALLYPORT_TEST_SEED repeats a run. */
#include "tests/test_engine.h"
#include "random.h"
#include "tests/evp_srtp.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROOM 1600
#define ROUNDS 600

static struct test_random dice;
static const struct crypto_engine *engine;
static void *state;

/* One side of each suite; 0 is in clear. */
static struct {
	struct srtp_key *key[2]; /* receive, transmit */
	struct evp_srtp *end[2];
} side[RELAY_SUITE_COUNT];

struct work {
	struct crypto_op op;
	unsigned from, to; /* suites */
	unsigned length;   /* in clear */
	bool forged;
	uint8_t plain[ROOM];
	uint8_t data[ROOM];
	uint8_t before[ROOM];
};

static void
make_rtp(struct work *work)
{
	unsigned payload =
		random_percent(&dice, 20) ? random_below(&dice, 4) : random_below(&dice, 1400);

	work->length = 12 + payload;
	random_fill(&dice, work->plain, work->length);
	work->plain[0] = 0x80;
	work->plain[1] &= 0x7f;
	work->op.kind = CRYPTO_RTP;
	work->op.cipher_offset = 12;
	work->op.cipher_length = (uint16_t)payload;
	uint32_t ssrc;
	memcpy(&ssrc, work->plain + 8, 4);
	work->op.ssrc = be32toh(ssrc);
	uint32_t roc = random_below(&dice, 3);
	work->op.rx_index = (uint64_t)roc << 16 | (uint64_t)(work->plain[2] << 8 | work->plain[3]);
	work->op.tx_index = work->op.rx_index + (UINT64_C(5) << 16);
}

/* As received: protected by the sender, the tag taken off into the op. */
static void
receive(struct work *work)
{
	const struct srtp_key *rx = side[work->from].key[0];
	unsigned length = work->length;

	memcpy(work->data, work->plain, length);
	evp_srtp_protect(
		side[work->from].end[0], (uint32_t)(work->op.rx_index >> 16), work->data, &length);
	if (rx != NULL)
		memcpy(work->op.tag, work->data + work->length, rx->tag_length);
	work->forged = rx != NULL && random_percent(&dice, 20);
	if (work->forged && random_percent(&dice, 50))
		work->op.tag[random_below(&dice, rx->tag_length)] ^= 0x10;
	else if (work->forged)
		work->data[random_below(&dice, work->length)] ^= 0x04;
	memcpy(work->before, work->data, work->length);
	work->op.data = work->data;
	work->op.length = (uint16_t)work->length;
	work->op.rx = rx;
	work->op.tx = side[work->to].key[1];
}

static void
check_sent(struct work *work)
{
	const struct srtp_key *tx = side[work->to].key[1];
	unsigned length = work->length + (tx != NULL ? tx->tag_length : 0);

	if (tx != NULL)
		memcpy(work->data + work->length, work->op.tag, tx->tag_length);
	assert_true(evp_srtp_unprotect(
		side[work->to].end[1], (uint32_t)(work->op.tx_index >> 16), work->data, &length));
	assert_int_equal(length, work->length);
	assert_memory_equal(work->data, work->plain, length);
}

static void
any_mixture(void **unused)
{
	static struct work works[ENGINE_BATCH_MAX];
	struct crypto_op *ops[ENGINE_BATCH_MAX] = {NULL}, *good[ENGINE_BATCH_MAX] = {NULL};

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned n = 1 + random_below(&dice, ENGINE_BATCH_MAX), kept = 0;
		for (unsigned i = 0; i < n; i++) {
			memset(&works[i].op, 0, sizeof(works[i].op));
			works[i].from = random_below(&dice, RELAY_SUITE_COUNT);
			works[i].to = random_below(&dice, RELAY_SUITE_COUNT);
			make_rtp(&works[i]);
			receive(&works[i]);
			ops[i] = &works[i].op;
		}
		engine->verify(state, ops, n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(works[i].op.genuine, !works[i].forged);
			if (works[i].op.genuine)
				good[kept++] = ops[i];
			else
				assert_memory_equal(
					works[i].data, works[i].before, works[i].length);
		}
		engine->transcrypt(state, good, kept);
		for (unsigned i = 0; i < n; i++)
			if (works[i].op.genuine)
				check_sent(&works[i]);
	}
}

/* The index word and the tag as they lie in a packet that has both (RFC 3711 3.4, RFC 7714 9). */
static void
split_rtcp(struct crypto_op *op, bool aead, unsigned tag_length)
{
	const uint8_t *end = op->data + op->length;
	uint32_t word;

	memcpy(&word, aead ? end + tag_length : end, 4);
	memcpy(op->tag, aead ? end : end + 4, tag_length);
	op->rtcp_word = be32toh(word);
	op->rx_index = op->rtcp_word & 0x7fffffff;
}

static void
rtcp_of(unsigned from, unsigned to)
{
	uint8_t plain[256], data[512];
	union srtp_key_room rooms[2];
	unsigned length = 8 + 4 * random_below(&dice, 40), wire = length, index = 0;
	struct crypto_op op = {.data = data, .kind = CRYPTO_RTCP, .length = (uint16_t)length};
	struct crypto_op *ops[1] = {&op};
	bool aead = from >= RELAY_SUITE_AEAD_AES_128_GCM, out = to >= RELAY_SUITE_AEAD_AES_128_GCM;

	random_fill(&dice, plain, length);
	memcpy(data, plain, length);
	uint32_t ssrc;
	memcpy(&ssrc, plain + 4, 4);
	op.ssrc = be32toh(ssrc);
	op.cipher_offset = 8;
	op.cipher_length = (uint16_t)(length - 8);
	evp_srtp_protect_rtcp(side[from].end[0], random_below(&dice, 0x7fffffff), data, &wire);
	if (from != 0) {
		srtp_key_derive_rtcp(side[from].key[0], &rooms[0]);
		split_rtcp(&op, aead, rooms[0].key.tag_length);
		op.rx = &rooms[0].key;
	}
	engine->verify(state, ops, 1);
	assert_true(op.genuine);
	engine->transcrypt(state, ops, 1);
	assert_memory_equal(data, plain, length);
	if (to == 0)
		return;
	srtp_key_derive_rtcp(side[to].key[1], &rooms[1]);
	op.rx = NULL;
	op.tx = &rooms[1].key;
	op.tx_index = random_below(&dice, 0x7fffffff);
	op.rtcp_word = 0x80000000u | (uint32_t)op.tx_index;
	engine->transcrypt(state, ops, 1);
	uint32_t word = htobe32(op.rtcp_word);
	memcpy(data + length + (out ? op.tx->tag_length : 0), &word, 4);
	memcpy(data + length + (out ? 0 : 4), op.tag, op.tx->tag_length);
	wire = length + 4 + op.tx->tag_length;
	assert_true(evp_srtp_unprotect_rtcp(side[to].end[1], data, &wire, &index));
	assert_int_equal(index, op.tx_index);
	assert_memory_equal(data, plain, length);
}

static void
rtcp_of_every_pair(void **unused)
{
	for (unsigned from = 0; from < RELAY_SUITE_COUNT; from++)
		for (unsigned to = 0; to < RELAY_SUITE_COUNT; to++)
			rtcp_of(from, to);
}

static void
an_engine_is_chosen_by_name(void **unused)
{
	const char *reason = NULL;

	assert_non_null(engine_select("auto", &reason));
	if (engine_avx2.usable() || engine_avx512.usable())
		assert_non_null(strstr(reason, "fastest in a trial: "));
	assert_ptr_equal(engine_select("ipsec-mb", &reason), &engine_ipsec_mb);
	assert_string_equal(reason, "as configured");
	assert_null(engine_select("steam", &reason));
	assert_non_null(strstr(reason, "steam"));
	assert_non_null(strstr(reason, "ipsec-mb"));
}

static int
setup(void **unused)
{
	engine = test_engine();
	state = engine->create();
	for (unsigned suite = 0; suite < RELAY_SUITE_COUNT; suite++)
		for (unsigned k = 0; k < 2; k++) {
			struct relay_crypto crypto = {.suite = (uint8_t)suite};
			if (suite != 0)
				random_fill(&dice, crypto.key, relay_suite_info(suite)->key_length);
			if (suite != 0)
				random_fill(
					&dice, crypto.salt, relay_suite_info(suite)->salt_length);
			side[suite].end[k] = evp_srtp_create(&crypto);
			if (suite != 0 && srtp_key_create(&crypto, &side[suite].key[k]) != 0)
				return -1;
		}
	return state == NULL ? -1 : 0;
}

static int
teardown(void **unused)
{
	for (unsigned suite = 0; suite < RELAY_SUITE_COUNT; suite++)
		for (unsigned k = 0; k < 2; k++) {
			evp_srtp_destroy(side[suite].end[k]);
			srtp_key_unref(side[suite].key[k]);
		}
	srtp_keys_fini();
	engine->destroy(state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_mixture),
		cmocka_unit_test(rtcp_of_every_pair),
		cmocka_unit_test(an_engine_is_chosen_by_name),
	};

	dice = random_seeded("engine");
	return cmocka_run_group_tests(tests, setup, teardown);
}
