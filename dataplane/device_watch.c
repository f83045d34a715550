/* SPDX-License-Identifier: BSD-3-Clause */
#include "device_watch.h"

#include "netdev.h"
#include "relay/log.h"

#include <rte_ethdev.h>

/* By the interface's index. */
static struct watched {
	bool netdev; /* the device borrows an interface of the kernel's */
	char name[NETDEV_NAME_SIZE];
	int ifindex; /* of it; another one under its name is another device */
	bool gone;
	bool up;
} watched[IFACE_MAX];

static bool
link_up(const struct iface *iface)
{
	struct rte_eth_link link;

	return rte_eth_link_get_nowait(iface->port_id, &link) == 0 && link.link_status != 0;
}

/* AF_XDP and AF_PACKET ports say "up" for good; the kernel knows better. */
static bool
hears(const struct iface *iface)
{
	const struct watched *device = &watched[iface->index];

	if (device->gone)
		return false;
	return device->netdev ? netdev_has_carrier(device->name) : link_up(iface);
}

void
device_watch_start(void)
{
	for (unsigned i = 0; i < ifaces_count; i++) {
		struct watched *device = &watched[i];
		*device = (struct watched){.netdev = false};
		device->netdev = iface_netdev(ifaces[i], device->name);
		if (device->netdev)
			device->ifindex = netdev_index(device->name);
		device->up = hears(ifaces[i]);
	}
}

/* True: it is there again. */
static bool
look(const struct iface *iface, struct watched *device)
{
	const char *name = iface->config->name;
	int ifindex = device->netdev ? netdev_index(device->name) : 0;

	if (device->netdev && ifindex != device->ifindex) {
		if (!device->gone)
			log_error("interface %s: network interface %s is gone: no media passes by "
				  "it until it is there again",
				name, device->name);
		device->gone = true;
		device->up = false;
		if (ifindex == 0)
			return false;
		log_error("interface %s: network interface %s is there again: ending, to be "
			  "started anew with it",
			name, device->name);
		return true;
	}
	bool up = hears(iface);
	if (up != device->up && up)
		log_warning(
			"interface %s: the link of %s is up again", name, iface->config->device);
	else if (up != device->up)
		log_warning("interface %s: the link of %s is down: is its other end up?", name,
			iface->config->device);
	device->up = up;
	return false;
}

bool
device_watch_tick(void)
{
	bool back = false;

	for (unsigned i = 0; i < ifaces_count; i++)
		back |= look(ifaces[i], &watched[i]);
	return back;
}

bool
device_watch_link_up(const struct iface *iface)
{
	return watched[iface->index].up;
}
