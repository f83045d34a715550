/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_trailer.h"

#include <endian.h>
#include <string.h>

#define RTP_LEAST 12 /* bytes: RFC 3550 5.1 */
#define RTCP_LEAST 8
#define INDEX_LENGTH 4

static bool
mki_matches(const struct srtp_key *key, const uint8_t *at)
{
	return key->mki_length == 0 || memcmp(at, srtp_key_mki(key), key->mki_length) == 0;
}

/* The lengths that suites have, each a move or two: the C library takes far longer to find out how
 * to copy ten bytes. */
static inline void
copy(void *to, const void *from, unsigned length)
{
	if (length == 10)
		memcpy(to, from, 10);
	else if (length == 16)
		memcpy(to, from, 16);
	else if (length == 4)
		memcpy(to, from, 4);
	else
		memcpy(to, from, length);
}

enum relay_drop
srtp_trailer_strip_rtp(struct packet *packet)
{
	const struct srtp_key *key = packet->key;

	if (key == NULL)
		return packet->length < RTP_LEAST ? RELAY_DROP_RTP_TRUNCATED : RELAY_DROP_NONE;
	unsigned trailer = (unsigned)key->tag_length + key->mki_length;
	if (packet->length < RTP_LEAST + trailer)
		return RELAY_DROP_RTP_TRUNCATED;
	packet->length = (uint16_t)(packet->length - trailer);
	const uint8_t *end = packet->payload + packet->length;
	const uint8_t *tag = srtp_key_is_aead(key) ? end : end + key->mki_length;
	const uint8_t *mki = srtp_key_is_aead(key) ? end + key->tag_length : end;
	if (!mki_matches(key, mki))
		return RELAY_DROP_MKI_MISMATCH;
	copy(packet->op.tag, tag, key->tag_length);
	return RELAY_DROP_NONE;
}

/* SRTCP's tag is as long for every HMAC-SHA1 suite (RFC 4568 6.2.2). */
static unsigned
rtcp_tag_length(const struct srtp_key *key)
{
	return srtp_key_is_aead(key) ? 16 : 10;
}

enum relay_drop
srtp_trailer_strip_rtcp(struct packet *packet, uint32_t *word)
{
	const struct srtp_key *key = packet->key;

	if (key == NULL)
		return packet->length < RTCP_LEAST ? RELAY_DROP_RTCP_TRUNCATED : RELAY_DROP_NONE;
	unsigned tag_length = rtcp_tag_length(key);
	unsigned trailer = tag_length + INDEX_LENGTH + key->mki_length;
	if (packet->length < RTCP_LEAST + trailer)
		return RELAY_DROP_RTCP_TRUNCATED;
	packet->length = (uint16_t)(packet->length - trailer);
	const uint8_t *end = packet->payload + packet->length;
	const uint8_t *index = srtp_key_is_aead(key) ? end + tag_length : end;
	const uint8_t *mki = index + INDEX_LENGTH;
	const uint8_t *tag = srtp_key_is_aead(key) ? end : mki + key->mki_length;
	if (!mki_matches(key, mki))
		return RELAY_DROP_MKI_MISMATCH;
	copy(packet->op.tag, tag, tag_length);
	memcpy(word, index, sizeof(*word));
	*word = be32toh(*word);
	return RELAY_DROP_NONE;
}

static uint8_t *
append(uint8_t *at, const void *bytes, unsigned length)
{
	copy(at, bytes, length);
	return at + length;
}

void
srtp_trailer_put(struct packet *packet, const struct srtp_key *tx)
{
	uint8_t *at = packet->payload + packet->length;
	unsigned tag_length = packet->rtcp ? rtcp_tag_length(tx) : tx->tag_length;
	uint32_t word = htobe32(packet->op.rtcp_word);

	if (srtp_key_is_aead(tx))
		at = append(at, packet->op.tag, tag_length);
	if (packet->rtcp)
		at = append(at, &word, sizeof(word));
	if (tx->mki_length > 0)
		at = append(at, srtp_key_mki(tx), tx->mki_length);
	if (!srtp_key_is_aead(tx))
		at = append(at, packet->op.tag, tag_length);
	packet->length = (uint16_t)(at - packet->payload);
}
