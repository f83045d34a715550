/* SPDX-License-Identifier: BSD-3-Clause */
/* AEAD_AES_128_GCM by ipsec-mb's own calls: IV and associated data of RFC 7714 8. */
#include "crypto_raw.h"

/* 0 if they are the same; takes as long when not. */
static inline uint64_t
compare_tags(const uint8_t *a, const uint8_t *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, 16);
	memcpy(y, b, 16);
	return (x[0] ^ y[0]) | (x[1] ^ y[1]);
}

static unsigned
count_wrong(const struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < n; i++)
		wrong += compare_tags(raw->digest[i], ops[i]->tag) != 0;
	return wrong;
}

unsigned
raw_gcm_direct(struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	unsigned wrong;

	for (unsigned i = 0; i < n; i++) {
		const struct crypto_op *op = ops[i];
		uint8_t *text = op->data + HEADER_LENGTH;
		make_gcm_iv((uint8_t *)raw->iv[0], op->rx, op->ssrc, op->rx_index);
		IMB_AES128_GCM_DEC(raw->rx, srtp_key_gcm(op->rx), &raw->gcm, text, text,
			op->cipher_length, (const uint8_t *)raw->iv[0], op->data, HEADER_LENGTH,
			raw->digest[i], GCM_TAG_LENGTH);
	}
	wrong = count_wrong(raw, ops, n);
	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		uint8_t *text = op->data + HEADER_LENGTH;
		make_gcm_iv((uint8_t *)raw->iv[0], op->tx, op->ssrc, op->tx_index);
		IMB_AES128_GCM_ENC(raw->tx, srtp_key_gcm(op->tx), &raw->gcm, text, text,
			op->cipher_length, (const uint8_t *)raw->iv[0], op->data, HEADER_LENGTH,
			op->tag, GCM_TAG_LENGTH);
	}
	return wrong;
}

void
raw_gcm_prepare(IMB_JOB *jobs, unsigned n, bool transmit)
{
	memset(jobs, 0, n * sizeof(*jobs));
	for (unsigned i = 0; i < n; i++) {
		jobs[i].cipher_mode = IMB_CIPHER_GCM;
		jobs[i].cipher_direction = transmit ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
		jobs[i].chain_order = transmit ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
		jobs[i].hash_alg = IMB_AUTH_AES_GMAC;
		jobs[i].key_len_in_bytes = IMB_KEY_128_BYTES;
		jobs[i].iv_len_in_bytes = GCM_IV_LENGTH;
		jobs[i].cipher_start_src_offset_in_bytes = HEADER_LENGTH;
		jobs[i].hash_start_src_offset_in_bytes = HEADER_LENGTH;
		jobs[i].auth_tag_output_len_in_bytes = GCM_TAG_LENGTH;
		jobs[i].u.GCM.aad_len_in_bytes = HEADER_LENGTH;
	}
}

static inline __attribute__((always_inline)) void
fill(struct raw *raw, IMB_JOB *job, const struct crypto_op *op, const struct srtp_key *key,
	uint64_t index, unsigned i)
{
	job->src = op->data;
	job->dst = op->data + HEADER_LENGTH;
	job->msg_len_to_cipher_in_bytes = op->cipher_length;
	job->msg_len_to_hash_in_bytes = op->cipher_length;
	job->enc_keys = job->dec_keys = srtp_key_gcm(key);
	job->u.GCM.aad = op->data;
	make_gcm_iv((uint8_t *)raw->iv[i], key, op->ssrc, index);
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
raw_gcm_job(struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	return raw_both(raw, ops, n, raw_jobs, fill_rx, fill_tx, count_wrong);
}

unsigned
raw_gcm_burst(struct raw *raw, struct crypto_op *const ops[], unsigned n)
{
	return raw_both(raw, ops, n, raw_burst, fill_rx, fill_tx, count_wrong);
}
