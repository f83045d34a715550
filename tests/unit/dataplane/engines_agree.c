/* SPDX-License-Identifier: BSD-3-Clause */
#include "engines_agree.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define ENGINES_MAX 8
#define PAGE 4096 /* bytes: a packet and its room end with one, and the next can't be touched */

static struct {
	struct srtp_key *rx[RELAY_SUITE_COUNT], *tx[RELAY_SUITE_COUNT];
	const struct crypto_engine
		*engine[ENGINES_MAX]; /* the first is what the others have to agree
							    with */
	void *state[ENGINES_MAX];
	unsigned count;
	uint8_t *pages; /* for each packet of a batch one to use and one without access */
	struct crypto_op protected[ENGINE_BATCH_MAX]; /* as received: with the sender's tag */
	uint8_t received[ENGINE_BATCH_MAX][AGREE_LENGTH_MAX];
	struct crypto_op first[ENGINE_BATCH_MAX]; /* what the first engine made */
	uint8_t first_data[ENGINE_BATCH_MAX][AGREE_LENGTH_MAX];
} all;
_Static_assert(AGREE_LENGTH_MAX + SRTP_TAG_MAX <= PAGE, "a packet has room");

static struct srtp_key *
make_key(unsigned suite, uint8_t seed)
{
	struct relay_crypto crypto = {.suite = (uint8_t)suite};
	struct srtp_key *key = NULL;

	memset(crypto.key, seed, relay_suite_info(suite)->key_length);
	memset(crypto.salt, seed ^ 0x55, relay_suite_info(suite)->salt_length);
	return srtp_key_create(&crypto, &key) == 0 ? key : NULL;
}

static int
add_engine(const struct crypto_engine *engine)
{
	all.engine[all.count] = engine;
	all.state[all.count] = engine->create();
	return all.state[all.count++] == NULL ? -1 : 0;
}

int
agree_start(void)
{
	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		all.rx[suite] = make_key(suite, (uint8_t)(0x20 + suite));
		all.tx[suite] = make_key(suite, (uint8_t)(0x80 + suite));
		if (all.rx[suite] == NULL || all.tx[suite] == NULL)
			return -1;
	}
	all.pages = mmap(NULL, (size_t)ENGINE_BATCH_MAX * 2 * PAGE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (all.pages == MAP_FAILED)
		return -1;
	for (unsigned i = 0; i < ENGINE_BATCH_MAX; i++)
		if (mprotect(all.pages + (size_t)i * 2 * PAGE, PAGE, PROT_READ | PROT_WRITE) != 0)
			return -1;
	if (add_engine(&engine_ipsec_mb) != 0)
		return -1;
	for (unsigned i = 0; engines[i] != NULL; i++)
		if (engines[i] != &engine_ipsec_mb && engines[i]->usable() &&
			add_engine(engines[i]) != 0)
			return -1;
	return 0;
}

void
agree_stop(void)
{
	for (unsigned i = 0; i < all.count; i++)
		all.engine[i]->destroy(all.state[i]);
	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		srtp_key_unref(all.rx[suite]);
		srtp_key_unref(all.tx[suite]);
	}
	srtp_keys_fini();
	munmap(all.pages, (size_t)ENGINE_BATCH_MAX * 2 * PAGE);
}

/* Where the i-th packet lies, so that its page ends with its room. */
static uint8_t *
place(unsigned i, unsigned length)
{
	return all.pages + (size_t)i * 2 * PAGE + PAGE - length - SRTP_TAG_MAX;
}

/* The packet as its receiver gets it, made by the first engine. */
static void
protect(const struct agree_packet *packet, unsigned i)
{
	struct crypto_op op = {.data = place(i, packet->length),
		.length = (uint16_t)packet->length,
		.cipher_offset = AGREE_HEADER,
		.cipher_length = (uint16_t)(packet->length - AGREE_HEADER),
		.kind = packet->rtcp ? CRYPTO_RTCP : CRYPTO_RTP,
		.ssrc = packet->ssrc,
		.rtcp_word = 0x80000000u | (uint32_t)packet->rx_index,
		.rx_index = packet->rx_index,
		.tx_index = packet->rx_index,
		.tx = packet->from != 0 ? all.rx[packet->from] : NULL};
	struct crypto_op *ops[1] = {&op};

	memcpy(op.data, packet->text, packet->length);
	all.engine[0]->transcrypt(all.state[0], ops, 1);
	memcpy(all.received[i], op.data, packet->length);
	op.rx = op.tx;
	op.tx = packet->to != 0 ? all.tx[packet->to] : NULL;
	op.tx_index = packet->tx_index;
	if (packet->forged > 0 && op.rx != NULL) {
		unsigned bit = (packet->forged - 1) % (8U * op.rx->tag_length);
		op.tag[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	all.protected[i] = op;
}

static const char *
differs(const struct crypto_engine *engine, const char *what, unsigned i, unsigned n)
{
	static char sentence[200];
	const struct crypto_op *op = &all.protected[i];

	snprintf(sentence, sizeof(sentence),
		"%s and %s differ in the %s of packet %u of %u: %u bytes, suites %u to %u",
		engine->name, all.engine[0]->name, what, i, n, op->length,
		op->rx != NULL ? op->rx->suite : 0, op->tx != NULL ? op->tx->suite : 0);
	return sentence;
}

/* What the e-th engine made of packet i, against what the first did. */
static const char *
compare(unsigned e, unsigned i, unsigned n, const struct crypto_op *op)
{
	const struct crypto_engine *engine = all.engine[e];

	if (op->genuine != all.first[i].genuine)
		return differs(engine, "judgement", i, n);
	if (memcmp(op->data, all.first_data[i], op->length) != 0)
		return differs(engine, "bytes", i, n);
	if (op->genuine && op->tx != NULL &&
		memcmp(op->tag, all.first[i].tag, op->tx->tag_length) != 0)
		return differs(engine, "tag", i, n);
	return NULL;
}

static const char *
run_engine(unsigned e, unsigned n)
{
	struct crypto_op op[ENGINE_BATCH_MAX], *ops[ENGINE_BATCH_MAX] = {NULL};
	struct crypto_op *good[ENGINE_BATCH_MAX] = {NULL};
	const char *difference = NULL;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		op[i] = all.protected[i];
		memcpy(op[i].data, all.received[i], op[i].length);
		ops[i] = &op[i];
	}
	all.engine[e]->verify(all.state[e], ops, n);
	for (unsigned i = 0; i < n; i++)
		if (op[i].genuine)
			good[kept++] = &op[i];
		else if (memcmp(op[i].data, all.received[i], op[i].length) != 0)
			return differs(all.engine[e], "unverified bytes", i, n);
	if (kept > 0)
		all.engine[e]->transcrypt(all.state[e], good, kept);
	for (unsigned i = 0; i < n && difference == NULL; i++) {
		if (e > 0) {
			difference = compare(e, i, n, &op[i]);
		} else {
			all.first[i] = op[i];
			memcpy(all.first_data[i], op[i].data, op[i].length);
		}
	}
	return difference;
}

const char *
engines_agree(const struct agree_packet packets[], unsigned n)
{
	const char *difference = NULL;

	for (unsigned i = 0; i < n; i++)
		protect(&packets[i], i);
	for (unsigned e = 0; e < all.count && difference == NULL; e++)
		difference = run_engine(e, n);
	for (unsigned i = 0; i < n && difference == NULL; i++)
		if (all.first[i].genuine != (packets[i].forged == 0 || packets[i].from == 0))
			difference = differs(all.engine[0], "truth", i, n);
	return difference;
}
