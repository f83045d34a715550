/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's inside, for worker.c (its loop) and workers.c (its making) alone. */
#ifndef DATAPLANE_WORKER_PRIVATE_H
#define DATAPLANE_WORKER_PRIVATE_H

#include "packet.h"
#include "worker.h"

/* Packets that wait for one interface's queue, and whom they count for. */
struct tx_batch {
	unsigned count;
	struct rte_mbuf *mbuf[WORKER_BURST];
	const struct flow *flow[WORKER_BURST];
	uint32_t bytes[WORKER_BURST];   /* of the frame */
	uint16_t payload[WORKER_BURST]; /* of RTP, without MKI and tag */
	uint8_t rtcp[WORKER_BURST];
};

struct worker {
	struct worker_shared *shared;
	void *engine;   /* the crypto engine's state */
	uint16_t index; /* also its queue on each interface, and its number in the RCU variable */
	unsigned lcore;
	struct rte_ring *handover; /* mbufs of our sessions that others received */
	uint64_t turns;
	uint64_t idle_turns;
	unsigned rtcp_keys_used;
	struct packet packets[WORKER_BURST];
	struct tx_batch tx[IFACE_MAX];
	struct srtp_key rtcp_keys[WORKER_BURST][2];
	struct worker_counters counters;
} __attribute__((aligned(64)));

struct worker *worker_by_index(unsigned index);

/* The loop, until shared->stop; an lcore function. `arg` is the worker. */
int worker_main(void *arg);

#endif
