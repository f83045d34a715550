/* SPDX-License-Identifier: BSD-3-Clause */
/* A burst of media packets of a worker's own sessions, from open to send: the middle of the life of
 * a packet (worker.c). */
#include "worker_private.h"

#include "capture.h"
#include "path.h"
#include "srtp_flow.h"
#include "srtp_plain.h"

#include <openssl/crypto.h>
#include <rte_ethdev.h>
#include <string.h>

#define RETRIES_MAX 8 /* rounds; a packet has fewer things to try */

static struct flow_state *
state_of(const struct packet *packet)
{
	return &packet->bridge->state[packet->leg];
}

static void
drop(struct worker *worker, const struct packet *packet, enum relay_drop reason)
{
	worker_drop(worker, packet->mbuf, packet->iface, state_of(packet), reason);
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
	if (atomic_load_explicit(&capture_running, memory_order_relaxed))
		for (unsigned i = 0; i < batch->count; i++)
			capture_packet(batch->mbuf[i], batch->packet[i]->bridge->state,
				iface->index, worker->index, RTE_PCAPNG_DIRECTION_OUT);
	sent = rte_eth_tx_burst(iface->port_id, worker->index, batch->mbuf, batch->count);
	for (unsigned i = 0; i < sent; i++) {
		const struct packet *packet = batch->packet[i];
		struct flow_state *state = state_of(packet);
		bytes += batch->bytes[i];
		if (packet->rtcp) {
			counter_add_32(&state->rtcp_out, 1);
		} else {
			counter_add(&state->packets_out, 1);
			counter_add(&state->bytes_out, packet->clear_length);
		}
	}
	for (unsigned i = sent; i < batch->count; i++)
		drop(worker, batch->packet[i], RELAY_DROP_TX_FULL);
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

	worker->rooms_used = 0;
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = packets[i];
		packet->room = &worker->rooms[worker->rooms_used];
		enum relay_drop reason = RELAY_DROP_NONE;
		if (!srtp_plain_open(packet, worker->now_ms)) {
			reason = srtp_flow_open(packet, worker->now_ms);
			if (packet->rtcp)
				worker->rooms_used++;
		}
		/* the engine may write so far behind the packet, and so may the new trailer */
		if (reason == RELAY_DROP_NONE &&
			rte_pktmbuf_tailroom(packet->mbuf) < srtp_flow_growth(packet))
			reason = RELAY_DROP_NO_MEMORY;
		if (reason != RELAY_DROP_NONE)
			drop(worker, packet, reason);
		else
			packets[kept++] = packet;
	}
	return kept;
}

/* Is the sender of a genuine packet where we think it is? If not, and the leg may follow it, the
 * control thread is asked to move the leg; meanwhile its packets are relayed all the same. */
static enum relay_drop
check_source(const struct packet *packet)
{
	const struct bridge_leg *leg = &packet->bridge->leg[packet->leg];

	if (packet->from_source || (leg->flags & RELAY_LEG_LATCH) != 0 ||
		leg->transport != RELAY_TRANSPORT_SRTP)
		return RELAY_DROP_NONE;
	return RELAY_DROP_SOURCE_MISMATCH;
}

static void
ask_latch(struct worker *worker, const struct packet *packet)
{
	struct flow_state *state = state_of(packet);

	if (packet->from_source || (packet->bridge->leg[packet->leg].flags & RELAY_LEG_LATCH) == 0)
		return;
	/* a late packet from the address before must not move the leg back */
	if (!packet->rtcp && packet->stream != NULL &&
		packet->op.rx_index != packet->stream->rtp_highest)
		return;
	if (atomic_load_explicit(&state->latch_asked, memory_order_acquire))
		return;
	struct latch_request request = {.session = packet->bridge->state,
		.generation = packet->bridge->generation,
		.leg = packet->leg,
		.rtcp = packet->local_port % 2};
	request.from.ip.family = packet->source.family;
	memcpy(request.from.ip.ip, packet->source.ip, sizeof(request.from.ip.ip));
	request.from.port = packet->source.port;
	if (rte_ring_enqueue_elem(worker->shared->latches, &request, sizeof(request)) == 0)
		atomic_store_explicit(&state->latch_asked, 1, memory_order_relaxed);
}

/* Stage: of what was verified, what is genuine and new is noted. Packets whose tag failed go to
 * failed[]. Returns how many remain. */
static unsigned
accept_all(struct worker *worker, struct packet *packets[], unsigned count, struct packet *failed[],
	unsigned *failures)
{
	unsigned kept = 0, failures_now = 0;

	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = packets[i];
		if (!packet->op.genuine) {
			failed[failures_now++] = packet;
			continue;
		}
		if (packet->plain && srtp_plain_accept(packet, worker->now_ms, worker->now)) {
			packets[kept++] = packet;
			continue;
		}
		enum relay_drop reason = check_source(packet);
		if (reason == RELAY_DROP_NONE)
			reason = srtp_flow_accept(packet, worker->shared->streams, worker->now);
		if (reason == RELAY_DROP_NONE) {
			atomic_store_explicit(
				&state_of(packet)->last_ms, worker->now_ms, memory_order_relaxed);
			ask_latch(worker, packet);
			/* not before: the SSRC's ROC goes on while its listener holds */
			if (srtp_flow_on_hold(packet))
				reason = RELAY_DROP_LEG_ON_HOLD;
		}
		if (reason != RELAY_DROP_NONE)
			drop(worker, packet, reason);
		else
			packets[kept++] = packet;
	}
	*failures = failures_now;
	return kept;
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

/* Verifies what failed with whatever else there is to try, round by round; what becomes genuine is
 * added to packets[]. Returns how many those then are. */
static unsigned
retry_all(struct worker *worker, struct packet *failed[], unsigned failures,
	struct packet *packets[], unsigned count)
{
	for (unsigned round = 0; failures > 0 && round < RETRIES_MAX; round++) {
		struct packet *again[WORKER_BURST];
		unsigned tries = 0;
		for (unsigned i = 0; i < failures; i++) {
			if (srtp_flow_retry(failed[i], worker->now_ms))
				again[tries++] = failed[i];
			else
				drop(worker, failed[i], RELAY_DROP_AUTH_FAILED);
		}
		if (tries == 0)
			return count;
		verify_all(worker, again, tries);
		tries = accept_all(worker, again, tries, failed, &failures);
		for (unsigned i = 0; i < tries; i++)
			packets[count++] = again[i];
	}
	for (unsigned i = 0; i < failures; i++)
		drop(worker, failed[i], RELAY_DROP_AUTH_FAILED);
	return count;
}

/* RTCP is in clear now: its reports are read, then it is encrypted for the other leg. */
static void
turn_rtcp(struct worker *worker, struct packet *packets[], unsigned count)
{
	struct packet *rtcp[WORKER_BURST];
	unsigned found = 0;

	for (unsigned i = 0; i < count; i++)
		if (packets[i]->rtcp) {
			srtp_flow_turn_rtcp(packets[i], worker->now);
			rtcp[found++] = packets[i];
		}
	if (found > 0)
		transcrypt_all(worker, rtcp, found);
}

/* Stage: the new trailer, the new headers, and into the batch of the outgoing interface. */
static void
address_all(struct worker *worker, struct packet *packets[], unsigned count)
{
	/* all trailers before the first checksum, which so reads what has long been written */
	for (unsigned i = 0; i < count; i++) {
		packets[i]->clear_length = packets[i]->length;
		if (packets[i]->plain)
			srtp_plain_seal(packets[i]);
		else
			srtp_flow_seal(packets[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		struct packet *packet = packets[i];
		const struct bridge_leg *out = &packet->bridge->leg[1 - packet->leg];
		enum relay_drop reason = path_write(
			out, packet->rtcp, packet->mbuf, packet->payload, packet->length);
		if (reason != RELAY_DROP_NONE) {
			drop(worker, packet, reason);
			continue;
		}
		struct tx_batch *batch = &worker->tx[path_iface(out)->index];
		batch->mbuf[batch->count] = packet->mbuf;
		batch->packet[batch->count++] = packet;
	}
}

void
relay_burst(struct worker *worker, struct packet *packets[], unsigned count)
{
	struct packet *failed[WORKER_BURST];
	unsigned failures;

	if (worker->sampling)
		counter_add(&worker->counters.sampled, count);
	count = open_all(worker, packets, count);
	worker_stage(worker, STAGE_OPEN);
	if (count > 0) {
		verify_all(worker, packets, count);
		worker_stage(worker, STAGE_VERIFY);
		count = accept_all(worker, packets, count, failed, &failures);
		if (failures > 0)
			count = retry_all(worker, failed, failures, packets, count);
		worker_stage(worker, STAGE_ACCEPT);
	}
	if (count > 0) {
		transcrypt_all(worker, packets, count);
		if (worker->rooms_used > 0)
			turn_rtcp(worker, packets, count);
		worker_stage(worker, STAGE_TRANSCRYPT);
		address_all(worker, packets, count);
		worker_stage(worker, STAGE_ADDRESS);
		for (unsigned i = 0; i < ifaces_count; i++)
			flush(worker, ifaces[i]);
		worker_stage(worker, STAGE_SEND);
	}
	if (worker->rooms_used > 0)
		OPENSSL_cleanse(worker->rooms, worker->rooms_used * sizeof(worker->rooms[0]));
}
