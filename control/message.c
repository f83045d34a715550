/* SPDX-License-Identifier: BSD-3-Clause */
/*
 *   message_handle   too large? too many hops? -> route
 *   on_route         a MESSAGE to each target of the first group
 *   on_response      the first 2xx passes at once; else, when all have refused, the next group;
 *                    then the best of the refusals (RFC 3261 16.7)
 */
#include "message.h"

#include "call.h"
#include "call_best.h"
#include "call_headers.h"
#include "counters.h"
#include "digest_client.h"
#include "generation.h"
#include "relay/log.h"
#include "route.h"

#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <stdlib.h>

#define WAITING_MAX 4096 /* messages without a final response */

struct message {
	struct message *next; /* of all that wait */
	struct message **prev;
	struct messages *all;
	struct generation *generation; /* held: what `from` and the targets point into */
	su_home_t home[1];
	su_timer_t *timer; /* to be freed when nothing of the stack's is on the call stack */
	nta_incoming_t *in;
	struct party from;
	struct route *route;
	unsigned started; /* targets */
	struct attempt *attempts;
	unsigned open; /* attempts, and the route, that have yet to answer */
	int best;      /* status of the best refusal; 0: none */
	bool answered;
};

/* A MESSAGE of ours to one target. */
struct attempt {
	struct attempt *next;
	struct message *message;
	const struct route_target *target;
	nta_leg_t *leg;
	nta_outgoing_t *out;
	struct digest_client *digest; /* NULL: not challenged */
	bool done;
};

struct messages {
	struct agent *agent;
	unsigned count;
	struct message *first;
};

struct messages *
messages_create(struct agent *agent)
{
	struct messages *messages = calloc(1, sizeof(*messages));

	if (messages != NULL)
		messages->agent = agent;
	return messages;
}

static void
message_free(struct message *message)
{
	*message->prev = message->next;
	if (message->next != NULL)
		message->next->prev = message->prev;
	message->all->count--;
	for (struct attempt *at = message->attempts; at != NULL; at = at->next) {
		nta_outgoing_destroy(at->out);
		if (at->leg != NULL)
			nta_leg_destroy(at->leg);
		digest_client_destroy(at->digest);
	}
	nta_incoming_destroy(message->in);
	route_free(message->route);
	su_timer_destroy(message->timer);
	su_home_deinit(message->home);
	generation_release(message->generation);
	free(message);
}

void
messages_destroy(struct messages *messages)
{
	if (messages == NULL)
		return;
	while (messages->first != NULL)
		message_free(messages->first);
	free(messages);
}

static void
on_free(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	message_free((struct message *)arg);
}

static void
answer(struct message *message, int status, const char *phrase)
{
	if (message->answered)
		return;
	message->answered = true;
	counters_add(status < 300 ? COUNTER_MESSAGES_DELIVERED : COUNTER_MESSAGES_REFUSED);
	nta_incoming_treply(message->in, status, phrase,
		TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
}

static bool start_next(struct message *message);

/* Something has come to its end: is there more to try, or is this all? */
static void
look(struct message *message)
{
	if (message->open > 0)
		return;
	if (!message->answered && (message->best >= 600 || !start_next(message)))
		answer(message, message->best != 0 ? call_best_map(message->best) : 480, NULL);
	if (message->answered && message->open == 0)
		su_timer_set_interval(message->timer, on_free, (su_timer_arg_t *)message, 1);
}

static nta_response_f on_response;

/* RFC 3428 4: no Contact; the body as it came, whatever it is. */
static int
send_attempt(struct attempt *attempt)
{
	struct message *message = attempt->message;
	const struct config_sip *config = &message->all->agent->config->sip;
	const struct route_target *target = attempt->target;
	const struct config_trunk *trunk = target->party.trunk;
	msg_t *request = nta_incoming_getrequest(message->in);
	const sip_t *in = sip_object(request);
	const sip_payload_t *body = in->sip_payload;
	sip_max_forwards_t hops[1];
	sip_authorization_t *proof = NULL;
	sip_proxy_authorization_t *proxy_proof = NULL;
	int result = -ENOMEM;

	sip_max_forwards_init(hops);
	hops->mf_count = in->sip_max_forwards != NULL ? in->sip_max_forwards->mf_count - 1 : 69;
	const char *lines =
		call_headers_pass(message->home, config, in, &message->from, &target->party);
	if (lines == NULL)
		goto done;
	if (attempt->digest != NULL) {
		result = digest_client_add(attempt->digest, message->home, "MESSAGE", target->uri,
			body != NULL ? body->pl_data : NULL, body != NULL ? body->pl_len : 0,
			trunk->credentials, trunk->credentials_count, &proof, &proxy_proof);
		if (result != 0)
			goto done;
	}
	nta_outgoing_destroy(attempt->out);
	attempt->out =
		nta_outgoing_tcreate(attempt->leg, on_response, (nta_outgoing_magic_t *)attempt,
			(const url_string_t *)target->next_hop, SIP_METHOD_MESSAGE,
			(const url_string_t *)target->uri, NTATAG_TPORT(target->connection),
			TAG_IF(target->ident != NULL, TPTAG_IDENT(target->ident)),
			TAG_IF(target->path != NULL, SIPTAG_ROUTE_STR(target->path)),
			SIPTAG_MAX_FORWARDS(hops), SIPTAG_HEADER_STR(lines),
			SIPTAG_AUTHORIZATION(proof), SIPTAG_PROXY_AUTHORIZATION(proxy_proof),
			SIPTAG_CONTENT_TYPE(in->sip_content_type), SIPTAG_PAYLOAD(body), TAG_END());
	result = attempt->out != NULL ? 0 : -ENOMEM;

done:
	msg_destroy(request);
	return result;
}

static int
start(struct message *message, const struct route_target *target)
{
	struct attempt *attempt = su_zalloc(message->home, sizeof(*attempt));
	struct agent *agent = message->all->agent;
	char tag[CALL_TAG_SIZE], id[33];

	if (attempt == NULL || call_random_hex(tag, CALL_TAG_BYTES) != 0 ||
		call_random_hex(id, 16) != 0)
		return -ENOMEM;
	attempt->message = message;
	attempt->target = target;
	attempt->next = message->attempts;
	message->attempts = attempt;
	msg_t *request = nta_incoming_getrequest(message->in);
	attempt->leg = nta_leg_tcreate(agent->nta, NULL, NULL, SIPTAG_CALL_ID_STR(id),
		SIPTAG_FROM(call_headers_from(message->home, &agent->config->sip,
			sip_object(request), &message->from, &target->party)),
		SIPTAG_TO(sip_to_format(message->home, "<%s>", target->to)), TAG_END());
	msg_destroy(request);
	if (attempt->leg == NULL)
		return -ENOMEM;
	nta_leg_tag(attempt->leg, tag);
	return send_attempt(attempt);
}

/* All targets of the next group that there is a way to. */
static bool
start_next(struct message *message)
{
	const struct route *route = message->route;
	unsigned opened = 0;

	while (route != NULL && message->started < route->count) {
		const struct route_target *target = &route->targets[message->started];
		if (opened > 0 && target->group != target[-1].group)
			break;
		message->started++;
		if (start(message, target) == 0)
			opened++;
	}
	message->open += opened;
	return opened > 0;
}

/* A trunk wants to know who we are. Is there an answer on its way? */
static bool
is_proved(struct attempt *attempt, const sip_t *sip)
{
	const struct config_trunk *trunk = attempt->target->party.trunk;

	if (trunk == NULL)
		return false;
	if (attempt->digest == NULL)
		attempt->digest = digest_client_create();
	return attempt->digest != NULL &&
	       digest_client_take(
		       attempt->digest, sip, trunk->credentials, trunk->credentials_count) == 0 &&
	       send_attempt(attempt) == 0;
}

static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct attempt *attempt = (struct attempt *)magic;
	struct message *message = attempt->message;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (status < 200 || attempt->done || request != attempt->out)
		return 0;
	if ((status == 401 || status == 407) && sip != NULL && is_proved(attempt, sip))
		return 0;
	attempt->done = true;
	message->open--;
	if (status < 300)
		answer(message, status, NULL);
	else if (message->best == 0 || call_best_compare(status, message->best) > 0)
		message->best = status;
	if (status == 408 || status == 503 || status == 504)
		route_target_failed(message->all->agent, attempt->target);
	look(message);
	return 0;
}

static void
on_route(void *arg, struct route *route)
{
	struct message *message = arg;

	message->open--;
	message->route = route;
	if (route->status != 0)
		answer(message, route->status, route->phrase);
	look(message);
}

/* The status to refuse it with; 0: none. */
static int
check(const struct messages *messages, const sip_t *sip, const char **phrase)
{
	uint32_t most = messages->agent->config->sip.instant_message_bytes;
	const sip_payload_t *body = sip->sip_payload;

	*phrase = NULL;
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0)
		return 483;
	if (most == 0)
		return 405;
	/* RFC 3428 8 */
	if (body != NULL && body->pl_len > most)
		return 413;
	if (sip->sip_content_type == NULL && body != NULL && body->pl_len > 0) {
		*phrase = "No Content-Type";
		return 400;
	}
	return messages->count >= WAITING_MAX ? 503 : 0;
}

void
message_handle(struct messages *messages, nta_incoming_t *request, const sip_t *sip,
	const struct party *from)
{
	const char *phrase;
	int status = check(messages, sip, &phrase);
	struct message *message = status == 0 ? calloc(1, sizeof(*message)) : NULL;

	if (message != NULL)
		message->timer = su_timer_create(su_root_task(messages->agent->root), 0);
	if (message == NULL || message->timer == NULL) {
		free(message);
		counters_add(COUNTER_MESSAGES_REFUSED);
		nta_incoming_treply(request, status != 0 ? status : 500, phrase,
			TAG_IF(status == 405, SIPTAG_ALLOW_STR(AGENT_ALLOW)),
			TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
		nta_incoming_destroy(request);
		return;
	}
	su_home_init(message->home);
	message->all = messages;
	message->generation = generation_hold();
	message->in = request;
	message->from = *from;
	message->next = messages->first;
	message->prev = &messages->first;
	if (message->next != NULL)
		message->next->prev = &message->next;
	messages->first = message;
	messages->count++;
	message->open++; /* the route */
	if (route_find(messages->agent, from, sip, on_route, message) != 0) {
		message->open--;
		answer(message, 500, NULL);
		look(message);
	}
}
