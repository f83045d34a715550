/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_rings.h"

#include "port.h"

#include <errno.h>
#include <rte_errno.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <string.h>

#define QUEUES_MAX RTE_PMD_RING_MAX_RX_RINGS /* of DPDK's ring driver */

/* One reader and one writer each: a worker, and one thread of the other process. */
#define RING_FLAGS (RING_F_SP_ENQ | RING_F_SC_DEQ)

static struct {
	struct rte_ring *in[QUEUES_MAX], *out[QUEUES_MAX];
} made[RTE_MAX_ETHPORTS];

bool
port_rings_named(const char *device)
{
	return strncmp(device, PORT_RINGS, strlen(PORT_RINGS)) == 0;
}

static struct rte_ring *
make_ring(const char *name, bool in, unsigned queue)
{
	char text[PORT_RINGS_TEXT];

	port_rings_name(text, name, in, queue);
	return rte_ring_create(text, PORT_RINGS_SLOTS, (int)rte_socket_id(), RING_FLAGS);
}

static void
free_ring(struct rte_ring *ring)
{
	void *mbuf;

	if (ring == NULL)
		return;
	while (rte_ring_dequeue(ring, &mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	rte_ring_free(ring);
}

static void
free_rings(struct rte_ring *const in[], struct rte_ring *const out[], unsigned queues)
{
	for (unsigned i = 0; i < queues; i++) {
		free_ring(in[i]);
		free_ring(out[i]);
	}
}

int
port_rings_open(const char *device, unsigned queues, uint16_t *id)
{
	const char *name = device + strlen(PORT_RINGS);
	struct rte_ring *in[QUEUES_MAX] = {NULL}, *out[QUEUES_MAX] = {NULL};
	int port = -1, result = -ENOMEM;

	if (queues > QUEUES_MAX)
		return -ENOSPC;
	unsigned i = 0;
	while (i < queues && (in[i] = make_ring(name, true, i)) != NULL &&
		(out[i] = make_ring(name, false, i)) != NULL)
		i++;
	if (i == queues) {
		port = rte_eth_from_rings(name, in, queues, out, queues, rte_socket_id());
		result = rte_errno != 0 ? -rte_errno : -EIO;
	}
	if (port < 0) {
		free_rings(in, out, queues);
		return result;
	}
	*id = (uint16_t)port;
	memcpy(made[port].in, in, sizeof(in));
	memcpy(made[port].out, out, sizeof(out));
	return 0;
}

void
port_rings_close(uint16_t id)
{
	free_rings(made[id].in, made[id].out, QUEUES_MAX);
	memset(&made[id], 0, sizeof(made[id]));
}
