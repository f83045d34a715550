/* SPDX-License-Identifier: BSD-3-Clause */
#include "session_timer.h"

static uint32_t
most(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

int
session_timer_answer(const struct session_said *request, uint32_t wanted_s, uint32_t least_s,
	struct session_terms *out)
{
	uint32_t floor_s = most(most(request->min_s, least_s), SESSION_TIMER_LEAST);

	*out = (struct session_terms){0};
	if (request->expires_s != 0) {
		/* who knows nothing of timers can't act on a 422: RFC 4028 8.1 */
		if (request->expires_s < least_s && request->supported)
			return 422;
		out->interval_s = most(request->expires_s, floor_s);
		if (wanted_s != 0 && wanted_s < out->interval_s)
			out->interval_s = most(wanted_s, floor_s);
	} else if (request->supported && wanted_s != 0) {
		out->interval_s = most(wanted_s, floor_s);
	} else {
		return 0;
	}
	/* RFC 4028 9, table 2: without support of the other side it is we */
	if (!request->supported)
		out->refresher = REFRESHER_UAS;
	else if (request->refresher != REFRESHER_NONE)
		out->refresher = request->refresher;
	else
		out->refresher = REFRESHER_UAC;
	return 0;
}

void
session_timer_agreed(const struct session_said *response, struct session_terms *out)
{
	*out = (struct session_terms){0};
	if (response->expires_s == 0)
		return;
	/* one that is far too short would have us refresh all the time */
	out->interval_s = most(response->expires_s, SESSION_TIMER_LEAST);
	out->refresher = response->refresher == REFRESHER_UAS ? REFRESHER_UAS : REFRESHER_UAC;
}

uint32_t
session_timer_refresh_s(uint32_t interval_s)
{
	return interval_s / 2;
}

uint32_t
session_timer_end_s(uint32_t interval_s)
{
	uint32_t margin = interval_s / 3;

	return interval_s - (margin < 32 ? margin : 32);
}
