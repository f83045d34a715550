/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses as both planes and the relay API write them. */
#ifndef RELAY_ADDR_H
#define RELAY_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An IP address. family is 4, 6, or 0 for "none"; IPv4 lies in ip[0..3], network order. */
struct relay_ip {
	uint8_t family;
	uint8_t reserved[3];
	uint8_t ip[16];
};
_Static_assert(sizeof(struct relay_ip) == 20, "relay API layout");

/* A transport address. port in host order; 0 for "none". */
struct relay_addr {
	struct relay_ip ip;
	uint16_t port;
	uint16_t reserved;
};
_Static_assert(sizeof(struct relay_addr) == 24, "relay API layout");

/* Room for "[ffff:...:ffff]:65535" and its NUL. */
#define RELAY_ADDR_TEXT 64

/* Reads a numeric IPv4 or IPv6 address of `length` bytes (no NUL needed, no name is resolved).
 * Returns 0, or -EINVAL and *out untouched. */
int relay_ip_parse(const char *text, size_t length, struct relay_ip *out);

/* Writes the address into text (RELAY_ADDR_TEXT bytes) and returns text; "-" for none. */
const char *relay_ip_format(const struct relay_ip *ip, char *text);

/* Writes "192.0.2.1:5004" or "[2001:db8::1]:5004" into text and returns it; "-" for none. */
const char *relay_addr_format(const struct relay_addr *addr, char *text);

bool relay_ip_equal(const struct relay_ip *a, const struct relay_ip *b);
bool relay_addr_equal(const struct relay_addr *a, const struct relay_addr *b);

bool relay_ip_is_loopback(const struct relay_ip *ip);

/* Is the address in the network of `prefix` bits around `network`? False where the families differ
 * or the prefix is longer than an address. */
bool relay_ip_in_prefix(const struct relay_ip *ip, const struct relay_ip *network, unsigned prefix);

/* True for an address that media may be sent to: not unspecified, loopback, multicast,
 * link-local or broadcast (threats.md: an SDP that aims media at the relay itself). */
bool relay_ip_is_routable_unicast(const struct relay_ip *ip);

#endif
