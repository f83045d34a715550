/* SPDX-License-Identifier: BSD-3-Clause */
/* One point: all contestants in turn, round after round, every byte of theirs looked at. */
#include "crypto.h"

#include "dataplane/fused.h"

#include <intel-ipsec-mb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>

#define PREFETCH_ABOVE 1000 /* sessions: fewer stay in the caches by themselves */
#define CHUNKS_COPIED (CHUNK_MAX + BURST_MAX)
#define ROUNDS_MAX 64

static double
seconds_of(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static inline uint64_t
cycles_now(void)
{
	unsigned core;

	_mm_lfence();
	uint64_t cycles = __rdtscp(&core);
	_mm_lfence();
	return cycles;
}

double
measure_tsc_rate(void)
{
	static double rate;
	double begun = seconds_of(CLOCK_MONOTONIC), now = begun;
	uint64_t cycles = cycles_now();

	if (rate > 0)
		return rate;
	while (now - begun < 0.1)
		now = seconds_of(CLOCK_MONOTONIC);
	rate = (double)(cycles_now() - cycles) / ((now - begun) * 1e9);
	return rate;
}

/* The lines of a key that its suite's packets of this length read, as the relay's workers do for
 * the burst after the one in work; for all contestants alike. */
static inline void
prefetch_key(const struct srtp_key *key, unsigned lines, unsigned hash_lines)
{
	const char *line = (const char *)key;

	for (unsigned i = 0; i < lines; i++)
		_mm_prefetch(line + 64 * i, _MM_HINT_T0);
	line = (const char *)(srtp_key_gcm(key) + 1);
	for (unsigned i = 1; i <= hash_lines; i++) /* GCM's powers of H: the lowest lie last */
		_mm_prefetch(line - 64 * i, _MM_HINT_T0);
}

struct prefetch {
	bool on;
	unsigned lines;      /* from the key's start */
	unsigned hash_lines; /* from the end of GCM's table */
};

static struct prefetch
prefetch_for(const struct point *point)
{
	struct prefetch prefetch = {.on = point->sessions > PREFETCH_ABOVE, .lines = 4};

	if (point->suite == RELAY_SUITE_AEAD_AES_128_GCM) {
		/* a power of H for each block of payload, header and lengths: 48 at most */
		unsigned blocks = (point->payload + 15) / 16 + 2;
		bool wide = fused_avx512_usable();
		/* salt and 11 round keys; where the table is short it lies right behind them */
		prefetch.lines = wide ? 5 : 10;
		prefetch.hash_lines = !wide ? 0 : (blocks < 48 ? blocks + 3 : 48) / 4;
	}
	return prefetch;
}

/* --- one pass --- */

struct samples {
	unsigned count, room;
	unsigned phase;  /* which packets modulo VERIFY_ONE_IN */
	unsigned *index; /* in the pool */
	uint8_t *packet; /* with their tags, `stride` apart */
};

/* What contestants work on: warm, as it is when a NIC and the relay's earlier stages have had it in
 * hand. */
static struct work {
	struct crypto_op op[CHUNKS_COPIED]; /* those behind the chunk are there to be prefetched */
	struct crypto_op *ref[CHUNKS_COPIED];
	uint8_t *packet;
} work;

static void
lay_ready(const struct pool *pool, unsigned first, unsigned count, unsigned end)
{
	unsigned ahead = first + count + BURST_MAX <= end ? BURST_MAX : end - first - count;

	if (work.packet == NULL)
		work.packet = memory_take((size_t)CHUNK_MAX * 2048);
	memcpy(work.op, pool->op + first, (count + ahead) * sizeof(work.op[0]));
	memcpy(work.packet, pool->input + first * pool->stride, count * pool->stride);
	for (unsigned i = 0; i < count; i++) {
		work.op[i].data = work.packet + i * pool->stride + pool_offset();
		work.ref[i] = &work.op[i];
	}
}

/* Returns the cycles; *failed: packets that did not verify. `last`: of all that are laid ready. */
static uint64_t
run_chunk(const struct contestant *contestant, const struct point *point, unsigned first,
	unsigned count, unsigned last, unsigned *failed)
{
	const struct prefetch prefetch = prefetch_for(point);
	unsigned burst = point->burst;
	uint64_t begun = cycles_now();

	for (unsigned i = 0; i < count; i += burst) {
		unsigned n = count - i < burst ? count - i : burst;
		unsigned next = i + n, ahead = last - next < burst ? last - next : burst;
		for (unsigned k = next; prefetch.on && k < next + ahead; k++) {
			prefetch_key(work.op[k].rx, prefetch.lines, prefetch.hash_lines);
			prefetch_key(work.op[k].tx, prefetch.lines, prefetch.hash_lines);
		}
		*failed += contestant->run(contestant->state, work.ref + i, n, first + i);
	}
	return cycles_now() - begun;
}

static void
keep_sample(
	struct samples *samples, const struct pool *pool, unsigned i, const struct crypto_op *op)
{
	uint8_t *packet = samples->packet + samples->count * pool->stride;

	if (samples->count == samples->room)
		fail("more samples than were reckoned with: a fault of this program");
	memcpy(packet, op->data, pool->length);
	memcpy(packet + pool->length, op->tag, pool->tag_length);
	samples->index[samples->count++] = i;
}

static void
look_at(const struct contestant *contestant, const struct pool *pool, unsigned first,
	unsigned count, enum outcome outcome, struct samples *samples)
{
	const struct point *point = &pool->point;

	for (unsigned i = 0; i < count; i++) {
		const struct crypto_op *op = &work.op[i];
		uint8_t *expected = pool->output + (first + i) * pool->stride;
		if (outcome == OUTCOME_RECORD) {
			memcpy(expected, op->data, pool->length);
			memcpy(expected + pool->length, op->tag, pool->tag_length);
		} else if (memcmp(expected, op->data, pool->length) != 0 ||
			   memcmp(expected + pool->length, op->tag, pool->tag_length) != 0) {
			fail("%s (%s, payload %u, %u sessions, burst %u) makes of packet %u other "
			     "bytes than the first contestant did: one of them is wrong",
				contestant->name, relay_suite_info(point->suite)->name,
				point->payload, point->sessions, point->burst, first + i);
		}
		if (samples != NULL && (first + i) % VERIFY_ONE_IN == samples->phase)
			keep_sample(samples, pool, first + i, op);
	}
}

void
measure_pass(const struct contestant *contestant, const struct pool *pool, unsigned first,
	unsigned count, enum outcome outcome, struct samples *samples, struct pass *pass)
{
	const struct point *point = &pool->point;
	double cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
	unsigned chunk = CHUNK_MAX - CHUNK_MAX % point->burst; /* no short burst within */
	unsigned end = first + count, failed = 0;

	pass->cycles = 0;
	for (unsigned i = first; i < end; i += chunk) {
		unsigned n = end - i < chunk ? end - i : chunk;
		unsigned last = end - i < n + BURST_MAX ? end - i : n + BURST_MAX;
		lay_ready(pool, i, n, end);
		pass->cycles += run_chunk(contestant, point, i, n, last, &failed);
		if (failed > 0)
			fail("%s (%s, payload %u, %u sessions, burst %u): %u genuine packets did "
			     "not verify",
				contestant->name, relay_suite_info(point->suite)->name,
				point->payload, point->sessions, point->burst, failed);
		look_at(contestant, pool, i, n, outcome, samples);
	}
	pass->cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
	pass->wall = seconds_of(CLOCK_MONOTONIC) - wall;
}

/* --- one point --- */

struct series {
	bool takes_part;
	unsigned share; /* packets of a round */
	double ns[ROUNDS_MAX];
	double cpu, wall;
	struct samples samples;
};

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
start_series(struct series *series, const struct contestant *contestant, const struct pool *pool,
	unsigned rounds)
{
	struct samples *samples = &series->samples;

	memset(series, 0, sizeof(*series));
	series->takes_part =
		contestant->ready == NULL || contestant->ready(contestant->state, pool);
	if (!series->takes_part)
		return;
	series->share = pool->count;
	if (contestant->once) /* and one share for warming up */
		series->share = pool->count / (rounds + 1) / CHUNK_MAX * CHUNK_MAX;
	samples->room = rounds * (series->share / VERIFY_ONE_IN + 1);
	samples->index = malloc(samples->room * sizeof(*samples->index));
	samples->packet = malloc(samples->room * pool->stride);
	if (series->share == 0 || samples->index == NULL || samples->packet == NULL)
		fail("no memory or no packets for %s: ask for fewer sessions", contestant->name);
}

static void
verify_samples(
	const struct contestant *contestant, const struct pool *pool, const struct samples *samples)
{
	const struct point *point = &pool->point;

	if (samples->count < VERIFY_LEAST)
		fail("only %u packets of %s were kept to be verified: a fault of this program",
			samples->count, contestant->name);
	for (unsigned i = 0; i < samples->count; i++)
		if (!oracle_verify(
			    pool, samples->index[i], SIDE_B, samples->packet + i * pool->stride))
			fail("%s (%s, payload %u, %u sessions, burst %u): libsrtp2 finds packet %u "
			     "under leg B's key to be wrong",
				contestant->name, relay_suite_info(point->suite)->name,
				point->payload, point->sessions, point->burst, samples->index[i]);
}

static void
report_series(const struct contestant *contestant, struct series *series, const struct pool *pool,
	unsigned rounds, json_t *results)
{
	const struct point *point = &pool->point;
	double median;
	json_t *entry;

	qsort(series->ns, rounds, sizeof(series->ns[0]), compare_doubles);
	median = (series->ns[rounds / 2] + series->ns[(rounds - 1) / 2]) / 2;
	entry = json_pack("{s:s, s:s, s:i, s:i, s:i, s:f, s:f, s:i, s:f}", "engine",
		contestant->name, "suite", relay_suite_info(point->suite)->name, "payload",
		(int)point->payload, "sessions", (int)point->sessions, "burst", (int)point->burst,
		"ns_per_packet", median, "spread",
		(series->ns[rounds - 1] - series->ns[0]) / median, "verified",
		(int)series->samples.count, "core_share", series->cpu / series->wall);
	if (contestant->interface != NULL)
		json_object_set_new(
			entry, "interface", json_string(contestant->interface(contestant->state)));
	json_array_append_new(results, entry);
	fprintf(stderr, "  %s %.1f", contestant->name, median);
}

static void
end_series(struct series *series)
{
	free(series->samples.index);
	free(series->samples.packet);
}

/* Each in turn, and the next round begins with the next contestant: nobody always follows the
 * same. */
static void
run_rounds(struct contestant *contestants, struct series *series, unsigned count,
	const struct pool *pool, unsigned rounds)
{
	double rate = measure_tsc_rate();

	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned turn = 0; turn < count; turn++) {
			unsigned who = (round + turn) % count;
			struct series *own = &series[who];
			struct pass pass;
			if (!own->takes_part)
				continue;
			own->samples.phase = round * 37 % VERIFY_ONE_IN;
			measure_pass(&contestants[who], pool,
				contestants[who].once ? (round + 1) * own->share : 0, own->share,
				OUTCOME_COMPARE, &own->samples, &pass);
			own->ns[round] = (double)pass.cycles / rate / own->share;
			own->cpu += pass.cpu;
			own->wall += pass.wall;
		}
	}
}

void
measure_point(struct contestant *contestants, unsigned count, struct pool *pool, unsigned rounds,
	json_t *results)
{
	static struct series series[CONTESTANTS_MAX];
	struct pass pass;

	/* everyone once to warm up; whoever is first says what the others must make */
	for (unsigned i = 0; i < count; i++) {
		start_series(&series[i], &contestants[i], pool, rounds);
		if (series[i].takes_part)
			measure_pass(&contestants[i], pool, 0, series[i].share,
				i == 0 ? OUTCOME_RECORD : OUTCOME_COMPARE, NULL, &pass);
	}
	run_rounds(contestants, series, count, pool, rounds);
	/* with the sessions of the contestant libsrtp2, the judge libsrtp2 would be slow */
	for (unsigned i = 0; i < count; i++)
		if (series[i].takes_part && contestants[i].done != NULL)
			contestants[i].done(contestants[i].state);
	for (unsigned i = 0; i < count; i++) {
		if (series[i].takes_part) {
			verify_samples(&contestants[i], pool, &series[i].samples);
			report_series(&contestants[i], &series[i], pool, rounds, results);
		}
		end_series(&series[i]);
	}
	fprintf(stderr, " ns\n");
}
