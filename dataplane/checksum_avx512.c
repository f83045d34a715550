/* SPDX-License-Identifier: BSD-3-Clause */
#include "checksum.h"

#include <immintrin.h>

/* In each 32-bit lane the sum of its two halves, of which as many fit into it as 65,535 bytes
 * have. */
static inline __m512i
sum_lanes(__m512i bytes)
{
	return _mm512_add_epi32(
		_mm512_and_si512(bytes, _mm512_set1_epi32(0xffff)), _mm512_srli_epi32(bytes, 16));
}

uint64_t
checksum_avx512(const uint8_t *at, unsigned length)
{
	__m512i sum = _mm512_setzero_si512();

	if (length == 0)
		return 0;
	for (; length > 64; length -= 64, at += 64)
		sum = _mm512_add_epi32(sum, sum_lanes(_mm512_loadu_si512(at)));
	/* 1 to 64 are left */
	sum = _mm512_add_epi32(sum, sum_lanes(_mm512_maskz_loadu_epi8(~0ULL >> (64 - length), at)));
	return (uint32_t)_mm512_reduce_add_epi32(sum);
}
