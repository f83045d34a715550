/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Media interfaces. A device is a DPDK port; an interface is a device, or one VLAN of it, with its
 * own media addresses and its own exception TAP, which gives the kernel everything that is not
 * media. All is constant after iface_open().
 */
#ifndef DATAPLANE_IFACE_H
#define DATAPLANE_IFACE_H

#include "relay/config.h"

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdint.h>

#define IFACE_MAX 16
#define MEDIA_ADDRESS_MAX 1024 /* of all interfaces */

struct iface;
struct port_table;

/* One of an interface's media addresses. */
struct media_address {
	struct relay_ip ip;
	uint16_t index; /* in media_addresses[] */
	uint8_t prefix_length;
	struct iface *iface;
	struct port_table *table; /* local port -> session: media_address_set_table() */
	struct relay_ip gateway;
	const struct config_address *config;
};

/* Of an interface's map: what a worker asks of each packet's address, in half a cache line, so that
 * many addresses need not be read themselves. */
struct iface_slot {
	uint32_t word; /* the address, or the last four bytes of an IPv6 one, as in a header */
	uint32_t ports;
	uint16_t ports_first;
	uint16_t family;
	struct media_address *address; /* NULL: the slot is free */
	_Atomic uintptr_t *entries;    /* of its table: all pairs */
};
_Static_assert(sizeof(struct iface_slot) == 32, "two in a cache line");

struct iface {
	/* read by workers at each packet */
	uint16_t port_id;
	uint16_t tap_port_id;
	uint16_t mtu;                 /* bytes of IP */
	uint16_t vlan;                /* 1 to 4094; 0: untagged */
	uint8_t udp_checksum_offload; /* the port fills in IPv4 header and UDP checksums */
	uint8_t index;                /* in ifaces[] */
	uint8_t tap_queues;           /* of the TAP: that many workers, the first, serve it */
	uint8_t dscp;                 /* of what is sent to legs that have none of their own */
	struct rte_ether_addr mac;
	/* Open addressing by the address's last bytes: at most half full, a slot without an
	 * address ends a search. */
	uint16_t map_mask;
	uint32_t map_factor; /* odd: of the hash */
	struct iface_slot *map;

	/* control thread only */
	struct media_address **addresses;
	unsigned addresses_count;
	int tap_ifindex;
	char tap_name[16];
	const struct config_interface *config;
};

/* A DPDK port with the interfaces on it. */
struct device {
	uint16_t port_id;
	uint8_t vlans;          /* some interface of it has a VLAN */
	struct iface *untagged; /* NULL: none */
	unsigned count;
	struct iface *tagged[IFACE_MAX];
};

extern struct iface *ifaces[IFACE_MAX];
extern unsigned ifaces_count;
extern struct device devices[IFACE_MAX];
extern unsigned devices_count;
extern struct media_address *media_addresses[MEDIA_ADDRESS_MAX];
extern unsigned media_addresses_count;

/* Opens the device named in the config (a vdev's devargs or a PCI address), unless an earlier
 * interface with another VLAN has it open, with `queues` queue pairs, one for each worker, receive
 * buffers from `pool`; makes the TAP with the device's MAC, puts the addresses on it and brings it
 * up. Control thread, before the workers start. Returns 0 and *out, also placed in ifaces[]; or
 * -errno after a sentence was written to error. */
int iface_open(const struct config_interface *config, unsigned queues, struct rte_mempool *pool,
	struct iface **out, char *error, size_t error_size);

/* Stops and closes the TAP, and with its last interface the port. After the workers have
 * stopped; the last opened goes first. */
void iface_close(struct iface *iface);

/* Adds an interface that the caller made (its port, MAC, MTU and `addresses` are set) to the
 * tables above, and makes its map. What iface_open() ends with; tests make their own. 0, -ENOMEM,
 * -ENOSPC, or -EEXIST: the port has this VLAN already. */
int iface_register(struct iface *iface);
void iface_unregister(struct iface *iface);

/* The interface of a frame with that VLAN (0: untagged, or a priority tag) on a device; NULL:
 * none. Any worker. */
static inline struct iface *
device_iface(const struct device *device, uint16_t vlan)
{
	if (vlan == 0)
		return device->untagged;
	for (unsigned i = 0; i < device->count; i++)
		if (device->tagged[i]->vlan == vlan)
			return device->tagged[i];
	return NULL;
}

/* The kernel's interface that the device borrows, into `name` (NETDEV_NAME_SIZE). False: it borrows
 * none. Control thread. */
bool iface_netdev(const struct iface *iface, char *name);

/* Gives the address of a registered interface its table, or takes it away (NULL). Control thread;
 * no worker runs. */
void media_address_set_table(struct media_address *address, struct port_table *table);

/* Its table offers these ports from now on. Control thread; workers may run. */
void media_address_offer(struct media_address *address, uint16_t first, uint16_t last);

static inline uint32_t
media_address_hash(const struct iface *iface, uint32_t word)
{
	/* the upper half of the product: addresses that differ in their last byte alone differ in
	 * a word's uppermost, which the lower half would lose */
	return (uint32_t)((uint64_t)word * iface->map_factor >> 32);
}

/* The slot of an IPv4 address as it stands in a header, or NULL. Any worker. */
static inline const struct iface_slot *
iface_slot_ipv4(const struct iface *iface, uint32_t word)
{
	uint32_t at = media_address_hash(iface, word);

	for (;; at++) {
		const struct iface_slot *slot = &iface->map[at & iface->map_mask];
		if (slot->address == NULL)
			return NULL;
		if (slot->word == word && slot->family == 4)
			return slot;
	}
}

/* The interface's media address that equals these 4 or 16 bytes, or NULL. Any worker. */
const struct media_address *
iface_address(const struct iface *iface, const uint8_t *ip, unsigned family);

#endif
