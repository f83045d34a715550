/* SPDX-License-Identifier: BSD-3-Clause */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

int
relay_ip_parse(const char *text, size_t length, struct relay_ip *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct relay_ip ip = {.family = 0};

	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, ip.ip) == 1)
		ip.family = 4;
	else if (inet_pton(AF_INET6, copy, ip.ip) == 1)
		ip.family = 6;
	else
		return -EINVAL;
	*out = ip;
	return 0;
}

const char *
relay_ip_format(const struct relay_ip *ip, char *text)
{
	int family = ip->family == 4 ? AF_INET : AF_INET6;

	if ((ip->family != 4 && ip->family != 6) ||
		inet_ntop(family, ip->ip, text, RELAY_ADDR_TEXT) == NULL)
		strcpy(text, "-");
	return text;
}

const char *
relay_addr_format(const struct relay_addr *addr, char *text)
{
	char ip[RELAY_ADDR_TEXT];

	relay_ip_format(&addr->ip, ip);
	if (addr->ip.family == 6)
		snprintf(text, RELAY_ADDR_TEXT, "[%.45s]:%u", ip, addr->port);
	else if (addr->ip.family == 4)
		snprintf(text, RELAY_ADDR_TEXT, "%.45s:%u", ip, addr->port);
	else
		strcpy(text, "-");
	return text;
}

bool
relay_ip_equal(const struct relay_ip *a, const struct relay_ip *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == 4)
		return memcmp(a->ip, b->ip, 4) == 0;
	return a->family != 6 || memcmp(a->ip, b->ip, 16) == 0;
}

bool
relay_addr_equal(const struct relay_addr *a, const struct relay_addr *b)
{
	return a->port == b->port && relay_ip_equal(&a->ip, &b->ip);
}

bool
relay_ip_in_prefix(const struct relay_ip *ip, const struct relay_ip *network, unsigned prefix)
{
	unsigned bytes = prefix / 8, bits = prefix % 8;

	if (ip->family != network->family || prefix > (ip->family == 4 ? 32 : 128) ||
		(ip->family != 4 && ip->family != 6))
		return false;
	if (memcmp(ip->ip, network->ip, bytes) != 0)
		return false;
	return bits == 0 || (ip->ip[bytes] ^ network->ip[bytes]) >> (8 - bits) == 0;
}

static bool
is_routable_v4(const uint8_t *ip)
{
	if (ip[0] == 0 || ip[0] == 127)
		return false; /* RFC 1122 3.2.1.3: this network, loopback */
	if (ip[0] == 169 && ip[1] == 254)
		return false; /* RFC 3927: link-local */
	return ip[0] < 224;   /* RFC 1112: multicast; RFC 1112 4: reserved, with broadcast */
}

bool
relay_ip_is_routable_unicast(const struct relay_ip *ip)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	static const uint8_t zero[15];

	if (ip->family == 4)
		return is_routable_v4(ip->ip);
	if (ip->family != 6)
		return false;
	if (memcmp(ip->ip, zero, sizeof(zero)) == 0 && ip->ip[15] <= 1)
		return false; /* RFC 4291 2.5.2, 2.5.3: unspecified, loopback */
	if (ip->ip[0] == 0xff || (ip->ip[0] == 0xfe && (ip->ip[1] & 0xc0) == 0x80))
		return false; /* RFC 4291 2.7, 2.5.6: multicast, link-local */
	/* RFC 4291 2.5.5.2: an IPv4 address in disguise is never on the wire */
	return memcmp(ip->ip, mapped, sizeof(mapped)) != 0;
}

bool
relay_ip_is_loopback(const struct relay_ip *ip)
{
	static const uint8_t one[16] = {[15] = 1};

	return ip->family == 4 ? ip->ip[0] == 127
	                       : ip->family == 6 && memcmp(ip->ip, one, sizeof(one)) == 0;
}
