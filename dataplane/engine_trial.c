/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_trial.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS 16
#define BATCHES 4   /* an engine's turn in a round */
#define HEADER 12   /* bytes of RTP */
#define PAYLOAD 160 /* bytes: 20 ms of G.711 */
#define SPACING 256 /* bytes from packet to packet */

/* What all engines work on. The key is of zeros, so are the packets: every engine takes the same
 * time for any. */
struct trial {
	uint8_t packet[ENGINE_BATCH_MAX][SPACING];
	struct crypto_op op[ENGINE_BATCH_MAX];
	struct crypto_op *ops[ENGINE_BATCH_MAX];
	union srtp_key_room key;
};
_Static_assert(HEADER + PAYLOAD + SRTP_TAG_MAX <= SPACING, "a packet has room");
_Static_assert(sizeof(struct trial) % 64 == 0, "aligned_alloc() asks for it");

static struct trial *
make_trial(void)
{
	struct trial *trial = aligned_alloc(64, sizeof(*trial));

	if (trial == NULL)
		return NULL;
	memset(trial, 0, sizeof(*trial));
	trial->key.key.suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80;
	trial->key.key.tag_length = 10;
	for (unsigned i = 0; i < ENGINE_BATCH_MAX; i++) {
		trial->op[i] = (struct crypto_op){.data = trial->packet[i],
			.length = HEADER + PAYLOAD,
			.cipher_offset = HEADER,
			.cipher_length = PAYLOAD,
			.kind = CRYPTO_RTP,
			.ssrc = i,
			.rx = &trial->key.key,
			.tx = &trial->key.key};
		trial->ops[i] = &trial->op[i];
	}
	return trial;
}

static double
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double
run_turn(const struct crypto_engine *engine, void *state, const struct trial *trial)
{
	double begun = now_ns();

	for (unsigned i = 0; i < BATCHES; i++) {
		engine->verify(state, trial->ops, ENGINE_BATCH_MAX);
		engine->transcrypt(state, trial->ops, ENGINE_BATCH_MAX);
	}
	return (now_ns() - begun) / (BATCHES * ENGINE_BATCH_MAX);
}

void
engine_trial(const struct crypto_engine *const candidates[], unsigned n, double ns[])
{
	struct trial *trial = make_trial();
	void *states[ENGINE_TRIAL_MAX];

	for (unsigned i = 0; i < n; i++) {
		ns[i] = 0;
		states[i] = trial != NULL ? candidates[i]->create() : NULL;
	}
	/* in turn, and the least of all rounds: a neighbour's noise then hits none alone */
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < n; i++) {
			if (states[i] == NULL)
				continue;
			double took = run_turn(candidates[i], states[i], trial);
			if (round == 0 || took < ns[i])
				ns[i] = took;
		}
	for (unsigned i = 0; i < n; i++)
		if (states[i] != NULL)
			candidates[i]->destroy(states[i]);
	free(trial);
}
