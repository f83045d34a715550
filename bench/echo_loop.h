/* SPDX-License-Identifier: BSD-3-Clause */
/* The echo's loop, and the control socket that feed orders it by. */
#ifndef BENCH_ECHO_LOOP_H
#define BENCH_ECHO_LOOP_H

#include "echo.h"

#include <rte_ring.h>
#include <stdatomic.h>

/* What one lcore echoes: a queue of a port, or a pair of rings. Its counters have one writer. */
struct echo_end {
	uint16_t port, queue;
	struct rte_ring *in, *out; /* in place of a port */
	_Atomic uint64_t packets, turns, cycles;
} __attribute__((aligned(128)));

/* Echoes until echo_stop() was called. `arg`: the struct echo_end. */
int echo_loop(void *arg);
/* From a signal handler too. */
void echo_stop(void);
/* Takes orders at this socket, on a thread of its own that uses no lcore. 0 or -errno. */
int echo_control_start(const char *path, struct echo_end ends[], unsigned count);

#endif
