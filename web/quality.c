/* SPDX-License-Identifier: BSD-3-Clause */
#include "quality.h"

#include "exposition.h"

#include <pthread.h>
#include <string.h>

#define BOUNDS_MAX 10
#define SLOTS 8192 /* a power of two; two names in one slot only make an observation rougher */

enum kind { MOS, JITTER, LOSS, ROUND_TRIP, KINDS };

static const struct {
	const char *name;
	const char *help;
	unsigned count;
	double bounds[BOUNDS_MAX];
} kinds[KINDS] = {
	[MOS] = {"sallyport_leg_mos",
		"Estimated mean opinion score (ITU-T G.107) of what legs send us, each leg looked "
		"at every 10 s.",
		10, {1.5, 2, 2.5, 3, 3.3, 3.6, 3.8, 4, 4.2, 4.4}},
	[JITTER] = {"sallyport_leg_jitter_seconds",
		"Interarrival jitter (RFC 3550 6.4.1) of what legs send us, each leg looked at "
		"every 10 s.",
		9, {.001, .002, .005, .01, .02, .03, .05, .1, .2}},
	[LOSS] = {"sallyport_leg_loss_ratio",
		"Share of a leg's packets that were lost on the way to us since it was looked at "
		"before, 10 s or more.",
		10, {0, .001, .002, .005, .01, .02, .05, .1, .2, .5}},
	[ROUND_TRIP] = {"sallyport_leg_round_trip_seconds",
		"Round trip between us and a leg's far end, by its RTCP reports, each leg looked "
		"at "
		"every 10 s.",
		9, {.01, .025, .05, .1, .15, .2, .3, .5, 1}},
};

static const char *const transports[] = {"srtp", "rtp"};
static const char *const legs[] = {"a", "b"};

struct histogram {
	uint64_t counts[BOUNDS_MAX + 1];
	double sum;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct histogram histograms[KINDS][2][2]; /* by transport and leg; under the lock */

/* What was known of a leg when it was looked at last. */
static struct memory {
	char id[RELAY_ID_SIZE];
	uint64_t at_ms;
	uint32_t expected[2];
	uint32_t lost[2];
} memories[SLOTS]; /* the snapshots' thread's */

static struct memory *
memory_of(const char *id)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *at = id; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	return &memories[hash % SLOTS];
}

static void
note(enum kind kind, const struct relay_leg_info *leg, unsigned index, double value)
{
	struct histogram *at =
		&histograms[kind][leg->transport == RELAY_TRANSPORT_SRTP ? 0 : 1][index];
	unsigned i = 0;

	while (i < kinds[kind].count && value > kinds[kind].bounds[i])
		i++;
	at->counts[i]++;
	at->sum += value;
}

static void
observe_leg(const struct relay_leg_info *leg, unsigned index, struct memory *memory)
{
	const struct relay_quality *quality = &leg->quality;
	uint32_t expected = quality->expected, lost = quality->lost;

	if (leg->transport != RELAY_TRANSPORT_SRTP && leg->transport != RELAY_TRANSPORT_RTP)
		return;
	if (quality->mos_100 != 0)
		note(MOS, leg, index, quality->mos_100 / 100.0);
	if (quality->jitter_us != RELAY_UNKNOWN && leg->packets_in > 0)
		note(JITTER, leg, index, quality->jitter_us / 1e6);
	if (quality->round_trip_us != RELAY_UNKNOWN)
		note(ROUND_TRIP, leg, index, quality->round_trip_us / 1e6);
	/* a far end that began anew counts from nothing; late packets make losses fewer */
	if (expected >= memory->expected[index] && lost >= memory->lost[index]) {
		expected -= memory->expected[index];
		lost -= memory->lost[index];
	}
	if (expected >= QUALITY_PACKETS)
		note(LOSS, leg, index, lost < expected ? (double)lost / expected : 1);
	memory->expected[index] = quality->expected;
	memory->lost[index] = quality->lost;
}

void
quality_observe(const struct media_view *media, uint64_t now_ms)
{
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i < media->sessions_count; i++) {
		const struct relay_session *session = &media->sessions[i];
		struct memory *memory = memory_of(session->id);
		if (strcmp(memory->id, session->id) != 0) {
			*memory = (struct memory){.at_ms = 0};
			memcpy(memory->id, session->id, sizeof(memory->id));
		} else if (now_ms - memory->at_ms < QUALITY_EVERY_MS) {
			continue;
		}
		memory->at_ms = now_ms;
		observe_leg(&session->leg[0], 0, memory);
		observe_leg(&session->leg[1], 1, memory);
	}
	pthread_mutex_unlock(&lock);
}

void
quality_expose(struct text *out)
{
	pthread_mutex_lock(&lock);
	for (unsigned kind = 0; kind < KINDS; kind++) {
		exposition_family(out, kinds[kind].name, "histogram", kinds[kind].help);
		for (unsigned i = 0; i < 2; i++) {
			for (unsigned k = 0; k < 2; k++) {
				const struct histogram *at = &histograms[kind][i][k];
				const char *labels[4] = {
					"transport", transports[i], "leg", legs[k]};
				exposition_histogram(out, kinds[kind].name, kinds[kind].bounds,
					at->counts, kinds[kind].count, at->sum, labels);
			}
		}
	}
	pthread_mutex_unlock(&lock);
}
