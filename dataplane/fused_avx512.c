/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fused kernels on AVX-512 and VAES.
 *
 * HMAC: a register holds one 32-bit word of sixteen packets' SHA-1 states, so that each step of
 * SHA-1 (FIPS 180-4 6.1) is one instruction for all. Blocks are loaded whole, turned to words by a
 * 16 x 16 transposition, and padded in registers: what follows a packet in memory is neither read
 * nor written, so no load waits for a store.
 *
 * AES-CM: four blocks to a register, the two key schedules in turn, which hides the latency of each
 * behind the other; then one three-way XOR into the packet.
 */
#include "fused.h"

#include "engine_input.h"

#include <cpuid.h>
#include <immintrin.h>

#define LANES 16 /* of a group: the words of a register */
#define GROUPS 2 /* at most, in turn: each hides the latency of the other */

bool
fused_avx512_usable(void)
{
	unsigned a, b, c = 0, d;

	/* these ask the operating system's consent too */
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi2") &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (c & bit_VAES) != 0;
}

#define ROTATE(x, n) _mm512_rol_epi32(x, n)
#define CHOOSE(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0xca)
#define PARITY(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0x96)
#define MAJORITY(b, c, d) _mm512_ternarylogic_epi32(b, c, d, 0xe8)

/* W[t] of the message schedule, in place of W[t - 16]. */
#define SCHEDULE(w, t)                                                                             \
	((w)[(t) % 16] = ROTATE(_mm512_xor_si512(PARITY((w)[((t) + 13) % 16], (w)[((t) + 8) % 16], \
							 (w)[((t) + 2) % 16]),                     \
					(w)[(t) % 16]),                                            \
		 1))

/* What waits longest, the last round's result, is added last. The compiler would sort a sum's terms
 * otherwise, and each round would wait twice as long for the one before. */
#define KEEP_ORDER(x) __asm__("" : "+v"(x))

/* Round t of each group of lanes; instead of moving the five words, the next round names them
 * otherwise. */
#define ROUND(F, a, b, c, d, e, k, t)                                         \
	for (unsigned g = 0; g < groups; g++) {                               \
		__m512i *x = v[g];                                            \
		__m512i word = (t) < 16 ? w[g][(t) % 16] : SCHEDULE(w[g], t); \
		x[e] = _mm512_add_epi32(x[e], _mm512_add_epi32(word, k));     \
		x[e] = _mm512_add_epi32(x[e], F(x[b], x[c], x[d]));           \
		KEEP_ORDER(x[e]);                                             \
		x[e] = _mm512_add_epi32(x[e], ROTATE(x[a], 5));               \
		x[b] = ROTATE(x[b], 30);                                      \
	}

#define FIVE_ROUNDS(F, k, t)                \
	ROUND(F, 0, 1, 2, 3, 4, k, (t))     \
	ROUND(F, 4, 0, 1, 2, 3, k, (t) + 1) \
	ROUND(F, 3, 4, 0, 1, 2, k, (t) + 2) \
	ROUND(F, 2, 3, 4, 0, 1, k, (t) + 3) \
	ROUND(F, 1, 2, 3, 4, 0, k, (t) + 4)

#define TWENTY_ROUNDS(F, constant, t)                                 \
	do {                                                          \
		const __m512i k = _mm512_set1_epi32((int)(constant)); \
		FIVE_ROUNDS(F, k, (t))                                \
		FIVE_ROUNDS(F, k, (t) + 5)                            \
		FIVE_ROUNDS(F, k, (t) + 10)                           \
		FIVE_ROUNDS(F, k, (t) + 15)                           \
	} while (0)

/* SHA-1's compression of one block a lane, for the lanes of each group's mask. w[] is used up.
 * `groups` is a constant where this is inlined. */
static inline __attribute__((always_inline)) void
compress(__m512i state[][5], __m512i w[][16], const __mmask16 lanes[], unsigned groups)
{
	__m512i v[GROUPS][5];

	for (unsigned g = 0; g < groups; g++)
		for (unsigned i = 0; i < 5; i++)
			v[g][i] = state[g][i];
	TWENTY_ROUNDS(CHOOSE, 0x5a827999, 0);
	TWENTY_ROUNDS(PARITY, 0x6ed9eba1, 20);
	TWENTY_ROUNDS(MAJORITY, 0x8f1bbcdc, 40);
	TWENTY_ROUNDS(PARITY, 0xca62c1d6, 60);
	for (unsigned g = 0; g < groups; g++)
		for (unsigned i = 0; i < 5; i++)
			state[g][i] =
				_mm512_mask_add_epi32(state[g][i], lanes[g], state[g][i], v[g][i]);
}

/* From a row a packet to a row a word: r[i] gets word i of each of the sixteen. */
static inline __attribute__((always_inline)) void
transpose(__m512i r[LANES])
{
	__m512i t[LANES];

	for (unsigned i = 0; i < LANES; i += 2) {
		t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
	}
	/* r[i + j]: word j of each quarter of the packets i to i + 3 */
	for (unsigned i = 0; i < LANES; i += 4) {
		r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
		r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
		r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
		r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	for (unsigned j = 0; j < 4; j++) {
		__m512i low02 = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
		__m512i low13 = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
		__m512i high02 = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
		__m512i high13 = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
		t[j] = _mm512_shuffle_i32x4(low02, high02, 0x88);
		t[8 + j] = _mm512_shuffle_i32x4(low02, high02, 0xdd);
		t[4 + j] = _mm512_shuffle_i32x4(low13, high13, 0x88);
		t[12 + j] = _mm512_shuffle_i32x4(low13, high13, 0xdd);
	}
	for (unsigned i = 0; i < LANES; i++)
		r[i] = t[i];
}

/* The inputs of one group. */
struct lanes {
	const uint8_t *data[LANES];
	int length[LANES];    /* of the packet */
	uint64_t tail[LANES]; /* the five bytes after it: index word, 0x80 */
	__m512i bits;         /* length of all the HMAC's inner input */
	__m512i blocks;       /* of it, without the key's */
	unsigned blocks_max;
};

/* A packet's 64 bytes from `at` on, and the tail where they end, zero beyond. */
static inline __attribute__((always_inline)) __m512i
load_block(const struct lanes *lanes, unsigned i, int at)
{
	int left = lanes->length[i] - at;
	const uint8_t *from = lanes->data[i] + at;

	if (__builtin_expect(left >= SHA1_BLOCK, true))
		return _mm512_loadu_si512(from);
	if (left <= -5)
		return _mm512_setzero_si512();
	if (left < 0) /* the tail begins in the block before */
		return _mm512_castsi128_si512(
			_mm_cvtsi64_si128((long long)(lanes->tail[i] >> -left * 8)));
	__m512i tail = _mm512_castsi128_si512(_mm_cvtsi64_si128((long long)lanes->tail[i]));
	return _mm512_or_si512(_mm512_maskz_loadu_epi8((1ULL << left) - 1, from),
		_mm512_maskz_expand_epi8(0x1fULL << left, tail));
}

static inline __attribute__((always_inline)) void
load_lanes(struct lanes *lanes, struct crypto_op *const ops[], unsigned n, bool transmit,
	__m512i inner[5], __m512i outer[5])
{
	__m512i key[LANES];
	uint32_t length[LANES] __attribute__((aligned(64)));

	for (unsigned i = 0; i < LANES; i++) {
		const struct crypto_op *op = ops[i < n ? i : 0];
		const struct srtp_key *k = transmit ? op->tx : op->rx;
		lanes->data[i] = op->data;
		length[i] = op->length;
		lanes->length[i] = op->length;
		lanes->tail[i] =
			hash_tail(op, transmit ? op->tx_index : op->rx_index) | 0x80ULL << 32;
		key[i] = _mm512_load_si512(k);
	}
	transpose(key);
	for (unsigned i = 0; i < 5; i++) {
		inner[i] = key[i];
		outer[i] = key[5 + i];
	}
	__m512i bytes =
		_mm512_add_epi32(_mm512_load_si512(length), _mm512_set1_epi32(HASH_TAIL_LENGTH));
	lanes->bits = _mm512_slli_epi32(_mm512_add_epi32(bytes, _mm512_set1_epi32(SHA1_BLOCK)), 3);
	lanes->blocks = _mm512_srli_epi32(
		_mm512_add_epi32(bytes, _mm512_set1_epi32(SHA1_PADDING + SHA1_BLOCK - 1)), 6);
	lanes->blocks_max = (unsigned)_mm512_reduce_max_epu32(lanes->blocks);
}
_Static_assert(__builtin_offsetof(struct srtp_key, hmac_inner) == 0 &&
		       __builtin_offsetof(struct srtp_key, hmac_outer) == 20,
	"words 0 to 9 of a key are the two states");

/* Gives each lane's words back as bytes. */
static inline __attribute__((always_inline)) void
store_digests(
	const __m512i state[5], unsigned n, const __m512i swap, uint8_t digest[][FUSED_DIGEST])
{
	__m512i low01 = _mm512_unpacklo_epi32(state[0], state[1]);
	__m512i low23 = _mm512_unpacklo_epi32(state[2], state[3]);
	__m512i high01 = _mm512_unpackhi_epi32(state[0], state[1]);
	__m512i high23 = _mm512_unpackhi_epi32(state[2], state[3]);
	/* lanes 0, 4, 8 and 12, then the ones after each */
	__m512i lane[4] = {_mm512_unpacklo_epi64(low01, low23), _mm512_unpackhi_epi64(low01, low23),
		_mm512_unpacklo_epi64(high01, high23), _mm512_unpackhi_epi64(high01, high23)};
	uint8_t all[4][4][FUSED_DIGEST] __attribute__((aligned(64)));

	for (unsigned j = 0; j < 4; j++)
		_mm512_store_si512(all[j], _mm512_shuffle_epi8(lane[j], swap));
	for (unsigned i = 0; i < n; i++)
		_mm_storeu_si128((__m128i *)(void *)digest[i],
			_mm_load_si128((const __m128i *)(const void *)all[i % 4][i / 4]));
}

/* Block `number` of each lane, padded. Returns the lanes that have one. */
static inline __attribute__((always_inline)) __mmask16
load_blocks(const struct lanes *lanes, unsigned number, const __m512i swap, __m512i w[LANES])
{
	const __m512i count = _mm512_set1_epi32((int)number + 1);

	for (unsigned i = 0; i < LANES; i++)
		w[i] = _mm512_shuffle_epi8(load_block(lanes, i, (int)(number * SHA1_BLOCK)), swap);
	transpose(w);
	w[15] = _mm512_mask_mov_epi32(
		w[15], _mm512_cmpeq_epi32_mask(lanes->blocks, count), lanes->bits);
	return _mm512_cmpge_epi32_mask(lanes->blocks, count);
}

/* The block after the inner hash: its result, and the padding. Then state[] is the outer's. */
static inline __attribute__((always_inline)) void
turn_outwards(__m512i state[5], const __m512i outer[5], __m512i w[LANES])
{
	for (unsigned i = 0; i < 5; i++) {
		w[i] = state[i];
		state[i] = outer[i];
	}
	w[5] = _mm512_set1_epi32((int)0x80000000);
	for (unsigned i = 6; i < 15; i++)
		w[i] = _mm512_setzero_si512();
	w[15] = _mm512_set1_epi32(HMAC_OUTER_BITS);
}

static inline __attribute__((always_inline)) void
hmac(struct crypto_op *const ops[], unsigned n, bool transmit, uint8_t digest[][FUSED_DIGEST],
	unsigned groups)
{
	const __m512i swap = _mm512_broadcast_i32x4(
		_mm_set_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203));
	__m512i state[GROUPS][5], outer[GROUPS][5], w[GROUPS][LANES];
	struct lanes lanes[GROUPS];
	unsigned blocks_max = 0;

	for (unsigned g = 0; g < groups; g++) {
		unsigned count = g + 1 < groups ? LANES : n - g * LANES;
		load_lanes(&lanes[g], ops + g * LANES, count, transmit, state[g], outer[g]);
		if (lanes[g].blocks_max > blocks_max)
			blocks_max = lanes[g].blocks_max;
	}
	/* the outer hash is one turn more of the loop: the rounds are code enough for a CPU's cache
	 * to hold once */
	for (unsigned number = 0; number <= blocks_max; number++) {
		__mmask16 mask[GROUPS];
		for (unsigned g = 0; g < groups; g++) {
			mask[g] = 0xffff;
			if (number < blocks_max)
				mask[g] = load_blocks(&lanes[g], number, swap, w[g]);
			else
				turn_outwards(state[g], outer[g], w[g]);
		}
		compress(state, w, mask, groups);
	}
	for (unsigned g = 0; g < groups; g++)
		store_digests(
			state[g], g + 1 < groups ? LANES : n - g * LANES, swap, digest + g * LANES);
}

void
fused_hmac_avx512(
	struct crypto_op *const ops[], unsigned n, bool transmit, uint8_t digest[][FUSED_DIGEST])
{
	if (n > LANES)
		hmac(ops, n, transmit, digest, GROUPS);
	else
		hmac(ops, n, transmit, digest, 1);
}

#define VECTORS 4 /* of 64 bytes, in one go */

/* A keystream's maker. */
struct stream {
	const uint8_t *schedule;
	__m512i iv; /* for blocks 0 to 3 */
	unsigned rounds;
};

static inline __attribute__((always_inline)) __m512i
round_key(const struct stream *stream, unsigned round)
{
	return _mm512_broadcast_i32x4(
		_mm_load_si128((const __m128i *)(const void *)(stream->schedule + 16 * round)));
}

static inline __attribute__((always_inline)) void
open_stream(struct stream *stream, const struct srtp_key *key, const struct crypto_op *op,
	uint64_t index)
{
	/* the block's number, in the last byte of each sixteen */
	const __m512i numbers =
		_mm512_set_epi32(3 << 24, 0, 0, 0, 2 << 24, 0, 0, 0, 1 << 24, 0, 0, 0, 0, 0, 0, 0);
	uint64_t half[2];

	make_aes_cm_iv(half, key, op->ssrc, index);
	stream->schedule = key->schedule;
	stream->rounds = aes_cm_rounds(key);
	stream->iv = _mm512_xor_si512(numbers,
		_mm512_broadcast_i32x4(_mm_set_epi64x((long long)half[1], (long long)half[0])));
}

/* XORs into 64 * (vectors - 1) bytes and those of the mask the keystreams of `streams` keys, from
 * block `first` on, a multiple of 16. `vectors` and `streams` are constants where this is
 * inlined, and so is `rounds` if not 0. */
static inline __attribute__((always_inline)) void
xor_vectors(uint8_t *text, const struct stream *stream, unsigned streams, unsigned rounds,
	unsigned first, unsigned vectors, __mmask64 last)
{
	__m512i x[2][VECTORS];
	const __m512i chunk =
		_mm512_maskz_set1_epi32(0x8888, (int)((first & 0xff) << 24 | (first >> 8) << 16));
	unsigned common = rounds;

	if (rounds == 0)
		common = streams > 1 && stream[1].rounds < stream[0].rounds ? stream[1].rounds
		                                                            : stream[0].rounds;
	for (unsigned s = 0; s < streams; s++)
		for (unsigned v = 0; v < vectors; v++)
			x[s][v] = _mm512_ternarylogic_epi32(
				_mm512_xor_si512(stream[s].iv, round_key(&stream[s], 0)), chunk,
				_mm512_maskz_set1_epi32(0x8888, (int)(4 * v << 24)), 0x96);
#pragma GCC unroll 10
	for (unsigned r = 1; r < common; r++)
		for (unsigned s = 0; s < streams; s++) {
			const __m512i key = round_key(&stream[s], r);
			for (unsigned v = 0; v < vectors; v++)
				x[s][v] = _mm512_aesenc_epi128(x[s][v], key);
		}
	for (unsigned s = 0; s < streams; s++) {
		unsigned total = rounds != 0 ? rounds : stream[s].rounds;
		for (unsigned r = common; r < total; r++)
			for (unsigned v = 0; v < vectors; v++)
				x[s][v] = _mm512_aesenc_epi128(x[s][v], round_key(&stream[s], r));
		for (unsigned v = 0; v < vectors; v++)
			x[s][v] = _mm512_aesenclast_epi128(x[s][v], round_key(&stream[s], total));
	}
	for (unsigned v = 0; v < vectors; v++) {
		const __mmask64 mask = v + 1 < vectors ? ~0ULL : last;
		__m512i t = _mm512_maskz_loadu_epi8(mask, text + 64 * v);
		t = streams > 1 ? _mm512_ternarylogic_epi32(t, x[0][v], x[1][v], 0x96)
		                : _mm512_xor_si512(t, x[0][v]);
		_mm512_mask_storeu_epi8(text + 64 * v, mask, t);
	}
}

static inline __attribute__((always_inline)) void
xor_text(uint8_t *text, unsigned length, const struct stream *stream, unsigned streams,
	unsigned rounds)
{
	unsigned first = 0;

	for (; length > 64 * VECTORS; length -= 64 * VECTORS, text += 64 * VECTORS, first += 16)
		xor_vectors(text, stream, streams, rounds, first, VECTORS, ~0ULL);
	const __mmask64 last = ~0ULL >> (63 - (length - 1) % 64);
	if (length > 192)
		xor_vectors(text, stream, streams, rounds, first, 4, last);
	else if (length > 128)
		xor_vectors(text, stream, streams, rounds, first, 3, last);
	else if (length > 64)
		xor_vectors(text, stream, streams, rounds, first, 2, last);
	else
		xor_vectors(text, stream, streams, rounds, first, 1, last);
}

void
fused_ctr_avx512(struct crypto_op *const ops[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct crypto_op *op = ops[i];
		uint8_t *text = op->data + op->cipher_offset;
		struct stream stream[2];
		unsigned streams = 0;

		if (op->cipher_length == 0)
			continue;
		if (op->rx != NULL)
			open_stream(&stream[streams++], op->rx, op, op->rx_index);
		if (op->tx != NULL)
			open_stream(&stream[streams++], op->tx, op, op->tx_index);
		if (streams == 2 && stream[0].rounds == 10 && stream[1].rounds == 10)
			xor_text(text, op->cipher_length, stream, 2, 10);
		else if (streams == 2)
			xor_text(text, op->cipher_length, stream, 2, 0);
		else if (streams == 1)
			xor_text(text, op->cipher_length, stream, 1, 0);
	}
}
