/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom a call goes to: the targets of its route, group after group; and those that a 3xx names, if
 * the configuration lets them and they are ours. */
#include "call.h"
#include "call_best.h"
#include "counters.h"

#include "relay/log.h"

#include <errno.h>
#include <sofia-sip/sip_header.h>

/* For the first word of a trunk, be it 100: over TLS to a neighbour that is long. By RFC 3261's
 * timer B the caller would hear nothing for 32 s. */
#define TRUNK_SETUP_MS 4000
#define REDIRECTS_MAX 5 /* of one call: RFC 3261 8.1.3.4 wants no loop */

struct lookup {
	struct call *call;
	struct call_branch *branch; /* that was redirected; NULL: the call's own */
};

static int
keep_route(struct call *call, struct route *route)
{
	struct call_route *kept = su_zalloc(call->home, sizeof(*kept));

	if (kept == NULL) {
		route_free(route);
		return -ENOMEM;
	}
	kept->route = route;
	kept->next = call->routes;
	call->routes = kept;
	return 0;
}

static void
on_redirect_routed(struct call *call, struct call_branch *branch, struct route *route)
{
	branch->looking = false;
	counters_add(route->status != 0 ? COUNTER_CALLS_STRAY : COUNTER_CALLS_REDIRECTED);
	if (call->state != CALL_RINGING || route->status != 0) {
		route_free(route);
	} else if (keep_route(call, route) == 0) {
		log_info("call %s: %s redirects to %s", call->id, call->callee, route->called);
		call_target_next(call);
	}
	if (call->state == CALL_RINGING)
		call_branch_look(call);
}

static void
on_own_routed(struct call *call, struct route *route)
{
	int status = route->status;

	if (call->state == CALL_ENDED) {
		route_free(route);
		return;
	}
	call->callee = su_strdup(call->home, route->called);
	call->retry_after_s = route->retry_after_s;
	if (status != 0) {
		call_on_routed(call, status, route->phrase);
		route_free(route);
		return;
	}
	call->side[1].peer = route->targets[0].peer;
	call->side[1].party = route->targets[0].party;
	call_on_routed(call, keep_route(call, route) == 0 ? 0 : 500, NULL);
}

static void
on_route(void *arg, struct route *route)
{
	struct lookup *lookup = arg;
	struct call *call = lookup->call;

	if (lookup->branch != NULL)
		on_redirect_routed(call, lookup->branch, route);
	else
		on_own_routed(call, route);
	call->waiting--;
	call_done_waiting(call);
}

static int
look_up(struct call *call, struct call_branch *branch, const sip_t *request)
{
	struct lookup *lookup = su_zalloc(call->home, sizeof(*lookup));

	if (lookup == NULL)
		return -ENOMEM;
	*lookup = (struct lookup){call, branch};
	call->waiting++;
	int result = route_find(call->agent, &call->side[0].party, request, on_route, lookup);
	if (result != 0) {
		call->waiting--;
		call_done_waiting(call);
	}
	return result;
}

int
call_target_find(struct call *call, const sip_t *request)
{
	return look_up(call, NULL, request);
}

/* The trunk has said nothing at all: on to the next. */
static void
on_setup_time(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call *call = (struct call *)arg;

	if (call->state != CALL_RINGING || !call_branch_give_up(call) ||
		call_branch_is_open(call) || call_target_next(call))
		return;
	call_end(call, "no trunk answered", NULL, 503, NULL);
}

/* May the call go to this party? It counts as its call then, in place of the one before. */
static bool
take_limit(struct call *call, const struct party *party)
{
	enum call_limit limit = call_limits_take_to(&call->limits, party, call_now_ms());

	if (limit == CALL_LIMIT_NONE)
		return true;
	call->limit_status =
		call_limits_status(limit, true, &call->limit_phrase, &call->retry_after_s);
	return false;
}

static bool
open_target(struct call *call, const struct route_target *target)
{
	if (!take_limit(call, &target->party) || call_branch_add(call, target) != 0)
		return false;
	if (target->kind == ROUTE_TRUNK)
		su_timer_set_interval(
			call->setup_timer, on_setup_time, (su_timer_arg_t *)call, TRUNK_SETUP_MS);
	return true;
}

/* The relay has ports at the next target's place, or not: then that one is passed over. */
static void
on_moved(struct call *call, int status)
{
	struct call_route *route = call->moving;

	call->moving = NULL;
	call->unplaced = status != 0;
	if (status != 0)
		route->started++;
	if (call->state != CALL_RINGING || call_target_next(call))
		return;
	call_branch_look(call);
	if (call->state == CALL_RINGING && !call_branch_is_open(call))
		call_end(call, "no way to the callee", NULL, 503, NULL);
}

/* Does this target need other ports of ours than there are? All that are called at once share them:
 * so they move while nobody is called, and before the caller has been told of them. */
static bool
move_for(struct call *call, struct call_route *route, const struct route_target *target)
{
	if (call->late || call->described != NULL || call_branch_is_open(call) ||
		(!call->unplaced && call_media_place(call, &target->peer) ==
					    call_media_place(call, &call->side[1].peer)))
		return false;
	call->side[1].peer = target->peer;
	call->moving = route;
	if (call_media_move(call, on_moved) == 0)
		return true;
	call->moving = NULL;
	return false;
}

bool
call_target_next(struct call *call)
{
	unsigned opened = 0;

	if (call->moving != NULL)
		return true;
	for (struct call_route *each = call->routes; each != NULL && opened == 0; each = each->next)
		while (each->started < each->route->count) {
			const struct route_target *target = &each->route->targets[each->started];
			if (each->started > 0 && opened > 0 && target->group != target[-1].group)
				break;
			if (opened == 0 && move_for(call, each, target))
				return true;
			each->started++;
			if (open_target(call, target))
				opened++;
		}
	return opened > 0;
}

/* From a phone, until somebody wants nothing of the call at all (6xx: RFC 3261 16.7 step 5); from a
 * trunk only where it could not take the call: one that knows about the callee has been heard. */
bool
call_target_after(struct call *call, const struct call_branch *best)
{
	bool able = best->status < 500 && best->status != 408;

	if (best->status >= 600 || (best->target->kind == ROUTE_TRUNK && able))
		return false;
	return call_target_next(call);
}

/* The first contact that is of our domain, or a number for our dial plan, is where the call goes:
 * who answers 302 does not make us call strangers. */
bool
call_target_retry(struct call_branch *branch, const sip_t *response)
{
	struct call *call = branch->call;
	const sip_contact_t *contact = response->sip_contact;

	if (response->sip_status->st_status >= 400 || contact == NULL)
		return false;
	if (call->agent->config->sip.dialogs.redirects == CONFIG_REDIRECTS_REFUSE ||
		call->redirects >= REDIRECTS_MAX) {
		counters_add(COUNTER_CALLS_STRAY);
		return false;
	}
	call->redirects++;
	msg_t *message = nta_incoming_getrequest(call->invite_in);
	sip_t copy = *sip_object(message);
	sip_request_t line = *copy.sip_request;
	url_t url = *contact->m_url;
	url.url_headers = NULL;
	if (line.rq_url->url_type == url_sips && url.url_type == url_sip) {
		url.url_type = url_sips; /* it was to be TLS to the end, and goes on so */
		url.url_scheme = "sips";
	}
	line.rq_url[0] = url;
	copy.sip_request = &line;
	branch->looking = true;
	if (look_up(call, branch, &copy) != 0)
		branch->looking = false;
	msg_destroy(message);
	return branch->looking;
}

void
call_target_free_all(struct call *call)
{
	for (struct call_route *each = call->routes; each != NULL; each = each->next)
		route_free(each->route);
	call->routes = NULL;
}
