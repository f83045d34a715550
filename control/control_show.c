/* SPDX-License-Identifier: BSD-3-Clause */
#include "control_show.h"

#include "admission.h"
#include "call_show.h"
#include "certificates.h"
#include "counters.h"
#include "tls_connection.h"
#include "trace.h"
#include "trunk.h"

#include <string.h>
#include <time.h>

#define ROWS_MAX 100 /* in one answer: they fit into a datagram */

struct page {
	json_t *rows;
	size_t skip; /* rows yet to be passed over */
	bool more;
};

/* May one more row be added? */
static bool
has_room(struct page *page)
{
	if (page->skip > 0) {
		page->skip--;
		return false;
	}
	if (json_array_size(page->rows) < ROWS_MAX)
		return true;
	page->more = true;
	return false;
}

static void
show_stats(struct agent *agent, struct page *page)
{
	double late_ms, refused;

	if (!has_room(page))
		return;
	admission_load(&late_ms, &refused);
	json_t *counters = json_object();
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		json_object_set_new(counters, counters_name(i),
			json_pack("{s:I,s:s}", "value", (json_int_t)counters_get(i), "help",
				counters_help(i)));
	json_array_append_new(page->rows,
		json_pack("{s:s,s:I,s:i,s:i,s:i,s:i,s:f,s:f,s:o}", "release", SALLYPORT_VERSION,
			"uptime_s", (json_int_t)(call_now_ms() - agent->started_ms) / 1000,
			"connections", (int)tls_connection_count(), "sources",
			(int)admission_sources(), "registrations",
			(int)registrar_count(agent->registrar), "calls",
			(int)b2bua_count(agent->b2bua), "late_ms", late_ms, "refused_share",
			refused, "counters", counters));
}

static void
show_calls(struct agent *agent, struct page *page)
{
	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (struct call *at = agent->b2bua->bucket[i]; at != NULL; at = at->next)
			if (has_room(page))
				json_array_append_new(page->rows, call_show(at));
}

static void
show_failures(struct agent *agent, struct page *page)
{
	const struct call_failure *at;

	for (unsigned i = 0; (at = call_result_failure(i)) != NULL; i++)
		if (has_room(page))
			json_array_append_new(page->rows, call_show_failure(at));
}

static int
show_binding(void *arg, const struct binding *binding)
{
	struct page *page = arg;
	char peer[RELAY_ADDR_TEXT];

	if (has_room(page))
		json_array_append_new(page->rows,
			json_pack("{s:s,s:s,s:s,s:b,s:I}", "user", binding->user, "contact",
				binding->contact, "from", relay_ip_format(&binding->peer, peer),
				"reachable", binding->connection != NULL, "expires_s",
				(json_int_t)binding->expires_s));
	return page->more;
}

static void
show_registrations(struct agent *agent, struct page *page)
{
	registrar_each(agent->registrar, show_binding, page);
}

static json_t *
targets_of(const struct trunk_state *state)
{
	json_t *targets = json_array();
	char address[RELAY_ADDR_TEXT];
	uint64_t now = call_now_ms();

	for (unsigned i = 0; i < state->count; i++) {
		const struct trunk_target *at = &state->targets[i];
		json_array_append_new(targets,
			json_pack("{s:s,s:b,s:I,s:i,s:i,s:s*}", "address",
				relay_addr_format(&at->at.address, address), "alive", at->alive,
				"since_s", (json_int_t)(now - at->since_ms) / 1000, "priority",
				(int)at->at.priority, "weight", (int)at->at.weight, "fault",
				at->last_fault));
	}
	return targets;
}

struct trunk_rows {
	struct agent *agent;
	struct page *page;
};

static int
show_trunk(void *arg, const struct trunk_state *state)
{
	struct trunk_rows *rows = arg;
	struct party party;
	unsigned living = 0;

	if (!has_room(rows->page))
		return rows->page->more;
	party_set_trunk(&party, state->config);
	for (unsigned i = 0; i < state->count; i++)
		living += state->targets[i].alive;
	json_array_append_new(rows->page->rows,
		json_pack("{s:s,s:s*,s:s,s:s,s:i,s:i,s:i,s:s*,s:o}", "trunk", state->config->name,
			"group", state->config->group, "address", state->config->address, "state",
			state->alive ? "in" : "out", "living", (int)living, "targets_count",
			(int)state->count, "calls",
			(int)call_limits_count_of(rows->agent->limits, &party), "fault",
			state->fault, "targets", targets_of(state)));
	return 0;
}

static void
show_trunks(struct agent *agent, struct page *page)
{
	struct trunk_rows rows = {agent, page};

	trunk_each(agent->trunks, show_trunk, &rows);
}

static void
show_certificates(struct agent *agent, struct page *page)
{
	if (has_room(page))
		certificates_list(page->rows);
}

static void
show_trace(struct agent *agent, struct page *page)
{
	const struct config_trace *to = &agent->config->sip.trace;

	if (has_room(page))
		json_array_append_new(
			page->rows, json_pack("{s:b,s:s,s:s,s:I}", "on", trace_is_on(agent->trace),
					    "hep", to->hep != NULL ? to->hep : "-", "pcap",
					    to->pcap != NULL ? to->pcap : "-", "lost",
					    (json_int_t)trace_lost(agent->trace)));
}

static void
show_config(struct agent *agent, struct page *page)
{
	json_t *rows = control_config(agent), *row;
	size_t i;

	json_array_foreach (rows, i, row)
		if (has_room(page))
			json_array_append(page->rows, row);
	json_decref(rows);
}

static void
show_drain(struct agent *agent, struct page *page)
{
	if (has_room(page))
		json_array_append_new(
			page->rows, json_pack("{s:b,s:i}", "draining", agent->draining, "calls",
					    (int)b2bua_count(agent->b2bua)));
}

static const struct {
	const char *name;
	void (*show)(struct agent *agent, struct page *page);
} lists[] = {
	{"stats", show_stats},
	{"calls", show_calls},
	{"failures", show_failures},
	{"registrations", show_registrations},
	{"trunks", show_trunks},
	{"certificates", show_certificates},
	{"trace", show_trace},
	{"drain", show_drain},
	{"config", show_config},
};

json_t *
control_show(struct agent *agent, const char *what, size_t from)
{
	struct page page = {.skip = from};
	size_t i = 0;

	while (i < sizeof(lists) / sizeof(lists[0]) && strcmp(lists[i].name, what) != 0)
		i++;
	if (i == sizeof(lists) / sizeof(lists[0]))
		return json_pack("{s:s}", "error", "there is nothing of this name to show");
	page.rows = json_array();
	if (page.rows == NULL)
		return NULL;
	lists[i].show(agent, &page);
	json_t *reply = json_pack("{s:o}", "rows", page.rows);
	if (page.more)
		json_object_set_new(reply, "next", json_integer((json_int_t)(from + ROWS_MAX)));
	return reply;
}
