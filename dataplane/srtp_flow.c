/* SPDX-License-Identifier: BSD-3-Clause */
#include "quality.h"
#include "rtp.h"
#include "srtp_context.h"
#include "srtp_flow_private.h"
#include "srtp_trailer.h"

#define SRTCP_E_FLAG 0x80000000u
#define SRTCP_INDEX_MAX 0x7fffffffu

static void
note_rtp(struct packet *packet, uint64_t now_tsc)
{
	struct flow_state *state = state_of(packet);
	uint16_t clock = leg_of(packet)->clock;

	if (clock == 0)
		clock = quality_static_clock(packet->payload_type);
	quality_note_rtp(&state->quality, packet->op.ssrc, packet->op.rx_index, packet->timestamp,
		now_tsc, clock);
	state->recovering = 0;
	counter_add(&state->packets_in, 1);
	counter_add(&state->bytes_in, packet->length);
}

#define RESTART_BEHIND 3000 /* packets: RFC 3550 A.1 MAX_DROPOUT */

/* Has a far end in clear begun its sequence anew, under the same SSRC? One that sends SRTP can't:
 * it would use its keystream twice. */
static bool
began_anew(const struct packet *packet)
{
	const struct srtp_stream *stream = packet->stream;

	if (packet->recovered)
		return true;
	return packet->key == NULL && stream->rtp_started &&
	       packet->op.rx_index + RESTART_BEHIND < stream->rtp_highest;
}

/* An SSRC that is new to us may have been heard, and sent on by its own index, by an earlier life
 * of the relay: it goes on so. */
static bool
may_be_known(const struct packet *packet)
{
	const struct srtp_stream *stream = packet->stream;

	return (packet->bridge->restored >> packet->leg & 1) != 0 && !stream->rtp_started &&
	       stream->tx_restart == SRTP_TX_FOLLOWS;
}

/* After a restart of the relay an SSRC goes on where it was told to be, or what the earlier life
 * sent is not known: nothing more is sent under that key (RFC 3711 9.2), and a new one is asked
 * for. */
static bool
retire_key(const struct packet *packet)
{
	const struct srtp_key *tx = packet->bridge->tx[1 - packet->leg];

	if (!packet->recovered || packet->stream->tx_restart != SRTP_TX_RESTORED || tx == NULL)
		return false;
	atomic_store_explicit(
		&state_of(packet)->tx_key_packets, tx->lifetime, memory_order_relaxed);
	return true;
}

/* Where a key is on either side, an index is good once. */
static enum relay_drop
choose_index(struct packet *packet)
{
	if (retire_key(packet))
		return RELAY_DROP_KEY_EXPIRED;
	if (began_anew(packet) && !may_be_known(packet))
		srtp_context_restart(packet->stream);
	/* an earlier packet of this batch may have been the same one */
	enum relay_drop reason = srtp_stream_check(packet->stream, packet->op.rx_index);
	if (reason == RELAY_DROP_NONE)
		reason = srtp_context_choose_tx(packet);
	if (reason != RELAY_DROP_NONE)
		return reason;
	/* the number that goes with the index: the same, but where a far end has run back */
	packet->payload[2] = (uint8_t)(packet->op.tx_index >> 8);
	packet->payload[3] = (uint8_t)packet->op.tx_index;
	return RELAY_DROP_NONE;
}

static enum relay_drop
accept_rtp(struct packet *packet, uint64_t now_tsc)
{
	struct flow_state *state = state_of(packet);

	/* In clear no tag has proved the index, and earlier packets of the batch may have brought
	 * the SSRC, or another round of sequence numbers. */
	if (packet->key == NULL)
		packet->op.rx_index = srtp_open_estimate(packet, (uint16_t)packet->op.rx_index);
	/* from clear to clear all passes: whoever sends it twice could as well send it anew */
	if (packet->key != NULL || packet->op.tx != NULL) {
		enum relay_drop reason = choose_index(packet);
		if (reason != RELAY_DROP_NONE)
			return reason;
	}
	srtp_stream_accept(packet->stream, packet->op.rx_index);
	counter_add(&state->rx_key_packets, 1);
	counter_add(&state->tx_key_packets, 1);
	note_rtp(packet, now_tsc);
	return RELAY_DROP_NONE;
}

static enum relay_drop
accept_rtcp(struct packet *packet)
{
	struct flow_state *state = state_of(packet);
	const struct srtp_key *tx = packet->bridge->tx[1 - packet->leg];
	enum relay_drop reason = RELAY_DROP_NONE;

	if (packet->key != NULL)
		reason = srtcp_stream_check(packet->stream, (uint32_t)packet->op.rx_index);
	if (reason != RELAY_DROP_NONE)
		return reason;
	if (tx != NULL &&
		(state->rtcp_tx_index >= SRTCP_INDEX_MAX || state->rtcp_tx_index >= tx->lifetime))
		return RELAY_DROP_KEY_EXPIRED;
	if (packet->key != NULL)
		srtcp_stream_accept(packet->stream, (uint32_t)packet->op.rx_index);
	counter_add_32(&state->rtcp_in, 1);
	return RELAY_DROP_NONE;
}

enum relay_drop
srtp_flow_accept(struct packet *packet, struct rte_mempool *streams, uint64_t now_tsc)
{
	struct flow_state *state = state_of(packet);
	enum relay_drop reason = RELAY_DROP_NONE;

	if (leg_of(packet)->transport == RELAY_TRANSPORT_UDPTL) {
		counter_add(&state->packets_in, 1);
		counter_add(&state->bytes_in, packet->length);
		return RELAY_DROP_NONE;
	}
	/* here, and not where a context of the batch may be in use */
	if (state->stale && bridge_previous(packet->bridge, packet->leg) == NULL)
		srtp_context_purge(state, streams);
	if (!packet->rtcp || packet->key != NULL) {
		packet->stream = srtp_context_take(packet, streams, &reason);
		if (packet->stream == NULL)
			return reason;
	}
	return packet->rtcp ? accept_rtcp(packet) : accept_rtp(packet, now_tsc);
}

bool
srtp_flow_on_hold(const struct packet *packet)
{
	return !packet->rtcp &&
	       (packet->bridge->leg[1 - packet->leg].flags & RELAY_LEG_NO_SEND) != 0;
}

void
srtp_flow_turn_rtcp(struct packet *packet, uint64_t now_tsc)
{
	struct flow_state *state = state_of(packet);
	const struct srtp_key *tx = packet->bridge->tx[1 - packet->leg];
	struct crypto_op *op = &packet->op;

	quality_note_rtcp(&state->quality, &packet->bridge->state[1 - packet->leg].quality,
		packet->payload, packet->length, now_tsc,
		packet->bridge->leg[1 - packet->leg].clock);
	op->rx = NULL;
	op->tx = NULL;
	if (tx == NULL)
		return;
	bool encrypt = (tx->flags & RELAY_CRYPTO_UNENCRYPTED_SRTCP) == 0;
	srtp_key_derive_rtcp(tx, packet->room);
	op->tx = &packet->room->key;
	op->tx_index = ++state->rtcp_tx_index;
	op->rtcp_word = (encrypt ? SRTCP_E_FLAG : 0) | (uint32_t)op->tx_index;
	op->cipher_offset = encrypt ? RTCP_HEADER_LENGTH : packet->length;
	op->cipher_length = (uint16_t)(packet->length - op->cipher_offset);
}

void
srtp_flow_seal(struct packet *packet)
{
	const struct srtp_key *tx = packet->bridge->tx[1 - packet->leg];

	if (tx != NULL)
		srtp_trailer_put(packet, tx);
}

unsigned
srtp_flow_growth(const struct packet *packet)
{
	const struct srtp_key *tx = packet->bridge->tx[1 - packet->leg];

	if (packet->plain) /* no MKI: the key itself need not be looked at yet */
		return SRTP_TRAILER_MAX;
	return SRTP_TRAILER_MAX + (tx != NULL ? tx->mki_length : 0);
}
