/* SPDX-License-Identifier: BSD-3-Clause */
/* Transfers (REFER, RFC 3515, inside a call): who sent it goes, somebody else comes in its place.
 *
 *   REFER             202, and the Refer-To is looked up as if its sender called it
 *   blind             INVITE to who comes in; with Replaces (RFC 3891) of another call of the
 *                     sender's here: re-INVITE to the other side of that. Both without an offer
 *   2xx, its offer    to who stays, as a re-INVITE (call_exchange.c): hold and codecs are settled
 *   200 of that       ACK with the answer; NOTIFY, and BYE to the sender
 *
 * Whatever fails before is told by NOTIFY, and the call is as it was. All targets of a group are
 * called at once. */
#include "call_transfer.h"
#include "call.h"
#include "call_digest.h"
#include "call_identity.h"
#include "counters.h"

#include "relay/log.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <string.h>
#include <strings.h>

static bool try_next(struct call_transfer *transfer);

/* RFC 3515 2.4.4. A final status ends the subscription. */
static void
notify(struct call_transfer *transfer, int status, const char *phrase)
{
	struct call_dialog *dialog = transfer->old;
	char body[128];

	if (dialog->ended || transfer->replaced || !call_dialog_is_in_reach(dialog))
		return;
	snprintf(body, sizeof(body), "SIP/2.0 %d %.80s\r\n", status,
		phrase != NULL ? phrase : sip_status_phrase(status));
	const char *state = status < 200 ? "active;expires=180" : "terminated;reason=noresource";
	call_digest_leave(
		dialog, nta_outgoing_tcreate(dialog->leg, NULL, NULL,
				(const url_string_t *)dialog->next_hop, SIP_METHOD_NOTIFY, NULL,
				NTATAG_TPORT(dialog->connection),
				TAG_IF(dialog->ident != NULL, TPTAG_IDENT(dialog->ident)),
				SIPTAG_CONTACT_STR(dialog->contact), SIPTAG_EVENT_STR("refer"),
				SIPTAG_SUBSCRIPTION_STATE_STR(state),
				SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"),
				SIPTAG_PAYLOAD_STR(body), TAG_END()));
}

void
call_transfer_fail(struct call_transfer *transfer, int status, const char *phrase)
{
	struct call *call = transfer->call;

	if (transfer->over)
		return;
	transfer->over = true;
	counters_add(COUNTER_CALLS_NOT_TRANSFERRED);
	call_limits_give_guest(&transfer->guest);
	su_timer_reset(call->timer);
	log_info("call %s: a transfer by %s fails: %d", call->id, transfer->party.name, status);
	notify(transfer, status, phrase);
	call->transfer = NULL;
	call_changed(call);
	if (transfer->left)
		call_end(call, "the transfer failed", transfer->by, 480, NULL);
}

/* Takes back what has no final response yet. */
static void
cancel(struct call_transfer *transfer)
{
	for (struct call_attempt *each = transfer->attempts; each != NULL; each = each->next) {
		if (each->over || each->cancelled)
			continue;
		each->cancelled = true;
		transfer->call->waiting++;
		nta_outgoing_tcancel(each->invite, NULL, NULL, TAG_END());
	}
}

struct call_transfer *
call_transfer_new(struct call_side *by)
{
	struct call *call = by->call;
	struct call_transfer *transfer = su_zalloc(call->home, sizeof(*transfer));

	if (transfer == NULL)
		return NULL;
	transfer->call = call;
	transfer->by = by;
	transfer->old = by->dialog;
	transfer->party = by->party;
	transfer->peer = by->peer;
	transfer->session = by->session;
	transfer->next = call->transfers;
	call->transfers = transfer;
	call->transfer = transfer;
	return transfer;
}

void
call_transfer_take_place(struct call_transfer *transfer, struct call_dialog *made,
	const struct party *party, const struct relay_ip *peer, msg_t *said)
{
	struct call_side *by = transfer->by;

	transfer->made = made;
	by->dialog = made;
	by->party = *party;
	by->peer = *peer;
	transfer->said = by->said;
	by->said = said;
	call_sdp_set_trunk(by->call, by->index, party->trunk);
}

void
call_transfer_come_in(struct call_transfer *transfer, struct call_dialog *made,
	const struct party *party, const struct relay_ip *peer, msg_t *said, const sip_t *response)
{
	call_transfer_take_place(transfer, made, party, peer, said);
	call_timer_response(transfer->by, response);
	call_exchange_transfer(transfer->by, response);
}

static void
give_back(struct call_transfer *transfer)
{
	struct call_side *by = transfer->by;

	by->dialog = transfer->old;
	by->party = transfer->party;
	by->peer = transfer->peer;
	by->session = transfer->session;
	msg_destroy(by->said);
	by->said = transfer->said;
	transfer->said = NULL;
	call_sdp_set_trunk(by->call, by->index, by->party.trunk);
}

void
call_transfer_answer(
	struct call *call, uint32_t cseq, int status, const char *phrase, const char *body)
{
	struct call_transfer *transfer = call->transfer;

	call_dialog_ack(transfer->made, cseq, body);
	if (status >= 300)
		call_dialog_bye(transfer->made);
	call_transfer_settle(transfer, status, phrase);
}

static void
record(const struct call_transfer *transfer)
{
	const struct call_side *by = transfer->by;
	const char *kind = transfer->replaced ? "replaced" : "blind";

	if (transfer->joined != NULL)
		kind = "attended";
	record_transfer(by->call->record, kind, by->index, &transfer->party, &by->party,
		by->said != NULL ? sip_object(by->said)->sip_call_id->i_id : NULL);
}

void
call_transfer_settle(struct call_transfer *transfer, int status, const char *phrase)
{
	struct call *call = transfer->call;
	struct call_side *by = transfer->by;

	if (status >= 300) {
		give_back(transfer);
		call_transfer_fail(transfer, status, phrase);
		return;
	}
	transfer->over = true;
	call->transfer = NULL;
	call_changed(call);
	log_info("call %s: %s %s to %s", call->id, transfer->party.name,
		transfer->replaced ? "moves" : "transfers it", by->party.name);
	if (by->index == 0)
		call->caller = su_strdup(call->home, by->party.name);
	else
		call->callee = su_strdup(call->home, by->party.name);
	counters_add(COUNTER_CALLS_TRANSFERRED);
	call_limits_give_guest(&transfer->guest);
	call_limits_replace(&call->limits, by->index, &by->party);
	record(transfer);
	notify(transfer, 200, "OK");
	call_dialog_bye(transfer->old);
}

static void
on_success(struct call_attempt *attempt, const sip_t *sip)
{
	struct call_transfer *transfer = attempt->transfer;
	struct call *call = transfer->call;
	const struct route_target *target = attempt->target;
	struct call_dialog *made = call_dialog_make(transfer->by, target, attempt->contact, sip);

	if (made == NULL)
		return;
	made->digest = digest_client_share(attempt->digest);
	made->invite_credentials = attempt->credentials;
	call_dialog_confirm(made, sip);
	if (transfer->over || transfer->made != NULL || call->state != CALL_UP ||
		call->exchange.stage != EXCHANGE_NONE) {
		call_dialog_ack(made, sip->sip_cseq->cs_seq, NULL);
		call_dialog_bye(made);
		if (transfer->made == NULL)
			call_transfer_fail(transfer, 491, NULL);
		return;
	}
	cancel(transfer);
	su_timer_reset(call->timer);
	call_transfer_come_in(transfer, made, &target->party, &target->peer,
		nta_outgoing_getresponse(attempt->invite), sip);
}

/* Is a target still to say something? */
static bool
is_waiting(const struct call_transfer *transfer)
{
	const struct call_attempt *each = transfer->attempts;

	while (each != NULL && (each->over || each->cancelled))
		each = each->next;
	return each != NULL;
}

void
call_transfer_on_response(struct call_attempt *attempt, int status, const sip_t *sip)
{
	struct call_transfer *transfer = attempt->transfer;
	bool goes_on = !transfer->over && transfer->made == NULL;

	if (status < 200 && sip != NULL) {
		if (status > 100 && goes_on)
			notify(transfer, status, sip->sip_status->st_phrase);
		return;
	}
	attempt->over = true;
	if (status < 300 && sip != NULL)
		on_success(attempt, sip);
	else if (goes_on && !attempt->cancelled && !is_waiting(transfer) && !try_next(transfer))
		call_transfer_fail(transfer, status < 300 ? 500 : status,
			sip != NULL ? sip->sip_status->st_phrase : NULL);
	if (attempt->cancelled) {
		transfer->call->waiting--;
		call_done_waiting(transfer->call);
	}
}

static void
on_no_answer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call *call = (struct call *)arg;
	struct call_transfer *transfer = call->transfer;

	if (transfer == NULL || transfer->made != NULL)
		return;
	cancel(transfer);
	if (try_next(transfer))
		su_timer_set(call->timer, on_no_answer, (su_timer_arg_t *)call);
	else
		call_transfer_fail(transfer, 408, NULL);
}

static bool
try_next(struct call_transfer *transfer)
{
	const struct route *route = transfer->route;
	unsigned opened = 0;

	while (transfer->tried < route->count) {
		const struct route_target *target = &route->targets[transfer->tried];
		if (opened > 0 && target->group != target[-1].group)
			break;
		transfer->tried++;
		opened += call_attempt_open(transfer, target);
	}
	return opened > 0;
}

static void
on_route(void *arg, struct route *route)
{
	struct call_transfer *transfer = arg;
	struct call *call = transfer->call;

	transfer->route = route;
	if (call->state == CALL_UP && !transfer->over) {
		if (route->status != 0)
			call_transfer_fail(transfer, route->status, route->phrase);
		else if (!try_next(transfer))
			call_transfer_fail(transfer,
				transfer->limit_status != 0 ? transfer->limit_status : 488, NULL);
		else
			su_timer_set(call->timer, on_no_answer, (su_timer_arg_t *)call);
	}
	call->waiting--;
	call_done_waiting(call);
}

static int
begin(struct call_transfer *transfer, const sip_t *sip)
{
	struct call *call = transfer->call;
	sip_t copy = *sip;
	sip_request_t line = *sip->sip_request;
	url_t url = *sip->sip_refer_to->r_url;
	sip_replaces_t *replaces = call_transfer_read_replaces(call->home, &url);

	if (replaces != NULL)
		return call_transfer_join(transfer, replaces);
	url.url_headers = NULL;
	line.rq_url[0] = url;
	copy.sip_request = &line;
	call->waiting++;
	if (route_find(call->agent, &transfer->party, &copy, on_route, transfer) == 0)
		return 0;
	call->waiting--;
	return 500;
}

/* 0, or the status to refuse it with. */
static int
check(const struct call_dialog *dialog, const sip_t *sip)
{
	const struct call *call = dialog->side->call;
	const sip_refer_to_t *to = sip->sip_refer_to;
	char method[16] = "INVITE";

	if (call->state == CALL_ENDED || dialog != dialog->side->dialog)
		return 481;
	if (call->agent->config->sip.dialogs.transfers == CONFIG_TRANSFERS_REFUSE)
		return 403;
	if (to == NULL)
		return 400;
	if (to->r_url->url_params != NULL)
		url_param(to->r_url->url_params, "method", method, sizeof(method));
	if (strcasecmp(method, "INVITE") != 0)
		return 403; /* nobody has us send anything else */
	if (call->state != CALL_UP || call->transfer != NULL ||
		call->exchange.stage != EXCHANGE_NONE)
		return 491;
	return 0;
}

void
call_transfer_request(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip)
{
	struct call_side *side = dialog->side;
	struct call_transfer *transfer = NULL;
	int status = check(dialog, sip);

	if (status == 0) {
		transfer = call_transfer_new(side);
		status = transfer != NULL ? 0 : 500;
	}
	nta_incoming_treply(in, status != 0 ? status : 202, status != 0 ? NULL : "Accepted",
		TAG_IF(status == 0, SIPTAG_CONTACT_STR(dialog->contact)), TAG_END());
	nta_incoming_destroy(in);
	if (status != 0) {
		counters_add(COUNTER_CALLS_NOT_TRANSFERRED);
		return;
	}
	transfer->hidden = identity_is_hidden(sip);
	notify(transfer, 100, "Trying");
	status = begin(transfer, sip);
	if (status != 0)
		call_transfer_fail(transfer, status, NULL);
}

bool
call_transfer_left(struct call_dialog *dialog)
{
	struct call_transfer *transfer = dialog->side->call->transfer;

	if (transfer == NULL || transfer->old != dialog)
		return false;
	transfer->left = true;
	return true;
}

void
call_transfer_end(struct call *call)
{
	struct call_transfer *transfer = call->transfer;

	if (transfer == NULL)
		return;
	call->transfer = NULL;
	transfer->over = true;
	call_limits_give_guest(&transfer->guest);
	cancel(transfer);
	if (transfer->made != NULL)
		call_dialog_bye(transfer->old);
}

void
call_transfer_free_all(struct call *call)
{
	for (struct call_transfer *each = call->transfers; each != NULL; each = each->next) {
		nta_outgoing_destroy(each->asked);
		msg_destroy(each->said);
		call_attempt_free_all(each);
		route_free(each->route);
	}
	call->transfers = NULL;
}
