/* SPDX-License-Identifier: BSD-3-Clause */
/* A call as it was saved: the same dialogs, by the same tags. */
#include "call.h"
#include "call_save.h"
#include "listener.h"

#include <errno.h>
#include <sofia-sip/msg_mclass.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <string.h>

/* What was noted of the last request may be a little behind: RFC 3261 12.2.2 allows a leap. */
#define CSEQ_LEAP 16

static const char *
text_of(const json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

/* What goes into a header. NULL: it is none, or has a line break or the like. */
static const char *
line_of(const json_t *json)
{
	const char *text = json_string_value(json);

	for (const char *at = text; at != NULL && *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return NULL;
	return text;
}

static uint64_t
number_of(const json_t *json, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(json, name));

	return value > 0 ? (uint64_t)value : 0;
}

static bool
is_true(const json_t *json, const char *name)
{
	return json_is_true(json_object_get(json, name));
}

static void
read_address(const json_t *json, struct relay_addr *out)
{
	const char *ip = json_string_value(json_array_get(json, 0));
	json_int_t port = json_integer_value(json_array_get(json, 1));

	if (ip != NULL && port >= 0 && port <= 65535 &&
		relay_ip_parse(ip, strlen(ip), &out->ip) == 0)
		out->port = (uint16_t)port;
}

/* The message by which the side came in. */
static int
load_said(struct call_side *side, const char *text)
{
	if (text == NULL)
		return -EINVAL;
	side->said = msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
	const sip_t *sip = side->said != NULL ? sip_object(side->said) : NULL;
	if (sip == NULL || (sip->sip_request == NULL && sip->sip_status == NULL) ||
		sip->sip_from == NULL || sip->sip_to == NULL || sip->sip_call_id == NULL)
		return -EINVAL;
	return 0;
}

static int
load_party(struct call_side *side, const json_t *json)
{
	const struct config_sip *config = &side->call->agent->config->sip;
	const char *name = text_of(json, "name"), *peer = text_of(json, "peer");

	if (name == NULL || peer == NULL ||
		(strcmp(peer, "-") != 0 && relay_ip_parse(peer, strlen(peer), &side->peer) != 0))
		return -EINVAL;
	if (!is_true(json, "trunk")) {
		party_set_user(&side->party, name);
		return 0;
	}
	for (unsigned i = 0; i < config->trunks_count; i++)
		if (strcmp(config->trunks[i].name, name) == 0) {
			party_set_trunk(&side->party, &config->trunks[i]);
			return 0;
		}
	return -ENOENT;
}

/* Route as one header's text; NULL: none. */
static const char *
join_routes(su_home_t *home, const json_t *routes)
{
	const char *text = NULL;

	for (size_t i = 0; i < json_array_size(routes); i++) {
		const char *one = line_of(json_array_get(routes, i));
		if (one != NULL)
			text = text != NULL ? su_sprintf(home, "%s, %s", text, one)
			                    : su_strdup(home, one);
	}
	return text;
}

/* The dialog as the stack knows it: who answered has its own tag in To, who called in From. */
static nta_leg_t *
make_leg(struct call_dialog *dialog, const json_t *json)
{
	su_home_t *home = dialog->side->call->home;
	const char *tag = line_of(json_object_get(json, "tag"));
	const char *target = line_of(json_object_get(json, "target"));
	const char *routes = join_routes(home, json_object_get(json, "route"));
	uint32_t seq = (uint32_t)number_of(json, "seq");
	sip_contact_t *contact = target != NULL ? sip_contact_make(home, target) : NULL;
	sip_route_t *route = routes != NULL ? sip_route_make(home, routes) : NULL;

	if (tag == NULL || contact == NULL || (routes != NULL && route == NULL) ||
		seq > UINT32_MAX / 2)
		return NULL;
	return call_dialog_make_leg(dialog, tag, seq != 0 ? seq + CSEQ_LEAP : 0,
		(uint32_t)number_of(json, "rseq"), route, contact);
}

static int
load_dialog(struct call_side *side, const json_t *json)
{
	struct call *call = side->call;
	struct call_dialog *dialog = su_zalloc(call->home, sizeof(*dialog));

	if (dialog == NULL)
		return -ENOMEM;
	dialog->side = side;
	dialog->next = call->dialogs;
	call->dialogs = dialog;
	side->dialog = dialog;
	dialog->contact = su_strdup(call->home, line_of(json_object_get(json, "contact")));
	dialog->hop_before = su_strdup(call->home, line_of(json_object_get(json, "next_hop")));
	dialog->instance = su_strdup(call->home, text_of(json, "instance"));
	dialog->registered = su_strdup(call->home, text_of(json, "registered"));
	if (is_true(json, "peering"))
		dialog->ident = LISTENER_PEERING;
	call_dialog_set_party(dialog, &side->party);
	dialog->can_update = is_true(json, "update");
	dialog->confirmed = true;
	dialog->resumed = true;
	dialog->lost_ms = call_now_ms();
	dialog->leg = make_leg(dialog, json);
	dialog->cseq = dialog->leg != NULL ? nta_leg_get_rseq(dialog->leg) : 0;
	return dialog->leg != NULL && dialog->contact != NULL ? 0 : -EINVAL;
}

static int
load_side(struct call_side *side, const json_t *json)
{
	int result = load_party(side, json);

	if (result == 0)
		result = load_said(side, text_of(json, "said"));
	if (result == 0)
		result = load_dialog(side, json_object_get(json, "dialog"));
	side->session = (struct call_session){
		.interval_s = (uint32_t)number_of(json, "interval"),
		.we_refresh = is_true(json, "we_refresh"),
		.refreshed_ms = call_monotonic_ms(number_of(json, "refreshed")),
		.least_s = (uint32_t)number_of(json, "least"),
	};
	side->keys.made_ms = call_monotonic_ms(number_of(json, "keys"));
	side->keys.expiring = is_true(json, "expiring");
	return result;
}

static void
load_leg(struct call_stream *stream, unsigned side, const json_t *json)
{
	struct call_leg *leg = &stream->agreed[side];

	leg->transport = (uint8_t)(number_of(json, "transport") & 3);
	leg->profile = (uint8_t)(number_of(json, "profile") % (SDP_PROFILE_UDPTL + 1));
	leg->rtcp_mux = is_true(json, "mux");
	leg->flags = (uint32_t)number_of(json, "flags") & RELAY_LEG_FLAGS;
	leg->clock_rate = (uint32_t)number_of(json, "clock");
	leg->tag = (uint32_t)number_of(json, "tag");
	read_address(json_object_get(json, "rtp"), &leg->remote_rtp);
	read_address(json_object_get(json, "rtcp"), &leg->remote_rtcp);
	read_address(json_object_get(json, "latched"), &stream->latched[side]);
}

/* An outline has neither keys nor addresses that matter: any policy will read it. */
static int
load_outline(const char *text, struct media_description **out)
{
	static const enum relay_suite none[1] = {RELAY_SUITE_NONE};
	const struct sdp_policy policy = {CONFIG_SRTP_OFF, none, 0, false};

	if (text == NULL)
		return -EINVAL;
	return media_description_read(text, strlen(text), &policy, out) == SDP_OK ? 0 : -EINVAL;
}

static int
load_sdp(struct call *call, const json_t *json)
{
	struct call_sdp *sdp = &call->sdp;
	const json_t *streams = json_object_get(json, "streams");
	size_t count = json_array_size(streams);

	if (count == 0 || count > SDP_STREAMS_MAX || call_sdp_grow(call, (unsigned)count) != 0)
		return -EINVAL;
	sdp->session_id = number_of(json, "session");
	for (unsigned i = 0; i < 2; i++) {
		const json_t *said = json_array_get(json_object_get(json, "said"), i);
		sdp->version[i] = (uint64_t)json_integer_value(
			json_array_get(json_object_get(json, "version"), i));
		call_sdp_set_trunk(call, i, call->side[i].party.trunk);
		if (load_outline(json_string_value(said), &sdp->said[i]) != 0 ||
			sdp->said[i]->streams > count)
			return -EINVAL;
	}
	for (unsigned i = 0; i < count; i++) {
		const json_t *stream = json_array_get(streams, i);
		sdp->stream[i].in_relay = is_true(stream, "in_relay");
		for (unsigned k = 0; k < 2; k++)
			load_leg(&sdp->stream[i], k,
				json_array_get(json_object_get(stream, "leg"), k));
	}
	return 0;
}

struct call *
call_load(struct b2bua *b2bua, const char *id, const json_t *saved, const char **why)
{
	const json_t *sides = json_object_get(saved, "sides");
	struct call *call = call_again(b2bua, id);

	*why = NULL;
	if (call == NULL)
		return NULL;
	call->state = CALL_UP;
	call->answered_in = true;
	call->acked = true;
	call->caller = su_strdup(call->home, text_of(saved, "caller"));
	call->callee = su_strdup(call->home, text_of(saved, "callee"));
	call->started_ms = call_monotonic_ms(number_of(saved, "started"));
	call->answered_ms = call_monotonic_ms(number_of(saved, "answered"));
	int result = call->caller != NULL && call->callee != NULL ? 0 : -EINVAL;
	for (unsigned i = 0; i < 2 && result == 0; i++)
		result = load_side(&call->side[i], json_array_get(sides, i));
	if (result == -ENOENT)
		*why = "its trunk is not configured any more";
	if (result == 0)
		result = load_sdp(call, json_object_get(saved, "sdp"));
	if (result != 0) {
		call->state = CALL_ENDED;
		call_done_waiting(call);
		return NULL;
	}
	/* what the relay knows of an exchange that was cut off, nobody agreed to: new keys will be
	 * what all know */
	if (is_true(saved, "open"))
		call->side[0].keys.expiring = call->side[1].keys.expiring = true;
	call_limits_resume(
		call->agent->limits, &call->limits, &call->side[0].party, &call->side[1].party);
	return call;
}
