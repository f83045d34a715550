/* SPDX-License-Identifier: BSD-3-Clause */
/* Which NICs there are, on the PCI bus and beside it, and whose they are. */
#include "tune.h"

#include <ctype.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_SIZE 65536 /* of routes or addresses that are looked at */
#define UPPER_DEPTH 4    /* VLAN over bond over port, and one more */

/* "0000:3b:00.0" */
bool
tune_pci_is(const char *text)
{
	static const char form[] = "xxxx:xx:xx.x";

	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return text[sizeof(form) - 1] == '\0';
}

/* The last component of where a link points to; "": there is none. */
static void
link_name(const struct tune *tune, char *name, size_t size, const char *path)
{
	char target[512];
	const char *slash;

	name[0] = '\0';
	if (!tune_read_link(&tune->root, target, sizeof(target), "%s", path))
		return;
	slash = strrchr(target, '/');
	snprintf(name, size, "%.*s", (int)size - 1, slash != NULL ? slash + 1 : target);
}

/* Does a line of the table have this word at the given place, counted from 0; from its end where it
 * is negative? With `pass`, lines that contain that are passed over. */
static bool
table_has(const struct tune *tune, const char *path, int place, const char *word, const char *pass)
{
	static char text[TABLE_SIZE];
	char *rest = NULL;

	if (tune_read(&tune->root, text, sizeof(text), "%s", path) <= 0)
		return false;
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		char *words[16], *more = NULL;
		int count = 0;
		if (pass != NULL && strstr(line, pass) != NULL)
			continue;
		for (char *at = strtok_r(line, " ", &more); at != NULL && count < 16;
			at = strtok_r(NULL, " ", &more))
			words[count++] = at;
		int at = place < 0 ? count + place : place;
		if (at >= 0 && at < count && strcmp(words[at], word) == 0)
			return true;
	}
	return false;
}

/* An IPv4 address without a route of its own, as a /32 has. */
static bool
has_address(const struct tune *tune, const char *netdev)
{
	struct ifaddrs *all, *one;
	bool found = false;

	if (!tune->root.real || getifaddrs(&all) != 0)
		return false;
	for (one = all; one != NULL; one = one->ifa_next)
		found = found || (one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
					 strcmp(one->ifa_name, netdev) == 0);
	freeifaddrs(all);
	return found;
}

/* Does the box itself live on this interface, or on one that is made of it (a bond, a bridge, a
 * VLAN)? Link-local addresses (scope 20) do not count. */
static bool
carries_own(const struct tune *tune, const char *netdev, unsigned depth)
{
	unsigned count = 0;
	const char *name;
	bool found;

	if (table_has(tune, "/proc/net/route", 0, netdev, NULL) ||
		table_has(tune, "/proc/net/if_inet6", -1, netdev, " 20 ") ||
		has_address(tune, netdev))
		return true;
	DIR *folder = tune_folder(&tune->root, "/sys/class/net/%s", netdev);
	if (folder == NULL)
		return false;
	for (found = false; !found && (name = tune_next(folder, &count)) != NULL;)
		found = depth < UPPER_DEPTH && strncmp(name, "upper_", 6) == 0 &&
		        carries_own(tune, name + 6, depth + 1);
	closedir(folder);
	return found;
}

/* The PCI address in where /sys/class/net/NAME points to, the last one; "": none. False: it is no
 * device at all, as loopback and veth. */
static bool
pci_of(const struct tune *tune, const char *netdev, char pci[16])
{
	char target[512], *rest = NULL;

	pci[0] = '\0';
	if (!tune_read_link(&tune->root, target, sizeof(target), "/sys/class/net/%s", netdev) ||
		strstr(target, "/virtual/") != NULL)
		return false;
	for (char *part = strtok_r(target, "/", &rest); part != NULL;
		part = strtok_r(NULL, "/", &rest))
		if (tune_pci_is(part))
			snprintf(pci, 16, "%.15s", part);
	return true;
}

static void
read_netdev(const struct tune *tune, struct tune_nic *nic, const char *name)
{
	char path[128];
	long number;

	snprintf(nic->netdev, sizeof(nic->netdev), "%.15s", name);
	if (nic->driver[0] == '\0') {
		snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", nic->netdev);
		link_name(tune, nic->driver, sizeof(nic->driver), path);
	}
	if (tune_read_number(&tune->root, &number, "/sys/class/net/%s/speed", nic->netdev) &&
		number > 0 && number < 10000000)
		nic->mbps = number;
	nic->own = carries_own(tune, nic->netdev, 0);
	tune_ethtool(tune, nic->netdev, &nic->offers);
}

static struct tune_nic *
add_nic(struct tune *tune)
{
	struct tune_nic *nic = &tune->nic[tune->nics];

	if (tune->nics == TUNE_NICS_MAX)
		return NULL;
	tune->nics++;
	*nic = (struct tune_nic){.node = -1, .mbps = -1, .offers = {-1, TUNE_RSS_UNKNOWN, -1, -1}};
	return nic;
}

static void
add_pci(struct tune *tune, const char *pci)
{
	char path[128];
	long class = 0, number = 0;
	struct tune_nic *nic;

	if (!tune_pci_is(pci) ||
		!tune_read_number(&tune->root, &class, "/sys/bus/pci/devices/%s/class", pci) ||
		class >> 8 != 0x0200 || (nic = add_nic(tune)) == NULL)
		return;
	snprintf(nic->pci, sizeof(nic->pci), "%.15s", pci);
	if (tune_read_number(&tune->root, &number, "/sys/bus/pci/devices/%s/vendor", pci))
		nic->vendor = (uint16_t)number;
	if (tune_read_number(&tune->root, &number, "/sys/bus/pci/devices/%s/device", pci))
		nic->device = (uint16_t)number;
	if (tune_read_number(&tune->root, &number, "/sys/bus/pci/devices/%s/numa_node", pci) &&
		number >= 0 && number < 4096)
		nic->node = (int)number;
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", pci);
	link_name(tune, nic->driver, sizeof(nic->driver), path);
}

static int
by_address(const void *a, const void *b)
{
	return strcmp(((const struct tune_nic *)a)->pci, ((const struct tune_nic *)b)->pci);
}

static void
add_netdevs(struct tune *tune)
{
	DIR *folder = tune_folder(&tune->root, "/sys/class/net");
	unsigned count = 0;
	const char *name;
	char pci[16];

	if (folder == NULL)
		return;
	while ((name = tune_next(folder, &count)) != NULL) {
		struct tune_nic *nic = NULL;
		if (strlen(name) >= IFNAMSIZ || !pci_of(tune, name, pci))
			continue;
		for (unsigned i = 0; i < tune->nics && pci[0] != '\0'; i++)
			if (strcmp(tune->nic[i].pci, pci) == 0)
				nic = &tune->nic[i];
		/* several ports of one PCI function: each is a NIC */
		if (nic != NULL && nic->netdev[0] != '\0') {
			const struct tune_nic first = *nic;
			if ((nic = add_nic(tune)) == NULL)
				break;
			memcpy(nic->pci, first.pci, sizeof(nic->pci));
			memcpy(nic->driver, first.driver, sizeof(nic->driver));
			nic->vendor = first.vendor;
			nic->device = first.device;
			nic->node = first.node;
		} else if (nic == NULL && (nic = add_nic(tune)) == NULL) {
			break;
		}
		read_netdev(tune, nic, name);
	}
	closedir(folder);
}

/* Is it this NIC that media.interfaces[].device names? By PCI address, or by iface= of a virtual
 * device that uses the kernel's driver. */
static bool
is_named(const struct tune_nic *nic, const char *device, bool *by_kernel)
{
	size_t length = strcspn(device, ",");
	const char *iface = strstr(device, ",iface=");

	*by_kernel = iface != NULL;
	if (iface != NULL) {
		iface += strlen(",iface=");
		length = strcspn(iface, ",");
		return length > 0 && strlen(nic->netdev) == length &&
		       strncmp(nic->netdev, iface, length) == 0;
	}
	/* DPDK takes an address without its domain, too */
	return nic->pci[0] != '\0' && ((length == 12 && strncasecmp(nic->pci, device, 12) == 0) ||
					      (length == 7 && strncmp(nic->pci, "0000:", 5) == 0 &&
						      strncasecmp(nic->pci + 5, device, 7) == 0));
}

static void
find_media(const struct tune *tune, struct tune_nic *nic)
{
	bool by_kernel;

	if (tune->config == NULL) {
		nic->media = !nic->own;
		return;
	}
	for (unsigned i = 0; i < tune->config->media.interfaces_count; i++)
		if (is_named(nic, tune->config->media.interfaces[i].device, &by_kernel)) {
			nic->media = true;
			nic->by_kernel = by_kernel;
		}
}

void
tune_find_nics(struct tune *tune)
{
	DIR *folder = tune_folder(&tune->root, "/sys/bus/pci/devices");
	struct tune_offers offers;
	unsigned count = 0;
	const char *name;

	if (folder != NULL) {
		while ((name = tune_next(folder, &count)) != NULL)
			add_pci(tune, name);
		closedir(folder);
	}
	qsort(tune->nic, tune->nics, sizeof(tune->nic[0]), by_address);
	add_netdevs(tune);
	for (unsigned i = 0; i < tune->nics; i++) {
		struct tune_nic *nic = &tune->nic[i];
		find_media(tune, nic);
		/* what DPDK's driver offers, where it is that driver that will be used */
		if (nic->media && !nic->by_kernel && tune_nic_known(nic, &name, &offers))
			nic->offers = offers;
	}
}
