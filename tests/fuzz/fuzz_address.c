/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as an address: refused, or read; and what is written of it reads the same. */
#include "fuzz.h"
#include "relay/addr.h"

static void
check(const struct relay_ip *ip)
{
	char text[RELAY_ADDR_TEXT], with_port[RELAY_ADDR_TEXT];
	struct relay_ip again, other = *ip;
	struct relay_addr addr = {.ip = *ip, .port = 65535};
	unsigned bits = ip->family == 4 ? 32 : 128;

	demand(ip->family == 4 || ip->family == 6, "an address of no family");
	relay_ip_format(ip, text);
	demand(relay_ip_parse(text, strlen(text), &again) == 0 && relay_ip_equal(ip, &again),
		"what is written of it is another address");
	relay_addr_format(&addr, with_port);
	const char *colon = strrchr(with_port, ':');
	demand(colon != NULL && strcmp(colon, ":65535") == 0, "the port is cut off");
	demand(!relay_ip_is_loopback(ip) || !relay_ip_is_routable_unicast(ip),
		"media may be sent to the box itself");
	for (unsigned prefix = 0; prefix <= bits; prefix++)
		demand(relay_ip_in_prefix(ip, ip, prefix), "it is not in its own network");
	demand(!relay_ip_in_prefix(ip, ip, bits + 1), "a network of more bits than there are");
	/* one bit further on is in every network that ends before it, and in none behind */
	for (unsigned bit = 0; bit < bits; bit++) {
		other.ip[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
		demand(relay_ip_in_prefix(&other, ip, bit) &&
				!relay_ip_in_prefix(&other, ip, bit + 1) &&
				!relay_ip_equal(&other, ip),
			"a network that ends elsewhere");
		other = *ip;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct relay_ip untouched = {.family = 99};
	struct relay_ip ip = untouched;
	char *text = malloc(size > 0 ? size : 1);

	demand(text != NULL, "out of memory");
	memcpy(text, data, size);
	if (relay_ip_parse(text, size, &ip) == 0)
		check(&ip);
	else
		demand(memcmp(&ip, &untouched, sizeof(ip)) == 0, "refused, and changed");
	free(text);
	return 0;
}
