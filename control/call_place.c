/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a leg's media meets the relay: the media interface that suits the phone. */
#include "call_media.h"

#include "call.h"

#include <stdio.h>

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

unsigned
call_media_place(const struct call *call, const struct relay_ip *peer)
{
	const struct config_media *media = &call->agent->config->media;
	unsigned index = 0;

	if (media->interfaces_count > 0)
		index = (unsigned)(choose_interface(media, peer) - media->interfaces);
	return index * 2 + (peer->family == 6);
}

void
call_media_fill_leg(const struct call *call, const struct call_stream *stream, unsigned side,
	struct relay_leg_spec *spec)
{
	const struct call_leg *leg = &stream->next[side];
	const struct config_media *media = &call->agent->config->media;
	const struct relay_ip *peer = &call->side[side].peer;

	/* media may come from elsewhere than the signalling: what matters then is where it is */
	if (leg->remote_rtp.ip.family != 0 && leg->remote_rtp.ip.family != peer->family)
		peer = &leg->remote_rtp.ip;
	if (media->interfaces_count > 0)
		snprintf(spec->interface, sizeof(spec->interface), "%s",
			choose_interface(media, peer)->name);
	spec->local_rtp.ip.family = peer->family; /* any address of it */
	spec->flags = leg->flags | (leg->rtcp_mux ? RELAY_LEG_RTCP_MUX : 0);
	/* a leg in clear takes the address that its SDP gave: nobody can prove another one */
	if (leg->transport == RELAY_TRANSPORT_SRTP || leg->transport == RELAY_TRANSPORT_NONE)
		spec->flags |= RELAY_LEG_LATCH;
	spec->transport = leg->transport;
	spec->clock_rate = leg->clock_rate;
	if (leg->transport == RELAY_TRANSPORT_NONE)
		return;
	spec->remote_rtp = leg->remote_rtp;
	spec->remote_rtcp = leg->remote_rtcp;
	/* one behind NAT that says the same address again is still where its packets came from */
	if (stream->latched[side].ip.family != 0 &&
		relay_addr_equal(&leg->remote_rtp, &stream->agreed[side].remote_rtp)) {
		spec->remote_rtp = stream->latched[side];
		spec->remote_rtcp.ip = stream->latched[side].ip;
	}
	spec->receive = leg->receive;
	spec->transmit = leg->transmit;
}
