/* SPDX-License-Identifier: BSD-3-Clause */
#include "checksum.h"

#include <immintrin.h>

static inline __m256i
sum_32(const uint8_t *at)
{
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)at);

	return _mm256_add_epi64(_mm256_and_si256(bytes, _mm256_set1_epi64x(0xffffffff)),
		_mm256_srli_epi64(bytes, 32));
}

uint64_t
checksum_avx2(const uint8_t *at, unsigned length)
{
	__m256i even = _mm256_setzero_si256(), odd = even;

	for (; length >= 64; length -= 64, at += 64) {
		even = _mm256_add_epi64(even, sum_32(at));
		odd = _mm256_add_epi64(odd, sum_32(at + 32));
	}
	if (length >= 32) {
		even = _mm256_add_epi64(even, sum_32(at));
		at += 32;
		length -= 32;
	}
	even = _mm256_add_epi64(even, odd);
	__m128i half =
		_mm_add_epi64(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1));
	return (uint64_t)_mm_cvtsi128_si64(half) + (uint64_t)_mm_extract_epi64(half, 1) +
	       checksum_small(at, length);
}
