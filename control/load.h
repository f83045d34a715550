/* SPDX-License-Identifier: BSD-3-Clause */
/* How much of what comes is refused, by how late our work is: the idea of RFC 7339 and RFC 6357,
 * with ourselves as the only judge. The share rises while work is late and falls when it is not;
 * strangers are refused first, those who are known when no stranger is let in any more. A plain
 * value. */
#ifndef CONTROL_LOAD_H
#define CONTROL_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_TICK_MS 50 /* how often load_tick() wants to be called */

struct load {
	double late_ms; /* smoothed */
	double refused; /* 0: nobody; 1: every stranger; 2: everybody */
};

/* Work was `late_ms` late since the last call; `limit_ms` is what may be. */
void load_tick(struct load *load, double late_ms, double limit_ms);

/* Is this one refused? `chance` is a random number of 0 to 1, without 1. */
bool load_refuses(const struct load *load, bool known, double chance);

/* Who asks, in the order in which they are refused. */
enum load_rank {
	LOAD_STRANGER,
	LOAD_KNOWN,
	LOAD_PROVING, /* known, and with credentials: mostly the second half of what was begun */
};

/* The event loop has had something to do for `busy_ms` without a pause, so what waits at a
 * connection may have waited as long. Are new requests refused until it pauses? Load beyond what
 * we can do keeps it from pausing, however quickly it goes round. */
bool load_jams(double busy_ms, double limit_ms, enum load_rank rank);

#endif
