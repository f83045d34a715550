/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_save.h"

#include "call.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAID_MAX 32768 /* bytes of a message's headers */
#define ROUTES_MOST 32

static uint64_t
wall_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
call_wall_ms(uint64_t monotonic_ms)
{
	return monotonic_ms == 0 ? 0 : wall_now_ms() - (call_now_ms() - monotonic_ms);
}

uint64_t
call_monotonic_ms(uint64_t wall_ms)
{
	uint64_t now = call_now_ms(), wall = wall_now_ms();
	uint64_t age = wall > wall_ms ? wall - wall_ms : 0;

	if (wall_ms == 0)
		return 0;
	return age < now ? now - age : 1;
}

static json_t *
text_or_null(const char *text)
{
	json_t *json = text != NULL ? json_string(text) : NULL;

	return json != NULL ? json : json_null();
}

static json_t *
header_text(su_home_t *home, const void *header)
{
	return text_or_null(
		header != NULL ? sip_header_as_string(home, (const sip_header_t *)header) : NULL);
}

/* Does it go into a file? What logs somebody in does not, nor does what a message carries. */
static bool
may_be_saved(const msg_header_t *header)
{
	const void *class = header->sh_class;

	return class != sip_authorization_class && class != sip_proxy_authorization_class &&
	       class != sip_payload_class && class != sip_separator_class &&
	       class != sip_content_length_class && class != sip_content_type_class;
}

/* The message by which a side came in: its headers, as they were. */
static json_t *
said_text(msg_t *said)
{
	sip_t *sip = said != NULL ? sip_object(said) : NULL;
	char *text = sip != NULL ? malloc(SAID_MAX) : NULL;
	size_t used = 0;

	if (text == NULL)
		return json_null();
	msg_header_t *at = sip->sip_request != NULL ? (msg_header_t *)sip->sip_request
	                                            : (msg_header_t *)sip->sip_status;
	for (; at != NULL; at = (msg_header_t *)at->sh_succ) {
		if (!may_be_saved(at))
			continue;
		issize_t length = msg_header_e(text + used, SAID_MAX - used, at, 0);
		if (length < 0 || (size_t)length >= SAID_MAX - used - 3) {
			free(text);
			return json_null();
		}
		used += (size_t)length;
	}
	memcpy(text + used, "\r\n", 3);
	json_t *json = json_string(text); /* NULL: not UTF-8, as JSON wants it */
	for (char *each = text; json == NULL && *each != '\0'; each++)
		if ((unsigned char)*each >= 0x80)
			*each = '?';
	if (json == NULL)
		json = text_or_null(text);
	free(text);
	return json;
}

/* How its phone is known again when it registers by another connection. What was known stays, where
 * it is not registered by this one. */
static void
know_phone(struct call_dialog *dialog)
{
	struct call *call = dialog->side->call;
	struct binding binding;

	if (dialog->side->party.kind != PARTY_USER || dialog->connection == NULL ||
		registrar_find_by(call->agent->registrar, dialog->side->party.name,
			dialog->connection, &binding) != 0)
		return;
	if (dialog->registered == NULL || strcmp(dialog->registered, binding.contact) != 0)
		dialog->registered = su_strdup(call->home, binding.contact);
	if (binding.instance != NULL &&
		(dialog->instance == NULL || strcmp(dialog->instance, binding.instance) != 0))
		dialog->instance = su_strdup(call->home, binding.instance);
}

static json_t *
save_dialog(su_home_t *home, struct call_dialog *dialog)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;
	json_t *routes = json_array();
	unsigned count = 0;

	know_phone(dialog);
	nta_leg_get_route(dialog->leg, &route, &target);
	for (; route != NULL && count < ROUTES_MOST; route = route->r_next, count++) {
		sip_route_t one = *route;
		one.r_next = NULL;
		json_array_append_new(routes, header_text(home, &one));
	}
	return json_pack("{s:o,s:I,s:I,s:o,s:o,s:o,s:o,s:b,s:b,s:o,s:o}", "tag",
		text_or_null(nta_leg_get_tag(dialog->leg)), "seq",
		(json_int_t)nta_leg_get_seq(dialog->leg), "rseq",
		(json_int_t)nta_leg_get_rseq(dialog->leg), "route", routes, "target",
		header_text(home, target), "contact", text_or_null(dialog->contact), "next_hop",
		text_or_null(dialog->next_hop != NULL ? dialog->next_hop : dialog->hop_before),
		"peering", dialog->ident != NULL, "update", dialog->can_update, "instance",
		text_or_null(dialog->instance), "registered", text_or_null(dialog->registered));
}

static json_t *
save_side(su_home_t *home, struct call_side *side)
{
	char peer[RELAY_ADDR_TEXT];

	return json_pack("{s:s,s:b,s:s,s:I,s:b,s:I,s:I,s:I,s:b,s:o,s:o}", "name", side->party.name,
		"trunk", side->party.kind == PARTY_TRUNK, "peer",
		relay_ip_format(&side->peer, peer), "interval",
		(json_int_t)side->session.interval_s, "we_refresh", side->session.we_refresh,
		"refreshed", (json_int_t)call_wall_ms(side->session.refreshed_ms), "least",
		(json_int_t)side->session.least_s, "keys",
		(json_int_t)call_wall_ms(side->keys.made_ms), "expiring", side->keys.expiring,
		"said", said_text(side->said), "dialog", save_dialog(home, side->dialog));
}

static json_t *
address_or_null(const struct relay_addr *address)
{
	char text[RELAY_ADDR_TEXT];

	if (address->ip.family == 0)
		return json_null();
	return json_pack("[s,i]", relay_ip_format(&address->ip, text), (int)address->port);
}

/* Of a leg all but its keys. */
static json_t *
save_leg(const struct call_stream *stream, unsigned side)
{
	const struct call_leg *leg = &stream->agreed[side];

	return json_pack("{s:i,s:i,s:b,s:I,s:I,s:I,s:o,s:o,s:o}", "transport", leg->transport,
		"profile", leg->profile, "mux", leg->rtcp_mux, "flags", (json_int_t)leg->flags,
		"clock", (json_int_t)leg->clock_rate, "tag", (json_int_t)leg->tag, "rtp",
		address_or_null(&leg->remote_rtp), "rtcp", address_or_null(&leg->remote_rtcp),
		"latched", address_or_null(&stream->latched[side]));
}

static json_t *
save_said(const struct media_description *description)
{
	char *text = description != NULL ? call_sdp_outline(description) : NULL;
	json_t *json = text_or_null(text);

	sdp_body_free(text);
	return json;
}

static json_t *
save_sdp(const struct call_sdp *sdp)
{
	json_t *streams = json_array();

	for (unsigned i = 0; i < sdp->streams; i++) {
		const struct call_stream *stream = &sdp->stream[i];
		json_array_append_new(
			streams, json_pack("{s:b,s:[o,o]}", "in_relay", stream->in_relay, "leg",
					 save_leg(stream, 0), save_leg(stream, 1)));
	}
	return json_pack("{s:I,s:[I,I],s:[o,o],s:o}", "session", (json_int_t)sdp->session_id,
		"version", (json_int_t)sdp->version[0], (json_int_t)sdp->version[1], "said",
		save_said(sdp->said[0]), save_said(sdp->said[1]), "streams", streams);
}

json_t *
call_save(struct call *call)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};

	su_home_init(home);
	/* while an exchange tells the relay new keys, it may know others than were agreed */
	json_t *json = json_pack("{s:s,s:s,s:I,s:I,s:b,s:[o,o],s:o}", "caller",
		call->caller != NULL ? call->caller : "?", "callee",
		call->callee != NULL ? call->callee : "?", "started",
		(json_int_t)call_wall_ms(call->started_ms), "answered",
		(json_int_t)call_wall_ms(call->answered_ms), "open",
		call->exchange.stage == EXCHANGE_APPLYING, "sides", save_side(home, &call->side[0]),
		save_side(home, &call->side[1]), "sdp", save_sdp(&call->sdp));
	su_home_deinit(home);
	return json;
}
