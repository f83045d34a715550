/* SPDX-License-Identifier: BSD-3-Clause */
/* The INVITEs of a call to its targets, all at once (RFC 3261 16.6, 16.7): the first 2xx takes the
 * call, the others are cancelled; a 2xx that crosses its CANCEL is acknowledged and ended. */
#include "call.h"
#include "call_best.h"

#include "relay/log.h"

#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tag.h>

static nta_response_f on_response;

/* From: the caller's address of record and the name it gave itself, with a tag of our own. */
static sip_from_t *
make_from(struct call *call, const sip_t *invite)
{
	const char *domain = call->agent->config->sip.domain;
	sip_from_t *from = sip_from_format(call->home, "<sip:%s@%s>", call->caller, domain);

	if (from != NULL && invite->sip_from->a_display != NULL)
		from->a_display = su_strdup(call->home, invite->sip_from->a_display);
	return from;
}

static int
open_leg(struct call_branch *branch, const sip_t *invite)
{
	struct call *call = branch->call;
	const char *domain = call->agent->config->sip.domain;
	char tag[CALL_TAG_SIZE], id[CALL_TAG_SIZE];

	if (call_random_hex(tag, CALL_TAG_BYTES) != 0 || call_random_hex(id, CALL_TAG_BYTES) != 0)
		return -EIO;
	branch->leg =
		nta_leg_tcreate(call->agent->nta, call_on_branch_request, (nta_leg_magic_t *)branch,
			SIPTAG_CALL_ID_STR(su_sprintf(call->home, "%s-%s", call->id, id)),
			SIPTAG_FROM(make_from(call, invite)),
			SIPTAG_TO(sip_to_format(call->home, "<sip:%s@%s>", call->callee, domain)),
			TAG_END());
	if (branch->leg == NULL)
		return -ENOMEM;
	nta_leg_tag(branch->leg, tag);
	return 0;
}

static int
send_invite(struct call_branch *branch, const sip_t *invite)
{
	struct call *call = branch->call;
	const char *body = call_sdp_make_offer(call, 1, branch->index);
	unsigned hops = invite->sip_max_forwards != NULL ? invite->sip_max_forwards->mf_count : 70;
	sip_max_forwards_t max_forwards[1];

	if (body == NULL)
		return -ENOMEM;
	sip_max_forwards_init(max_forwards);
	max_forwards->mf_count = hops - 1;
	branch->invite = nta_outgoing_tcreate(branch->leg, on_response,
		(nta_outgoing_magic_t *)branch, NULL, SIP_METHOD_INVITE,
		(const url_string_t *)branch->uri, NTATAG_TPORT(branch->connection),
		SIPTAG_MAX_FORWARDS(max_forwards), SIPTAG_CONTACT_STR(branch->contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		SIPTAG_PAYLOAD_STR(body), TAG_END());
	return branch->invite == NULL ? -ENOMEM : 0;
}

int
call_branch_add(
	struct call *call, const char *uri, tport_t *connection, const struct relay_ip *peer)
{
	struct call_branch *branch = su_zalloc(call->home, sizeof(*branch));
	msg_t *request = nta_incoming_getrequest(call->invite_in);

	if (branch == NULL) {
		msg_destroy(request);
		return -ENOMEM;
	}
	branch->call = call;
	branch->uri = su_strdup(call->home, uri);
	branch->connection = tport_ref(connection);
	branch->peer = *peer;
	branch->contact = agent_contact(call->home, connection);
	branch->index = call->branches != NULL ? call->branches->index + 1 : 0;
	branch->next = call->branches;
	call->branches = branch;
	int result = open_leg(branch, sip_object(request));
	if (result == 0)
		result = send_invite(branch, sip_object(request));
	if (result != 0)
		branch->status = 500;
	msg_destroy(request);
	return result;
}

bool
call_branch_is_open(const struct call *call)
{
	const struct call_branch *branch = call->branches;

	while (branch != NULL && branch->status != 0)
		branch = branch->next;
	return branch != NULL;
}

static void
cancel(struct call_branch *branch)
{
	if (branch->invite == NULL || branch->status != 0 || branch->cancelled)
		return;
	branch->cancelled = true;
	branch->call->waiting++; /* for its final response: 487, or a 200 that crossed */
	nta_outgoing_tcancel(branch->invite, NULL, NULL, TAG_END());
}

void
call_branch_cancel_all(struct call *call, const struct call_branch *except)
{
	for (struct call_branch *branch = call->branches; branch != NULL; branch = branch->next)
		if (branch != except)
			cancel(branch);
}

static void
on_success(struct call_branch *branch, const sip_t *sip)
{
	struct call *call = branch->call;
	struct call_dialog *dialog = call_dialog_of(branch, sip);
	bool wins = call->state == CALL_RINGING && !branch->cancelled;

	branch->status = sip->sip_status->st_status;
	if (dialog == NULL) {
		log_warning("call %s: a 2xx of %s has no tag, or memory is short", call->id,
			call->callee);
		branch->status = 500;
	} else {
		call_dialog_confirm(dialog, sip);
		call_dialog_ack(dialog, sip->sip_cseq->cs_seq, NULL);
	}
	if (wins && dialog != NULL) {
		call_branch_cancel_all(call, branch);
		call_on_winner(branch, dialog, sip);
	} else if (dialog != NULL) {
		call_dialog_bye(dialog); /* it crossed our CANCEL: RFC 3261 15 */
	}
	if (branch->cancelled) {
		call->waiting--;
		call_done_waiting(call);
	}
}

static void
on_failure(struct call_branch *branch, int status, const char *phrase)
{
	struct call *call = branch->call;
	const struct call_branch *best = branch;

	branch->status = status;
	branch->phrase = su_strdup(call->home, phrase);
	if (branch->cancelled) {
		call->waiting--;
		call_done_waiting(call);
		return;
	}
	/* 6xx: nobody will take it. RFC 3261 16.7 step 5 */
	if (status >= 600)
		call_branch_cancel_all(call, branch);
	for (struct call_branch *other = call->branches; other != NULL; other = other->next) {
		if (other->status == 0 && !other->cancelled)
			return;
		if (other->status >= 300 && call_best_compare(other->status, best->status) > 0)
			best = other;
	}
	if (call->state == CALL_RINGING)
		call_on_failed(call, best);
}

/* Every response to our INVITE; Sofia makes one itself for a lost connection. */
static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_branch *branch = (struct call_branch *)magic;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (branch->status != 0)
		return 0;
	if (status < 200 && sip != NULL) {
		if (status != 100 && !branch->cancelled && branch->call->state == CALL_RINGING)
			call_on_progress(branch, call_dialog_of(branch, sip), sip);
	} else if (status < 300 && sip != NULL) {
		on_success(branch, sip);
	} else {
		on_failure(branch, status < 300 ? 500 : status,
			sip != NULL ? sip->sip_status->st_phrase : NULL);
	}
	return 0;
}

void
call_branch_free_all(struct call *call)
{
	for (struct call_branch *branch = call->branches; branch != NULL; branch = branch->next) {
		nta_outgoing_destroy(branch->invite);
		if (branch->leg != NULL)
			nta_leg_destroy(branch->leg);
		tport_unref(branch->connection);
	}
	call->branches = NULL;
}
