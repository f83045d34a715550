/* SPDX-License-Identifier: BSD-3-Clause */
/* load: many calls on a running relay, by real packets over net_memif; every one is counted at the
 * other end, its order checked, and one in `--sample` verified by OpenSSL. */
#include "load.h"

#include <getopt.h>
#include <jansson.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MBUFS 65535
#define DRAIN_MS 1000 /* for the last packets */
#define START_SECONDS 60
#define SETTLE_MS 300
#define RING 13 /* log2 of the memif rings' slots */
#define ON_THE_WAY ((1u << RING) - 1024)

static const char usage[] =
	"Usage: load --socket FILE --memif FILE [OPTION]...\n"
	"\n"
	"Puts calls on a running relay whose interface is the serving end of a net_memif pair, "
	"and\n"
	"counts what comes out of it.\n"
	"\n"
	"  --socket FILE     of the relay API\n"
	"  --memif FILE      socket of the memif pair\n"
	"  --interface NAME  of the relay (default media)\n"
	"  --far ADDRESS     the far ends' first address (default 198.51.100.10)\n"
	"  --sessions N      (default 100)\n"
	"  --rate N          packets a second of each far end (default 50)\n"
	"  --seconds N       (default 10)\n"
	"  --churn N         installs and deletes a second beside (default 0)\n"
	"  --held N          sessions that these keep (default 200)\n"
	"  --flood N         forged packets a second on the first session (default 0)\n"
	"  --sample N        verify one packet in N (default 64)\n"
	"  --payload BYTES   (default 160)\n"
	"  --suite NAME      (default AES_CM_128_HMAC_SHA1_80)\n"
	"  --cpu N           run on this CPU (default 0)\n"
	"\n"
	"Prints JSON. Exit status: 0 all came, in order, genuine; 1 not; 2 wrong usage.\n";

static int cpu;

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const char *const names[] = {"socket", "memif", "interface", "far", "suite",
		"sessions", "rate", "seconds", "churn", "flood", "sample", "payload", "held",
		"cpu"};
	const char **texts[] = {
		&options->socket, &options->memif, &options->interface, &options->far};
	unsigned *numbers[] = {&options->sessions, &options->rate, &options->seconds,
		&options->churn, &options->flood, &options->sample, &options->payload,
		&options->held, (unsigned *)&cpu};
	struct option known[RTE_DIM(names) + 1] = {{0}};
	int found;

	for (unsigned i = 0; i < RTE_DIM(names); i++)
		known[i] = (struct option){names[i], required_argument, NULL, (int)i + 1};
	while ((found = getopt_long(argc, argv, "", known, NULL)) > 0 && found != '?') {
		if (found <= 4)
			*texts[found - 1] = optarg;
		else if (found == 5)
			options->suite = relay_suite_by_name(optarg, strlen(optarg));
		else
			*numbers[found - 6] = (unsigned)strtoul(optarg, NULL, 10);
	}
	return found == -1 && optind == argc && options->socket != NULL && options->memif != NULL &&
	       options->sessions > 0 && options->rate > 0 && options->sample > 0 &&
	       options->payload > 0 && options->payload <= 1400 &&
	       options->suite != RELAY_SUITE_NONE;
}

/* The loop's state. */
struct pump {
	struct load *load;
	struct rte_mempool *pool;
	uint16_t port;
	uint64_t due;     /* packets that should have been sent by now */
	uint64_t flooded; /* and forged ones */
	uint64_t begun;   /* TSC; 0: not yet */
};

static void
receive(struct pump *pump)
{
	struct rte_mbuf *mbufs[LOAD_BURST];
	uint16_t count = rte_eth_rx_burst(pump->port, 0, mbufs, LOAD_BURST);

	for (uint16_t i = 0; i < count; i++) {
		if (streams_hear(pump->load, mbufs[i]) &&
			rte_eth_tx_burst(pump->port, 0, &mbufs[i], 1) == 1)
			continue;
		rte_pktmbuf_free(mbufs[i]);
	}
}

/* All of them, however often the port is full: a far end's packet must not be lost here. */
static void
send_all(struct pump *pump, struct rte_mbuf *mbufs[], unsigned count)
{
	unsigned sent = 0;

	while (sent < count) {
		sent += rte_eth_tx_burst(pump->port, 0, mbufs + sent, (uint16_t)(count - sent));
		if (sent < count)
			receive(pump);
	}
}

static void
send_due(struct pump *pump, double seconds)
{
	struct load *load = pump->load;
	struct rte_mbuf *mbufs[LOAD_BURST];
	/* What is on its way must fit into one ring: or a moment in which this process does not run
	 * would be the relay's loss. What is lost stays on its way, and is told in the end. */
	if (load->sent - load->heard > ON_THE_WAY)
		return;
	uint64_t due = (uint64_t)(seconds * load->options.rate * load->streams);
	unsigned count = (unsigned)RTE_MIN(due - load->sent, (uint64_t)LOAD_BURST);

	if (count > 0 && rte_pktmbuf_alloc_bulk(pump->pool, mbufs, count) == 0) {
		streams_fill(load, load->sent, mbufs, count);
		send_all(pump, mbufs, count);
		load->sent += count;
	}
	if (load->flooded < (uint64_t)(seconds * load->options.flood) &&
		rte_pktmbuf_alloc_bulk(pump->pool, mbufs, 1) == 0) {
		streams_forge(load, mbufs[0]);
		send_all(pump, mbufs, 1);
		load->flooded++;
	}
}

static bool
pump_until_ready(struct pump *pump)
{
	uint64_t limit = rte_get_tsc_cycles() + START_SECONDS * rte_get_tsc_hz();

	while (rte_get_tsc_cycles() < limit && !atomic_load(&pump->load->failed)) {
		receive(pump);
		if (!atomic_load(&pump->load->ready) || !pump->load->relay_known)
			continue;
		/* the relay's kernel has our link address; let it reach the relay */
		uint64_t settled = rte_get_tsc_cycles() + rte_get_tsc_hz() * SETTLE_MS / 1000;
		while (rte_get_tsc_cycles() < settled)
			receive(pump);
		return true;
	}
	fprintf(stderr, "load: the sessions did not get ready\n");
	return false;
}

static void
pump_all(struct pump *pump)
{
	const struct options *options = &pump->load->options;
	double hz = (double)rte_get_tsc_hz(), seconds;
	uint64_t begun = rte_get_tsc_cycles();
	unsigned told = 0;

	do {
		seconds = (double)(rte_get_tsc_cycles() - begun) / hz;
		receive(pump);
		if (seconds < options->seconds)
			send_due(pump, seconds);
		if (seconds >= told + 5) {
			told += 5;
			fprintf(stderr, "load: %u s, %lu sent, %lu heard, %lu lost\n", told,
				(unsigned long)pump->load->sent, (unsigned long)pump->load->heard,
				(unsigned long)pump->load->lost);
		}
	} while (seconds < options->seconds + DRAIN_MS / 1000.0);
}

static bool
report(const struct load *load)
{
	uint64_t missing = load->sent - RTE_MIN(load->heard, load->sent);
	bool good = !atomic_load(&load->failed) && load->sent > 0 && missing == 0 &&
	            load->disordered == 0 && load->bad == 0 && load->verified > 0;
	json_t *out = json_pack("{s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "good",
		good, "sessions", (int)load->options.sessions, "sent", (json_int_t)load->sent,
		"heard", (json_int_t)load->heard, "missing", (json_int_t)missing, "disordered",
		(json_int_t)load->disordered, "verified", (json_int_t)load->verified, "bad",
		(json_int_t)load->bad, "forged", (json_int_t)load->flooded, "installed",
		(json_int_t)atomic_load(&load->installed), "deleted",
		(json_int_t)atomic_load(&load->deleted));

	json_dumpf(out, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(out);
	return good;
}

static void
start_eal(void)
{
	char lcores[32], prefix[64];

	snprintf(lcores, sizeof(lcores), "--lcores=0@%d", cpu);
	snprintf(prefix, sizeof(prefix), "--file-prefix=load-%d", (int)getpid());
	char *args[] = {(char *)(uintptr_t) "load", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "512", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", lcores, prefix};
	if (rte_eal_init(RTE_DIM(args), args) < 0)
		exit(1);
}

int
main(int argc, char **argv)
{
	static struct load load = {.options = {.interface = "media",
					   .far = "198.51.100.10",
					   .sessions = 100,
					   .rate = 50,
					   .seconds = 10,
					   .sample = 64,
					   .payload = 160,
					   .held = 200,
					   .suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80}};
	struct pump pump = {.load = &load};
	pthread_t control;

	if (!read_options(argc, argv, &load.options)) {
		fputs(usage, stderr);
		return 2;
	}
	start_eal();
	pump.pool = rte_pktmbuf_pool_create(
		"load", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	load.engine = engine_ipsec_mb.create();
	if (pump.pool == NULL || load.engine == NULL)
		return 1;
	streams_make(&load);
	pump.port = wire_open(load.options.memif, RING, 1, pump.pool);
	rte_eth_macaddr_get(pump.port, &load.mac);
	if (pthread_create(&control, NULL, control_main, &load) != 0)
		return 1;
	if (pump_until_ready(&pump))
		pump_all(&pump);
	else
		atomic_store(&load.failed, true);
	atomic_store(&load.stop, true);
	pthread_join(control, NULL);
	bool good = report(&load);
	streams_free(&load);
	engine_ipsec_mb.destroy(load.engine);
	rte_eth_dev_stop(pump.port);
	rte_eal_cleanup();
	return good ? 0 : 1;
}
