/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo: what a port itself costs. It receives a burst, swaps the addresses and sends: over the same
 * kind of memif, with the same rings and buffers, from the same memory as the relay; or over a pair
 * of rte_rings in the relay's own memory, which it shares with feed.
 */
#include "echo_loop.h"

#include "dataplane/port_rings.h"

#include <getopt.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_launch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MBUFS 65535
#define ENDS_MAX 2

static const char usage[] =
	"Usage: echo (--device ARGS | --rings NAME) --control FILE --cpu N[,N]\n"
	"\n"
	"Sends back what comes by a device (\"net_memif0,role=server,...\"), or by a pair of "
	"rings\n"
	"in the memory of the relay whose media.shared_memory is NAME; with the addresses "
	"swapped,\n"
	"until SIGTERM. Each CPU serves a queue. feed orders it by the control socket. Run it by\n"
	"bench/datapath.sh.\n";

struct options {
	const char *device, *rings, *control, *cpus;
};

static struct echo_end ends[ENDS_MAX];

static void
on_signal(int number)
{
	(void)number;
	echo_stop();
}

static bool
read_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {{"device", required_argument, NULL, 0},
		{"rings", required_argument, NULL, 1}, {"control", required_argument, NULL, 2},
		{"cpu", required_argument, NULL, 3}, {NULL, 0, NULL, 0}};
	const char **texts[] = {
		&options->device, &options->rings, &options->control, &options->cpus};
	int found;

	while ((found = getopt_long(argc, argv, "", known, NULL)) >= 0 && found != '?')
		*texts[found] = optarg;
	if (found != -1 || optind != argc || options->control == NULL || options->cpus == NULL)
		return false;
	/* there is one pair of rings, so one CPU serves it */
	return options->device != NULL
	               ? options->rings == NULL
	               : options->rings != NULL && strchr(options->cpus, ',') == NULL;
}

/* How many lcores: one for each CPU named, "1,2". */
static unsigned
name_lcores(const char *cpus, unsigned first, char *text, size_t size)
{
	unsigned count = 0;
	size_t used = (size_t)snprintf(text, size, "--lcores=");

	for (const char *next = cpus; next != NULL && count < ENDS_MAX && used < size; count++) {
		used += (size_t)snprintf(text + used, size - used, "%s%u@%lu", count > 0 ? "," : "",
			first + count, strtoul(next, NULL, 10));
		next = strchr(next, ',');
		next += next != NULL;
	}
	return count;
}

/* Returns how many lcores there are. */
static unsigned
start_eal(const struct options *options)
{
	char lcores[64], where[320];
	unsigned count = name_lcores(
		options->cpus, options->rings != NULL ? ECHO_LCORE : 0, lcores, sizeof(lcores));
	const char *args[16] = {
		"echo", lcores, "--no-pci", "--no-telemetry", "--log-level=error", where};
	int used = 6;

	if (options->device != NULL) {
		snprintf(where, sizeof(where), "--vdev=%s", options->device);
		args[used++] = "--in-memory";
		args[used++] = "--single-file-segments";
		args[used++] = "-m";
		args[used++] = "256";
	} else {
		snprintf(where, sizeof(where), "--file-prefix=%s", options->rings);
		args[used++] = "--proc-type=secondary";
	}
	return rte_eal_init(used, (char **)(uintptr_t)args) < 0 ? 0 : count;
}

static bool
open_port(const char *device, uint16_t queues)
{
	struct rte_eth_conf conf = {0};
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"echo", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	char name[64];
	uint16_t id;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (pool == NULL || rte_eth_dev_get_port_by_name(name, &id) != 0 ||
		rte_eth_dev_configure(id, queues, queues, &conf) != 0)
		return false;
	for (uint16_t i = 0; i < queues; i++) {
		if (rte_eth_tx_queue_setup(id, i, 1024, 0, NULL) != 0 ||
			rte_eth_rx_queue_setup(id, i, 1024, 0, NULL, pool) != 0)
			return false;
		ends[i].port = id;
		ends[i].queue = i;
	}
	return rte_eth_dev_start(id) == 0;
}

/* One reader and one writer each, as a relay's queue would have. */
static bool
open_rings(void)
{
	const unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ;

	ends[0].in = rte_ring_create(ECHO_RING_THERE, PORT_RINGS_SLOTS, SOCKET_ID_ANY, flags);
	ends[0].out = rte_ring_create(ECHO_RING_BACK, PORT_RINGS_SLOTS, SOCKET_ID_ANY, flags);
	return ends[0].in != NULL && ends[0].out != NULL;
}

int
main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct options options = {0};

	if (!read_options(argc, argv, &options)) {
		fputs(usage, stderr);
		return 2;
	}
	unsigned count = start_eal(&options);
	if (count == 0)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (!(options.device != NULL ? open_port(options.device, (uint16_t)count) : open_rings())) {
		fprintf(stderr, "echo: %s can't be opened\n",
			options.device != NULL ? options.device : "the pair of rings");
		return 1;
	}
	int result = echo_control_start(options.control, ends, count);
	if (result != 0) {
		fprintf(stderr, "echo: %s: %s\n", options.control, strerror(-result));
		return 1;
	}
	fprintf(stderr, "echo: ready\n");
	if (count > 1)
		rte_eal_remote_launch(echo_loop, &ends[1], 1);
	echo_loop(&ends[0]);
	rte_eal_mp_wait_lcore();
	if (options.device != NULL)
		rte_eth_dev_stop(ends[0].port);
	rte_eal_cleanup();
	return 0;
}
