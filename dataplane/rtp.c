/* SPDX-License-Identifier: BSD-3-Clause */
#include "rtp.h"

#define RTP_FIXED_LENGTH 12      /* bytes, RFC 3550 5.1 */
#define RTP_EXTENSION_LENGTH 4   /* bytes before the extension's words, RFC 3550 5.3.1 */
#define RTCP_TYPE_FIRST 192u     /* RFC 5761 section 4: RTCP's packet types on a muxed port, */
#define RTCP_TYPE_LAST 223u      /* of which 200 to 207 are assigned and sent today */
#define MEDIA_FIRST_BYTE_LOW 128 /* RFC 7983: version 2 in the first two bits */
#define MEDIA_FIRST_BYTE_HIGH 191

/* The bytes of a packet may lie at any address, so they are read one by one; the compiler makes one
 * load and a swap of it. */
static inline uint16_t
read_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
read_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline unsigned
version(const uint8_t *data)
{
	return data[0] >> 6;
}

enum media_kind
rtp_classify(const uint8_t *data, unsigned length)
{
	if (length < 2)
		return MEDIA_OTHER;
	if (data[0] < MEDIA_FIRST_BYTE_LOW || data[0] > MEDIA_FIRST_BYTE_HIGH)
		return MEDIA_OTHER;
	if (data[1] >= RTCP_TYPE_FIRST && data[1] <= RTCP_TYPE_LAST)
		return MEDIA_RTCP;
	return MEDIA_RTP;
}

enum relay_drop
rtp_parse(const uint8_t *data, unsigned length, struct rtp_header *out)
{
	unsigned header = RTP_FIXED_LENGTH;

	if (length < RTP_FIXED_LENGTH)
		return RELAY_DROP_RTP_TRUNCATED;
	if (version(data) != 2)
		return RELAY_DROP_RTP_BAD_VERSION;

	header += 4u * (data[0] & 0x0fu);
	if (header > length)
		return RELAY_DROP_RTP_BAD_CSRC;

	if (data[0] & 0x10u) {
		if (length - header < RTP_EXTENSION_LENGTH)
			return RELAY_DROP_RTP_BAD_EXTENSION;
		header += RTP_EXTENSION_LENGTH + 4u * read_be16(data + header + 2);
		if (header > length || header > UINT16_MAX)
			return RELAY_DROP_RTP_BAD_EXTENSION;
	}
	/* The padding count of 5.1 is in the encrypted part: it is the receiver's to check. */

	out->ssrc = read_be32(data + 8);
	out->sequence = read_be16(data + 2);
	out->header_length = (uint16_t)header;
	out->payload_type = data[1] & 0x7fu;
	out->marker = data[1] >> 7;
	out->timestamp = read_be32(data + 4);
	return RELAY_DROP_NONE;
}

enum relay_drop
srtcp_parse(const uint8_t *data, unsigned length, uint32_t word, struct srtcp_header *out)
{
	if (length < RTCP_HEADER_LENGTH)
		return RELAY_DROP_RTCP_TRUNCATED;
	if (version(data) != 2 || data[1] < RTCP_TYPE_FIRST || data[1] > RTCP_TYPE_LAST)
		return RELAY_DROP_RTCP_BAD_HEADER;
	/* Of the compound (RFC 3550 6.1) only the first packet's length is in clear: it counts
	 * 32-bit words less one, and all of them lie before the index. */
	if (4u * (read_be16(data + 2) + 1u) > length)
		return RELAY_DROP_RTCP_BAD_HEADER;

	out->ssrc = read_be32(data + 4);
	out->index = word & 0x7fffffffu;
	out->encrypted = (uint8_t)(word >> 31);
	return RELAY_DROP_NONE;
}
