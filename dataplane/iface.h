/* SPDX-License-Identifier: BSD-3-Clause */
/* A media interface: a DPDK port, the address on it, and the exception TAP that gives the kernel
 * everything that is not media. */
#ifndef DATAPLANE_IFACE_H
#define DATAPLANE_IFACE_H

#include "relay/config.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdint.h>

#define IFACE_MAX 16

struct port_table;

struct iface {
	/* read by workers at each packet, constant after iface_open() */
	uint16_t port_id;
	uint16_t tap_port_id;
	uint16_t mtu;                 /* bytes of IP */
	uint8_t udp_checksum_offload; /* the port fills in IPv4 header and UDP checksums */
	uint8_t index;                /* in ifaces[] */
	uint8_t tap_queues;           /* of the TAP: that many workers, the first, serve it */
	struct rte_ether_addr mac;
	struct relay_ip ip;       /* the media address */
	struct port_table *table; /* local port -> leg, set by the session module */

	/* control thread only */
	uint8_t prefix_length;
	struct relay_ip gateway;
	int tap_ifindex;
	char tap_name[16];
	const struct config_interface *config;
};

extern struct iface *ifaces[IFACE_MAX];
extern unsigned ifaces_count;

/* Opens the device named in the config (a vdev's devargs or a PCI address) with `queues` queue
 * pairs, one for each worker, receive buffers from `pool`; makes the TAP with the device's MAC,
 * puts the address on it and brings it up. Control thread, before the workers start. Returns 0 and
 * *out, also placed in ifaces[]; or -errno after a sentence was written to error. */
int iface_open(const struct config_interface *config, unsigned queues, struct rte_mempool *pool,
	struct iface **out, char *error, size_t error_size);

/* Stops and closes port and TAP. After the workers have stopped. */
void iface_close(struct iface *iface);

#endif
