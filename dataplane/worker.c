/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a packet, from receive burst to transmit burst:
 *
 *   worker_turn -> receive -> sort (what is it? whose?) -> relay_burst (relay_burst.c):
 *     open -> verify -> accept -> transcrypt -> seal and address -> send
 *
 * No system call but in idle(), no lock, no allocation, nothing printed. A packet that is not
 * relayed ends in worker_drop(), with a name, or in the kernel's hands by the exception TAP.
 */
#include "worker_private.h"

#include "capture.h"
#include "path.h"
#include "port_table.h"
#include "tick.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <time.h>

#define TAP_EVERY 16        /* turns between two looks at the kernel's side while media flows */
#define IDLE_SPIN 64        /* empty turns before the first sleep */
#define IDLE_SLEEP_NS 50000 /* well below the spacing of audio packets, 10 to 60 ms */
#define IDLE_LONG 4096      /* empty turns before the longer sleep */
#define IDLE_LONG_SLEEP_NS 200000

void
worker_drop(struct worker *worker, struct rte_mbuf *mbuf, const struct iface *iface,
	struct flow_state *state, enum relay_drop reason)
{
	counter_add(iface != NULL ? &worker->counters.iface[iface->index].drops[reason]
				  : &worker->counters.drops[reason],
		1);
	if (state != NULL)
		flow_count_drop(state, reason);
	rte_pktmbuf_free(mbuf);
}

static bool
capturing(void)
{
	return atomic_load_explicit(&capture_running, memory_order_relaxed);
}

/* Gives frames that are not media to the kernel, by the interface's TAP. A worker without a queue
 * of it gives them to one that has, which sorts them anew. */
static void
to_kernel(struct worker *worker, struct iface *iface, struct rte_mbuf *mbufs[], unsigned count)
{
	unsigned sent;

	if (worker->index < iface->tap_queues) {
		sent = rte_eth_tx_burst(iface->tap_port_id, worker->index, mbufs, count);
		counter_add(&worker->counters.to_kernel, sent);
	} else {
		struct worker *server = worker_by_index(worker->index % iface->tap_queues);
		sent = rte_ring_enqueue_burst(server->handover, (void **)mbufs, count, NULL);
		counter_add(&worker->counters.handed_over, sent);
	}
	for (unsigned i = sent; i < count; i++)
		worker_drop(worker, mbufs[i], iface, NULL, RELAY_DROP_EXCEPTION_FULL);
}

/* A packet of a session that another worker owns goes to that one, which sorts it anew. */
static bool
handed_over(struct worker *worker, const struct packet *packet)
{
	if (packet->bridge->worker == worker->index)
		return false;
	struct worker *owner = worker_by_index(packet->bridge->worker);
	if (rte_ring_enqueue(owner->handover, packet->mbuf) == 0)
		counter_add(&worker->counters.handed_over, 1);
	else
		worker_drop(worker, packet->mbuf, packet->iface, NULL, RELAY_DROP_HANDOVER_FULL);
	return true;
}

/* Of one burst: media to be relayed, and frames for the kernel by interface. */
struct sorted {
	unsigned medias;
	struct packet *media[WORKER_BURST];
	unsigned kernels;
	struct rte_mbuf *kernel[WORKER_BURST];
	struct iface *kernel_iface[WORKER_BURST];
};

static void
count_bytes(struct worker *worker, const struct iface *iface, unsigned packets, uint64_t bytes)
{
	counter_add(&worker->counters.iface[iface->index].rx_packets, packets);
	counter_add(&worker->counters.iface[iface->index].rx_bytes, bytes);
}

static void
classify_burst(struct worker *worker, const struct device *device, struct rte_mbuf *mbufs[],
	unsigned count, struct sorted *sorted)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &worker->packets[i];
		enum relay_drop reason = RELAY_DROP_NONE;
		uint32_t length = mbufs[i]->pkt_len;
		packet->mbuf = mbufs[i];
		enum packet_fate fate = packet_classify(packet, device, &reason);
		if (worker->fresh && device->vlans && packet->iface != NULL)
			count_bytes(worker, packet->iface, 1, length);
		switch (fate) {
		case PACKET_KERNEL:
			sorted->kernel[sorted->kernels] = mbufs[i];
			sorted->kernel_iface[sorted->kernels++] = packet->iface;
			break;
		case PACKET_DROP:
			worker_drop(worker, mbufs[i], packet->iface, NULL, reason);
			break;
		case PACKET_MEDIA:
			rte_prefetch0((const void *)packet->entry);
			sorted->media[sorted->medias++] = packet;
			break;
		}
	}
}

static void
look_up_burst(struct worker *worker, struct sorted *sorted)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < sorted->medias; i++) {
		struct packet *packet = sorted->media[i];
		struct port_entry entry = port_table_read(packet->entry);
		if (entry.bridge == NULL) {
			worker_drop(
				worker, packet->mbuf, packet->iface, NULL, RELAY_DROP_PORT_UNKNOWN);
			continue;
		}
		packet->bridge = entry.bridge;
		packet->leg = (uint8_t)entry.leg;
		rte_prefetch1(packet->bridge);
		rte_prefetch1(&packet->bridge->leg[0]);
		rte_prefetch1(&packet->bridge->leg[1]);
		sorted->media[kept++] = packet;
	}
	sorted->medias = kept;
}

/* Into the second level of cache, here and above: a CPU has only so many loads into the first on
 * their way at a time, and some (Zen 4) forget prefetches that find no room, which is most of these
 * where sessions are many. */
static void
prefetch_key(const struct srtp_key *key)
{
	const uint8_t *line = (const uint8_t *)key;

	if (key == NULL)
		return;
	for (unsigned i = 0; i < 4; i++)
		rte_prefetch1(line + 64 * i);
}

static void
prefetch_flow(const struct packet *packet)
{
	const uint8_t *state = (const uint8_t *)&packet->bridge->state[packet->leg];

	rte_prefetch1(state);
	rte_prefetch1(state + 64);
	rte_prefetch1(state + 128);
	prefetch_key(packet->bridge->rx[packet->leg]);
	prefetch_key(packet->bridge->tx[1 - packet->leg]);
}

/* Frames of one interface together, in their order. */
static void
kernel_burst(struct worker *worker, struct sorted *sorted)
{
	for (unsigned i = 0; i < sorted->kernels;) {
		unsigned end = i + 1;
		while (end < sorted->kernels &&
			sorted->kernel_iface[end] == sorted->kernel_iface[i])
			end++;
		to_kernel(worker, sorted->kernel_iface[i], sorted->kernel + i, end - i);
		i = end;
	}
}

static void
capture_sorted(struct worker *worker, const struct sorted *sorted)
{
	for (unsigned i = 0; i < sorted->medias; i++)
		capture_packet(sorted->media[i]->mbuf, sorted->media[i]->bridge->state,
			sorted->media[i]->iface->index, worker->index, RTE_PCAPNG_DIRECTION_IN);
	for (unsigned i = 0; i < sorted->kernels; i++)
		capture_packet(sorted->kernel[i], NULL, sorted->kernel_iface[i]->index,
			worker->index, RTE_PCAPNG_DIRECTION_IN);
}

/* What is each frame, and whose? Media of our own sessions is relayed, the rest goes its way. */
static void
sort_burst(struct worker *worker, const struct device *device, struct rte_mbuf *mbufs[],
	unsigned count)
{
	struct sorted sorted; /* only what the counts cover is ever read */
	unsigned own = 0;

	sorted.medias = sorted.kernels = 0;
	classify_burst(worker, device, mbufs, count, &sorted);
	look_up_burst(worker, &sorted);
	for (unsigned i = 0; i < sorted.medias; i++)
		if (!handed_over(worker, sorted.media[i])) {
			prefetch_flow(sorted.media[i]);
			sorted.media[own++] = sorted.media[i];
		}
	sorted.medias = own;
	if (capturing())
		capture_sorted(worker, &sorted);
	worker_stage(worker, STAGE_SORT);
	if (own > 0)
		relay_burst(worker, sorted.media, own);
	if (sorted.kernels > 0)
		kernel_burst(worker, &sorted);
}

static void
count_received(struct worker *worker, const struct device *device, struct rte_mbuf *mbufs[],
	unsigned count)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], const uint8_t *);
		rte_prefetch0(frame);
		rte_prefetch1(frame + 64);
		rte_prefetch1(frame + 128);
		rte_prefetch1(frame + 192);
		bytes += mbufs[i]->pkt_len;
	}
	counter_add(&worker->counters.packets, count);
	/* of a device with VLANs, classify_burst() finds out whose each packet is */
	if (!device->vlans)
		count_bytes(worker, device->untagged, count, bytes);
}

static void
begin_burst(struct worker *worker)
{
	worker->now = tick_now();
	worker->now_ms = tick_ms_of(worker->now);
	worker->sampling = ++worker->bursts % WORKER_SAMPLE == 0;
	worker->stage_start = rte_rdtsc();
}

static unsigned
receive(struct worker *worker, const struct device *device)
{
	struct rte_mbuf *mbufs[WORKER_BURST];

	worker->stage_start = rte_rdtsc();
	unsigned count = rte_eth_rx_burst(device->port_id, worker->index, mbufs, WORKER_BURST);
	if (count == 0)
		return 0;
	uint64_t started = worker->stage_start;
	begin_burst(worker);
	worker->stage_start = started;
	worker_stage(worker, STAGE_RECEIVE);
	count_received(worker, device, mbufs, count);
	worker->fresh = true;
	sort_burst(worker, device, mbufs, count);
	worker->fresh = false;
	return count;
}

/* What other workers received of our sessions. */
static unsigned
receive_handed_over(struct worker *worker)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	void *objects[WORKER_BURST];
	unsigned count = rte_ring_dequeue_burst(worker->handover, objects, WORKER_BURST, NULL);

	for (unsigned i = 0; i < count; i++)
		mbufs[i] = objects[i];

	/* runs of one device together, so that each keeps its order */
	for (unsigned i = 0; i < count;) {
		unsigned end = i + 1;
		while (end < count && mbufs[end]->port == mbufs[i]->port)
			end++;
		begin_burst(worker);
		for (unsigned k = 0; k < devices_count; k++)
			if (devices[k].port_id == mbufs[i]->port)
				sort_burst(worker, &devices[k], mbufs + i, end - i);
		i = end;
	}
	return count;
}

/* Frames that the kernel sends, out by the interface, with its VLAN's tag. */
static void
forward_from_kernel(
	struct worker *worker, struct iface *iface, struct rte_mbuf *mbufs[], unsigned count)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		if (iface->vlan != 0 && !path_tag(iface, mbufs[i]))
			worker_drop(worker, mbufs[i], iface, NULL, RELAY_DROP_NO_MEMORY);
		else
			mbufs[kept++] = mbufs[i];
	}
	if (capturing())
		for (unsigned i = 0; i < kept; i++)
			capture_packet(mbufs[i], NULL, iface->index, worker->index,
				RTE_PCAPNG_DIRECTION_OUT);
	uint16_t sent = rte_eth_tx_burst(iface->port_id, worker->index, mbufs, (uint16_t)kept);
	for (unsigned i = sent; i < kept; i++)
		worker_drop(worker, mbufs[i], iface, NULL, RELAY_DROP_TX_FULL);
}

static unsigned
from_kernel(struct worker *worker, struct iface *iface)
{
	struct rte_mbuf *mbufs[WORKER_BURST];

	if (worker->index >= iface->tap_queues)
		return 0;
	unsigned count = rte_eth_rx_burst(iface->tap_port_id, worker->index, mbufs, WORKER_BURST);
	if (count == 0)
		return 0;
	forward_from_kernel(worker, iface, mbufs, count);
	counter_add(&worker->counters.from_kernel, count);
	return count;
}

/* An idle worker gives its core away for a little while, unless it was told to stay awake. */
static void
idle(struct worker *worker)
{
	worker->idle_turns++;
	if (worker->shared->poll == CONFIG_POLL_BUSY || worker->idle_turns < IDLE_SPIN) {
		rte_pause();
		return;
	}
	struct timespec nap = {
		.tv_nsec = worker->idle_turns < IDLE_LONG ? IDLE_SLEEP_NS : IDLE_LONG_SLEEP_NS};
	nanosleep(&nap, NULL);
}

static void
end_turn(struct worker *worker, bool busy)
{
	uint64_t now = rte_rdtsc();

	counter_add(busy ? &worker->counters.busy_cycles : &worker->counters.idle_cycles,
		now - worker->turn_end);
	worker->turn_end = now;
}

void
worker_turn(struct worker *worker)
{
	unsigned work = receive_handed_over(worker);

	for (unsigned i = 0; i < devices_count; i++)
		work += receive(worker, &devices[i]);
	if (work == 0 || ++worker->turns % TAP_EVERY == 0)
		for (unsigned i = 0; i < ifaces_count; i++)
			work += from_kernel(worker, ifaces[i]);

	/* no bridge that was looked up above is held from here on */
	rte_rcu_qsbr_quiescent(worker->shared->qsbr, worker->index);
	if (work == 0) {
		counter_add(&worker->counters.idle, 1);
		idle(worker);
	} else {
		counter_add(&worker->counters.bursts, 1);
		worker->idle_turns = 0;
	}
	end_turn(worker, work > 0);
}

int
worker_main(void *arg)
{
	struct worker *worker = arg;
	struct rte_rcu_qsbr *qsbr = worker->shared->qsbr;

	worker->turn_end = rte_rdtsc();
	rte_rcu_qsbr_thread_online(qsbr, worker->index);
	while (!atomic_load_explicit(&worker->shared->stop, memory_order_relaxed))
		worker_turn(worker);
	rte_rcu_qsbr_thread_offline(qsbr, worker->index);
	return 0;
}
