/* SPDX-License-Identifier: BSD-3-Clause */
/* What SRTP feeds to its ciphers and hashes, the same for every engine. */
#ifndef DATAPLANE_ENGINE_INPUT_H
#define DATAPLANE_ENGINE_INPUT_H

#include "engine.h"

#include <endian.h>
#include <string.h>

#define AES_CM_IV_LENGTH 16
#define GCM_IV_LENGTH 12
#define HASH_TAIL_LENGTH 4 /* ROC, or E and SRTCP index */
#define SHA1_BLOCK 64
#define SHA1_PADDING 9                          /* bytes at least: 0x80, and 64 bits of length */
#define HMAC_OUTER_BITS ((SHA1_BLOCK + 20) * 8) /* the key's block, and the inner hash */

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

/* AEAD's IV: two zeros, SSRC and index, XOR salt: RFC 7714 8.1 for RTP, 9.1 for RTCP. Two stores,
 * for the same reason. */
static inline void
make_gcm_iv(uint8_t iv[GCM_IV_LENGTH], const struct srtp_key *key, uint32_t ssrc, uint64_t index)
{
	uint64_t first;
	uint32_t last;

	memcpy(&first, key->salt, sizeof(first));
	memcpy(&last, key->salt + 8, sizeof(last));
	first ^= htobe64((uint64_t)ssrc << 16 | index >> 32);
	last ^= htobe32((uint32_t)index);
	memcpy(iv, &first, sizeof(first));
	memcpy(iv + 8, &last, sizeof(last));
}

/* What follows a packet in its HMAC's input: RTP's ROC (RFC 3711 4.2), or SRTCP's index word (3.4),
 * in network order. */
static inline uint32_t
hash_tail(const struct crypto_op *op, uint64_t index)
{
	return htobe32(op->kind == CRYPTO_RTP ? (uint32_t)(index >> 16) : op->rtcp_word);
}

/* Of an AES-CM key, by its suite; 0: AEAD's. */
static inline unsigned
aes_cm_key_bytes(const struct srtp_key *key)
{
	static const uint8_t bytes[RELAY_SUITE_COUNT] = {
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_80] = 16,
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_32] = 16,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_80] = 24,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_32] = 24,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_80] = 32,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_32] = 32,
	};

	return bytes[key->suite];
}

/* Of its schedule: 10, 12 or 14 rounds (FIPS 197). */
static inline unsigned
aes_cm_rounds(const struct srtp_key *key)
{
	return aes_cm_key_bytes(key) / 4 + 6;
}

/* SHA-1's blocks of a packet of so many bytes, in the inner hash and after the key's. */
static inline unsigned
hash_blocks(unsigned length)
{
	return (length + HASH_TAIL_LENGTH + SHA1_PADDING + SHA1_BLOCK - 1) / SHA1_BLOCK;
}

#endif
