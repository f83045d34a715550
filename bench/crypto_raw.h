/* SPDX-License-Identifier: BSD-3-Clause */
/* ipsec-mb called straight: what crypto_raw.c (which picks one way) and its ways share. */
#ifndef BENCH_CRYPTO_RAW_H
#define BENCH_CRYPTO_RAW_H

#include "crypto.h"
#include "dataplane/engine_input.h"

#include <intel-ipsec-mb.h>

#define RAW_ARCHS 4 /* SSE, AVX, AVX2, AVX-512, as ipsec-mb names its own variants */
#define DIGEST_LENGTH 20
#define GCM_TAG_LENGTH 16
#define ROC_LENGTH 4

/* A manager for each variant and direction: its ring of jobs can then be filled in once with all
 * that never changes. NULL where the CPU has not what the variant needs. */
struct raw_managers {
	IMB_MGR *rx[RAW_ARCHS];
	IMB_MGR *tx[RAW_ARCHS];
};

struct raw {
	struct raw_managers managers;
	IMB_MGR *rx, *tx;       /* of the way in use */
	IMB_MGR *hash, *cipher; /* of HASH_BURST and CIPHER_BURST: they need not be one variant */
	IMB_JOB job[BURST_MAX];
	IMB_JOB *ring[BURST_MAX];
	uint64_t iv[BURST_MAX][2] __attribute__((aligned(16)));
	uint8_t digest[BURST_MAX]
		      [DIGEST_LENGTH]; /* HASH_BURST writes all of it, whatever it's asked */
	struct gcm_context_data gcm;
};

typedef unsigned (*raw_run)(struct raw *raw, struct crypto_op *const ops[], unsigned n);

/* AES_CM_128_HMAC_SHA1_80 (crypto_raw_cm.c). Each returns how many packets did not verify. */
unsigned raw_cm_split(struct raw *raw, struct crypto_op *const ops[], unsigned n);
unsigned raw_cm_job(struct raw *raw, struct crypto_op *const ops[], unsigned n);
unsigned raw_cm_burst(struct raw *raw, struct crypto_op *const ops[], unsigned n);

/* What never changes of a job: into all of a ring, or of raw->job (HASH_BURST and CIPHER_BURST
 * don't ask for the direction). */
void raw_cm_prepare(IMB_JOB *jobs, unsigned n, bool transmit);

/* AEAD_AES_128_GCM (crypto_raw_gcm.c). */
unsigned raw_gcm_direct(struct raw *raw, struct crypto_op *const ops[], unsigned n);
unsigned raw_gcm_job(struct raw *raw, struct crypto_op *const ops[], unsigned n);
unsigned raw_gcm_burst(struct raw *raw, struct crypto_op *const ops[], unsigned n);
void raw_gcm_prepare(IMB_JOB *jobs, unsigned n, bool transmit);

/* Hands n jobs, filled in by `fill`, to the manager one by one, and waits for the last. False: they
 * did not all come back. */
typedef void (*raw_fill)(struct raw *raw, IMB_JOB *job, const struct crypto_op *op, unsigned i);

static inline __attribute__((always_inline)) bool
raw_jobs(
	struct raw *raw, IMB_MGR *manager, struct crypto_op *const ops[], unsigned n, raw_fill fill)
{
	unsigned back = 0;

	for (unsigned i = 0; i < n; i++) {
		fill(raw, IMB_GET_NEXT_JOB(manager), ops[i], i);
		/* one that comes back may be an earlier one; more may have come with it */
		for (IMB_JOB *job = IMB_SUBMIT_JOB_NOCHECK(manager); job != NULL;
			job = IMB_GET_COMPLETED_JOB(manager))
			back += job->status == IMB_STATUS_COMPLETED;
	}
	while (back < n) {
		const IMB_JOB *job = IMB_FLUSH_JOB(manager);
		if (job == NULL || job->status != IMB_STATUS_COMPLETED)
			return false;
		back++;
	}
	return true;
}

/* The same by SUBMIT_BURST and FLUSH_BURST. */
static inline __attribute__((always_inline)) bool
raw_burst(
	struct raw *raw, IMB_MGR *manager, struct crypto_op *const ops[], unsigned n, raw_fill fill)
{
	unsigned back;

	while (IMB_GET_NEXT_BURST(manager, n, raw->ring) < n)
		if (IMB_FLUSH_BURST(manager, n, raw->ring) == 0)
			return false;
	for (unsigned i = 0; i < n; i++)
		fill(raw, raw->ring[i], ops[i], i);
	back = IMB_SUBMIT_BURST_NOCHECK(manager, n, raw->ring);
	while (back < n) {
		unsigned more = IMB_FLUSH_BURST(manager, n - back, raw->ring);
		if (more == 0)
			return false;
		back += more;
	}
	return true;
}

typedef bool (*raw_hand)(struct raw *raw, IMB_MGR *manager, struct crypto_op *const ops[],
	unsigned n, raw_fill fill);
/* How many of the tags in raw->digest are not those that came with the packets. */
typedef unsigned (*raw_count)(const struct raw *raw, struct crypto_op *const ops[], unsigned n);

/* Both directions of a batch, by raw_jobs or raw_burst. */
static inline __attribute__((always_inline)) unsigned
raw_both(struct raw *raw, struct crypto_op *const ops[], unsigned n, raw_hand hand, raw_fill rx,
	raw_fill tx, raw_count count_wrong)
{
	unsigned wrong;

	if (!hand(raw, raw->rx, ops, n, rx))
		return n;
	wrong = count_wrong(raw, ops, n);
	return hand(raw, raw->tx, ops, n, tx) ? wrong : n;
}

#endif
