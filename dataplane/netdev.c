/* SPDX-License-Identifier: BSD-3-Clause */
#include "netdev.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int
netdev_index(const char *name)
{
	return (int)if_nametoindex(name);
}

bool
netdev_holding(const struct relay_ip *ip, char *name)
{
	struct ifaddrs *list, *at;
	bool found = false;

	if (getifaddrs(&list) != 0)
		return false;
	for (at = list; at != NULL && !found; at = at->ifa_next) {
		if (at->ifa_addr == NULL)
			continue;
		if (ip->family == 4 && at->ifa_addr->sa_family == AF_INET)
			found = memcmp(&((struct sockaddr_in *)(void *)at->ifa_addr)->sin_addr,
					ip->ip, 4) == 0;
		else if (ip->family == 6 && at->ifa_addr->sa_family == AF_INET6)
			found = memcmp(&((struct sockaddr_in6 *)(void *)at->ifa_addr)->sin6_addr,
					ip->ip, 16) == 0;
		if (found)
			snprintf(name, NETDEV_NAME_SIZE, "%s", at->ifa_name);
	}
	freeifaddrs(list);
	return found;
}

/* One of the old ioctls, which are all about a struct ifreq with a name in it. */
static int
ask(unsigned long request, const char *name, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = 0;

	if (fd < 0)
		return -errno;
	snprintf(ifr->ifr_name, sizeof(ifr->ifr_name), "%s", name);
	if (ioctl(fd, request, ifr) != 0)
		result = -errno;
	close(fd);
	return result;
}

int
netdev_bring_up(const char *name)
{
	struct ifreq ifr = {0};
	int result = ask(SIOCGIFFLAGS, name, &ifr);

	if (result != 0 || (ifr.ifr_flags & IFF_UP) != 0)
		return result;
	ifr.ifr_flags |= IFF_UP;
	return ask(SIOCSIFFLAGS, name, &ifr);
}

bool
netdev_has_carrier(const char *name)
{
	/* not IFF_RUNNING, which lags behind when the interface has only just been set up */
	struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
	struct ifreq ifr = {.ifr_data = (char *)&link};

	return ask(SIOCETHTOOL, name, &ifr) != 0 || link.data != 0;
}

int
netdev_mtu(const char *name)
{
	struct ifreq ifr = {0};
	int result = ask(SIOCGIFMTU, name, &ifr);

	return result != 0 ? result : ifr.ifr_mtu;
}

int
netdev_set_mtu(const char *name, uint16_t mtu)
{
	struct ifreq ifr = {.ifr_mtu = mtu};

	return ask(SIOCSIFMTU, name, &ifr);
}

int
netdev_keep_vlan_tags(const char *name)
{
	struct ethtool_value flags = {.cmd = ETHTOOL_GFLAGS};
	struct ifreq ifr = {.ifr_data = (char *)&flags};

	/* one that has no such flags takes no tags off */
	if (ask(SIOCETHTOOL, name, &ifr) != 0 || (flags.data & ETH_FLAG_RXVLAN) == 0)
		return 0;
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data &= ~(uint32_t)ETH_FLAG_RXVLAN;
	return ask(SIOCETHTOOL, name, &ifr);
}

int
netdev_set_sysctl(const char *family, const char *name, const char *key, const char *value)
{
	char path[128], now[16];
	size_t length = strlen(value);
	ssize_t got;
	int fd, result = 0;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, now, sizeof(now));
	close(fd);
	if (got == (ssize_t)length + 1 && memcmp(now, value, length) == 0)
		return 0;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, length) != (ssize_t)length)
		result = -errno;
	close(fd);
	return result;
}
