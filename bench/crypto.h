/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * crypto: what verify + decrypt + encrypt + tag cost on one core, by several who can do it, all in
 * one run and in turn. One thread; whatever fails ends the program with a sentence.
 */
#ifndef BENCH_CRYPTO_H
#define BENCH_CRYPTO_H

#include "dataplane/engine.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BURST_MAX ENGINE_BATCH_MAX
#define CHUNK_MAX \
	256 /* packets that are laid ready, then timed: with keys and all in the L2 cache */
#define HEADER_LENGTH 12
#define CONTESTANTS_MAX 8
#define VERIFY_ONE_IN 256
#define VERIFY_LEAST 16

/* Says it and ends the program with status 1. */
void __attribute__((format(printf, 1, 2), noreturn)) fail(const char *format, ...);

/* --- memory (crypto_memory.c) --- */

/* Zeroed memory in huge pages where there are any, never given back. Ends the program if there is
 * none. */
void *memory_take(size_t size);

/* Lets slab.h take its chunks, and so the keys, from memory_take(). */
void memory_serve_keys(void);

/* What the memory taken so far is made of, for people; static storage. */
const char *memory_describe(void);

/* --- sessions and packets (crypto_pool.c) --- */

enum side { SIDE_A, SIDE_B }; /* the leg that packets come from, and the one they go to */

struct session {
	struct srtp_key *key[2]; /* by side */
	uint32_t ssrc;
	uint32_t roc[2]; /* each leg has its own; never 0 */
	uint16_t sequence;
};

/* Sessions of one suite. */
struct sessions {
	enum relay_suite suite;
	unsigned count;
	struct session *session;
};

/* Makes `count` sessions, each with keys, SSRC and ROCs of its own. */
void sessions_create(struct sessions *sessions, enum relay_suite suite, unsigned count);
void sessions_destroy(struct sessions *sessions);

/* The master key that the session's keys of that side came from. */
void sessions_master(
	enum relay_suite suite, unsigned session, enum side side, struct relay_crypto *master);

/* What is measured: one line of the result, but for whom. */
struct point {
	enum relay_suite suite;
	unsigned payload; /* bytes */
	unsigned sessions;
	unsigned burst; /* packets that are handed over at once */
};

/* Packets of random sessions, protected under A's keys. Nothing in it changes while contestants
 * run: they work on copies. */
struct pool {
	struct point point;
	const struct sessions *sessions;
	unsigned count;       /* packets; a multiple of CHUNK_MAX */
	unsigned length;      /* bytes of a packet without its tag */
	unsigned tag_length;  /* bytes */
	size_t stride;        /* bytes from a packet to the next, in all three arrays of packets */
	struct crypto_op *op; /* what to do to each; `data` is not set */
	uint32_t *number;     /* whose each is */
	uint8_t *input;       /* packet and tag under A's keys */
	uint8_t *output;      /* the same under B's, as the first contestant made them */
};

/* Room for the largest point that will be asked for. Once. */
void pool_reserve(struct pool *pool, unsigned count, unsigned payload);

/* Fills it with `count` packets for `point`, and has a sample of them read by libsrtp2. */
void pool_fill(struct pool *pool, const struct point *point, const struct sessions *sessions,
	unsigned count);

/* Where in a slot of `stride` bytes the RTP header lies. */
unsigned pool_offset(void);

/* What packet i was before anyone protected it: point.payload bytes. */
void pool_payload(const struct pool *pool, unsigned i, uint8_t *payload);

/* --- contestants --- */

struct contestant {
	const char *name; /* as the result names it */
	/* Takes packets first to first + n of the pool, of which ops[] holds copies, from A's keys
	 * to B's in place, and leaves the new tag in ops[]->tag. Returns how many
	 * did not verify. */
	unsigned (*run)(void *state, struct crypto_op *const ops[], unsigned n, unsigned first);
	/* Before a point; NULL: nothing to do. False: it takes no part in it. */
	bool (*ready)(void *state, const struct pool *pool);
	void (*done)(void *state);
	const char *(*interface)(void *state); /* NULL: none to name */
	bool once; /* a packet can be taken only once: rounds get each their own share */
	void *state;
};

/* crypto_raw.c, crypto_engines.c and crypto_oracle.c: each false (with a word on stderr) where it
 * can't run here. */
bool raw_contestant(struct contestant *contestant, bool tell); /* what each way took in its trial */
bool engine_contestant(struct contestant *contestant, const char *name);
bool oracle_contestant(struct contestant *contestant, unsigned sessions_most, unsigned rounds);

/* Is it what a receiver with the session's keys of that side takes for genuine, and whose payload
 * is that of packet i? By libsrtp2. `data` has the tag behind it; it is destroyed. */
bool oracle_verify(const struct pool *pool, unsigned i, enum side side, uint8_t *data);

/* --- measurement (crypto_measure.c) --- */

/* TSC cycles in a nanosecond. */
double measure_tsc_rate(void);

enum outcome {
	OUTCOME_RECORD,  /* is kept as the pool's output */
	OUTCOME_COMPARE, /* must be that to the byte */
};

struct pass {
	uint64_t cycles; /* TSC, in contestants' code alone */
	double cpu;      /* seconds that the thread had a core, all told */
	double wall;     /* seconds, all told */
};

/* Packets first to first + count through one contestant, chunk by chunk: copies are made, the clock
 * runs while they are worked on, then each byte of them is looked at. One packet in VERIFY_ONE_IN
 * is kept in `samples` (where not NULL) for measure_point() to verify. */
struct samples;
void measure_pass(const struct contestant *contestant, const struct pool *pool, unsigned first,
	unsigned count, enum outcome outcome, struct samples *samples, struct pass *pass);

/* Measures all who take part at this point, in `rounds` rounds, and appends to the array. */
void measure_point(struct contestant *contestants, unsigned count, struct pool *pool,
	unsigned rounds, json_t *results);

/* --- on demand (crypto_serve.c) --- */

/* Measures raw ipsec-mb at this point for whoever asks at the local socket `path` (SOCK_SEQPACKET):
 * a byte is the question, a double of nanoseconds a packet the answer. Until a signal. */
void crypto_serve(const char *path, const struct point *point);

#endif
