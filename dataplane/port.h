/* SPDX-License-Identifier: BSD-3-Clause */
/* A DPDK port: a device probed, configured with a queue pair for each worker, and started. Control
 * thread, while no worker runs. */
#ifndef DATAPLANE_PORT_H
#define DATAPLANE_PORT_H

#include <rte_eal.h>
#include <rte_ether.h>
#include <rte_mempool.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Queue pairs of a net_tap. When it is started it puts two descriptors for each into one message to
 * other processes (which we don't have), and writes past that message's end if they are more. */
#define PORT_TAP_QUEUES_MAX (RTE_MP_MAX_FD_NUM / 2)

struct port {
	uint16_t id;
	bool udp_checksum_offload; /* it fills in IPv4 header and UDP checksums */
	struct rte_ether_addr mac;
};

/* Opens the device: a vdev's "name,arguments", "rings:NAME" (port_rings.h), or a PCI address that
 * EAL was started with. `where`
 * begins each sentence: `media.interfaces[0] "public"`. 0 and *port, or -errno after a sentence;
 * then nothing is left open. */
int port_open(const char *where, const char *device, unsigned queues, struct rte_mempool *pool,
	struct port *port, char *error, size_t error_size);

void port_close(uint16_t id);

#endif
