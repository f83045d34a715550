/* SPDX-License-Identifier: BSD-3-Clause */
/* One trial: packets go out at an even rate, whatever comes back (an open loop), and each is timed
 * from when it was due, so that what waits is not forgotten. */
#include "feed.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <string.h>
#include <time.h>

#define DRAIN_MS 60
#define DRAIN_PATIENT_MS 5000
#define RECEIVE_BURSTS 4             /* at one look */
#define NUMBER_AT (WIRE_HEADERS + 4) /* of the RTP timestamp */
#define SHIFT 5                      /* 2^5 steps in each power of two: 3 % */
#define STEPS (64 << SHIFT)

struct trial {
	struct feed *feed;
	struct feed_result *result;
	uint32_t packets;
	uint32_t sent;
	uint32_t heard;
	uint64_t begun;                    /* TSC */
	uint64_t late;                     /* TSC cycles after its time in which a packet is lost */
	double cycles_a_packet;            /* TSC, at the rate */
	uint32_t histogram[STEPS];         /* of latencies in TSC cycles */
	struct rte_mbuf *mbuf[FEED_BURST]; /* to send with: they only point at packets */
};

static unsigned
step_of(uint64_t cycles)
{
	if (cycles < 1u << SHIFT)
		return (unsigned)cycles;
	unsigned power = 63 - (unsigned)__builtin_clzll(cycles);
	return (power - SHIFT + 1) << SHIFT |
	       (unsigned)(cycles >> (power - SHIFT) & ((1u << SHIFT) - 1));
}

static double
cycles_of(unsigned step)
{
	if (step < 1u << SHIFT)
		return step;
	unsigned power = (step >> SHIFT) + SHIFT - 1;
	return (double)((1ULL << power) +
			((uint64_t)(step & ((1u << SHIFT) - 1)) << (power - SHIFT)));
}

static double
percentile(const struct trial *trial, double share)
{
	uint64_t wanted = (uint64_t)(share * trial->heard), below = 0;

	for (unsigned step = 0; step < STEPS; step++) {
		below += trial->histogram[step];
		if (below > wanted)
			return cycles_of(step) * 1e6 / (double)rte_get_tsc_hz();
	}
	return 0;
}

static void
hear(struct trial *trial, struct rte_mbuf *mbuf, uint64_t now)
{
	struct feed *feed = trial->feed;
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint32_t number;

	memcpy(&number, frame + NUMBER_AT, sizeof(number));
	number = rte_be_to_cpu_32(number);
	if (rte_pktmbuf_data_len(mbuf) < WIRE_HEADERS + FEED_RTP_HEADER ||
		number >= trial->packets ||
		rte_pktmbuf_data_len(mbuf) != feed->packet[number].length || feed->seen[number]) {
		if (!feed_answer_arp(feed, mbuf)) {
			trial->result->strange++;
			rte_pktmbuf_free(mbuf);
		}
		return;
	}
	feed->seen[number] = 1;
	trial->heard++;
	uint64_t due = trial->begun + (uint64_t)(number * trial->cycles_a_packet);
	trial->histogram[step_of(now > due ? now - due : 0)]++;
	if (number % FEED_SAMPLE == 0 && trial->result->samples < feed->samples_max) {
		uint32_t sample = trial->result->samples++;
		memcpy(feed->sample + (size_t)sample * FEED_FRAME_MAX, frame,
			feed->packet[number].length);
		feed->sample_of[sample] = number;
	}
	rte_pktmbuf_free(mbuf);
}

static unsigned
receive_burst(struct trial *trial, unsigned queue)
{
	struct rte_mbuf *mbufs[FEED_BURST];
	uint16_t count = feed_receive(trial->feed, queue, mbufs);
	uint64_t now = rte_rdtsc();

	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint16_t i = 0; i < count; i++)
		hear(trial, mbufs[i], now);
	return count;
}

/* More than is sent between two looks: when a peer that stood still goes on, it sends all at once
 * what was waiting for it, and a full ring would look like its loss. */
static void
receive(struct trial *trial)
{
	for (unsigned queue = 0; queue < trial->feed->peer->queues; queue++)
		for (unsigned i = 0; i < RECEIVE_BURSTS; i++)
			if (receive_burst(trial, queue) < FEED_BURST)
				break;
}

/* By a port: an mbuf only points at the packet and stays ours, since the port, which copies, lets
 * go of the second reference alone. */
static unsigned
send_by_port(struct trial *trial, unsigned queue, const struct feed_packet *packets[], unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct rte_mbuf *mbuf = trial->mbuf[i];
		mbuf->buf_addr = feed_frame(trial->feed, packets[i]);
		mbuf->data_off = 0;
		mbuf->data_len = packets[i]->length;
		mbuf->pkt_len = packets[i]->length;
		rte_mbuf_refcnt_set(mbuf, 2);
	}
	return feed_send(trial->feed, queue, trial->mbuf, n);
}

/* By rings, which give away the mbuf itself: the packet has to be in one that both ends share. */
static unsigned
send_by_rings(struct trial *trial, const struct feed_packet *packets[], unsigned n)
{
	struct rte_mbuf *mbufs[FEED_BURST];

	if (rte_pktmbuf_alloc_bulk(trial->feed->pool, mbufs, n) != 0)
		return 0;
	/* the peer had these buffers last: all their lines are asked for at once */
	for (unsigned i = 0; i < n; i++)
		for (unsigned at = 0; at < packets[i]->length; at += RTE_CACHE_LINE_SIZE)
			__builtin_prefetch(rte_pktmbuf_mtod_offset(mbufs[i], void *, at), 1);
	for (unsigned i = 0; i < n; i++) {
		memcpy(rte_pktmbuf_mtod(mbufs[i], void *), feed_frame(trial->feed, packets[i]),
			packets[i]->length);
		mbufs[i]->data_len = packets[i]->length;
		mbufs[i]->pkt_len = packets[i]->length;
	}
	unsigned sent = feed_send(trial->feed, 0, mbufs, n);
	if (sent < n)
		rte_pktmbuf_free_bulk(mbufs + sent, n - sent);
	return sent;
}

static bool
is_late(const struct trial *trial)
{
	uint64_t due = (uint64_t)(trial->sent * trial->cycles_a_packet) + trial->late;

	return !trial->feed->patient && due < rte_rdtsc() - trial->begun;
}

/* A stream has always the same queue, whoever owns its session: as RSS would have it. */
static unsigned
queue_of(const struct feed_packet *packet, unsigned queues)
{
	return (packet->stream * UINT32_C(2654435761) >> 16) % queues;
}

/* The next packets, until they are all sent, or it is too late. */
static void
send_some(struct trial *trial, uint32_t count)
{
	const struct feed_peer *peer = trial->feed->peer;
	const struct feed_packet *packets[FEED_QUEUES_MAX][FEED_BURST];
	unsigned n[FEED_QUEUES_MAX] = {0};

	for (uint32_t i = 0; i < count; i++) {
		const struct feed_packet *packet = &trial->feed->packet[trial->sent + i];
		unsigned queue = peer->queues > 1 ? queue_of(packet, peer->queues) : 0;
		packets[queue][n[queue]++] = packet;
	}
	for (unsigned queue = 0; queue < peer->queues; queue++)
		for (unsigned done = 0; done < n[queue];) {
			unsigned sent = peer->there != NULL
			                        ? send_by_rings(trial, packets[queue] + done,
							  n[queue] - done)
			                        : send_by_port(trial, queue, packets[queue] + done,
							  n[queue] - done);
			done += sent;
			trial->sent += sent;
			if (done < n[queue]) {
				receive(trial);
				if (is_late(trial))
					return;
			}
		}
}

/* Sends all, each in its time. False: what is due could not be sent in time. */
static bool
send_all(struct trial *trial)
{
	double packets_a_cycle = 1 / trial->cycles_a_packet;

	trial->late = (uint64_t)(FEED_LATE_US * 1e-6 * (double)rte_get_tsc_hz());

	trial->begun = rte_rdtsc();
	while (trial->sent < trial->packets) {
		uint64_t passed = rte_rdtsc() - trial->begun;
		double all = (double)passed * packets_a_cycle;
		uint32_t due = all < trial->packets ? (uint32_t)all : trial->packets;
		if (due > trial->sent)
			send_some(trial, RTE_MIN(due - trial->sent, (uint32_t)FEED_BURST));
		receive(trial);
		if (is_late(trial))
			return false;
	}
	double last_due = trial->packets * trial->cycles_a_packet;
	return (double)(rte_rdtsc() - trial->begun) <
	       last_due + FEED_BEHIND_US * 1e-6 * (double)rte_get_tsc_hz();
}

static double
cpu_seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct times {
	double wall, own, peer; /* seconds; of CPU the latter two */
};

static struct times
read_times(const struct feed *feed)
{
	return (struct times){.wall = cpu_seconds(CLOCK_MONOTONIC),
		.own = cpu_seconds(CLOCK_THREAD_CPUTIME_ID),
		.peer = feed_peer_cpu(feed->peer)};
}

/* What this thread had of its core, or the peer of its own, whichever is less. */
static double
share_since(const struct feed *feed, const struct times *before)
{
	struct times now = read_times(feed);
	double wall = now.wall - before->wall, own = (now.own - before->own) / wall;
	double peer = (now.peer - before->peer) / (wall * feed->peer->queues);

	return feed->peer->pid > 0 && peer < own ? peer : own;
}

void
feed_trial(struct feed *feed, uint32_t n, double mpps, struct feed_result *result)
{
	static struct trial trial;
	void *addresses[FEED_BURST];

	memset(&trial, 0, sizeof(trial));
	memset(result, 0, sizeof(*result));
	memset(feed->seen, 0, n);
	trial.feed = feed;
	trial.result = result;
	trial.packets = n;
	trial.cycles_a_packet = (double)rte_get_tsc_hz() / (mpps * 1e6);
	for (unsigned i = 0; i < 100; i++)
		feed_peer_idle(feed);
	if (rte_pktmbuf_alloc_bulk(feed->pool, trial.mbuf, FEED_BURST) != 0)
		return;
	for (unsigned i = 0; i < FEED_BURST; i++)
		addresses[i] = trial.mbuf[i]->buf_addr;
	struct times before = read_times(feed);
	result->behind = !send_all(&trial);
	uint64_t drain_ms = feed->patient ? DRAIN_PATIENT_MS : DRAIN_MS;
	uint64_t drained = rte_rdtsc() + rte_get_tsc_hz() * drain_ms / 1000;
	while (trial.heard < n && rte_rdtsc() < drained)
		receive(&trial);
	result->core_share = share_since(feed, &before);
	for (unsigned i = 0; i < FEED_BURST; i++) {
		trial.mbuf[i]->buf_addr = addresses[i];
		rte_mbuf_refcnt_set(trial.mbuf[i], 1);
		rte_pktmbuf_free(trial.mbuf[i]);
	}
	result->mpps = mpps;
	result->packets = n;
	result->lost = n - trial.heard;
	result->latency = (struct feed_latency){
		percentile(&trial, 0.5), percentile(&trial, 0.99), percentile(&trial, 0.999)};
}
