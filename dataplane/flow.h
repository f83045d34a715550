/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A flow: one direction of a session, from the leg where packets come in to the other.
 *
 * What a worker reads (struct flow) and what it writes (struct flow_state) lie apart. A flow never
 * changes: when keys or addresses do, the control thread builds a new one, publishes it in the port
 * table in place of the old, and frees the old after a grace period. The state lives as long as the
 * session.
 */
#ifndef DATAPLANE_FLOW_H
#define DATAPLANE_FLOW_H

#include "path.h"
#include "srtp_key.h"
#include "srtp_stream.h"

#include <stdatomic.h>

#define FLOW_SSRC_MAX 16 /* SSRC contexts a direction may have */

struct session;

/* Master key identifiers, only where a key has one (RFC 3711 3.1). */
struct flow_mki {
	uint8_t rx[RELAY_MKI_MAX];
	uint8_t tx[RELAY_MKI_MAX];
};

struct flow {
	/* first line: what every packet needs */
	struct flow_state *state;
	struct session *session;    /* for the control thread: never followed by a worker */
	const struct flow_mki *mki; /* NULL where neither side has one */
	uint8_t leg;                /* 0 or 1: packets come in on this leg */
	uint8_t worker;             /* index of the worker that owns the session */
	uint8_t ready;              /* both legs have keys, and the other one an address */
	uint8_t rx_mux;             /* a=rtcp-mux with the far end of this leg */
	uint8_t latch;              /* the source may move with a genuine packet */
	uint8_t rx_mki_length;
	uint8_t tx_mki_length;
	uint8_t rx_epoch; /* changes with the receive key */
	uint8_t tx_epoch; /* changes with the transmit key */
	uint8_t reserved[3];
	uint32_t generation;  /* of the session, which may be gone when a request is read */
	uint64_t rx_lifetime; /* packets that the receive key may protect (RFC 3711 9.2) */
	uint64_t tx_lifetime; /* and the transmit key */

	/* where this leg's far end sends from, as far as is known; family 0: not known */
	struct relay_addr source[2]; /* RTP, RTCP */
	struct path path[2];         /* to the other leg's far end: RTP, RTCP */
	struct srtp_key rx;
	struct srtp_key tx;
	struct srtcp_key rtcp_rx;
	struct srtcp_key rtcp_tx;
} __attribute__((aligned(64)));

/* Written by the owning worker alone; the control thread reads the atomics with relaxed loads. */
struct flow_state {
	struct srtp_stream stream; /* the first SSRC; more hang on its `next` */
	_Atomic uint64_t packets_in;
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t packets_out;
	_Atomic uint64_t bytes_out;
	_Atomic uint64_t rtcp_in;
	_Atomic uint64_t rtcp_out;
	_Atomic uint64_t last_tsc; /* of the last genuine packet; 0: none yet */
	uint64_t rx_key_packets;   /* RTP packets under the present receive key */
	uint64_t tx_key_packets;   /* and under the present transmit key */
	uint32_t rtcp_tx_index;    /* last SRTCP index sent under the present transmit key */
	uint8_t streams;           /* SSRC contexts in use */
	uint8_t rx_epoch;          /* of the flow that the streams belong to */
	uint8_t tx_epoch;
	/* set by the worker when it asks for a latch, cleared by the control thread when done */
	_Atomic uint8_t latch_asked;
	_Atomic uint32_t drops[RELAY_DROP_COUNT];
} __attribute__((aligned(64)));

/* What a worker asks of the control thread: a genuine packet came from a new address. */
struct latch_request {
	struct session *session;
	struct relay_addr from;
	uint8_t leg;
	uint8_t rtcp; /* the RTCP address moved, not that of RTP */
	uint8_t reserved[2];
	uint32_t generation;
};
_Static_assert(sizeof(struct latch_request) % 4 == 0, "an element of an rte_ring");

/* Adds to a counter that this thread alone writes and others read: no locked instruction. */
static inline void
counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline uint64_t
counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Counts a packet of this flow that is being dropped. Owning worker. */
static inline void
flow_count_drop(struct flow_state *state, enum relay_drop reason)
{
	_Atomic uint32_t *counter = &state->drops[reason];

	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
		memory_order_relaxed);
}

#endif
