/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be said of an INVITE without asking anybody. */
#include "call.h"
#include "counters.h"

#include <sofia-sip/sip_header.h>
#include <string.h>

/* Has this request left us before, and come back as it was? Our Call-IDs begin with a call's id
 * (which tells nobody anything), and one that goes to somebody else than it did is no loop (RFC
 * 3261 16.3). What has been through another B2BUA is ended by Max-Forwards. */
static bool
is_loop(const struct call *call, const sip_t *sip)
{
	const struct call *other;
	char id[RELAY_ID_SIZE] = {0};
	size_t length = strlen(call->id);

	if (strlen(sip->sip_call_id->i_id) <= length)
		return false;
	memcpy(id, sip->sip_call_id->i_id, length);
	other = call_find(call->b2bua, id);
	if (other == NULL)
		return false;
	for (const struct call_branch *each = other->branches; each != NULL; each = each->next) {
		url_t *url = url_hdup((su_home_t *)call->home, (const url_t *)each->target->uri);
		if (url != NULL && url_cmp(url, sip->sip_request->rq_url) == 0)
			return true;
	}
	return false;
}

static int
counted(enum counter counter, int status)
{
	counters_add(counter);
	return status;
}

int
call_check_invite(struct call *call, const sip_t *sip, const char **phrase)
{
	const sip_payload_t *offer = sip->sip_payload;
	int status;

	*phrase = NULL;
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0)
		return counted(COUNTER_CALLS_HOPS, 483);
	if (is_loop(call, sip))
		return counted(COUNTER_CALLS_LOOP, 482);
	if (call->agent->draining || !media_is_connected(call->agent->media))
		return 503;
	enum call_limit limit = call_limits_take(
		call->agent->limits, &call->limits, &call->side[0].party, call_now_ms());
	if (limit != CALL_LIMIT_NONE)
		return call_limits_status(limit, false, phrase, &call->retry_after_s);
	call->late = offer == NULL;
	call_sdp_set_trunk(call, 0, call->side[0].party.trunk);
	call->reliable = sip_has_feature(sip->sip_supported, "100rel") ||
	                 sip_has_feature(sip->sip_require, "100rel");
	status = call_timer_request(&call->side[0], sip);
	if (status == 0 && offer != NULL)
		status = call_sdp_take_offer(call, 0, offer->pl_data, offer->pl_len, phrase);
	return status;
}
