/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_stream.h"

#include <string.h>

_Static_assert(SRTP_REPLAY_WINDOW == 128, "the window is two words here");
_Static_assert(SRTCP_REPLAY_WINDOW == 64, "the window is one word here");

void
srtp_stream_init(struct srtp_stream *stream, uint32_t ssrc)
{
	memset(stream, 0, sizeof(*stream));
	stream->ssrc = ssrc;
}

enum relay_drop
srtp_stream_check(const struct srtp_stream *stream, uint64_t index)
{
	uint64_t age;

	if (!stream->rtp_started || index > stream->rtp_highest)
		return RELAY_DROP_NONE;
	age = stream->rtp_highest - index;
	if (age >= SRTP_REPLAY_WINDOW)
		return RELAY_DROP_TOO_OLD;
	if (stream->rtp_window[age / 64] >> (age % 64) & 1)
		return RELAY_DROP_REPLAYED;
	return RELAY_DROP_NONE;
}

/* Moves every seen packet `by` places further into the past. A shift by a word's width or more has
 * no meaning in C, and by 0 none in the carry: hence the cases. */
static void
window_advance(uint64_t window[2], uint64_t by)
{
	if (by >= 128) {
		window[1] = 0;
		window[0] = 0;
	} else if (by >= 64) {
		window[1] = window[0] << (by - 64);
		window[0] = 0;
	} else if (by > 0) {
		window[1] = window[1] << by | window[0] >> (64 - by);
		window[0] <<= by;
	}
}

void
srtp_stream_accept(struct srtp_stream *stream, uint64_t index)
{
	uint64_t age;

	if (!stream->rtp_started) {
		stream->rtp_started = 1;
		stream->rtp_highest = index;
		stream->rtp_window[0] = 1;
		stream->rtp_window[1] = 0;
		return;
	}
	if (index > stream->rtp_highest) {
		window_advance(stream->rtp_window, index - stream->rtp_highest);
		stream->rtp_window[0] |= 1;
		stream->rtp_highest = index;
		return;
	}
	age = stream->rtp_highest - index;
	if (age < SRTP_REPLAY_WINDOW)
		stream->rtp_window[age / 64] |= UINT64_C(1) << (age % 64);
}

enum relay_drop
srtcp_stream_check(const struct srtp_stream *stream, uint32_t index)
{
	uint32_t age;

	if (!stream->rtcp_started || index > stream->rtcp_highest)
		return RELAY_DROP_NONE;
	age = stream->rtcp_highest - index;
	if (age >= SRTCP_REPLAY_WINDOW)
		return RELAY_DROP_TOO_OLD;
	if (stream->rtcp_window >> age & 1)
		return RELAY_DROP_REPLAYED;
	return RELAY_DROP_NONE;
}

void
srtcp_stream_accept(struct srtp_stream *stream, uint32_t index)
{
	uint32_t age, by;

	if (!stream->rtcp_started) {
		stream->rtcp_started = 1;
		stream->rtcp_highest = index;
		stream->rtcp_window = 1;
		return;
	}
	if (index > stream->rtcp_highest) {
		by = index - stream->rtcp_highest;
		stream->rtcp_window = by >= 64 ? 0 : stream->rtcp_window << by;
		stream->rtcp_window |= 1;
		stream->rtcp_highest = index;
		return;
	}
	age = stream->rtcp_highest - index;
	if (age < SRTCP_REPLAY_WINDOW)
		stream->rtcp_window |= UINT64_C(1) << age;
}
