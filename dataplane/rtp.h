/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading RTP and RTCP headers: by length, never past it. */
#ifndef DATAPLANE_RTP_H
#define DATAPLANE_RTP_H

#include "relay/drop.h"

#include <stdint.h>

enum media_kind { MEDIA_RTP, MEDIA_RTCP, MEDIA_OTHER };

/* What a datagram on a media port is, by its first two bytes: RFC 7983 for other than RTP, RFC 5761
 * section 4 for RTP against RTCP. Shorter than 2 bytes: MEDIA_OTHER. */
enum media_kind rtp_classify(const uint8_t *data, unsigned length);

struct rtp_header {
	uint32_t ssrc;          /* host order */
	uint16_t sequence;      /* host order */
	uint16_t header_length; /* bytes with CSRCs and extension: where the payload starts */
	uint8_t payload_type;
	uint8_t marker;
	uint32_t timestamp;
};

/* Reads the RTP header of RFC 3550 5.1, CSRCs and the extension of 5.3.1 with it, from `length`
 * bytes that exclude the SRTP tag and MKI. Returns RELAY_DROP_NONE or the reason to drop. */
enum relay_drop rtp_parse(const uint8_t *data, unsigned length, struct rtp_header *out);

struct srtcp_header {
	uint32_t ssrc;     /* of the first packet of the compound, host order */
	uint32_t index;    /* SRTCP index, 31 bits */
	uint8_t encrypted; /* E */
};

#define RTCP_HEADER_LENGTH 8 /* bytes in clear at the start of SRTCP: RFC 3711 3.4 */

/* Reads the first header of an RTCP packet of `length` bytes that exclude tag, MKI and the E||index
 * word, which is `word` (RFC 3711 3.4; 0 where it is in clear). Returns RELAY_DROP_NONE or the
 * reason to drop. */
enum relay_drop
srtcp_parse(const uint8_t *data, unsigned length, uint32_t word, struct srtcp_header *out);

#endif
