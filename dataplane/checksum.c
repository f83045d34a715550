/* SPDX-License-Identifier: BSD-3-Clause */
#include "checksum.h"

#include <emmintrin.h>

uint64_t (*checksum_bytes)(const uint8_t *at, unsigned length) = checksum_sse2;

/* Without a call from anywhere: whoever sums finds it chosen. */
static void __attribute__((constructor)) choose(void)
{
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512bw"))
		checksum_bytes = checksum_avx512;
	else if (__builtin_cpu_supports("avx2"))
		checksum_bytes = checksum_avx2;
}

/* Of 16 bytes: in each half of the register the sum of two 32-bit words. */
static inline __m128i
sum_16(const uint8_t *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);

	return _mm_add_epi64(
		_mm_and_si128(bytes, _mm_set1_epi64x(0xffffffff)), _mm_srli_epi64(bytes, 32));
}

uint64_t
checksum_sse2(const uint8_t *at, unsigned length)
{
	__m128i even = _mm_setzero_si128(), odd = even;

	/* two chains of sums: one would wait for itself */
	for (; length >= 32; length -= 32, at += 32) {
		even = _mm_add_epi64(even, sum_16(at));
		odd = _mm_add_epi64(odd, sum_16(at + 16));
	}
	even = _mm_add_epi64(even, odd);
	return (uint64_t)_mm_cvtsi128_si64(even) +
	       (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(even, even)) +
	       checksum_small(at, length);
}
