/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a call:
 *
 *   b2bua_invite      INVITE of the caller: what is offered? -> who is called? (call_target.c)
 *   call_on_routed    the targets are known                -> the relay: ports for both legs
 *   start_calling     INVITE to the first targets (call_branch.c)
 *   call_on_progress  18x passes; an answer goes to the relay
 *   call_on_winner    the first 2xx: its answer goes to the relay, the other targets are cancelled
 *   call_on_failed    all targets have refused: the best response passes
 *   on_answered       the relay knows the callee's keys  -> 200 (or 183) to the caller
 *   on_ack_or_cancel  ACK: up. CANCEL: the targets are cancelled
 *   (call_request.c)  what either side asks for in the call; BYE
 *   call_end          from every state, once: both sides told, relay: DELETE
 *   call_done_waiting after the last reply: wiped and freed
 *
 * An INVITE without an offer goes to the targets as one, the offer is in the 2xx, and from there on
 * it is as a re-INVITE of that kind: call_exchange_late().
 */
#include "call.h"
#include "call_best.h"
#include "call_headers.h"
#include "call_result.h"
#include "counters.h"

#include "relay/log.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define RETRY_AFTER_S 5 /* while there is no relay */

/* Answers the caller's INVITE for good. */
static void
refuse(struct call *call, int status, const char *phrase)
{
	char min_se[32], after[16];

	if (call->answered_in || call->invite_in == NULL)
		return;
	call->answered_in = true;
	snprintf(min_se, sizeof(min_se), "Min-SE: %u\r\n",
		call->agent->config->sip.dialogs.session_min_s);
	snprintf(after, sizeof(after), "%u",
		call->retry_after_s != 0 ? call->retry_after_s : RETRY_AFTER_S);
	nta_incoming_treply(call->invite_in, status, phrase,
		TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR(after)),
		TAG_IF(status == 422, SIPTAG_HEADER_STR(min_se)), SIPTAG_HEADER_STR(call->lines),
		TAG_END());
}

/* The caller gets no BYE before it has acknowledged: RFC 3261 15. */
static void
say_bye(struct call_side *side)
{
	struct call *call = side->call;

	if (side->dialog == NULL || !side->dialog->confirmed)
		return;
	if (side->index != 0 || call->acked) {
		call_dialog_bye(side->dialog);
	} else {
		call->bye_owed = true;
		call->waiting++;
	}
}

/* By the side that gets no BYE. */
static enum record_end
who_hung_up(const struct call_side *except)
{
	if (except == NULL)
		return RECORD_END_US;
	return except->index == 0 ? RECORD_END_CALLER : RECORD_END_CALLEE;
}

void
call_end(struct call *call, const char *cause, const struct call_side *except, int status,
	const char *phrase)
{
	if (call->state == CALL_ENDED)
		return;
	call->state = CALL_ENDED;
	call->cause = cause;
	call_store_over(call);
	call->waiting++; /* ours, until all has been said */
	record_cause(call->record, who_hung_up(except), cause, call->answered_in ? 200 : status,
		call->reason);
	call_result_note(call, except == NULL, status);
	su_timer_reset(call->timer);
	su_timer_reset(call->setup_timer);
	call_glare_end(call);
	call_limits_give(&call->limits);
	refuse(call, status, phrase);
	call_branch_cancel_all(call, NULL);
	call_exchange_end(call);
	call_transfer_end(call);
	call_forward_free_all(call);
	for (unsigned i = 0; i < 2; i++)
		if (&call->side[i] != except)
			say_bye(&call->side[i]);
	call_media_delete(call);
	call->waiting--;
	call_done_waiting(call);
}

void
call_on_accepted(struct call *call)
{
	call->answered_in = true;
	call->side[0].dialog->confirmed = true;
	call->answered_ms = call_now_ms();
	call->state = CALL_UP;
	call->side[0].session.refreshed_ms = call->answered_ms; /* not while it rang */
	counters_add(COUNTER_CALLS_ANSWERED);
	record_answered(call->record);
	call_changed(call);
}

static void
record_callee(struct call *call)
{
	const struct party *party = &call->side[1].party;

	record_party(call->record, 1, NULL, party->kind == PARTY_USER ? party->name : NULL,
		party->kind == PARTY_TRUNK ? party->name : NULL);
}

/* The session description for the caller, made from the callee's. */
static void
answer_caller(struct call *call)
{
	const char *body = call->settled ? NULL : call_sdp_make_answer(call, 0);
	char timer[CALL_TIMER_LINES];
	int status = call->answer_status;

	call->answer_status = 0;
	if (body == NULL && !call->settled) {
		call_end(call, "out of memory", NULL, 500, NULL);
		return;
	}
	if (status < 200) {
		call_reliable_say(call, status, NULL, body);
		return;
	}
	call_on_accepted(call);
	nta_incoming_treply(call->invite_in, status, NULL,
		SIPTAG_CONTACT_STR(call->side[0].dialog->contact), SIPTAG_ALLOW_STR(AGENT_ALLOW),
		SIPTAG_SUPPORTED_STR(AGENT_SUPPORTED),
		SIPTAG_HEADER_STR(call_timer_answer_lines(&call->side[0], timer)),
		SIPTAG_HEADER_STR(call->lines),
		TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	if (!call->settled)
		call_sdp_commit(call);
}

/* The relay knows the callee's media, or not. */
static void
on_answered(struct call *call, int status)
{
	call->updates--;
	if (status != 0)
		call_end(call, "the relay refused the callee's answer", NULL, status, NULL);
	else if (call->updates == 0 && call->answer_status != 0)
		answer_caller(call);
}

/* What a target says of its media: goes to the relay, as far as that does not know it. */
static void
take_description(struct call_branch *branch, const char *body, size_t length)
{
	struct call *call = branch->call;
	const char *phrase = NULL;

	if (call_sdp_take_answer(call, 1, branch->index, body, length, &phrase) != 0) {
		log_event(LOG_LEVEL_WARNING,
			LOG_ABOUT({LOG_CALL, call->id}, {LOG_LEG, "1"}, {LOG_REASON, phrase}),
			"call %s: %s's answer is refused: %s", call->id, call->callee, phrase);
		call_end(call, "the callee's answer was refused", NULL, 488, NULL);
		return;
	}
	call->described = branch;
	if (call_media_is_told(call))
		return;
	call->updates++;
	if (call_media_apply(call, on_answered) != 0)
		call_end(call, "the relay is gone", NULL, 503, NULL);
}

/* 180 and the like pass as they are; one with a session description is an answer ahead of time. Of
 * several targets the first that sends one is heard. */
void
call_on_progress(struct call_branch *branch, struct call_dialog *dialog, const sip_t *sip)
{
	struct call *call = branch->call;
	int status = sip->sip_status->st_status;
	const sip_payload_t *said = call->late ? NULL : sip->sip_payload;

	call->lines = branch->lines;
	if (said != NULL && dialog != NULL && call->described == NULL) {
		call->side[1].dialog = dialog;
		call->answer_status = status;
		take_description(branch, said->pl_data, said->pl_len);
		if (call->state == CALL_RINGING && call->updates == 0 && call->answer_status != 0)
			answer_caller(call);
	} else if (call->described == NULL || status != 183) {
		call_reliable_say(call, status == 183 ? 180 : status,
			status == 183 ? "Ringing" : sip->sip_status->st_phrase, NULL);
	}
}

void
call_on_winner(struct call_branch *branch, struct call_dialog *dialog, const sip_t *sip)
{
	struct call *call = branch->call;
	const sip_payload_t *said = sip->sip_payload;
	bool other = dialog != call->side[1].dialog;

	su_timer_reset(call->timer);
	call->lines = branch->lines;
	call->side[1].dialog = dialog;
	call->side[1].peer = branch->target->peer;
	call->side[1].party = branch->target->party;
	call->side[1].said = nta_outgoing_getresponse(branch->invite);
	call_timer_response(&call->side[1], sip);
	record_callee(call);
	call->state = CALL_ANSWERING;
	tport_t *connection = nta_outgoing_transport(branch->invite);
	record_leg(call->record, 1, sip->sip_call_id->i_id, connection);
	tport_unref(connection);
	if (call->late) {
		call_exchange_late(call, sip);
		return;
	}
	call->answer_status = 200;
	if (call->settled && other)
		call_end(call, "another phone than the one that was agreed with took it", NULL, 500,
			NULL);
	else if (call->settled)
		; /* what the 2xx says was said before */
	else if (said != NULL)
		take_description(branch, said->pl_data, said->pl_len);
	else if (call->described != branch && branch->answer != NULL)
		take_description(branch, branch->answer, branch->answer_length);
	else if (call->described != branch)
		call_end(call, "the callee's answer has no session description", NULL, 488, NULL);
	if (call->state == CALL_ANSWERING && call->updates == 0)
		answer_caller(call);
}

void
call_on_failed(struct call *call, const struct call_branch *best)
{
	int status = best->status, mapped = call_best_map(status);

	const char *cause = status == 486 || status == 600 ? "busy" : "refused by the callee";
	record_cause(call->record, RECORD_END_CALLEE, cause, status, NULL);
	call->lines = mapped == status ? best->lines : NULL;
	call_end(call, cause, NULL, mapped, mapped == status ? best->phrase : NULL);
}

/* The next targets have their time to ring, too. */
static void
on_no_answer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call *call = (struct call *)arg;

	if (call->state != CALL_RINGING)
		return;
	call_branch_cancel_all(call, NULL);
	if (!call_target_next(call))
		call_end(call, "no answer", NULL, 480, NULL);
	if (call->state == CALL_RINGING)
		su_timer_set(call->timer, on_no_answer, (su_timer_arg_t *)call);
}

static void
on_acked(struct call *call)
{
	call->acked = true;
	if (!call->bye_owed)
		return;
	call->bye_owed = false;
	call_dialog_bye(call->side[0].dialog);
	call->waiting--;
	call_done_waiting(call);
}

/* The caller's ACK or CANCEL to his INVITE; neither (sip is NULL) when no ACK came in time. */
static int
on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *request, const sip_t *sip)
{
	struct call *call = (struct call *)magic;

	if (sip != NULL && sip->sip_request->rq_method == sip_method_cancel) {
		if (!call->answered_in) {
			call->reason = call_headers_reason(call->home, sip);
			record_cause(call->record, RECORD_END_CALLER, "cancelled by the caller",
				487, call->reason);
			call_end(call, "cancelled by the caller", NULL, 487, NULL);
		}
		return 0;
	}
	if (call->acked)
		return 0;
	on_acked(call);
	if (sip == NULL)
		counters_add(COUNTER_CALLS_UNACKNOWLEDGED);
	if (sip == NULL)
		call_end(call, "the caller did not acknowledge", NULL, 408, NULL);
	else if (call->exchange.initial && call->state != CALL_ENDED)
		call_exchange_acked(call, sip);
	return 0;
}

static void
start_calling(struct call *call)
{
	call->state = CALL_RINGING;
	if (call_target_next(call))
		su_timer_set(call->timer, on_no_answer, (su_timer_arg_t *)call);
	else if (call->limit_status != 0)
		call_end(call, "over a limit", NULL, call->limit_status, call->limit_phrase);
	else
		call_end(call, "no way to the callee", NULL, 480, NULL);
}

/* The relay has ports for both legs, or not. */
static void
on_created(struct call *call, int status)
{
	if (status != 0)
		call_end(call, "refused by the relay", NULL, status, NULL);
	else
		start_calling(call);
}

static void
refuse_invite(struct call *call, int status, const char *phrase)
{
	log_stranger(LOG_LEVEL_INFO,
		LOG_ABOUT({LOG_CALL, call->id}, {LOG_USER, call->caller},
			{LOG_REASON, phrase != NULL ? phrase : sip_status_phrase(status)}),
		"call %s: %s to %s is refused: %d %s", call->id, call->caller, call->callee, status,
		phrase != NULL ? phrase : sip_status_phrase(status));
	call_end(call, "refused", NULL, status, phrase);
}

void
call_on_routed(struct call *call, int status, const char *phrase)
{
	if (status != 0) {
		refuse_invite(call, status, phrase);
		return;
	}
	record_callee(call);
	record_started(call->record);
	call_store_setup(call, call->late ? SDP_STREAMS_MAX : call->sdp.streams);
	if (call->late)
		start_calling(call); /* ports are for the callee's offer */
	else if (call_media_open(call, on_created) != 0)
		refuse_invite(call, 503, NULL);
}

void
b2bua_invite(struct b2bua *b2bua, nta_incoming_t *request, const sip_t *sip,
	const struct party *from, const struct source *source)
{
	const char *phrase;

	if (call_replace(b2bua, request, sip, from, source))
		return;
	struct call *call = call_new(b2bua);
	if (call == NULL) {
		nta_incoming_treply(request, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
		nta_incoming_destroy(request);
		return;
	}
	counters_add(COUNTER_CALLS_BEGUN);
	call->invite_in = request;
	call->caller = su_strdup(call->home, from->name);
	call->callee = "?";
	call->side[0].party = *from;
	call->side[0].peer = source->peer.ip;
	call->side[0].said = nta_incoming_getrequest(request);
	nta_incoming_bind(request, on_ack_or_cancel, (nta_incoming_magic_t *)call);

	record_party(call->record, 0, url_as_string(call->home, sip->sip_from->a_url),
		from->kind == PARTY_USER ? from->name : NULL,
		from->kind == PARTY_TRUNK ? from->name : NULL);
	record_party(
		call->record, 1, url_as_string(call->home, sip->sip_request->rq_url), NULL, NULL);
	record_leg(call->record, 0, sip->sip_call_id->i_id, source->connection);

	int status = call_check_invite(call, sip, &phrase);
	if (status == 0) {
		call->side[0].dialog =
			call_dialog_in(&call->side[0], request, sip, source->connection);
		status = call->side[0].dialog != NULL ? 0 : 500;
	}
	if (status == 0) {
		nta_incoming_treply(request, SIP_100_TRYING, TAG_END());
		if (call_target_find(call, sip) != 0)
			status = 500;
	}
	if (status != 0)
		refuse_invite(call, status, phrase);
}

static void
end_all(struct b2bua *b2bua, bool but_those_up, const char *why)
{
	struct call *call, *next;

	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (call = b2bua->bucket[i]; call != NULL; call = next) {
			next = call->next;
			if (call->state != CALL_UP || !but_those_up)
				call_end(call, why, NULL, 503, NULL);
		}
}

void
b2bua_end_all(struct b2bua *b2bua, const char *why)
{
	end_all(b2bua, false, why);
}

void
b2bua_hand_over(struct b2bua *b2bua, const char *why)
{
	end_all(b2bua, b2bua->store != NULL, why);
}

void
b2bua_relay_event(struct b2bua *b2bua, const struct relay_event *event)
{
	struct call *call;
	char id[RELAY_ID_SIZE];

	/* a call's second stream and the next have a number behind its name */
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(event->id, "/"), event->id);
	call = call_find(b2bua, id);
	if (call == NULL || call->state == CALL_ENDED)
		return;
	call_changed(call);
	if (event->kind == RELAY_EVENT_LATCHED && event->leg < 2)
		call_media_latched(call, event);
	if (event->kind == RELAY_EVENT_KEY_EXPIRING && event->leg < 2)
		call_rekey_expiring(&call->side[event->leg]);
	if (event->kind != RELAY_EVENT_TIMEOUT && event->kind != RELAY_EVENT_DELETED)
		return;
	if (call->moving != NULL)
		return; /* it is our doing */
	if (call_media_lost(call, event->id) > 0)
		return;
	if (event->kind == RELAY_EVENT_TIMEOUT)
		call_end(call, "no media", NULL, 503, NULL);
	else
		call_end(call, "ended at the relay", NULL, 503, NULL);
}
