/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of sallyport-sip name themselves, in groups ("tls.accepted"): each group is a family,
 * and the rest of the name its label. A group that is new is in sallyport_sip_events_total. */
#include "metrics.h"

#include "exposition.h"

#include <stdio.h>
#include <string.h>

#define OTHERS "sallyport_sip_events_total"

static const struct group {
	const char *begin; /* of the counter's name, with its dot */
	const char *name;
	const char *label;
	const char *help;
} groups[] = {
	{"result.", "sallyport_calls_ended_total", "result",
		"Calls that ended, by result: each counts once."},
	{"calls.", "sallyport_call_events_total", "event", "What happened to calls."},
	{"tls.", "sallyport_tls_handshakes_total", "result",
		"TLS handshakes of sallyport-sip; resumed ones are among accepted and connected."},
	{"logins.", "sallyport_logins_total", "result", "Logins by digest, by result."},
	{"register.", "sallyport_registers_total", "result", "REGISTER requests, by result."},
	{"bindings.", "sallyport_binding_events_total", "event", "What happened to bindings."},
	{"connections.", "sallyport_connections_refused_total", "reason",
		"SIP connections that were not taken."},
	{"cut.", "sallyport_connections_cut_total", "reason", "SIP connections cut off."},
	{"message.", "sallyport_messages_refused_total", "reason",
		"SIP messages refused before they were looked into."},
	{"requests.", "sallyport_requests_refused_total", "reason",
		"SIP requests refused for their rate, or for our load."},
	{"limit.", "sallyport_calls_limited_total", "limit", "Calls refused for a limit."},
	{"route.", "sallyport_route_failures_total", "reason", "Requests that found no way."},
	{"trunk.", "sallyport_trunk_events_total", "event", "What happened to trunks' addresses."},
	{"sdp.", "sallyport_descriptions_refused_total", "reason", "Session descriptions refused."},
	{"records.", "sallyport_record_events_total", "event", "What happened to call records."},
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const struct group *
group_of(const char *counter)
{
	for (unsigned i = 0; i < GROUPS; i++)
		if (strncmp(counter, groups[i].begin, strlen(groups[i].begin)) == 0)
			return &groups[i];
	return NULL;
}

/* Every sample of one group; NULL: of all counters that are in none. */
static void
write_group(struct text *out, json_t *counters, const struct group *group)
{
	const char *name = group != NULL ? group->name : OTHERS;
	const char *counter;
	json_t *at;

	exposition_family(out, name, "counter",
		group != NULL ? group->help
			      : "Other things that sallyport-sip counts: sallyctl sip stats "
				"explains each.");
	json_object_foreach (counters, counter, at) {
		if (group_of(counter) != group)
			continue;
		exposition_integer(out, name,
			(uint64_t)json_integer_value(json_object_get(at, "value")),
			group != NULL ? group->label : "event",
			counter + (group != NULL ? strlen(group->begin) : 0), NULL);
	}
}

static void
write_gauges(struct text *out, const json_t *stats)
{
	static const struct {
		const char *key;
		const char *name;
		const char *help;
		double scale;
	} gauges[] = {
		{"calls", "sallyport_calls", "Calls being set up, up, or being taken down.", 1},
		{"registrations", "sallyport_registrations", "Bindings of users (contacts).", 1},
		{"connections", "sallyport_sip_connections", "Open SIP connections.", 1},
		{"sources", "sallyport_sip_sources", "Addresses whose rates are remembered.", 1},
		{"late_ms", "sallyport_sip_delay_seconds",
			"By how much the event loop is late, smoothed: above sip.limits.load_ms it "
			"refuses.",
			0.001},
		{"refused_share", "sallyport_sip_refused_ratio",
			"Share of new requests that are refused for the load.", 1},
		{"uptime_s", "sallyport_sip_uptime_seconds", "Since sallyport-sip was started.", 1},
	};

	for (unsigned i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++) {
		const json_t *value = json_object_get(stats, gauges[i].key);
		if (value == NULL)
			continue;
		exposition_family(out, gauges[i].name, "gauge", gauges[i].help);
		exposition_number(
			out, gauges[i].name, json_number_value(value) * gauges[i].scale, NULL);
	}
}

static void
write_trunks(struct text *out, const json_t *trunks)
{
	static const char *const names[] = {"sallyport_trunk_up", "sallyport_trunk_calls",
		"sallyport_trunk_addresses_up", "sallyport_trunk_addresses"};
	static const char *const helps[] = {"1 if calls go to a trunk, 0 while it is out.",
		"Calls from and to a trunk.", "Addresses of a trunk that are in.",
		"Addresses of a trunk that are known."};
	static const char *const keys[] = {"state", "calls", "living", "targets_count"};
	const json_t *row;
	size_t i;

	for (unsigned k = 0; k < 4; k++) {
		exposition_family(out, names[k], "gauge", helps[k]);
		json_array_foreach (trunks, i, row) {
			const char *trunk = json_string_value(json_object_get(row, "trunk"));
			const json_t *at = json_object_get(row, keys[k]);
			if (trunk == NULL)
				continue;
			uint64_t value = json_is_string(at)
			                         ? strcmp(json_string_value(at), "in") == 0
			                         : (uint64_t)json_integer_value(at);
			exposition_integer(out, names[k], value, "trunk", trunk, NULL);
		}
	}
}

void
metrics_write_sip(struct text *out, const struct sip_view *sip)
{
	json_t *counters = json_object_get(sip->stats, "counters");

	write_gauges(out, sip->stats);
	for (unsigned i = 0; i < GROUPS; i++)
		write_group(out, counters, &groups[i]);
	write_group(out, counters, NULL);
	write_trunks(out, sip->trunks);
}
