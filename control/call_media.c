/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's session at the relay: created with the caller's leg, updated with the callee's answer,
 * deleted at the end, whatever the end. */
#include "call.h"

#include "relay/log.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

static void
on_created(void *arg, const struct relay_header *reply)
{
	struct call *call = arg;

	call->waiting--;
	call_on_created(call, reply);
}

static void
on_answered(void *arg, const struct relay_header *reply)
{
	struct call *call = arg;

	call->waiting--;
	call_on_answered(call, reply);
}

/* How well a media address suits a phone: on its network, by a gateway, or at least of its
 * family. */
static unsigned
suits(const struct config_address *at, const struct relay_ip *peer)
{
	if (relay_ip_in_prefix(peer, &at->ip, at->prefix_length))
		return 3;
	if (at->ip.family != peer->family)
		return 0;
	return at->gateway != NULL ? 2 : 1;
}

/* The interface that suits best, the first of equals. */
static const struct config_interface *
choose_interface(const struct config_media *media, const struct relay_ip *peer)
{
	const struct config_interface *best = &media->interfaces[0];
	unsigned best_rank = 0;

	for (unsigned i = 0; i < media->interfaces_count; i++) {
		const struct config_interface *at = &media->interfaces[i];
		for (unsigned k = 0; k < at->addresses_count; k++) {
			unsigned rank = suits(&at->addresses[k], peer);
			if (rank <= best_rank)
				continue;
			best = at;
			best_rank = rank;
		}
	}
	return best;
}

static void
fill_leg(const struct call *call, unsigned index, struct relay_leg_spec *spec)
{
	const struct call_sdp_side *side = &call->sdp.side[index];
	const struct config_media *media = &call->agent->config->media;

	if (media->interfaces_count > 0)
		snprintf(spec->interface, sizeof(spec->interface), "%s",
			choose_interface(media, &call->side[index].peer)->name);
	/* any address of the phone's family */
	spec->local_rtp.ip.family = call->side[index].peer.family;
	spec->flags = RELAY_LEG_LATCH | (side->rtcp_mux ? RELAY_LEG_RTCP_MUX : 0);
	if (side->receive.suite == RELAY_SUITE_NONE)
		return; /* it has said nothing yet: only ports are reserved */
	spec->transport = RELAY_TRANSPORT_SRTP;
	spec->remote_rtp = side->remote_rtp;
	spec->remote_rtcp = side->remote_rtcp;
	spec->receive = side->receive;
	spec->transmit = side->transmit;
}

int
call_media_create(struct call *call)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};

	memcpy(request.id, call->id, sizeof(request.id));
	fill_leg(call, 0, &request.leg[0]);
	fill_leg(call, 1, &request.leg[1]);
	int result = media_request(call->agent->media, &request, sizeof(request), on_created, call);
	OPENSSL_cleanse(&request, sizeof(request));
	if (result == 0) {
		call->in_relay = true;
		call->waiting++;
	}
	return result;
}

int
call_media_answer(struct call *call, unsigned mask)
{
	struct relay_update request = {.header = {.op = RELAY_OP_UPDATE}, .leg = 1, .mask = mask};

	memcpy(request.id, call->id, sizeof(request.id));
	fill_leg(call, 1, &request.spec);
	int result =
		media_request(call->agent->media, &request, sizeof(request), on_answered, call);
	OPENSSL_cleanse(&request, sizeof(request));
	if (result == 0)
		call->waiting++;
	return result;
}

static const char *
suite_name(unsigned suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	return info != NULL ? info->name : "-";
}

/* The call record: one line, never a key. */
static void
log_record(const struct call *call, const struct relay_session *session)
{
	uint64_t now = call_now_ms();
	const struct relay_leg_info *a = &session->leg[0], *b = &session->leg[1];
	uint64_t drops[2] = {0, 0};

	for (unsigned i = 1; i < RELAY_DROP_COUNT; i++) {
		drops[0] += a->drops[i];
		drops[1] += b->drops[i];
	}
	log_info("call %s: %s to %s ended (%s) after %.1f s, of which %.1f s answered; "
		 "caller %s in %lu out %lu dropped %lu; callee %s in %lu out %lu dropped %lu",
		call->id, call->caller, call->callee, call->cause != NULL ? call->cause : "-",
		(double)(now - call->started_ms) / 1000,
		call->answered_ms != 0 ? (double)(now - call->answered_ms) / 1000 : 0.0,
		suite_name(a->receive_suite), (unsigned long)a->packets_in,
		(unsigned long)a->packets_out, (unsigned long)drops[0],
		suite_name(b->receive_suite), (unsigned long)b->packets_in,
		(unsigned long)b->packets_out, (unsigned long)drops[1]);
}

static void
on_deleted(void *arg, const struct relay_header *reply)
{
	struct call *call = arg;

	bool told = reply != NULL && reply->code == RELAY_OK;
	record_stream(call->record, "audio", (const char *const[2]){NULL, NULL},
		told ? (const struct relay_session *)reply : NULL);
	if (told)
		log_record(call, (const struct relay_session *)reply);
	else
		log_info("call %s: %s to %s ended (%s); the relay has no counters of it", call->id,
			call->caller, call->callee, call->cause != NULL ? call->cause : "-");
	call->waiting--;
	call_done_waiting(call);
}

void
call_media_delete(struct call *call)
{
	struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};

	if (!call->in_relay)
		return;
	call->in_relay = false;
	memcpy(request.id, call->id, sizeof(request.id));
	call->waiting++;
	if (media_request(call->agent->media, &request, sizeof(request), on_deleted, call) != 0)
		on_deleted(call, NULL);
}
