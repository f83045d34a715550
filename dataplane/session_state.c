/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a session needs to go on in another life of the process: told, and taken up again.
 *
 * The rule is that of srtp_context.c: no packet index is used twice under one transmit key. Each
 * SSRC keeps what is added to its receive index. So a packet that the earlier life has not sent
 * gets an index that it has not used; and one that it has sent, replayed to us, becomes the same
 * bytes again.
 */
#include "session_private.h"

#include "srtp_context.h"
#include "srtp_flow_private.h"
#include "tick.h"
#include "worker.h"

#include <rte_common.h>
#include <string.h>

#define CONTEXTS_MAX (2 * FLOW_SSRC_MAX) /* of a flow: srtp_context.c */
#define RTP_INDEX_MAX ((UINT64_C(1) << 48) - 1)
#define SRTCP_INDEX_MAX 0x7fffffffu
#define SRTCP_MARGIN 0x10000u /* reports that a leg may be sent between two tellings */

_Static_assert(RELAY_STREAMS_MAX == FLOW_SSRC_MAX, "a flow's SSRCs of one key can be told");

/* The worker's own, read without its leave: a number that is half of one moment and half of another
 * is possible, if hardly, so a client believes what it was told the same of twice. */
#define READ(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)

static void
tell_stream(const struct srtp_stream *stream, bool earlier, struct relay_stream_state *out)
{
	*out = (struct relay_stream_state){
		.ssrc = READ(stream->ssrc),
		.flags = (READ(stream->rtp_started) ? RELAY_STREAM_RTP : 0) |
	                 (READ(stream->rtcp_started) ? RELAY_STREAM_RTCP : 0) |
	                 (earlier ? RELAY_STREAM_EARLIER : 0),
		.rtp_highest = READ(stream->rtp_highest),
		.tx_base = READ(stream->tx_base),
		.rtcp_highest = READ(stream->rtcp_highest),
	};
}

/* Has the worker seen all that was signalled? In clear nothing vouches for an index. */
static bool
is_settled(const struct bridge *bridge, unsigned leg, const struct flow_state *state)
{
	const union bridge_follow *follow = &bridge->follow[leg];

	return bridge->rx[leg] != NULL && READ(state->rx_epoch) == follow->rx_epoch &&
	       READ(state->tx_epoch) == follow->tx_epoch && READ(state->change) == follow->change &&
	       !state->recovering;
}

static void
tell_flow(const struct bridge *bridge, unsigned leg, struct relay_flow_state *out,
	struct relay_stream_state *streams)
{
	const struct flow_state *state = &bridge->state[leg];
	const struct srtp_stream *stream = READ(state->streams) > 0 ? &state->stream : NULL;
	bool settled = is_settled(bridge, leg, state);
	uint8_t epoch = bridge->follow[leg].rx_epoch;

	out->rtcp_sent = READ(state->rtcp_tx_index);
	out->rx_key_packets = counter_read(&state->rx_key_packets);
	out->tx_key_packets = counter_read(&state->tx_key_packets);
	for (unsigned i = 0; stream != NULL && i < CONTEXTS_MAX; i++) {
		bool earlier = READ(stream->epoch) != epoch;
		if (!earlier || srtp_context_find(state, stream->ssrc, epoch) == NULL) {
			settled &= READ(stream->tx_restart) != SRTP_TX_ANEW &&
			           out->streams < RELAY_STREAMS_MAX;
			if (out->streams < RELAY_STREAMS_MAX)
				tell_stream(stream, earlier, &streams[out->streams++]);
		}
		stream = READ(stream->next);
	}
	out->flags = settled ? RELAY_FLOW_SETTLED : 0;
}

size_t
session_tell_state(const struct session *session, struct relay_state_entry *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->id, session->id, sizeof(out->id));
	for (unsigned leg = 0; leg < 2; leg++)
		for (unsigned rtcp = 0; rtcp < 2; rtcp++)
			out->remote[leg][rtcp] = leg_remote(session->bridge, leg, rtcp);
	tell_flow(session->bridge, 0, &out->flow[0], out->stream);
	tell_flow(session->bridge, 1, &out->flow[1], out->stream + out->flow[0].streams);
	out->length = (uint32_t)(sizeof(*out) + (out->flow[0].streams + out->flow[1].streams) *
							sizeof(out->stream[0]));
	return out->length;
}

/* All that was heard before is behind the window: late packets were lost with the earlier life. */
static void
take_up_stream(struct srtp_stream *stream, const struct relay_stream_state *past, uint8_t epoch)
{
	srtp_stream_init(stream, past->ssrc);
	stream->epoch = (past->flags & RELAY_STREAM_EARLIER) ? (uint8_t)(epoch - 1) : epoch;
	if (past->flags & RELAY_STREAM_RTP) {
		stream->rtp_started = 1;
		stream->rtp_highest = past->rtp_highest;
		memset(stream->rtp_window, 0xff, sizeof(stream->rtp_window));
		stream->tx_base = past->tx_base;
		stream->tx_restart = SRTP_TX_RESTORED;
	}
	if (past->flags & RELAY_STREAM_RTCP) {
		stream->rtcp_started = 1;
		stream->rtcp_highest = past->rtcp_highest;
		stream->rtcp_window = UINT64_MAX;
	}
}

/* The session is not published yet: no worker looks. Its silence may have been a long one, in which
 * the ROC has gone out of step. */
static bool
take_up_flow(struct flow_state *state, const union bridge_follow *follow,
	const struct relay_flow_state *past, const struct relay_stream_state *streams)
{
	state->rx_epoch = follow->rx_epoch;
	state->tx_epoch = follow->tx_epoch;
	state->change = follow->change;
	for (unsigned i = 0; i < past->streams; i++) {
		struct srtp_stream *stream = &state->stream;
		void *object;
		if (i > 0) {
			if (rte_mempool_get(workers_shared()->streams, &object) != 0)
				return false;
			stream = object;
		}
		struct srtp_stream *next = state->stream.next;
		take_up_stream(stream, &streams[i], follow->rx_epoch);
		if (i > 0) {
			stream->next = next;
			state->stream.next = stream;
		}
		state->streams++;
		state->stale |= (streams[i].flags & RELAY_STREAM_EARLIER) != 0;
	}
	state->rtcp_tx_index =
		RTE_MIN(past->rtcp_sent, SRTCP_INDEX_MAX - SRTCP_MARGIN) + SRTCP_MARGIN;
	atomic_store_explicit(&state->rx_key_packets, past->rx_key_packets, memory_order_relaxed);
	atomic_store_explicit(&state->tx_key_packets, past->tx_key_packets, memory_order_relaxed);
	return true;
}

static bool
is_sound(const struct relay_restore *past)
{
	for (unsigned flow = 0; flow < 2; flow++) {
		if (past->flow[flow].streams > RELAY_STREAMS_MAX)
			return false;
		for (unsigned i = 0; i < past->flow[flow].streams; i++)
			if (past->stream[flow][i].rtp_highest > RTP_INDEX_MAX ||
				past->stream[flow][i].rtcp_highest > SRTCP_INDEX_MAX)
				return false;
	}
	return true;
}

enum relay_code
session_take_up(struct session *session, struct bridge *bridge, const struct relay_restore *past,
	char *reason)
{
	if (!is_sound(past))
		return session_refuse(RELAY_E_MALFORMED, reason,
			"the state has too many streams, or an index out of range");
	for (unsigned flow = 0; flow < 2; flow++) {
		if (take_up_flow(&session->state[flow], &bridge->follow[flow], &past->flow[flow],
			    past->stream[flow])) {
			bridge->restored |= (uint8_t)(1u << flow);
			continue;
		}
		srtp_context_release(&session->state[0], workers_shared()->streams);
		srtp_context_release(&session->state[1], workers_shared()->streams);
		return session_refuse(RELAY_E_NO_MEMORY, reason,
			"no memory for the contexts of further SSRCs: raise media.memory_mb");
	}
	return RELAY_OK;
}
