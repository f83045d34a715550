/* SPDX-License-Identifier: BSD-3-Clause */
/* The session timer of each leg (RFC 4028): what is said of it in requests and responses, the
 * refresh where that is ours to do, and the end of a session that the other side does not
 * refresh. */
#include "call.h"
#include "counters.h"

#include "relay/log.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <strings.h>

#define RETRY_MS 10000 /* after a refresh that was refused */

static void
read_said(const sip_t *sip, struct session_said *out)
{
	const sip_session_expires_t *expires = sip->sip_session_expires;

	*out = (struct session_said){
		.supported = sip_has_feature(sip->sip_supported, "timer") ||
	                     sip_has_feature(sip->sip_require, "timer"),
		.expires_s = expires != NULL ? (uint32_t)expires->x_delta : 0,
		.min_s = sip->sip_min_se != NULL ? (uint32_t)sip->sip_min_se->min_delta : 0,
	};
	if (expires != NULL && expires->x_refresher != NULL)
		out->refresher = strcasecmp(expires->x_refresher, "uas") == 0 ? REFRESHER_UAS
		                                                              : REFRESHER_UAC;
}

static void
start(struct call_side *side, const struct session_terms *terms, bool we_answered)
{
	struct call_session *session = &side->session;

	session->interval_s = terms->interval_s;
	session->we_refresh = terms->refresher == (we_answered ? REFRESHER_UAS : REFRESHER_UAC);
	session->refreshed_ms = call_now_ms();
}

int
call_timer_request(struct call_side *side, const sip_t *sip)
{
	const struct config_dialogs *config = &side->call->agent->config->sip.dialogs;
	struct session_said said;
	struct session_terms terms;

	read_said(sip, &said);
	int status = session_timer_answer(
		&said, config->session_expires_s, config->session_min_s, &terms);
	if (status == 0) {
		start(side, &terms, true);
	}
	return status;
}

void
call_timer_response(struct call_side *side, const sip_t *sip)
{
	struct session_said said;
	struct session_terms terms;

	read_said(sip, &said);
	session_timer_agreed(&said, &terms);
	start(side, &terms, false);
}

const char *
call_timer_answer_lines(const struct call_side *side, char lines[CALL_TIMER_LINES])
{
	const struct call_session *session = &side->session;

	lines[0] = '\0';
	if (session->interval_s != 0)
		snprintf(lines, CALL_TIMER_LINES, "%sSession-Expires: %u;refresher=%s\r\n",
			/* RFC 4028 9: it must know that refreshing is its part */
			session->we_refresh ? "" : "Require: timer\r\n", session->interval_s,
			session->we_refresh ? "uas" : "uac");
	return lines;
}

const char *
call_timer_request_lines(const struct call_side *side, char lines[CALL_TIMER_LINES])
{
	const struct config_dialogs *config = &side->call->agent->config->sip.dialogs;
	const struct call_session *session = &side->session;
	uint32_t interval_s =
		session->interval_s != 0 ? session->interval_s : config->session_expires_s;
	uint32_t least_s =
		session->least_s > config->session_min_s ? session->least_s : config->session_min_s;
	const char *refresher = ";refresher=uas";

	if (session->interval_s == 0)
		refresher = "";
	else if (session->we_refresh)
		refresher = ";refresher=uac";
	lines[0] = '\0';
	if (interval_s != 0)
		snprintf(lines, CALL_TIMER_LINES, "Session-Expires: %u%s\r\nMin-SE: %u\r\n",
			interval_s > least_s ? interval_s : least_s, refresher, least_s);
	return lines;
}

void
call_timer_look(struct call_side *side)
{
	struct call_session *session = &side->session;
	struct call *call = side->call;
	uint64_t age_s = (call_now_ms() - session->refreshed_ms) / 1000;

	if (session->interval_s == 0 || call->state != CALL_UP)
		return;
	if (age_s >= session_timer_end_s(session->interval_s)) {
		counters_add(COUNTER_CALLS_EXPIRED);
		call_end(call, "the session was not refreshed", NULL, 408, NULL);
		return;
	}
	if (session->we_refresh && age_s >= session_timer_refresh_s(session->interval_s) &&
		call_now_ms() >= session->tried_ms + RETRY_MS && call_exchange_refresh(side) == 0)
		session->tried_ms = call_now_ms();
}
