/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker's inside, for worker.c (its loop) and workers.c (its making) alone. */
#ifndef DATAPLANE_WORKER_PRIVATE_H
#define DATAPLANE_WORKER_PRIVATE_H

#include "flow.h"
#include "packet.h"
#include "worker.h"

#include <rte_cycles.h>

/* Packets of the burst that wait for one interface's queue. */
struct tx_batch {
	unsigned count;
	struct rte_mbuf *mbuf[WORKER_BURST];
	const struct packet *packet[WORKER_BURST];
	uint32_t bytes[WORKER_BURST]; /* of the frame */
};

struct worker {
	struct worker_shared *shared;
	void *engine;   /* the crypto engine's state */
	uint16_t index; /* also its queue on each device, and its number in the RCU variable */
	bool sampling;  /* this burst's stages are measured */
	bool fresh;     /* this burst came from a device, not from another worker */
	unsigned lcore;
	struct rte_ring *handover; /* mbufs of our sessions that others received */
	uint64_t turns;
	uint64_t bursts;
	uint64_t idle_turns;
	uint64_t turn_end; /* TSC */
	uint64_t stage_start;
	uint64_t now; /* tick_now() at the burst's begin */
	uint32_t now_ms;
	unsigned rooms_used;
	struct packet packets[WORKER_BURST];
	struct tx_batch tx[IFACE_MAX];
	union srtp_key_room rooms[WORKER_BURST]; /* SRTCP keys of the burst, then wiped */
	struct worker_counters counters;
} __attribute__((aligned(64)));

struct worker *worker_by_index(unsigned index);

/* Counts the cycles since the last call, or the burst's begin, for a stage, if they are sampled. */
static inline void
worker_stage(struct worker *worker, enum worker_stage stage)
{
	if (!worker->sampling)
		return;
	uint64_t now = rte_rdtsc();
	counter_add(&worker->counters.stage_cycles[stage], now - worker->stage_start);
	worker->stage_start = now;
}

/* The end of a packet that is not relayed. `iface`: it came in by; NULL: none has its VLAN.
 * `state`: of its flow; NULL: none of ours is known. */
void worker_drop(struct worker *worker, struct rte_mbuf *mbuf, const struct iface *iface,
	struct flow_state *state, enum relay_drop reason);

/* Relays media packets of the worker's own sessions (relay_burst.c): each is sent or dropped. */
void relay_burst(struct worker *worker, struct packet *packets[], unsigned count);

/* One turn of the loop: everything that waits now, once. For worker_main(), and for tests that run
 * a worker by hand. */
void worker_turn(struct worker *worker);

/* The loop, until shared->stop; an lcore function. `arg` is the worker. */
int worker_main(void *arg);

#endif
