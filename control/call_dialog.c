/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's dialogs: one with the caller, one with the callee; nothing of one is seen in the other. */
#include "call.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tag.h>

int
call_dialog_in(struct call *call, const sip_t *sip, nta_request_f *on_request)
{
	struct call_side *side = &call->side[0];

	side->leg = nta_leg_tcreate(call->agent->nta, on_request, (nta_leg_magic_t *)side,
		SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
		SIPTAG_TO(sip->sip_from), SIPTAG_CSEQ(NULL), TAG_END());
	if (side->leg == NULL)
		return -1;
	nta_leg_tag(side->leg, nta_incoming_tag(call->invite_in, NULL));
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

	side->leg = nta_leg_tcreate(call->agent->nta, on_request, (nta_leg_magic_t *)side,
		SIPTAG_FROM(make_from(call, invite)),
		SIPTAG_TO(sip_to_format(call->home, "<sip:%s@%s>", call->callee, domain)),
		TAG_END());
	if (body == NULL || side->leg == NULL)
		return -1;
	nta_leg_tag(side->leg, NULL);
	sip_max_forwards_init(max_forwards);
	max_forwards->mf_count = hops - 1;
	call->invite_out = nta_outgoing_tcreate(side->leg, on_response,
		(nta_outgoing_magic_t *)call, NULL, SIP_METHOD_INVITE,
		(const url_string_t *)contact, NTATAG_TPORT(side->connection),
		SIPTAG_MAX_FORWARDS(max_forwards), SIPTAG_CONTACT_STR(call->agent->contact),
		SIPTAG_ALLOW_STR(AGENT_ALLOW), SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		SIPTAG_PAYLOAD_STR(body), TAG_END());
	return call->invite_out == NULL ? -1 : 0;
}

/* RFC 3261 13.2.2.4: each 2xx, repeated ones too, gets an ACK of its own transaction. */
void
call_ack(struct call *call, const sip_t *response)
{
	struct call_side *side = &call->side[1];
	sip_cseq_t *cseq = sip_cseq_create(call->home, response->sip_cseq->cs_seq, SIP_METHOD_ACK);
	nta_outgoing_t *ack = nta_outgoing_tcreate(side->leg, NULL, NULL, NULL, SIP_METHOD_ACK,
		NULL, NTATAG_STATELESS(1), NTATAG_TPORT(side->connection), SIPTAG_CSEQ(cseq),
		TAG_END());

	nta_outgoing_destroy(ack);
}

void
call_bye(struct call_side *side, nta_response_f *on_response)
{
	side->bye = nta_outgoing_tcreate(side->leg, on_response, (nta_outgoing_magic_t *)side, NULL,
		SIP_METHOD_BYE, NULL, NTATAG_TPORT(side->connection), TAG_END());
	if (side->bye != NULL)
		side->call->waiting++;
}
