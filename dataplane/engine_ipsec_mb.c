/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine on Intel's ipsec-mb, called directly: synchronous bursts of one algorithm each.
 *
 * HASH_BURST spreads the packets of a batch over the SIMD lanes; CIPHER_BURST works packet by
 * packet, so decryption and encryption are two passes in place. Sizes and pointers are ours, not
 * the packet's, so the variants without argument checks are used.
 */
#include "engine.h"

#include <endian.h>
#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define ROC_LENGTH 4
#define DIGEST_LENGTH 20
#define IV_LENGTH 16

_Static_assert(ENGINE_BATCH_MAX <= IMB_MAX_BURST_SIZE, "a batch is one burst");

struct ipsec_mb_state {
	IMB_MGR *manager;
	IMB_JOB job[ENGINE_BATCH_MAX];
	uint8_t iv[2][ENGINE_BATCH_MAX][IV_LENGTH] __attribute__((aligned(16))); /* rx, tx */
	uint8_t digest[ENGINE_BATCH_MAX][DIGEST_LENGTH];
};

static bool
ipsec_mb_usable(void)
{
	/* Debian builds the library without its emulation of AES-NI. */
	return (imb_get_feature_flags() & IMB_CPUFLAGS_SSE) == IMB_CPUFLAGS_SSE;
}

static void
ipsec_mb_destroy(void *opaque)
{
	struct ipsec_mb_state *state = opaque;

	if (state == NULL)
		return;
	if (state->manager != NULL) {
		/* its lanes hold copies of the last packets' hash states */
		OPENSSL_cleanse(state->manager, imb_get_mb_mgr_size());
		free_mb_mgr(state->manager);
	}
	OPENSSL_cleanse(state, sizeof(*state));
	free(state);
}

static void *
ipsec_mb_create(void)
{
	IMB_ARCH arch = IMB_ARCH_NONE;
	struct ipsec_mb_state *state;

	state = aligned_alloc(64, (sizeof(*state) + 63) / 64 * 64);
	if (state == NULL)
		return NULL;
	memset(state, 0, sizeof(*state));
	state->manager = alloc_mb_mgr(0);
	if (state->manager == NULL)
		goto fail;
	init_mb_mgr_auto(state->manager, &arch);
	if (arch == IMB_ARCH_NONE || imb_get_errno(state->manager) != 0)
		goto fail;
	return state;
fail:
	ipsec_mb_destroy(state);
	return NULL;
}

static const char *
ipsec_mb_variant(const void *opaque)
{
	const struct ipsec_mb_state *state = opaque;

	switch (state->manager->used_arch) {
	case IMB_ARCH_SSE:
		return "SSE";
	case IMB_ARCH_AVX:
		return "AVX";
	case IMB_ARCH_AVX2:
		return "AVX2";
	case IMB_ARCH_AVX512:
		return "AVX512";
	default:
		return "unknown";
	}
}

/* Places the ROC behind an RTP packet, as its HMAC wants (RFC 3711 4.2), and gives the length of
 * the HMAC's input. */
static inline unsigned
finish_hash_input(const struct crypto_op *op, uint64_t index)
{
	uint32_t roc;

	if (op->kind != CRYPTO_RTP)
		return op->auth_length;
	roc = htobe32((uint32_t)(index >> 16));
	memcpy(op->data + op->auth_length, &roc, ROC_LENGTH);
	return op->auth_length + ROC_LENGTH;
}

/* `output` gets DIGEST_LENGTH bytes, however short the tag is. */
static inline void
prepare_hash(IMB_JOB *job, const struct crypto_op *op, const struct srtp_key *key, uint64_t index,
	uint8_t *output)
{
	job->src = op->data;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_hash_in_bytes = finish_hash_input(op, index);
	job->u.HMAC._hashed_auth_key_xor_ipad = key->hmac_inner;
	job->u.HMAC._hashed_auth_key_xor_opad = key->hmac_outer;
	job->auth_tag_output = output;
	job->auth_tag_output_len_in_bytes = DIGEST_LENGTH;
}

static inline bool
run_hashes(struct ipsec_mb_state *state, unsigned n)
{
	return n == 0 || IMB_SUBMIT_HASH_BURST_NOCHECK(
				 state->manager, state->job, n, IMB_AUTH_HMAC_SHA_1) == n;
}

static inline bool
run_ciphers(struct ipsec_mb_state *state, unsigned n)
{
	return n == 0 || IMB_SUBMIT_CIPHER_BURST_NOCHECK(state->manager, state->job, n,
				 IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT, IMB_KEY_128_BYTES) == n;
}

static void
ipsec_mb_verify(void *opaque, struct crypto_op *const ops[], unsigned n)
{
	struct ipsec_mb_state *state = opaque;
	bool done;

	for (unsigned i = 0; i < n; i++)
		prepare_hash(
			&state->job[i], ops[i], ops[i]->rx, ops[i]->rx_index, state->digest[i]);
	done = run_hashes(state, n);
	for (unsigned i = 0; i < n; i++)
		ops[i]->genuine = done && CRYPTO_memcmp(state->digest[i], ops[i]->tag,
						  ops[i]->rx->tag_length) == 0;
}

/* (k_s << 16) XOR (SSRC << 64) XOR (index << 16): RFC 3711 4.1.1. */
static inline void
make_iv(uint8_t iv[IV_LENGTH], const struct srtp_key *key, uint32_t ssrc, uint64_t index)
{
	uint64_t half[2];

	memcpy(half, key->salt, sizeof(half));
	half[0] ^= htobe64(ssrc);
	half[1] ^= htobe64(index << 16);
	memcpy(iv, half, sizeof(half));
}

/* Both passes, one keystream each. Returns false if the library did not do it. */
static bool
recrypt(struct ipsec_mb_state *state, struct crypto_op *const ops[], unsigned n)
{
	const struct srtp_key *tx[ENGINE_BATCH_MAX];
	unsigned jobs = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct crypto_op *op = ops[i];
		IMB_JOB *job = &state->job[jobs];

		if (op->cipher_length == 0)
			continue;
		job->src = op->data;
		job->dst = op->data + op->cipher_offset;
		job->cipher_start_src_offset_in_bytes = op->cipher_offset;
		job->msg_len_to_cipher_in_bytes = op->cipher_length;
		job->enc_keys = op->rx->schedule;
		job->key_len_in_bytes = IMB_KEY_128_BYTES;
		make_iv(state->iv[0][jobs], op->rx, op->ssrc, op->rx_index);
		make_iv(state->iv[1][jobs], op->tx, op->ssrc, op->tx_index);
		job->iv = state->iv[0][jobs];
		job->iv_len_in_bytes = IV_LENGTH;
		tx[jobs++] = op->tx;
	}
	if (!run_ciphers(state, jobs))
		return false;
	for (unsigned i = 0; i < jobs; i++) {
		state->job[i].enc_keys = tx[i]->schedule;
		state->job[i].iv = state->iv[1][i];
	}
	return run_ciphers(state, jobs);
}

static void
ipsec_mb_transcrypt(void *opaque, struct crypto_op *const ops[], unsigned n)
{
	struct ipsec_mb_state *state = opaque;
	bool done = recrypt(state, ops, n);

	for (unsigned i = 0; i < n; i++)
		prepare_hash(&state->job[i], ops[i], ops[i]->tx, ops[i]->tx_index, ops[i]->tag);
	done = run_hashes(state, n) && done;
	if (__builtin_expect(done, true))
		return;
	/* Never seen, and nobody is asked: but what is sent then must not be the plaintext. */
	for (unsigned i = 0; i < n; i++) {
		memset(ops[i]->data + ops[i]->cipher_offset, 0, ops[i]->cipher_length);
		memset(ops[i]->tag, 0, sizeof(ops[i]->tag));
	}
}

const struct crypto_engine engine_ipsec_mb = {
	.name = "ipsec-mb",
	.help = "Intel ipsec-mb, any x86-64 CPU with SSE4.2, AES-NI and PCLMULQDQ",
	.usable = ipsec_mb_usable,
	.create = ipsec_mb_create,
	.destroy = ipsec_mb_destroy,
	.variant = ipsec_mb_variant,
	.verify = ipsec_mb_verify,
	.transcrypt = ipsec_mb_transcrypt,
};
