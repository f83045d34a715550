/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fused engines: packets side by side in the lanes of wide registers for HMAC-SHA1, both legs'
 * keystreams in one pass for AES-CM, RTP and SRTCP alike (fused.h). What has AEAD on either side is
 * given whole to the ipsec-mb engine.
 *
 * A wide kernel costs the same however few packets it has, as much as the longest of them needs.
 * So packets are sorted by length, and those for which a wide kernel does not pay go by pairs to
 * the CPU's SHA instructions. What the one costs in terms of the other is measured when the engine
 * is made.
 */
#include "engine_input.h"
#include "fused.h"

#include <stdio.h>
#include <stdlib.h>
#include <x86intrin.h>

#define SHA_LANES 2
#define BLOCKS_MAX 63 /* longer ones count as this many: it's only for the sorting */
#define SHA_NEVER UINT32_MAX

struct fused_kernels {
	const char *name;
	unsigned lanes;
	unsigned groups; /* of so many lanes, that the HMAC takes at once */
	fused_hmac *hmac;
	fused_ctr *ctr;
};

static const struct fused_kernels kernels_avx512 = {
	"AVX512 and VAES", 16, 2, fused_hmac_avx512, fused_ctr_avx512};
static const struct fused_kernels kernels_avx2 = {
	"AVX2 and AES-NI", 8, 1, fused_hmac_avx2, fused_ctr_avx2};

struct fused_state {
	const struct fused_kernels *kernels;
	void *aead; /* the ipsec-mb engine's state */
	/* what one block of one packet costs by the SHA instructions, in 256ths of what a block of
	 * all lanes costs by the wide kernel; SHA_NEVER: this CPU has none */
	uint32_t sha_cost;
	char variant[64];
};

static inline uint8_t
block_count(const struct crypto_op *op)
{
	unsigned blocks = hash_blocks(op->length);

	return (uint8_t)(blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX);
}

/* Longest first; those of one length keep their order. */
static void
sort_by_length(struct crypto_op *ops[], uint8_t blocks[], unsigned n)
{
	struct crypto_op *unsorted[ENGINE_BATCH_MAX];
	uint8_t place[BLOCKS_MAX + 1] = {0};
	uint8_t unsorted_blocks[ENGINE_BATCH_MAX];
	unsigned next = 0;

	for (unsigned i = 0; i < n; i++) {
		unsorted[i] = ops[i];
		unsorted_blocks[i] = blocks[i];
		place[blocks[i]]++;
	}
	for (unsigned b = BLOCKS_MAX + 1; b-- > 0;) {
		unsigned count = place[b];
		place[b] = (uint8_t)next;
		next += count;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned at = place[unsorted_blocks[i]]++;
		ops[at] = unsorted[i];
		blocks[at] = unsorted_blocks[i];
	}
}

/* Is the wide kernel the cheaper one for these packets, the first of which is the longest? A key's
 * outer hash is a block more of each. */
static inline bool
wide_pays(const struct fused_state *state, const uint8_t blocks[], unsigned n)
{
	uint32_t sum = 0;

	if (state->sha_cost == SHA_NEVER)
		return true;
	for (unsigned i = 0; i < n; i++)
		sum += blocks[i] + 1U;
	return (blocks[0] + 1U) * 256 <= sum * state->sha_cost;
}

/* How many of these sorted packets go to the wide kernel at once; 0: not even the first two. */
static inline unsigned
wide_count(const struct fused_state *state, const uint8_t blocks[], unsigned n)
{
	const struct fused_kernels *kernels = state->kernels;
	unsigned wide = 0;

	for (unsigned g = 0; g < kernels->groups && wide < n; g++) {
		unsigned group = n - wide < kernels->lanes ? n - wide : kernels->lanes;
		if (!wide_pays(state, blocks + wide, group))
			break;
		wide += group;
	}
	return wide;
}

/* Most batches: all of one length. */
static inline bool
alike(struct crypto_op *const ops[], unsigned n)
{
	unsigned mixed = 0;

	for (unsigned i = 1; i < n; i++)
		mixed |= (unsigned)ops[i]->length ^ ops[0]->length;
	return mixed == 0;
}

/* What wide_pays() says of a group of so many alike: their length does not matter. */
static inline bool
alike_pay(const struct fused_state *state, unsigned n)
{
	return state->sha_cost == SHA_NEVER || n * state->sha_cost >= 256;
}

/* What is said above, for those: nothing to sort, and the wide kernel pays for so many or not. */
static void
run_alike(const struct fused_state *state, struct crypto_op *ops[], unsigned n, bool transmit,
	uint8_t digest[][FUSED_DIGEST])
{
	const struct fused_kernels *kernels = state->kernels;
	const unsigned most = kernels->lanes * kernels->groups, rest = n % kernels->lanes;
	unsigned wide = 0;

	if (alike_pay(state, kernels->lanes))
		wide = alike_pay(state, rest) ? n : n - rest;
	for (unsigned i = 0; i < wide; i += most)
		kernels->hmac(ops + i, wide - i < most ? wide - i : most, transmit, digest + i);
	for (unsigned i = wide; i < n; i += SHA_LANES)
		fused_hmac_sha(
			ops + i, n - i < SHA_LANES ? n - i : SHA_LANES, transmit, digest + i);
}

/* HMAC-SHA1 of each; sorts ops[], and digest[] is then in the same order. */
static void
run_hmacs(const struct fused_state *state, struct crypto_op *ops[], unsigned n, bool transmit,
	uint8_t digest[][FUSED_DIGEST])
{
	uint8_t blocks[ENGINE_BATCH_MAX];

	if (alike(ops, n)) {
		run_alike(state, ops, n, transmit, digest);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		blocks[i] = block_count(ops[i]);
	sort_by_length(ops, blocks, n);
	for (unsigned i = 0, group; i < n; i += group) {
		group = wide_count(state, blocks + i, n - i);
		if (group > 0) {
			state->kernels->hmac(ops + i, group, transmit, digest + i);
		} else {
			group = n - i < SHA_LANES ? n - i : SHA_LANES;
			fused_hmac_sha(ops + i, group, transmit, digest + i);
		}
	}
}

/* Are the first `length` bytes the same, or all 16 that there are? Constant time. */
static inline bool
same_tag(const uint8_t digest[FUSED_DIGEST], const uint8_t tag[SRTP_TAG_MAX], unsigned length)
{
	unsigned __int128 a, b, mask = ~(unsigned __int128)0;

	memcpy(&a, digest, sizeof(a));
	memcpy(&b, tag, sizeof(b));
	if (length < FUSED_DIGEST)
		mask = length == 0 ? 0 : mask >> (128 - 8 * length);
	return ((a ^ b) & mask) == 0;
}

static void
fused_verify(void *opaque, struct crypto_op *const ops[], unsigned n)
{
	const struct fused_state *state = opaque;
	struct crypto_op *hashed[ENGINE_BATCH_MAX], *aead[ENGINE_BATCH_MAX];
	uint8_t digest[ENGINE_BATCH_MAX][FUSED_DIGEST] __attribute__((aligned(16)));
	unsigned hashes = 0, aeads = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		op->opened = false;
		op->genuine = op->rx == NULL;
		if (op->rx == NULL)
			continue;
		if (srtp_key_is_aead(op->rx))
			aead[aeads++] = op;
		else
			hashed[hashes++] = op;
	}
	if (aeads > 0)
		engine_ipsec_mb.verify(state->aead, aead, aeads);
	run_hmacs(state, hashed, hashes, false, digest);
	for (unsigned i = 0; i < hashes; i++)
		hashed[i]->genuine = same_tag(digest[i], hashed[i]->tag, hashed[i]->rx->tag_length);
}

static void
fused_transcrypt(void *opaque, struct crypto_op *const ops[], unsigned n)
{
	const struct fused_state *state = opaque;
	struct crypto_op *ciphered[ENGINE_BATCH_MAX], *hashed[ENGINE_BATCH_MAX],
		*aead[ENGINE_BATCH_MAX];
	uint8_t digest[ENGINE_BATCH_MAX][FUSED_DIGEST] __attribute__((aligned(16)));
	unsigned ciphers = 0, hashes = 0, aeads = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		if ((op->rx != NULL && srtp_key_is_aead(op->rx)) ||
			(op->tx != NULL && srtp_key_is_aead(op->tx))) {
			aead[aeads++] = op;
			continue;
		}
		ciphered[ciphers++] = op;
		if (op->tx != NULL)
			hashed[hashes++] = op;
	}
	/* all ciphers before the first hash, which so reads what has long been written */
	if (ciphers > 0)
		state->kernels->ctr(ciphered, ciphers);
	if (aeads > 0)
		engine_ipsec_mb.transcrypt(state->aead, aead, aeads);
	run_hmacs(state, hashed, hashes, true, digest);
	for (unsigned i = 0; i < hashes; i++)
		memcpy(hashed[i]->tag, digest[i], FUSED_DIGEST);
}

#define TRIAL_RUNS 24
#define TRIAL_LENGTH 172 /* bytes: RTP of 20 ms of G.711 */

/* TSC cycles of a kernel for as many packets as it has lanes: the least of some runs. */
static uint64_t
time_hmac(fused_hmac *hmac, struct crypto_op *const ops[], unsigned n)
{
	uint8_t digest[FUSED_LANES_MAX][FUSED_DIGEST];
	uint64_t least = UINT64_MAX;

	for (unsigned run = 0; run < TRIAL_RUNS; run++) {
		uint64_t begun = __rdtsc();
		hmac(ops, n, false, digest);
		uint64_t took = __rdtsc() - begun;
		least = took < least ? took : least;
	}
	return least;
}

/* What a block of one packet costs by the SHA instructions: see sha_cost. Keys and packets are of
 * zeros: the kernels take the same time for any. */
static uint32_t
measure_sha(const struct fused_kernels *kernels)
{
	static const union srtp_key_room key;
	uint8_t packet[TRIAL_LENGTH + SRTP_TAG_MAX] = {0};
	struct crypto_op op = {.data = packet, .length = TRIAL_LENGTH, .rx = &key.key};
	struct crypto_op *ops[FUSED_LANES_MAX];

	if (!fused_sha_usable())
		return SHA_NEVER;
	for (unsigned i = 0; i < FUSED_LANES_MAX; i++)
		ops[i] = &op;
	uint64_t wide = time_hmac(kernels->hmac, ops, kernels->lanes);
	uint64_t pair = time_hmac(fused_hmac_sha, ops, SHA_LANES);
	return (uint32_t)(pair * 256 / (wide * SHA_LANES));
}

static void
fused_destroy(void *opaque)
{
	struct fused_state *state = opaque;

	if (state == NULL)
		return;
	engine_ipsec_mb.destroy(state->aead);
	free(state);
}

static void *
fused_create(const struct fused_kernels *kernels)
{
	struct fused_state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->kernels = kernels;
	state->aead = engine_ipsec_mb.create();
	if (state->aead == NULL) {
		free(state);
		return NULL;
	}
	state->sha_cost = measure_sha(kernels);
	snprintf(state->variant, sizeof(state->variant), "%s, %u lanes%s", kernels->name,
		kernels->lanes,
		state->sha_cost == SHA_NEVER ? "" : ", SHA instructions for few packets");
	return state;
}

static const char *
fused_variant(const void *opaque)
{
	const struct fused_state *state = opaque;

	return state->variant;
}

static bool
avx512_usable(void)
{
	return fused_avx512_usable() && engine_ipsec_mb.usable();
}

static void *
avx512_create(void)
{
	return fused_create(&kernels_avx512);
}

static bool
avx2_usable(void)
{
	return fused_avx2_usable() && engine_ipsec_mb.usable();
}

static void *
avx2_create(void)
{
	return fused_create(&kernels_avx2);
}

const struct crypto_engine engine_avx512 = {
	.name = "avx512",
	.help = "sixteen packets side by side, needs AVX-512 with VBMI2, and VAES",
	.usable = avx512_usable,
	.create = avx512_create,
	.destroy = fused_destroy,
	.variant = fused_variant,
	.verify = fused_verify,
	.transcrypt = fused_transcrypt,
};

const struct crypto_engine engine_avx2 = {
	.name = "avx2",
	.help = "eight packets side by side, needs AVX2 and AES-NI",
	.usable = avx2_usable,
	.create = avx2_create,
	.destroy = fused_destroy,
	.variant = fused_variant,
	.verify = fused_verify,
	.transcrypt = fused_transcrypt,
};
