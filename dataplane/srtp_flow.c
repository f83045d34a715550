/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_flow.h"

#include "rtp.h"

#include <openssl/crypto.h>
#include <string.h>

#define SRTCP_INDEX_LENGTH 4
#define SRTCP_E_FLAG 0x80000000u
#define SRTCP_INDEX_MAX 0x7fffffffu
#define RTP_INDEX_MAX ((UINT64_C(1) << 48) - 1)

static struct srtp_stream *
find_stream(struct flow_state *state, uint32_t ssrc)
{
	if (state->streams == 0)
		return NULL;
	for (struct srtp_stream *stream = &state->stream; stream != NULL; stream = stream->next)
		if (stream->ssrc == ssrc)
			return stream;
	return NULL;
}

/* The transmit index that goes with a receive index; huge where it would lie below zero. */
static uint64_t
tx_index_of(const struct srtp_stream *stream, uint64_t rx_index)
{
	return rx_index - ((uint64_t)(int64_t)(int32_t)stream->tx_roc_offset << 16);
}

/* A new transmit key starts its far end at ROC 0 (RFC 4568 7.1.4): no index of it was used yet. */
static void
restart_transmit(struct flow_state *state)
{
	for (struct srtp_stream *stream = &state->stream; stream != NULL; stream = stream->next) {
		stream->tx_restart = 1;
		stream->rtp_tx_floor = 0;
	}
	state->rtcp_tx_index = 0;
	state->tx_key_packets = 0;
}

/* A new receive key starts at ROC 0 with empty windows. If the transmit key stays, no index that
 * was sent under it may come again: two packets under one keystream would be in the clear. */
static void
restart_receive(struct flow_state *state)
{
	for (struct srtp_stream *stream = &state->stream; stream != NULL; stream = stream->next) {
		struct srtp_stream *next = stream->next;
		uint64_t floor = stream->rtp_tx_floor;

		if (stream->rtp_started)
			floor = tx_index_of(stream, stream->rtp_highest) + 1;
		srtp_stream_init(stream, stream->ssrc);
		stream->rtp_tx_floor = floor;
		stream->tx_restart = 1;
		stream->next = next;
	}
}

static void
follow_keys(const struct flow *flow, struct flow_state *state)
{
	if (state->rx_epoch == flow->rx_epoch && state->tx_epoch == flow->tx_epoch)
		return;
	if (state->streams > 0 && state->rx_epoch != flow->rx_epoch)
		restart_receive(state);
	if (state->rx_epoch != flow->rx_epoch)
		state->rx_key_packets = 0;
	if (state->tx_epoch != flow->tx_epoch)
		restart_transmit(state);
	state->rx_epoch = flow->rx_epoch;
	state->tx_epoch = flow->tx_epoch;
}

/* Takes tag and MKI off the packet's end; `least` bytes must remain. */
static bool
strip_trailer(struct packet *packet, unsigned tag_length, unsigned least)
{
	unsigned trailer = tag_length + packet->flow->rx_mki_length;

	if (packet->length < least + trailer)
		return false;
	packet->length = (uint16_t)(packet->length - trailer);
	memcpy(packet->op.tag, packet->payload + packet->length + packet->flow->rx_mki_length,
		tag_length);
	return true;
}

static bool
mki_matches(const struct packet *packet)
{
	const struct flow *flow = packet->flow;

	return flow->rx_mki_length == 0 ||
	       memcmp(packet->payload + packet->length, flow->mki->rx, flow->rx_mki_length) == 0;
}

static enum relay_drop
open_rtp(struct packet *packet)
{
	const struct flow *flow = packet->flow;
	struct crypto_op *op = &packet->op;
	struct rtp_header header;

	if (!strip_trailer(packet, flow->rx.tag_length, 12))
		return RELAY_DROP_RTP_TRUNCATED;
	enum relay_drop reason = rtp_parse(packet->payload, packet->length, &header);
	if (reason != RELAY_DROP_NONE)
		return reason;
	if (!mki_matches(packet))
		return RELAY_DROP_MKI_MISMATCH;
	if (flow->state->rx_key_packets >= flow->rx_lifetime ||
		flow->state->tx_key_packets >= flow->tx_lifetime)
		return RELAY_DROP_KEY_EXPIRED;

	packet->stream = find_stream(flow->state, header.ssrc);
	op->rx_index = header.sequence;
	if (packet->stream != NULL) {
		op->rx_index = srtp_stream_estimate(packet->stream, header.sequence);
		reason = srtp_stream_check(packet->stream, op->rx_index);
		if (reason != RELAY_DROP_NONE)
			return reason;
	}
	op->kind = CRYPTO_RTP;
	op->ssrc = header.ssrc;
	op->data = packet->payload;
	op->auth_length = packet->length;
	op->cipher_offset = header.header_length;
	op->cipher_length = (uint16_t)(packet->length - header.header_length);
	op->rx = &flow->rx;
	op->tx = &flow->tx;
	return RELAY_DROP_NONE;
}

static enum relay_drop
open_rtcp(struct packet *packet, struct srtp_key keys[2])
{
	const struct flow *flow = packet->flow;
	struct crypto_op *op = &packet->op;
	struct srtcp_header header;

	if (!strip_trailer(
		    packet, flow->rtcp_rx.tag_length, RTCP_HEADER_LENGTH + SRTCP_INDEX_LENGTH))
		return RELAY_DROP_RTCP_TRUNCATED;
	enum relay_drop reason = srtcp_parse(packet->payload, packet->length, &header);
	if (reason != RELAY_DROP_NONE)
		return reason;
	if (!header.encrypted)
		return RELAY_DROP_RTCP_UNENCRYPTED;
	if (!mki_matches(packet))
		return RELAY_DROP_MKI_MISMATCH;

	packet->stream = find_stream(flow->state, header.ssrc);
	if (packet->stream != NULL) {
		reason = srtcp_stream_check(packet->stream, header.index);
		if (reason != RELAY_DROP_NONE)
			return reason;
	}
	srtcp_key_expand(&flow->rtcp_rx, &keys[0]);
	srtcp_key_expand(&flow->rtcp_tx, &keys[1]);
	op->kind = CRYPTO_RTCP;
	op->ssrc = header.ssrc;
	op->rx_index = header.index;
	op->data = packet->payload;
	op->auth_length = packet->length;
	op->cipher_offset = RTCP_HEADER_LENGTH;
	op->cipher_length = (uint16_t)(packet->length - RTCP_HEADER_LENGTH - SRTCP_INDEX_LENGTH);
	op->rx = &keys[0];
	op->tx = &keys[1];
	return RELAY_DROP_NONE;
}

enum relay_drop
srtp_flow_open(struct packet *packet, struct srtp_key rtcp_keys[2])
{
	const struct flow *flow = packet->flow;
	bool rtcp_port = packet->local_port % 2 != 0;

	packet->kind = rtp_classify(packet->payload, packet->length);
	packet->rtcp = packet->kind == MEDIA_RTCP;
	if (packet->kind == MEDIA_OTHER)
		return RELAY_DROP_NOT_RTP;
	if (packet->rtcp && !rtcp_port && !flow->rx_mux)
		return RELAY_DROP_RTCP_NOT_MUXED;
	if (!packet->rtcp && rtcp_port)
		return RELAY_DROP_RTP_ON_RTCP_PORT;
	if (!flow->ready)
		return RELAY_DROP_LEG_NOT_READY;

	follow_keys(flow, flow->state);
	return packet->rtcp ? open_rtcp(packet, rtcp_keys) : open_rtp(packet);
}

/* The stream of a genuine packet whose SSRC is new: the state's own place first. */
static struct srtp_stream *
add_stream(struct flow_state *state, uint32_t ssrc, struct rte_mempool *streams,
	enum relay_drop *reason)
{
	struct srtp_stream *stream = &state->stream;

	if (state->streams > 0) {
		void *object;
		*reason = RELAY_DROP_SSRC_LIMIT;
		if (state->streams >= FLOW_SSRC_MAX)
			return NULL;
		*reason = RELAY_DROP_NO_MEMORY;
		if (rte_mempool_get(streams, &object) != 0)
			return NULL;
		stream = object;
	}
	srtp_stream_init(stream, ssrc);
	if (stream != &state->stream) {
		stream->next = state->stream.next;
		state->stream.next = stream;
	}
	state->streams++;
	return stream;
}

/* The index to transmit with: the receive index, shifted by whole ROCs where the two legs' keys
 * began at different times. Only ever a fresh one. */
static enum relay_drop
choose_tx_index(struct packet *packet)
{
	struct srtp_stream *stream = packet->stream;
	uint64_t index = packet->op.rx_index;

	if (stream->tx_restart) {
		/* the lowest ROC that puts this packet past all that was sent under the key */
		uint64_t roc = stream->rtp_tx_floor >> 16;
		if ((index & 0xffff) < (stream->rtp_tx_floor & 0xffff))
			roc++;
		stream->tx_roc_offset = (uint32_t)((index >> 16) - roc);
		stream->tx_restart = 0;
	}
	uint64_t tx_index = tx_index_of(stream, index);
	if (tx_index < stream->rtp_tx_floor || tx_index > RTP_INDEX_MAX)
		return RELAY_DROP_TOO_OLD;
	packet->op.tx_index = tx_index;
	return RELAY_DROP_NONE;
}

static enum relay_drop
accept_rtp(struct packet *packet)
{
	struct flow_state *state = packet->flow->state;
	/* an earlier packet of this batch may have been the same one */
	enum relay_drop reason = srtp_stream_check(packet->stream, packet->op.rx_index);

	if (reason == RELAY_DROP_NONE)
		reason = choose_tx_index(packet);
	if (reason != RELAY_DROP_NONE)
		return reason;
	srtp_stream_accept(packet->stream, packet->op.rx_index);
	state->rx_key_packets++;
	state->tx_key_packets++;
	counter_add(&state->packets_in, 1);
	counter_add(&state->bytes_in, packet->length);
	return RELAY_DROP_NONE;
}

/* The SRTCP index is under the tag, so it is written before transcrypt(). */
static void
write_srtcp_index(struct packet *packet)
{
	uint32_t word = SRTCP_E_FLAG | (uint32_t)packet->op.tx_index;
	uint8_t *place = packet->payload + packet->length - SRTCP_INDEX_LENGTH;

	place[0] = (uint8_t)(word >> 24);
	place[1] = (uint8_t)(word >> 16);
	place[2] = (uint8_t)(word >> 8);
	place[3] = (uint8_t)word;
}

static enum relay_drop
accept_rtcp(struct packet *packet)
{
	struct flow_state *state = packet->flow->state;
	enum relay_drop reason = srtcp_stream_check(packet->stream, (uint32_t)packet->op.rx_index);

	if (reason != RELAY_DROP_NONE)
		return reason;
	if (state->rtcp_tx_index >= SRTCP_INDEX_MAX ||
		state->rtcp_tx_index >= packet->flow->tx_lifetime)
		return RELAY_DROP_KEY_EXPIRED;
	srtcp_stream_accept(packet->stream, (uint32_t)packet->op.rx_index);
	packet->op.tx_index = ++state->rtcp_tx_index;
	write_srtcp_index(packet);
	counter_add(&state->rtcp_in, 1);
	return RELAY_DROP_NONE;
}

enum relay_drop
srtp_flow_accept(struct packet *packet, struct rte_mempool *streams)
{
	struct flow_state *state = packet->flow->state;
	enum relay_drop reason = RELAY_DROP_NONE;

	if (packet->stream == NULL)
		packet->stream = find_stream(state, packet->op.ssrc);
	if (packet->stream == NULL)
		packet->stream = add_stream(state, packet->op.ssrc, streams, &reason);
	if (packet->stream == NULL)
		return reason;
	return packet->rtcp ? accept_rtcp(packet) : accept_rtp(packet);
}

bool
srtp_flow_retry(struct packet *packet)
{
	if (packet->rtcp || packet->stream != NULL)
		return false;
	packet->stream = find_stream(packet->flow->state, packet->op.ssrc);
	if (packet->stream == NULL)
		return false;
	uint64_t tried = packet->op.rx_index;
	packet->op.rx_index = srtp_stream_estimate(packet->stream, (uint16_t)tried);
	return packet->op.rx_index != tried;
}

void
srtp_flow_seal(struct packet *packet)
{
	const struct flow *flow = packet->flow;
	uint8_t *end = packet->payload + packet->length;
	unsigned tag_length = packet->op.tx->tag_length;

	if (flow->tx_mki_length > 0)
		memcpy(end, flow->mki->tx, flow->tx_mki_length);
	memcpy(end + flow->tx_mki_length, packet->op.tag, tag_length);
	packet->length = (uint16_t)(packet->length + flow->tx_mki_length + tag_length);
}

void
srtp_flow_state_release(struct flow_state *state, struct rte_mempool *streams)
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
