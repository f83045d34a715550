/* SPDX-License-Identifier: BSD-3-Clause */
/* What else there is to try with a packet that did not verify. */
#include "srtp_budget.h"
#include "srtp_context.h"
#include "srtp_flow_private.h"

#include <string.h>

enum attempt { ATTEMPT_AGAIN, ATTEMPT_PREVIOUS, ATTEMPT_ROC };
#define ROC_CANDIDATES 5

/* An SSRC that was new when the packet was opened may be known since an earlier packet of the
 * batch, so that its index is now estimated otherwise. */
static bool
try_again(struct packet *packet)
{
	if (packet->rtcp || packet->stream != NULL)
		return false;
	packet->stream = srtp_context_find(state_of(packet), packet->op.ssrc, packet->rx_epoch);
	if (packet->stream == NULL)
		return false;
	uint64_t tried = packet->op.rx_index;
	packet->op.rx_index = srtp_open_estimate(packet, (uint16_t)tried);
	return packet->op.rx_index != tried;
}

/* The receive key has changed and the far end has not yet, or this packet was on its way. */
static bool
try_previous(struct packet *packet, uint32_t now)
{
	struct flow_state *state = state_of(packet);
	const struct srtp_key *previous = srtp_open_previous(packet, now);

	if (previous == NULL || packet->key == previous)
		return false;
	memcpy(packet->payload + packet->length, packet->trailer, packet->trailer_length);
	if (srtp_open_with(packet, previous, (uint8_t)(state->rx_epoch - 1)) != RELAY_DROP_NONE)
		return false;
	/* the key before makes no new contexts: what was not heard under it is not now */
	return packet->stream != NULL;
}

/* After the key before: the present one again. */
static bool
back_to_present(struct packet *packet)
{
	const struct srtp_key *present = packet->bridge->rx[packet->leg];

	if (packet->key == present)
		return true;
	memcpy(packet->payload + packet->length, packet->trailer, packet->trailer_length);
	return srtp_open_with(packet, present, state_of(packet)->rx_epoch) == RELAY_DROP_NONE;
}

/* The ROC that the SSRC, or its forerunner, had. Where an old index was taken for one that begins
 * anew, what was transmitted since tells: that number, or one less. */
static uint32_t
reached_roc(const struct packet *packet, const struct srtp_stream *earlier)
{
	const struct flow_state *state = state_of(packet);

	if (earlier != NULL)
		return (uint32_t)(earlier->rtp_highest >> 16);
	if (packet->stream != NULL)
		return (uint32_t)((packet->stream->rtp_highest + packet->stream->tx_base) >> 16);
	return state->streams > 0 ? (uint32_t)(state->stream.rtp_highest >> 16) : 0;
}

/* Candidate `n` for the packet's ROC, once the estimate has failed: what a far end may have that
 * was told to begin anew, whose packets were lost by the ten thousand, or that never was told. */
static uint32_t
candidate_roc(const struct packet *packet, unsigned n, uint32_t estimated)
{
	const struct flow_state *state = state_of(packet);
	const struct srtp_stream *earlier =
		srtp_context_find_earlier(state, packet->op.ssrc, packet->rx_epoch);

	switch (n) {
	case 0:
		return 0;
	case 1:
		return estimated + 1;
	case 2:
		return estimated > 0 ? estimated - 1 : 0;
	default: {
		uint32_t reached = reached_roc(packet, earlier);
		return reached >= n - 3 ? reached - (n - 3) : 0;
	}
	}
}

/* Forward, any time; a replay can't look like that. Back only after a signalled change, when a far
 * end may have begun anew under a key that was heard before (RFC 4568 7.1.4 forbids it). */
static bool
may_be(const struct packet *packet, uint64_t index)
{
	return packet->stream == NULL || !packet->stream->rtp_started ||
	       index > packet->stream->rtp_highest || state_of(packet)->recovering;
}

/* The ROC may be out of step: after a hold, a change of address or SSRC, or a long silence. */
static bool
try_roc(struct packet *packet)
{
	const struct endpoint *known = &leg_of(packet)->remote[packet->local_port % 2];
	uint16_t sequence = (uint16_t)packet->op.rx_index;
	uint32_t estimated;

	if (packet->rtcp || (!packet->from_source && known->family != 0))
		return false;
	estimated = (uint32_t)(srtp_open_estimate(packet, sequence) >> 16);
	while (packet->attempt < ATTEMPT_ROC + ROC_CANDIDATES) {
		uint32_t roc = candidate_roc(packet, packet->attempt++ - ATTEMPT_ROC, estimated);
		uint64_t index = (uint64_t)roc << 16 | sequence;
		if (roc == estimated || index == packet->op.rx_index || !may_be(packet, index))
			continue;
		packet->op.rx_index = index;
		packet->op.opened = false;
		packet->recovered = 1;
		return true;
	}
	return false;
}

bool
srtp_flow_retry(struct packet *packet, uint32_t now)
{
	struct flow_state *state = state_of(packet);
	const struct endpoint *known = &leg_of(packet)->remote[packet->local_port % 2];

	if (packet->key == NULL)
		return false;
	if (packet->attempt == ATTEMPT_AGAIN) {
		packet->attempt = ATTEMPT_PREVIOUS;
		if (try_again(packet))
			return true;
	}
	if (!srtp_budget_spend(state, packet->from_source || known->family == 0, now))
		return false;
	if (packet->attempt == ATTEMPT_PREVIOUS) {
		packet->attempt = ATTEMPT_ROC;
		if (try_previous(packet, now))
			return true;
	}
	return back_to_present(packet) && try_roc(packet);
}
