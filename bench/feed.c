/* SPDX-License-Identifier: BSD-3-Clause */
/* feed: how many packets a second a relay, or an echo, takes without loss, what each costs it, and
 * how long it keeps them: see feed.h. */
#include "feed.h"

#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MBUFS 32767
#define LEAST_MPPS 0.05
#define MOST_MPPS 20
#define RESOLUTION 1.02
#define STEP_DOWN 0.97
#define CONFIRMS_MAX 60
#define TRIES 3 /* at one rate, before a lower one: neighbours share the machine */
#define REPEATS_MAX 9
#define POINTS_MAX 16

static const char usage[] =
	"Usage: feed --memif FILE (--socket FILE | --echo) [OPTION]...\n"
	"\n"
	"Searches the highest rate without loss (RFC 2544) of a relay on the serving end of a "
	"memif\n"
	"pair, or of bench/echo, and measures there. Run it by bench/datapath.sh.\n"
	"\n"
	"  --memif FILE      socket of the memif pair\n"
	"  --socket FILE     of the relay API: sessions are installed by it\n"
	"  --echo            what is sent comes back as it is\n"
	"  --sessions N,...  points, growing (default 64)\n"
	"  --latency N,...   of these, with latencies (default 64)\n"
	"  --mixed           and 64 sessions with 10 % mixed sizes\n"
	"  --trial MS        of the search (default 400)\n"
	"  --confirm MS      of what is reported (default 1000)\n"
	"  --repeat N        of what is reported (default 3)\n"
	"  --arena MB        for packets (default 2048)\n"
	"  --ring N          log2 of the memif rings' slots (default 13)\n"
	"  --rate KPPS       no search: this many thousand packets a second\n"
	"  --cpu N           run on this CPU (default 0)\n"
	"\n"
	"Prints JSON. Exit status: 0 measured; 1 not; 2 wrong usage.\n";

struct options {
	const char *memif, *socket;
	bool echo, mixed;
	uint32_t sessions[POINTS_MAX], latency[POINTS_MAX];
	unsigned points, latencies;
	unsigned trial_ms, confirm_ms, repeat, arena_mb, ring, cpu, rate;
};

static unsigned
read_list(char *text, uint32_t list[])
{
	unsigned count = 0;

	for (char *item = strtok(text, ","); item != NULL && count < POINTS_MAX;
		item = strtok(NULL, ","))
		list[count++] = (uint32_t)strtoul(item, NULL, 10);
	return count;
}

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"memif", 1, NULL, 'm'}, {"socket", 1, NULL, 's'},
		{"echo", 0, NULL, 'e'}, {"sessions", 1, NULL, 'n'}, {"latency", 1, NULL, 'l'},
		{"mixed", 0, NULL, 'x'}, {"trial", 1, NULL, 0}, {"confirm", 1, NULL, 1},
		{"repeat", 1, NULL, 2}, {"arena", 1, NULL, 3}, {"ring", 1, NULL, 4},
		{"cpu", 1, NULL, 5}, {"rate", 1, NULL, 6}, {NULL, 0, NULL, 0}};
	unsigned *numbers[] = {&options->trial_ms, &options->confirm_ms, &options->repeat,
		&options->arena_mb, &options->ring, &options->cpu, &options->rate};
	int found;

	while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (found < 7)
			*numbers[found] = (unsigned)strtoul(optarg, NULL, 10);
		else if (found == 'm')
			options->memif = optarg;
		else if (found == 's')
			options->socket = optarg;
		else if (found == 'e')
			options->echo = true;
		else if (found == 'x')
			options->mixed = true;
		else if (found == 'n')
			options->points = read_list(optarg, options->sessions);
		else if (found == 'l')
			options->latencies = read_list(optarg, options->latency);
		else
			return false;
	}
	return optind == argc && options->memif != NULL && options->points > 0 &&
	       (options->echo || options->socket != NULL) && options->repeat > 0 &&
	       options->repeat <= REPEATS_MAX && options->trial_ms > 0 && options->confirm_ms > 0;
}

/* What is measured at once. */
struct point {
	uint32_t sessions;
	unsigned payload;
	bool mixed, latency;
};

static struct options options = {.sessions = {64},
	.points = 1,
	.latency = {64},
	.latencies = 1,
	.trial_ms = 400,
	.confirm_ms = 1000,
	.repeat = 3,
	.arena_mb = 2048,
	.ring = 13};
static struct feed feed;
static uint32_t echo_made; /* an echo may have the same packets again */

static bool
run(const struct point *point, double mpps, unsigned ms, struct feed_result *result)
{
	uint32_t n = (uint32_t)(mpps * 1e3 * ms);

	if (!feed.echo)
		n = feed_packets_make(&feed, n, point->payload, point->mixed);
	else if (n > echo_made)
		n = echo_made;
	feed_trial(&feed, n, mpps, result);
	return result->packets > 0 && result->lost == 0 && result->strange == 0 && !result->behind;
}

/* The highest rate, in Mpps, of which a trial lost nothing. One that loses is tried once more: a
 * neighbour on the same machine may have had the core meanwhile. */
static double
search(const struct point *point)
{
	double low = LEAST_MPPS, high = MOST_MPPS;
	struct feed_result result;

	while (high / low > RESOLUTION) {
		double middle = sqrt(low * high);
		if (run(point, middle, options.trial_ms, &result) ||
			run(point, middle, options.trial_ms, &result))
			low = middle;
		else
			high = middle;
	}
	return low;
}

struct confirmed {
	double ns_per_packet;
	double stage[16]; /* cycles a packet */
	struct feed_counters after;
	uint32_t verified;
	double core_share;
	struct feed_latency latency;
};

/* One run that counts: without loss, and judged. */
static bool
confirm(const struct point *point, double mpps, struct confirmed *out)
{
	struct feed_counters before = {0};
	struct feed_result result;

	memset(out, 0, sizeof(*out));
	if (!feed.echo && feed_read_counters(&feed, &before) != 0)
		exit(1);
	bool good = run(point, mpps, options.confirm_ms, &result);
	if (!feed.echo && feed_read_counters(&feed, &out->after) != 0)
		exit(1);
	if (!good)
		return false;
	/* an echo's frames are ours, bit by bit */
	uint32_t bad =
		feed.echo ? feed_compare(&feed, result.samples) : feed_judge(&feed, result.samples);
	if (bad > 0 || result.samples * 256 < result.packets) {
		fprintf(stderr, "feed: of %u packets that were looked at %u were wrong\n",
			result.samples, bad);
		exit(1);
	}
	out->verified = result.samples;
	out->core_share = result.core_share;
	out->latency = result.latency;
	uint64_t packets = out->after.packets - before.packets;
	double sampled = (double)(out->after.sampled - before.sampled);
	if (packets > 0)
		out->ns_per_packet = (double)(out->after.busy_cycles - before.busy_cycles) * 1e9 /
		                     (double)rte_get_tsc_hz() / (double)packets;
	for (unsigned i = 0; i < out->after.stages && sampled > 0; i++)
		out->stage[i] = (out->after.stage[i] - before.stage[i]) / sampled;
	return true;
}

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
	return values[n / 2];
}

static json_t *
latency_json(const struct feed_latency *latency)
{
	return json_pack(
		"{s:f, s:f, s:f}", "p50", latency->p50, "p99", latency->p99, "p999", latency->p999);
}

/* Latencies at a share of the highest rate: of each the median of the runs. */
static void
add_latency(json_t *out, const char *name, const struct point *point, double mpps)
{
	struct confirmed one;
	double p50[REPEATS_MAX], p99[REPEATS_MAX], p999[REPEATS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < 2 * options.repeat && n < options.repeat; i++)
		if (confirm(point, mpps, &one)) {
			p50[n] = one.latency.p50;
			p99[n] = one.latency.p99;
			p999[n] = one.latency.p999;
			n++;
		}
	if (n == 0)
		return;
	struct feed_latency middle = {median(p50, n), median(p99, n), median(p999, n)};
	json_object_set_new(out, name, latency_json(&middle));
}

static json_t *
describe(const struct point *point, struct confirmed runs[], unsigned n, double mpps)
{
	double ns[REPEATS_MAX], share = 1, stage[REPEATS_MAX];
	uint32_t verified = 0;
	json_t *stages = json_object(), *out;

	for (unsigned i = 0; i < n; i++) {
		ns[i] = runs[i].ns_per_packet;
		verified += runs[i].verified;
		share = runs[i].core_share < share ? runs[i].core_share : share;
	}
	double middle = median(ns, n);
	for (unsigned k = 0; k < runs[0].after.stages; k++) {
		for (unsigned i = 0; i < n; i++)
			stage[i] = runs[i].stage[k];
		json_object_set_new(
			stages, runs[0].after.stage_name[k], json_real(median(stage, n)));
	}
	out = json_pack("{s:i, s:i, s:s, s:f, s:i, s:f, s:f, s:i, s:f, s:o}", "sessions",
		(int)point->sessions, "workers", 1, "port", "memif", "mpps", mpps, "loss", 0,
		"ns_per_packet", middle, "spread", middle > 0 ? (ns[n - 1] - ns[0]) / middle : 0,
		"verified", (int)verified, "core_share", share, "stages", stages);
	json_object_set_new(
		out, "payload", point->mixed ? json_string("mixed") : json_integer(point->payload));
	return out;
}

static json_t *
measure(const struct point *point)
{
	struct confirmed runs[REPEATS_MAX];
	unsigned n = 0, failures = 0;

	double mpps = options.rate > 0 ? options.rate / 1e3 : search(point);
	for (unsigned tries = 0; n < options.repeat; tries++) {
		if (tries == CONFIRMS_MAX) {
			fprintf(stderr,
				"feed: no rate without loss could be confirmed with %u "
				"sessions\n",
				point->sessions);
			return NULL;
		}
		if (confirm(point, mpps, &runs[n])) {
			n++;
		} else if (++failures == TRIES) {
			mpps *= STEP_DOWN;
			failures = n = 0;
		}
	}
	json_t *out = describe(point, runs, n, mpps);
	fprintf(stderr, "feed: %s%u sessions%s: %.2f Mpps, %.0f ns a packet\n",
		feed.echo ? "echo, " : "", point->sessions, point->mixed ? ", mixed sizes" : "",
		mpps, json_number_value(json_object_get(out, "ns_per_packet")));
	if (point->latency) {
		add_latency(out, "latency_us", point, mpps / 2);
		add_latency(out, "latency_90_us", point, mpps * 0.9);
	}
	return out;
}

static bool
wants_latency(uint32_t sessions)
{
	for (unsigned i = 0; i < options.latencies; i++)
		if (options.latency[i] == sessions)
			return true;
	return false;
}

static bool
measure_relay(json_t *points)
{
	for (unsigned i = 0; i < options.points; i++) {
		struct point point = {.sessions = options.sessions[i],
			.payload = 160,
			.latency = wants_latency(options.sessions[i])};
		if (feed_install(&feed, point.sessions) < 0)
			return false;
		json_t *entry = measure(&point);
		if (entry == NULL)
			return false;
		json_array_append_new(points, entry);
		if (i > 0 || !options.mixed)
			continue;
		point.mixed = true;
		entry = measure(&point);
		if (entry == NULL)
			return false;
		json_array_append_new(points, entry);
	}
	return true;
}

#define TIMED 20000 /* sessions, whose installing and deleting is timed */

static json_t *
measure_sessions(void)
{
	uint32_t before = feed.sessions;
	double install = feed_install(&feed, before + TIMED);
	double delete = feed_delete(&feed, before, before + TIMED);

	if (install <= 0 || delete <= 0)
		return NULL;
	feed.sessions = before;
	return json_pack("{s:f, s:f, s:I, s:I}", "install_per_s", TIMED / install, "delete_per_s",
		TIMED / delete, "bytes_per_session", (json_int_t)feed_session_bytes(&feed),
		"installed", (json_int_t)(before + TIMED));
}

static void
start_eal(void)
{
	char lcores[32], prefix[64];

	snprintf(lcores, sizeof(lcores), "--lcores=0@%u", options.cpu);
	snprintf(prefix, sizeof(prefix), "--file-prefix=feed-%d", (int)getpid());
	char *args[] = {(char *)(uintptr_t) "feed", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "256", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", lcores, prefix};
	if (rte_eal_init(RTE_DIM(args), args) < 0)
		exit(1);
}

static bool
prepare(void)
{
	const char *reason = "";
	uint32_t most = options.sessions[options.points - 1] + TIMED;

	feed.echo = options.echo;
	feed.random = 88172645463325252ULL;
	feed.pool = rte_pktmbuf_pool_create(
		"feed", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	feed.engine = engine_select("auto", &reason);
	if (feed.engine != NULL)
		feed.engine_state = feed.engine->create();
	if (feed.pool == NULL || feed.engine_state == NULL ||
		relay_ip_parse("198.51.100.100", 14, &feed.far) != 0 ||
		feed_allocate(&feed, most, (size_t)options.arena_mb << 20) != 0) {
		fprintf(stderr, "feed: out of memory %s\n", reason);
		return false;
	}
	feed_port_open(&feed, options.memif, options.ring);
	return feed.echo || feed_connect(&feed, options.socket) == 0;
}

int
main(int argc, char **argv)
{
	json_t *points = json_array(), *sessions = NULL;
	bool good;

	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	start_eal();
	if (feed_judge_init() != 0 || !prepare())
		return 1;
	if (feed.echo) {
		struct point point = {.sessions = 64, .payload = 160, .latency = true};
		good = feed_streams_make(&feed, 0, point.sessions) == 0;
		feed.sessions = point.sessions;
		echo_made = feed_packets_make(&feed, UINT32_MAX, point.payload, false);
		json_t *entry = good ? measure(&point) : NULL;
		good = entry != NULL && json_array_append_new(points, entry) == 0;
	} else {
		good = measure_relay(points);
		sessions = good ? measure_sessions() : NULL;
	}
	json_t *out = json_pack("{s:o}", "points", points);
	if (sessions != NULL)
		json_object_set_new(out, "sessions", sessions);
	json_dumpf(out, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(out);
	relay_client_close(feed.client);
	rte_eth_dev_stop(feed.port);
	rte_eal_cleanup();
	return good ? 0 : 1;
}
