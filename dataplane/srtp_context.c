/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_context.h"

#define RTP_INDEX_MAX ((UINT64_C(1) << 48) - 1)
#define SEQUENCE_HALF 0x8000u

/* The first context lies in the state itself; `streams` counts it too. */
static struct srtp_stream *
first(const struct flow_state *state)
{
	return state->streams == 0 ? NULL : (struct srtp_stream *)(uintptr_t)&state->stream;
}

struct srtp_stream *
srtp_context_find(const struct flow_state *state, uint32_t ssrc, uint8_t epoch)
{
	struct srtp_stream *stream = first(state);

	while (stream != NULL && (stream->ssrc != ssrc || stream->epoch != epoch))
		stream = stream->next;
	return stream;
}

struct srtp_stream *
srtp_context_find_earlier(const struct flow_state *state, uint32_t ssrc, uint8_t epoch)
{
	struct srtp_stream *stream = first(state);

	while (stream != NULL && (stream->ssrc != ssrc || stream->epoch == epoch))
		stream = stream->next;
	return stream;
}

/* Packets of one SSRC that an earlier life of the relay may have sent since it last told its state.
 * Less than half of all numbers, or the far end could not follow. */
#define RESTORED_MARGIN 0x4000u

/* The lowest index that this context has not used, nor will if it ends here. */
static uint64_t
next_tx(const struct srtp_stream *stream)
{
	if (stream->tx_restart == SRTP_TX_ANEW)
		return stream->tx_base;
	if (!stream->rtp_started)
		return 0;
	return stream->rtp_highest + stream->tx_base + 1 +
	       (stream->tx_restart == SRTP_TX_RESTORED ? RESTORED_MARGIN : 0);
}

/* A new transmit key starts its far end at ROC 0 (RFC 4568 7.1.4): no index of it was used yet. */
static void
restart_transmit(struct flow_state *state)
{
	for (struct srtp_stream *stream = first(state); stream != NULL; stream = stream->next) {
		stream->tx_restart = SRTP_TX_ANEW;
		stream->tx_base = 0;
	}
	state->rtcp_tx_index = 0;
	atomic_store_explicit(&state->tx_key_packets, 0, memory_order_relaxed);
}

void
srtp_context_follow(const struct bridge *bridge, unsigned leg, struct flow_state *state)
{
	const union bridge_follow *follow = &bridge->follow[leg];

	if (state->rx_epoch != follow->rx_epoch) {
		state->rx_epoch = follow->rx_epoch;
		state->stale = state->streams > 0;
		state->recovering = 1;
		atomic_store_explicit(&state->rx_key_packets, 0, memory_order_relaxed);
	}
	if (state->tx_epoch != follow->tx_epoch) {
		state->tx_epoch = follow->tx_epoch;
		restart_transmit(state);
	}
	if (state->change != follow->change) {
		state->change = follow->change;
		state->recovering = 1;
	}
}

void
srtp_context_restart(struct srtp_stream *stream)
{
	uint64_t floor = next_tx(stream);
	struct srtp_stream *next = stream->next;
	uint8_t epoch = stream->epoch;

	srtp_stream_init(stream, stream->ssrc);
	stream->tx_base = floor;
	stream->tx_restart = SRTP_TX_ANEW;
	stream->epoch = epoch;
	stream->next = next;
}

static unsigned
count_of_epoch(const struct flow_state *state, uint8_t epoch)
{
	unsigned count = 0;

	for (struct srtp_stream *stream = first(state); stream != NULL; stream = stream->next)
		count += stream->epoch == epoch;
	return count;
}

/* A place for one more context; the state's own comes first. */
static struct srtp_stream *
add(struct flow_state *state, uint32_t ssrc, uint8_t epoch, struct rte_mempool *streams,
	enum relay_drop *reason)
{
	struct srtp_stream *stream = &state->stream;
	void *object;

	if (state->streams == 0) {
		srtp_stream_init(stream, ssrc);
	} else {
		*reason = RELAY_DROP_SSRC_LIMIT;
		/* beside those of one key there may be as many of the key before */
		if (count_of_epoch(state, epoch) >= FLOW_SSRC_MAX ||
			state->streams >= 2 * FLOW_SSRC_MAX)
			return NULL;
		*reason = RELAY_DROP_NO_MEMORY;
		if (rte_mempool_get(streams, &object) != 0)
			return NULL;
		stream = object;
		srtp_stream_init(stream, ssrc);
		stream->next = state->stream.next;
		state->stream.next = stream;
	}
	state->streams++;
	stream->epoch = epoch;
	return stream;
}

/* What was sent for an SSRC under any earlier receive key and the same transmit key must not be
 * sent again: two packets under one keystream would be in the clear. */
static uint64_t
floor_of(const struct flow_state *state, uint32_t ssrc)
{
	uint64_t floor = 0;

	for (struct srtp_stream *stream = first(state); stream != NULL; stream = stream->next)
		if (stream->ssrc == ssrc && next_tx(stream) > floor)
			floor = next_tx(stream);
	return floor;
}

/* While the previous key still counts, its context must stay. */
static bool
previous_counts(const struct bridge *bridge, unsigned leg)
{
	return bridge_previous(bridge, leg) != NULL;
}

struct srtp_stream *
srtp_context_take(struct packet *packet, struct rte_mempool *streams, enum relay_drop *reason)
{
	struct flow_state *state = &packet->bridge->state[packet->leg];
	uint8_t epoch = packet->rx_epoch;
	struct srtp_stream *stream = srtp_context_find(state, packet->op.ssrc, epoch);

	if (stream != NULL)
		return stream;
	struct srtp_stream *earlier = srtp_context_find_earlier(state, packet->op.ssrc, epoch);
	uint64_t floor = floor_of(state, packet->op.ssrc);
	if (earlier != NULL && !previous_counts(packet->bridge, packet->leg)) {
		srtp_context_restart(earlier);
		earlier->epoch = epoch;
		stream = earlier;
	} else {
		stream = add(state, packet->op.ssrc, epoch, streams, reason);
	}
	if (stream != NULL && earlier != NULL) {
		stream->tx_base = floor;
		stream->tx_restart = SRTP_TX_ANEW;
	}
	return stream;
}

/* A packet of the key before, that comes late, must lie below what the present key's context has
 * begun with: that is past all that was heard under the key before. */
static bool
below_successor(const struct packet *packet)
{
	const struct flow_state *state = &packet->bridge->state[packet->leg];

	return packet->rx_epoch == state->rx_epoch ||
	       packet->op.rx_index < packet->stream->rtp_highest ||
	       srtp_context_find(state, packet->op.ssrc, state->rx_epoch) == NULL;
}

/* The index that the packet is sent with after a restart: the lowest with its sequence number that
 * is past all that was sent under the key, so that the number can stay. Where the far end would
 * take that for a step back, half of all numbers away, the numbers go on instead. */
static uint64_t
restart_index(uint64_t floor, uint64_t rx_index)
{
	uint64_t roc = floor >> 16;

	if ((rx_index & 0xffff) < (floor & 0xffff))
		roc++;
	uint64_t index = roc << 16 | (rx_index & 0xffff);
	return floor > 0 && index - floor >= SEQUENCE_HALF ? floor : index;
}

enum relay_drop
srtp_context_choose_tx(struct packet *packet)
{
	struct srtp_stream *stream = packet->stream;
	uint64_t index = packet->op.rx_index;
	bool late = stream->rtp_started && index < stream->rtp_highest;

	if (!below_successor(packet))
		return RELAY_DROP_TOO_OLD;
	if (stream->tx_restart == SRTP_TX_ANEW) {
		stream->tx_base = restart_index(stream->tx_base, index) - index;
		stream->tx_run = late ? (uint32_t)(stream->rtp_highest - index) : 0;
		stream->tx_restart = SRTP_TX_FOLLOWS;
	}
	if (late && stream->rtp_highest - index > stream->tx_run)
		return RELAY_DROP_TOO_OLD;
	uint64_t tx_index = index + stream->tx_base;
	if (tx_index > RTP_INDEX_MAX)
		return RELAY_DROP_TOO_OLD;
	if (stream->rtp_started && !late) {
		uint64_t run = stream->tx_run + (index - stream->rtp_highest);
		stream->tx_run = run < UINT32_MAX ? (uint32_t)run : UINT32_MAX;
		stream->tx_restart = SRTP_TX_FOLLOWS;
	}
	packet->op.tx_index = tx_index;
	return RELAY_DROP_NONE;
}

void
srtp_context_purge(struct flow_state *state, struct rte_mempool *streams)
{
	struct srtp_stream **link = &state->stream.next;

	while (*link != NULL) {
		struct srtp_stream *stream = *link;
		if (stream->epoch == state->rx_epoch ||
			srtp_context_find(state, stream->ssrc, state->rx_epoch) == NULL) {
			link = &stream->next;
			continue;
		}
		*link = stream->next;
		rte_mempool_put(streams, stream);
		state->streams--;
	}
	/* the state's own place: its successor moves in */
	if (state->stream.epoch != state->rx_epoch) {
		struct srtp_stream *heir =
			srtp_context_find(state, state->stream.ssrc, state->rx_epoch);
		for (link = &state->stream.next; heir != NULL && *link != heir;)
			link = &(*link)->next;
		if (heir != NULL) {
			*link = heir->next;
			struct srtp_stream *next = state->stream.next;
			state->stream = *heir;
			state->stream.next = next;
			rte_mempool_put(streams, heir);
			state->streams--;
		}
	}
	state->stale = 0;
}

void
srtp_context_release(struct flow_state *state, struct rte_mempool *streams)
{
	struct srtp_stream *stream = state->stream.next;

	while (stream != NULL) {
		struct srtp_stream *next = stream->next;
		rte_mempool_put(streams, stream);
		stream = next;
	}
	state->stream.next = NULL;
	state->streams = 0;
}
