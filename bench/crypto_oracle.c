/* SPDX-License-Identifier: BSD-3-Clause */
/* libsrtp2: it takes part, and it is the judge of what all the others make. It derives its keys
 * from the master keys by itself. */
#include "crypto.h"

#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 128 /* packets */

static void
start_library(void)
{
	static bool started;

	if (!started && srtp_init() != srtp_err_status_ok)
		fail("libsrtp2 can't be started: nothing can be verified");
	started = true;
}

/* One direction of one session, with its ROC. */
static srtp_t
open_session(const struct sessions *sessions, unsigned number, enum side side)
{
	const struct relay_suite_info *info = relay_suite_info(sessions->suite);
	const struct session *session = &sessions->session[number];
	struct relay_crypto master;
	uint8_t key[64];
	srtp_policy_t policy = {.ssrc = {.type = ssrc_specific, .value = session->ssrc},
		.key = key,
		.window_size = WINDOW};
	srtp_t made;

	start_library();
	sessions_master(sessions->suite, number, side, &master);
	memcpy(key, master.key, info->key_length);
	memcpy(key + info->key_length, master.salt, info->salt_length);
	if (info->aead) {
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
	} else {
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
		srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	}
	if (srtp_create(&made, &policy) != srtp_err_status_ok ||
		srtp_set_stream_roc(made, session->ssrc, session->roc[side]) != srtp_err_status_ok)
		fail("libsrtp2 can't take session %u with %s: nothing can be verified", number,
			info->name);
	return made;
}

bool
oracle_verify(const struct pool *pool, unsigned i, enum side side, uint8_t *data)
{
	srtp_t session = open_session(pool->sessions, pool->number[i], side);
	int length = (int)(pool->length + pool->tag_length);
	uint8_t payload[2048];
	bool good = srtp_unprotect(session, data, &length) == srtp_err_status_ok;

	srtp_dealloc(session);
	pool_payload(pool, i, payload);
	return good && length == (int)pool->length &&
	       memcmp(data + HEADER_LENGTH, payload, pool->point.payload) == 0;
}

/* --- as contestant --- */

struct oracle {
	unsigned most;   /* sessions */
	unsigned rounds; /* that will be asked for */
	const struct pool *pool;
	srtp_t *session[2]; /* by side, one a session of the pool */
};

static unsigned
oracle_run(void *opaque, struct crypto_op *const ops[], unsigned n, unsigned first)
{
	struct oracle *oracle = opaque;
	unsigned tag_length = oracle->pool->tag_length, failed = 0;

	for (unsigned i = 0; i < n; i++) {
		struct crypto_op *op = ops[i];
		uint32_t number = oracle->pool->number[first + i];
		int length = op->length + (int)tag_length;
		if (srtp_unprotect(oracle->session[SIDE_A][number], op->data, &length) !=
			srtp_err_status_ok) {
			failed++;
			continue;
		}
		if (srtp_protect(oracle->session[SIDE_B][number], op->data, &length) !=
			srtp_err_status_ok)
			failed++;
		memcpy(op->tag, op->data + op->length, tag_length);
	}
	return failed;
}

static bool
oracle_ready(void *opaque, const struct pool *pool)
{
	struct oracle *oracle = opaque;
	unsigned count = pool->point.sessions;

	if (count > oracle->most || pool->point.burst != BURST_MAX)
		return false;
	oracle->pool = pool;
	for (int side = SIDE_A; side <= SIDE_B; side++) {
		oracle->session[side] = calloc(count, sizeof(srtp_t));
		if (oracle->session[side] == NULL)
			fail("no memory for libsrtp2's %u sessions", count);
		for (unsigned i = 0; i < count; i++)
			oracle->session[side][i] = open_session(pool->sessions, i, side);
	}
	return true;
}

static void
oracle_done(void *opaque)
{
	struct oracle *oracle = opaque;

	for (int side = SIDE_A; side <= SIDE_B; side++) {
		for (unsigned i = 0; i < oracle->pool->point.sessions; i++)
			srtp_dealloc(oracle->session[side][i]);
		free(oracle->session[side]);
	}
}

bool
oracle_contestant(struct contestant *contestant, unsigned sessions_most, unsigned rounds)
{
	static struct oracle oracle;

	oracle.most = sessions_most;
	oracle.rounds = rounds;
	*contestant = (struct contestant){.name = "libsrtp2",
		.run = oracle_run,
		.ready = oracle_ready,
		.done = oracle_done,
		.once = true,
		.state = &oracle};
	return true;
}
