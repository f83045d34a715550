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
#define TABLE_FIRST 5300 /* routing table of media address 0 */

static uint32_t
routing_table(const struct media_address *address)
{
	return TABLE_FIRST + address->index;
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

static bool
has_ipv6(const struct iface *iface)
{
	for (unsigned i = 0; i < iface->addresses_count; i++)
		if (iface->addresses[i]->ip.family == 6)
			return true;
	return false;
}

/* Noise that the kernel would send by itself, or take from the network. All but `accept_ra` would
 * only disturb, so a kernel without the key is good enough. */
static void
quieten(const struct iface *iface)
{
	if (has_ipv6(iface))
		netdev_set_sysctl("ipv6", iface->tap_name, "accept_ra", "0");
	else
		netdev_set_sysctl("ipv6", iface->tap_name, "disable_ipv6", "1");
}

/* Writes the sentence for a step that failed; returns the step's result. */
static int
complain(const char *where, const struct iface *iface, const char *step, int result, char *error,
	size_t error_size)
{
	snprintf(error, error_size, "%s: the exception TAP %s can't %s: %s%s", where,
		iface->tap_name, step, strerror(-result),
		result == -EPERM ? "; start as root, or with CAP_NET_ADMIN" : "");
	return result;
}

static int
add_address(const char *where, const struct iface *iface, const struct media_address *address,
	char *error, size_t error_size)
{
	char text[RELAY_ADDR_TEXT], step[RELAY_ADDR_TEXT + 64];
	int result = netdev_add_address(iface->tap_ifindex, &address->ip, address->prefix_length);

	relay_ip_format(&address->ip, text);
	if (result != 0) {
		snprintf(step, sizeof(step), "take the address %s", text);
		return complain(where, iface, step, result, error, error_size);
	}
	if (address->gateway.family == 0)
		return 0;
	result = netdev_add_gateway(iface->tap_ifindex, &address->ip, address->prefix_length,
		&address->gateway, routing_table(address));
	if (result == 0)
		return 0;
	snprintf(step, sizeof(step), "take the route by the gateway for the address %s", text);
	return complain(where, iface, step, result, error, error_size);
}

/* Takes the rules of the first `count` addresses back: they don't go with the TAP. */
static void
remove_rules(const struct iface *iface, unsigned count)
{
	char text[RELAY_ADDR_TEXT];

	for (unsigned i = 0; i < count; i++) {
		const struct media_address *address = iface->addresses[i];
		if (address->gateway.family == 0)
			continue;
		int result = netdev_remove_gateway(&address->ip, routing_table(address));
		if (result != 0)
			log_warning("the routing rule of %s for %s is left behind: %s",
				iface->config->name, relay_ip_format(&address->ip, text),
				strerror(-result));
	}
}

static int
configure(const char *where, struct iface *iface, char *error, size_t error_size)
{
	int result;

	quieten(iface);
	result = netdev_set_mtu(iface->tap_name, iface->mtu);
	if (result == 0)
		result = netdev_bring_up(iface->tap_name);
	if (result != 0)
		return complain(where, iface, "be set up", result, error, error_size);
	for (unsigned i = 0; i < iface->addresses_count; i++) {
		result = add_address(where, iface, iface->addresses[i], error, error_size);
		if (result != 0) {
			remove_rules(iface, i);
			return result;
		}
	}
	return 0;
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
	remove_rules(iface, iface->addresses_count);
	port_close(iface->tap_port_id);
}
