/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one's complement sum of RFC 1071. Sums are of words in memory order, which it does not mind
 * (2 (B)), and not folded: parts are added, then checksum_fold() is called once. Any thread.
 */
#ifndef DATAPLANE_CHECKSUM_H
#define DATAPLANE_CHECKSUM_H

#include <stdint.h>
#include <string.h>

static inline uint64_t
checksum_word(uint64_t word)
{
	return (uint32_t)word + (word >> 32);
}

static inline uint16_t
checksum_fold(uint64_t sum)
{
	/* added to itself with its halves exchanged, the lower half's carry is just what the upper
	 * half has to take */
	sum += sum << 32 | sum >> 32;
	uint32_t half = (uint32_t)(sum >> 32);
	half += half << 16 | half >> 16;
	return (uint16_t)(half >> 16);
}

/* Of a few bytes, from an even place of what is summed on. */
static inline uint64_t
checksum_small(const uint8_t *at, unsigned length)
{
	uint64_t sum = 0, eight;
	uint32_t four;
	uint16_t two;

	for (; length >= sizeof(eight); length -= sizeof(eight), at += sizeof(eight)) {
		memcpy(&eight, at, sizeof(eight));
		sum += checksum_word(eight);
	}
	if (length & 4) {
		memcpy(&four, at, sizeof(four));
		sum += four;
		at += sizeof(four);
	}
	if (length & 2) {
		memcpy(&two, at, sizeof(two));
		sum += two;
		at += sizeof(two);
	}
	return length & 1 ? sum + *at : sum;
}

/* Of a packet's bytes, at most 65,535; by the widest registers that this CPU has. Set before main()
 * begins, then constant. */
extern uint64_t (*checksum_bytes)(const uint8_t *at, unsigned length);

/* What it is chosen from: for tests. The second and third only where the CPU has AVX2, and AVX-512
 * with BW. */
uint64_t checksum_sse2(const uint8_t *at, unsigned length);
uint64_t checksum_avx2(const uint8_t *at, unsigned length);
uint64_t checksum_avx512(const uint8_t *at, unsigned length);

#endif
