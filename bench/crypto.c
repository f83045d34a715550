/* SPDX-License-Identifier: BSD-3-Clause */
/* crypto: which points are measured, with whom, and the result as JSON. */
#include "crypto.h"

#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SESSIONS_MOST 400000
#define ROUNDS_QUICK 7
#define ROUNDS_FULL 15
#define PACKETS 32768
#define PACKETS_WIDE 131072 /* with many sessions: their keys are then more than the caches hold */
#define WIDE_ABOVE 10000

static const char usage[] =
	"Usage: crypto [OPTION]...\n"
	"\n"
	"Measures what SRTP's crypto costs on one core: verify and decrypt a packet with one "
	"leg's\n"
	"key, encrypt it and make its tag with the other's. Contestants are ipsec-mb called\n"
	"straight (raw-ipsec-mb, by the best of its interfaces), each engine of the relay that "
	"this\n"
	"CPU can run, and libsrtp2. They take turns on the same packets, several rounds; each "
	"byte\n"
	"that they make is compared, and one packet in 256 is read by libsrtp2.\n"
	"\n"
	"  --quick          fewer points and rounds: done in under 150 seconds\n"
	"  --core N         run on this core (default: the last)\n"
	"  --suite NAME     only this suite\n"
	"  --payload BYTES  only this payload\n"
	"  --sessions N     only so many sessions\n"
	"  --burst N        only packets handed over N at once\n"
	"  --serve FILE     instead: measure raw-ipsec-mb at one point (160 bytes, 64 sessions,\n"
	"                   unless told otherwise) each time that it is asked at this local\n"
	"                   socket, as bench/datapath.sh does\n"
	"  --ways           say on stderr what each way to call ipsec-mb took in its trial\n"
	"  --help           this text\n"
	"\n"
	"Prints JSON on stdout, of each point and contestant the median of its rounds in\n"
	"ns_per_packet and (max - min) / median in spread; what it does, on stderr. Examples:\n"
	"\n"
	"  crypto --quick --core 1 > crypto.json\n"
	"  crypto --suite AES_CM_128_HMAC_SHA1_80 --payload 160 --sessions 64 --burst 64\n"
	"\n"
	"Exit status: 0 measured; 1 something failed, or was wrong; 2 wrong use; 77 this CPU can\n"
	"run none of it.\n";

struct options {
	bool quick, ways;
	const char *serve;
	unsigned core;
	enum relay_suite suite; /* RELAY_SUITE_NONE and 0: all */
	unsigned payload, sessions, burst;
};

void
fail(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	fprintf(stderr, "\ncrypto: ");
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n");
	va_end(list);
	exit(1);
}

static void __attribute__((noreturn)) misused(const char *what)
{
	fprintf(stderr, "crypto: %s: see crypto --help\n", what);
	exit(2);
}

static unsigned
read_number(const char *text, unsigned least, unsigned most, const char *what)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number < least || number > most)
		misused(what);
	return (unsigned)number;
}

static void
read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"quick", no_argument, NULL, 'q'},
		{"core", required_argument, NULL, 'c'}, {"suite", required_argument, NULL, 's'},
		{"payload", required_argument, NULL, 'p'},
		{"sessions", required_argument, NULL, 'n'}, {"burst", required_argument, NULL, 'b'},
		{"ways", no_argument, NULL, 'w'}, {"serve", required_argument, NULL, 'e'},
		{"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int found;

	while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (found) {
		case 'q':
			options->quick = true;
			break;
		case 'c':
			options->core = read_number(optarg, 0, CPU_SETSIZE - 1,
				"--core takes the number of a core, from 0");
			break;
		case 's':
			options->suite = relay_suite_by_name(optarg, strlen(optarg));
			if (options->suite != RELAY_SUITE_AES_CM_128_HMAC_SHA1_80 &&
				options->suite != RELAY_SUITE_AEAD_AES_128_GCM)
				misused("--suite takes AES_CM_128_HMAC_SHA1_80 or "
					"AEAD_AES_128_GCM");
			break;
		case 'p':
			options->payload =
				read_number(optarg, 1, 1400, "--payload takes 1 to 1400 bytes");
			break;
		case 'n':
			options->sessions = read_number(
				optarg, 1, SESSIONS_MOST, "--sessions takes 1 to 400000");
			break;
		case 'b':
			options->burst =
				read_number(optarg, 1, BURST_MAX, "--burst takes 1 to 64 packets");
			break;
		case 'e':
			options->serve = optarg;
			break;
		case 'w':
			options->ways = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			exit(2);
		}
	}
	if (optind != argc)
		misused("it takes options only");
}

/* --- the points --- */

struct plan {
	struct point point[256];
	unsigned count;
};

static bool
is_wanted(const struct options *options, const struct point *point)
{
	return (options->suite == RELAY_SUITE_NONE || options->suite == point->suite) &&
	       (options->payload == 0 || options->payload == point->payload) &&
	       (options->sessions == 0 || options->sessions == point->sessions) &&
	       (options->burst == 0 || options->burst == point->burst);
}

static void
add_point(struct plan *plan, const struct options *options, struct point point)
{
	if (is_wanted(options, &point))
		plan->point[plan->count++] = point;
}

static void
plan_suite(struct plan *plan, const struct options *options, enum relay_suite suite)
{
	static const unsigned payloads[] = {160, 20, 80, 320, 1200};
	static const unsigned sessions[] = {64, 1000, 10000, 100000, 400000};
	static const unsigned bursts[] = {1, 2, 3, 4, 6, 8, 12, 15};

	for (unsigned s = 0; s < 5; s++)
		for (unsigned p = 0; p < 5; p++)
			if (!options->quick || s == 0 || p == 0)
				add_point(plan, options,
					(struct point){suite, payloads[p], sessions[s], BURST_MAX});
	if (suite != RELAY_SUITE_AES_CM_128_HMAC_SHA1_80)
		return;
	for (unsigned b = 0; b < 8; b++)
		if (!options->quick || bursts[b] == 1 || bursts[b] == 2 || bursts[b] == 4 ||
			bursts[b] == 8 || bursts[b] == 15)
			add_point(plan, options,
				(struct point){suite, payloads[0], sessions[0], bursts[b]});
}

/* A point that is named in full is measured even if it is none of the usual. */
static void
make_plan(struct plan *plan, const struct options *options)
{
	static const enum relay_suite suites[] = {
		RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, RELAY_SUITE_AEAD_AES_128_GCM};

	for (unsigned i = 0; i < 2; i++)
		plan_suite(plan, options, suites[i]);
	if (plan->count > 0)
		return;
	if (options->payload == 0 || options->sessions == 0)
		misused("no usual point is so: name --payload and --sessions");
	for (unsigned i = 0; i < 2; i++)
		add_point(plan, options,
			(struct point){suites[i], options->payload, options->sessions,
				options->burst != 0 ? options->burst : BURST_MAX});
}

/* --- the run --- */

static double
seconds_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static unsigned
gather(struct contestant contestants[CONTESTANTS_MAX], const struct options *options,
	unsigned rounds)
{
	static const char *const engine_names[] = {"ipsec-mb", "avx2", "avx512"};
	unsigned count = 0;

	/* the first one's output is what the others' is compared with */
	count += raw_contestant(&contestants[count], options->ways);
	for (unsigned i = 0; i < 3; i++)
		count += engine_contestant(&contestants[count], engine_names[i]);
	if (count == 0)
		exit(77);
	count += oracle_contestant(&contestants[count], options->quick ? 1000 : 10000, rounds);
	return count;
}

static unsigned
packets_for(const struct point *point)
{
	return point->sessions > WIDE_ABOVE ? PACKETS_WIDE : PACKETS;
}

static void
run_suite(const struct plan *plan, enum relay_suite suite, struct contestant *contestants,
	unsigned count, struct pool *pool, unsigned rounds, json_t *results)
{
	struct sessions sessions;
	unsigned most = 0;
	double begun = seconds_now();

	for (unsigned i = 0; i < plan->count; i++)
		if (plan->point[i].suite == suite && plan->point[i].sessions > most)
			most = plan->point[i].sessions;
	if (most == 0)
		return;
	sessions_create(&sessions, suite, most);
	fprintf(stderr, "crypto: %u keys of %s made in %.1f s; memory: %s\n", 2 * most,
		relay_suite_info(suite)->name, seconds_now() - begun, memory_describe());
	for (unsigned i = 0; i < plan->count; i++) {
		const struct point *point = &plan->point[i];
		if (point->suite != suite)
			continue;
		fprintf(stderr, "%u/%u %s payload %u, %u sessions, burst %u:", i + 1, plan->count,
			relay_suite_info(suite)->name, point->payload, point->sessions,
			point->burst);
		pool_fill(pool, point, &sessions, packets_for(point));
		measure_point(contestants, count, pool, rounds, results);
	}
	sessions_destroy(&sessions);
}

static void
reserve(struct pool *pool, const struct plan *plan)
{
	unsigned packets = 0, payload = 0;

	for (unsigned i = 0; i < plan->count; i++) {
		const struct point *point = &plan->point[i];
		packets = packets_for(point) > packets ? packets_for(point) : packets;
		payload = point->payload > payload ? point->payload : payload;
	}
	pool_reserve(pool, packets, payload);
}

static json_t *
choose_engine(void)
{
	const char *reason = "";
	const struct crypto_engine *engine = engine_select("auto", &reason);

	return engine == NULL ? json_null()
	                      : json_pack("{s:s, s:s}", "chosen", engine->name, "why", reason);
}

int
main(int argc, char **argv)
{
	struct options options = {.core = (unsigned)sysconf(_SC_NPROCESSORS_ONLN) - 1};
	struct contestant contestants[CONTESTANTS_MAX];
	static struct plan plan;
	static struct pool pool;
	json_t *results = json_array(), *out;
	const char *run = getenv("SALLYPORT_LAB_RUN");
	double begun = seconds_now();
	cpu_set_t cores;

	read_options(argc, argv, &options);
	CPU_ZERO(&cores);
	CPU_SET(options.core, &cores);
	if (sched_setaffinity(0, sizeof(cores), &cores) != 0)
		misused("this process may not run on that core (--core)");
	memory_serve_keys();
	if (options.serve != NULL) {
		crypto_serve(options.serve,
			&(struct point){.suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80,
				.payload = options.payload != 0 ? options.payload : 160,
				.sessions = options.sessions != 0 ? options.sessions : 64,
				.burst = options.burst != 0 ? options.burst : BURST_MAX});
		return 0;
	}
	make_plan(&plan, &options);
	unsigned rounds = options.quick ? ROUNDS_QUICK : ROUNDS_FULL;
	unsigned count = gather(contestants, &options, rounds);
	json_t *engine = choose_engine();
	reserve(&pool, &plan);
	run_suite(&plan, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, contestants, count, &pool, rounds,
		results);
	run_suite(&plan, RELAY_SUITE_AEAD_AES_128_GCM, contestants, count, &pool, rounds, results);
	out = json_pack("{s:o, s:o, s:f}", "crypto", results, "engine", engine, "seconds",
		seconds_now() - begun);
	if (run != NULL)
		json_object_set_new(out, "run", json_string(run));
	json_dumpf(out, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(out);
	fprintf(stderr, "crypto: done in %.0f s\n", seconds_now() - begun);
	return 0;
}
