/* SPDX-License-Identifier: BSD-3-Clause */
/* The requests inside a call's dialogs. */
#include "call.h"
#include "call_headers.h"
#include "counters.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <string.h>

static void
on_bye(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip)
{
	struct call_side *side = dialog->side;
	const char *reason = call_headers_reason(side->call->home, sip);

	nta_incoming_treply(in, SIP_200_OK, TAG_END());
	nta_incoming_destroy(in);
	dialog->ended = true;
	if (dialog->bye_due) {
		dialog->bye_due = false;
		side->call->waiting--;
		call_done_waiting(side->call);
	}
	if (side->dialog != dialog || call_transfer_left(dialog))
		return; /* of a target that lost */
	if (side->call->reason == NULL)
		side->call->reason = reason;
	if (side->index == 0)
		call_end(side->call, "the caller hung up", side, 487, NULL);
	else
		call_end(side->call, "the callee hung up", side, 480, NULL);
}

/* Do we send something of it on, to the other side? */
static bool
is_passed_on(sip_method_t method)
{
	return method == sip_method_invite || method == sip_method_update ||
	       method == sip_method_info || method == sip_method_message ||
	       method == sip_method_refer;
}

/* Can we do what it requires, and read what it brings (RFC 3261 8.2.2.3, 8.2.3)? If not, it has
 * been answered. */
static bool
accept_request(const struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip)
{
	const struct agent *agent = dialog->side->call->agent;
	sip_method_t method = sip->sip_request->rq_method;
	sip_accept_t accept[1];

	if (method == sip_method_ack || method == sip_method_bye)
		return true;
	/* RFC 7332 3 */
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0 &&
		is_passed_on(method)) {
		counters_add(COUNTER_CALLS_HOPS);
		nta_incoming_treply(in, SIP_483_TOO_MANY_HOPS, TAG_END());
		return false;
	}
	if (nta_check_required(in, sip, agent->invite_supported, TAG_END()) != 0)
		return false;
	if (method != sip_method_invite && method != sip_method_update)
		return true;
	sip_accept_init(accept);
	accept->ac_type = "application/sdp";
	accept->ac_subtype = "sdp";
	return nta_check_session_content(in, sip, accept, TAG_END()) == 0;
}

int
call_on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip)
{
	struct call_dialog *dialog = (struct call_dialog *)magic;

	/* the stack finds a dialog by the far end's tag alone, where ours is not given: but ours is
	 * what proves that the sender is in it (RFC 3261 12.2.2) */
	if (sip->sip_to->a_tag == NULL && sip->sip_request->rq_method != sip_method_ack) {
		nta_incoming_treply(in, 481, NULL, TAG_END());
		nta_incoming_destroy(in);
		return 0;
	}
	if (!call_sender_check(dialog, in, sip)) {
		nta_incoming_destroy(in);
		return 0;
	}
	call_watch_meet(dialog, in);
	call_changed(dialog->side->call);
	if (!accept_request(dialog, in, sip)) {
		nta_incoming_destroy(in);
		return 0;
	}
	switch (sip->sip_request->rq_method) {
	case sip_method_bye:
		on_bye(dialog, in, sip);
		return 0;
	case sip_method_invite:
	case sip_method_update:
		call_exchange_request(dialog, in, sip);
		return 0;
	case sip_method_info:
	case sip_method_message:
		call_forward(dialog, in, sip);
		return 0;
	case sip_method_refer:
		call_transfer_request(dialog, in, sip);
		return 0;
	case sip_method_prack: /* of a response that we did not send: RFC 3262 3 */
		nta_incoming_treply(in, 481, NULL, TAG_END());
		nta_incoming_destroy(in);
		return 0;
	default:
		agent_answer_other(in, sip);
		return 0;
	}
}

int
call_on_branch_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip)
{
	struct call_branch *branch = (struct call_branch *)magic;
	const char *tag = sip->sip_from->a_tag;
	struct call_dialog *dialog = branch->call->dialogs;

	while (dialog != NULL &&
		(dialog->branch != branch || tag == NULL || strcmp(dialog->tag, tag) != 0))
		dialog = dialog->next;
	if (dialog != NULL)
		return call_on_request((nta_leg_magic_t *)dialog, leg, in, sip);
	nta_incoming_treply(in, 481, NULL, TAG_END());
	nta_incoming_destroy(in);
	return 0;
}
