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

/* Written by the worker alone, read by the control thread with relaxed loads. */
struct worker_counters {
	_Atomic uint64_t packets;     /* received from media interfaces */
	_Atomic uint64_t relayed;     /* sent to the other leg */
	_Atomic uint64_t bursts;      /* polls that found packets */
	_Atomic uint64_t idle;        /* polls that found none */
	_Atomic uint64_t handed_over; /* given to the worker that owns session or TAP queue */
	_Atomic uint64_t to_kernel;
	_Atomic uint64_t from_kernel;
	_Atomic uint64_t drops[RELAY_DROP_COUNT];
	struct {
		_Atomic uint64_t rx_packets;
		_Atomic uint64_t rx_bytes;
		_Atomic uint64_t tx_packets;
		_Atomic uint64_t tx_bytes;
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
