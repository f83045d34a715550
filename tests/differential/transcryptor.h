/* SPDX-License-Identifier: BSD-3-Clause */
/* Two legs without a port: the shipped path of a packet from open to seal, as relay_burst.c calls
 * it. EAL has been started. */
#ifndef TESTS_TRANSCRYPTOR_H
#define TESTS_TRANSCRYPTOR_H

#include "dataplane/flow.h"
#include "dataplane/packet.h"
#include "relay/api.h"

#include <rte_mempool.h>

struct transcryptor {
	const struct crypto_engine *engine;
	void *state;
	struct bridge bridge;
	struct flow_state flow[2];
	struct srtp_key *keys[4];
	struct rte_mempool *streams;
	bool long_way;       /* in: without srtp_plain.h's short one */
	unsigned short_ways; /* out: packets that took it */
};

struct media {
	uint8_t *data;   /* with 64 bytes of room behind `length` */
	unsigned length; /* in: as received; out: as sent */
	unsigned direction;
	bool rtcp;
	enum relay_drop drop; /* out; NONE: to be sent */
};

/* Keys of leg 0 and leg 1: what the relay receives with, and what it transmits with;
 * RELAY_SUITE_NONE: in clear. Further SSRC contexts come from `streams`. */
void transcryptor_init(struct transcryptor *transcryptor, const struct relay_crypto receive[2],
	const struct relay_crypto transmit[2], struct rte_mempool *streams);
void transcryptor_fini(struct transcryptor *transcryptor);

/* At most ENGINE_BATCH_MAX packets of either direction. */
void transcryptor_run(struct transcryptor *transcryptor, struct media *const media[], unsigned n);

#endif
