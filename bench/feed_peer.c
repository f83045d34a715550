/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include "dataplane/port_rings.h"
#include "echo.h"

#include <errno.h>
#include <poll.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINK_SECONDS 10

/* Both ends talk before the first packet can pass: who is stopped earlier never answers. */
static bool
is_linked(uint16_t port)
{
	struct rte_eth_link link = {0};
	uint64_t limit = rte_rdtsc() + LINK_SECONDS * rte_get_tsc_hz();

	while (rte_rdtsc() < limit)
		if (rte_eth_link_get_nowait(port, &link) == 0 &&
			link.link_status == RTE_ETH_LINK_UP)
			return true;
	return false;
}

void
feed_peer_open_memif(struct feed *feed, struct feed_peer *peer, const char *memif, unsigned ring)
{
	peer->port = wire_open(memif, ring, peer->queues, feed->pool);
	if (!is_linked(peer->port)) {
		fprintf(stderr, "feed: %s: nobody is at its other end\n", memif);
		exit(1);
	}
	if (!peer->is_echo)
		rte_eth_macaddr_get(peer->port, &feed->mac);
}

void
feed_peer_open_rings(struct feed *feed, struct feed_peer *peer)
{
	char there[PORT_RINGS_TEXT] = ECHO_RING_THERE, back[PORT_RINGS_TEXT] = ECHO_RING_BACK;

	if (!peer->is_echo) {
		port_rings_name(there, ECHO_RELAY, true, 0);
		port_rings_name(back, ECHO_RELAY, false, 0);
		rte_eth_random_addr(feed->mac.addr_bytes);
	}
	peer->there = rte_ring_lookup(there);
	peer->back = rte_ring_lookup(back);
	if (peer->there != NULL && peer->back != NULL)
		return;
	fprintf(stderr, "feed: there are no rings %s and %s\n", there, back);
	exit(1);
}

static int
open_control(const char *path, const char *who)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const void *)&address, sizeof(address)) == 0)
		return fd;
	fprintf(stderr, "feed: no %s answers at %s: %s\n", who, path, strerror(errno));
	exit(1);
}

void
feed_peer_open_control(struct feed_peer *echo, const char *path)
{
	echo->control = open_control(path, "echo");
}

void
feed_raw_open(struct feed *feed, const char *path)
{
	feed->raw = open_control(path, "bench/crypto");
}

/* Copies of packets, as many as fill a ring: what sending is for this core. */
static void
work_on(const struct feed *feed)
{
	static uint8_t ring[1024][FEED_PLACE];
	static unsigned at;

	for (unsigned i = 0; i < FEED_BURST && feed->made > 0; i++, at++)
		memcpy(ring[at % 1024], feed_frame(feed, &feed->packet[at % feed->made]),
			FEED_PLACE);
	rte_compiler_barrier();
}

double
feed_raw_ask(struct feed *feed)
{
	struct pollfd answer = {.fd = feed->raw, .events = POLLIN};
	double ns = 0;

	for (unsigned i = 0; i < 2; i++) {
		pid_t pid = i == 0 ? feed->relay.pid : feed->echo.pid;
		if (pid > 0)
			kill(pid, SIGSTOP);
	}
	if (write(feed->raw, "?", 1) == 1)
		while (poll(&answer, 1, 0) == 0)
			for (unsigned i = 0; i < 100; i++)
				work_on(feed);
	if (recv(feed->raw, &ns, sizeof(ns), 0) != sizeof(ns)) {
		fprintf(stderr, "feed: bench/crypto has gone\n");
		feed_peers_release(feed);
		exit(1);
	}
	if (feed->peer->pid > 0)
		kill(feed->peer->pid, SIGCONT);
	return ns;
}

void
feed_peer_choose(struct feed *feed, struct feed_peer *peer)
{
	struct feed_peer *other = peer == &feed->relay ? &feed->echo : &feed->relay;

	if (feed->peer == peer)
		return;
	if (other->pid > 0)
		kill(other->pid, SIGSTOP);
	if (peer->pid > 0)
		kill(peer->pid, SIGCONT);
	feed->peer = peer;
}

void
feed_peers_release(const struct feed *feed)
{
	if (feed->relay.pid > 0)
		kill(feed->relay.pid, SIGCONT);
	if (feed->echo.pid > 0)
		kill(feed->echo.pid, SIGCONT);
}

void
feed_peers_close(struct feed *feed)
{
	feed_peers_release(feed);
	close(feed->echo.control);
	if (feed->echo.there != NULL)
		return;
	rte_eth_dev_stop(feed->relay.port);
	rte_eth_dev_stop(feed->echo.port);
}

void
feed_echo_order(struct feed *feed, double period_us, struct feed_counters *done)
{
	struct echo_order order = {.period_ns = (uint64_t)(period_us * 1e3)};
	struct echo_account account;

	if (write(feed->echo.control, &order, sizeof(order)) != sizeof(order) ||
		recv(feed->echo.control, &account, sizeof(account), 0) != sizeof(account)) {
		fprintf(stderr, "feed: the echo takes no orders\n");
		feed_peers_release(feed);
		exit(1);
	}
	*done = (struct feed_counters){.packets = account.packets,
		.busy_turns = account.turns,
		.busy_cycles = account.cycles};
}

uint16_t
feed_receive(const struct feed *feed, unsigned queue, struct rte_mbuf *mbufs[])
{
	const struct feed_peer *peer = feed->peer;

	if (peer->back != NULL)
		return (uint16_t)rte_ring_dequeue_burst(
			peer->back, (void **)mbufs, FEED_BURST, NULL);
	return rte_eth_rx_burst(peer->port, (uint16_t)queue, mbufs, FEED_BURST);
}

uint16_t
feed_send(const struct feed *feed, unsigned queue, struct rte_mbuf *mbufs[], unsigned n)
{
	const struct feed_peer *peer = feed->peer;

	if (peer->there != NULL)
		return (uint16_t)rte_ring_enqueue_burst(peer->there, (void **)mbufs, n, NULL);
	return rte_eth_tx_burst(peer->port, (uint16_t)queue, mbufs, (uint16_t)n);
}

double
feed_peer_cpu(const struct feed_peer *peer)
{
	clockid_t clock;
	struct timespec had;

	if (peer->pid <= 0 || clock_getcpuclockid(peer->pid, &clock) != 0 ||
		clock_gettime(clock, &had) != 0)
		return 0;
	return (double)had.tv_sec + (double)had.tv_nsec * 1e-9;
}

bool
feed_answer_arp(struct feed *feed, struct rte_mbuf *mbuf)
{
	if (feed->peer->is_echo || !wire_answer_arp(mbuf, &feed->mac, &feed->relay_mac))
		return false;
	feed->relay_known = true;
	return feed_send(feed, 0, &mbuf, 1) == 1;
}

void
feed_peer_idle(struct feed *feed)
{
	struct rte_mbuf *mbufs[FEED_BURST];

	for (unsigned queue = 0; queue < feed->peer->queues; queue++) {
		uint16_t count = feed_receive(feed, queue, mbufs);
		for (uint16_t i = 0; i < count; i++)
			if (!feed_answer_arp(feed, mbufs[i]))
				rte_pktmbuf_free(mbufs[i]);
	}
}
