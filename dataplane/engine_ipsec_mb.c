/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine on Intel's ipsec-mb, called directly: synchronous bursts of one algorithm each, and
 * GCM packet by packet.
 *
 * HASH_BURST spreads the packets of a batch over the SIMD lanes; CIPHER_BURST works packet by
 * packet, so decryption and encryption are two passes in place. Sizes and pointers are ours, not
 * the packet's, so the variants without argument checks are used.
 */
#include "engine_input.h"

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#define GCM_TAG_LENGTH 16
#define AAD_MAX 2048 /* bytes: the longest RTCP packet, and its index word */
#define DIGEST_LENGTH 20

_Static_assert(ENGINE_BATCH_MAX <= IMB_MAX_BURST_SIZE, "a batch is one burst");

struct ipsec_mb_state {
	IMB_MGR *manager;
	IMB_JOB job[ENGINE_BATCH_MAX];
	uint64_t iv[ENGINE_BATCH_MAX][2] __attribute__((aligned(16)));
	struct gcm_context_data gcm;
	uint8_t aad[AAD_MAX];
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

/* Places what follows a packet in its HMAC's input, RTP's ROC (RFC 3711 4.2) or SRTCP's index word
 * (3.4), and gives the length of that input. */
static inline unsigned
finish_hash_input(const struct crypto_op *op, uint64_t index)
{
	uint32_t word = hash_tail(op, index);

	memcpy(op->data + op->length, &word, HASH_TAIL_LENGTH);
	return op->length + HASH_TAIL_LENGTH;
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

/* What the tag covers beside the ciphertext: the header, and of RTCP the index word. */
static inline unsigned
make_aad(const struct crypto_op *op, uint8_t *room, const uint8_t **aad)
{
	uint32_t word = htobe32(op->rtcp_word);

	*aad = op->data;
	if (op->kind == CRYPTO_RTP)
		return op->cipher_offset;
	if (op->cipher_offset > AAD_MAX - sizeof(word))
		return 0; /* no frame is so long; a tag over nothing is right nowhere */
	memcpy(room, op->data, op->cipher_offset);
	memcpy(room + op->cipher_offset, &word, sizeof(word));
	*aad = room;
	return op->cipher_offset + (unsigned)sizeof(word);
}

/* En- or decrypts in place, and makes the 16-byte tag. */
static void
run_gcm(struct ipsec_mb_state *state, const struct crypto_op *op, const struct srtp_key *key,
	uint64_t index, bool encrypt, uint8_t tag[GCM_TAG_LENGTH])
{
	const struct gcm_key_data *gcm = srtp_key_gcm(key);
	uint8_t *text = op->data + op->cipher_offset;
	uint8_t iv[GCM_IV_LENGTH];
	const uint8_t *aad;
	unsigned aad_length = make_aad(op, state->aad, &aad);
	bool short_key = key->suite == RELAY_SUITE_AEAD_AES_128_GCM;

	make_gcm_iv(iv, key, op->ssrc, index);
	if (encrypt && short_key)
		IMB_AES128_GCM_ENC(state->manager, gcm, &state->gcm, text, text, op->cipher_length,
			iv, aad, aad_length, tag, GCM_TAG_LENGTH);
	else if (encrypt)
		IMB_AES256_GCM_ENC(state->manager, gcm, &state->gcm, text, text, op->cipher_length,
			iv, aad, aad_length, tag, GCM_TAG_LENGTH);
	else if (short_key)
		IMB_AES128_GCM_DEC(state->manager, gcm, &state->gcm, text, text, op->cipher_length,
			iv, aad, aad_length, tag, GCM_TAG_LENGTH);
	else
		IMB_AES256_GCM_DEC(state->manager, gcm, &state->gcm, text, text, op->cipher_length,
			iv, aad, aad_length, tag, GCM_TAG_LENGTH);
}

/* Decrypts on the way, which a wrong tag takes back. */
static void
verify_gcm(struct ipsec_mb_state *state, struct crypto_op *op)
{
	uint8_t tag[GCM_TAG_LENGTH];

	run_gcm(state, op, op->rx, op->rx_index, false, tag);
	op->genuine = op->opened = CRYPTO_memcmp(tag, op->tag, GCM_TAG_LENGTH) == 0;
	if (!op->genuine)
		run_gcm(state, op, op->rx, op->rx_index, true, tag);
}

static void
ipsec_mb_verify(void *opaque, struct crypto_op *const ops[], unsigned n)
{
	struct ipsec_mb_state *state = opaque;
	struct crypto_op *hashed[ENGINE_BATCH_MAX];
	unsigned hashes = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		op->opened = false;
		op->genuine = op->rx == NULL;
		if (op->rx == NULL)
			continue;
		if (srtp_key_is_aead(op->rx)) {
			verify_gcm(state, op);
			continue;
		}
		prepare_hash(&state->job[hashes], op, op->rx, op->rx_index, state->digest[hashes]);
		hashed[hashes++] = op;
	}
	bool done = run_hashes(state, hashes);
	for (unsigned i = 0; i < hashes; i++)
		hashed[i]->genuine = done && CRYPTO_memcmp(state->digest[i], hashed[i]->tag,
						     hashed[i]->rx->tag_length) == 0;
}

/* The operations whose keys have this length, through counter mode once. Returns false if the
 * library did not do it. */
static bool
run_ciphers(struct ipsec_mb_state *state, struct crypto_op *const ops[], unsigned n, bool transmit,
	unsigned key_length)
{
	unsigned jobs = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct crypto_op *op = ops[i];
		const struct srtp_key *key = transmit ? op->tx : op->rx;
		IMB_JOB *job = &state->job[jobs];

		if (op->cipher_length == 0 || key == NULL || aes_cm_key_bytes(key) != key_length)
			continue;
		job->src = op->data;
		job->dst = op->data + op->cipher_offset;
		job->cipher_start_src_offset_in_bytes = op->cipher_offset;
		job->msg_len_to_cipher_in_bytes = op->cipher_length;
		job->enc_keys = key->schedule;
		job->key_len_in_bytes = key_length;
		make_aes_cm_iv(
			state->iv[jobs], key, op->ssrc, transmit ? op->tx_index : op->rx_index);
		job->iv = (const uint8_t *)state->iv[jobs];
		job->iv_len_in_bytes = AES_CM_IV_LENGTH;
		jobs++;
	}
	return jobs == 0 ||
	       IMB_SUBMIT_CIPHER_BURST_NOCHECK(state->manager, state->job, jobs, IMB_CIPHER_CNTR,
		       IMB_DIR_ENCRYPT, (IMB_KEY_SIZE_BYTES)key_length) == jobs;
}

/* Which key lengths there are, so that the usual batch of one length is one pass. */
static bool
run_all_ciphers(
	struct ipsec_mb_state *state, struct crypto_op *const ops[], unsigned n, bool transmit)
{
	unsigned lengths = 0; /* bits 2, 3, 4: 16, 24, 32 bytes */
	bool done = true;

	for (unsigned i = 0; i < n; i++) {
		const struct srtp_key *key = transmit ? ops[i]->tx : ops[i]->rx;
		if (key != NULL)
			lengths |= 1u << aes_cm_key_bytes(key) / 8;
	}
	for (unsigned length = 16; length <= 32; length += 8)
		if (lengths >> length / 8 & 1)
			done &= run_ciphers(state, ops, n, transmit, length);
	return done;
}

static bool
make_tags(struct ipsec_mb_state *state, struct crypto_op *const ops[], unsigned n)
{
	unsigned hashes = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		if (op->tx == NULL)
			continue;
		if (srtp_key_is_aead(op->tx))
			run_gcm(state, op, op->tx, op->tx_index, true, op->tag);
		else
			prepare_hash(&state->job[hashes++], op, op->tx, op->tx_index, op->tag);
	}
	return run_hashes(state, hashes);
}

static void
ipsec_mb_transcrypt(void *opaque, struct crypto_op *const ops[], unsigned n)
{
	struct ipsec_mb_state *state = opaque;
	bool done = run_all_ciphers(state, ops, n, false);

	done &= run_all_ciphers(state, ops, n, true);
	done &= make_tags(state, ops, n);
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
