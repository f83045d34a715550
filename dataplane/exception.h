/* SPDX-License-Identifier: BSD-3-Clause */
/* The exception path: a TAP that belongs to the kernel, one an interface, with the port's link
 * address and the interface's media addresses on it. What is not media goes there, without its VLAN
 * tag, so the kernel answers ARP, ND and ICMP, keeps the neighbour table, and ends TCP (signalling
 * may listen on a media address). */
#ifndef DATAPLANE_EXCEPTION_H
#define DATAPLANE_EXCEPTION_H

#include "iface.h"

/* Makes the TAP of an interface that is registered (iface.h), with a queue pair for each of
 * `workers` or as many as net_tap can, and sets its tap_port_id, tap_queues, tap_name and
 * tap_ifindex. 0, or -errno after a sentence. */
int exception_open(const char *where, struct iface *iface, unsigned workers,
	struct rte_mempool *pool, char *error, size_t error_size);

/* Removes it and its rules; the interface is still registered. */
void exception_close(struct iface *iface);

#endif
