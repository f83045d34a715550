/* SPDX-License-Identifier: BSD-3-Clause */
#include "exception.h"

#include "netdev.h"
#include "port.h"
#include "relay/log.h"

#include <errno.h>
#include <rte_common.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>

#define PREFIX "sp-"
#define TABLE_FIRST 5300 /* routing table of interface 0 */

static uint32_t
routing_table(const struct iface *iface)
{
	return TABLE_FIRST + iface->index;
}

/* "sp-" and the interface's name, or the bare name where that would be too long. */
static int
choose_name(const char *where, struct iface *iface, char *error, size_t error_size)
{
	const char *name = iface->config->name;
	bool fits = strlen(PREFIX) + strlen(name) < sizeof(iface->tap_name);

	snprintf(iface->tap_name, sizeof(iface->tap_name), "%s%s", fits ? PREFIX : "", name);
	/* an existing TAP would take us as one more queue, and another relay lose its packets */
	if (netdev_index(iface->tap_name) == 0)
		return 0;
	snprintf(error, error_size,
		"%s: there is a network interface %s already: does another relay run here? End it, "
		"or give this interface another name",
		where, iface->tap_name);
	return -EEXIST;
}

/* Noise that the kernel would send by itself, or take from the network. All but `accept_ra` would
 * only disturb, so a kernel without the key is good enough. */
static void
quieten(const struct iface *iface)
{
	if (iface->ip.family == 4)
		netdev_set_sysctl("ipv6", iface->tap_name, "disable_ipv6", "1");
	else
		netdev_set_sysctl("ipv6", iface->tap_name, "accept_ra", "0");
}

static int
configure(const char *where, struct iface *iface, char *error, size_t error_size)
{
	char text[RELAY_ADDR_TEXT];
	const char *step;
	int result;

	quieten(iface);
	step = "be set up";
	result = netdev_set_mtu(iface->tap_name, iface->mtu);
	if (result == 0)
		result = netdev_bring_up(iface->tap_name);
	if (result == 0) {
		step = "take the address";
		result = netdev_add_address(iface->tap_ifindex, &iface->ip, iface->prefix_length);
	}
	if (result == 0 && iface->gateway.family != 0) {
		step = "take the route by the gateway for the address";
		result = netdev_add_gateway(iface->tap_ifindex, &iface->ip, iface->prefix_length,
			&iface->gateway, routing_table(iface));
	}
	if (result != 0)
		snprintf(error, error_size, "%s: the exception TAP %s can't %s %s: %s%s", where,
			iface->tap_name, step, relay_ip_format(&iface->ip, text), strerror(-result),
			result == -EPERM ? "; start as root, or with CAP_NET_ADMIN" : "");
	return result;
}

int
exception_open(const char *where, struct iface *iface, unsigned workers, struct rte_mempool *pool,
	char *error, size_t error_size)
{
	char device[128];
	struct port tap;
	unsigned queues = RTE_MIN(workers, (unsigned)PORT_TAP_QUEUES_MAX);
	int result = choose_name(where, iface, error, error_size);

	if (result != 0)
		return result;
	snprintf(device, sizeof(device), "net_tap_sallyport%u,iface=%s,mac=" RTE_ETHER_ADDR_PRT_FMT,
		iface->index, iface->tap_name, RTE_ETHER_ADDR_BYTES(&iface->mac));
	result = port_open(where, device, queues, pool, &tap, error, error_size);
	if (result != 0)
		return result;
	iface->tap_port_id = tap.id;
	iface->tap_queues = (uint8_t)queues;
	iface->tap_ifindex = netdev_index(iface->tap_name);
	result = configure(where, iface, error, error_size);
	if (result != 0)
		port_close(tap.id);
	return result;
}

void
exception_close(struct iface *iface)
{
	if (iface->gateway.family != 0) {
		int result = netdev_remove_gateway(&iface->ip, routing_table(iface));
		if (result != 0)
			log_warning("the routing rule of %s is left behind: %s",
				iface->config->name, strerror(-result));
	}
	port_close(iface->tap_port_id);
}
