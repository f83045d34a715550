/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The search for the highest rate without loss, and what is measured there. The relay and the echo
 * take turns, round by round, at the same rate and with the same packets, and the one whose turn it
 * is not is stopped. Where the cost of a packet counts, the echo looks for packets as often as the
 * relay did a moment before: so its bursts are as large, and only the work differs. Where latency
 * counts, it looks all the time, as a relay does.
 */
#include "feed.h"

#include <math.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_MPPS 0.05
#define MOST_MPPS 20
#define RESOLUTION 1.02
#define STEP_DOWN 0.97
#define STEPS_SMALL 4 /* then larger ones: the machine has become another */
#define STEP_LARGE 0.9
#define CONFIRMS_MAX 60
#define TRIES 3 /* at one rate, before a lower one: neighbours share the machine */
#define TRIES_SEARCH 2
#define TRIES_DISTURBED 5
#define UNDISTURBED 0.97 /* of a core */
#define SEARCHES 3       /* until the relay is busy at the rate that was found */
#define BUSY 0.85        /* of its time */
#define REPEATS_MAX 9
#define ECHO_BURST_US(mpps) (32 / (mpps)) /* in which half of a burst comes */

/* What one trial of one of the two showed. */
struct showing {
	double ns_per_packet, burst;
	double stage[16]; /* cycles a packet */
	struct feed_counters after;
	struct feed_result result;
	uint32_t verified;
	double core_share;
	struct feed_latency latency;
};

/* The relay, the echo right after it, and, if asked for, raw ipsec-mb. */
struct turns {
	struct showing relay, echo;
	double raw_ns;
};

static void
give_up(struct feed *feed)
{
	feed_peers_release(feed);
	exit(1);
}

/* Without loss? And not behind its time, unless the rate was given, not searched for. */
static bool
run(struct feed *feed, const struct feed_point *point, double mpps, unsigned ms,
	struct feed_result *result)
{
	uint32_t n = (uint32_t)(mpps * 1e3 * ms);

	/* an echo may have the same packets again */
	if (!feed->peer->is_echo)
		n = feed->made = feed_packets_make(feed, n, point->payload, point->mixed);
	else if (n > feed->made)
		n = feed->made;
	feed_trial(feed, n, mpps, result);
	return result->packets > 0 && result->lost == 0 && result->strange == 0 &&
	       (!result->behind || feed->patient);
}

/* Does a trial lose nothing? One that does is tried once more, and again if one of both had not all
 * of its core: a neighbour on the same machine had it meanwhile. */
static bool
carries(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point,
	double mpps)
{
	struct feed_result result = {.core_share = 0};

	for (unsigned i = 0; i < TRIES_DISTURBED; i++) {
		if (i >= TRIES_SEARCH && result.core_share > UNDISTURBED)
			break;
		if (run(feed, point, mpps, plan->trial_ms, &result))
			return true;
	}
	return false;
}

/* The highest rate, in Mpps, from `low` on, that is carried. */
static double
search(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point, double low)
{
	double high = MOST_MPPS;

	if (plan->mpps > 0)
		return plan->mpps;
	while (high / low > RESOLUTION) {
		double middle = sqrt(low * high);
		if (carries(feed, plan, point, middle))
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void
read_counters(struct feed *feed, double period_us, struct feed_counters *counters)
{
	if (feed->peer->is_echo)
		feed_echo_order(feed, period_us, counters);
	else if (feed_read_counters(feed, counters) != 0)
		give_up(feed);
}

static void
judge(struct feed *feed, const struct feed_result *result)
{
	/* an echo's frames are ours, bit by bit */
	uint32_t bad = feed->peer->is_echo ? feed_compare(feed, result->samples)
	                                   : feed_judge(feed, result->samples);

	if (bad == 0 && result->samples * 256 >= result->packets)
		return;
	fprintf(stderr, "feed: of %u packets that were looked at %u were wrong\n", result->samples,
		bad);
	give_up(feed);
}

/* One trial that counts: without loss, and judged. period_us: how often an echo looks. */
static bool
show(struct feed *feed, const struct feed_point *point, double mpps, unsigned ms, double period_us,
	struct showing *out)
{
	struct feed_counters before;
	struct feed_result result;

	memset(out, 0, sizeof(*out));
	read_counters(feed, period_us, &before);
	bool good = run(feed, point, mpps, ms, &result);
	read_counters(feed, 0, &out->after);
	out->result = result;
	if (!good)
		return false;
	judge(feed, &result);
	if (feed->peer->is_echo) /* which tells what it did since it was asked before */
		memset(&before, 0, sizeof(before));
	out->verified = result.samples;
	out->core_share = result.core_share;
	out->latency = result.latency;
	double packets = (double)(out->after.packets - before.packets);
	double turns = (double)(out->after.busy_turns - before.busy_turns);
	double sampled = (double)(out->after.sampled - before.sampled);
	if (packets > 0 && turns > 0) {
		out->burst = packets / turns;
		out->ns_per_packet = (double)(out->after.busy_cycles - before.busy_cycles) * 1e9 /
		                     (double)rte_get_tsc_hz() / packets;
	}
	for (unsigned i = 0; i < out->after.stages && sampled > 0; i++)
		out->stage[i] = (out->after.stage[i] - before.stage[i]) / sampled;
	return true;
}

/* The relay's turn, and the echo's: alike in bursts, or as fast as it can. */
static bool
take_turns(struct feed *feed, const struct feed_point *point, double mpps, unsigned ms, bool alike,
	struct turns *out)
{
	memset(out, 0, sizeof(*out));
	feed_peer_choose(feed, &feed->relay);
	if (!show(feed, point, mpps, ms, 0, &out->relay))
		return false;
	feed_peer_choose(feed, &feed->echo);
	double period_us = alike ? out->relay.burst / (mpps * feed->echo.queues) : 0;
	bool good = false;
	for (unsigned i = 0; i < TRIES && !good; i++)
		good = show(feed, point, mpps, ms, period_us, &out->echo);
	if (good && alike && feed->raw >= 0)
		out->raw_ns = feed_raw_ask(feed);
	feed_peer_choose(feed, &feed->relay);
	return good;
}

/* --- figures of several rounds --- */

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
median(double values[], unsigned n)
{
	qsort(values, n, sizeof(*values), by_value);
	return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

enum who { RELAY, ECHO, ADDED };

/* The median, over all rounds, of the figure at this place of a struct showing; `range`, if asked
 * for: how far apart they were. */
static double
middle(const struct turns rounds[], unsigned n, enum who who, size_t place, double *range)
{
	double values[REPEATS_MAX];

	for (unsigned i = 0; i < n; i++) {
		double relay = *(const double *)((const char *)&rounds[i].relay + place);
		double echo = *(const double *)((const char *)&rounds[i].echo + place);
		values[i] = who == RELAY ? relay : who == ECHO ? echo : relay - echo;
	}
	double found = median(values, n);
	if (range != NULL)
		*range = values[n - 1] - values[0];
	return found;
}

#define MIDDLE(rounds, n, who, field) middle(rounds, n, who, offsetof(struct showing, field), NULL)

static json_t *
latency_json(const struct turns rounds[], unsigned n, enum who who)
{
	return json_pack("{s:f, s:f, s:f}", "p50", MIDDLE(rounds, n, who, latency.p50), "p99",
		MIDDLE(rounds, n, who, latency.p99), "p999", MIDDLE(rounds, n, who, latency.p999));
}

/* Latencies at a share of the highest rate: the relay's, the echo's, and what the relay adds. */
static void
add_latencies(json_t *out, struct feed *feed, const struct feed_plan *plan,
	const struct feed_point *point, double mpps, const char *suffix)
{
	static const char *const names[] = {
		[RELAY] = "latency", [ECHO] = "echo_latency", [ADDED] = "added_latency"};
	struct turns rounds[REPEATS_MAX];
	unsigned n = 0;
	char name[40];

	for (unsigned i = 0; i < 2 * plan->repeat && n < plan->repeat; i++)
		n += take_turns(feed, point, mpps, plan->latency_ms, false, &rounds[n]);
	for (enum who who = RELAY; who <= ADDED && n > 0; who++) {
		snprintf(name, sizeof(name), "%s%s_us", names[who], suffix);
		json_object_set_new(out, name, latency_json(rounds, n, who));
	}
}

static void
set(json_t *out, const char *name, double figure)
{
	json_object_set_new(out, name, json_real(figure));
}

static json_t *
stages_json(const struct turns rounds[], unsigned n)
{
	json_t *stages = json_object();

	for (unsigned k = 0; k < rounds[0].relay.after.stages; k++)
		json_object_set_new(stages, rounds[0].relay.after.stage_name[k],
			json_real(middle(
				rounds, n, RELAY, offsetof(struct showing, stage[k]), NULL)));
	return stages;
}

/* How much of its time the relay worked. */
static double
busy_share(const struct feed *feed, const struct turns rounds[], unsigned n, double mpps)
{
	return MIDDLE(rounds, n, RELAY, ns_per_packet) * mpps * 1e-3 / feed->relay.queues;
}

/* Raw ipsec-mb's crypto of packets of 160 bytes and 64 sessions, in the same rounds. */
static void
add_raw(json_t *out, const struct turns rounds[], unsigned n)
{
	double values[REPEATS_MAX];

	for (unsigned i = 0; i < n; i++)
		values[i] = rounds[i].raw_ns;
	double found = median(values, n);
	if (found <= 0)
		return;
	set(out, "raw_ns_per_packet", found);
	set(out, "raw_spread", (values[n - 1] - values[0]) / found);
}

static json_t *
describe(const struct feed *feed, const struct feed_point *point, const struct turns rounds[],
	unsigned n, double mpps)
{
	const size_t ns = offsetof(struct showing, ns_per_packet);
	double share = 1, range, added_range;
	uint32_t verified = 0;

	for (unsigned i = 0; i < n; i++) {
		verified += rounds[i].relay.verified;
		share = fmin(share, fmin(rounds[i].relay.core_share, rounds[i].echo.core_share));
	}
	double relay = middle(rounds, n, RELAY, ns, &range);
	double added = middle(rounds, n, ADDED, ns, &added_range);
	json_t *out = json_pack("{s:i, s:i, s:s, s:i, s:i, s:o}", "sessions", (int)point->sessions,
		"workers", (int)feed->relay.queues, "port",
		feed->relay.there != NULL ? "rings" : "memif", "loss", 0, "verified", (int)verified,
		"stages", stages_json(rounds, n));
	json_object_set_new(
		out, "payload", point->mixed ? json_string("mixed") : json_integer(point->payload));
	set(out, "mpps", mpps);
	set(out, "ns_per_packet", relay);
	set(out, "spread", relay > 0 ? range / relay : 0);
	set(out, "burst", MIDDLE(rounds, n, RELAY, burst));
	set(out, "busy", busy_share(feed, rounds, n, mpps));
	set(out, "core_share", share);
	set(out, "echo_ns_per_packet", MIDDLE(rounds, n, ECHO, ns_per_packet));
	set(out, "echo_burst", MIDDLE(rounds, n, ECHO, burst));
	set(out, "added_ns_per_packet", added);
	set(out, "added_spread", added > 0 ? added_range / added : 0);
	add_raw(out, rounds, n);
	return out;
}

/* --- points --- */

static void
complain(const struct feed_point *point, double mpps, const struct turns *last)
{
	const struct feed_result *result =
		last->echo.result.packets > 0 ? &last->echo.result : &last->relay.result;

	fprintf(stderr,
		"feed: no rate without loss could be confirmed with %u sessions: at last, at %.2f "
		"Mpps, %u of %u were lost, %u came twice or were none of them, %s, with %.0f %% of "
		"the core\n",
		point->sessions, mpps, result->lost, result->packets, result->strange,
		result->behind ? "and the trial was late" : "in time", 100 * result->core_share);
}

/* Rounds at this rate, or at less if losses repeat. How many, or 0. */
static unsigned
confirm(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point,
	struct turns rounds[], double *mpps)
{
	unsigned n = 0, failures = 0, steps = 0;

	for (unsigned tries = 0; n < plan->repeat; tries++) {
		if (tries == CONFIRMS_MAX) {
			complain(point, *mpps, &rounds[n]);
			return 0;
		}
		bool good = feed->peer->is_echo ? show(feed, point, *mpps, plan->confirm_ms,
							  ECHO_BURST_US(*mpps), &rounds[n].echo)
		                                : take_turns(feed, point, *mpps, plan->confirm_ms,
							  true, &rounds[n]);
		if (good) {
			n++;
		} else if (++failures == TRIES) {
			*mpps *= steps++ < STEPS_SMALL ? STEP_DOWN : STEP_LARGE;
			failures = n = 0;
		}
	}
	return n;
}

json_t *
feed_measure(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point)
{
	struct turns rounds[REPEATS_MAX];

	double mpps = LEAST_MPPS;
	unsigned n = 0;

	/* a relay with much time left carries more: something disturbed the search */
	for (unsigned i = 0; i < SEARCHES; i++) {
		mpps = search(feed, plan, point, mpps);
		n = confirm(feed, plan, point, rounds, &mpps);
		if (n == 0)
			return NULL;
		if (busy_share(feed, rounds, n, mpps) > BUSY)
			break;
	}
	json_t *out = describe(feed, point, rounds, n, mpps);
	fprintf(stderr, "feed: %u sessions%s: %.2f Mpps, %.0f ns a packet, %.0f of it the echo's\n",
		point->sessions, point->mixed ? ", mixed sizes" : "", mpps,
		json_number_value(json_object_get(out, "ns_per_packet")),
		json_number_value(json_object_get(out, "echo_ns_per_packet")));
	if (point->latency) {
		add_latencies(out, feed, plan, point, mpps / 2, "");
		add_latencies(out, feed, plan, point, mpps * 0.9, "_90");
	}
	return out;
}

json_t *
feed_measure_echo(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point)
{
	struct turns rounds[REPEATS_MAX];
	struct feed_counters unused;
	double range;

	feed_peer_choose(feed, &feed->echo);
	feed_echo_order(feed, 0, &unused);
	/* once more from there on: an echo is never so busy that it shows a search was disturbed */
	double mpps = search(feed, plan, point, LEAST_MPPS);
	mpps = search(feed, plan, point, mpps);
	unsigned n = confirm(feed, plan, point, rounds, &mpps);
	if (n == 0)
		return NULL;
	double ns = middle(rounds, n, ECHO, offsetof(struct showing, ns_per_packet), &range);
	json_t *out = json_pack("{s:s, s:i, s:f, s:i, s:f, s:f, s:f}", "port",
		feed->echo.there != NULL ? "rings" : "memif", "payload", (int)point->payload,
		"mpps", mpps, "loss", 0, "ns_per_packet", ns, "spread", ns > 0 ? range / ns : 0,
		"burst", MIDDLE(rounds, n, ECHO, burst));
	fprintf(stderr, "feed: echo over %s: %.2f Mpps, %.0f ns a packet\n",
		json_string_value(json_object_get(out, "port")), mpps, ns);
	n = 0;
	for (unsigned i = 0; i < 2 * plan->repeat && n < plan->repeat; i++)
		n += show(feed, point, mpps / 2, plan->latency_ms, 0, &rounds[n].echo);
	if (n > 0)
		json_object_set_new(out, "latency_us", latency_json(rounds, n, ECHO));
	return out;
}
