/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's dialogs: one with the caller, one with the callee; nothing of one is seen in the
 * other. */
#include "call.h"

#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tag.h>

/* Who knows a dialog's tags and Call-ID can send requests in it: so they are ours, from the CSPRNG;
 * the stack's own can be foreseen. */
#define TAG_BYTES 8

int
call_dialog_in(struct call *call, const sip_t *sip, nta_request_f *on_request)
{
	struct call_side *side = &call->side[0];
	char tag[TAG_BYTES * 2 + 1];

	if (call_random_hex(tag, TAG_BYTES) != 0)
		return -EIO;
	side->contact = agent_contact(call->home, side->connection);
	nta_incoming_tag(call->invite_in, tag);
	side->leg = nta_leg_tcreate(call->agent->nta, on_request, (nta_leg_magic_t *)side,
		SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
		SIPTAG_TO(sip->sip_from), TAG_END());
	if (side->leg == NULL)
		return -ENOMEM;
	nta_leg_tag(side->leg, tag);
	nta_leg_server_route(side->leg, sip->sip_record_route, sip->sip_contact);
	return 0;
}

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

int
call_dialog_out(struct call *call, const sip_t *invite, const char *contact,
	nta_request_f *on_request, nta_response_f *on_response)
{
	struct call_side *side = &call->side[1];
	const char *domain = call->agent->config->sip.domain;
	const char *body = call_sdp_make_offer(call);
	unsigned hops = invite->sip_max_forwards != NULL ? invite->sip_max_forwards->mf_count : 70;
	sip_max_forwards_t max_forwards[1];
	char tag[TAG_BYTES * 2 + 1];

	if (body == NULL || call_random_hex(tag, TAG_BYTES) != 0)
		return -ENOMEM;
	side->leg = nta_leg_tcreate(call->agent->nta, on_request, (nta_leg_magic_t *)side,
		SIPTAG_CALL_ID_STR(call->id), SIPTAG_FROM(make_from(call, invite)),
		SIPTAG_TO(sip_to_format(call->home, "<sip:%s@%s>", call->callee, domain)),
		TAG_END());
	if (side->leg == NULL)
		return -ENOMEM;
	side->contact = agent_contact(call->home, side->connection);
	nta_leg_tag(side->leg, tag);
	sip_max_forwards_init(max_forwards);
	max_forwards->mf_count = hops - 1;
	call->invite_out = nta_outgoing_tcreate(side->leg, on_response,
		(nta_outgoing_magic_t *)call, NULL, SIP_METHOD_INVITE,
		(const url_string_t *)contact, NTATAG_TPORT(side->connection),
		SIPTAG_MAX_FORWARDS(max_forwards), SIPTAG_CONTACT_STR(side->contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		SIPTAG_PAYLOAD_STR(body), TAG_END());
	return call->invite_out == NULL ? -ENOMEM : 0;
}

/* RFC 3261 13.2.2.4. The transaction of the ACK, which the stack keeps for a while, repeats it
 * whenever the callee repeats its 2xx. */
void
call_confirm(struct call *call, const sip_t *response)
{
	struct call_side *side = &call->side[1];
	sip_cseq_t *cseq = sip_cseq_create(call->home, response->sip_cseq->cs_seq, SIP_METHOD_ACK);

	nta_leg_rtag(side->leg, response->sip_to->a_tag);
	nta_leg_client_route(side->leg, response->sip_record_route, response->sip_contact);
	side->confirmed = true;
	nta_outgoing_destroy(nta_outgoing_tcreate(side->leg, NULL, NULL, NULL, SIP_METHOD_ACK, NULL,
		NTATAG_TPORT(side->connection), SIPTAG_CSEQ(cseq), TAG_END()));
}

void
call_bye(struct call_side *side, nta_response_f *on_response)
{
	side->bye = nta_outgoing_tcreate(side->leg, on_response, (nta_outgoing_magic_t *)side, NULL,
		SIP_METHOD_BYE, NULL, NTATAG_TPORT(side->connection), TAG_END());
	if (side->bye != NULL)
		side->call->waiting++;
}

/* RFC 3261 16.7, and nothing that only our own leg to the callee is about. 503 is also what the
 * stack itself says when the connection closed. */
int
call_map_status(int status)
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
	default:
		return status >= 500 && status < 600 && status != 503 ? 500 : 480;
	}
}

/* One that says what was said before is a session refresh: we repeat what we said. */
void
call_reinvite(struct call_side *side, nta_incoming_t *request, const sip_t *sip)
{
	struct call *call = side->call;

	if (call->state != CALL_UP)
		nta_incoming_treply(request, SIP_491_REQUEST_PENDING, TAG_END());
	else if (sip->sip_payload == NULL ||
		 !call_sdp_is_refresh(
			 call, side->index, sip->sip_payload->pl_data, sip->sip_payload->pl_len))
		nta_incoming_treply(request, SIP_488_NOT_ACCEPTABLE, TAG_END());
	else
		nta_incoming_treply(request, SIP_200_OK, SIPTAG_CONTACT_STR(side->contact),
			SIPTAG_CONTENT_TYPE_STR("application/sdp"),
			SIPTAG_PAYLOAD_STR(call->sdp.side[side->index].said), TAG_END());
}
