/* SPDX-License-Identifier: BSD-3-Clause */
#include "route.h"

#include "counters.h"
#include "dialplan.h"
#include "generation.h"
#include "listener.h"
#include "relay/log.h"
#include "trunk.h"
#include "weight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TARGETS_MAX 64   /* of one request */
#define RETRY_AFTER_S 30 /* while all trunks are out: about a ping */
#define URI_SIZE (NUMBER_SIZE + CONFIG_HOST_MAX + 32)

/* A request that waits for the trunks' first look-up. */
struct search {
	struct agent *agent;
	struct generation *generation; /* held: `from` points into it */
	struct party from;
	char number[NUMBER_SIZE];
	bool sips; /* it has to be TLS to the end: RFC 5630 */
	struct route *route;
	route_done_cb *done;
	void *arg;
};

static void
search_free(struct search *search)
{
	generation_release(search->generation);
	free(search);
}

/* One more target of the next group, or of the last one; NULL without memory, or where there are
 * enough. */
static struct route_target *
add_target(struct route *route, enum route_kind kind, bool next_group)
{
	struct route_target *grown;

	if (route->count == TARGETS_MAX)
		return NULL;
	grown = realloc(route->targets, (route->count + 1) * sizeof(*route->targets));
	if (grown == NULL)
		return NULL;
	route->targets = grown;
	struct route_target *target = &grown[route->count];
	*target = (struct route_target){.kind = kind};
	if (route->count > 0)
		target->group = target[-1].group + next_group;
	route->count++;
	return target;
}

/* The last one is not whole: out of memory. */
static void
take_back(struct route *route)
{
	struct route_target *target = &route->targets[--route->count];

	free(target->uri);
	free(target->to);
	free(target->path);
	free(target->next_hop);
	tport_unref(target->connection);
}

struct contacts {
	struct route *route;
	const char *to;
	unsigned last_q;
	bool first;
};

/* RFC 3261 16.6: those of one q in parallel, lower ones after them. */
static int
on_binding(void *arg, const struct binding *binding)
{
	struct contacts *contacts = arg;
	struct route_target *target = add_target(
		contacts->route, ROUTE_CONTACT, contacts->first || binding->q != contacts->last_q);

	if (target == NULL)
		return -ENOMEM;
	contacts->first = false;
	contacts->last_q = binding->q;
	party_set_user(&target->party, binding->user);
	target->peer = binding->peer;
	target->connection = tport_ref(binding->connection);
	target->uri = strdup(binding->contact);
	target->to = strdup(contacts->to);
	target->path = binding->path != NULL ? strdup(binding->path) : NULL;
	if (target->uri != NULL && target->to != NULL &&
		(binding->path == NULL || target->path != NULL))
		return 0;
	take_back(contacts->route);
	return -ENOMEM;
}

/* The status, where there is nobody. */
static int
add_user(struct agent *agent, const char *name, struct route *route)
{
	char to[USER_NAME_SIZE + CONFIG_HOST_MAX + 8];
	struct contacts contacts = {.route = route, .to = to, .first = true};
	unsigned before = route->count;

	/* where the store can't tell, who is registered is a user */
	if (strlen(name) >= USER_NAME_SIZE || agent_find_user(agent, name) == -ENOENT)
		return 404;
	snprintf(to, sizeof(to), "sip:%s@%s", name, agent->config->sip.domain);
	registrar_find_all(agent->registrar, name, on_binding, &contacts);
	return route->count > before ? 0 : 480;
}

static void
add_trunk_address(struct search *search, const struct config_trunk *trunk, const char *number,
	const struct relay_addr *address)
{
	struct route *route = search->route;
	char hop[TRUNK_HOP_SIZE], uri[URI_SIZE];
	bool v6 = strchr(trunk->host, ':') != NULL;
	struct route_target *target = add_target(route, ROUTE_TRUNK, true);

	if (target == NULL)
		return;
	/* '#' stands for something else in a URI: RFC 3261 25.1 user-unreserved */
	snprintf(uri, sizeof(uri), search->sips ? "sips:" : "sip:");
	for (size_t used = strlen(uri); *number != '\0'; number++, used = strlen(uri))
		snprintf(uri + used, sizeof(uri) - used, *number == '#' ? "%%23" : "%c", *number);
	size_t used = strlen(uri);
	snprintf(uri + used, sizeof(uri) - used, "@%s%s%s;user=phone", v6 ? "[" : "", trunk->host,
		v6 ? "]" : "");
	party_set_trunk(&target->party, trunk);
	target->peer = address->ip;
	target->ident = LISTENER_PEERING;
	target->connection = trunks_connection(search->agent->trunks, trunk, address);
	target->address = *address;
	target->uri = strdup(uri);
	target->to = strdup(uri);
	target->next_hop = strdup(trunk_next_hop(trunk, address, hop));
	if (target->uri == NULL || target->to == NULL || target->next_hop == NULL)
		take_back(route);
}

/* All that one entry of a route's `to` means. */
static void
add_destination(struct search *search, const char *name, const char *number)
{
	const struct config_trunk *trunks[CONFIG_TRUNKS_MAX];
	struct relay_addr addresses[RESOLVE_MAX];
	struct agent *agent = search->agent;

	if (strcmp(name, CONFIG_USERS) == 0) {
		int status = add_user(agent, number, search->route);
		if (status != 0)
			search->route->status = status;
		return;
	}
	unsigned count = dialplan_trunks(
		&agent->config->sip, name, weight_random, trunks, CONFIG_TRUNKS_MAX);
	for (unsigned i = 0; i < count; i++) {
		/* not back to where it came from: RFC 3261 16.3 step 4's loop, at its root */
		if (trunks[i] == search->from.trunk)
			continue;
		unsigned living = trunks_targets(agent->trunks, trunks[i], addresses);
		if (living == 0)
			search->route->status = 503;
		for (unsigned k = 0; k < living; k++)
			add_trunk_address(search, trunks[i], number, &addresses[k]);
	}
}

static void
finish(struct search *search)
{
	struct route *route = search->route;

	if (route->count > 0)
		route->status = 0;
	if (route->status == 503) {
		route->phrase = "All Trunks Are Out";
		route->retry_after_s = RETRY_AFTER_S;
		counters_add(COUNTER_ROUTE_TRUNKS_OUT);
	} else if (route->status == 404) {
		counters_add(COUNTER_ROUTE_NOT_FOUND);
	}
	search->done(search->arg, route);
	search_free(search);
}

/* By the dial plan, now that the trunks are known. */
static void
find_number(void *arg)
{
	struct search *search = arg;
	const struct config_route *entries[CONFIG_ROUTES_MAX];
	char number[NUMBER_SIZE];
	unsigned count = dialplan_find(&search->agent->config->sip, &search->from, search->number,
		entries, CONFIG_ROUTES_MAX);

	for (unsigned i = 0; i < count; i++) {
		if (dialplan_rewrite(entries[i], search->number, number) != 0)
			continue;
		for (unsigned k = 0; k < entries[i]->to_count; k++)
			add_destination(search, entries[i]->to[k], number);
	}
	finish(search);
}

static void
drop(void *arg)
{
	struct search *search = arg;

	route_free(search->route);
	search_free(search);
}

/* The name of the user that a URI of our domain is about; false: it is of somebody else's. A trunk
 * may know us by our address alone. */
static bool
name_of_url(const struct config_sip *config, const struct party *from, const url_t *url,
	char name[USER_NAME_SIZE])
{
	char text[3 * USER_NAME_SIZE];

	if ((url->url_type != url_sip && url->url_type != url_sips) || url->url_user == NULL ||
		url->url_host == NULL || strlen(url->url_user) >= sizeof(text) ||
		strstr(url->url_user, "%00") != NULL)
		return false;
	if (strcasecmp(url->url_host, config->domain) != 0 && from->kind != PARTY_TRUNK)
		return false;
	/* an escaped name is the same name: RFC 3261 19.1.4 */
	url_unescape(text, url->url_user);
	if (strlen(text) >= USER_NAME_SIZE)
		return false;
	strcpy(name, text);
	return true;
}

/* Numbers of the URIs that we are responsible for: of our domain, or without any. */
static bool
is_ours(const struct config_sip *config, const struct party *from, const url_t *url)
{
	return url->url_type == url_tel || from->kind == PARTY_TRUNK ||
	       (url->url_host != NULL && strcasecmp(url->url_host, config->domain) == 0);
}

static int
find(struct search *search, const url_t *url)
{
	const struct config_sip *config = &search->agent->config->sip;
	struct route *route = search->route;
	char name[USER_NAME_SIZE];

	route->status = 404;
	if (name_of_url(config, &search->from, url, name)) {
		strcpy(route->called, name);
		route->status = add_user(search->agent, name, route);
	}
	if (route->status != 404 || !is_ours(config, &search->from, url) ||
		number_of_url(url, config->domain, search->number) != 0) {
		finish(search);
		return 0;
	}
	strcpy(route->called, search->number);
	return trunks_when_ready(search->agent->trunks, find_number, drop, search);
}

int
route_find(struct agent *agent, const struct party *from, const sip_t *request, route_done_cb *done,
	void *arg)
{
	struct search *search = calloc(1, sizeof(*search));

	if (search == NULL)
		return -ENOMEM;
	*search = (struct search){.agent = agent,
		.generation = generation_hold(),
		.from = *from,
		.sips = request->sip_request->rq_url->url_type == url_sips,
		.done = done,
		.arg = arg};
	search->route = calloc(1, sizeof(*search->route));
	int result = search->route != NULL ? find(search, request->sip_request->rq_url) : -ENOMEM;
	if (result != 0)
		drop(search);
	return result;
}

void
route_free(struct route *route)
{
	if (route == NULL)
		return;
	while (route->count > 0)
		take_back(route);
	free(route->targets);
	free(route);
}

void
route_target_failed(struct agent *agent, const struct route_target *target)
{
	if (target->kind == ROUTE_TRUNK)
		trunks_report(agent->trunks, target->party.trunk, &target->address,
			"a call could not be set up there");
}
