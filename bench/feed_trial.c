/* SPDX-License-Identifier: BSD-3-Clause */
/* One trial: packets go out at an even rate, whatever comes back (an open loop), and each is timed
 * from when it was due, so that what waits is not forgotten. */
#include "feed.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <string.h>
#include <time.h>

#define DRAIN_MS 60
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

static void
receive(struct trial *trial)
{
	struct rte_mbuf *mbufs[FEED_BURST];
	uint16_t count = rte_eth_rx_burst(trial->feed->port, 0, mbufs, FEED_BURST);
	uint64_t now = rte_rdtsc();

	for (uint16_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint16_t i = 0; i < count; i++)
		hear(trial, mbufs[i], now);
}

/* The mbufs stay ours, since the port, which copies, lets go of the second reference alone. */
static void
send_some(struct trial *trial, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct feed_packet *packet = &trial->feed->packet[trial->sent + i];
		struct rte_mbuf *mbuf = trial->mbuf[i];
		mbuf->buf_addr = feed_frame(trial->feed, packet);
		mbuf->data_off = 0;
		mbuf->data_len = packet->length;
		mbuf->pkt_len = packet->length;
		rte_mbuf_refcnt_set(mbuf, 2);
	}
	trial->sent += rte_eth_tx_burst(trial->feed->port, 0, trial->mbuf, (uint16_t)count);
}

/* Sends all, each in its time. False: what is due could not be sent in time. */
static bool
send_all(struct trial *trial)
{
	uint64_t late = (uint64_t)(FEED_LATE_US * 1e-6 * (double)rte_get_tsc_hz());
	double packets_a_cycle = 1 / trial->cycles_a_packet;

	trial->begun = rte_rdtsc();
	while (trial->sent < trial->packets) {
		uint64_t passed = rte_rdtsc() - trial->begun;
		double all = (double)passed * packets_a_cycle;
		uint32_t due = all < trial->packets ? (uint32_t)all : trial->packets;
		if (due > trial->sent)
			send_some(trial, RTE_MIN(due - trial->sent, (uint32_t)FEED_BURST));
		receive(trial);
		if ((uint64_t)(trial->sent * trial->cycles_a_packet) + late < passed)
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
		feed_port_idle(feed);
	if (rte_pktmbuf_alloc_bulk(feed->pool, trial.mbuf, FEED_BURST) != 0)
		return;
	for (unsigned i = 0; i < FEED_BURST; i++)
		addresses[i] = trial.mbuf[i]->buf_addr;
	double wall = cpu_seconds(CLOCK_MONOTONIC), cpu = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
	result->behind = !send_all(&trial);
	uint64_t drained = rte_rdtsc() + rte_get_tsc_hz() * DRAIN_MS / 1000;
	while (trial.heard < n && rte_rdtsc() < drained)
		receive(&trial);
	result->core_share = (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu) /
	                     (cpu_seconds(CLOCK_MONOTONIC) - wall);
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
