/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What follows the payload. With HMAC (RFC 3711 3.1, 3.4):
 *
 *   SRTP   payload | MKI | tag          SRTCP  payload | E and index | MKI | tag
 *
 * and with AEAD (RFC 7714 8, 9), whose tag belongs to the ciphertext:
 *
 *   SRTP   payload | tag | MKI          SRTCP  payload | tag | E and index | MKI
 */
#ifndef DATAPLANE_SRTP_TRAILER_H
#define DATAPLANE_SRTP_TRAILER_H

#include "packet.h"
#include "relay/drop.h"

#define SRTP_TRAILER_MAX (SRTP_TAG_MAX + 4) /* bytes, without MKI: tag, and SRTCP's index word */

/* Both take the trailer of packet->key off packet->length (none: in clear), and the tag into
 * packet->op. RELAY_DROP_NONE, RTP_TRUNCATED or RTCP_TRUNCATED, or MKI_MISMATCH. Owning worker. */
enum relay_drop srtp_trailer_strip_rtp(struct packet *packet);
enum relay_drop srtp_trailer_strip_rtcp(struct packet *packet, uint32_t *word);

/* Puts it on again, with the tag (and for RTCP the word) in packet->op, by the transmit key. */
void srtp_trailer_put(struct packet *packet, const struct srtp_key *tx);

#endif
