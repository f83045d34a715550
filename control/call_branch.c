/* SPDX-License-Identifier: BSD-3-Clause */
/* The INVITEs of a call to its targets, all at once (RFC 3261 16.6, 16.7): the first 2xx takes the
 * call, the others are cancelled; a 2xx that crosses its CANCEL is acknowledged and ended. */
#include "call.h"
#include "call_best.h"
#include "call_digest.h"
#include "call_headers.h"

#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static nta_response_f on_response;

static int
open_leg(struct call_branch *branch, const sip_t *invite)
{
	struct call *call = branch->call;
	char tag[CALL_TAG_SIZE], id[CALL_TAG_SIZE];

	if (call_random_hex(tag, CALL_TAG_BYTES) != 0 || call_random_hex(id, CALL_TAG_BYTES) != 0)
		return -EIO;
	sip_from_t *us = call_headers_from(call->home, &call->agent->config->sip, invite,
		&call->side[0].party, &branch->target->party);
	if (us == NULL || sip_from_tag(call->home, us, tag) < 0)
		return -ENOMEM;
	branch->leg = nta_leg_tcreate(call->agent->nta, call_on_branch_request,
		(nta_leg_magic_t *)branch,
		SIPTAG_CALL_ID_STR(su_sprintf(call->home, "%s-%s", call->id, id)), SIPTAG_FROM(us),
		SIPTAG_TO(sip_to_format(call->home, "<%s>", branch->target->to)), TAG_END());
	return branch->leg == NULL ? -ENOMEM : 0;
}

static int
send_invite(struct call_branch *branch, const sip_t *invite)
{
	struct call *call = branch->call;
	const struct route_target *target = branch->target;
	call_sdp_set_trunk(call, 1, target->party.trunk);
	const char *body = call->late ? NULL : call_sdp_make_offer(call, 1, branch->index);
	unsigned hops = invite->sip_max_forwards != NULL ? invite->sip_max_forwards->mf_count : 70;
	sip_max_forwards_t max_forwards[1];
	char timer[CALL_TIMER_LINES];
	const char *passed = call_headers_pass(call->home, &call->agent->config->sip, invite,
		&call->side[0].party, &target->party);

	if ((body == NULL && !call->late) || passed == NULL ||
		call_digest_fill(branch->digest, target->party.trunk, call->home, "INVITE",
			target->uri, body, &branch->credentials) != 0)
		return -ENOMEM;
	sip_max_forwards_init(max_forwards);
	max_forwards->mf_count = hops - 1;
	branch->invite = nta_outgoing_tcreate(branch->leg, on_response,
		(nta_outgoing_magic_t *)branch, (const url_string_t *)target->next_hop,
		SIP_METHOD_INVITE, (const url_string_t *)target->uri,
		NTATAG_TPORT(target->connection),
		TAG_IF(target->ident != NULL, TPTAG_IDENT(target->ident)),
		TAG_IF(target->path != NULL, SIPTAG_ROUTE_STR(target->path)),
		SIPTAG_MAX_FORWARDS(max_forwards), SIPTAG_CONTACT_STR(branch->contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW),
		/* an offer in a reliable response would have to be answered in its PRACK */
		SIPTAG_SUPPORTED_STR(call->late ? AGENT_SUPPORTED_REQUEST : AGENT_SUPPORTED),
		SIPTAG_HEADER_STR(call_timer_request_lines(&call->side[1], timer)),
		SIPTAG_HEADER_STR(passed), NTATAG_PASS_100(1),
		SIPTAG_AUTHORIZATION(branch->credentials.authorization),
		SIPTAG_PROXY_AUTHORIZATION(branch->credentials.proxy_authorization),
		TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END());
	return branch->invite == NULL ? -ENOMEM : 0;
}

int
call_branch_add(struct call *call, const struct route_target *target)
{
	struct call_branch *branch;

	/* all share the relay's ports for side 1 */
	if (!call->late &&
		(call->unplaced || call_media_place(call, &target->peer) !=
					   call_media_place(call, &call->side[1].peer))) {
		log_warning("call %s: a target of %s is passed over: its media would need another "
			    "interface or address family than that of the first",
			call->id, call->callee);
		return -ENETUNREACH;
	}
	branch = su_zalloc(call->home, sizeof(*branch));
	if (branch == NULL)
		return -ENOMEM;
	branch->index = call->branches != NULL ? call->branches->index + 1 : 0;
	if (branch->index >= CALL_BRANCHES_MAX)
		return -ENOSPC;
	branch->call = call;
	branch->target = target;
	branch->contact = target->connection != NULL
	                          ? agent_contact(call->home, target->connection)
	                          : agent_contact_at(call->agent, call->home, target->ident);
	branch->contact = agent_contact_secure(
		call->home, branch->contact, strncasecmp(target->uri, "sips:", 5) == 0);
	branch->next = call->branches;
	call->branches = branch;
	msg_t *request = nta_incoming_getrequest(call->invite_in);
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

	while (branch != NULL && (branch->status != 0 || branch->cancelled))
		branch = branch->next;
	return branch != NULL;
}

/* `reason`: RFC 3326; NULL: none. */
static void
cancel(struct call_branch *branch, const char *reason)
{
	if (branch->invite == NULL || branch->status != 0 || branch->cancelled)
		return;
	branch->cancelled = true;
	branch->call->waiting++; /* for its final response: 487, or a 200 that crossed */
	nta_outgoing_tcancel(branch->invite, NULL, NULL, SIPTAG_REASON_STR(reason), TAG_END());
}

void
call_branch_cancel_all(struct call *call, const struct call_branch *except)
{
	/* a phone that another one was faster than shows no missed call: RFC 3326 2 */
	const char *reason = except != NULL && except->status < 300
	                             ? "SIP;cause=200;text=\"Call completed elsewhere\""
	                             : call->reason;

	for (struct call_branch *branch = call->branches; branch != NULL; branch = branch->next)
		if (branch != except)
			cancel(branch, reason);
}

bool
call_branch_give_up(struct call *call)
{
	bool any = false;

	for (struct call_branch *each = call->branches; each != NULL; each = each->next) {
		if (each->target->kind != ROUTE_TRUNK || each->heard || each->status != 0 ||
			each->cancelled)
			continue;
		route_target_failed(call->agent, each->target);
		cancel(each, NULL);
		any = true;
	}
	return any;
}

static void
on_success(struct call_branch *branch, const sip_t *sip)
{
	struct call *call = branch->call;
	struct call_dialog *dialog = call_dialog_of(branch, sip);
	bool wins = call->state == CALL_RINGING && !branch->cancelled && dialog != NULL;

	branch->status = sip->sip_status->st_status;
	if (dialog == NULL) {
		log_warning("call %s: a 2xx of %s has no tag, or memory is short", call->id,
			call->callee);
		branch->status = 500;
	} else {
		call_dialog_confirm(dialog, sip);
		if (!wins || !call->late)
			call_dialog_ack(dialog, sip->sip_cseq->cs_seq, NULL);
	}
	if (wins) {
		call_branch_cancel_all(call, branch);
		call_on_winner(branch, dialog, sip);
	} else if (dialog != NULL) {
		call_dialog_bye(dialog); /* it crossed our CANCEL: RFC 3261 15 */
	}
	if (branch->cancelled) {
		call->waiting--;
		call_done_waiting(call);
	} else if (dialog == NULL) {
		call_branch_look(call);
	}
}

void
call_branch_look(struct call *call)
{
	const struct call_branch *best = NULL;

	if (call->moving != NULL)
		return;
	for (struct call_branch *each = call->branches; each != NULL; each = each->next) {
		if ((each->status == 0 && !each->cancelled) || each->looking)
			return;
		if (each->status >= 300 &&
			(best == NULL || call_best_compare(each->status, best->status) > 0))
			best = each;
	}
	if (call->state != CALL_RINGING || best == NULL)
		return;
	if (!call_target_after(call, best))
		call_on_failed(call, best);
}

/* Did the way to the callee fail, rather than the callee refuse? */
static bool
is_way_lost(int status)
{
	return status == 408 || status == 503 || status == 504;
}

static void
on_failure(struct call_branch *branch, int status, const sip_t *sip)
{
	struct call *call = branch->call;

	branch->status = status;
	if (sip != NULL)
		branch->phrase = su_strdup(call->home, sip->sip_status->st_phrase);
	if (branch->cancelled) {
		call->waiting--;
		call_done_waiting(call);
		return;
	}
	if (is_way_lost(status))
		route_target_failed(call->agent, branch->target);
	if (status >= 600)
		call_branch_cancel_all(call, branch);
	if (sip == NULL || call->state != CALL_RINGING || !call_target_retry(branch, sip))
		call_branch_look(call);
}

static void
keep_lines(struct call_branch *branch, const sip_t *sip)
{
	struct call *call = branch->call;
	const char *old = branch->lines;

	branch->lines = call_headers_pass(call->home, &call->agent->config->sip, sip,
		&branch->target->party, &call->side[0].party);
	if (call->lines == old)
		call->lines = branch->lines;
	su_free(call->home, (void *)(uintptr_t)old);
}

/* What was said reliably need not be said again in the 2xx: RFC 3262 5. */
static void
keep_answer(struct call_branch *branch, const sip_payload_t *said)
{
	if (said == NULL || branch->answer != NULL)
		return;
	branch->answer = malloc(said->pl_len);
	if (branch->answer == NULL)
		return;
	memcpy(branch->answer, said->pl_data, said->pl_len);
	branch->answer_length = said->pl_len;
}

static void
on_provisional(struct call_branch *branch, const sip_t *sip)
{
	struct call_dialog *dialog = call_dialog_of(branch, sip);

	if (sip->sip_rseq != NULL && dialog != NULL && !call_reliable_take(dialog, sip))
		return;
	if (sip->sip_rseq != NULL)
		keep_answer(branch, sip->sip_payload);
	if (sip->sip_status->st_status != 100 && !branch->cancelled &&
		branch->call->state == CALL_RINGING)
		call_on_progress(branch, dialog, sip);
}

static bool
send_again(struct call_branch *branch)
{
	msg_t *invite = nta_incoming_getrequest(branch->call->invite_in);

	nta_outgoing_destroy(branch->invite);
	int result = send_invite(branch, sip_object(invite));
	msg_destroy(invite);
	return result == 0;
}

/* The session timer that we asked for is too short: once with the least that will do (RFC 4028
 * 7.3). */
static bool
ask_for_longer(struct call_branch *branch, const sip_t *response)
{
	struct call_session *session = &branch->call->side[1].session;

	if (branch->cancelled || response->sip_min_se == NULL ||
		response->sip_min_se->min_delta <= session->least_s)
		return false;
	session->least_s = (uint32_t)response->sip_min_se->min_delta;
	return send_again(branch);
}

/* Every response to our INVITE; Sofia makes one itself for a lost connection. */
static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_branch *branch = (struct call_branch *)magic;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (branch->status != 0)
		return 0;
	branch->heard = true;
	if (sip != NULL && (status == 401 || status == 407)) {
		if (!branch->cancelled &&
			call_digest_take(&branch->digest, branch->target->party.trunk, sip) &&
			send_again(branch))
			return 0;
		status = 500; /* is about us, not about the callee */
	} else if (status > 100 && branch->digest != NULL) {
		digest_client_done(branch->digest);
	}
	if (sip != NULL)
		keep_lines(branch, sip);
	if (sip != NULL && status == 422 && ask_for_longer(branch, sip))
		return 0;
	if (status < 200 && sip != NULL)
		on_provisional(branch, sip);
	else if (status < 300 && sip != NULL)
		on_success(branch, sip);
	else
		on_failure(branch, status < 300 ? 500 : status, sip);
	return 0;
}

void
call_branch_free_all(struct call *call)
{
	for (struct call_branch *branch = call->branches; branch != NULL; branch = branch->next) {
		nta_outgoing_destroy(branch->invite);
		digest_client_destroy(branch->digest);
		if (branch->leg != NULL)
			nta_leg_destroy(branch->leg);
		if (branch->answer != NULL)
			OPENSSL_cleanse(branch->answer, branch->answer_length);
		free(branch->answer);
	}
	call->branches = NULL;
}
