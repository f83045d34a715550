/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a call:
 *
 *   b2bua_invite      INVITE of the caller: who is called, what is offered? -> relay: CREATE
 *   call_on_created   the relay has ports for both legs                    -> INVITE to the callee
 *   on_response       18x passes; an answer goes to the relay: UPDATE
 *   call_on_answered  the relay knows the callee's keys                    -> 200 (or 183) to the caller
 *   on_ack_or_cancel  ACK: up. CANCEL: the callee is cancelled
 *   on_request        BYE of either side
 *   end_call          from every state, once: both sides told, relay: DELETE
 *   call_done_waiting after the last reply: wiped and freed
 */
#include "call.h"

#include "relay/log.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RETRY_AFTER "5" /* seconds, while there is no relay */

static void end_call(struct call *call, const char *cause, const struct call_side *except,
	int status, const char *phrase);

/* Answers the caller's INVITE for good. */
static void
refuse(struct call *call, int status, const char *phrase)
{
	if (call->answered_in || call->invite_in == NULL)
		return;
	call->answered_in = true;
	nta_incoming_treply(call->invite_in, status, phrase,
		TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR(RETRY_AFTER)), TAG_END());
}

static int
on_bye_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_side *side = (struct call_side *)magic;

	if (sip != NULL && sip->sip_status->st_status < 200)
		return 0;
	nta_outgoing_destroy(side->bye);
	side->bye = NULL;
	side->call->waiting--;
	call_done_waiting(side->call);
	return 0;
}

/* Takes the callee's INVITE back, where it has not been answered for good. */
static void
cancel_callee(struct call *call)
{
	if (call->invite_out == NULL || call->final_out || call->cancelled)
		return;
	call->cancelled = true;
	call->waiting++; /* for its final response: 487, or a 200 that crossed */
	nta_outgoing_tcancel(call->invite_out, NULL, NULL, TAG_END());
}

/* Ends a call from whatever state: `except` is the side that hung up, and needs no BYE; `status` is
 * what the caller hears if he has no answer yet. */
static void
end_call(struct call *call, const char *cause, const struct call_side *except, int status,
	const char *phrase)
{
	if (call->state == CALL_ENDED)
		return;
	call->state = CALL_ENDED;
	call->cause = cause;
	call->waiting++; /* ours, until all has been said */
	su_timer_reset(call->timer);
	refuse(call, status, phrase);
	cancel_callee(call);
	for (unsigned i = 0; i < 2; i++)
		if (call->side[i].confirmed && &call->side[i] != except)
			call_bye(&call->side[i], on_bye_response);
	call_media_delete(call);
	call->waiting--;
	call_done_waiting(call);
}

/* What the caller hears of the callee's refusal: RFC 3261 16.7, and nothing that only our own leg to
 * the callee is about. */
static int
map_status(int status)
{
	switch (status) {
	case 404:
	case 410:
	case 480:
	case 486:
	case 488:
	case 600:
	case 603:
	case 604:
	case 606:
		return status;
	case 487:
	case 408:
	case 401:
	case 407:
		return 480;
	default:
		return status >= 500 && status < 600 ? 500 : 480;
	}
}

/* Asks the relay to go on with what the callee said; the caller hears `status` when it has. */
static void
pass_answer(struct call *call, const sip_t *sip, int status)
{
	const char *phrase = NULL;

	call->pending_status = status;
	if (sip->sip_payload == NULL || call_sdp_read_answer(call, sip->sip_payload->pl_data,
						sip->sip_payload->pl_len, &phrase) != 0) {
		log_warning("call %s: %s's answer is refused: %s", call->id, call->callee,
			phrase != NULL ? phrase : "it has no session description");
		end_call(call, "the callee's answer was refused", NULL, 488, "Not Acceptable Here");
		return;
	}
	if (call_media_answer(call) != 0)
		end_call(call, "the relay is gone", NULL, 503, "Service Unavailable");
}

/* 180 and the like pass as they are; one with a session description is an answer ahead of time. */
static void
on_provisional(struct call *call, const sip_t *sip, int status)
{
	if (status == 100 || call->state != CALL_RINGING)
		return;
	if (sip->sip_payload != NULL && !call->early_answer && sip->sip_to->a_tag != NULL) {
		call->early_answer = true;
		pass_answer(call, sip, status);
		return;
	}
	if (call->pending_status == 0)
		nta_incoming_treply(call->invite_in, status == 183 ? 180 : status,
			status == 183 ? "Ringing" : sip->sip_status->st_phrase,
			SIPTAG_CONTACT_STR(call->agent->contact), TAG_END());
}

static void
on_success(struct call *call, const sip_t *sip)
{
	call_ack(call, sip);
	if (call->final_out)
		return; /* a repetition: the ACK was lost */
	call->final_out = true;
	call->side[1].confirmed = true;
	if (call->cancelled) {
		/* it crossed our CANCEL: RFC 3261 15 ends it by BYE */
		call_bye(&call->side[1], on_bye_response);
		call->waiting--;
		call_done_waiting(call);
		return;
	}
	if (call->state != CALL_RINGING)
		return;
	su_timer_reset(call->timer);
	call->state = CALL_ANSWERING;
	if (sip->sip_payload == NULL && call->early_answer)
		call_on_answered(call, NULL); /* all was said in the 183 */
	else
		pass_answer(call, sip, 200);
}

static void
on_failure(struct call *call, const sip_t *sip, int status)
{
	int mapped = map_status(status);

	call->final_out = true;
	if (call->cancelled) {
		call->cancelled = false;
		call->waiting--;
		call_done_waiting(call);
		return;
	}
	end_call(call, status == 486 || status == 600 ? "busy" : "refused by the callee", NULL,
		mapped, mapped == status ? sip->sip_status->st_phrase : NULL);
}

/* Every response to our INVITE to the callee; Sofia makes one itself for a lost connection. */
static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call *call = (struct call *)magic;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (sip != NULL && sip->sip_to->a_tag != NULL && status > 100 && status < 300) {
		nta_leg_rtag(call->side[1].leg, sip->sip_to->a_tag);
		nta_leg_client_route(call->side[1].leg, sip->sip_record_route, sip->sip_contact);
	}
	if (status < 200 && sip != NULL)
		on_provisional(call, sip, status);
	else if (status < 300 && sip != NULL)
		on_success(call, sip);
	else
		on_failure(call, sip, status < 300 ? 500 : status);
	return 0;
}

static void
on_no_answer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call *call = (struct call *)arg;

	end_call(call, "no answer", NULL, 480, "Temporarily Unavailable");
}

/* The caller's session description, the relay's part of it, to the caller. */
static void
answer_caller(struct call *call, int status)
{
	const char *body = call_sdp_make_answer(call);

	if (body == NULL) {
		end_call(call, "out of memory", NULL, 500, "Server Internal Error");
		return;
	}
	if (status >= 200) {
		call->answered_in = true;
		call->side[0].confirmed = true;
		call->answered_ms = call_now_ms();
		call->state = CALL_UP;
	}
	nta_incoming_treply(call->invite_in, status, status >= 200 ? "OK" : "Session Progress",
		SIPTAG_CONTACT_STR(call->agent->contact),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(body), TAG_END());
}

void
call_on_answered(struct call *call, const struct relay_header *reply)
{
	int status = call->pending_status;

	if (call->state == CALL_ENDED) {
		call_done_waiting(call);
		return;
	}
	call->pending_status = 0;
	if (reply != NULL && reply->code != RELAY_OK) {
		log_warning("call %s: the relay refuses %s's answer: %s", call->id, call->callee,
			relay_reply_reason(reply));
		end_call(call, "the relay refused the callee's answer", NULL, 488,
			"Not Acceptable Here");
		return;
	}
	/* the callee may have answered for good while the relay heard of its early answer */
	answer_caller(call, call->state == CALL_ANSWERING ? 200 : status);
}

/* A re-INVITE that says what was said before is a session refresh: we repeat what we said. */
static int
on_reinvite(struct call_side *side, nta_incoming_t *request, const sip_t *sip)
{
	struct call *call = side->call;

	if (call->state != CALL_UP) {
		nta_incoming_treply(request, 491, "Request Pending", TAG_END());
	} else if (sip->sip_payload == NULL ||
		   !call_sdp_is_refresh(call, side->index, sip->sip_payload->pl_data,
			   sip->sip_payload->pl_len)) {
		nta_incoming_treply(request, SIP_488_NOT_ACCEPTABLE, TAG_END());
	} else {
		nta_incoming_treply(request, SIP_200_OK, SIPTAG_CONTACT_STR(call->agent->contact),
			SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			SIPTAG_PAYLOAD_STR(call->sdp.side[side->index].said), TAG_END());
	}
	nta_incoming_destroy(request);
	return 0;
}

/* Every request inside a dialog, of either side. What is returned is the response's status. */
static int
on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *request, const sip_t *sip)
{
	struct call_side *side = (struct call_side *)magic;

	switch (sip->sip_request->rq_method) {
	case sip_method_bye:
		nta_incoming_treply(request, SIP_200_OK, TAG_END());
		nta_incoming_destroy(request);
		end_call(side->call, side->index == 0 ? "the caller hung up" : "the callee hung up",
			side, 487, "Request Terminated");
		return 0;
	case sip_method_invite:
		return on_reinvite(side, request, sip);
	case sip_method_ack:
		return 0;
	case sip_method_options:
		return 200;
	default:
		nta_incoming_treply(request, SIP_405_METHOD_NOT_ALLOWED,
			SIPTAG_ALLOW_STR(AGENT_ALLOW), TAG_END());
		nta_incoming_destroy(request);
		return 0;
	}
}

/* The caller's ACK or CANCEL to his INVITE; neither (sip is NULL) when no ACK came in time. */
static int
on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *request, const sip_t *sip)
{
	struct call *call = (struct call *)magic;

	if (sip == NULL)
		end_call(call, "the caller did not acknowledge", NULL, 408, NULL);
	else if (sip->sip_request->rq_method == sip_method_cancel && !call->answered_in)
		end_call(call, "cancelled by the caller", NULL, 487, "Request Terminated");
	return 0;
}

void
call_on_created(struct call *call, const struct relay_header *reply)
{
	const struct relay_session *session = (const struct relay_session *)reply;
	struct binding binding;

	if (call->state == CALL_ENDED) {
		call_done_waiting(call);
		return;
	}
	if (reply == NULL || reply->code != RELAY_OK) {
		log_warning("call %s: %s to %s: the relay refuses: %s", call->id, call->caller,
			call->callee, reply != NULL ? relay_reply_reason(reply) : "it is gone");
		bool address = reply != NULL && reply->code == RELAY_E_ADDRESS;
		call->in_relay = false;
		end_call(call, "refused by the relay", NULL, address ? 488 : 503, NULL);
		return;
	}
	call->sdp.side[0].local_rtp = session->leg[0].local_rtp;
	call->sdp.side[1].local_rtp = session->leg[1].local_rtp;
	if (registrar_find(call->agent->registrar, call->callee, &binding) != 0) {
		end_call(call, "the callee has gone", NULL, 480, "Temporarily Unavailable");
		return;
	}
	msg_t *request = nta_incoming_getrequest(call->invite_in);
	int result = call_dialog_out(
		call, sip_object(request), binding.contact, on_request, on_response);
	msg_destroy(request);
	if (result != 0) {
		end_call(call, "no way to the callee", NULL, 480, "Temporarily Unavailable");
		return;
	}
	call->state = CALL_RINGING;
	su_timer_set(call->timer, on_no_answer, (su_timer_arg_t *)call);
}

/* The name of the user that is called, on the call's home; NULL: nobody of ours. */
static const char *
find_callee(struct agent *agent, const sip_t *sip, char *name, size_t size)
{
	const url_t *url = sip->sip_request->rq_url;

	if ((url->url_type != url_sip && url->url_type != url_sips) || url->url_user == NULL ||
		url->url_host == NULL || strcasecmp(url->url_host, agent->config->sip.domain) != 0)
		return NULL;
	if (strlen(url->url_user) >= size)
		return NULL;
	/* an escaped name is the same name: RFC 3261 19.1.4 */
	url_unescape(name, url->url_user);
	return agent_knows_user(agent, name) ? name : NULL;
}

/* What can be said of an INVITE without asking anybody: 0, or the status to refuse it with. */
static int
check_invite(struct call *call, const sip_t *sip, const char **phrase)
{
	struct binding binding;
	char name[AGENT_USER_SIZE];

	*phrase = NULL;
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0)
		return 483;
	if (find_callee(call->agent, sip, name, sizeof(name)) == NULL)
		return 404;
	call->callee = su_strdup(call->home, name);
	if (sip->sip_require != NULL)
		return 420;
	if (registrar_find(call->agent->registrar, call->callee, &binding) != 0)
		return 480;
	call->side[1].connection = tport_ref(binding.connection);
	call->side[1].peer = binding.peer;
	*phrase = "No Session Description";
	if (sip->sip_payload == NULL)
		return 488;
	int status = call_sdp_read_offer(
		call, sip->sip_payload->pl_data, sip->sip_payload->pl_len, phrase);
	if (status != 0)
		return status;
	*phrase = NULL;
	return media_is_connected(call->agent->media) ? 0 : 503;
}

void
b2bua_invite(struct b2bua *b2bua, nta_incoming_t *request, const sip_t *sip, const char *user,
	const struct source *source)
{
	struct call *call = call_new(b2bua);
	const char *phrase;

	if (call == NULL) {
		nta_incoming_treply(request, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
		nta_incoming_destroy(request);
		return;
	}
	call->invite_in = request;
	call->caller = su_strdup(call->home, user);
	call->callee = "?";
	call->side[0].connection = tport_ref(source->connection);
	call->side[0].peer = source->peer.ip;
	nta_incoming_bind(request, on_ack_or_cancel, (nta_incoming_magic_t *)call);

	int status = check_invite(call, sip, &phrase);
	if (status == 0 && call_dialog_in(call, sip, on_request) != 0)
		status = 500;
	if (status == 0) {
		nta_incoming_treply(request, SIP_100_TRYING, TAG_END());
		if (call_media_create(call) != 0)
			status = 503;
	}
	if (status != 0) {
		log_info("call %s: %s to %s is refused: %d %s", call->id, call->caller,
			call->callee, status, phrase != NULL ? phrase : sip_status_phrase(status));
		end_call(call, "refused", NULL, status, phrase);
	}
}

void
b2bua_end_all(struct b2bua *b2bua, const char *why)
{
	struct call *call, *next;

	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (call = b2bua->bucket[i]; call != NULL; call = next) {
			next = call->next;
			end_call(call, why, NULL, 503, "Service Unavailable");
		}
}

void
b2bua_relay_lost(struct b2bua *b2bua)
{
	b2bua_end_all(b2bua, "the relay went away");
}

void
b2bua_relay_event(struct b2bua *b2bua, const struct relay_event *event)
{
	struct call *call = call_find(b2bua, event->id);

	if (call == NULL || call->state == CALL_ENDED)
		return;
	if (event->kind == RELAY_EVENT_TIMEOUT || event->kind == RELAY_EVENT_DELETED) {
		call->in_relay = false;
		end_call(call,
			event->kind == RELAY_EVENT_TIMEOUT ? "no media" : "ended at the relay",
			NULL, 503, "Service Unavailable");
	}
}
