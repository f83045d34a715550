/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a packet, from receive burst to transmit burst:
 *
 *   worker_turn -> receive -> sort (what is it? whose?) -> relay_burst:
 *     open -> verify -> accept -> transcrypt -> seal and address -> send
 *
 * No system call but in idle(), no lock, no allocation, nothing printed. A packet that is not
 * relayed ends in drop(), with a name, or in the kernel's hands by the exception TAP.
 */
#include "worker_private.h"

#include "port_table.h"
#include "srtp_flow.h"

#include <openssl/crypto.h>
#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <time.h>

#define TAP_EVERY 16        /* turns between two looks at the kernel's side while media flows */
#define IDLE_SPIN 64        /* empty turns before the first sleep */
#define IDLE_SLEEP_NS 50000 /* well below the spacing of audio packets, 10 to 60 ms */
#define IDLE_LONG 4096      /* empty turns before the longer sleep */
#define IDLE_LONG_SLEEP_NS 200000

static void
count_drop(struct worker *worker, enum relay_drop reason)
{
	counter_add(&worker->counters.drops[reason], 1);
}

/* The end of a packet that is not relayed. `flow` is NULL where none of ours is known. */
static void
drop(struct worker *worker, struct rte_mbuf *mbuf, const struct flow *flow, enum relay_drop reason)
{
	count_drop(worker, reason);
	if (flow != NULL)
		flow_count_drop(flow->state, reason);
	rte_pktmbuf_free(mbuf);
}

/* Sends what waits for an interface; what its queue does not take is dropped. */
static void
flush(struct worker *worker, struct iface *iface)
{
	struct tx_batch *batch = &worker->tx[iface->index];
	uint64_t bytes = 0;
	uint16_t sent;

	if (batch->count == 0)
		return;
	/* the lengths first: a sent mbuf is the driver's */
	for (unsigned i = 0; i < batch->count; i++)
		batch->bytes[i] = batch->mbuf[i]->pkt_len;
	sent = rte_eth_tx_burst(iface->port_id, worker->index, batch->mbuf, batch->count);
	for (unsigned i = 0; i < sent; i++) {
		struct flow_state *state = batch->flow[i]->state;
		bytes += batch->bytes[i];
		if (batch->rtcp[i]) {
			counter_add(&state->rtcp_out, 1);
		} else {
			counter_add(&state->packets_out, 1);
			counter_add(&state->bytes_out, batch->payload[i]);
		}
	}
	for (unsigned i = sent; i < batch->count; i++)
		drop(worker, batch->mbuf[i], batch->flow[i], RELAY_DROP_TX_FULL);
	counter_add(&worker->counters.relayed, sent);
	counter_add(&worker->counters.iface[iface->index].tx_packets, sent);
	counter_add(&worker->counters.iface[iface->index].tx_bytes, bytes);
	batch->count = 0;
}

/* Stage: headers, indices; what can be refused without crypto is. Returns how many remain. */
static unsigned
open_all(struct worker *worker, struct packet *packets[], unsigned count)
{
	unsigned kept = 0;

	worker->rtcp_keys_used = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = packets[i];
		struct srtp_key *keys = worker->rtcp_keys[worker->rtcp_keys_used];
		enum relay_drop reason = srtp_flow_open(packet, keys);
		/* the engine may write so far behind the packet, and so may the new trailer */
		if (reason == RELAY_DROP_NONE && rte_pktmbuf_tailroom(packet->mbuf) <
							 SRTP_TAG_MAX + packet->flow->tx_mki_length)
			reason = RELAY_DROP_NO_MEMORY;
		if (reason != RELAY_DROP_NONE) {
			drop(worker, packet->mbuf, packet->flow, reason);
			continue;
		}
		if (packet->rtcp)
			worker->rtcp_keys_used++;
		packets[kept++] = packet;
	}
	return kept;
}

/* Is the sender where we think it is? If not, and the leg may follow it, the control thread is
 * asked to move the leg; meanwhile its packets are relayed all the same, for they are genuine. */
static enum relay_drop
check_source(const struct packet *packet)
{
	const struct relay_addr *known = &packet->flow->source[packet->local_port % 2];

	if (packet->flow->latch || relay_addr_equal(known, &packet->source))
		return RELAY_DROP_NONE;
	return RELAY_DROP_SOURCE_MISMATCH;
}

static void
ask_latch(struct worker *worker, const struct packet *packet)
{
	const struct flow *flow = packet->flow;
	uint8_t rtcp = packet->local_port % 2;

	if (!flow->latch || relay_addr_equal(&flow->source[rtcp], &packet->source))
		return;
	/* a late packet from the address before must not move the leg back */
	if (!packet->rtcp && packet->op.rx_index != packet->stream->rtp_highest)
		return;
	if (atomic_load_explicit(&flow->state->latch_asked, memory_order_acquire))
		return;
	struct latch_request request = {.session = flow->session,
		.generation = flow->generation,
		.from = packet->source,
		.leg = flow->leg,
		.rtcp = rtcp};
	if (rte_ring_enqueue_elem(worker->shared->latches, &request, sizeof(request)) == 0)
		atomic_store_explicit(&flow->state->latch_asked, 1, memory_order_relaxed);
}

/* Verifies again what was new in this batch and may now be estimated better. */
static unsigned
retry(struct worker *worker, struct packet *failed[], unsigned count)
{
	struct crypto_op *ops[WORKER_BURST];
	unsigned again = 0;

	for (unsigned i = 0; i < count; i++) {
		if (srtp_flow_retry(failed[i])) {
			ops[again] = &failed[i]->op;
			failed[again++] = failed[i];
		} else {
			drop(worker, failed[i]->mbuf, failed[i]->flow, RELAY_DROP_AUTH_FAILED);
		}
	}
	if (again > 0)
		worker->shared->engine->verify(worker->engine, ops, again);
	return again;
}

/* Stage: of what was verified, what is genuine and new is noted. Packets whose tag failed go to
 * failed[]. Returns how many remain. */
static unsigned
accept_all(struct worker *worker, struct packet *packets[], unsigned count, struct packet *failed[],
	unsigned *failures)
{
	uint64_t now = rte_rdtsc();
	unsigned kept = 0;

	*failures = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = packets[i];
		if (!packet->op.genuine) {
			failed[(*failures)++] = packet;
			continue;
		}
		enum relay_drop reason = check_source(packet);
		if (reason == RELAY_DROP_NONE)
			reason = srtp_flow_accept(packet, worker->shared->streams);
		if (reason != RELAY_DROP_NONE) {
			drop(worker, packet->mbuf, packet->flow, reason);
			continue;
		}
		atomic_store_explicit(&packet->flow->state->last_tsc, now, memory_order_relaxed);
		ask_latch(worker, packet);
		packets[kept++] = packet;
	}
	return kept;
}

/* Stage: the new trailer, the new headers, and into the batch of the outgoing interface. */
static void
address_all(struct worker *worker, struct packet *packets[], unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = packets[i];
		const struct path *path = &packet->flow->path[packet->rtcp];
		uint16_t clear_length = packet->length;

		if (path->iface == NULL) {
			drop(worker, packet->mbuf, packet->flow, RELAY_DROP_LEG_NOT_READY);
			continue;
		}
		srtp_flow_seal(packet);
		enum relay_drop reason =
			path_write(path, packet->mbuf, packet->payload, packet->length);
		if (reason != RELAY_DROP_NONE) {
			drop(worker, packet->mbuf, packet->flow, reason);
			continue;
		}
		struct tx_batch *batch = &worker->tx[path->iface->index];
		batch->mbuf[batch->count] = packet->mbuf;
		batch->flow[batch->count] = packet->flow;
		batch->rtcp[batch->count] = packet->rtcp;
		batch->payload[batch->count++] = clear_length;
	}
}

static void
verify_all(struct worker *worker, struct packet *packets[], unsigned count)
{
	struct crypto_op *ops[WORKER_BURST];

	for (unsigned i = 0; i < count; i++)
		ops[i] = &packets[i]->op;
	worker->shared->engine->verify(worker->engine, ops, count);
}

static void
transcrypt_all(struct worker *worker, struct packet *packets[], unsigned count)
{
	struct crypto_op *ops[WORKER_BURST];

	for (unsigned i = 0; i < count; i++)
		ops[i] = &packets[i]->op;
	worker->shared->engine->transcrypt(worker->engine, ops, count);
}

/* From media packets of our own flows to packets on their way out. */
static void
relay_burst(struct worker *worker, struct packet *packets[], unsigned count)
{
	struct packet *failed[WORKER_BURST];
	unsigned failures;

	count = open_all(worker, packets, count);
	if (count == 0)
		return;
	verify_all(worker, packets, count);
	count = accept_all(worker, packets, count, failed, &failures);
	if (failures > 0) {
		unsigned late = retry(worker, failed, failures);
		if (late > 0) {
			unsigned still;
			late = accept_all(worker, failed, late, packets + count, &still);
			for (unsigned i = 0; i < still; i++)
				drop(worker, packets[count + i]->mbuf, packets[count + i]->flow,
					RELAY_DROP_AUTH_FAILED);
			for (unsigned i = 0; i < late; i++)
				packets[count + i] = failed[i];
			count += late;
		}
	}
	if (count > 0)
		transcrypt_all(worker, packets, count);
	address_all(worker, packets, count);
	if (worker->rtcp_keys_used > 0)
		OPENSSL_cleanse(
			worker->rtcp_keys, worker->rtcp_keys_used * sizeof(worker->rtcp_keys[0]));
	for (unsigned i = 0; i < ifaces_count; i++)
		flush(worker, ifaces[i]);
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
		drop(worker, mbufs[i], NULL, RELAY_DROP_EXCEPTION_FULL);
}

/* A packet of a session that another worker owns goes to that one, which sorts it anew. */
static bool
handed_over(struct worker *worker, const struct packet *packet)
{
	if (packet->flow->worker == worker->index)
		return false;
	struct worker *owner = worker_by_index(packet->flow->worker);
	if (rte_ring_enqueue(owner->handover, packet->mbuf) == 0)
		counter_add(&worker->counters.handed_over, 1);
	else
		drop(worker, packet->mbuf, NULL, RELAY_DROP_HANDOVER_FULL);
	return true;
}

/* What is each frame, and whose? Media of our own flows is relayed, the rest goes its way. */
static void
sort_burst(struct worker *worker, struct iface *iface, struct rte_mbuf *mbufs[], unsigned count)
{
	struct packet *media[WORKER_BURST];
	struct rte_mbuf *kernel[WORKER_BURST];
	unsigned medias = 0, kernels = 0, own = 0;

	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = &worker->packets[i];
		enum relay_drop reason = RELAY_DROP_NONE;
		packet->mbuf = mbufs[i];
		packet->iface = iface;
		switch (packet_classify(packet, &reason)) {
		case PACKET_KERNEL:
			kernel[kernels++] = mbufs[i];
			break;
		case PACKET_DROP:
			drop(worker, mbufs[i], NULL, reason);
			break;
		case PACKET_MEDIA:
			packet->flow = port_table_lookup(iface->table, packet->local_port);
			if (packet->flow == NULL) {
				drop(worker, mbufs[i], NULL, RELAY_DROP_PORT_UNKNOWN);
				break;
			}
			rte_prefetch0(packet->flow);
			media[medias++] = packet;
			break;
		}
	}
	for (unsigned i = 0; i < medias; i++) {
		rte_prefetch0(media[i]->flow->state);
		rte_prefetch0(&media[i]->flow->rx);
		rte_prefetch0(&media[i]->flow->tx);
		if (!handed_over(worker, media[i]))
			media[own++] = media[i];
	}
	if (own > 0)
		relay_burst(worker, media, own);
	if (kernels > 0)
		to_kernel(worker, iface, kernel, kernels);
}

static unsigned
receive(struct worker *worker, struct iface *iface)
{
	struct rte_mbuf *mbufs[WORKER_BURST];
	unsigned count = rte_eth_rx_burst(iface->port_id, worker->index, mbufs, WORKER_BURST);
	uint64_t bytes = 0;

	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
		bytes += mbufs[i]->pkt_len;
	}
	counter_add(&worker->counters.packets, count);
	counter_add(&worker->counters.iface[iface->index].rx_packets, count);
	counter_add(&worker->counters.iface[iface->index].rx_bytes, bytes);
	sort_burst(worker, iface, mbufs, count);
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

	/* runs of one interface together, so that each keeps its order */
	for (unsigned i = 0; i < count;) {
		unsigned end = i + 1;
		while (end < count && mbufs[end]->port == mbufs[i]->port)
			end++;
		for (unsigned k = 0; k < ifaces_count; k++)
			if (ifaces[k]->port_id == mbufs[i]->port)
				sort_burst(worker, ifaces[k], mbufs + i, end - i);
		i = end;
	}
	return count;
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
	uint16_t sent = rte_eth_tx_burst(iface->port_id, worker->index, mbufs, count);
	for (unsigned i = sent; i < count; i++)
		drop(worker, mbufs[i], NULL, RELAY_DROP_TX_FULL);
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
worker_turn(struct worker *worker)
{
	unsigned work = receive_handed_over(worker);

	for (unsigned i = 0; i < ifaces_count; i++)
		work += receive(worker, ifaces[i]);
	if (work == 0 || ++worker->turns % TAP_EVERY == 0)
		for (unsigned i = 0; i < ifaces_count; i++)
			work += from_kernel(worker, ifaces[i]);

	/* no flow that was looked up above is held from here on */
	rte_rcu_qsbr_quiescent(worker->shared->qsbr, worker->index);
	if (work == 0) {
		counter_add(&worker->counters.idle, 1);
		idle(worker);
	} else {
		counter_add(&worker->counters.bursts, 1);
		worker->idle_turns = 0;
	}
}

int
worker_main(void *arg)
{
	struct worker *worker = arg;
	struct rte_rcu_qsbr *qsbr = worker->shared->qsbr;

	rte_rcu_qsbr_thread_online(qsbr, worker->index);
	while (!atomic_load_explicit(&worker->shared->stop, memory_order_relaxed))
		worker_turn(worker);
	rte_rcu_qsbr_thread_offline(qsbr, worker->index);
	return 0;
}
