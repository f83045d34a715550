/* SPDX-License-Identifier: BSD-3-Clause */
#include "route.h"

#include "dialplan.h"
#include "relay/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Fills one target's texts; false without memory. */
static bool
add_contact(struct route *route, const struct binding *binding, const char *to)
{
	struct route_target *grown =
		realloc(route->targets, (route->count + 1) * sizeof(*route->targets));

	if (grown == NULL)
		return false;
	route->targets = grown;
	struct route_target *target = &grown[route->count];
	*target = (struct route_target){.kind = ROUTE_CONTACT, .peer = binding->peer};
	party_set_user(&target->party, binding->user);
	target->uri = strdup(binding->contact);
	target->to = strdup(to);
	target->path = binding->path != NULL ? strdup(binding->path) : NULL;
	target->connection = tport_ref(binding->connection);
	route->count++;
	return target->uri != NULL && target->to != NULL &&
	       (binding->path == NULL || target->path != NULL);
}

struct contacts {
	struct route *route;
	const char *to;
	unsigned last_q;
	unsigned group;
	bool no_memory;
};

static int
on_binding(void *arg, const struct binding *binding)
{
	struct contacts *contacts = arg;
	unsigned first = contacts->route->count;

	/* RFC 3261 16.6: parallel among those of one q, and lower ones after them */
	if (first > 0 && binding->q != contacts->last_q)
		contacts->group++;
	contacts->last_q = binding->q;
	contacts->no_memory = !add_contact(contacts->route, binding, contacts->to);
	if (contacts->route->count > first)
		contacts->route->targets[first].group = contacts->group;
	return contacts->no_memory;
}

static int
find_user(struct agent *agent, const char *name, struct route *route)
{
	char to[USER_NAME_SIZE + CONFIG_HOST_MAX + 8];
	struct contacts contacts = {.route = route, .to = to};

	if (!agent_knows_user(agent, name))
		return 404;
	snprintf(to, sizeof(to), "sip:%s@%s", name, agent->config->sip.domain);
	registrar_find_all(agent->registrar, name, on_binding, &contacts);
	if (contacts.no_memory)
		return 500;
	return route->count > 0 ? 0 : 480;
}

/* The name of the user that a URI of our domain is about; false: it is of somebody else's. */
static bool
name_of_url(const struct config_sip *config, const url_t *url, char name[USER_NAME_SIZE])
{
	char text[3 * USER_NAME_SIZE];

	if ((url->url_type != url_sip && url->url_type != url_sips) || url->url_user == NULL ||
		url->url_host == NULL || strcasecmp(url->url_host, config->domain) != 0 ||
		strlen(url->url_user) >= sizeof(text) || strstr(url->url_user, "%00") != NULL)
		return false;
	/* an escaped name is the same name: RFC 3261 19.1.4 */
	url_unescape(text, url->url_user);
	if (strlen(text) >= USER_NAME_SIZE)
		return false;
	strcpy(name, text);
	return true;
}

int
route_find(struct agent *agent, const struct party *from, const sip_t *request, route_done_cb *done,
	void *arg)
{
	struct route *route = calloc(1, sizeof(*route));
	char name[USER_NAME_SIZE];

	if (route == NULL)
		return -ENOMEM;
	route->status = 404;
	if (name_of_url(&agent->config->sip, request->sip_request->rq_url, name)) {
		strcpy(route->called, name);
		route->status = find_user(agent, name, route);
	}
	done(arg, route);
	return 0;
}

void
route_free(struct route *route)
{
	if (route == NULL)
		return;
	for (unsigned i = 0; i < route->count; i++) {
		struct route_target *target = &route->targets[i];
		free(target->uri);
		free(target->to);
		free(target->path);
		free(target->next_hop);
		tport_unref(target->connection);
	}
	free(route->targets);
	free(route);
}

void
route_target_failed(struct agent *agent, const struct route_target *target)
{
	if (target->kind == ROUTE_TRUNK)
		log_info("trunk %s: a call could not be set up there", target->party.name);
}
