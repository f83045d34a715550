/* SPDX-License-Identifier: BSD-3-Clause */
/* A leg's place on the network: its media address and port. */
#include "session_private.h"

#include "port_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum relay_code
session_refuse(enum relay_code code, char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, RELAY_REASON_SIZE, format, args);
	va_end(args);
	return code;
}

struct media_address *
leg_address(const struct bridge *bridge, unsigned leg)
{
	return media_addresses[bridge->leg[leg].address];
}

struct relay_addr
leg_remote(const struct bridge *bridge, unsigned leg, bool rtcp)
{
	const struct endpoint *remote = &bridge->leg[leg].remote[rtcp];
	struct relay_addr address = {.ip.family = remote->family, .port = remote->port};

	memcpy(address.ip.ip, remote->ip, sizeof(address.ip.ip));
	return address;
}

/* Does the leg want this address: by its own IP, by its family, or any of the far end's family? */
static bool
suits(const struct media_address *address, const struct relay_leg_spec *spec)
{
	static const uint8_t any[16];
	const struct relay_ip *wanted = &spec->local_rtp.ip;

	if (wanted->family != 0 && memcmp(wanted->ip, any, sizeof(any)) != 0)
		return relay_ip_equal(&address->ip, wanted);
	if (wanted->family != 0 && wanted->family != address->ip.family)
		return false;
	return spec->remote_rtp.ip.family == 0 || spec->remote_rtp.ip.family == address->ip.family;
}

static uint32_t
free_pairs(const struct media_address *address)
{
	return address->table->offered - address->table->used_offered;
}

/* Of an interface's addresses the one with the most free ports. */
static struct media_address *
choose_on(const struct iface *iface, const struct relay_leg_spec *spec)
{
	struct media_address *best = NULL;

	for (unsigned i = 0; i < iface->addresses_count; i++) {
		struct media_address *address = iface->addresses[i];
		if (!suits(address, spec))
			continue;
		/* where the family is open, that of the interface's first address */
		if (best != NULL && address->ip.family != best->ip.family)
			continue;
		if (best == NULL || free_pairs(address) > free_pairs(best))
			best = address;
	}
	return best;
}

static struct media_address *
choose_address(const struct relay_leg_spec *spec)
{
	for (unsigned i = 0; i < ifaces_count; i++) {
		if (spec->interface[0] != '\0' &&
			strncmp(spec->interface, ifaces[i]->config->name, RELAY_NAME_SIZE) != 0)
			continue;
		struct media_address *address = choose_on(ifaces[i], spec);
		if (address != NULL)
			return address;
	}
	return NULL;
}

static enum relay_code
refuse_address(unsigned leg, const struct relay_leg_spec *spec, char *reason)
{
	const struct relay_ip *wanted = &spec->local_rtp.ip;
	char text[RELAY_ADDR_TEXT];

	if (spec->interface[0] == '\0' && wanted->family == 0)
		return session_refuse(RELAY_E_NO_INTERFACE, reason,
			"leg %u: no media interface has an IPv%u address: add one to "
			"media.interfaces",
			leg, spec->remote_rtp.ip.family);
	if (wanted->family == 0 && spec->remote_rtp.ip.family != 0)
		return session_refuse(RELAY_E_NO_INTERFACE, reason,
			"leg %u: no media interface %s with an IPv%u address", leg, spec->interface,
			spec->remote_rtp.ip.family);
	return session_refuse(RELAY_E_NO_INTERFACE, reason, "leg %u: no media interface %s%s%s",
		leg, spec->interface, spec->interface[0] != '\0' ? " " : "",
		wanted->family != 0 ? relay_ip_format(wanted, text) : "");
}

enum relay_code
leg_open(struct bridge *bridge, unsigned leg, const struct relay_leg_spec *spec, char *reason)
{
	if (strnlen(spec->interface, RELAY_NAME_SIZE) == RELAY_NAME_SIZE)
		return session_refuse(
			RELAY_E_MALFORMED, reason, "leg %u: the interface's name has no end", leg);
	struct media_address *address = choose_address(spec);
	if (address == NULL)
		return refuse_address(leg, spec, reason);
	uint16_t port = port_table_reserve(address->table, spec->local_rtp.port);
	if (port == 0)
		return session_refuse(RELAY_E_NO_PORTS, reason,
			spec->local_rtp.port != 0 ? "leg %u: media port %u of interface %s is "
						    "taken, odd or out of range"
						  : "leg %u: no media port is free (%u asked) on "
						    "interface %s: widen its "
						    "port range",
			leg, spec->local_rtp.port, address->iface->config->name);
	bridge->leg[leg].address = address->index;
	bridge->leg[leg].port = port;
	return RELAY_OK;
}

void
leg_close(const struct bridge *bridge, unsigned leg)
{
	if (bridge->leg[leg].port != 0)
		port_table_release(leg_address(bridge, leg)->table, bridge->leg[leg].port);
}
