/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests in a call that are between its two sides alone: INFO (RFC 6086: DTMF and whatever else)
 * and MESSAGE. They pass with their body, untouched, and so do the answers. */
#include "call.h"
#include "call_digest.h"
#include "call_headers.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <stdlib.h>

#define AT_ONCE_MAX 8 /* of one call: a phone waits for its answer */

struct call_forward {
	struct call_forward *next;
	struct call *call;
	struct call_dialog *to;
	nta_incoming_t *in;
	nta_outgoing_t *out;
};

static void
forward_free(struct call_forward *forward)
{
	nta_incoming_destroy(forward->in);
	nta_outgoing_destroy(forward->out);
	free(forward);
}

static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_forward *forward = (struct call_forward *)magic;
	struct call_forward **link = &forward->call->forwards;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (status < 200 && sip != NULL)
		return 0;
	if (call_digest_again(forward->to, &forward->out, sip, on_response, magic))
		return 0;
	if (sip == NULL || status == 401 || status == 407)
		nta_incoming_treply(forward->in, 500, NULL, TAG_END());
	else
		nta_incoming_treply(forward->in, status, sip->sip_status->st_phrase,
			SIPTAG_CONTENT_TYPE(sip->sip_content_type),
			SIPTAG_PAYLOAD(sip->sip_payload), TAG_END());
	while (*link != forward)
		link = &(*link)->next;
	*link = forward->next;
	forward_free(forward);
	return 0;
}

static bool
is_full(const struct call *call)
{
	unsigned count = 0;

	for (struct call_forward *each = call->forwards; each != NULL; each = each->next)
		count++;
	return count >= AT_ONCE_MAX;
}

void
call_forward(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip)
{
	struct call *call = dialog->side->call;
	struct call_dialog *other = call->side[!dialog->side->index].dialog;
	struct call_forward *forward;
	su_home_t home[1] = {SU_HOME_INIT(home)};

	if (call->state == CALL_ENDED || dialog != dialog->side->dialog || other == NULL) {
		nta_incoming_treply(in, 481, NULL, TAG_END());
		nta_incoming_destroy(in);
		return;
	}
	if (!call_dialog_is_in_reach(other)) {
		nta_incoming_treply(in, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END());
		nta_incoming_destroy(in);
		return;
	}
	forward = is_full(call) ? NULL : calloc(1, sizeof(*forward));
	if (forward == NULL) {
		nta_incoming_treply(
			in, SIP_500_INTERNAL_SERVER_ERROR, SIPTAG_RETRY_AFTER_STR("1"), TAG_END());
		nta_incoming_destroy(in);
		return;
	}
	forward->call = call;
	forward->to = other;
	forward->in = in;
	forward->next = call->forwards;
	call->forwards = forward;
	su_home_init(home);
	forward->out =
		nta_outgoing_tcreate(other->leg, on_response, (nta_outgoing_magic_t *)forward,
			(const url_string_t *)other->next_hop, sip->sip_request->rq_method,
			sip->sip_request->rq_method_name, NULL, NTATAG_TPORT(other->connection),
			TAG_IF(other->ident != NULL, TPTAG_IDENT(other->ident)),
			SIPTAG_CONTACT_STR(other->contact),
			SIPTAG_HEADER_STR(call_headers_pass(home, &call->agent->config->sip, sip,
				&dialog->side->party, &other->side->party)),
			SIPTAG_CONTENT_DISPOSITION(sip->sip_content_disposition),
			SIPTAG_CONTENT_TYPE(sip->sip_content_type),
			SIPTAG_PAYLOAD(sip->sip_payload), TAG_END());
	su_home_deinit(home);
	if (forward->out == NULL) {
		call->forwards = forward->next;
		nta_incoming_treply(in, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
		forward_free(forward);
	}
}

void
call_forward_free_all(struct call *call)
{
	struct call_forward *next;

	for (struct call_forward *each = call->forwards; each != NULL; each = next) {
		next = each->next;
		nta_incoming_treply(each->in, 481, NULL, TAG_END());
		forward_free(each);
	}
	call->forwards = NULL;
}
