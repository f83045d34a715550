/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's dialogs: one with the caller, one with each callee that answers; nothing of one is seen
 * in the other. */
#include "call.h"
#include "call_digest.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <string.h>

void
call_dialog_set_party(struct call_dialog *dialog, const struct party *party)
{
	dialog->trunk = party->trunk;
	dialog->user =
		party->kind == PARTY_USER ? su_strdup(dialog->side->call->home, party->name) : NULL;
}

static struct call_dialog *
dialog_new(struct call_side *side, struct call_branch *branch, tport_t *connection,
	const char *contact, const char *tag)
{
	struct call *call = side->call;
	struct call_dialog *dialog = su_zalloc(call->home, sizeof(*dialog));

	if (dialog == NULL)
		return NULL;
	dialog->side = side;
	dialog->branch = branch;
	call_dialog_set_party(dialog, &side->party);
	dialog->contact = contact;
	dialog->tag = su_strdup(call->home, tag);
	dialog->connection = tport_ref(connection);
	dialog->next = call->dialogs;
	call->dialogs = dialog;
	return dialog;
}

/* RFC 3311 4: who knows UPDATE says so in Allow. */
static void
read_allow(struct call_dialog *dialog, const sip_t *sip)
{
	if (sip->sip_allow != NULL)
		dialog->can_update = sip_is_allowed(sip->sip_allow, SIP_METHOD_UPDATE);
}

/* Must our Contact be a sips: URI (RFC 3261 12.1.1)? */
static bool
wants_sips(const sip_t *invite)
{
	const url_t *from = NULL;

	if (invite->sip_record_route != NULL)
		from = invite->sip_record_route->r_url;
	else if (invite->sip_contact != NULL)
		from = invite->sip_contact->m_url;
	return invite->sip_request->rq_url->url_type == url_sips ||
	       (from != NULL && from->url_type == url_sips);
}

struct call_dialog *
call_dialog_in(struct call_side *side, nta_incoming_t *in, const sip_t *invite, tport_t *connection)
{
	struct call *call = side->call;
	char tag[CALL_TAG_SIZE];

	if (call_random_hex(tag, CALL_TAG_BYTES) != 0)
		return NULL;
	struct call_dialog *dialog = dialog_new(side, NULL, connection,
		agent_contact_secure(
			call->home, agent_contact(call->home, connection), wants_sips(invite)),
		invite->sip_from->a_tag);
	if (dialog == NULL)
		return NULL;
	sip_to_t *us = sip_to_dup(call->home, invite->sip_to);
	if (us == NULL || sip_to_tag(call->home, us, tag) < 0)
		return NULL;
	nta_incoming_tag(in, tag);
	/* with the tag from the beginning: to a leg that gets it later, the stack also gives
	 * requests that have none */
	dialog->leg = nta_leg_tcreate(call->agent->nta, call_on_request, (nta_leg_magic_t *)dialog,
		SIPTAG_CALL_ID(invite->sip_call_id), SIPTAG_FROM(us), SIPTAG_TO(invite->sip_from),
		TAG_END());
	if (dialog->leg == NULL)
		return NULL;
	nta_leg_server_route(dialog->leg, invite->sip_record_route, invite->sip_contact);
	read_allow(dialog, invite);
	return dialog;
}

struct call_dialog *
call_dialog_of(struct call_branch *branch, const sip_t *response)
{
	struct call *call = branch->call;
	const char *tag = response->sip_to->a_tag;
	struct call_dialog *dialog;

	if (tag == NULL)
		return NULL;
	for (dialog = call->dialogs; dialog != NULL; dialog = dialog->next)
		if (dialog->branch == branch && strcmp(dialog->tag, tag) == 0)
			return dialog;
	dialog = call_dialog_make(&call->side[1], branch->target, branch->contact, response);
	if (dialog == NULL)
		return NULL;
	dialog->branch = branch;
	dialog->digest = digest_client_share(branch->digest);
	dialog->invite_credentials = branch->credentials;
	return dialog;
}

nta_leg_t *
call_dialog_make_leg(struct call_dialog *dialog, const char *tag, uint32_t seq, uint32_t cseq,
	const sip_route_t *route, const sip_contact_t *target)
{
	struct call *call = dialog->side->call;
	su_home_t *home = call->home;
	const sip_t *said = sip_object(dialog->side->said);
	bool they_called = said->sip_request != NULL;
	sip_from_t *remote =
		sip_from_dup(home, they_called ? said->sip_from : (sip_from_t *)said->sip_to);
	sip_from_t *local =
		sip_from_dup(home, they_called ? (sip_from_t *)said->sip_to : said->sip_from);
	sip_cseq_t *ours = sip_cseq_create(home, seq, SIP_METHOD_INVITE);

	if (remote == NULL || remote->a_tag == NULL || local == NULL || ours == NULL)
		return NULL;
	local->a_tag = NULL;
	if (sip_from_tag(home, local, tag) != 0)
		return NULL;
	dialog->tag = su_strdup(home, remote->a_tag);
	return nta_leg_tcreate(call->agent->nta, call_on_request, (nta_leg_magic_t *)dialog,
		SIPTAG_CALL_ID(said->sip_call_id), SIPTAG_FROM(local), SIPTAG_TO(remote),
		TAG_IF(seq != 0, SIPTAG_CSEQ(ours)), NTATAG_REMOTE_CSEQ(cseq),
		TAG_IF(route != NULL, SIPTAG_ROUTE(route)), NTATAG_TARGET(target), TAG_END());
}

struct call_dialog *
call_dialog_move(struct call_side *side, struct call_dialog *from)
{
	su_home_t *home = side->call->home;
	struct call_dialog *dialog =
		dialog_new(side, NULL, from->connection, su_strdup(home, from->contact), from->tag);

	if (dialog == NULL)
		return NULL;
	dialog->next_hop = su_strdup(home, from->next_hop);
	dialog->ident = from->ident;
	dialog->trunk = from->trunk;
	dialog->user = from->user != NULL ? su_strdup(home, from->user) : NULL;
	dialog->digest = digest_client_share(from->digest);
	dialog->can_update = from->can_update;
	dialog->confirmed = true;
	dialog->cseq = from->cseq;
	dialog->leg = from->leg;
	nta_leg_bind(dialog->leg, call_on_request, (nta_leg_magic_t *)dialog);
	from->leg = NULL;
	from->ended = true;
	return dialog;
}

struct call_dialog *
call_dialog_make(struct call_side *side, const struct route_target *target, const char *contact,
	const sip_t *response)
{
	struct call *call = side->call;
	struct call_dialog *dialog;

	if (response->sip_to->a_tag == NULL)
		return NULL;
	dialog = dialog_new(side, NULL, target->connection, contact, response->sip_to->a_tag);
	if (dialog == NULL)
		return NULL;
	call_dialog_set_party(dialog, &target->party);
	/* where it is a connection, that is the way; if it closes, call_watch.c finds another */
	dialog->next_hop = target->connection == NULL ? target->next_hop : NULL;
	dialog->ident = target->ident;
	/* the tags are in what came back; requests of ours go on counting from the INVITE's CSeq */
	dialog->leg = nta_leg_tcreate(call->agent->nta, call_on_request, (nta_leg_magic_t *)dialog,
		SIPTAG_CALL_ID(response->sip_call_id), SIPTAG_FROM(response->sip_from),
		SIPTAG_TO(response->sip_to), SIPTAG_CSEQ(response->sip_cseq), TAG_END());
	if (dialog->leg == NULL)
		return NULL;
	nta_leg_client_route(dialog->leg, response->sip_record_route, response->sip_contact);
	read_allow(dialog, response);
	return dialog;
}

void
call_dialog_confirm(struct call_dialog *dialog, const sip_t *response)
{
	/* RFC 3261 13.2.2.4: the route set is computed again */
	nta_leg_client_reroute(dialog->leg, response->sip_record_route, response->sip_contact, 1);
	read_allow(dialog, response);
	dialog->confirmed = true;
}

void
call_dialog_refresh(struct call_dialog *dialog, const sip_t *sip)
{
	/* the route set stays, the target moves */
	nta_leg_server_route(dialog->leg, NULL, sip->sip_contact);
	read_allow(dialog, sip);
}

/* The transaction of the ACK, which the stack keeps for a while, repeats it whenever the far end
 * repeats its 2xx. */
void
call_dialog_ack(struct call_dialog *dialog, uint32_t number, const char *body)
{
	su_home_t *home = dialog->side->call->home;
	sip_cseq_t *cseq = sip_cseq_create(home, number, SIP_METHOD_ACK);

	nta_outgoing_destroy(nta_outgoing_tcreate(dialog->leg, NULL, NULL,
		(const url_string_t *)dialog->next_hop, SIP_METHOD_ACK, NULL,
		NTATAG_TPORT(dialog->connection),
		TAG_IF(dialog->ident != NULL, TPTAG_IDENT(dialog->ident)), SIPTAG_CSEQ(cseq),
		SIPTAG_AUTHORIZATION(dialog->invite_credentials.authorization),
		SIPTAG_PROXY_AUTHORIZATION(dialog->invite_credentials.proxy_authorization),
		TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END()));
}

nta_outgoing_t *
call_dialog_request(struct call_dialog *dialog, nta_response_f *on_response,
	nta_outgoing_magic_t *magic, sip_method_t method, const char *body)
{
	char timer[CALL_TIMER_LINES];
	struct call_credentials credentials;

	if (!call_dialog_is_in_reach(dialog))
		return NULL;
	call_changed(dialog->side->call);
	call_digest_fill_in(dialog, sip_method_name(method, NULL), body, &credentials);
	return nta_outgoing_tcreate(dialog->leg, on_response, magic,
		(const url_string_t *)dialog->next_hop, method, sip_method_name(method, NULL), NULL,
		NTATAG_TPORT(dialog->connection),
		TAG_IF(dialog->ident != NULL, TPTAG_IDENT(dialog->ident)),
		SIPTAG_CONTACT_STR(dialog->contact), SIPTAG_ALLOW_STR(AGENT_ALLOW),
		SIPTAG_SUPPORTED_STR(AGENT_SUPPORTED_REQUEST),
		SIPTAG_HEADER_STR(call_timer_request_lines(dialog->side, timer)),
		SIPTAG_AUTHORIZATION(credentials.authorization),
		SIPTAG_PROXY_AUTHORIZATION(credentials.proxy_authorization),
		TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END());
}

static int
on_bye_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_dialog *dialog = (struct call_dialog *)magic;
	struct call *call = dialog->side->call;

	if (sip != NULL && sip->sip_status->st_status < 200)
		return 0;
	if (call_digest_again(dialog, &dialog->bye, sip, on_bye_response, magic))
		return 0;
	nta_outgoing_destroy(dialog->bye);
	dialog->bye = NULL;
	call->waiting--;
	call_done_waiting(call);
	return 0;
}

bool
call_dialog_is_in_reach(const struct call_dialog *dialog)
{
	return dialog->connection != NULL || dialog->next_hop != NULL;
}

void
call_dialog_bye(struct call_dialog *dialog)
{
	if (dialog->ended)
		return;
	dialog->ended = true;
	if (call_dialog_is_in_reach(dialog)) {
		call_dialog_bye_now(dialog);
	} else {
		dialog->bye_due = true;
		dialog->side->call->waiting++;
	}
}

void
call_dialog_bye_now(struct call_dialog *dialog)
{
	struct call_credentials credentials;

	call_digest_fill_in(dialog, "BYE", NULL, &credentials);
	dialog->bye = nta_outgoing_tcreate(dialog->leg, on_bye_response,
		(nta_outgoing_magic_t *)dialog, (const url_string_t *)dialog->next_hop,
		SIP_METHOD_BYE, NULL, NTATAG_TPORT(dialog->connection),
		TAG_IF(dialog->ident != NULL, TPTAG_IDENT(dialog->ident)),
		SIPTAG_AUTHORIZATION(credentials.authorization),
		SIPTAG_PROXY_AUTHORIZATION(credentials.proxy_authorization),
		SIPTAG_REASON_STR(dialog->side->call->reason), TAG_END());
	if (dialog->bye != NULL)
		dialog->side->call->waiting++;
}

void
call_dialog_free_all(struct call *call)
{
	for (struct call_dialog *dialog = call->dialogs; dialog != NULL; dialog = dialog->next) {
		nta_outgoing_destroy(dialog->bye);
		if (dialog->leg != NULL)
			nta_leg_destroy(dialog->leg);
		digest_client_destroy(dialog->digest);
		tport_unref(dialog->connection);
	}
	call->dialogs = NULL;
}
