/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters and status of the whole process, for the relay API. Control thread; takes no lock. */
#ifndef DATAPLANE_STATS_H
#define DATAPLANE_STATS_H

#include "relay/api.h"

#include <rte_mempool.h>

/* What the status tells that no other module knows. `memory` is a sentence in static storage. */
void stats_init(struct rte_mempool *mbufs, const char *memory, const char *engine_why);

/* Writes at most `room` counters; returns how many. Every drop reason has one, also at zero. */
unsigned stats_collect(struct relay_counter *out, unsigned room);

/* Fills in all but the header. */
void stats_status(struct relay_status_reply *out);

#endif
