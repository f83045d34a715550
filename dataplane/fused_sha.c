/* SPDX-License-Identifier: BSD-3-Clause */
/* HMAC-SHA1 by the CPU's SHA extensions, two packets in turn, each behind the other's latency: for
 * the few packets that would leave most lanes of a wide kernel empty. */
#include "fused.h"

#include "engine_input.h"

#include <cpuid.h>
#include <immintrin.h>

#define LANES 2
#define WORDS 4 /* registers of a block, four words each */

bool
fused_sha_usable(void)
{
	unsigned a, b = 0, c, d;

	__builtin_cpu_init();
	return __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.1") &&
	       __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_SHA) != 0;
}

struct state {
	__m128i abcd; /* a in the highest word */
	__m128i e;
};

static inline __attribute__((always_inline)) __m128i
load(const void *from)
{
	return _mm_loadu_si128((const __m128i *)from);
}

static inline __attribute__((always_inline)) struct state
load_state(const uint8_t from[20])
{
	int e;

	memcpy(&e, from + 16, sizeof(e));
	return (struct state){_mm_shuffle_epi32(load(from), 0x1b), _mm_set_epi32(e, 0, 0, 0)};
}

/* Four rounds of group g for each lane, and the words of four groups later. The rounds' function is
 * part of an instruction, so it has to be a constant. */
#define FOUR_ROUNDS(F, g)                                                                         \
	for (unsigned l = 0; l < lanes; l++) {                                                    \
		__m128i *m = w[l];                                                                \
		__m128i e = (g) == 0 ? _mm_add_epi32(state[l].e, m[0])                            \
		                     : _mm_sha1nexte_epu32(before[l], m[(g) % WORDS]);            \
		before[l] = now[l];                                                               \
		now[l] = _mm_sha1rnds4_epu32(now[l], e, F);                                       \
		if ((g) < 16)                                                                     \
			m[(g) % WORDS] = _mm_sha1msg2_epu32(                                      \
				_mm_xor_si128(                                                    \
					_mm_sha1msg1_epu32(m[(g) % WORDS], m[((g) + 1) % WORDS]), \
					m[((g) + 2) % WORDS]),                                    \
				m[((g) + 3) % WORDS]);                                            \
	}

#define TWENTY_ROUNDS(F, g)             \
	do {                            \
		FOUR_ROUNDS(F, g)       \
		FOUR_ROUNDS(F, (g) + 1) \
		FOUR_ROUNDS(F, (g) + 2) \
		FOUR_ROUNDS(F, (g) + 3) \
		FOUR_ROUNDS(F, (g) + 4) \
	} while (0)

/* SHA-1's compression of one block a lane. w[] is used up. `lanes` is a constant where inlined. */
static inline __attribute__((always_inline)) void
compress(struct state state[LANES], __m128i w[LANES][WORDS], unsigned lanes)
{
	__m128i before[LANES], now[LANES];

	for (unsigned l = 0; l < lanes; l++)
		now[l] = state[l].abcd;
	TWENTY_ROUNDS(0, 0);
	TWENTY_ROUNDS(1, 5);
	TWENTY_ROUNDS(2, 10);
	TWENTY_ROUNDS(3, 15);
	for (unsigned l = 0; l < lanes; l++) {
		state[l].e = _mm_sha1nexte_epu32(before[l], state[l].e);
		state[l].abcd = _mm_add_epi32(now[l], state[l].abcd);
	}
}

/* The inner hash's input of one lane. */
struct input {
	const uint8_t *data;
	int length;     /* of the packet */
	unsigned count; /* blocks, with the tail and SHA-1's padding */
	int bits;       /* of all, with the key's block */
	__m128i tail;   /* the five bytes after the packet: index word, 0x80; then zeros */
};

static inline __attribute__((always_inline)) void
set_input(struct input *input, const struct crypto_op *op, bool transmit)
{
	uint64_t word = hash_tail(op, transmit ? op->tx_index : op->rx_index);

	input->data = op->data;
	input->length = op->length;
	input->count = hash_blocks(op->length);
	input->bits = (op->length + HASH_TAIL_LENGTH + SHA1_BLOCK) * 8;
	input->tail = _mm_set_epi64x(0, (long long)(word | 0x80ULL << 32));
}

/* Sixteen bytes from `at` on, with the tail where the packet ends, put there in a register: stores
 * and a load of the same bytes would stall. Reads at most 15 bytes beyond the packet. */
static inline __attribute__((always_inline)) __m128i
load_piece(const struct input *input, int at)
{
	const __m128i places = _mm_set_epi64x(0x0f0e0d0c0b0a0908, 0x0706050403020100);
	int left = input->length - at;

	if (left >= 16)
		return load(input->data + at);
	if (left <= -5)
		return _mm_setzero_si128();
	/* the tail's byte for each place: none where this is negative, a zero from 5 on */
	__m128i from =
		_mm_min_epi8(_mm_sub_epi8(places, _mm_set1_epi8((char)left)), _mm_set1_epi8(15));
	__m128i tail = _mm_shuffle_epi8(input->tail, from);
	if (left <= 0)
		return tail;
	__m128i kept = _mm_cmpgt_epi8(_mm_set1_epi8((char)left), places);
	return _mm_or_si128(_mm_and_si128(load(input->data + at), kept), tail);
}

static inline __attribute__((always_inline)) void
hash_block(
	struct state state[LANES], const struct input input[LANES], unsigned number, unsigned lanes)
{
	const __m128i swap = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
	__m128i w[LANES][WORDS];

	for (unsigned l = 0; l < lanes; l++) {
		for (unsigned i = 0; i < WORDS; i++)
			w[l][i] = _mm_shuffle_epi8(
				load_piece(&input[l], (int)(SHA1_BLOCK * number + 16 * i)), swap);
		if (number + 1 == input[l].count)
			w[l][3] = _mm_or_si128(w[l][3], _mm_cvtsi32_si128(input[l].bits));
	}
	compress(state, w, lanes);
}

/* The inner hash of one lane from its block `from` on. */
static void
finish_alone(struct state *state, const struct input *input, unsigned from)
{
	for (unsigned i = from; i < input->count; i++)
		hash_block(state, input, i, 1);
}

static inline __attribute__((always_inline)) void
hmac(struct crypto_op *const ops[], unsigned lanes, bool transmit, uint8_t digest[][FUSED_DIGEST])
{
	const __m128i swap = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
	struct input input[LANES];
	struct state inner[LANES], outer[LANES];
	__m128i w[LANES][WORDS];
	unsigned common = 0;

	for (unsigned l = 0; l < lanes; l++) {
		const struct srtp_key *key = transmit ? ops[l]->tx : ops[l]->rx;
		set_input(&input[l], ops[l], transmit);
		inner[l] = load_state(key->hmac_inner);
		outer[l] = load_state(key->hmac_outer);
		if (l == 0 || input[l].count < common)
			common = input[l].count;
	}
	for (unsigned i = 0; i < common; i++)
		hash_block(inner, input, i, lanes);
	for (unsigned l = 0; l < lanes; l++) {
		finish_alone(&inner[l], &input[l], common);
		/* a register's highest word is the first of four, here as in abcd */
		w[l][0] = inner[l].abcd;
		w[l][1] = _mm_or_si128(inner[l].e, _mm_set_epi32(0, (int)0x80000000, 0, 0));
		w[l][2] = _mm_setzero_si128();
		w[l][3] = _mm_set_epi32(0, 0, 0, HMAC_OUTER_BITS);
	}
	compress(outer, w, lanes);
	for (unsigned l = 0; l < lanes; l++)
		_mm_storeu_si128(
			(__m128i *)(void *)digest[l], _mm_shuffle_epi8(outer[l].abcd, swap));
}

void
fused_hmac_sha(
	struct crypto_op *const ops[], unsigned n, bool transmit, uint8_t digest[][FUSED_DIGEST])
{
	if (n == LANES)
		hmac(ops, LANES, transmit, digest);
	else
		hmac(ops, 1, transmit, digest);
}
