/* SPDX-License-Identifier: BSD-3-Clause */
/* Link addresses of next hops, followed from the kernel by rtnetlink: the kernel answers ARP and ND
 * on the exception TAP and keeps the neighbour table; we read it. */
#ifndef DATAPLANE_NEXTHOP_H
#define DATAPLANE_NEXTHOP_H

#include "relay/addr.h"

#include <stdint.h>

struct media_address;

/* One neighbour. Written by the control thread only; workers read `link` with a relaxed load at
 * each packet, so that a change of the neighbour's address needs no change of any session. */
struct nexthop {
	_Atomic uint64_t link; /* the MAC in the first 6 bytes (memory order); 0: unresolved */
};

/* Opens the netlink sockets. Control thread, like all that follows but the read of `link`. */
int nexthop_init(void);
void nexthop_fini(void);

/* The next hop from `local` towards `destination` (on link: itself; else the address's gateway),
 * with one more reference; resolution is started, and kept fresh while referenced. NULL: no
 * gateway for an address off link, or out of memory. */
struct nexthop *nexthop_get(const struct media_address *local, const struct relay_ip *destination);
void nexthop_ref(struct nexthop *nexthop);
void nexthop_put(struct nexthop *nexthop);

/* Descriptor to poll; nexthop_process() reads what came. nexthop_tick() is to be called about
 * once a second: it asks again for what is unresolved and refreshes what is stale. */
int nexthop_fd(void);
void nexthop_process(void);
void nexthop_tick(void);

#endif
