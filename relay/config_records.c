/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written down of calls, in the configuration: its shape and checks. */
#include "config_private.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define PATH_ROOM 32 /* characters, for what is put behind a path */

const cyaml_schema_field_t config_records_fields[] = {
	CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_records, path, 1, PATH_MAX),
	CYAML_FIELD_UINT("rotate_mb", CYAML_FLAG_OPTIONAL, struct config_records, rotate_mb),
	CYAML_FIELD_UINT("rotate_hours", CYAML_FLAG_OPTIONAL, struct config_records, rotate_hours),
	CYAML_FIELD_UINT("keep", CYAML_FLAG_OPTIONAL, struct config_records, keep),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t config_trace_fields[] = {
	CYAML_FIELD_STRING_PTR(
		"hep", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config_trace, hep, 1, 128),
	CYAML_FIELD_UINT("hep_id", CYAML_FLAG_OPTIONAL, struct config_trace, hep_id),
	CYAML_FIELD_STRING_PTR("pcap", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_trace, pcap, 1, PATH_MAX),
	CYAML_FIELD_UINT("pcap_mb", CYAML_FLAG_OPTIONAL, struct config_trace, pcap_mb),
	CYAML_FIELD_END,
};

static int
check_path(const struct config_complaint *to, const char *field, const char *path)
{
	if (path == NULL || (path[0] == '/' && strlen(path) < PATH_MAX - PATH_ROOM))
		return 0;
	return config_complain_of(to, field, "\"%s\" is no absolute path", path);
}

/* "udp:192.0.2.9:9060", "udp:[2001:db8::9]:9060" */
static int
check_hep(const struct config_complaint *to, struct config_trace *trace)
{
	const char *text = trace->hep;
	char *end = NULL;

	if (text == NULL)
		return 0;
	const char *host = strncmp(text, "udp:", 4) == 0 ? text + 4 : text;
	const char *colon = strrchr(host, ':');
	if (host == text || colon == NULL || colon == host)
		goto wrong;
	bool bracketed = host[0] == '[' && colon[-1] == ']';
	unsigned long port = strtoul(colon + 1, &end, 10);
	if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port == 0 || port > 65535 ||
		relay_ip_parse(host + bracketed, (size_t)(colon - host) - 2 * bracketed,
			&trace->hep_address.ip) != 0 ||
		bracketed != (trace->hep_address.ip.family == 6))
		goto wrong;
	trace->hep_address.port = (uint16_t)port;
	return 0;

wrong:
	return config_complain_of(to, "sip.trace.hep",
		"\"%s\" is no udp:ADDRESS:PORT (numeric, IPv6 in brackets)", text);
}

int
config_records_check(const struct config_complaint *to, struct config_sip *sip)
{
	if (check_path(to, "sip.records.path", sip->records.path) != 0 ||
		check_path(to, "sip.trace.pcap", sip->trace.pcap) != 0)
		return -EINVAL;
	return check_hep(to, &sip->trace);
}
