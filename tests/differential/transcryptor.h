/* SPDX-License-Identifier: BSD-3-Clause */
/* Two legs without a port: what a worker does to a batch of packets, in its order. */
#ifndef TESTS_TRANSCRYPTOR_H
#define TESTS_TRANSCRYPTOR_H

#include "dataplane/engine.h"
#include "dataplane/srtp_stream.h"
#include "relay/api.h"

#define TRANSCRYPTOR_STREAMS 8

struct transcryptor_direction {
	struct srtp_key rx, tx;
	struct srtcp_key rtcp_rx, rtcp_tx;
	struct srtp_stream stream[TRANSCRYPTOR_STREAMS];
	unsigned streams;
	uint32_t rtcp_tx_index;
};

struct transcryptor {
	const struct crypto_engine *engine;
	void *state;
	struct transcryptor_direction direction[2];
};

struct media {
	uint8_t *data;   /* with 64 bytes of room behind `length` */
	unsigned length; /* in: as received; out: as sent */
	unsigned direction;
	bool rtcp;
	enum relay_drop drop; /* out; NONE: to be sent */
};

/* Keys of leg 0 and leg 1: what the relay receives with, and what it transmits with. */
void transcryptor_init(struct transcryptor *transcryptor, const struct relay_crypto receive[2],
	const struct relay_crypto transmit[2]);
void transcryptor_fini(struct transcryptor *transcryptor);

/* At most ENGINE_BATCH_MAX packets of either direction. */
void transcryptor_run(struct transcryptor *transcryptor, struct media *const media[], unsigned n);

#endif
