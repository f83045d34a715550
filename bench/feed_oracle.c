/* SPDX-License-Identifier: BSD-3-Clause */
/* Is what came back what the other far end ought to hear? By libsrtp2, which shares no code with
 * the relay. An echo ought to give back what was sent. */
#include "feed.h"

#include <srtp2/srtp.h>
#include <string.h>

int
feed_judge_init(void)
{
	return srtp_init() == srtp_err_status_ok ? 0 : -1;
}

#define KEPT 4096 /* receivers, since making one takes far longer than hearing a packet */

/* A receiver of what stream i sends, as the other leg transmits it. */
static srtp_t
make_receiver(uint32_t stream)
{
	struct relay_crypto receive, transmit;
	srtp_policy_t policy;
	uint8_t key[30];
	srtp_t receiver;

	feed_keys(stream, &receive, &transmit);
	memcpy(key, transmit.key, 16);
	memcpy(key + 16, transmit.salt, 14);
	memset(&policy, 0, sizeof(policy));
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = stream;
	policy.key = key;
	return srtp_create(&receiver, &policy) == srtp_err_status_ok ? receiver : NULL;
}

static bool
unprotect(uint32_t stream, uint32_t index, uint8_t *rtp, int *length)
{
	static srtp_t kept[KEPT];
	bool keep = stream < KEPT;
	srtp_t receiver = keep ? kept[stream] : NULL;

	if (receiver == NULL)
		receiver = make_receiver(stream);
	if (receiver == NULL)
		return false;
	if (keep)
		kept[stream] = receiver;
	bool good = srtp_set_stream_roc(receiver, stream, index >> 16) == srtp_err_status_ok &&
	            srtp_unprotect(receiver, rtp, length) == srtp_err_status_ok;
	if (!keep)
		srtp_dealloc(receiver);
	return good;
}

static bool
is_right(const struct feed *feed, uint32_t number, uint8_t *frame)
{
	const struct feed_packet *packet = &feed->packet[number];
	uint8_t *rtp = frame + WIRE_HEADERS;
	int length = packet->length - WIRE_HEADERS;

	if (!unprotect(packet->stream, packet->index, rtp, &length) ||
		length != FEED_RTP_HEADER + packet->payload)
		return false;
	for (unsigned i = 0; i < packet->payload; i++)
		if (rtp[FEED_RTP_HEADER + i] != feed_fill_byte(number))
			return false;
	return true;
}

uint32_t
feed_judge(const struct feed *feed, uint32_t samples)
{
	uint32_t bad = 0;

	for (uint32_t i = 0; i < samples; i++)
		if (!is_right(feed, feed->sample_of[i], feed->sample + (size_t)i * FEED_FRAME_MAX))
			bad++;
	return bad;
}

uint32_t
feed_compare(const struct feed *feed, uint32_t samples)
{
	uint32_t bad = 0;

	for (uint32_t i = 0; i < samples; i++) {
		const struct feed_packet *packet = &feed->packet[feed->sample_of[i]];
		if (memcmp(feed->sample + (size_t)i * FEED_FRAME_MAX + WIRE_HEADERS,
			    feed_frame(feed, packet) + WIRE_HEADERS,
			    packet->length - WIRE_HEADERS) != 0)
			bad++;
	}
	return bad;
}
