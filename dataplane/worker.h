/* SPDX-License-Identifier: BSD-3-Clause */
/* A worker: one lcore that owns sessions and moves their packets. */
#ifndef DATAPLANE_WORKER_H
#define DATAPLANE_WORKER_H

#include "engine.h"
#include "iface.h"
#include "relay/config.h"
#include "relay/drop.h"

#include <rte_rcu_qsbr.h>
#include <rte_ring.h>
#include <stdatomic.h>

#define WORKER_MAX 64
#define WORKER_BURST 64

/* Where a worker's cycles go: measured in one burst of WORKER_SAMPLE, so that the measuring costs
 * little. In the order of a packet's life. */
#define WORKER_STAGES(X)            \
	X(RECEIVE, "receive")       \
	X(SORT, "sort")             \
	X(OPEN, "open")             \
	X(VERIFY, "verify")         \
	X(ACCEPT, "accept")         \
	X(TRANSCRYPT, "transcrypt") \
	X(ADDRESS, "address")       \
	X(SEND, "send")

enum worker_stage {
#define WORKER_STAGE_ENUM(symbol, name) STAGE_##symbol,
	WORKER_STAGES(WORKER_STAGE_ENUM)
#undef WORKER_STAGE_ENUM
		STAGE_COUNT
};

#define WORKER_SAMPLE 16

/* Written by the worker alone, read by the control thread with relaxed loads. */
struct worker_counters {
	_Atomic uint64_t packets;     /* received from media interfaces */
	_Atomic uint64_t relayed;     /* sent to the other leg */
	_Atomic uint64_t bursts;      /* polls that found packets */
	_Atomic uint64_t idle;        /* polls that found none */
	_Atomic uint64_t handed_over; /* given to the worker that owns session or TAP queue */
	_Atomic uint64_t to_kernel;
	_Atomic uint64_t from_kernel;
	_Atomic uint64_t busy_cycles;               /* of turns that found work */
	_Atomic uint64_t idle_cycles;               /* of the others, sleep included */
	_Atomic uint64_t stage_cycles[STAGE_COUNT]; /* of the sampled bursts */
	_Atomic uint64_t sampled;                   /* media packets in those */
	_Atomic uint64_t drops[RELAY_DROP_COUNT];   /* of frames of no interface (VLAN_UNKNOWN) */
	struct {
		_Atomic uint64_t rx_packets;
		_Atomic uint64_t rx_bytes;
		_Atomic uint64_t tx_packets;
		_Atomic uint64_t tx_bytes;
		_Atomic uint64_t drops[RELAY_DROP_COUNT]; /* of what came in by it */
	} iface[IFACE_MAX];
} __attribute__((aligned(64)));

/* What the workers share with the control thread, made by it before they start. */
struct worker_shared {
	struct rte_rcu_qsbr *qsbr;   /* a worker reports a quiescent state in each turn */
	struct rte_ring *latches;    /* struct latch_request, workers to control thread */
	struct rte_mempool *streams; /* struct srtp_stream, for SSRCs beyond the first */
	const struct crypto_engine *engine;
	enum config_poll poll;
	_Atomic bool stop;
};

struct worker;

/* Makes the shared part and `count` workers, each with its engine state, its hand-over ring and its
 * arrays: nothing is allocated later. Control thread, after EAL and interfaces are up. 0 or -errno
 * after a sentence. */
int workers_create(const struct config_media *config, const struct crypto_engine *engine,
	char *error, size_t error_size);

/* Starts each on an lcore of its own. */
int workers_launch(char *error, size_t error_size);

/* Asks them to stop and waits until they have. Then workers_destroy() frees all. */
void workers_stop(void);
void workers_destroy(void);

unsigned workers_count(void);
struct worker_shared *workers_shared(void);
const struct worker_counters *worker_counters(unsigned index);
const char *workers_engine_variant(void);

#endif
