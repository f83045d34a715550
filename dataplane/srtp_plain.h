/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Most packets of most calls: RTP without CSRCs and extension, under AES-CM keys on both legs and
 * without MKI, of the one SSRC of its flow, in order, from where the far end is known to be, and
 * nothing was signalled lately. For those srtp_flow.h's steps are few, and here they are in one
 * piece. What is anything else is left as it was, and goes the long way, which tells why if it is
 * refused: nothing is refused here.
 */
#ifndef DATAPLANE_SRTP_PLAIN_H
#define DATAPLANE_SRTP_PLAIN_H

#include "srtp_flow.h"

/* As srtp_flow_open(). False: not such a packet. Owning worker. */
bool srtp_plain_open(struct packet *packet, uint32_t now);

/* As srtp_flow_accept(), with the source checked and noted as heard, for a genuine packet that
 * srtp_plain_open() took. False: go the long way. Owning worker. */
bool srtp_plain_accept(struct packet *packet, uint32_t now, uint64_t now_tsc);

/* As srtp_flow_seal(), for a packet that srtp_plain_open() took. */
static inline void
srtp_plain_seal(struct packet *packet)
{
	uint8_t *end = packet->payload + packet->length;
	unsigned length = packet->op.tx->tag_length;

	/* in two or three moves; a copy of a length that is not constant is a call */
	if (length == 10)
		__builtin_memcpy(end, packet->op.tag, 10);
	else
		__builtin_memcpy(end, packet->op.tag, length);
	packet->length = (uint16_t)(packet->length + length);
}

#endif
