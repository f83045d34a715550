/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults of trunks, dial plan and limits; and what a schema can't say of them: names that must
 * differ, and that something must have. */
#include "config_private.h"

#include "addr.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define DIGITS "0123456789"

/* "sip.trunks[3].name" */
static const char *
field_of(const char *list, unsigned index, const char *key, char field[CONFIG_FIELD_TEXT])
{
	snprintf(field, CONFIG_FIELD_TEXT, "sip.%s[%u]%s%s", list, index, key[0] != '\0' ? "." : "",
		key);
	return field;
}

/* Splits "HOST:PORT", "[V6]:PORT", or either without a port. False: it is neither. */
static bool
split_address(struct config_trunk *trunk)
{
	const char *text = trunk->address, *end, *colon;
	bool bracket = text[0] == '[';
	struct relay_ip ip;
	char *rest;

	/* an IPv6 address alone has colons, and no port */
	if (!bracket && relay_ip_parse(text, strlen(text), &ip) == 0) {
		snprintf(trunk->host, sizeof(trunk->host), "%s", text);
		return true;
	}
	end = bracket ? strchr(text, ']') : text + strcspn(text, ":");
	if (end == NULL)
		return false;
	colon = bracket ? end + 1 : end;
	text += bracket;
	size_t length = (size_t)(end - text);
	if (length == 0 || length > CONFIG_HOST_MAX)
		return false;
	if (bracket ? relay_ip_parse(text, length, &ip) != 0 || ip.family != 6
		    : strspn(text, LETTERS_DIGITS "-_.") < length || text[0] == '.')
		return false;
	memcpy(trunk->host, text, length);
	trunk->host[length] = '\0';
	if (*colon == '\0')
		return true;
	if (*colon != ':' || colon[1] == '\0' || strspn(colon + 1, DIGITS) != strlen(colon + 1))
		return false;
	unsigned long port = strtoul(colon + 1, &rest, 10);
	trunk->port = (uint16_t)port;
	return port >= 1 && port <= 65535;
}

static int
default_strings(struct config_sip *sip, struct config_trunk *trunk)
{
	if (trunk->tls_name == NULL)
		trunk->tls_name = strdup(trunk->host);
	if (trunk->from_domain == NULL)
		trunk->from_domain = strdup(sip->domain != NULL ? sip->domain : "");
	if (trunk->suites_count == 0) {
		trunk->suites = calloc(sip->suites_count, sizeof(*trunk->suites));
		if (trunk->suites == NULL)
			return -ENOMEM;
		memcpy(trunk->suites, sip->suites, sip->suites_count * sizeof(*trunk->suites));
		trunk->suites_count = sip->suites_count;
	}
	return trunk->tls_name == NULL || trunk->from_domain == NULL ? -ENOMEM : 0;
}

int
config_trunks_default(struct config_sip *sip, const struct config_lines *lines)
{
	char field[CONFIG_FIELD_TEXT];

	for (unsigned i = 0; i < sip->trunks_count; i++) {
		struct config_trunk *trunk = &sip->trunks[i];
		/* a bad one is complained of by the checks, which know the line */
		if (!split_address(trunk))
			trunk->host[0] = '\0';
		if (!config_lines_has(lines, field_of("trunks", i, "srtp", field)))
			trunk->srtp = sip->srtp;
		if (default_strings(sip, trunk) != 0)
			return -ENOMEM;
	}
	return 0;
}

static int
check_word(const struct config_complaint *to, const char *field, const char *word)
{
	if (strlen(word) > CONFIG_TRUNK_NAME_MAX)
		return config_complain_of(to, field, "\"%s\" has more than %d characters", word,
			CONFIG_TRUNK_NAME_MAX);
	if (strspn(word, LETTERS_DIGITS "-_") != strlen(word))
		return config_complain_of(to, field, "\"%s\": use letters, digits, - and _", word);
	if (strcmp(word, CONFIG_USERS) == 0 || strcmp(word, CONFIG_ANYBODY) == 0)
		return config_complain_of(to, field,
			"\"%s\" means something else in the dial plan: choose another name", word);
	return 0;
}

/* No two trunks of one name, no group that is called like a trunk. */
static int
check_names(const struct config_complaint *to, const struct config_sip *sip, unsigned index)
{
	const struct config_trunk *trunk = &sip->trunks[index];
	char field[CONFIG_FIELD_TEXT];

	if (check_word(to, field_of("trunks", index, "name", field), trunk->name) != 0)
		return -EINVAL;
	for (unsigned i = 0; i < index; i++)
		if (strcmp(sip->trunks[i].name, trunk->name) == 0)
			return config_complain_of(
				to, field, "\"%s\" is also the name of trunk %u", trunk->name, i);
	if (trunk->group == NULL)
		return 0;
	if (check_word(to, field_of("trunks", index, "group", field), trunk->group) != 0)
		return -EINVAL;
	for (unsigned i = 0; i < sip->trunks_count; i++)
		if (strcmp(sip->trunks[i].name, trunk->group) == 0)
			return config_complain_of(to, field,
				"\"%s\" is the name of trunk %u: give the group another",
				trunk->group, i);
	return 0;
}

/* A host name as it stands in a certificate, in SNI and in URIs. */
static int
check_host(const struct config_complaint *to, const char *field, const char *host)
{
	struct relay_ip ip;

	if (relay_ip_parse(host, strlen(host), &ip) == 0)
		return 0;
	if (strlen(host) <= CONFIG_HOST_MAX && host[0] != '.' &&
		strspn(host, LETTERS_DIGITS "-_.") == strlen(host))
		return 0;
	return config_complain_of(to, field, "\"%s\" is no host name", host);
}

static int
check_credentials(
	const struct config_complaint *to, const struct config_trunk *trunk, unsigned index)
{
	char field[CONFIG_FIELD_TEXT];

	for (unsigned i = 0; i < trunk->credentials_count; i++) {
		const struct config_credentials *at = &trunk->credentials[i];
		snprintf(field, sizeof(field), "sip.trunks[%u].credentials[%u]", index, i);
		/* it is quoted in a header: RFC 7616 3.4 */
		if (strlen(at->user) > 127 || strpbrk(at->user, "\"\\\r\n") != NULL)
			return config_complain_of(
				to, field, "user: at most 127 characters, without \" and \\");
		for (unsigned k = 0; k < i; k++) {
			const char *other = trunk->credentials[k].realm;
			if (at->realm == other || (at->realm != NULL && other != NULL &&
							  strcmp(at->realm, other) == 0))
				return config_complain_of(to, field,
					"entry %u has the same realm, or none either: give each "
					"its own",
					k);
		}
	}
	return 0;
}

static int
check_trunk(const struct config_complaint *to, struct config_sip *sip, unsigned index)
{
	struct config_trunk *trunk = &sip->trunks[index];
	char field[CONFIG_FIELD_TEXT];

	if (check_names(to, sip, index) != 0)
		return -EINVAL;
	if (trunk->host[0] == '\0')
		return config_complain_of(to, field_of("trunks", index, "address", field),
			"\"%s\" is no HOST or HOST:PORT; IPv6 with a port: [2001:db8::1]:5061",
			trunk->address);
	if (check_host(to, field_of("trunks", index, "tls_name", field), trunk->tls_name) != 0 ||
		check_host(to, field_of("trunks", index, "from_domain", field),
			trunk->from_domain) != 0)
		return -EINVAL;
	if ((trunk->certificate == NULL) != (trunk->private_key == NULL))
		return config_complain_of(to, field_of("trunks", index, "", field),
			"certificate and private_key go together: give both, or neither");
	for (unsigned i = 0; i < trunk->suites_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (trunk->suites[i] == trunk->suites[k])
				return config_complain_of(to,
					field_of("trunks", index, "suites", field),
					"%s is named twice",
					relay_suite_info(trunk->suites[i])->name);
	return check_credentials(to, trunk, index);
}

/* The first trunk that is, or is in, `name`, from which one may call (`out`: which one may call);
 * *known: there is one at all. */
static bool
find_trunk(const struct config_sip *sip, const char *name, bool out, bool *known)
{
	enum config_direction wrong = out ? CONFIG_DIRECTION_IN : CONFIG_DIRECTION_OUT;

	*known = false;
	for (unsigned i = 0; i < sip->trunks_count; i++) {
		const struct config_trunk *trunk = &sip->trunks[i];
		if (strcmp(trunk->name, name) != 0 &&
			(trunk->group == NULL || strcmp(trunk->group, name) != 0))
			continue;
		*known = true;
		if (trunk->direction != wrong)
			return true;
	}
	return false;
}

static int
check_peer(const struct config_complaint *to, const char *field, const struct config_sip *sip,
	const char *name, bool out)
{
	bool known;

	if (find_trunk(sip, name, out, &known))
		return 0;
	if (known)
		return config_complain_of(to, field,
			"trunk \"%s\" has direction: %s, which allows no call that way", name,
			out ? "in" : "out");
	return config_complain_of(to, field,
		"there is no trunk or group \"%s\": add it to sip.trunks, or write \"%s\"%s", name,
		CONFIG_USERS, out ? "" : " or \"" CONFIG_ANYBODY "\"");
}

static int
check_number(const struct config_complaint *to, const char *field, const char *number)
{
	if (number == NULL || (strlen(number) <= CONFIG_NUMBER_MAX &&
				      strspn(number + (number[0] == '+'), DIGITS "*#") ==
					      strlen(number + (number[0] == '+'))))
		return 0;
	return config_complain_of(to, field,
		"\"%s\": at most %d of the digits, * and #, maybe after a +", number,
		CONFIG_NUMBER_MAX);
}

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

static int
check_route(const struct config_complaint *to, const struct config_sip *sip, unsigned index)
{
	const struct config_route *route = &sip->routes[index];
	char field[CONFIG_FIELD_TEXT];

	if (check_number(to, field_of("routes", index, "prefix", field), route->prefix) != 0 ||
		check_number(to, field_of("routes", index, "prepend", field), route->prepend) != 0)
		return -EINVAL;
	if (strcmp(route->from, CONFIG_USERS) != 0 && strcmp(route->from, CONFIG_ANYBODY) != 0 &&
		check_peer(to, field_of("routes", index, "from", field), sip, route->from, false) !=
			0)
		return -EINVAL;
	for (unsigned i = 0; i < route->to_count; i++) {
		snprintf(field, sizeof(field), "sip.routes[%u].to[%u]", index, i);
		if (strcmp(route->to[i], CONFIG_USERS) != 0 &&
			check_peer(to, field, sip, route->to[i], true) != 0)
			return -EINVAL;
	}
	for (unsigned i = 0; i < index; i++)
		if (same_text(sip->routes[i].prefix, route->prefix) &&
			same_text(sip->routes[i].from, route->from) &&
			sip->routes[i].priority == route->priority)
			return config_complain_of(to, field_of("routes", index, "", field),
				"route %u has the same prefix, from and priority: change one's "
				"priority, or join their \"to\"",
				i);
	return 0;
}

int
config_trunks_check(const struct config_complaint *to, struct config_sip *sip)
{
	if (sip->trunks_count > 0 && sip->peering.address == NULL)
		return config_complain_of(to, "sip.trunks",
			"sip.peering is missing: trunks connect there, and we from there to them");
	for (unsigned i = 0; i < sip->trunks_count; i++)
		if (check_trunk(to, sip, i) != 0)
			return -EINVAL;
	for (unsigned i = 0; i < sip->routes_count; i++)
		if (check_route(to, sip, i) != 0)
			return -EINVAL;
	return 0;
}
