/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * AES_CM_128_HMAC_SHA1_80 by ipsec-mb's own calls, with no more work for a packet than they need:
 * its two keys, two IVs (RFC 3711 4.1.1), the ROC behind it (4.2) and a comparison of 10 bytes.
 */
#include "crypto_raw.h"

static inline void
put_roc(const struct crypto_op *op, uint64_t index)
{
	uint32_t roc = htobe32((uint32_t)(index >> 16));

	memcpy(op->data + op->length, &roc, sizeof(roc));
}

/* 0 if they are the same; takes as long when not. */
static inline uint64_t
compare_tags(const uint8_t *a, const uint8_t *b)
{
	uint64_t x, y;
	uint16_t s, t;

	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	memcpy(&s, a + 8, 2);
	memcpy(&t, b + 8, 2);
	return (x ^ y) | (uint64_t)(s ^ t);
}

static unsigned
count_wrong(const struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < n; i++)
		wrong += compare_tags(raw->digest[i], ops[i]->tag) != 0;
	return wrong;
}

void
raw_cm_prepare(IMB_JOB *jobs, unsigned n, bool transmit)
{
	memset(jobs, 0, n * sizeof(*jobs));
	for (unsigned i = 0; i < n; i++) {
		jobs[i].cipher_mode = IMB_CIPHER_CNTR;
		jobs[i].cipher_direction = transmit ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
		jobs[i].chain_order = transmit ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
		jobs[i].hash_alg = IMB_AUTH_HMAC_SHA_1;
		jobs[i].key_len_in_bytes = IMB_KEY_128_BYTES;
		jobs[i].iv_len_in_bytes = 16;
		jobs[i].cipher_start_src_offset_in_bytes = HEADER_LENGTH;
		jobs[i].hash_start_src_offset_in_bytes = 0;
		jobs[i].auth_tag_output_len_in_bytes = DIGEST_LENGTH;
	}
}

/* --- HASH_BURST and CIPHER_BURST: one array of jobs for all four passes, since a hash and a cipher
 * read different fields of it, and what the packet brings is the same in both directions --- */

unsigned
raw_cm_split(struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	IMB_JOB *jobs = raw->job;
	unsigned wrong;

	for (unsigned i = 0; i < n; i++) {
		const struct crypto_op *op = ops[i];
		put_roc(op, op->rx_index);
		jobs[i].src = op->data;
		jobs[i].dst = op->data + HEADER_LENGTH;
		jobs[i].msg_len_to_hash_in_bytes = op->length + ROC_LENGTH;
		jobs[i].msg_len_to_cipher_in_bytes = op->cipher_length;
		jobs[i].u.HMAC._hashed_auth_key_xor_ipad = op->rx->hmac_inner;
		jobs[i].u.HMAC._hashed_auth_key_xor_opad = op->rx->hmac_outer;
		jobs[i].auth_tag_output = raw->digest[i];
		jobs[i].enc_keys = op->rx->schedule;
		make_aes_cm_iv(raw->iv[i], op->rx, op->ssrc, op->rx_index);
		jobs[i].iv = (const uint8_t *)raw->iv[i];
	}
	if (IMB_SUBMIT_HASH_BURST_NOCHECK(raw->hash, jobs, n, IMB_AUTH_HMAC_SHA_1) != n)
		return n;
	wrong = count_wrong(raw, ops, n);
	if (IMB_SUBMIT_CIPHER_BURST_NOCHECK(
		    raw->cipher, jobs, n, IMB_CIPHER_CNTR, IMB_DIR_DECRYPT, IMB_KEY_128_BYTES) != n)
		return n;
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		put_roc(op, op->tx_index);
		jobs[i].u.HMAC._hashed_auth_key_xor_ipad = op->tx->hmac_inner;
		jobs[i].u.HMAC._hashed_auth_key_xor_opad = op->tx->hmac_outer;
		jobs[i].auth_tag_output = op->tag;
		jobs[i].enc_keys = op->tx->schedule;
		make_aes_cm_iv(raw->iv[i], op->tx, op->ssrc, op->tx_index);
	}
	if (IMB_SUBMIT_CIPHER_BURST_NOCHECK(raw->cipher, jobs, n, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
		    IMB_KEY_128_BYTES) != n ||
		IMB_SUBMIT_HASH_BURST_NOCHECK(raw->hash, jobs, n, IMB_AUTH_HMAC_SHA_1) != n)
		return n;
	return wrong;
}

/* --- jobs of both a hash and a cipher. Decryption does not wait for the comparison here: it's the
 * library's own order --- */

static inline __attribute__((always_inline)) void
fill(struct raw *raw, IMB_JOB *job, const struct crypto_op *op, const struct srtp_key *key,
	uint64_t index, unsigned i)
{
	put_roc(op, index);
	job->src = op->data;
	job->dst = op->data + HEADER_LENGTH;
	job->msg_len_to_hash_in_bytes = op->length + ROC_LENGTH;
	job->msg_len_to_cipher_in_bytes = op->cipher_length;
	job->u.HMAC._hashed_auth_key_xor_ipad = key->hmac_inner;
	job->u.HMAC._hashed_auth_key_xor_opad = key->hmac_outer;
	job->enc_keys = key->schedule;
	make_aes_cm_iv(raw->iv[i], key, op->ssrc, index);
	job->iv = (const uint8_t *)raw->iv[i];
	job->auth_tag_output = raw->digest[i];
}

static inline __attribute__((always_inline)) void
fill_rx(struct raw *raw, IMB_JOB *job, const struct crypto_op *op, unsigned i)
{
	fill(raw, job, op, op->rx, op->rx_index, i);
}

static inline __attribute__((always_inline)) void
fill_tx(struct raw *raw, IMB_JOB *job, const struct crypto_op *op, unsigned i)
{
	fill(raw, job, op, op->tx, op->tx_index, i);
	job->auth_tag_output = (uint8_t *)(uintptr_t)op->tag;
}

unsigned
raw_cm_job(struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	return raw_both(raw, ops, n, raw_jobs, fill_rx, fill_tx, count_wrong);
}

unsigned
raw_cm_burst(struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	return raw_both(raw, ops, n, raw_burst, fill_rx, fill_tx, count_wrong);
}
