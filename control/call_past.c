/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_past.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* A flow as it was told: from leg i to the other. */
struct flow {
	struct relay_flow_state state;
	struct relay_stream_state stream[];
};

struct call_past {
	struct flow *seen[2];           /* told last, and settled; NULL: not since a change */
	struct flow *known[2];          /* told twice the same; NULL: never */
	bool placed[2];                 /* remote[] of that leg is as the relay has it */
	struct relay_addr remote[2][2]; /* of each leg: RTP, RTCP */
};

static struct call_past *
past_of(struct call_stream *stream)
{
	if (stream->past == NULL)
		stream->past = calloc(1, sizeof(*stream->past));
	return stream->past;
}

static struct flow *
copy(const struct relay_flow_state *state, const struct relay_stream_state *streams)
{
	size_t bytes = state->streams * sizeof(*streams);
	struct flow *flow = malloc(sizeof(*flow) + bytes);

	if (flow == NULL)
		return NULL;
	flow->state = *state;
	memcpy(flow->stream, streams, bytes);
	return flow;
}

/* The same streams, begun at the same points? */
static bool
agree(const struct flow *a, const struct flow *b)
{
	if (a == NULL || b == NULL || a->state.streams != b->state.streams)
		return false;
	for (uint32_t i = 0; i < a->state.streams; i++)
		if (a->stream[i].ssrc != b->stream[i].ssrc ||
			a->stream[i].tx_base != b->stream[i].tx_base ||
			a->stream[i].flags != b->stream[i].flags)
			return false;
	return true;
}

static void
take_flow(struct call_stream *stream, unsigned i, const struct relay_flow_state *state,
	const struct relay_stream_state *streams)
{
	struct call_past *past = stream->past;
	struct flow *seen = NULL;

	if (state->flags & RELAY_FLOW_SETTLED)
		seen = copy(state, streams);
	if (agree(past->seen[i], seen)) {
		free(past->known[i]);
		past->known[i] = copy(state, streams);
		if (past->known[i] != NULL)
			stream->sure |= (uint8_t)(1u << i);
		else
			stream->sure &= (uint8_t) ~(1u << i);
	}
	free(past->seen[i]);
	past->seen[i] = seen;
}

void
call_past_take(struct call_stream *stream, const struct relay_state_entry *entry)
{
	struct call_past *past = past_of(stream);

	if (past == NULL || stream->asked > 0)
		return; /* it may be of before */
	take_flow(stream, 0, &entry->flow[0], entry->stream);
	take_flow(stream, 1, &entry->flow[1], entry->stream + entry->flow[0].streams);
	memcpy(past->remote, entry->remote, sizeof(past->remote));
	past->placed[0] = past->placed[1] = true;
}

/* Could anything have been sent on from that leg? */
static bool
carries(const struct call_stream *stream)
{
	return stream->told[0].transport != RELAY_TRANSPORT_NONE &&
	       stream->told[1].transport != RELAY_TRANSPORT_NONE;
}

static void
unsettle(struct call_stream *stream, unsigned flow, bool carried)
{
	if (stream->past != NULL) {
		free(stream->past->seen[flow]);
		stream->past->seen[flow] = NULL;
	}
	if (carried)
		stream->sure &= (uint8_t) ~(1u << flow);
}

void
call_past_changed(struct call_stream *stream, unsigned leg, unsigned mask)
{
	stream->asked++;
	if (mask & (RELAY_UPDATE_RECEIVE | RELAY_UPDATE_REMOTE | RELAY_UPDATE_TRANSPORT))
		unsettle(stream, leg, carries(stream));
	if (mask & (RELAY_UPDATE_TRANSMIT | RELAY_UPDATE_TRANSPORT))
		unsettle(stream, 1 - leg, carries(stream));
	if (mask & RELAY_UPDATE_TRANSMIT)
		stream->held &= (uint8_t) ~(1u << leg);
	if ((mask & RELAY_UPDATE_REMOTE) && stream->past != NULL)
		stream->past->placed[leg] = false;
}

void
call_past_answered(struct call_stream *stream, unsigned leg, bool untold_key)
{
	if (stream->asked > 0)
		stream->asked--;
	if (untold_key)
		stream->held |= (uint8_t)(1u << leg);
}

void
call_past_latched(struct call_stream *stream, unsigned leg, const struct relay_addr *remote)
{
	struct call_past *past = past_of(stream);

	if (past == NULL)
		return;
	if (!past->placed[leg])
		memset(past->remote[leg], 0, sizeof(past->remote[leg]));
	past->remote[leg][0] = *remote;
	past->placed[leg] = true;
}

void
call_past_begin(struct call_stream *stream)
{
	stream->sure = 3;
	stream->held = 0;
}

static void
fill_leg(const struct call_stream *stream, unsigned side, struct relay_leg_spec *spec)
{
	const struct call_leg *leg = &stream->told[side];
	const struct call_past *past = stream->past;

	spec->local_rtp = stream->local[side];
	spec->transport = leg->transport;
	spec->clock_rate = leg->clock_rate;
	spec->flags = leg->flags | (leg->rtcp_mux ? RELAY_LEG_RTCP_MUX : 0);
	if (leg->transport == RELAY_TRANSPORT_SRTP || leg->transport == RELAY_TRANSPORT_NONE)
		spec->flags |= RELAY_LEG_LATCH;
	if (leg->transport == RELAY_TRANSPORT_NONE)
		return;
	spec->remote_rtp = leg->remote_rtp;
	spec->remote_rtcp = leg->remote_rtcp;
	if (past != NULL && past->placed[side] && leg->transport == RELAY_TRANSPORT_SRTP) {
		spec->remote_rtp = past->remote[side][0];
		spec->remote_rtcp = past->remote[side][1];
	}
	spec->receive = leg->receive;
	spec->transmit = leg->transmit;
}

/* In clear nothing vouches for an index, so that of what was sent on nothing is known. */
static bool
in_doubt(const struct call_stream *stream, unsigned flow)
{
	const struct call_leg *from = &stream->told[flow], *to = &stream->told[1 - flow];

	if (to->transport != RELAY_TRANSPORT_SRTP || from->transport == RELAY_TRANSPORT_NONE)
		return false;
	return from->transport != RELAY_TRANSPORT_SRTP || (stream->sure >> flow & 1) == 0 ||
	       (stream->held >> (1 - flow) & 1) != 0;
}

unsigned
call_past_restore(struct call_stream *stream, struct relay_restore *request)
{
	unsigned fresh = 0;

	memset(request, 0, sizeof(*request));
	memcpy(request->create.id, stream->id, sizeof(request->create.id));
	for (unsigned i = 0; i < 2; i++)
		fill_leg(stream, i, &request->create.leg[i]);
	for (unsigned flow = 0; flow < 2; flow++) {
		const struct flow *known = stream->past != NULL ? stream->past->known[flow] : NULL;
		if (in_doubt(stream, flow)) {
			struct relay_crypto *key = &request->create.leg[1 - flow].transmit;
			OPENSSL_cleanse(key, sizeof(*key));
			stream->held |= (uint8_t)(1u << (1 - flow));
			fresh |= 1u << (1 - flow);
		} else if (known != NULL) {
			request->flow[flow] = known->state;
			memcpy(request->stream[flow], known->stream,
				known->state.streams * sizeof(known->stream[0]));
		}
	}
	return fresh;
}

void
call_past_forget(struct call_stream *stream)
{
	stream->sure = stream->held = 0;
	if (stream->past == NULL)
		return;
	for (unsigned i = 0; i < 2; i++) {
		free(stream->past->seen[i]);
		free(stream->past->known[i]);
	}
	free(stream->past);
	stream->past = NULL;
}
