/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is on a side of a call, to one that it is transferred to: by what it said when it came in.
 * Who hid then stays hidden. */
#include "call.h"
#include "call_headers.h"
#include "call_identity.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/su_string.h>

/* What it said, as if in a request of its own: who answers is in To. */
struct speech {
	sip_t sip;
	sip_from_t from;
};

static bool
read_speech(const struct call_side *side, struct speech *speech)
{
	const sip_t *said = side->said != NULL ? sip_object(side->said) : NULL;

	if (said == NULL)
		return false;
	speech->sip = *said;
	if (said->sip_request != NULL)
		return true;
	speech->from = *said->sip_to;
	speech->from.a_display = NULL; /* the name that it was called by, if any */
	speech->sip.sip_from = &speech->from;
	return true;
}

sip_from_t *
call_introduce_from(const struct call_side *side, const struct party *to)
{
	struct call *call = side->call;
	struct speech speech;

	if (!read_speech(side, &speech))
		return NULL;
	return call_headers_from(
		call->home, &call->agent->config->sip, &speech.sip, &side->party, to);
}

const char *
call_introduce_lines(const struct call_side *side, const struct party *to)
{
	struct call *call = side->call;
	struct speech speech;

	if (!read_speech(side, &speech))
		return NULL;
	return call_headers_introduce(
		call->home, &call->agent->config->sip, &speech.sip, &side->party, to);
}

const char *
call_introduce_referrer(const struct call_side *side, const struct party *to)
{
	su_home_t *home = side->call->home;
	const sip_from_t *from = call_introduce_from(side, to);
	const char *uri;

	if (from == NULL || su_casematch(from->a_url->url_host, "anonymous.invalid"))
		return NULL;
	uri = url_as_string(home, from->a_url);
	return uri != NULL ? su_sprintf(home, "<%s>", uri) : NULL;
}
