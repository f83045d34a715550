/* SPDX-License-Identifier: BSD-3-Clause */
/* A port to another DPDK process of this machine that maps our memory (media.shared_memory): a pair
 * of rings for each queue, by which mbufs of the pool "packets" change their owner; nothing is
 * copied. Control thread, while no worker runs. */
#ifndef DATAPLANE_PORT_RINGS_H
#define DATAPLANE_PORT_RINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PORT_RINGS "rings:"       /* begins such a device's name */
#define PORT_RINGS_SLOTS 16384    /* of each ring */
#define PORT_RINGS_NAME_MAX 15    /* characters of NAME */
#define PORT_RINGS_TEXT 32        /* room for a ring's name */
#define PORT_RINGS_POOL "packets" /* whose mbufs they are */

/* Is this device's name "rings:NAME"? */
bool port_rings_named(const char *device);

/* What the other process looks for (rte_ring_lookup()): "NAME-in-0" is what the relay receives by
 * queue 0, "NAME-out-0" what it sends. One process may write to the one and read the other. */
static inline void
port_rings_name(char text[PORT_RINGS_TEXT], const char *name, bool in, unsigned queue)
{
	snprintf(text, PORT_RINGS_TEXT, "%.*s-%s-%u", PORT_RINGS_NAME_MAX, name, in ? "in" : "out",
		queue);
}

/* Makes the rings and a port of them: 0 and *id, or -errno. */
int port_rings_open(const char *device, unsigned queues, uint16_t *id);

/* After the port is closed: its rings, with what is in them. Any other port's id does nothing. */
void port_rings_close(uint16_t id);

#endif
