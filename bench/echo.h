/* SPDX-License-Identifier: BSD-3-Clause */
/* What feed and echo agree on: the rings that they share, and what is said over the control socket
 * (a local one, SOCK_SEQPACKET): an order, answered by the account of what was done before it. */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <stdint.h>

#define ECHO_BURST 64 /* packets, as a worker's */
/* Both are then secondary processes of the relay (media.shared_memory), whose rings and mbufs they
 * use, and each has lcores of its own numbers, since each number has a cache of mbufs. */
#define ECHO_RING_THERE "echo-in-0" /* from feed to the echo */
#define ECHO_RING_BACK "echo-out-0"
#define ECHO_RELAY "lab" /* the relay's device is "rings:lab" */
#define ECHO_LCORE 101
#define ECHO_FEED_LCORE 100

/* The echo looks for packets once in `period_ns`, unless it found a whole burst the last time; 0:
 * it looks all the time. Looking as often as a relay does, at the same rate, it finds as many. */
struct echo_order {
	uint64_t period_ns;
};

/* Of turns that found packets. */
struct echo_account {
	uint64_t packets, turns, cycles;
};

#endif
