/* SPDX-License-Identifier: BSD-3-Clause */
/* What SRTP feeds to its ciphers and hashes, the same for every engine. */
#ifndef DATAPLANE_ENGINE_INPUT_H
#define DATAPLANE_ENGINE_INPUT_H

#include "engine.h"

#include <endian.h>
#include <string.h>

#define AES_CM_IV_LENGTH 16
#define HASH_TAIL_LENGTH 4 /* ROC, or E and SRTCP index */

/* (k_s << 16) XOR (SSRC << 64) XOR (index << 16): RFC 3711 4.1.1, two halves in memory order. The
 * last two bytes, where blocks are counted, are zero. Not by way of an array: its small stores and
 * one large load would stall the CPU. */
static inline void
make_aes_cm_iv(uint64_t half[2], const struct srtp_key *key, uint32_t ssrc, uint64_t index)
{
	uint64_t first, last;

	memcpy(&first, key->salt, sizeof(first));
	memcpy(&last, key->salt + 6, sizeof(last));
	half[0] = first ^ htobe64(ssrc);
	half[1] = last >> 16 ^ htobe64(index << 16);
}
_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "the shift drops the first two of eight bytes");

/* What follows a packet in its HMAC's input: RTP's ROC (RFC 3711 4.2), or SRTCP's index word (3.4),
 * in network order. */
static inline uint32_t
hash_tail(const struct crypto_op *op, uint64_t index)
{
	return htobe32(op->kind == CRYPTO_RTP ? (uint32_t)(index >> 16) : op->rtcp_word);
}

/* Of an AES-CM key's schedule: 10, 12 or 14 rounds (FIPS 197). */
static inline unsigned
aes_cm_rounds(const struct srtp_key *key)
{
	static const uint8_t rounds[RELAY_SUITE_COUNT] = {
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_80] = 10,
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_32] = 10,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_80] = 12,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_32] = 12,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_80] = 14,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_32] = 14,
	};

	return rounds[key->suite];
}

static inline bool
is_aead(const struct srtp_key *key)
{
	return key->suite >= RELAY_SUITE_AEAD_AES_128_GCM;
}

#endif
