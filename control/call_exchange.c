/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_exchange.h"

#include "call.h"
#include "call_best.h"
#include "call_digest.h"
#include "counters.h"

#include "relay/log.h"

#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>

#define RETRY_AFTER "2" /* seconds: RFC 3261 14.2 wants 0 to 10 */

static call_media_cb on_applied;
static nta_response_f on_response;

/* The transactions are done with; what was open is agreed or rolled back by now. */
static void
close_exchange(struct call *call)
{
	struct call_exchange *exchange = &call->exchange;

	if (!exchange->initial)
		nta_incoming_destroy(exchange->in);
	nta_outgoing_destroy(exchange->out);
	*exchange = (struct call_exchange){0};
	call_changed(call);
}

static void
answer(struct call_exchange *exchange, int status, const char *phrase, const char *body)
{
	const char *contact = exchange->from->dialog->contact;
	char timer[CALL_TIMER_LINES];

	if (exchange->by_ack) {
		uint32_t cseq = exchange->ack_owed;
		exchange->ack_owed = 0;
		call_transfer_answer(exchange->from->call, cseq, status, phrase, body);
		return;
	}

	nta_incoming_treply(exchange->in, status, phrase,
		TAG_IF(status < 300, SIPTAG_CONTACT_STR(contact)),
		TAG_IF(status < 300, SIPTAG_ALLOW_STR(AGENT_ALLOW)),
		TAG_IF(status < 300, SIPTAG_SUPPORTED_STR(AGENT_SUPPORTED)),
		TAG_IF(status < 300,
			SIPTAG_HEADER_STR(call_timer_answer_lines(exchange->from, timer))),
		TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	if (exchange->replaces)
		call_replace_settle(exchange->from->call, status, phrase);
}

/* What was agreed before stands. Where the other side has said yes already, it does not: then the
 * call ends, as RFC 3261 13.2.2.4 has it for answers that can't be used. */
static void
refuse(struct call *call, int status, const char *phrase)
{
	struct call_exchange *exchange = &call->exchange;
	bool accepted = exchange->accepted, initial = exchange->initial;

	if (!accepted && exchange->from != NULL)
		answer(exchange, status, phrase, NULL);
	if (call->state == CALL_ENDED)
		return; /* with a transfer that failed */
	if (!accepted && !initial && call_sdp_rollback(call) == 0) {
		close_exchange(call);
		return;
	}
	call_end(call, "an offer in the call failed", NULL, status, phrase);
}

/* An UPDATE goes on as one, where the other side knows it; before the call is up there is no other
 * way. */
static void
ask(struct call *call, const char *body)
{
	struct call_exchange *exchange = &call->exchange;
	struct call_dialog *dialog = exchange->to->dialog;
	bool update = !exchange->invite && dialog->can_update;

	if (!update && call->state != CALL_UP) {
		refuse(call, 488, NULL);
		return;
	}
	exchange->stage = EXCHANGE_ASKED;
	exchange->out = call_dialog_request(dialog, on_response, (nta_outgoing_magic_t *)call,
		update ? sip_method_update : sip_method_invite, body);
	if (exchange->out == NULL)
		refuse(call, call_dialog_is_in_reach(dialog) ? 500 : 480, NULL);
}

static void
on_opened(struct call *call, int status)
{
	struct call_exchange *exchange = &call->exchange;
	const struct call_side *whom = exchange->late ? exchange->from : exchange->to;
	const char *body;

	if (status != 0) {
		refuse(call, status, NULL);
		return;
	}
	body = call_sdp_make_offer(call, whom->index, 0);
	if (body == NULL) {
		refuse(call, 500, NULL);
	} else if (exchange->late) {
		/* ours to `from`, in the 2xx */
		exchange->stage = EXCHANGE_ANSWERED;
		answer(exchange, 200, NULL, body);
		if (exchange->initial)
			call_on_accepted(call);
	} else {
		ask(call, body);
	}
}

static void
open_media(struct call *call)
{
	call->exchange.stage = EXCHANGE_OPENING;
	if (call_media_open(call, on_opened) != 0)
		refuse(call, 503, NULL);
}

static void
apply(struct call *call)
{
	call->exchange.stage = EXCHANGE_APPLYING;
	call_changed(call);
	if (call_media_apply(call, on_applied) != 0)
		refuse(call, 503, NULL);
}

/* The relay knows: the side that waits hears of it. */
static void
on_applied(struct call *call, int status)
{
	struct call_exchange *exchange = &call->exchange;
	const struct call_side *whom = exchange->late ? exchange->to : exchange->from;
	const char *body = NULL;

	if (status == 0 && whom != NULL) {
		body = call_sdp_make_answer(call, whom->index);
		status = body != NULL ? 0 : 500;
	}
	if (status != 0) {
		refuse(call, status, NULL);
		return;
	}
	if (exchange->late) {
		call_dialog_ack(exchange->to->dialog, exchange->ack_owed, body);
		exchange->ack_owed = 0;
	} else if (exchange->from != NULL) {
		answer(exchange, 200, NULL, body);
	}
	call_sdp_commit(call);
	if (exchange->rekey)
		call_rekey_done(exchange->to);
	/* one that was late has its ACK; an UPDATE has none */
	if (exchange->in != NULL && exchange->invite && !exchange->late)
		exchange->stage = EXCHANGE_ANSWERED;
	else
		close_exchange(call);
}

static void
take_late_offer(struct call *call, const sip_t *sip)
{
	struct call_exchange *exchange = &call->exchange;
	const char *phrase = NULL;
	int status = 488;

	exchange->accepted = true;
	exchange->ack_owed = sip->sip_cseq->cs_seq;
	if (sip->sip_payload != NULL)
		status = call_sdp_take_offer(call, exchange->to->index, sip->sip_payload->pl_data,
			sip->sip_payload->pl_len, &phrase);
	if (status != 0)
		refuse(call, status, phrase);
	else
		open_media(call);
}

static void
take_answer(struct call *call, const sip_t *sip, bool must_ack)
{
	struct call_exchange *exchange = &call->exchange;
	struct call_side *side = exchange->late ? exchange->from : exchange->to;
	const char *phrase = NULL;

	if (must_ack)
		call_dialog_ack(side->dialog, sip->sip_cseq->cs_seq, NULL);
	exchange->accepted = true;
	if (sip->sip_payload == NULL ||
		call_sdp_take_answer(call, side->index, 0, sip->sip_payload->pl_data,
			sip->sip_payload->pl_len, &phrase) != 0) {
		log_warning("call %s: an answer in the call is refused: %s", call->id,
			phrase != NULL ? phrase : "it has no session description");
		refuse(call, 488, phrase);
	} else {
		apply(call);
	}
}

/* RFC 3261 12.2.1.2: these say that the dialog is gone, not that the offer is refused. 503 is also
 * what the stack says of a connection that closed: call_watch.c sees to that. */
static bool
is_dialog_lost(int status)
{
	return status == 408 || status == 481;
}

static void
on_refused(struct call *call, int status, const char *phrase)
{
	struct call_side *to = call->exchange.to;

	if (is_dialog_lost(status) && to->dialog->lost_ms == 0) {
		call_end(call, "no answer in the call", status == 481 ? to : NULL, 480, NULL);
		return;
	}
	bool crossed = status == 491 && call->exchange.from == NULL, rekey = call->exchange.rekey;
	if (status == 401 || status == 407)
		refuse(call, 500, NULL); /* is about us, not about the offer */
	else                             /* 491 passes: who asked tries again, RFC 3261 14.1 */
		refuse(call, status >= 400 && status < 500 ? status : call_best_map(status),
			phrase);
	if (crossed && call->state == CALL_UP)
		call_glare_wait(to, rekey);
}

/* To our re-INVITE or UPDATE. */
static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call *call = (struct call *)magic;
	struct call_exchange *exchange = &call->exchange;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);
	bool invite = nta_outgoing_method(request) == sip_method_invite;

	if (status < 200 && sip != NULL)
		return 0;
	if (call->state == CALL_ENDED || request != exchange->out) {
		if (invite && status < 300 && sip != NULL && exchange->to != NULL)
			call_dialog_ack(exchange->to->dialog, sip->sip_cseq->cs_seq, NULL);
		return 0;
	}
	if (call_digest_again(exchange->to->dialog, &exchange->out, sip, on_response, magic))
		return 0;
	if (status >= 300 || sip == NULL) {
		on_refused(call, status < 300 ? 408 : status,
			sip != NULL ? sip->sip_status->st_phrase : NULL);
		return 0;
	}
	call_dialog_refresh(exchange->to->dialog, sip);
	call_timer_response(exchange->to, sip);
	if (exchange->refresh)
		close_exchange(call);
	else if (exchange->late)
		take_late_offer(call, sip);
	else
		take_answer(call, sip, invite);
	return 0;
}

/* To the re-INVITE of `from`. */
static int
on_ack_or_cancel(nta_incoming_magic_t *magic, nta_incoming_t *in, const sip_t *sip)
{
	struct call *call = (struct call *)magic;
	struct call_exchange *exchange = &call->exchange;

	if (in != exchange->in || call->state == CALL_ENDED)
		return 0;
	if (sip == NULL || sip->sip_request->rq_method == sip_method_ack)
		call_exchange_acked(call, sip);
	else if (exchange->stage == EXCHANGE_ASKED && !exchange->accepted)
		nta_outgoing_tcancel(exchange->out, NULL, NULL, TAG_END());
	return 0;
}

void
call_exchange_acked(struct call *call, const sip_t *ack)
{
	struct call_exchange *exchange = &call->exchange;

	if (exchange->stage != EXCHANGE_ANSWERED)
		return;
	if (ack == NULL)
		call_end(call, "no acknowledgement in the call", NULL, 408, NULL);
	else if (exchange->late)
		take_answer(call, ack, false);
	else
		close_exchange(call);
}

void
call_exchange_late(struct call *call, const sip_t *response)
{
	call->exchange = (struct call_exchange){
		.stage = EXCHANGE_ASKED,
		.from = &call->side[0],
		.to = &call->side[1],
		.in = call->invite_in,
		.initial = true,
		.invite = true,
		.late = true,
	};
	call_sdp_set_trunk(call, 1, call->side[1].dialog->branch->target->party.trunk);
	take_late_offer(call, response);
}

void
call_exchange_transfer(struct call_side *side, const sip_t *response)
{
	struct call *call = side->call;
	const sip_payload_t *offer = response->sip_payload;
	const char *phrase = NULL;
	int status = 488;

	call->exchange = (struct call_exchange){
		.stage = EXCHANGE_OPENING,
		.from = side,
		.to = &call->side[!side->index],
		.invite = true,
		.by_ack = true,
		.ack_owed = response->sip_cseq->cs_seq,
	};
	if (offer != NULL)
		status = call_sdp_take_offer(
			call, side->index, offer->pl_data, offer->pl_len, &phrase);
	if (status != 0)
		refuse(call, status, phrase);
	else
		open_media(call);
}

/* May this begin now? 0, or the status to refuse it with: RFC 3261 14.2, RFC 3311 5.2. */
static int
may_begin(const struct call_dialog *dialog, const sip_t *sip)
{
	struct call *call = dialog->side->call;
	bool invite = sip->sip_request->rq_method == sip_method_invite;

	if (call->state == CALL_ENDED || dialog != dialog->side->dialog)
		return 481;
	if (call->exchange.stage != EXCHANGE_NONE) {
		counters_add(COUNTER_CALLS_GLARE);
		return call->exchange.from == dialog->side ? 500 : 491;
	}
	if (call->state != CALL_UP &&
		(invite || (sip->sip_payload != NULL && !call_reliable_settle(call))))
		return 491;
	return call_timer_request(dialog->side, sip);
}

static void
begin(struct call_side *side, nta_incoming_t *in, const sip_t *sip, bool replaces)
{
	struct call *call = side->call;
	const sip_payload_t *offer = sip->sip_payload;
	const char *phrase = NULL;

	call->exchange = (struct call_exchange){
		.from = side,
		.to = &call->side[!side->index],
		.in = in,
		.invite = sip->sip_request->rq_method == sip_method_invite,
		.late = offer == NULL,
		.replaces = replaces,
	};
	nta_incoming_bind(in, on_ack_or_cancel, (nta_incoming_magic_t *)call);
	if (offer == NULL) {
		ask(call, NULL);
		return;
	}
	int status = call_sdp_take_offer(call, side->index, offer->pl_data, offer->pl_len, &phrase);
	if (status != 0) {
		answer(&call->exchange, status, phrase, NULL);
		close_exchange(call);
	} else if (call_sdp_concerns_other(call) || call_sdp_answer_alone(call) != 0) {
		open_media(call);
	} else {
		apply(call);
	}
}

void
call_exchange_replace(struct call_side *side, nta_incoming_t *in, const sip_t *sip)
{
	begin(side, in, sip, true);
}

void
call_exchange_request(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip)
{
	bool update = sip->sip_request->rq_method == sip_method_update;
	int status = may_begin(dialog, sip);
	char lines[CALL_TIMER_LINES] = "";

	if (status == 0)
		call_dialog_refresh(dialog, sip);
	if (status == 0 && (!update || sip->sip_payload != NULL)) {
		begin(dialog->side, in, sip, false);
		return;
	}
	/* an UPDATE without an offer is a refresh, of the target or of the session's timer */
	if (status == 0)
		call_timer_answer_lines(dialog->side, lines);
	else if (status == 422)
		snprintf(lines, sizeof(lines), "Min-SE: %u\r\n",
			dialog->side->call->agent->config->sip.dialogs.session_min_s);
	nta_incoming_treply(in, status != 0 ? status : 200, NULL,
		TAG_IF(status == 500, SIPTAG_RETRY_AFTER_STR(RETRY_AFTER)),
		TAG_IF(status == 0, SIPTAG_CONTACT_STR(dialog->contact)), SIPTAG_HEADER_STR(lines),
		TAG_END());
	nta_incoming_destroy(in);
}

/* A re-INVITE of ours to one side, which the other does not hear of. */
static int
offer_alone(struct call_side *side, const char *body)
{
	if (body == NULL)
		return -EINVAL;
	side->call->exchange =
		(struct call_exchange){.stage = EXCHANGE_ASKED, .to = side, .invite = true};
	ask(side->call, body);
	return 0;
}

int
call_rekey(struct call *call, unsigned side)
{
	if (call->exchange.stage != EXCHANGE_NONE || call->state != CALL_UP ||
		!call_dialog_is_in_reach(call->side[side].dialog))
		return -EBUSY;
	int result = offer_alone(&call->side[side], call_sdp_rekey(call, side));
	call->exchange.rekey = call->exchange.stage == EXCHANGE_ASKED;
	return result;
}

int
call_exchange_refresh(struct call_side *side)
{
	struct call *call = side->call;

	if (call->exchange.stage != EXCHANGE_NONE || !call_dialog_is_in_reach(side->dialog))
		return -EBUSY;
	if (!side->dialog->can_update)
		return offer_alone(side, call_sdp_repeat(call, side->index));
	call->exchange = (struct call_exchange){
		.stage = EXCHANGE_ASKED,
		.to = side,
		.refresh = true,
	};
	ask(call, NULL);
	return 0;
}

void
call_exchange_end(struct call *call)
{
	struct call_exchange *exchange = &call->exchange;

	if (exchange->stage == EXCHANGE_NONE)
		return;
	if (exchange->ack_owed != 0)
		call_dialog_ack((exchange->by_ack ? exchange->from : exchange->to)->dialog,
			exchange->ack_owed, NULL);
	exchange->ack_owed = 0;
	if (!exchange->initial && exchange->in != NULL && exchange->stage != EXCHANGE_ANSWERED)
		answer(exchange, 487, NULL, NULL);
	exchange->stage = EXCHANGE_NONE;
}

void
call_exchange_free(struct call *call)
{
	close_exchange(call);
}
