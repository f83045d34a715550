/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be said of an INVITE without asking anybody: who is called, and with which media? */
#include "call.h"

#include <string.h>
#include <strings.h>

/* The name of the user that is called; NULL: nobody of ours. */
static const char *
find_callee(struct agent *agent, const sip_t *sip, char *name, size_t size)
{
	const url_t *url = sip->sip_request->rq_url;

	if ((url->url_type != url_sip && url->url_type != url_sips) || url->url_user == NULL ||
		url->url_host == NULL || strcasecmp(url->url_host, agent->config->sip.domain) != 0)
		return NULL;
	if (strlen(url->url_user) >= size || strstr(url->url_user, "%00") != NULL)
		return NULL;
	/* an escaped name is the same name: RFC 3261 19.1.4 */
	url_unescape(name, url->url_user);
	return agent_knows_user(agent, name) ? name : NULL;
}

int
call_check_invite(struct call *call, const sip_t *sip, const char **phrase)
{
	struct binding binding;
	char name[AGENT_USER_SIZE];

	*phrase = NULL;
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0)
		return 483;
	if (find_callee(call->agent, sip, name, sizeof(name)) == NULL)
		return 404;
	call->callee = su_strdup(call->home, name);
	if (registrar_find(call->agent->registrar, call->callee, &binding) != 0)
		return 480;
	call->side[1].peer = binding.peer;
	*phrase = "No Session Description";
	if (sip->sip_payload == NULL)
		return 488;
	int status = call_sdp_take_offer(
		call, 0, sip->sip_payload->pl_data, sip->sip_payload->pl_len, phrase);
	if (status != 0)
		return status;
	*phrase = NULL;
	return media_is_connected(call->agent->media) ? 0 : 503;
}
