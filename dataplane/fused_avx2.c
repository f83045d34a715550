/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fused kernels on AVX2 and AES-NI.
 *
 * HMAC: a register holds one 32-bit word of eight packets' SHA-1 states (FIPS 180-4 6.1).
 * AES-CM: four blocks of each keystream at a time, the two key schedules in turn.
 */
#include "fused.h"

#include "engine_input.h"

#include <immintrin.h>

#define LANES 8

bool
fused_avx2_usable(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("aes");
}

#define ADD(x, y) _mm256_add_epi32(x, y)
#define XOR(x, y) _mm256_xor_si256(x, y)
#define AND(x, y) _mm256_and_si256(x, y)
#define ROTATE(x, n) _mm256_or_si256(_mm256_slli_epi32(x, n), _mm256_srli_epi32(x, 32 - (n)))
#define CHOOSE(b, c, d) XOR(d, AND(b, XOR(c, d)))
#define PARITY(b, c, d) XOR(b, XOR(c, d))
/* the two halves have no bit in common, so a sum will do, and that is two fewer in a row */
#define MAJORITY(b, c, d) ADD(AND(b, c), AND(d, XOR(b, c)))

/* W[t] of the message schedule, in place of W[t - 16]. */
#define SCHEDULE(w, t)                                                              \
	((w)[(t) % 16] = ROTATE(XOR(XOR((w)[((t) + 13) % 16], (w)[((t) + 8) % 16]), \
					XOR((w)[((t) + 2) % 16], (w)[(t) % 16])),   \
		 1))

/* What waits longest, the last round's result, is added last: the compiler would sort a sum's terms
 * otherwise. */
#define KEEP_ORDER(x) __asm__("" : "+x"(x))

/* Round t; instead of moving the five words, the next round names them otherwise. */
#define ROUND(F, a, b, c, d, e, k, w, t)                                  \
	do {                                                              \
		__m256i word = (t) < 16 ? (w)[(t) % 16] : SCHEDULE(w, t); \
		e = ADD(ADD(e, ADD(word, k)), F(b, c, d));                \
		KEEP_ORDER(e);                                            \
		e = ADD(e, ROTATE(a, 5));                                 \
		b = ROTATE(b, 30);                                        \
	} while (0)

#define FIVE_ROUNDS(F, k, w, t)                         \
	do {                                            \
		ROUND(F, a, b, c, d, e, k, w, (t));     \
		ROUND(F, e, a, b, c, d, k, w, (t) + 1); \
		ROUND(F, d, e, a, b, c, k, w, (t) + 2); \
		ROUND(F, c, d, e, a, b, k, w, (t) + 3); \
		ROUND(F, b, c, d, e, a, k, w, (t) + 4); \
	} while (0)

#define TWENTY_ROUNDS(F, constant, w, t)                              \
	do {                                                          \
		const __m256i k = _mm256_set1_epi32((int)(constant)); \
		FIVE_ROUNDS(F, k, w, (t));                            \
		FIVE_ROUNDS(F, k, w, (t) + 5);                        \
		FIVE_ROUNDS(F, k, w, (t) + 10);                       \
		FIVE_ROUNDS(F, k, w, (t) + 15);                       \
	} while (0)

/* SHA-1's compression of one block a lane, for the lanes whose mask is all ones. w[] is used
 * up. */
static inline __attribute__((always_inline)) void
compress(__m256i state[5], __m256i w[16], __m256i lanes)
{
	__m256i a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];

	TWENTY_ROUNDS(CHOOSE, 0x5a827999, w, 0);
	TWENTY_ROUNDS(PARITY, 0x6ed9eba1, w, 20);
	TWENTY_ROUNDS(MAJORITY, 0x8f1bbcdc, w, 40);
	TWENTY_ROUNDS(PARITY, 0xca62c1d6, w, 60);
	state[0] = ADD(state[0], AND(a, lanes));
	state[1] = ADD(state[1], AND(b, lanes));
	state[2] = ADD(state[2], AND(c, lanes));
	state[3] = ADD(state[3], AND(d, lanes));
	state[4] = ADD(state[4], AND(e, lanes));
}

/* From a row a packet to a row a word: r[i] gets word i of each of the eight. */
static inline __attribute__((always_inline)) void
transpose(__m256i r[LANES])
{
	__m256i t[LANES], u[LANES];

	for (unsigned i = 0; i < LANES; i += 2) {
		t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
		t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
	}
	/* u[i + j]: words j and j + 4 of the packets i to i + 3 */
	for (unsigned i = 0; i < LANES; i += 4) {
		u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
		u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
		u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
		u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
	}
	for (unsigned j = 0; j < 4; j++) {
		r[j] = _mm256_permute2x128_si256(u[j], u[4 + j], 0x20);
		r[4 + j] = _mm256_permute2x128_si256(u[j], u[4 + j], 0x31);
	}
}

static inline __attribute__((always_inline)) __m256i
load(const uint8_t *from)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

/* The states of eight keys: words 0 to 4 the inner, 5 to 9 the outer. */
static inline __attribute__((always_inline)) void
load_keys(const struct srtp_key *const key[LANES], __m256i inner[5], __m256i outer[5])
{
	__m256i low[LANES], high[LANES];

	for (unsigned i = 0; i < LANES; i++) {
		low[i] = load((const uint8_t *)key[i]);
		high[i] = load((const uint8_t *)key[i] + 32);
	}
	transpose(low);
	transpose(high);
	for (unsigned i = 0; i < 5; i++)
		inner[i] = low[i];
	for (unsigned i = 0; i < 3; i++)
		outer[i] = low[5 + i];
	outer[3] = high[0];
	outer[4] = high[1];
}
_Static_assert(__builtin_offsetof(struct srtp_key, hmac_inner) == 0 &&
		       __builtin_offsetof(struct srtp_key, hmac_outer) == 20,
	"words 0 to 9 of a key are the two states");

/* SHA-1's blocks of a packet: whole ones in the packet itself, the last one or two beside it, with
 * the index word and the padding. */
struct sha1_blocks {
	const uint8_t *data;
	unsigned whole; /* blocks in the packet */
	unsigned count; /* all blocks */
	uint8_t tail[2 * SHA1_BLOCK] __attribute__((aligned(16)));
};

static inline void
sha1_blocks_set(struct sha1_blocks *blocks, const struct crypto_op *op, bool transmit)
{
	unsigned rest = op->length % SHA1_BLOCK;
	uint32_t word = hash_tail(op, transmit ? op->tx_index : op->rx_index);
	/* the key's block counts too */
	uint64_t bits = htobe64((uint64_t)(op->length + HASH_TAIL_LENGTH + SHA1_BLOCK) * 8);

	blocks->data = op->data;
	blocks->whole = op->length / SHA1_BLOCK;
	blocks->count = hash_blocks(op->length);
	memset(blocks->tail, 0, sizeof(blocks->tail));
	memcpy(blocks->tail, op->data + op->length - rest, rest);
	memcpy(blocks->tail + rest, &word, sizeof(word));
	blocks->tail[rest + HASH_TAIL_LENGTH] = 0x80;
	memcpy(blocks->tail + (size_t)(blocks->count - blocks->whole) * SHA1_BLOCK - sizeof(bits),
		&bits, sizeof(bits));
}

static inline const uint8_t *
sha1_block(const struct sha1_blocks *blocks, unsigned i)
{
	return i < blocks->whole ? blocks->data + (size_t)i * SHA1_BLOCK
	                         : blocks->tail + (size_t)(i - blocks->whole) * SHA1_BLOCK;
}

/* Block `number` of each lane, as words. A lane that has ended gets its last block again. */
static inline __attribute__((always_inline)) void
load_blocks(const struct sha1_blocks blocks[LANES], unsigned number, __m256i w[16])
{
	const __m256i swap =
		_mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));

	for (unsigned half = 0; half < 2; half++) {
		for (unsigned i = 0; i < LANES; i++) {
			unsigned last = blocks[i].count - 1;
			const uint8_t *block =
				sha1_block(&blocks[i], number < last ? number : last);
			w[8 * half + i] = _mm256_shuffle_epi8(load(block + 32 * half), swap);
		}
		transpose(w + 8 * half);
	}
}

void
fused_hmac_avx2(
	struct crypto_op *const ops[], unsigned n, bool transmit, uint8_t digest[][FUSED_DIGEST])
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	struct sha1_blocks blocks[LANES];
	const struct srtp_key *key[LANES];
	__m256i inner[5], outer[5], w[16];
	uint32_t counts[LANES] __attribute__((aligned(32))), most = 0;
	uint32_t words[4][LANES] __attribute__((aligned(32)));

	for (unsigned i = 0; i < LANES; i++) {
		const struct crypto_op *op = ops[i < n ? i : 0];
		key[i] = transmit ? op->tx : op->rx;
		sha1_blocks_set(&blocks[i], op, transmit);
		counts[i] = blocks[i].count;
		most = counts[i] > most ? counts[i] : most;
	}
	load_keys(key, inner, outer);
	for (unsigned number = 0; number < most; number++) {
		load_blocks(blocks, number, w);
		compress(inner, w,
			_mm256_cmpgt_epi32(_mm256_load_si256((const __m256i *)(const void *)counts),
				_mm256_set1_epi32((int)number)));
	}
	for (unsigned i = 0; i < 5; i++)
		w[i] = inner[i];
	w[5] = _mm256_set1_epi32((int)0x80000000);
	for (unsigned i = 6; i < 15; i++)
		w[i] = _mm256_setzero_si256();
	w[15] = _mm256_set1_epi32(HMAC_OUTER_BITS);
	compress(outer, w, _mm256_set1_epi32(-1));
	for (unsigned i = 0; i < 4; i++)
		_mm256_store_si256((__m256i *)(void *)words[i], outer[i]);
	for (unsigned i = 0; i < n; i++)
		_mm_storeu_si128((__m128i *)(void *)digest[i],
			_mm_shuffle_epi8(_mm_set_epi32((int)words[3][i], (int)words[2][i],
						 (int)words[1][i], (int)words[0][i]),
				swap));
}

#define BLOCKS 4 /* of each keystream, in one go */

/* A keystream's maker. */
struct stream {
	const __m128i *schedule;
	__m128i iv;
	unsigned rounds;
};

static inline __attribute__((always_inline)) void
open_stream(struct stream *stream, const struct srtp_key *key, const struct crypto_op *op,
	uint64_t index)
{
	uint64_t half[2];

	make_aes_cm_iv(half, key, op->ssrc, index);
	stream->schedule = (const __m128i *)(const void *)key->schedule;
	stream->rounds = aes_cm_rounds(key);
	stream->iv = _mm_set_epi64x((long long)half[1], (long long)half[0]);
}

/* XORs into `blocks` times 16 bytes the keystreams of `streams` keys, from block `first` on.
 * `blocks` and `streams` are constants where this is inlined, and so is `rounds` if not 0. */
static inline __attribute__((always_inline)) void
xor_blocks(uint8_t *text, const struct stream *stream, unsigned streams, unsigned rounds,
	unsigned first, unsigned blocks)
{
	__m128i x[2][BLOCKS];
	unsigned common = rounds;

	if (rounds == 0)
		common = streams > 1 && stream[1].rounds < stream[0].rounds ? stream[1].rounds
		                                                            : stream[0].rounds;
	for (unsigned s = 0; s < streams; s++)
		for (unsigned b = 0; b < blocks; b++) {
			unsigned number = first + b;
			__m128i counter = _mm_set_epi32(
				(int)((number & 0xff) << 24 | (number >> 8) << 16), 0, 0, 0);
			x[s][b] = _mm_xor_si128(_mm_xor_si128(stream[s].iv, counter),
				_mm_load_si128(stream[s].schedule));
		}
#pragma GCC unroll 10
	for (unsigned r = 1; r < common; r++)
		for (unsigned s = 0; s < streams; s++)
			for (unsigned b = 0; b < blocks; b++)
				x[s][b] = _mm_aesenc_si128(
					x[s][b], _mm_load_si128(stream[s].schedule + r));
	for (unsigned s = 0; s < streams; s++) {
		unsigned total = rounds != 0 ? rounds : stream[s].rounds;
		for (unsigned r = common; r < total; r++)
			for (unsigned b = 0; b < blocks; b++)
				x[s][b] = _mm_aesenc_si128(
					x[s][b], _mm_load_si128(stream[s].schedule + r));
		for (unsigned b = 0; b < blocks; b++)
			x[s][b] = _mm_aesenclast_si128(
				x[s][b], _mm_load_si128(stream[s].schedule + total));
	}
	for (unsigned b = 0; b < blocks; b++) {
		__m128i *at = (__m128i *)(void *)(text + 16 * b);
		__m128i t = _mm_xor_si128(_mm_loadu_si128(at), x[0][b]);
		if (streams > 1)
			t = _mm_xor_si128(t, x[1][b]);
		_mm_storeu_si128(at, t);
	}
}

/* The last block may reach up to 15 bytes beyond the text, which ends with the packet: those are
 * writable, and nobody's (engine.h). */
static inline __attribute__((always_inline)) void
xor_text(uint8_t *text, unsigned length, const struct stream *stream, unsigned streams,
	unsigned rounds)
{
	unsigned left = (length + 15) / 16, first = 0;

	for (; left >= BLOCKS; left -= BLOCKS, first += BLOCKS, text += 16 * BLOCKS)
		xor_blocks(text, stream, streams, rounds, first, BLOCKS);
	if (left == 3)
		xor_blocks(text, stream, streams, rounds, first, 3);
	else if (left == 2)
		xor_blocks(text, stream, streams, rounds, first, 2);
	else if (left == 1)
		xor_blocks(text, stream, streams, rounds, first, 1);
}

void
fused_ctr_avx2(struct crypto_op *const ops[], unsigned n)
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
