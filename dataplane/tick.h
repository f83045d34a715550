/* SPDX-License-Identifier: BSD-3-Clause */
/* The data plane's clock: the TSC, in milliseconds since the process began. No system call. */
#ifndef DATAPLANE_TICK_H
#define DATAPLANE_TICK_H

#include <rte_cycles.h>
#include <stdint.h>

/* Set once by tick_init(), then read only; but for `skew`, which only tests move (simulated time),
 * never while workers run. */
struct tick {
	uint64_t start; /* TSC */
	uint64_t skew;  /* TSC cycles added to every reading */
	double ms_per_cycle;
};
extern struct tick tick;

/* After EAL has measured the TSC's rate. Control thread. */
void tick_init(void);

/* Moves the clock forward: for tests. */
void tick_advance(uint64_t ms);

static inline uint64_t
tick_now(void)
{
	return rte_rdtsc() + tick.skew;
}

/* Milliseconds since tick_init(), and one: never 0 in the first 49 days. Wraps: compare by
 * subtraction. */
static inline uint32_t
tick_ms_of(uint64_t now)
{
	return (uint32_t)(uint64_t)((double)(now - tick.start) * tick.ms_per_cycle) + 1;
}

static inline uint32_t
tick_ms(void)
{
	return tick_ms_of(tick_now());
}

/* Whole seconds since tick_init(). */
static inline uint32_t
tick_s(void)
{
	return (uint32_t)((double)(tick_now() - tick.start) * tick.ms_per_cycle / 1000);
}

/* Since tick_init() in units of 1/65536 s, as RTCP's DLSR counts (RFC 3550 6.4.1). */
static inline uint32_t
tick_65536_of(uint64_t now)
{
	return (uint32_t)(uint64_t)((double)(now - tick.start) * tick.ms_per_cycle * 65.536);
}

#endif
