/* SPDX-License-Identifier: BSD-3-Clause */
#include "iface.h"

#include "exception.h"
#include "netdev.h"
#include "port.h"
#include "port_table.h"
#include "relay/log.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MTU_DEFAULT 1500

struct iface *ifaces[IFACE_MAX];
unsigned ifaces_count;
struct device devices[IFACE_MAX];
unsigned devices_count;
struct media_address *media_addresses[MEDIA_ADDRESS_MAX];
unsigned media_addresses_count;

/* An interface that iface_open() made, with what it points to. */
struct opened {
	struct iface iface; /* first: an interface that was opened is its struct opened */
	struct media_address address[CONFIG_ADDRESSES_MAX];
	struct media_address *addresses[CONFIG_ADDRESSES_MAX];
};

/* The kernel's interface behind the device ("net_af_xdp0,iface=veth0"), for the two drivers that
 * borrow one. False for all other devices. */
static bool
find_netdev(const char *device, char *name)
{
	const char *at;

	if (strncmp(device, "net_af_xdp", 10) != 0 && strncmp(device, "net_af_packet", 13) != 0)
		return false;
	at = strstr(device, ",iface=");
	if (at == NULL)
		return false;
	at += strlen(",iface=");
	snprintf(name, NETDEV_NAME_SIZE, "%.*s", (int)strcspn(at, ","), at);
	return true;
}

/* Keeps the kernel's own stack quiet on an interface that DPDK reads: the address is on the TAP.
 * net_af_packet only copies the packets, so without these the kernel would answer each twice: once
 * from here and once from the TAP. With strict reverse paths (RFC 3704) what comes in here for the
 * TAP's address is dropped; ARP is not answered here at all. */
static void
silence(const char *name, bool copies)
{
	static const struct {
		const char *family, *key, *value;
		bool only_copies;
	} settings[] = {
		{"ipv6", "disable_ipv6", "1", false},
		{"ipv4", "rp_filter", "1", true},
		{"ipv4", "arp_ignore", "8", true},
	};

	for (unsigned i = 0; i < RTE_DIM(settings); i++) {
		if (settings[i].only_copies && !copies)
			continue;
		int result = netdev_set_sysctl(
			settings[i].family, name, settings[i].key, settings[i].value);
		if (result != 0 && copies && result != -ENOENT)
			log_warning("net.%s.conf.%s.%s can't be set: %s; the kernel may answer "
				    "packets twice: sysctl net.%s.conf.%s.%s=%s",
				settings[i].family, name, settings[i].key, strerror(-result),
				settings[i].family, name, settings[i].key, settings[i].value);
	}
}

/* A NIC that takes the VLAN tags off tells the kernel of them, but not AF_XDP: its frames would all
 * be taken for untagged ones. */
static void
keep_tags(const char *where, const char *name)
{
	int result = netdev_keep_vlan_tags(name);

	if (result != 0)
		log_warning("%s: network interface %s takes VLAN tags off, and can't be told not "
			    "to: %s: ethtool -K %s rxvlan off",
			where, name, strerror(-result), name);
}

static int
prepare_netdev(const char *where, const char *name, bool copies, struct iface *iface, char *error,
	size_t size)
{
	int result;

	if (netdev_index(name) == 0) {
		snprintf(error, size, "%s: there is no network interface %s here (device \"%s\")",
			where, name, iface->config->device);
		return -ENODEV;
	}
	result = netdev_bring_up(name);
	if (result != 0) {
		snprintf(error, size, "%s: network interface %s can't be set up: %s%s", where, name,
			strerror(-result), result == -EPERM ? "; start as root" : "");
		return result;
	}
	if (!netdev_has_carrier(name))
		log_warning("%s: network interface %s has no carrier: is its other end up?", where,
			name);
	silence(name, copies);
	if (!copies)
		keep_tags(where, name);
	result = netdev_mtu(name);
	if (result > 0 && result < MTU_DEFAULT)
		iface->mtu = (uint16_t)result;
	return 0;
}

bool
iface_netdev(const struct iface *iface, char *name)
{
	return find_netdev(iface->config->device, name);
}

static struct device *
find_device(uint16_t port_id)
{
	for (unsigned i = 0; i < devices_count; i++)
		if (devices[i].port_id == port_id)
			return &devices[i];
	return NULL;
}

/* An open interface of the same device, by its name in the configuration. */
static const struct iface *
find_sister(const char *device)
{
	for (unsigned i = 0; i < ifaces_count; i++)
		if (ifaces[i]->config != NULL && strcmp(ifaces[i]->config->device, device) == 0)
			return ifaces[i];
	return NULL;
}

static int
open_port(const char *where, struct iface *iface, unsigned queues, struct rte_mempool *pool,
	char *error, size_t size)
{
	const char *device = iface->config->device;
	const struct iface *sister = find_sister(device);
	char netdev[NETDEV_NAME_SIZE];
	struct port port;
	int result;

	if (sister != NULL) {
		iface->port_id = sister->port_id;
		iface->mac = sister->mac;
		iface->mtu = sister->mtu;
		iface->udp_checksum_offload = sister->udp_checksum_offload;
		return 0;
	}
	iface->mtu = MTU_DEFAULT;
	if (find_netdev(device, netdev)) {
		bool copies = strncmp(device, "net_af_packet", 13) == 0;
		result = prepare_netdev(where, netdev, copies, iface, error, size);
		if (result != 0)
			return result;
	}
	result = port_open(where, device, queues, pool, &port, error, size);
	if (result != 0)
		return result;
	iface->port_id = port.id;
	iface->mac = port.mac;
	iface->udp_checksum_offload = port.udp_checksum_offload;
	return 0;
}

/* Closes the port if no interface is on it any more. */
static void
close_port(const struct iface *iface)
{
	if (find_device(iface->port_id) == NULL)
		port_close(iface->port_id);
}

/* An address's bytes that the map goes by. */
static uint32_t
last_word(const uint8_t *ip, unsigned family)
{
	uint32_t word;

	memcpy(&word, family == 4 ? ip : ip + 12, sizeof(word));
	return word;
}

static struct iface_slot *
find_slot(const struct iface *iface, const uint8_t *ip, unsigned family)
{
	uint32_t word = last_word(ip, family);

	for (uint32_t at = media_address_hash(iface, word);; at++) {
		struct iface_slot *slot = &iface->map[at & iface->map_mask];
		if (slot->address == NULL)
			return NULL;
		if (slot->word == word && slot->family == family &&
			memcmp(slot->address->ip.ip, ip, family == 4 ? 4 : 16) == 0)
			return slot;
	}
}

const struct media_address *
iface_address(const struct iface *iface, const uint8_t *ip, unsigned family)
{
	const struct iface_slot *slot = find_slot(iface, ip, family);

	return slot != NULL ? slot->address : NULL;
}

void
media_address_set_table(struct media_address *address, struct port_table *table)
{
	struct iface_slot *slot = find_slot(address->iface, address->ip.ip, address->ip.family);

	address->table = table;
	slot->ports_first = table != NULL ? table->first : 0;
	slot->ports = table != NULL ? 2u * table->pairs : 0;
	slot->entries = table != NULL ? table->entry : NULL;
}

void
media_address_offer(struct media_address *address, uint16_t first, uint16_t last)
{
	struct iface_slot *slot = find_slot(address->iface, address->ip.ip, address->ip.family);

	port_table_offer(address->table, first, last);
	/* as in port_table.c: in between, every port is media's */
	__atomic_store_n(&slot->ports, 65536, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->ports_first, address->table->first, __ATOMIC_RELEASE);
	__atomic_store_n(&slot->ports, 2u * address->table->pairs, __ATOMIC_RELEASE);
}

#define MAP_SIZE_MAX 32768u
#define MAP_TRIALS 256

/* Fills the map. Returns how many addresses found their place taken. */
static unsigned
fill_map(struct iface *iface, uint32_t size, uint32_t factor)
{
	unsigned taken = 0;

	memset(iface->map, 0, size * sizeof(iface->map[0]));
	iface->map_factor = factor;
	iface->map_mask = (uint16_t)(size - 1);
	for (unsigned i = 0; i < iface->addresses_count; i++) {
		struct media_address *address = iface->addresses[i];
		uint32_t word = last_word(address->ip.ip, address->ip.family);
		uint32_t at = media_address_hash(iface, word);
		taken += iface->map[at & iface->map_mask].address != NULL;
		while (iface->map[at & iface->map_mask].address != NULL)
			at++;
		iface->map[at & iface->map_mask] = (struct iface_slot){
			.word = word, .family = address->ip.family, .address = address};
	}
	return taken;
}

/* The addresses' map, at most half full: so each search ends. Searches that go on, for some
 * addresses and not for others, are what a CPU can't foresee; so it is so large, and its factor so
 * chosen, that there are none, if that can be had. */
static int
make_map(struct iface *iface)
{
	const uint32_t count = iface->addresses_count;
	uint32_t size = 2, factor = 2654435761u; /* 2^32 over the golden ratio */
	uint32_t best = factor, least = UINT32_MAX;

	while (size < 2 * count || (size < count * count / 4 && size < MAP_SIZE_MAX))
		size *= 2;
	iface->map = aligned_alloc(64, size * sizeof(struct iface_slot));
	if (iface->map == NULL)
		return -ENOMEM;
	for (unsigned trial = 0; trial < MAP_TRIALS && least > 0; trial++) {
		unsigned taken = fill_map(iface, size, factor);
		if (taken < least) {
			least = taken;
			best = factor;
		}
		factor = (factor * 1664525u + 1013904223u) | 1; /* other odd numbers, the same ones
		                                                   each time */
	}
	if (least > 0)
		fill_map(iface, size, best);
	return 0;
}

int
iface_register(struct iface *iface)
{
	struct device *device = find_device(iface->port_id);
	int result;

	if (ifaces_count == IFACE_MAX ||
		iface->addresses_count > MEDIA_ADDRESS_MAX - media_addresses_count)
		return -ENOSPC;
	if (device != NULL && device_iface(device, iface->vlan) != NULL)
		return -EEXIST;
	result = make_map(iface);
	if (result != 0)
		return result;
	if (device == NULL) {
		device = &devices[devices_count++];
		*device = (struct device){.port_id = iface->port_id};
	}
	if (iface->vlan == 0)
		device->untagged = iface;
	else
		device->tagged[device->count++] = iface;
	device->vlans = device->count > 0;
	iface->index = (uint8_t)ifaces_count;
	ifaces[ifaces_count++] = iface;
	for (unsigned i = 0; i < iface->addresses_count; i++) {
		struct media_address *address = iface->addresses[i];
		address->iface = iface;
		address->index = (uint16_t)media_addresses_count;
		media_addresses[media_addresses_count++] = address;
	}
	return 0;
}

static void
leave_device(const struct iface *iface)
{
	struct device *device = find_device(iface->port_id);
	unsigned kept = 0;

	if (device->untagged == iface)
		device->untagged = NULL;
	for (unsigned i = 0; i < device->count; i++)
		if (device->tagged[i] != iface)
			device->tagged[kept++] = device->tagged[i];
	device->count = kept;
	device->vlans = kept > 0;
	if (device->untagged == NULL && kept == 0)
		*device = devices[--devices_count];
}

void
iface_unregister(struct iface *iface)
{
	leave_device(iface);
	/* whoever came last only ever goes first, so that the tables have no hole */
	for (unsigned i = 0; i < iface->addresses_count; i++)
		media_addresses[iface->addresses[i]->index] = NULL;
	while (media_addresses_count > 0 && media_addresses[media_addresses_count - 1] == NULL)
		media_addresses_count--;
	ifaces[iface->index] = NULL;
	while (ifaces_count > 0 && ifaces[ifaces_count - 1] == NULL)
		ifaces_count--;
	free(iface->map);
	iface->map = NULL;
}

/* Is an address held by the kernel somewhere else? */
static int
check_holders(const char *where, const struct config_interface *config, char *error, size_t size)
{
	char holder[NETDEV_NAME_SIZE];

	for (unsigned i = 0; i < config->addresses_count; i++) {
		const struct config_address *at = &config->addresses[i];
		if (!netdev_holding(&at->ip, holder))
			continue;
		snprintf(error, size,
			"%s: address %s is in use on network interface %s: the relay puts it on "
			"its own; remove it there (ip address del %s dev %s), or choose another",
			where, at->address, holder, at->address, holder);
		return -EADDRINUSE;
	}
	return 0;
}

static struct iface *
make_iface(const struct config_interface *config)
{
	struct opened *opened = rte_zmalloc("iface", sizeof(*opened), 64);

	if (opened == NULL)
		return NULL;
	struct iface *iface = &opened->iface;
	iface->config = config;
	iface->vlan = (uint16_t)config->vlan;
	iface->dscp = (uint8_t)config->dscp;
	iface->addresses = opened->addresses;
	iface->addresses_count = config->addresses_count;
	for (unsigned i = 0; i < config->addresses_count; i++) {
		const struct config_address *from = &config->addresses[i];
		opened->address[i] = (struct media_address){.ip = from->ip,
			.prefix_length = from->prefix_length,
			.iface = iface,
			.gateway = from->gateway_ip,
			.config = from};
		opened->addresses[i] = &opened->address[i];
	}
	return iface;
}

int
iface_open(const struct config_interface *config, unsigned queues, struct rte_mempool *pool,
	struct iface **out, char *error, size_t error_size)
{
	char where[64];
	struct iface *iface;
	int result;

	snprintf(where, sizeof(where), "media.interfaces[%u] \"%s\"", ifaces_count, config->name);
	result = check_holders(where, config, error, error_size);
	if (result != 0)
		return result;
	iface = make_iface(config);
	if (iface == NULL) {
		snprintf(error, error_size, "%s: out of memory: raise media.memory_mb", where);
		return -ENOMEM;
	}
	result = open_port(where, iface, queues, pool, error, error_size);
	if (result != 0)
		goto free_iface;
	/* first, as the TAP and its routes are numbered by the interface's place in the tables */
	result = iface_register(iface);
	if (result != 0) {
		snprintf(error, error_size, "%s: %s", where,
			result == -ENOSPC   ? "too many interfaces or addresses"
			: result == -EEXIST ? "its device has this VLAN already"
					    : "out of memory");
		goto close_port;
	}
	result = exception_open(where, iface, queues, pool, error, error_size);
	if (result != 0)
		goto unregister;
	*out = iface;
	return 0;

unregister:
	iface_unregister(iface);
close_port:
	close_port(iface);
free_iface:
	rte_free(iface);
	return result;
}

void
iface_close(struct iface *iface)
{
	exception_close(iface);
	iface_unregister(iface);
	close_port(iface);
	rte_free(iface);
}
