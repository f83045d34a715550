/* SPDX-License-Identifier: BSD-3-Clause */
#include "iface.h"

#include "exception.h"
#include "netdev.h"
#include "port.h"
#include "relay/log.h"

#include <errno.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>

#define MTU_DEFAULT 1500

struct iface *ifaces[IFACE_MAX];
unsigned ifaces_count;

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
	result = netdev_mtu(name);
	if (result > 0 && result < MTU_DEFAULT)
		iface->mtu = (uint16_t)result;
	return 0;
}

static int
open_port(const char *where, struct iface *iface, unsigned queues, struct rte_mempool *pool,
	char *error, size_t size)
{
	const char *device = iface->config->device;
	char netdev[NETDEV_NAME_SIZE];
	struct port port;
	int result;

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

int
iface_open(const struct config_interface *config, unsigned queues, struct rte_mempool *pool,
	struct iface **out, char *error, size_t error_size)
{
	char where[64], holder[NETDEV_NAME_SIZE];
	struct iface *iface;
	int result;

	snprintf(where, sizeof(where), "media.interfaces[%u] \"%s\"", ifaces_count, config->name);
	if (ifaces_count == IFACE_MAX) {
		snprintf(error, error_size, "%s: at most %d interfaces", where, IFACE_MAX);
		return -ENOSPC;
	}
	if (netdev_holding(&config->ip, holder)) {
		snprintf(error, error_size,
			"%s: address %s is in use on network interface %s: the relay puts it on "
			"its "
			"own; remove it there (ip address del %s dev %s), or choose another",
			where, config->address, holder, config->address, holder);
		return -EADDRINUSE;
	}
	iface = rte_zmalloc("iface", sizeof(*iface), 64);
	if (iface == NULL) {
		snprintf(error, error_size, "%s: out of memory: raise media.memory_mb", where);
		return -ENOMEM;
	}
	iface->index = (uint8_t)ifaces_count;
	iface->config = config;
	iface->ip = config->ip;
	iface->prefix_length = config->prefix_length;
	iface->gateway = config->gateway_ip;
	result = open_port(where, iface, queues, pool, error, error_size);
	if (result != 0) {
		rte_free(iface);
		return result;
	}
	result = exception_open(where, iface, queues, pool, error, error_size);
	if (result != 0) {
		port_close(iface->port_id);
		rte_free(iface);
		return result;
	}
	ifaces[ifaces_count++] = iface;
	*out = iface;
	return 0;
}

void
iface_close(struct iface *iface)
{
	exception_close(iface);
	port_close(iface->port_id);
	/* the last one only ever goes first, so that ifaces[] has no hole */
	ifaces[iface->index] = NULL;
	if (iface->index + 1u == ifaces_count)
		ifaces_count--;
	rte_free(iface);
}
