/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls: sallyport-sip's rows and sallyport-media's sessions, put together by their name. A call's
 * first stream has its name, the others have a "/" and a number behind it. */
#include "view.h"

#include <stdio.h>
#include <string.h>

json_t *
view_text(const char *text)
{
	json_t *out = json_string(text);
	char clean[256];

	if (out != NULL)
		return out;
	snprintf(clean, sizeof(clean), "%s", text);
	for (char *at = clean; *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	return json_string(clean);
}

static const char *
suite_name(unsigned suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info != NULL ? info->name : NULL;
}

static const char *
transport_name(unsigned transport)
{
	static const char *const names[] = {"none", "srtp", "rtp", "udptl"};

	return transport < sizeof(names) / sizeof(names[0]) ? names[transport] : "unknown";
}

/* Milliseconds, or null. */
static json_t *
milliseconds(uint32_t us)
{
	return us == RELAY_UNKNOWN ? json_null() : json_real(us / 1000.0);
}

/* What a list shows of a leg. */
static json_t *
short_leg(const struct relay_leg_info *leg)
{
	const struct relay_quality *quality = &leg->quality;

	return json_pack("{s:s,s:s?,s:o,s:o,s:I,s:I,s:I,s:o}", "transport",
		transport_name(leg->transport), "suite", suite_name(leg->receive_suite), "mos",
		quality->mos_100 != 0 ? json_real(quality->mos_100 / 100.0) : json_null(),
		"jitter_ms", milliseconds(quality->jitter_us), "expected",
		(json_int_t)quality->expected, "lost", (json_int_t)quality->lost, "packets_in",
		(json_int_t)leg->packets_in, "silent_ms",
		leg->last_packet_ms == UINT64_MAX ? json_null()
						  : json_integer((json_int_t)leg->last_packet_ms));
}

static json_t *
drops_of(const struct relay_leg_info *leg)
{
	json_t *drops = json_array();

	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++)
		if (leg->drops[i] != 0)
			json_array_append_new(drops,
				json_pack("{s:s,s:I,s:s}", "reason", relay_drop_name(i), "count",
					(json_int_t)leg->drops[i], "help", relay_drop_help(i)));
	return drops;
}

static json_t *
remote_of(const struct relay_quality *quality)
{
	bool known = quality->remote_lost != RELAY_UNKNOWN;

	return json_pack("{s:o,s:o,s:o,s:o}", "lost",
		known ? json_integer(quality->remote_lost) : json_null(), "lost_share",
		known ? json_real(quality->remote_lost_256 / 256.0) : json_null(), "jitter_ms",
		milliseconds(quality->remote_jitter_us), "round_trip_ms",
		milliseconds(quality->round_trip_us));
}

/* All of a leg: what is in the short form, and the rest. */
static json_t *
long_leg(const struct relay_leg_info *leg)
{
	char local[RELAY_ADDR_TEXT], remote[RELAY_ADDR_TEXT];
	json_t *out = short_leg(leg);
	json_t *more = json_pack(
		"{s:o,s:s,s:s,s:s?,s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:o}",
		"interface", view_text(leg->interface), "local",
		relay_addr_format(&leg->local_rtp, local), "remote",
		relay_addr_format(&leg->remote_rtp, remote), "suite_out",
		suite_name(leg->transmit_suite), "rtcp_mux", (leg->flags & RELAY_LEG_RTCP_MUX) != 0,
		"latched", leg->latched != 0, "sends", (leg->flags & RELAY_LEG_NO_RECEIVE) == 0,
		"receives", (leg->flags & RELAY_LEG_NO_SEND) == 0, "bytes_in",
		(json_int_t)leg->bytes_in, "packets_out", (json_int_t)leg->packets_out, "bytes_out",
		(json_int_t)leg->bytes_out, "rtcp_in", (json_int_t)leg->rtcp_in, "rtcp_out",
		(json_int_t)leg->rtcp_out, "ssrc", (json_int_t)leg->quality.ssrc, "ssrcs",
		(json_int_t)leg->quality.ssrcs, "far_end", remote_of(&leg->quality), "drops",
		drops_of(leg));

	json_object_update(out, more);
	json_decref(more);
	return out;
}

/* Of that call: the first stream, or one behind it? */
static bool
is_of(const char *session, const char *call)
{
	size_t length = strcspn(session, "/");

	return strlen(call) == length && strncmp(session, call, length) == 0;
}

static void
add_legs(json_t *row, const struct relay_session *session)
{
	json_object_set_new(row, "legs",
		session != NULL ? json_pack("[o,o]", short_leg(&session->leg[0]),
					  short_leg(&session->leg[1]))
				: json_array());
}

/* Sessions of another controller, or of calls that are not among the rows. */
static void
add_others(const struct snapshot *snapshot, const json_t *known, json_t *out)
{
	for (unsigned i = 0; i < snapshot->media.sessions_count; i++) {
		const struct relay_session *session = &snapshot->media.sessions[i];
		if (json_array_size(out) >= VIEW_CALLS)
			return;
		if (strchr(session->id, '/') != NULL || json_object_get(known, session->id) != NULL)
			continue;
		json_t *row = json_pack("{s:o,s:s,s:I}", "id", view_text(session->id), "state",
			"session", "age_s", (json_int_t)session->age_ms / 1000);
		add_legs(row, session);
		json_array_append_new(out, row);
	}
}

json_t *
view_calls(const struct snapshot *snapshot)
{
	json_t *out = json_array(), *known = json_object();
	const json_t *call;
	size_t i;

	json_array_foreach (snapshot->sip.calls, i, call) {
		const char *id = json_string_value(json_object_get(call, "id"));
		if (id == NULL || json_array_size(out) >= VIEW_CALLS)
			continue;
		json_t *row = json_copy((json_t *)(uintptr_t)call);
		add_legs(row, media_session(&snapshot->media, id));
		json_array_append_new(out, row);
		json_object_set_new(known, id, json_true());
	}
	add_others(snapshot, known, out);
	json_decref(known);
	return out;
}

json_t *
view_call(const struct snapshot *snapshot, const char *id)
{
	json_t *streams = json_array(), *out;
	const json_t *call;
	size_t i;

	out = json_pack("{s:I,s:o,s:o,s:n,s:o}", "at_ms", (json_int_t)snapshot->at_ms, "status",
		view_part(snapshot, "status"), "id", view_text(id), "call", "streams", streams);
	json_array_foreach (snapshot->sip.calls, i, call) {
		const char *at = json_string_value(json_object_get(call, "id"));
		if (at != NULL && strcmp(at, id) == 0)
			json_object_set(out, "call", (json_t *)(uintptr_t)call);
	}
	for (unsigned k = 0; k < snapshot->media.sessions_count; k++) {
		const struct relay_session *session = &snapshot->media.sessions[k];
		if (!is_of(session->id, id))
			continue;
		json_array_append_new(
			streams, json_pack("{s:o,s:I,s:I,s:[o,o]}", "id", view_text(session->id),
					 "age_s", (json_int_t)session->age_ms / 1000, "worker",
					 (json_int_t)session->worker, "legs",
					 long_leg(&session->leg[0]), long_leg(&session->leg[1])));
	}
	if (json_array_size(streams) == 0 && json_is_null(json_object_get(out, "call"))) {
		json_decref(out);
		return NULL;
	}
	return out;
}
