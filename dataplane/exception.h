/* SPDX-License-Identifier: BSD-3-Clause */
/* The exception path: a TAP that belongs to the kernel, with the port's link address and the media
 * address on it. What is not media goes there, so the kernel answers ARP, ND and ICMP, keeps the
 * neighbour table, and ends TCP (signalling may listen on the media address). */
#ifndef DATAPLANE_EXCEPTION_H
#define DATAPLANE_EXCEPTION_H

#include "iface.h"

/* Makes the TAP of an interface whose port, address, index and MTU are known, with a queue pair for
 * each of `workers` or as many as net_tap can, and sets its tap_port_id, tap_queues, tap_name and
 * tap_ifindex. 0, or -errno after a sentence. */
int exception_open(const char *where, struct iface *iface, unsigned workers,
	struct rte_mempool *pool, char *error, size_t error_size);

/* Removes it and its rule. */
void exception_close(struct iface *iface);

#endif
