/* SPDX-License-Identifier: BSD-3-Clause */
/* feed: how many packets a second a relay, or an echo, takes without loss, what each costs it, and
 * how long it keeps them: see feed.h. */
#include "feed.h"

#include "dataplane/port_rings.h"
#include "echo.h"

#include <getopt.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MBUFS 32767
#define REPEATS_MAX 9
#define POINTS_MAX 16
#define TIMED 20000 /* sessions, whose installing and deleting is timed */

static const char usage[] =
	"Usage: feed (--memif FILE --echo-memif FILE | --rings NAME)\n"
	"            --socket FILE --relay-pid N --echo-control FILE --echo-pid N [OPTION]...\n"
	"\n"
	"Searches the highest rate without loss (RFC 2544) of a relay on the serving end of a "
	"memif\n"
	"pair, or of rings in its shared memory NAME, and measures there, in turns with "
	"bench/echo\n"
	"on another pair. Run it by bench/datapath.sh.\n"
	"\n"
	"  --socket FILE     of the relay API: sessions are installed by it\n"
	"  --sessions N,...  points, growing (default 64)\n"
	"  --latency N,...   of these, with latencies (default 64)\n"
	"  --mixed           and 64 sessions with 10 % mixed sizes\n"
	"  --workers N       of the relay: as many queues\n"
	"  --trial MS        of the search (default 400)\n"
	"  --confirm MS      of what is reported (default 1000)\n"
	"  --latencies MS    of latencies (default 1000)\n"
	"  --repeat N        of what is reported (default 3)\n"
	"  --arena MB        for packets (default 2048)\n"
	"  --ring N          log2 of the memif rings' slots (default 13)\n"
	"  --rate KPPS       no search: this many thousand packets a second\n"
	"  --raw FILE        bench/crypto --serve answers there: it has a turn, too\n"
	"  --cpu N           run on this CPU (default 0)\n"
	"\n"
	"Prints JSON. Exit status: 0 measured; 1 not; 2 wrong usage.\n";

struct options {
	const char *memif, *socket, *echo_memif, *echo_control, *rings, *raw;
	bool mixed;
	uint32_t sessions[POINTS_MAX], latency[POINTS_MAX];
	unsigned points, latencies;
	unsigned arena_mb, ring, cpu, rate, workers, relay_pid, echo_pid;
	struct feed_plan plan;
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
is_complete(const struct options *options)
{
	bool memif = options->memif != NULL && options->echo_memif != NULL;

	return options->echo_control != NULL && options->echo_pid > 0 && options->socket != NULL &&
	       options->relay_pid > 0 && memif == (options->rings == NULL) && options->points > 0 &&
	       options->workers > 0 && options->workers <= FEED_QUEUES_MAX &&
	       (memif || options->workers == 1) && options->plan.repeat > 0 &&
	       options->plan.repeat <= REPEATS_MAX && options->plan.trial_ms > 0 &&
	       options->plan.confirm_ms > 0 && options->plan.latency_ms > 0;
}

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const char *const names[] = {"memif", "socket", "echo-memif", "echo-control",
		"rings", "raw", "trial", "confirm", "latencies", "repeat", "arena", "ring", "cpu",
		"rate", "workers", "relay-pid", "echo-pid", "sessions", "latency", "mixed"};
	const char **texts[] = {&options->memif, &options->socket, &options->echo_memif,
		&options->echo_control, &options->rings, &options->raw};
	unsigned *numbers[] = {&options->plan.trial_ms, &options->plan.confirm_ms,
		&options->plan.latency_ms, &options->plan.repeat, &options->arena_mb,
		&options->ring, &options->cpu, &options->rate, &options->workers,
		&options->relay_pid, &options->echo_pid};
	enum {
		FIRST_NUMBER = RTE_DIM(texts),
		SESSIONS = FIRST_NUMBER + RTE_DIM(numbers),
		LATENCY,
		MIXED
	};
	struct option known[RTE_DIM(names) + 1] = {{0}};
	int found;

	for (int i = 0; i < (int)RTE_DIM(names); i++)
		known[i] = (struct option){names[i], i != MIXED, NULL, i};
	while ((found = getopt_long(argc, argv, "", known, NULL)) >= 0 && found != '?') {
		if (found < FIRST_NUMBER)
			*texts[found] = optarg;
		else if (found < SESSIONS)
			*numbers[found - FIRST_NUMBER] = (unsigned)strtoul(optarg, NULL, 10);
		else if (found == SESSIONS)
			options->points = read_list(optarg, options->sessions);
		else if (found == LATENCY)
			options->latencies = read_list(optarg, options->latency);
		else
			options->mixed = true;
	}
	options->plan.mpps = options->rate / 1e3;
	return found == -1 && optind == argc && is_complete(options);
}

static struct options options = {.sessions = {64},
	.points = 1,
	.latency = {64},
	.latencies = 1,
	.arena_mb = 2048,
	.ring = 13,
	.workers = 1,
	.plan = {.trial_ms = 400, .confirm_ms = 1000, .latency_ms = 1000, .repeat = 3}};
static struct feed feed;

static bool
wants_latency(uint32_t sessions)
{
	for (unsigned i = 0; i < options.latencies; i++)
		if (options.latency[i] == sessions)
			return true;
	return false;
}

static bool
add_point(json_t *points, const struct feed_point *point)
{
	json_t *entry = feed_measure(&feed, &options.plan, point);

	return entry != NULL && json_array_append_new(points, entry) == 0;
}

static bool
measure_relay(json_t *points)
{
	feed_peer_choose(&feed, &feed.relay);
	for (unsigned i = 0; i < options.points; i++) {
		struct feed_point point = {.sessions = options.sessions[i],
			.payload = 160,
			.latency = wants_latency(options.sessions[i])};
		if (feed_install(&feed, point.sessions) < 0 || !add_point(points, &point))
			return false;
		if (i > 0 || !options.mixed)
			continue;
		point.mixed = true;
		if (!add_point(points, &point))
			return false;
	}
	return true;
}

/* Of the echo alone. Afterwards the relay's streams have forgotten where they were. */
static json_t *
measure_echo(void)
{
	struct feed_point point = {.sessions = 64, .payload = 160};
	uint32_t sessions = feed.sessions;

	if (sessions == 0 && feed_streams_make(&feed, 0, point.sessions) != 0)
		return NULL;
	feed.sessions = point.sessions;
	/* of an unknown rate, as many as there is room for */
	double most = options.plan.mpps > 0 ? options.plan.mpps * 1e3 * options.plan.confirm_ms
	                                    : UINT32_MAX;
	feed.made = feed_packets_make(&feed, (uint32_t)most, point.payload, false);
	json_t *found = feed_measure_echo(&feed, &options.plan, &point);
	feed.sessions = sessions;
	return found;
}

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

/* Secondary to the relay, for its rings. */
static void
start_eal(void)
{
	char lcores[32], prefix[320];
	const char *args[16] = {
		"feed", "--no-pci", "--no-telemetry", "--log-level=error", lcores, prefix};
	int used = 6;

	snprintf(lcores, sizeof(lcores), "--lcores=%u@%u",
		options.rings != NULL ? ECHO_FEED_LCORE : 0, options.cpu);
	if (options.rings != NULL) {
		snprintf(prefix, sizeof(prefix), "--file-prefix=%s", options.rings);
		args[used++] = "--proc-type=secondary";
	} else {
		snprintf(prefix, sizeof(prefix), "--file-prefix=feed-%d", (int)getpid());
		args[used++] = "--no-huge";
		args[used++] = "-m";
		args[used++] = "256";
		args[used++] = "--no-shconf";
	}
	if (rte_eal_init(used, (char **)(uintptr_t)args) < 0)
		exit(1);
}

static void
open_peers(void)
{
	feed.relay = (struct feed_peer){.queues = options.workers};
	feed.echo = (struct feed_peer){.is_echo = true, .queues = options.workers};
	feed_peer_open_control(&feed.echo, options.echo_control);
	feed.echo.pid = (pid_t)options.echo_pid;
	feed.raw = -1;
	if (options.raw != NULL)
		feed_raw_open(&feed, options.raw);
	feed.relay.pid = (pid_t)options.relay_pid;
	if (options.rings != NULL) {
		feed_peer_open_rings(&feed, &feed.relay);
		feed_peer_open_rings(&feed, &feed.echo);
		return;
	}
	feed_peer_open_memif(&feed, &feed.relay, options.memif, options.ring);
	feed_peer_open_memif(&feed, &feed.echo, options.echo_memif, options.ring);
}

static bool
prepare(void)
{
	const char *reason = "";
	uint32_t most = options.sessions[options.points - 1] + TIMED;

	feed.random = 88172645463325252ULL;
	feed.patient = options.rate > 0;
	feed.pool = options.rings != NULL
	                    ? rte_mempool_lookup(PORT_RINGS_POOL)
	                    : rte_pktmbuf_pool_create("feed", MBUFS, 256, 0,
				      RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	feed.engine = engine_select("auto", &reason);
	if (feed.engine != NULL)
		feed.engine_state = feed.engine->create();
	if (feed.pool == NULL || feed.engine_state == NULL ||
		relay_ip_parse("198.51.100.100", 14, &feed.far) != 0 ||
		feed_allocate(&feed, most, (size_t)options.arena_mb << 20) != 0) {
		fprintf(stderr, "feed: out of memory %s\n", reason);
		return false;
	}
	open_peers();
	return feed_connect(&feed, options.socket) == 0;
}

int
main(int argc, char **argv)
{
	json_t *points = json_array(), *echo, *sessions = NULL;
	bool good;

	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	start_eal();
	if (feed_judge_init() != 0 || !prepare())
		return 1;
	good = measure_relay(points);
	sessions = good ? measure_sessions() : NULL;
	echo = good ? measure_echo() : NULL;
	json_t *out = json_pack(
		"{s:o, s:o*, s:o*}", "points", points, "sessions", sessions, "echo", echo);
	json_dumpf(out, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(out);
	relay_client_close(feed.client);
	feed_peers_close(&feed);
	rte_eal_cleanup();
	return good ? 0 : 1;
}
