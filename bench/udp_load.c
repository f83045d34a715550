/* SPDX-License-Identifier: BSD-3-Clause */
/* udp_load: the highest rate that a relay in another process carries without loss over kernel
 * sockets, and the CPU time that it takes for a packet at that rate. */
#include "udp_load.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>

#define RATE_FIRST 40000.0 /* packets a second */
#define RATE_LOWEST 1000.0
#define RATE_HIGHEST 4e6
#define GROWTH 1.35
#define STEP 1.05        /* of the search, in the end */
#define TRIES 2          /* of each rate, with both cores undisturbed */
#define TRIES_MOST 4     /* of each rate */
#define SHARE_LEAST 0.95 /* of a core, or another disturbed the trial */
#define REPEATS 3
#define WARM_RATE 10000.0
#define WARM_SECONDS 0.5

static const char usage[] =
	"Usage: udp_load --calls COMMAND --pid PID [OPTION]...\n"
	"\n"
	"Searches the highest rate that a relay carries without loss, and what a packet costs it.\n"
	"\n"
	"  --calls COMMAND  sets the calls up, and prints ng.py's lines\n"
	"  --pid PID        the relay's process, whose CPU time is taken\n"
	"  --core N         the core that it is pinned to (default 1)\n"
	"  --seconds N      of the measuring trials (default 5); those of the search take one\n"
	"  --burst N        packets that are due together, 1 to 64 (default 8)\n"
	"  --budget N       seconds in all (default 60)\n"
	"  --rate N         no search, only this rate\n"
	"  --note TEXT      begins the lines of progress\n"
	"\n"
	"Prints JSON. Exit status: 0 measured; 1 not; 2 wrong usage.\n";

struct options {
	const char *calls, *note;
	unsigned pid, core, seconds, burst, budget, rate;
};

struct search {
	struct traffic traffic;
	struct target target;
	const struct options *options;
	uint64_t deadline;  /* ns */
	uint64_t enough_by; /* ns: then the rate must be found, to leave time to measure at it */
	const char *limit;  /* why no more was carried */
	unsigned trials;
	/* Nothing is measured on calls that have seen an overload: rtpengine never again reads a
	 * socket that it has five times found with more than 50 packets. */
	bool worn;
	bool doubtful; /* the last rate that was not carried was tried in disturbed trials only */
};

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const char *const names[] = {
		"calls", "note", "pid", "core", "seconds", "burst", "budget", "rate"};
	const char **texts[] = {&options->calls, &options->note};
	unsigned *numbers[] = {&options->pid, &options->core, &options->seconds, &options->burst,
		&options->budget, &options->rate};
	struct option known[sizeof(names) / sizeof(*names) + 1] = {{0}};
	int found;

	for (unsigned i = 0; i < sizeof(names) / sizeof(*names); i++)
		known[i] = (struct option){names[i], required_argument, NULL, (int)i + 1};
	while ((found = getopt_long(argc, argv, "", known, NULL)) > 0 && found != '?') {
		if (found <= 2)
			*texts[found - 1] = optarg;
		else
			*numbers[found - 3] = (unsigned)strtoul(optarg, NULL, 10);
	}
	return found == -1 && optind == argc && options->calls != NULL && options->pid > 0 &&
	       options->seconds > 0 && options->burst > 0 && options->burst <= 64 &&
	       options->budget > 0;
}

static void
tell(const struct search *search, const struct outcome *outcome)
{
	fprintf(stderr, "%s: %5.1f kpps, cores had %3.0f and %3.0f %%: ", search->options->note,
		outcome->rate / 1000, outcome->own_share * 100, outcome->share * 100);
	if (outcome->carried)
		fprintf(stderr, "carried, %.0f ns a packet, p50 %.0f us, p99 %.0f us\n",
			outcome->cpu_ns, outcome->p50, outcome->p99);
	else
		fprintf(stderr, "%s (%lu of %lu missing, %.0f %% behind)\n", outcome->why,
			(unsigned long)outcome->lost, (unsigned long)outcome->sent,
			outcome->behind * 100);
}

/* Fresh calls, and their first packets, by which a relay learns what its streams are. */
static void
call(struct search *search)
{
	struct outcome outcome;

	traffic_call(&search->traffic, search->options->calls);
	trial_run(&search->traffic, &search->target, WARM_RATE, WARM_SECONDS, &outcome);
	search->worn = false;
}

static bool
disturbed(const struct outcome *outcome)
{
	return outcome->share < SHARE_LEAST || outcome->own_share < SHARE_LEAST;
}

/* Up to TRIES times, or TRIES_MOST if others had the cores; outcome is the last one's. */
static bool
carries(struct search *search, double rate, double seconds, struct outcome *outcome)
{
	unsigned fair = 0;

	for (unsigned i = 0; i < TRIES_MOST && fair < TRIES && now_ns() < search->deadline; i++) {
		if (search->worn)
			call(search);
		trial_run(&search->traffic, &search->target, rate, seconds, outcome);
		search->trials++;
		tell(search, outcome);
		if (outcome->bad > 0)
			fail("%lu packets at %.0f a second were not genuine: the relay or its keys "
			     "are wrong",
				(unsigned long)outcome->bad, rate);
		if (outcome->carried)
			return true;
		search->limit = outcome->why;
		search->worn = true;
		if (!disturbed(outcome))
			fair++;
	}
	search->doubtful = fair == 0;
	return false;
}

/* The highest rate that is carried, by steps of GROWTH and then by halves; 0: none is. A limit that
 * was found while others had the cores is looked for again. */
static double
search_rate(struct search *search)
{
	double low = 0, high = 0, rate = RATE_FIRST;
	bool doubtful = false;
	struct outcome outcome;

	while (now_ns() < search->enough_by && rate > RATE_LOWEST && rate < RATE_HIGHEST) {
		if (carries(search, rate, 1, &outcome)) {
			low = rate;
		} else {
			high = rate;
			doubtful = search->doubtful;
		}
		if (low > 0 && high > 0 && high / low <= STEP) {
			if (!doubtful)
				break;
			high = 0;
		}
		rate = low == 0 ? high / GROWTH : high == 0 ? low * GROWTH : (low + high) / 2;
	}
	return low;
}

/* REPEATS trials at one rate, all of them carried, and with the cores to themselves while there is
 * time: at `rate`, or as many steps below as that takes. Returns the rate, 0 if there is none. */
static double
measure(struct search *search, double rate, struct outcome outcomes[REPEATS])
{
	uint64_t patient = search->deadline - (search->deadline - now_ns()) / 2;
	unsigned done = 0;

	while (done < REPEATS && rate > RATE_LOWEST && now_ns() < search->deadline) {
		if (!carries(search, rate, search->options->seconds, &outcomes[done])) {
			rate /= STEP;
			done = 0;
		} else if (!disturbed(&outcomes[done]) || now_ns() > patient) {
			done++;
		}
	}
	return done == REPEATS ? rate : 0;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* The median of one member of all outcomes, which lies `offset` bytes into each; *spread may be
 * NULL. */
static double
median(const struct outcome outcomes[REPEATS], size_t offset, double *spread)
{
	double values[REPEATS];

	for (unsigned i = 0; i < REPEATS; i++)
		memcpy(&values[i], (const uint8_t *)&outcomes[i] + offset, sizeof(double));
	qsort(values, REPEATS, sizeof(*values), compare);
	double middle = values[REPEATS / 2];
	if (spread != NULL)
		*spread = middle > 0 ? (values[REPEATS - 1] - values[0]) / middle : 0;
	return middle;
}
#define MEDIAN(outcomes, member, spread) median(outcomes, offsetof(struct outcome, member), spread)

static json_t *
describe(const struct search *search, double rate, const struct outcome outcomes[REPEATS],
	const struct outcome *half)
{
	uint64_t verified = 0, lost = 0;
	double spread, cpu_ns = MEDIAN(outcomes, cpu_ns, &spread);

	for (unsigned i = 0; i < REPEATS; i++) {
		verified += outcomes[i].verified;
		lost += outcomes[i].lost;
	}
	json_t *out = json_pack("{s:i, s:i, s:f, s:f, s:f, s:I, s:I, s:i, s:f, s:{s:f, s:f, s:f}}",
		"sessions", (int)search->traffic.streams / 2, "payload", PAYLOAD_LENGTH,
		"cpu_ns_per_packet", cpu_ns, "spread", spread, "max_pps", rate, "loss_at_max",
		(json_int_t)lost, "verified", (json_int_t)verified, "trials", (int)search->trials,
		"core_share", MEDIAN(outcomes, share, NULL), "latency_us", "p50",
		MEDIAN(outcomes, p50, NULL), "p99", MEDIAN(outcomes, p99, NULL), "p999",
		MEDIAN(outcomes, p999, NULL));
	if (out == NULL)
		fail("out of memory");
	json_object_set_new(
		out, "limit", search->limit != NULL ? json_string(search->limit) : json_null());
	if (half->carried)
		json_object_set_new(out, "half",
			json_pack("{s:f, s:f, s:{s:f, s:f, s:f}}", "pps", half->rate,
				"cpu_ns_per_packet", half->cpu_ns, "latency_us", "p50", half->p50,
				"p99", half->p99, "p999", half->p999));
	return out;
}

int
main(int argc, char **argv)
{
	static struct search search;
	struct options options = {
		.note = "udp_load", .core = 1, .seconds = 5, .burst = 8, .budget = 60};
	struct outcome outcomes[REPEATS], half = {0};

	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	search.options = &options;
	search.target = (struct target){
		.pid = (int)options.pid, .core = options.core, .burst = options.burst};
	search.deadline = now_ns() + options.budget * SECOND;
	search.enough_by = now_ns() + options.budget * SECOND * 6 / 10;
	traffic_start(&search.traffic);
	search.worn = true;

	double rate = options.rate > 0 ? options.rate : search_rate(&search);
	if (rate > 0)
		rate = measure(&search, rate, outcomes);
	if (rate <= 0)
		fail("no rate was carried %d times in %u s (last: %s): is the relay up, and the "
		     "machine quiet?",
			REPEATS, options.budget, search.limit != NULL ? search.limit : "no trial");
	carries(&search, rate / 2, 1, &half);
	json_t *out = describe(&search, rate, outcomes, &half);
	json_dumpf(out, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(out);
	traffic_stop(&search.traffic);
	return 0;
}
