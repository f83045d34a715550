/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_digest.h"

#include "relay/log.h"

#include <errno.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <string.h>

bool
call_digest_take(
	struct digest_client **digest, const struct config_trunk *trunk, const sip_t *response)
{
	if (trunk == NULL)
		return false;
	if (*digest == NULL)
		*digest = digest_client_create();
	if (*digest == NULL)
		return false;
	int result =
		digest_client_take(*digest, response, trunk->credentials, trunk->credentials_count);
	if (result != 0)
		log_event(LOG_LEVEL_WARNING, LOG_ABOUT({LOG_PEER, trunk->name}),
			"trunk %s: its challenge can't be answered: %s", trunk->name,
			result == -EACCES   ? "it refuses our credentials"
			: result == -ENOENT ? "there are no credentials for its realm"
					    : "it asks for what we don't know");
	return result == 0;
}

int
call_digest_fill(struct digest_client *digest, const struct config_trunk *trunk, su_home_t *home,
	const char *method, const char *uri, const char *body, struct call_credentials *out)
{
	*out = (struct call_credentials){NULL, NULL};
	if (digest == NULL || trunk == NULL)
		return 0;
	return digest_client_add(digest, home, method, uri, body, body != NULL ? strlen(body) : 0,
		trunk->credentials, trunk->credentials_count, &out->authorization,
		&out->proxy_authorization);
}

void
call_digest_fill_in(struct call_dialog *dialog, const char *method, const char *body,
	struct call_credentials *out)
{
	su_home_t *home = dialog->side->call->home;
	const sip_route_t *route;
	const sip_contact_t *target;

	*out = (struct call_credentials){NULL, NULL};
	/* RFC 7616 3.4: the URI is that of the request, the far end's Contact */
	if (dialog->digest != NULL && nta_leg_get_route(dialog->leg, &route, &target) >= 0 &&
		target != NULL)
		call_digest_fill(dialog->digest, dialog->trunk, home, method,
			url_as_string(home, target->m_url), body, out);
	if (strcmp(method, "INVITE") == 0)
		dialog->invite_credentials = *out;
}

/* The request as it was, less what belongs to its transaction and to its way: the stack makes that
 * anew from the dialog. */
static msg_t *
copy_request(struct call_dialog *dialog, nta_outgoing_t *request)
{
	msg_t *old = nta_outgoing_getrequest(request), *copy = msg_dup(old);
	sip_t *sip = copy != NULL ? sip_object(copy) : NULL;

	msg_destroy(old);
	if (sip == NULL)
		return NULL;
	msg_pub_t *all = (msg_pub_t *)sip;
	while (sip->sip_via != NULL)
		msg_header_remove(copy, all, (msg_header_t *)sip->sip_via);
	while (sip->sip_route != NULL)
		msg_header_remove(copy, all, (msg_header_t *)sip->sip_route);
	while (sip->sip_authorization != NULL)
		msg_header_remove(copy, all, (msg_header_t *)sip->sip_authorization);
	while (sip->sip_proxy_authorization != NULL)
		msg_header_remove(copy, all, (msg_header_t *)sip->sip_proxy_authorization);
	if (nta_msg_request_complete(copy, dialog->leg, sip->sip_request->rq_method,
		    sip->sip_request->rq_method_name, NULL) == 0)
		return copy;
	msg_destroy(copy);
	return NULL;
}

static bool
add_credentials(struct call_dialog *dialog, msg_t *request)
{
	su_home_t *home = dialog->side->call->home;
	sip_t *sip = sip_object(request);
	const sip_payload_t *body = sip->sip_payload;
	struct call_credentials made;
	const char *uri = url_as_string(home, sip->sip_request->rq_url);

	if (uri == NULL ||
		digest_client_add(dialog->digest, home, sip->sip_request->rq_method_name, uri,
			body != NULL ? body->pl_data : NULL, body != NULL ? body->pl_len : 0,
			dialog->trunk->credentials, dialog->trunk->credentials_count,
			&made.authorization, &made.proxy_authorization) != 0)
		return false;
	if (sip->sip_request->rq_method == sip_method_invite)
		dialog->invite_credentials = made;
	return sip_add_tl(request, sip,
		       TAG_IF(made.authorization != NULL, SIPTAG_AUTHORIZATION(made.authorization)),
		       TAG_IF(made.proxy_authorization != NULL,
			       SIPTAG_PROXY_AUTHORIZATION(made.proxy_authorization)),
		       TAG_END()) >= 0;
}

bool
call_digest_again(struct call_dialog *dialog, nta_outgoing_t **request, const sip_t *response,
	nta_response_f *on_response, nta_outgoing_magic_t *magic)
{
	int status = response != NULL ? response->sip_status->st_status : 0;
	nta_outgoing_t *again = NULL;

	if (status != 401 && status != 407) {
		if (status > 100 && dialog->digest != NULL)
			digest_client_done(dialog->digest);
		return false;
	}
	if (*request == NULL)
		return false;
	if (!call_digest_take(&dialog->digest, dialog->trunk, response)) {
		/* this request is lost; the next one may ask again, once */
		if (dialog->digest != NULL)
			digest_client_done(dialog->digest);
		return false;
	}
	msg_t *copy = copy_request(dialog, *request);
	if (copy != NULL && !add_credentials(dialog, copy)) {
		msg_destroy(copy);
		copy = NULL;
	}
	if (copy != NULL)
		again = nta_outgoing_mcreate(dialog->side->call->agent->nta, on_response, magic,
			(const url_string_t *)dialog->next_hop, copy,
			NTATAG_TPORT(dialog->connection),
			TAG_IF(dialog->ident != NULL, TPTAG_IDENT(dialog->ident)), TAG_END());
	if (again == NULL)
		return false;
	nta_outgoing_destroy(*request);
	*request = again;
	return true;
}

/* A request that nobody waits for. */
struct call_left {
	struct call_left *next; /* of the call's */
	struct call_dialog *dialog;
	nta_outgoing_t *request; /* NULL: done */
};

static int
on_left_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_left *left = (struct call_left *)magic;

	if ((sip != NULL && sip->sip_status->st_status < 200) ||
		call_digest_again(left->dialog, &left->request, sip, on_left_response, magic))
		return 0;
	nta_outgoing_destroy(left->request);
	left->request = NULL;
	return 0;
}

void
call_digest_leave(struct call_dialog *dialog, nta_outgoing_t *request)
{
	struct call *call = dialog->side->call;
	struct call_left *left = NULL;

	if (request != NULL && dialog->trunk != NULL && dialog->trunk->credentials_count > 0)
		left = su_zalloc(call->home, sizeof(*left));
	if (left == NULL) {
		nta_outgoing_destroy(request); /* the stack sees to its end */
		return;
	}
	*left = (struct call_left){call->left, dialog, request};
	call->left = left;
	nta_outgoing_bind(request, on_left_response, (nta_outgoing_magic_t *)left);
}

void
call_digest_free_all(struct call *call)
{
	for (struct call_left *each = call->left; each != NULL; each = each->next)
		nta_outgoing_destroy(each->request);
	call->left = NULL;
}
