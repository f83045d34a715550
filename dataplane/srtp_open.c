/* SPDX-License-Identifier: BSD-3-Clause */
/* The opening of a media packet: what can be refused before any crypto is, by name. */
#include "rtp.h"
#include "srtp_budget.h"
#include "srtp_context.h"
#include "srtp_flow_private.h"
#include "srtp_trailer.h"

#include <string.h>

/* May the relay take it from there? An SRTP leg is moved by tags, later. One in clear has nothing
 * but its address: that of the SDP, or the first port of it that is heard (RTP Bleed). */
static enum relay_drop
check_clear_source(const struct packet *packet)
{
	const struct bridge_leg *leg = leg_of(packet);
	const struct endpoint *known = &leg->remote[packet->local_port % 2];

	if (packet->from_source)
		return RELAY_DROP_NONE;
	if ((leg->flags & RELAY_LEG_LATCH) != 0 && known->family == packet->source.family &&
		memcmp(known->ip, packet->source.ip, sizeof(known->ip)) == 0)
		return RELAY_DROP_NONE;
	return RELAY_DROP_SOURCE_MISMATCH;
}

/* RFC 3550 5.1: the last byte counts the padding, itself included. Known only where it is in
 * clear: else it is the receiver's to check. */
static bool
padding_lies(const struct packet *packet, const struct rtp_header *header)
{
	if ((packet->payload[0] & 0x20) == 0)
		return false;
	unsigned room = packet->length - header->header_length;
	unsigned count = room > 0 ? packet->payload[packet->length - 1] : 0;
	return count == 0 || count > room;
}

uint64_t
srtp_open_estimate(const struct packet *packet, uint16_t sequence)
{
	if (packet->stream != NULL && packet->stream->rtp_started)
		return srtp_stream_estimate(packet->stream, sequence);
	const struct bridge_rare *rare = packet->bridge->rare;
	return rare != NULL ? (uint64_t)rare->roc[packet->leg] << 16 | sequence : sequence;
}

/* With the key in packet->key. */
static enum relay_drop
open_rtp(struct packet *packet)
{
	struct flow_state *state = state_of(packet);
	struct crypto_op *op = &packet->op;
	struct rtp_header header;
	enum relay_drop reason = srtp_trailer_strip_rtp(packet);

	if (reason != RELAY_DROP_NONE)
		return reason;
	if ((reason = rtp_parse(packet->payload, packet->length, &header)) != RELAY_DROP_NONE)
		return reason;
	if (packet->key == NULL && padding_lies(packet, &header))
		return RELAY_DROP_RTP_BAD_PADDING;
	packet->stream = srtp_context_find(state, header.ssrc, packet->rx_epoch);
	packet->payload_type = header.payload_type;
	packet->timestamp = header.timestamp;
	op->rx_index = srtp_open_estimate(packet, header.sequence);
	/* while the ROC may be out of step, a wrong estimate must not be the end */
	if (packet->stream != NULL && packet->key != NULL && !packet->uncertain &&
		(reason = srtp_stream_check(packet->stream, op->rx_index)) != RELAY_DROP_NONE)
		return reason;
	op->kind = CRYPTO_RTP;
	op->ssrc = header.ssrc;
	op->data = packet->payload;
	op->length = packet->length;
	op->cipher_offset = header.header_length;
	op->cipher_length = (uint16_t)(packet->length - header.header_length);
	op->opened = false;
	op->rx = packet->key;
	op->tx = packet->bridge->tx[1 - packet->leg];
	return RELAY_DROP_NONE;
}

static enum relay_drop
check_srtcp(const struct packet *packet, const struct srtcp_header *header)
{
	if (packet->key == NULL)
		return RELAY_DROP_NONE;
	if (!header->encrypted && (packet->key->flags & RELAY_CRYPTO_UNENCRYPTED_SRTCP) == 0)
		return RELAY_DROP_RTCP_UNENCRYPTED;
	return packet->stream != NULL ? srtcp_stream_check(packet->stream, header->index)
	                              : RELAY_DROP_NONE;
}

/* SRTCP goes through the engine twice (engine.h): here it gets the receive key alone. */
static enum relay_drop
open_rtcp(struct packet *packet)
{
	struct crypto_op *op = &packet->op;
	struct srtcp_header header;
	uint32_t word = 0;
	enum relay_drop reason = srtp_trailer_strip_rtcp(packet, &word);

	if (reason != RELAY_DROP_NONE)
		return reason;
	reason = srtcp_parse(packet->payload, packet->length, word, &header);
	if (reason != RELAY_DROP_NONE)
		return reason;
	packet->stream = srtp_context_find(state_of(packet), header.ssrc, packet->rx_epoch);
	if ((reason = check_srtcp(packet, &header)) != RELAY_DROP_NONE)
		return reason;
	if (packet->key != NULL)
		srtp_key_derive_rtcp(packet->key, packet->room);
	bool clear = packet->key == NULL || !header.encrypted;
	op->kind = CRYPTO_RTCP;
	op->ssrc = header.ssrc;
	op->rx_index = header.index;
	op->rtcp_word = word;
	op->data = packet->payload;
	op->length = packet->length;
	op->cipher_offset = clear ? packet->length : RTCP_HEADER_LENGTH;
	op->cipher_length = (uint16_t)(packet->length - op->cipher_offset);
	op->opened = false;
	op->rx = packet->key != NULL ? &packet->room->key : NULL;
	op->tx = NULL;
	return RELAY_DROP_NONE;
}

/* T.38 datagrams pass as they are (ITU-T T.38 annex D). */
static enum relay_drop
open_udptl(struct packet *packet)
{
	struct crypto_op *op = &packet->op;

	if (packet->local_port % 2 != 0)
		return RELAY_DROP_RTP_ON_RTCP_PORT;
	op->kind = CRYPTO_RTP;
	op->data = packet->payload;
	op->length = op->cipher_offset = packet->length;
	op->cipher_length = 0;
	op->opened = false;
	op->rx = op->tx = NULL;
	return RELAY_DROP_NONE;
}

enum relay_drop
srtp_open_with(struct packet *packet, const struct srtp_key *key, uint8_t epoch)
{
	packet->key = key;
	packet->rx_epoch = epoch;
	packet->length = packet->wire_length;
	return packet->rtcp ? open_rtcp(packet) : open_rtp(packet);
}

const struct srtp_key *
srtp_open_previous(const struct packet *packet, uint32_t now)
{
	const struct bridge *bridge = packet->bridge;

	if (bridge->rare == NULL || (int32_t)(bridge->rare->previous_until_ms - now) < 0)
		return NULL;
	return bridge->rare->previous[packet->leg];
}

/* Is either key used up? RFC 3711 9.2: nothing more is sent under it. */
static bool
expired(const struct packet *packet)
{
	const struct flow_state *state = state_of(packet);
	const struct srtp_key *rx = packet->bridge->rx[packet->leg];
	const struct srtp_key *tx = packet->bridge->tx[1 - packet->leg];

	return (rx != NULL && counter_read(&state->rx_key_packets) >= rx->lifetime) ||
	       (tx != NULL && counter_read(&state->tx_key_packets) >= tx->lifetime);
}

static enum relay_drop
check_port(const struct packet *packet)
{
	bool rtcp_port = packet->local_port % 2 != 0;

	if (packet->kind == MEDIA_OTHER)
		return RELAY_DROP_NOT_RTP;
	if (packet->rtcp && !rtcp_port && (leg_of(packet)->flags & RELAY_LEG_RTCP_MUX) == 0)
		return RELAY_DROP_RTCP_NOT_MUXED;
	if (!packet->rtcp && rtcp_port)
		return RELAY_DROP_RTP_ON_RTCP_PORT;
	return RELAY_DROP_NONE;
}

/* What the engine may overwrite and another try needs. */
static void
keep_trailer(struct packet *packet)
{
	unsigned length = packet->wire_length - packet->length;

	packet->trailer_length = (uint8_t)(length < SRTP_TAG_MAX ? length : SRTP_TAG_MAX);
	memcpy(packet->trailer, packet->payload + packet->length, packet->trailer_length);
}

enum relay_drop
srtp_flow_open(struct packet *packet, uint32_t now)
{
	const struct bridge *bridge = packet->bridge;
	const struct bridge_leg *leg = leg_of(packet);
	struct flow_state *state = state_of(packet);
	const struct endpoint *known = &leg->remote[packet->local_port % 2];
	bool udptl = leg->transport == RELAY_TRANSPORT_UDPTL;
	enum relay_drop reason;

	packet->kind = rtp_classify(packet->payload, packet->length);
	packet->rtcp = packet->kind == MEDIA_RTCP && !udptl;
	packet->attempt = 0;
	packet->recovered = 0;
	packet->wire_length = packet->length;
	packet->stream = NULL;
	packet->key = NULL;
	packet->from_source = endpoint_equal(known, &packet->source);
	if (!udptl && (reason = check_port(packet)) != RELAY_DROP_NONE)
		return reason;
	if ((bridge->ready >> packet->leg & 1) == 0)
		return RELAY_DROP_LEG_NOT_READY;

	srtp_context_follow(bridge, packet->leg, state);
	packet->uncertain =
		state->recovering || now - counter_read_32(&state->last_ms) > SRTP_SILENCE_MS;
	if (leg->transport != RELAY_TRANSPORT_SRTP) {
		if ((reason = check_clear_source(packet)) != RELAY_DROP_NONE)
			return reason;
		if (packet->udp_unchecked && !packet_udp_checksum_good(packet))
			return RELAY_DROP_UDP_BAD_CHECKSUM;
	} else if (!srtp_budget_left(state, packet->from_source || known->family == 0, now)) {
		return RELAY_DROP_AUTH_THROTTLED;
	}
	if (udptl)
		return open_udptl(packet);
	if (!packet->rtcp && expired(packet))
		return RELAY_DROP_KEY_EXPIRED;
	reason = srtp_open_with(packet, bridge->rx[packet->leg], state->rx_epoch);
	const struct srtp_key *previous = srtp_open_previous(packet, now);
	if (previous == NULL)
		return reason;
	if (reason == RELAY_DROP_MKI_MISMATCH)
		reason = srtp_open_with(packet, previous, (uint8_t)(state->rx_epoch - 1));
	keep_trailer(packet);
	return reason;
}
