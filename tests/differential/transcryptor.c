/* SPDX-License-Identifier: BSD-3-Clause */
#include "transcryptor.h"

#include "dataplane/rtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDEX_LENGTH 4

/* A packet on its way: its op first, so that the one is found by the other. */
struct work {
	struct crypto_op op;
	struct srtp_key rtcp_keys[2];
	struct media *media;
	struct srtp_stream *stream; /* NULL: the SSRC is new */
};

void
transcryptor_init(struct transcryptor *transcryptor, const struct relay_crypto receive[2],
	const struct relay_crypto transmit[2])
{
	const char *reason = "out of memory";

	memset(transcryptor, 0, sizeof(*transcryptor));
	transcryptor->engine = engine_select("auto", &reason);
	if (transcryptor->engine != NULL)
		transcryptor->state = transcryptor->engine->create();
	for (unsigned leg = 0; leg < 2 && transcryptor->state != NULL; leg++) {
		struct transcryptor_direction *in = &transcryptor->direction[leg];
		struct transcryptor_direction *out = &transcryptor->direction[1 - leg];

		if (srtp_key_derive(&receive[leg], &in->rx, &in->rtcp_rx) == 0 &&
			srtp_key_derive(&transmit[leg], &out->tx, &out->rtcp_tx) == 0)
			continue;
		reason = "keys can't be derived";
		transcryptor->state = NULL;
	}
	if (transcryptor->state == NULL) {
		fprintf(stderr, "transcryptor: %s\n", reason);
		exit(1);
	}
}

void
transcryptor_fini(struct transcryptor *transcryptor)
{
	transcryptor->engine->destroy(transcryptor->state);
}

static struct srtp_stream *
find_stream(struct transcryptor_direction *direction, uint32_t ssrc)
{
	for (unsigned i = 0; i < direction->streams; i++)
		if (direction->stream[i].ssrc == ssrc)
			return &direction->stream[i];
	return NULL;
}

static enum relay_drop
strip_tag(struct work *work, unsigned tag_length, unsigned least)
{
	struct media *media = work->media;

	if (media->length < least + tag_length)
		return media->rtcp ? RELAY_DROP_RTCP_TRUNCATED : RELAY_DROP_RTP_TRUNCATED;
	media->length -= tag_length;
	memcpy(work->op.tag, media->data + media->length, tag_length);
	return RELAY_DROP_NONE;
}

static enum relay_drop
open_rtp(struct work *work, struct transcryptor_direction *direction)
{
	struct media *media = work->media;
	struct crypto_op *op = &work->op;
	struct rtp_header header;
	enum relay_drop drop = strip_tag(work, direction->rx.tag_length, 12);

	if (drop == RELAY_DROP_NONE)
		drop = rtp_parse(media->data, media->length, &header);
	if (drop != RELAY_DROP_NONE)
		return drop;
	op->kind = CRYPTO_RTP;
	op->ssrc = header.ssrc;
	op->cipher_offset = header.header_length;
	op->cipher_length = (uint16_t)(media->length - header.header_length);
	op->rx = &direction->rx;
	op->tx = &direction->tx;
	op->rx_index = header.sequence;
	work->stream = find_stream(direction, header.ssrc);
	if (work->stream == NULL)
		return RELAY_DROP_NONE;
	op->rx_index = srtp_stream_estimate(work->stream, header.sequence);
	return srtp_stream_check(work->stream, op->rx_index);
}

static enum relay_drop
open_rtcp(struct work *work, struct transcryptor_direction *direction)
{
	struct media *media = work->media;
	struct crypto_op *op = &work->op;
	struct srtcp_header header;
	enum relay_drop drop =
		strip_tag(work, direction->rtcp_rx.tag_length, RTCP_HEADER_LENGTH + INDEX_LENGTH);

	if (drop == RELAY_DROP_NONE)
		drop = srtcp_parse(media->data, media->length, &header);
	if (drop != RELAY_DROP_NONE)
		return drop;
	if (!header.encrypted)
		return RELAY_DROP_RTCP_UNENCRYPTED;
	srtcp_key_expand(&direction->rtcp_rx, &work->rtcp_keys[0]);
	srtcp_key_expand(&direction->rtcp_tx, &work->rtcp_keys[1]);
	op->kind = CRYPTO_RTCP;
	op->ssrc = header.ssrc;
	op->cipher_offset = RTCP_HEADER_LENGTH;
	op->cipher_length = (uint16_t)(media->length - RTCP_HEADER_LENGTH - INDEX_LENGTH);
	op->rx = &work->rtcp_keys[0];
	op->tx = &work->rtcp_keys[1];
	op->rx_index = header.index;
	work->stream = find_stream(direction, header.ssrc);
	if (work->stream == NULL)
		return RELAY_DROP_NONE;
	return srtcp_stream_check(work->stream, header.index);
}

static enum relay_drop
accept(struct work *work, struct transcryptor_direction *direction)
{
	struct crypto_op *op = &work->op;
	enum relay_drop drop;
	uint8_t *word = op->data + op->auth_length - INDEX_LENGTH;

	if (work->stream == NULL)
		work->stream = find_stream(direction, op->ssrc);
	if (work->stream == NULL) {
		if (direction->streams == TRANSCRYPTOR_STREAMS)
			return RELAY_DROP_SSRC_LIMIT;
		work->stream = &direction->stream[direction->streams++];
		srtp_stream_init(work->stream, op->ssrc);
	}
	if (op->kind == CRYPTO_RTP) {
		drop = srtp_stream_check(work->stream, op->rx_index);
		if (drop != RELAY_DROP_NONE)
			return drop;
		srtp_stream_accept(work->stream, op->rx_index);
		op->tx_index = op->rx_index;
		return RELAY_DROP_NONE;
	}
	drop = srtcp_stream_check(work->stream, (uint32_t)op->rx_index);
	if (drop != RELAY_DROP_NONE)
		return drop;
	srtcp_stream_accept(work->stream, (uint32_t)op->rx_index);
	op->tx_index = ++direction->rtcp_tx_index; /* the relay's own, RFC 3711 3.4 */
	for (unsigned i = 0; i < INDEX_LENGTH; i++)
		word[i] = (uint8_t)(op->tx_index >> (24 - 8 * i));
	word[0] |= 0x80;
	return RELAY_DROP_NONE;
}

/* A packet of an SSRC that was new when the batch began, and is not any more: its sequence may have
 * wrapped since the stream's first packet. True if it is to be verified with another index. */
static bool
estimate_again(struct work *work, struct transcryptor_direction *direction)
{
	uint64_t tried = work->op.rx_index;

	if (work->stream != NULL || work->op.kind != CRYPTO_RTP)
		return false;
	work->stream = find_stream(direction, work->op.ssrc);
	if (work->stream == NULL)
		return false;
	work->op.rx_index = srtp_stream_estimate(work->stream, (uint16_t)tried);
	return work->op.rx_index != tried;
}

static unsigned
verify_and_accept(struct transcryptor *transcryptor, struct crypto_op **ops, unsigned n,
	struct crypto_op **passed)
{
	unsigned kept = 0;

	transcryptor->engine->verify(transcryptor->state, ops, n);
	for (unsigned i = 0; i < n; i++) {
		struct work *work = (struct work *)(void *)ops[i];
		struct transcryptor_direction *direction =
			&transcryptor->direction[work->media->direction];

		if (!ops[i]->genuine && estimate_again(work, direction))
			transcryptor->engine->verify(transcryptor->state, &ops[i], 1);
		work->media->drop =
			ops[i]->genuine ? accept(work, direction) : RELAY_DROP_AUTH_FAILED;
		if (work->media->drop == RELAY_DROP_NONE)
			passed[kept++] = ops[i];
	}
	return kept;
}

void
transcryptor_run(struct transcryptor *transcryptor, struct media *const media[], unsigned n)
{
	static struct work works[ENGINE_BATCH_MAX];
	struct crypto_op *ops[ENGINE_BATCH_MAX] = {NULL}, *passed[ENGINE_BATCH_MAX];
	unsigned opened = 0, kept;

	for (unsigned i = 0; i < n; i++) {
		struct work *work = &works[opened];
		struct transcryptor_direction *direction =
			&transcryptor->direction[media[i]->direction];

		memset(work, 0, sizeof(*work));
		work->media = media[i];
		media[i]->drop =
			media[i]->rtcp ? open_rtcp(work, direction) : open_rtp(work, direction);
		if (media[i]->drop != RELAY_DROP_NONE)
			continue;
		work->op.data = media[i]->data;
		work->op.auth_length = (uint16_t)media[i]->length;
		ops[opened++] = &work->op;
	}
	kept = verify_and_accept(transcryptor, ops, opened, passed);
	transcryptor->engine->transcrypt(transcryptor->state, passed, kept);
	for (unsigned i = 0; i < kept; i++) {
		struct work *work = (struct work *)(void *)passed[i];

		memcpy(work->media->data + work->media->length, passed[i]->tag,
			passed[i]->tx->tag_length);
		work->media->length += passed[i]->tx->tag_length;
	}
}
