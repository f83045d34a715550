/* SPDX-License-Identifier: BSD-3-Clause */
/* The way out to a leg's far end: IP and UDP headers made ready, filled in at each packet. */
#ifndef DATAPLANE_PATH_H
#define DATAPLANE_PATH_H

#include "iface.h"
#include "nexthop.h"
#include "relay/drop.h"

#include <rte_mbuf.h>

struct path {
	const struct iface *iface; /* NULL: no address to send to is known yet */
	struct nexthop *nexthop;   /* counted by the session, not by the path */
	uint8_t headers[48];       /* IPv4 or IPv6 header, and UDP; lengths and checksums zero */
};
_Static_assert(sizeof(struct path) == 64, "one cache line");

/* Makes the path from one of our ports to `remote`, both of the interface's family. Control
 * thread. */
void path_build(struct path *path, const struct iface *iface, struct nexthop *nexthop,
	uint16_t local_port, const struct relay_addr *remote);

/* Puts Ethernet, IP and UDP headers before the `length` bytes at `payload`, which lie in `mbuf`,
 * and sets the mbuf's start and length; checksums by offload or here. The mbuf's headroom is at
 * least that of a received packet. Any worker. Returns RELAY_DROP_NONE or the reason to drop. */
enum relay_drop
path_write(const struct path *path, struct rte_mbuf *mbuf, uint8_t *payload, uint16_t length);

#endif
