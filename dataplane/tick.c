/* SPDX-License-Identifier: BSD-3-Clause */
#include "tick.h"

struct tick tick;

void
tick_init(void)
{
	tick.ms_per_cycle = 1000.0 / (double)rte_get_tsc_hz();
	tick.skew = 0;
	tick.start = rte_rdtsc();
}

void
tick_advance(uint64_t ms)
{
	tick.skew += (uint64_t)((double)ms / tick.ms_per_cycle);
}
