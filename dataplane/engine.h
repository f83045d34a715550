/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crypto engines: verify, decrypt, encrypt and tag packets in batches, from one leg's keys to the
 * other's. The worker owns everything else about SRTP: headers, packet indices, replay windows.
 *
 * A batch goes through verify(); the worker drops what failed, checks and updates the replay
 * windows of what passed, and hands the rest to transcrypt(). Between the two calls nothing else
 * happens to a packet's bytes (but that its sequence number may change), and both name both legs'
 * keys, so an engine is free to do any part of the work in either. A packet that fails verify() is
 * afterwards as it was before.
 *
 * SRTCP goes through twice, since the relay reads what it says: once with the receive key alone,
 * which leaves it in clear, and once with the transmit key alone.
 */
#ifndef DATAPLANE_ENGINE_H
#define DATAPLANE_ENGINE_H

#include "srtp_key.h"

#include <stdbool.h>
#include <stdint.h>

#define ENGINE_BATCH_MAX 64 /* operations in one call */

enum crypto_kind {
	CRYPTO_RTP,  /* the ROC follows the packet in the HMAC's input (RFC 3711 4.2) */
	CRYPTO_RTCP, /* E and the SRTCP index follow the packet in it (3.4) */
};

/* One packet. The worker fills in all but `genuine` and `opened`; `tag` is in and out. */
struct crypto_op {
	uint8_t *data;   /* first byte of the RTP or RTCP header. Behind its `length` bytes at
			  least SRTP_TAG_MAX are writable: the engine may overwrite them
			  with anything (ROC or index word, for one) */
	uint16_t length; /* bytes of the packet, without tag, MKI and SRTCP index */
	uint16_t cipher_offset; /* from data: the first encrypted byte; all before is AEAD's
				   associated data */
	uint16_t cipher_length; /* bytes; may be 0 */
	uint8_t kind;           /* enum crypto_kind */
	bool genuine;           /* set by verify(): the tag was right */
	bool opened;            /* the engine's own: verify() has decrypted it already (AEAD) */
	uint32_t ssrc;          /* host order */
	uint32_t rtcp_word;     /* RTCP only: E || index as in the packet, under the key in use */
	uint64_t rx_index;      /* 48-bit packet index ROC || SEQ, or the 31-bit SRTCP index, under
				   the receive key */
	uint64_t tx_index;      /* the same under the transmit key */
	const struct srtp_key *rx; /* key of the leg that the packet came from; NULL: in clear */
	const struct srtp_key *tx; /* key of the leg that it goes to; NULL: in clear */
	uint8_t tag[SRTP_TAG_MAX]; /* in: the received tag, rx->tag_length bytes; after
				      transcrypt(): the new one, tx->tag_length bytes */
};

struct crypto_engine {
	const char *name;
	const char *help; /* one line for people: what it is and what it needs */

	/* Can this CPU run it? */
	bool (*usable)(void);

	/* State of one worker, used by that worker alone. NULL when out of memory. */
	void *(*create)(void);
	void (*destroy)(void *state);

	/* What create() chose on this CPU, for people ("AVX512"); lives as long as the state. */
	const char *(*variant)(const void *state);

	/* Sets ops[i]->genuine for each of n (at most ENGINE_BATCH_MAX) by comparing the tag in
	 * constant time under rx; one in clear is always genuine. */
	void (*verify)(void *state, struct crypto_op *const ops[], unsigned n);

	/* Turns the ciphertext of rx into that of tx in place, and makes tags under tx. Every
	 * operation has passed verify(). */
	void (*transcrypt)(void *state, struct crypto_op *const ops[], unsigned n);
};

extern const struct crypto_engine engine_ipsec_mb;
extern const struct crypto_engine engine_avx512;
extern const struct crypto_engine engine_avx2;

/* All engines, usable here or not; NULL after the last. */
extern const struct crypto_engine *const engines[];

/* The engine with that name, or for "auto" the fastest of those that this CPU can run, which takes
 * some milliseconds of trials. NULL: no such engine, or the CPU can't run it. *reason is then a
 * sentence that says what to do, and otherwise says why this one. It stays until the next call.
 * Control thread. */
const struct crypto_engine *engine_select(const char *name, const char **reason);

#endif
