/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of one SSRC in one direction: packet index estimation and replay windows (RFC 3711
 * 3.3.1, 3.3.2). Written and read by the owning worker alone. */
#ifndef DATAPLANE_SRTP_STREAM_H
#define DATAPLANE_SRTP_STREAM_H

#include "relay/drop.h"

#include <stdbool.h>
#include <stdint.h>

#define SRTP_REPLAY_WINDOW 128 /* packets; RFC 3711 3.3.2 asks for 64 at least */
#define SRTCP_REPLAY_WINDOW 64
#define SRTP_SEQUENCE_HALF 0x8000u /* half the numbers: nearer one way than the other */

/* What the index is that a packet is sent with. */
enum srtp_tx {
	SRTP_TX_FOLLOWS = 0,  /* the received one and tx_base */
	SRTP_TX_ANEW = 1,     /* chosen anew at the next packet, from tx_base on */
	SRTP_TX_RESTORED = 2, /* as FOLLOWS; but more has been sent than rtp_highest tells: an
	                         earlier life of the relay did, since it last told its state */
};

struct srtp_stream {
	uint32_t ssrc;
	uint8_t rtp_started; /* a genuine RTP packet has been seen */
	uint8_t rtcp_started;
	uint8_t tx_restart;                           /* enum srtp_tx */
	uint8_t epoch;                                /* of the receive key that it belongs to */
	uint64_t rtp_highest;                         /* highest genuine packet index: ROC || s_l */
	uint64_t rtp_window[SRTP_REPLAY_WINDOW / 64]; /* bit i of the 128: highest - i was seen */
	uint64_t rtcp_window;
	uint32_t rtcp_highest; /* highest genuine SRTCP index */
	uint32_t tx_run;  /* how far below rtp_highest a packet may still be transmitted: what lies
			     further belongs to before a restart */
	uint64_t tx_base; /* what is added to a receive index to transmit with, modulo 2^64; with
			     SRTP_TX_ANEW, the lowest index that may be transmitted */
	struct srtp_stream *next; /* further contexts of the same direction */
};
_Static_assert(sizeof(struct srtp_stream) == 64, "one cache line");

void srtp_stream_init(struct srtp_stream *stream, uint32_t ssrc);

/* The 48-bit index of a packet with this sequence number: RFC 3711 3.3.1 and appendix A. Before
 * the first genuine packet ROC is 0. Never below 0: a sequence "before" ROC 0 stays in ROC 0. */
static inline uint64_t
srtp_stream_estimate(const struct srtp_stream *stream, uint16_t sequence)
{
	uint32_t roc, last;

	if (!stream->rtp_started)
		return sequence;

	roc = (uint32_t)(stream->rtp_highest >> 16);
	last = (uint16_t)stream->rtp_highest;
	if (last < SRTP_SEQUENCE_HALF) {
		/* There is no rollover before the first: a sequence far ahead in ROC 0 is ahead. */
		if (sequence > last + SRTP_SEQUENCE_HALF && roc > 0)
			roc--;
	} else if (sequence < last - SRTP_SEQUENCE_HALF) {
		/* Modulo 2^32: past the last index of a key this is index 0, which the replay
		 * window refuses. */
		roc++;
	}
	return (uint64_t)roc << 16 | sequence;
}

/* Is this index new? RELAY_DROP_NONE, _REPLAYED or _TOO_OLD. Changes nothing. */
enum relay_drop srtp_stream_check(const struct srtp_stream *stream, uint64_t index);

/* Notes a genuine packet. Only after srtp_stream_check() said NONE in the same state. */
void srtp_stream_accept(struct srtp_stream *stream, uint64_t index);

/* The same for SRTCP and its 31-bit index, which is in the packet. */
enum relay_drop srtcp_stream_check(const struct srtp_stream *stream, uint32_t index);
void srtcp_stream_accept(struct srtp_stream *stream, uint32_t index);

#endif
