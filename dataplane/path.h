/* SPDX-License-Identifier: BSD-3-Clause */
/* The way out to a leg's far end: Ethernet, VLAN, IP and UDP headers. */
#ifndef DATAPLANE_PATH_H
#define DATAPLANE_PATH_H

#include "bridge.h"
#include "iface.h"
#include "relay/drop.h"

#include <rte_mbuf.h>

/* The interface that packets to this leg go out by. Any worker. */
static inline struct iface *
path_iface(const struct bridge_leg *leg)
{
	return media_addresses[leg->address]->iface;
}

/* Puts Ethernet, VLAN tag, IP (with the leg's DSCP, RFC 2474) and UDP headers before the `length`
 * bytes at `payload`, which lie in `mbuf`, addressed to the leg's far end, for RTP or RTCP; sets
 * the mbuf's start and length; checksums by offload or here. The mbuf's headroom is at least that
 * of a received packet. Any worker. Returns RELAY_DROP_NONE or the reason to drop. */
enum relay_drop path_write(const struct bridge_leg *leg, bool rtcp, struct rte_mbuf *mbuf,
	uint8_t *payload, uint16_t length);

/* Puts the interface's VLAN tag into a frame from its TAP. False: no headroom. Any worker. */
bool path_tag(const struct iface *iface, struct rte_mbuf *mbuf);

#endif
