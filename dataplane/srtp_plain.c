/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_plain.h"

#include "quality.h"
#include "srtp_budget.h"
#include "srtp_flow_private.h"

#include <rte_byteorder.h>
#include <string.h>

#define RTP_FIXED 12 /* bytes, RFC 3550 5.1 */
#define RTP_INDEX_MAX ((UINT64_C(1) << 48) - 1)
#define WORD 64 /* bits of the replay window's */

/* Version 2, any padding bit, no extension, no CSRC; and no packet type of RTCP's (RFC 5761 4),
 * which are 192 to 223. */
static inline bool
has_plain_header(const uint8_t *rtp)
{
	return (rtp[0] & 0xdf) == 0x80 && (rtp[1] & 0xe0) != 0xc0;
}

/* RFC 3711 9.2: neither key can be used up yet, whatever its lifetime. */
static inline bool
keys_last(const struct flow_state *state)
{
	return counter_read(&state->rx_key_packets) < BRIDGE_PLAIN_PACKETS &&
	       counter_read(&state->tx_key_packets) < BRIDGE_PLAIN_PACKETS;
}

static inline uint32_t
read_32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return rte_be_to_cpu_32(word);
}

/* The flow has nothing special, in the bridge or in its own state; and was heard just now. */
static inline bool
is_calm(const struct flow_state *state, const struct bridge *bridge, unsigned leg, uint32_t now)
{
	return state->followed == bridge->follow[leg].all && srtp_budget_full(state) &&
	       now - counter_read_32(&state->last_ms) <= SRTP_SILENCE_MS;
}

bool
srtp_plain_open(struct packet *packet, uint32_t now)
{
	const struct bridge *bridge = packet->bridge;
	struct flow_state *state = state_of(packet);
	const struct srtp_key *rx = bridge->rx[packet->leg], *tx = bridge->tx[1 - packet->leg];
	struct srtp_stream *stream = &state->stream;
	const uint8_t *rtp = packet->payload;
	struct crypto_op *op = &packet->op;

	packet->plain = 0;
	if (!is_calm(state, bridge, packet->leg, now) || packet->local_port % 2 != 0 ||
		packet->length < RTP_FIXED + rx->tag_length || !has_plain_header(rtp) ||
		!keys_last(state))
		return false;
	uint32_t ssrc = read_32(rtp + 8);
	if (ssrc != stream->ssrc || !stream->rtp_started || stream->epoch != state->rx_epoch)
		return false;
	uint64_t index = srtp_stream_estimate(stream, (uint16_t)(read_32(rtp) & 0xffff));
	if (index <= stream->rtp_highest)
		return false;

	uint16_t length = (uint16_t)(packet->length - rx->tag_length);
	packet->plain = 1;
	packet->rtcp = 0;
	packet->attempt = 0;
	packet->recovered = 0;
	packet->uncertain = 0;
	packet->wire_length = packet->length;
	packet->length = length;
	packet->rx_epoch = state->rx_epoch;
	packet->payload_type = rtp[1] & 0x7f;
	packet->timestamp = read_32(rtp + 4);
	packet->key = rx;
	packet->stream = stream;
	packet->from_source = endpoint_equal(&bridge->leg[packet->leg].remote[0], &packet->source);
	op->kind = CRYPTO_RTP;
	op->opened = false;
	op->ssrc = ssrc;
	op->rx_index = index;
	op->data = packet->payload;
	op->length = length;
	op->cipher_offset = RTP_FIXED;
	op->cipher_length = (uint16_t)(length - RTP_FIXED);
	op->rx = rx;
	op->tx = tx;
	/* the rest of the tag's room is not looked at */
	if (rx->tag_length == 10)
		memcpy(op->tag, rtp + length, 10);
	else
		memcpy(op->tag, rtp + length, rx->tag_length);
	return true;
}

/* RFC 3711 3.3.2, for an index that is `by` above the highest one, and less than a word. */
static inline void
advance(struct srtp_stream *stream, uint64_t index, uint64_t by)
{
	stream->rtp_window[1] = stream->rtp_window[1] << by | stream->rtp_window[0] >> (WORD - by);
	stream->rtp_window[0] = stream->rtp_window[0] << by | 1;
	stream->rtp_highest = index;
}

bool
srtp_plain_accept(struct packet *packet, uint32_t now, uint64_t now_tsc)
{
	struct flow_state *state = state_of(packet);
	struct srtp_stream *stream = packet->stream;
	uint64_t index = packet->op.rx_index, by = index - stream->rtp_highest;

	/* an earlier packet of the batch may have changed all of this; by: 1 to 63 */
	if (!packet->from_source || packet->recovered || packet->stream != &state->stream ||
		state->followed != packet->bridge->follow[packet->leg].all ||
		stream->ssrc != packet->op.ssrc || stream->epoch != state->rx_epoch ||
		stream->tx_restart || by - 1 >= WORD - 1)
		return false;
	uint64_t tx_index = index + stream->tx_base;
	if (tx_index > RTP_INDEX_MAX)
		return false;
	packet->op.tx_index = tx_index;
	if ((stream->tx_base & 0xffff) != 0) {
		/* the number that goes with the index, where a far end has run back */
		packet->payload[2] = (uint8_t)(tx_index >> 8);
		packet->payload[3] = (uint8_t)tx_index;
	}
	uint64_t run = stream->tx_run + by;
	stream->tx_run = run < UINT32_MAX ? (uint32_t)run : UINT32_MAX;
	advance(stream, index, by);
	counter_add(&state->rx_key_packets, 1);
	counter_add(&state->tx_key_packets, 1);
	counter_add(&state->packets_in, 1);
	counter_add(&state->bytes_in, packet->length);
	atomic_store_explicit(&state->last_ms, now, memory_order_relaxed);
	uint16_t clock = leg_of(packet)->clock;
	if (clock == 0)
		clock = quality_static_clock(packet->payload_type);
	quality_note_rtp(
		&state->quality, packet->op.ssrc, index, packet->timestamp, now_tsc, clock);
	return true;
}
