/* SPDX-License-Identifier: BSD-3-Clause */
#include "echo_loop.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_lcore.h>
#include <rte_udp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static _Atomic bool stop;
static _Atomic uint64_t period; /* TSC cycles */

void
echo_stop(void)
{
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
receive(const struct echo_end *end, struct rte_mbuf *mbufs[])
{
	if (end->in != NULL)
		return rte_ring_dequeue_burst(end->in, (void **)mbufs, ECHO_BURST, NULL);
	return rte_eth_rx_burst(end->port, end->queue, mbufs, ECHO_BURST);
}

static unsigned
send_back(const struct echo_end *end, struct rte_mbuf *mbufs[], unsigned count)
{
	if (end->out != NULL)
		return rte_ring_enqueue_burst(end->out, (void **)mbufs, count, NULL);
	return rte_eth_tx_burst(end->port, end->queue, mbufs, (uint16_t)count);
}

static unsigned
turn(const struct echo_end *end)
{
	struct rte_mbuf *mbufs[ECHO_BURST];
	unsigned count = receive(end, mbufs);

	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (unsigned i = 0; i < count; i++)
		swap_addresses(mbufs[i]);
	unsigned sent = send_back(end, mbufs, count);
	if (sent < count)
		rte_pktmbuf_free_bulk(mbufs + sent, count - sent);
	return count;
}

static void
add(_Atomic uint64_t *counter, uint64_t more)
{
	uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, old + more, memory_order_relaxed);
}

int
echo_loop(void *arg)
{
	struct echo_end *end = arg;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		uint64_t begun = rte_rdtsc();
		unsigned count = turn(end);
		uint64_t ended = rte_rdtsc();
		if (count > 0) {
			add(&end->packets, count);
			add(&end->turns, 1);
			add(&end->cycles, ended - begun);
		}
		uint64_t next = begun + atomic_load_explicit(&period, memory_order_relaxed);
		while (count < ECHO_BURST && rte_rdtsc() < next)
			rte_pause();
	}
	return 0;
}

/* --- orders --- */

static struct {
	int fd;
	struct echo_end *ends;
	unsigned count;
} control;

static struct echo_account
read_account(void)
{
	struct echo_account sum = {0};

	for (unsigned i = 0; i < control.count; i++) {
		sum.packets += atomic_load(&control.ends[i].packets);
		sum.turns += atomic_load(&control.ends[i].turns);
		sum.cycles += atomic_load(&control.ends[i].cycles);
	}
	return sum;
}

static void *
take_orders(void *unused)
{
	struct echo_account before = {0};
	struct echo_order order;
	int fd;

	(void)unused;
	while ((fd = accept(control.fd, NULL, NULL)) >= 0) {
		while (recv(fd, &order, sizeof(order), 0) == sizeof(order)) {
			struct echo_account now = read_account(),
					    account = {now.packets - before.packets,
						    now.turns - before.turns,
						    now.cycles - before.cycles};
			before = now;
			atomic_store(&period, order.period_ns * rte_get_tsc_hz() / 1000000000);
			if (write(fd, &account, sizeof(account)) != sizeof(account))
				break;
		}
		close(fd);
	}
	return NULL;
}

int
echo_control_start(const char *path, struct echo_end ends[], unsigned count)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	pthread_t thread;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	control.ends = ends;
	control.count = count;
	control.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (control.fd < 0 || bind(control.fd, (const void *)&address, sizeof(address)) != 0 ||
		listen(control.fd, 1) != 0)
		return -errno;
	return rte_ctrl_thread_create(&thread, "echo-control", NULL, take_orders, NULL);
}
