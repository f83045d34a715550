/* SPDX-License-Identifier: BSD-3-Clause */
/* What neither a schema nor the table of settings can say: addresses, names that must differ. */
#include "config_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/* Where address `k` of interface `index` stands in the file; `name` is a key of it, with its dot,
 * or nothing. In the short form that is the interface itself. */
static const char *
address_field(const struct config_lines *lines, unsigned index, unsigned k, const char *name,
	char field[CONFIG_FIELD_TEXT])
{
	char listed[CONFIG_FIELD_TEXT];

	snprintf(listed, sizeof(listed), "media.interfaces[%u].addresses[%u]%s", index, k, name);
	if (config_lines_spelling(lines, listed, field) == listed)
		strcpy(field, listed);
	return field;
}

/* Makes the short form the only entry of the list; with neither, the list stays empty. */
static int
take_single(struct config_interface *at)
{
	if (at->addresses_count != 0 || at->single.address == NULL)
		return 0;
	at->addresses = calloc(1, sizeof(*at->addresses));
	if (at->addresses == NULL)
		return -ENOMEM;
	at->addresses_count = 1;
	at->addresses[0] = at->single;
	at->single = (struct config_address){.address = NULL};
	return 0;
}

int
config_set_defaults(struct config *config, const struct config_lines *lines)
{
	struct config_sip *sip = &config->sip;

	for (unsigned i = 0; i < config->media.interfaces_count; i++)
		if (take_single(&config->media.interfaces[i]) != 0)
			return -ENOMEM;
	if (config_table_default(config, lines) != 0)
		return -ENOMEM;
	config_limits_default(sip, lines);
	return config_trunks_default(sip, lines) != 0 || config_dialogs_default(sip) != 0 ? -ENOMEM
	                                                                                  : 0;
}

int
config_complain_of(const struct config_complaint *to, const char *field, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return config_complain(
		to->text, config_lines_find(to->lines, field), "%s: %s", field, what);
}

static int
check_ip(const struct config_complaint *to, const char *field, struct config_address *at)
{
	const char *slash = strchr(at->address, '/');
	char *end;

	if (slash == NULL ||
		relay_ip_parse(at->address, (size_t)(slash - at->address), &at->ip) != 0)
		return config_complain_of(to, field,
			"\"%s\" is no address with its prefix length, like 192.0.2.1/24",
			at->address);
	unsigned long length = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || length == 0 ||
		length > (at->ip.family == 4 ? 32 : 128))
		return config_complain_of(
			to, field, "\"%s\" is no prefix length for this address", slash + 1);
	if (!relay_ip_is_routable_unicast(&at->ip))
		return config_complain_of(to, field, "%s can't be a media address", at->address);
	at->prefix_length = (uint8_t)length;
	return 0;
}

/* The next hop must be a neighbour: of the address's own network, or by IPv6 link-local. */
static int
check_gateway(const struct config_complaint *to, const char *field, struct config_address *at)
{
	static const struct relay_ip link_local = {.family = 6, .ip = {0xfe, 0x80}};

	if (relay_ip_parse(at->gateway, strlen(at->gateway), &at->gateway_ip) != 0 ||
		at->gateway_ip.family != at->ip.family)
		return config_complain_of(
			to, field, "\"%s\" is no address of the same family", at->gateway);
	if (relay_ip_equal(&at->gateway_ip, &at->ip))
		return config_complain_of(to, field, "%s is the media address itself", at->gateway);
	if (!relay_ip_in_prefix(&at->gateway_ip, &at->ip, at->prefix_length) &&
		!relay_ip_in_prefix(&at->gateway_ip, &link_local, 10))
		return config_complain_of(
			to, field, "%s is not in the network of %s", at->gateway, at->address);
	return 0;
}

int
config_check_range(const struct config_complaint *to, const char *field, uint32_t value,
	uint32_t least, uint32_t most)
{
	if (value >= least && value <= most)
		return 0;
	return config_complain_of(to, field, "%u is not between %u and %u", value, least, most);
}

/* No two interfaces may have one address, nor one interface the same twice. */
static int
check_unique(const struct config_complaint *to, const char *field, const struct config_media *media,
	unsigned index, unsigned k)
{
	const struct config_address *at = &media->interfaces[index].addresses[k];

	for (unsigned i = 0; i <= index; i++) {
		const struct config_interface *other = &media->interfaces[i];
		unsigned count = i < index ? other->addresses_count : k;
		for (unsigned j = 0; j < count; j++)
			if (relay_ip_equal(&other->addresses[j].ip, &at->ip))
				return config_complain_of(to, field,
					"%s is also an address of interface %u", at->address, i);
	}
	return 0;
}

static int
check_address(const struct config_complaint *to, const struct config_media *media, unsigned index,
	unsigned k)
{
	struct config_address *at = &media->interfaces[index].addresses[k];
	char field[CONFIG_FIELD_TEXT];

	address_field(to->lines, index, k, ".address", field);
	if (check_ip(to, field, at) != 0 || check_unique(to, field, media, index, k) != 0)
		return -EINVAL;
	address_field(to->lines, index, k, ".gateway", field);
	if (at->gateway != NULL && check_gateway(to, field, at) != 0)
		return -EINVAL;
	if (at->ports.first < 1024 || at->ports.first % 2 != 0 || at->ports.last % 2 == 0 ||
		at->ports.last < at->ports.first)
		return config_complain_of(to, address_field(to->lines, index, k, ".ports", field),
			"%u to %u: first must be even and at least 1024, last odd and not below it",
			at->ports.first, at->ports.last);
	at->port_first = at->ports.first;
	at->port_last = at->ports.last;
	return 0;
}

/* All in the one form, or all in the other. */
static int
check_forms(const struct config_complaint *to, const struct config_interface *at, unsigned index)
{
	static const char *const keys[] = {"address", "gateway", "ports"};
	char field[CONFIG_FIELD_TEXT];

	snprintf(field, sizeof(field), "media.interfaces[%u].addresses", index);
	bool listed = config_lines_has(to->lines, field);
	for (unsigned i = 0; listed && i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(field, sizeof(field), "media.interfaces[%u].%s", index, keys[i]);
		if (config_lines_has(to->lines, field))
			return config_complain_of(to, field,
				"stands beside \"addresses\": move it into an entry of that list");
	}
	snprintf(field, sizeof(field), "media.interfaces[%u].address", index);
	return at->addresses_count > 0 ? 0 : config_complain_of(to, field, "is missing");
}

static bool
is_word(const char *text, size_t most)
{
	size_t length = strlen(text);

	return length > 0 && length <= most &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			    "0123456789-_") == length;
}

static int
check_name(const struct config_complaint *to, const struct config_media *media, unsigned index)
{
	const char *name = media->interfaces[index].name;
	char field[CONFIG_FIELD_TEXT];

	snprintf(field, sizeof(field), "media.interfaces[%u].name", index);
	if (strlen(name) > 15)
		return config_complain_of(to, field, "\"%s\" has more than 15 characters", name);
	if (!is_word(name, 15))
		return config_complain_of(to, field, "\"%s\": use letters, digits, - and _", name);
	for (unsigned i = 0; i < index; i++)
		if (strcmp(media->interfaces[i].name, name) == 0)
			return config_complain_of(
				to, field, "\"%s\" is also the name of interface %u", name, i);
	return 0;
}

/* A device may have many interfaces, each with a VLAN (IEEE 802.1Q 9.6: 0 and 4095 are none), and
 * one without. */
static int
check_vlan(const struct config_complaint *to, const struct config_media *media, unsigned index)
{
	const struct config_interface *at = &media->interfaces[index];
	char field[CONFIG_FIELD_TEXT];

	snprintf(field, sizeof(field), "media.interfaces[%u].vlan", index);
	for (unsigned i = 0; i < index; i++) {
		const struct config_interface *other = &media->interfaces[i];
		if (strcmp(other->device, at->device) != 0 || other->vlan != at->vlan)
			continue;
		if (at->vlan != 0)
			return config_complain_of(
				to, field, "interface %u has VLAN %u of this device", i, at->vlan);
		snprintf(field, sizeof(field), "media.interfaces[%u].device", index);
		return config_complain_of(to, field,
			"interface %u has it, too: give one of them a vlan, or both addresses to "
			"one",
			i);
	}
	return 0;
}

static int
check_interface(const struct config_complaint *to, struct config_media *media, unsigned index)
{
	struct config_interface *at = &media->interfaces[index];

	if (check_name(to, media, index) != 0 || check_vlan(to, media, index) != 0 ||
		check_forms(to, at, index) != 0)
		return -EINVAL;
	for (unsigned k = 0; k < at->addresses_count; k++)
		if (check_address(to, media, index, k) != 0)
			return -EINVAL;
	return 0;
}

/* Both names become those of DPDK's files and rings. */
static int
check_shared(const struct config_complaint *to, const struct config_media *media)
{
	static const char rings[] = "rings:";
	char field[CONFIG_FIELD_TEXT];

	if (media->shared_memory != NULL && !is_word(media->shared_memory, 31))
		return config_complain_of(to, "media.shared_memory",
			"\"%s\": use up to 31 letters, digits, - and _", media->shared_memory);
	if (media->shared_memory != NULL && media->memory == CONFIG_MEMORY_ORDINARY)
		return config_complain_of(to, "media.shared_memory",
			"ordinary pages can't be shared: leave media.memory out");
	for (unsigned i = 0; i < media->interfaces_count; i++) {
		const char *device = media->interfaces[i].device;
		if (strncmp(device, rings, strlen(rings)) != 0)
			continue;
		snprintf(field, sizeof(field), "media.interfaces[%u].device", i);
		if (!is_word(device + strlen(rings), 15))
			return config_complain_of(to, field,
				"\"%s\": after \"rings:\" use up to 15 letters, digits, - and _",
				device);
		if (media->shared_memory == NULL)
			return config_complain_of(to, field,
				"\"%s\" leads to another process: name media.shared_memory",
				device);
	}
	return 0;
}

static int
check_media(const struct config_complaint *to, struct config_media *media)
{
	if (strlen(media->socket) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return config_complain_of(to, "media.socket",
			"the path has more than %zu characters",
			sizeof(((struct sockaddr_un *)0)->sun_path) - 1);
	if (media->cpus_count != 0 && media->cpus_count != media->workers)
		return config_complain_of(to, "media.cpus",
			"%u CPUs for %u workers: name one for each", media->cpus_count,
			media->workers);
	for (unsigned i = 0; i < media->cpus_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (media->cpus[i] == media->cpus[k])
				return config_complain_of(to, "media.cpus",
					"CPU %u is named twice: a worker needs one of its own",
					media->cpus[i]);
	for (unsigned i = 0; i < media->interfaces_count; i++)
		if (check_interface(to, media, i) != 0)
			return -EINVAL;
	return check_shared(to, media);
}

static int
check_sip(const struct config_complaint *to, struct config_sip *sip)
{
	static const char *const names[] = {
		"sip.address", "sip.domain", "sip.certificate", "sip.private_key"};
	char *const values[] = {sip->address, sip->domain, sip->certificate, sip->private_key};
	struct relay_ip ip;

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (values[i] == NULL)
			return config_complain_of(to, names[i], "is missing");
	if (relay_ip_parse(sip->address, strlen(sip->address), &ip) != 0)
		return config_complain_of(
			to, "sip.address", "\"%s\" is no numeric IP address", sip->address);
	/* it is written into headers as it stands: RFC 3261 25.1 host */
	if (strspn(sip->domain, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				".-_[]:") != strlen(sip->domain))
		return config_complain_of(to, "sip.domain", "\"%s\" is no host name", sip->domain);
	if (config_check_range(to, "sip.expires_max_s", sip->expires_max_s, sip->expires_min_s,
		    config_table_most("sip.expires_max_s")) != 0 ||
		config_check_range(to, "sip.expires_default_s", sip->expires_default_s,
			sip->expires_min_s, sip->expires_max_s) != 0)
		return -EINVAL;
	for (unsigned i = 0; i < sip->suites_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (sip->suites[i] == sip->suites[k])
				return config_complain_of(to, "sip.suites", "%s is named twice",
					relay_suite_info(sip->suites[i])->name);
	for (unsigned i = 0; i < sip->digests_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (sip->digests[i] == sip->digests[k])
				return config_complain_of(
					to, "sip.digests", "an algorithm is named twice");
	if (config_dialogs_check(to, sip) != 0)
		return -EINVAL;
	return config_trunks_check(to, sip) != 0 ? -EINVAL : config_limits_check(to, sip);
}

int
config_check(
	struct config *config, const struct config_text *text, const struct config_lines *lines)
{
	struct config_complaint to = {text, lines};

	if (config_table_check(&to, config) != 0 || check_media(&to, &config->media) != 0)
		return -EINVAL;
	if (config_web_check(&to, &config->web) != 0)
		return -EINVAL;
	/* a box that only relays has no SIP section */
	if (!config_lines_has(lines, "sip"))
		return 0;
	if (check_sip(&to, &config->sip) != 0)
		return -EINVAL;
	if (config_records_check(&to, &config->sip) != 0)
		return -EINVAL;
	return config_headers_check(&to, &config->sip);
}
