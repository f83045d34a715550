/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written of a call's media at its end. Never a key. */
#include "call.h"

#include "relay/log.h"

static const char *
suite_name(unsigned suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info != NULL ? info->name : "-";
}

void
call_record_stream(const struct call *call, unsigned index, const struct relay_session *session,
	struct call_totals *totals)
{
	const struct call_sdp *sdp = &call->sdp;
	char text[2][256];
	const char *codecs[2] = {NULL, NULL}, *kind = "-";

	for (unsigned i = 0; i < 2; i++) {
		const struct media_description *said = sdp->said[i];
		if (said == NULL || index >= said->streams)
			continue;
		kind = said->stream[index].kind;
		codecs[i] = media_description_codecs(said, index, text[i], sizeof(text[i]));
	}
	record_stream(call->record, kind, codecs, session);
	if (totals->streams++ == 0 && session != NULL)
		for (unsigned i = 0; i < 2; i++)
			totals->leg[i].suite = session->leg[i].receive_suite;
	if (session == NULL)
		return;
	totals->known = true;
	for (unsigned i = 0; i < 2; i++) {
		totals->leg[i].in += session->leg[i].packets_in;
		totals->leg[i].out += session->leg[i].packets_out;
		for (unsigned k = 1; k < RELAY_DROP_COUNT; k++)
			totals->leg[i].dropped += session->leg[i].drops[k];
	}
}

void
call_record_log(const struct call *call, const struct call_totals *totals)
{
	uint64_t now = call_now_ms();
	const char *cause = call->cause != NULL ? call->cause : "-";

	if (!totals->known) {
		log_event(LOG_LEVEL_INFO,
			LOG_ABOUT({LOG_CALL, call->id}, {LOG_USER, call->caller},
				{LOG_REASON, cause}),
			"call %s: %s to %s ended (%s); the relay has no counters of it", call->id,
			call->caller, call->callee, cause);
		return;
	}
	log_event(LOG_LEVEL_INFO,
		LOG_ABOUT({LOG_CALL, call->id}, {LOG_USER, call->caller}, {LOG_REASON, cause}),
		"call %s: %s to %s ended (%s) after %.1f s, of which %.1f s answered; "
		"caller %s in %lu out %lu dropped %lu; callee %s in %lu out %lu dropped %lu",
		call->id, call->caller, call->callee, cause,
		(double)(now - call->started_ms) / 1000,
		call->answered_ms != 0 ? (double)(now - call->answered_ms) / 1000 : 0.0,
		suite_name(totals->leg[0].suite), (unsigned long)totals->leg[0].in,
		(unsigned long)totals->leg[0].out, (unsigned long)totals->leg[0].dropped,
		suite_name(totals->leg[1].suite), (unsigned long)totals->leg[1].in,
		(unsigned long)totals->leg[1].out, (unsigned long)totals->leg[1].dropped);
}
