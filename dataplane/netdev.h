/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's network interfaces: what we ask of them and set on them at start. Control thread. */
#ifndef DATAPLANE_NETDEV_H
#define DATAPLANE_NETDEV_H

#include "relay/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETDEV_NAME_SIZE 16 /* with the NUL */

/* The interface's index, or 0 when there is none of that name. */
int netdev_index(const char *name);

/* Which interface holds the address? Its name in `name` (NETDEV_NAME_SIZE), and true. */
bool netdev_holding(const struct relay_ip *ip, char *name);

/* Sets the interface up; 0 or -errno. */
int netdev_bring_up(const char *name);

/* Does it hear its other end? Only for one that is up. */
bool netdev_has_carrier(const char *name);

/* Bytes of IP, or -errno. */
int netdev_mtu(const char *name);
int netdev_set_mtu(const char *name, uint16_t mtu);

/* Sees to it that VLAN tags stay in the frames that the interface receives. 0 or -errno. */
int netdev_keep_vlan_tags(const char *name);

/* Adds the address; an IPv6 one is usable at once (without duplicate address detection). */
int netdev_add_address(int ifindex, const struct relay_ip *ip, uint8_t prefix_length);

/* Makes what the kernel sends from `ip` to addresses off link go by `gateway`: a routing table of
 * its own (`table`) and a rule, so that the host's own default route stays as it is. The routes go
 * with the interface; the rule does not: netdev_remove_gateway(). 0 or -errno. */
int netdev_add_gateway(int ifindex, const struct relay_ip *ip, uint8_t prefix_length,
	const struct relay_ip *gateway, uint32_t table);
int netdev_remove_gateway(const struct relay_ip *ip, uint32_t table);

/* Writes /proc/sys/net/<family>/conf/<name>/<key>, unless it has the value already. family is
 * "ipv4" or "ipv6". 0 or -errno. */
int netdev_set_sysctl(const char *family, const char *name, const char *key, const char *value);

#endif
