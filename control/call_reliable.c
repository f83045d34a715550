/* SPDX-License-Identifier: BSD-3-Clause */
/* Reliable provisional responses (RFC 3262), on each leg by itself: those of a target are
 * acknowledged by us, whatever the caller can do; the caller gets ours reliably if it knows how. */
#include "call.h"
#include "call_digest.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>

bool
call_reliable_take(struct call_dialog *dialog, const sip_t *response)
{
	uint32_t number = response->sip_rseq->rs_response;
	sip_rack_t rack[1];

	if (!sip_has_feature(response->sip_require, "100rel"))
		return true;
	/* RFC 3262 4: in their order, each once */
	if (dialog->rseq != 0 && number != dialog->rseq + 1)
		return false;
	dialog->rseq = number;
	dialog->said_reliably |= response->sip_payload != NULL;
	sip_rack_init(rack);
	rack->ra_response = number;
	rack->ra_cseq = response->sip_cseq->cs_seq;
	rack->ra_method = sip_method_invite;
	rack->ra_method_name = "INVITE";
	/* a call that can't be set up ends by itself */
	call_digest_leave(dialog, nta_outgoing_tcreate(dialog->leg, NULL, NULL,
					  (const url_string_t *)dialog->next_hop, SIP_METHOD_PRACK,
					  NULL, NTATAG_TPORT(dialog->connection),
					  TAG_IF(dialog->ident != NULL, TPTAG_IDENT(dialog->ident)),
					  SIPTAG_RACK(rack), TAG_END()));
	return true;
}

/* The caller's PRACK. An offer in it (RFC 3262 5) is refused: UPDATE is there for that. */
static int
on_prack(nta_reliable_magic_t *magic, nta_reliable_t *response, nta_incoming_t *prack,
	const sip_t *sip)
{
	struct call *call = (struct call *)magic;

	nta_reliable_destroy(response);
	if (prack == NULL || sip == NULL) {
		/* RFC 3262 3: none came in time */
		if (!call->acked)
			call_end(call, "the caller did not acknowledge that it rings", NULL, 504,
				NULL);
		return 0;
	}
	call->said_reliably = call->described != NULL;
	if (sip->sip_payload == NULL)
		return 200;
	nta_incoming_treply(prack, SIP_488_NOT_ACCEPTABLE, TAG_END());
	nta_incoming_destroy(prack);
	return 0;
}

bool
call_reliable_settle(struct call *call)
{
	const struct call_dialog *dialog = call->side[1].dialog;

	if (call->state != CALL_RINGING || call->settled)
		return call->state == CALL_RINGING;
	if (!call->said_reliably || !dialog->said_reliably)
		return false;
	/* another target could still take the call with another answer */
	for (const struct call_branch *each = call->branches; each != NULL; each = each->next)
		if (each != dialog->branch && each->status == 0)
			return false;
	call_sdp_commit(call);
	call->settled = true;
	return true;
}

void
call_reliable_say(struct call *call, int status, const char *phrase, const char *body)
{
	const char *contact = call->side[0].dialog->contact;

	if (call->reliable &&
		nta_reliable_treply(call->invite_in, on_prack, (nta_reliable_magic_t *)call, status,
			phrase != NULL ? phrase : sip_status_phrase(status),
			SIPTAG_CONTACT_STR(contact), SIPTAG_ALLOW_STR(AGENT_ALLOW),
			SIPTAG_HEADER_STR(call->lines),
			TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
			TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END()) != NULL)
		return;
	nta_incoming_treply(call->invite_in, status, phrase, SIPTAG_CONTACT_STR(contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW), SIPTAG_HEADER_STR(call->lines),
		TAG_IF(body != NULL, SIPTAG_CONTENT_TYPE_STR("application/sdp")),
		TAG_IF(body != NULL, SIPTAG_PAYLOAD_STR(body)), TAG_END());
}
