/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * echo: what the port itself costs. One lcore receives a burst, swaps the addresses and sends, over
 * the same kind of memif, with the same rings and buffers, from the same memory as the relay.
 *
 * Only turns that find a whole burst are timed, and after a smaller one it waits a bit: a relay at
 * its limit finds whole bursts too, and the generator's speed must not look like the port's cost.
 */
#include <getopt.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BURST 64 /* as a worker's */
#define MBUFS 32767
#define WAIT_US 15

static const char usage[] =
	"Usage: echo --device ARGS --cpu N [--seconds N]\n"
	"\n"
	"Sends back what comes by a device (\"net_memif0,role=server,...\"), with its addresses\n"
	"swapped, until SIGTERM. Prints then what a packet cost, in JSON: of whole bursts alone.\n"
	"Run it by bench/datapath.sh.\n";

static _Atomic bool stop;

static void
on_signal(int number)
{
	(void)number;
	atomic_store(&stop, true);
}

static void
swap_addresses(struct rte_mbuf *mbuf)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);
	struct rte_ether_addr mac = ether->dst_addr;
	rte_be32_t address = ip->dst_addr;
	rte_be16_t port = udp->dst_port;

	ether->dst_addr = ether->src_addr;
	ether->src_addr = mac;
	ip->dst_addr = ip->src_addr;
	ip->src_addr = address;
	udp->dst_port = udp->src_port;
	udp->src_port = port;
}

static unsigned
turn(uint16_t port)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t count = rte_eth_rx_burst(port, 0, mbufs, BURST);

	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint16_t i = 0; i < count; i++)
		swap_addresses(mbufs[i]);
	uint16_t sent = count > 0 ? rte_eth_tx_burst(port, 0, mbufs, count) : 0;
	if (sent < count)
		rte_pktmbuf_free_bulk(mbufs + sent, (unsigned)(count - sent));
	return count;
}

static void
echo(uint16_t port)
{
	uint64_t cycles = 0, packets = 0;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		uint64_t begun = rte_rdtsc();
		unsigned count = turn(port);
		uint64_t ended = rte_rdtsc();
		if (count == BURST) {
			cycles += ended - begun;
			packets += count;
		} else {
			rte_delay_us(WAIT_US);
		}
	}
	printf("{\"ns_per_packet\": %.2f, \"packets\": %lu}\n",
		packets > 0 ? (double)cycles * 1e9 / (double)rte_get_tsc_hz() / (double)packets : 0,
		(unsigned long)packets);
}

static uint16_t
open_port(const char *device, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {0};
	char name[64];
	uint16_t id;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	if (rte_eth_dev_get_port_by_name(name, &id) != 0 ||
		rte_eth_dev_configure(id, 1, 1, &conf) != 0 ||
		rte_eth_tx_queue_setup(id, 0, 1024, 0, NULL) != 0 ||
		rte_eth_rx_queue_setup(id, 0, 1024, 0, NULL, pool) != 0 ||
		rte_eth_dev_start(id) != 0) {
		fprintf(stderr, "echo: %s can't be opened\n", device);
		exit(1);
	}
	return id;
}

int
main(int argc, char **argv)
{
	static const struct option known[] = {{"device", required_argument, NULL, 'd'},
		{"cpu", required_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
	struct sigaction action = {.sa_handler = on_signal};
	const char *device = NULL;
	unsigned cpu = 0;
	char lcores[32], vdev[320];
	int found;

	while ((found = getopt_long(argc, argv, "", known, NULL)) != -1) {
		if (found == 'd')
			device = optarg;
		else if (found == 'c')
			cpu = (unsigned)strtoul(optarg, NULL, 10);
		else
			break;
	}
	if (found != -1 || device == NULL) {
		fputs(usage, stderr);
		return 2;
	}
	snprintf(lcores, sizeof(lcores), "--lcores=0@%u", cpu);
	snprintf(vdev, sizeof(vdev), "--vdev=%s", device);
	char *args[] = {(char *)(uintptr_t) "echo", (char *)(uintptr_t) "--in-memory",
		(char *)(uintptr_t) "--single-file-segments", (char *)(uintptr_t) "-m",
		(char *)(uintptr_t) "256", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--log-level=error",
		lcores, vdev};
	if (rte_eal_init(RTE_DIM(args), args) < 0)
		return 1;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	struct rte_mempool *pool = rte_pktmbuf_pool_create(
		"echo", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, (int)rte_socket_id());
	if (pool == NULL) {
		fprintf(stderr, "echo: out of memory\n");
		return 1;
	}
	uint16_t port = open_port(device, pool);
	fprintf(stderr, "echo: ready\n");
	echo(port);
	rte_eth_dev_stop(port);
	rte_eal_cleanup();
	return 0;
}
