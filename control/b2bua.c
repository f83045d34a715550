/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a call:
 *
 *   b2bua_invite      INVITE of the caller: who is called, what is offered? -> relay: CREATE
 *   call_on_created   the relay has ports for both legs                    -> INVITE to the callee
 *   on_response       18x passes; an answer goes to the relay: UPDATE
 *   call_on_answered  the relay knows the callee's keys  -> 200 (or 183) to the caller
 *   on_ack_or_cancel  ACK: up. CANCEL: the callee is cancelled
 *   on_request        BYE of either side
 *   call_end          from every state, once: both sides told, relay: DELETE
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

/* The caller gets no BYE before it has acknowledged: RFC 3261 15. */
static void
say_bye(struct call_side *side)
{
	struct call *call = side->call;

	if (side->index != 0 || call->acked) {
		call_bye(side, on_bye_response);
	} else {
		call->bye_owed = true;
		call->waiting++;
	}
}

void
call_end(struct call *call, const char *cause, const struct call_side *except, int status,
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
			say_bye(&call->side[i]);
	call_media_delete(call);
	call->waiting--;
	call_done_waiting(call);
}

/* The session description for the caller, made from the callee's. */
static void
answer_caller(struct call *call)
{
	const char *body = call_sdp_make_answer(call);
	int status = call->answer_status;

	call->answer_status = 0;
	if (body == NULL) {
		call_end(call, "out of memory", NULL, 500, NULL);
		return;
	}
	if (status >= 200) {
		call->answered_in = true;
		call->side[0].confirmed = true;
		call->answered_ms = call_now_ms();
		call->state = CALL_UP;
	}
	nta_incoming_treply(call->invite_in, status, NULL,
		SIPTAG_CONTACT_STR(call->side[0].contact),
		SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(body), TAG_END());
}

/* What the callee says of its media: goes to the relay, as far as that does not know it. */
static void
take_description(struct call *call, const sip_payload_t *payload)
{
	const char *phrase = NULL;
	unsigned mask = 0;

	if (call_sdp_read_answer(call, payload->pl_data, payload->pl_len, &mask, &phrase) != 0) {
		log_warning("call %s: %s's answer is refused: %s", call->id, call->callee, phrase);
		call_end(call, "the callee's answer was refused", NULL, 488, NULL);
		return;
	}
	call->described = true;
	if (mask == 0)
		return;
	if (call_media_answer(call, mask) == 0)
		call->updates++;
	else
		call_end(call, "the relay is gone", NULL, 503, NULL);
}

/* 180 and the like pass as they are; one with a session description is an answer ahead of time. */
static void
on_provisional(struct call *call, const sip_t *sip, int status)
{
	bool has_media = sip->sip_payload != NULL && sip->sip_to->a_tag != NULL;

	if (status == 100 || call->state != CALL_RINGING)
		return;
	if (has_media && !call->described) {
		call->answer_status = status;
		take_description(call, sip->sip_payload);
	} else if (!call->described || status != 183) {
		nta_incoming_treply(call->invite_in, status == 183 ? 180 : status,
			status == 183 ? "Ringing" : sip->sip_status->st_phrase,
			SIPTAG_CONTACT_STR(call->side[0].contact), TAG_END());
	}
}

static void
on_success(struct call *call, const sip_t *sip)
{
	if (call->final_out)
		return;
	call->final_out = true;
	call_confirm(call, sip);
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
	call->answer_status = 200;
	if (sip->sip_payload != NULL)
		take_description(call, sip->sip_payload);
	else if (!call->described)
		call_end(call, "the callee's answer has no session description", NULL, 488, NULL);
	if (call->state == CALL_ANSWERING && call->updates == 0)
		answer_caller(call);
}

static void
on_failure(struct call *call, const sip_t *sip, int status)
{
	int mapped = call_map_status(status);

	if (call->final_out)
		return;
	call->final_out = true;
	if (call->cancelled) {
		call->waiting--;
		call_done_waiting(call);
		return;
	}
	call_end(call, status == 486 || status == 600 ? "busy" : "refused by the callee", NULL,
		mapped, mapped == status && sip != NULL ? sip->sip_status->st_phrase : NULL);
}

/* Every response to our INVITE to the callee; Sofia makes one itself for a lost connection. */
static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call *call = (struct call *)magic;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

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

	call_end(call, "no answer", NULL, 480, NULL);
}

void
call_on_answered(struct call *call, const struct relay_header *reply)
{
	call->updates--;
	if (call->state == CALL_ENDED) {
		call_done_waiting(call);
	} else if (reply == NULL || reply->code != RELAY_OK) {
		log_warning("call %s: the relay refuses %s's answer: %s", call->id, call->callee,
			reply != NULL ? relay_reply_reason(reply) : "it is gone");
		call_end(call, "the relay refused the callee's answer", NULL,
			reply != NULL ? 488 : 503, NULL);
	} else if (call->updates == 0 && call->answer_status != 0) {
		answer_caller(call);
	}
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
		if (side->index == 0)
			call_end(side->call, "the caller hung up", side, 487, NULL);
		else
			call_end(side->call, "the callee hung up", side, 480, NULL);
		return 0;
	case sip_method_invite:
		call_reinvite(side, request, sip);
		nta_incoming_destroy(request);
		return 0;
	default:
		agent_answer_other(request, sip);
		return 0;
	}
}

static void
on_acked(struct call *call)
{
	call->acked = true;
	if (!call->bye_owed)
		return;
	call->bye_owed = false;
	call_bye(&call->side[0], on_bye_response);
	call->waiting--;
	call_done_waiting(call);
}

/* The caller's ACK or CANCEL to his INVITE; neither (sip is NULL) when no ACK came in time. */
static int
on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *request, const sip_t *sip)
{
	struct call *call = (struct call *)magic;

	if (sip != NULL && sip->sip_request->rq_method == sip_method_cancel) {
		if (!call->answered_in)
			call_end(call, "cancelled by the caller", NULL, 487, NULL);
		return 0;
	}
	if (call->acked)
		return 0;
	on_acked(call);
	if (sip == NULL)
		call_end(call, "the caller did not acknowledge", NULL, 408, NULL);
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
		call_end(call, "refused by the relay", NULL, address ? 488 : 503, NULL);
		return;
	}
	call->sdp.side[0].local_rtp = session->leg[0].local_rtp;
	call->sdp.side[1].local_rtp = session->leg[1].local_rtp;
	if (registrar_find(call->agent->registrar, call->callee, &binding) != 0) {
		call_end(call, "the callee has gone", NULL, 480, NULL);
		return;
	}
	msg_t *request = nta_incoming_getrequest(call->invite_in);
	int result = call_dialog_out(
		call, sip_object(request), binding.contact, on_request, on_response);
	msg_destroy(request);
	if (result != 0) {
		call_end(call, "no way to the callee", NULL, 480, NULL);
		return;
	}
	call->state = CALL_RINGING;
	su_timer_set(call->timer, on_no_answer, (su_timer_arg_t *)call);
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

	int status = call_check_invite(call, sip, &phrase);
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
		call_end(call, "refused", NULL, status, phrase);
	}
}

void
b2bua_end_all(struct b2bua *b2bua, const char *why)
{
	struct call *call, *next;

	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (call = b2bua->bucket[i]; call != NULL; call = next) {
			next = call->next;
			call_end(call, why, NULL, 503, NULL);
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
	if (event->kind == RELAY_EVENT_TIMEOUT)
		call_end(call, "no media", NULL, 503, NULL);
	else if (event->kind == RELAY_EVENT_DELETED)
		call_end(call, "ended at the relay", NULL, 503, NULL);
}
