/* SPDX-License-Identifier: BSD-3-Clause */
/* SHA-1's blocks of a packet, for the kernels that read them from memory: whole ones in the packet
 * itself, the last one or two beside it, with the index word and SHA-1's padding. */
#ifndef DATAPLANE_FUSED_BLOCKS_H
#define DATAPLANE_FUSED_BLOCKS_H

#include "engine_input.h"

#define SHA1_BLOCK 64
#define SHA1_PADDING 9 /* bytes at least: 0x80, and 64 bits of length */

struct sha1_blocks {
	const uint8_t *data;
	unsigned whole; /* blocks in the packet */
	unsigned count; /* all blocks */
	uint8_t tail[2 * SHA1_BLOCK] __attribute__((aligned(16)));
};

static inline void
sha1_blocks_set(struct sha1_blocks *blocks, const struct crypto_op *op, bool transmit)
{
	unsigned hashed = op->length + HASH_TAIL_LENGTH;
	unsigned rest = op->length % SHA1_BLOCK;
	uint32_t word = hash_tail(op, transmit ? op->tx_index : op->rx_index);
	/* the key's block counts too */
	uint64_t bits = htobe64((uint64_t)(hashed + SHA1_BLOCK) * 8);

	blocks->data = op->data;
	blocks->whole = op->length / SHA1_BLOCK;
	blocks->count = (hashed + SHA1_PADDING + SHA1_BLOCK - 1) / SHA1_BLOCK;
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

/* The block after the inner hash: its 20 bytes as words, and the padding. */
#define SHA1_OUTER_BITS ((SHA1_BLOCK + 20) * 8)

#endif
