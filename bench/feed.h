/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lab's generator: real SRTP to a relay, or to an echo, on other cores.
 *
 * Packets are made and protected before a trial, so that during it they are only sent, counted
 * and timed: feed.c has the points, feed_measure.c the search and the rounds, feed_packets.c the
 * packets, feed_trial.c the trial, feed_oracle.c the judgement by libsrtp2, feed_control.c the
 * relay API, feed_peer.c the peers: how the relay or an echo is reached, and kept still meanwhile.
 */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include "dataplane/engine.h"
#include "relay/api.h"
#include "relay/client.h"
#include "wire.h"

#include <jansson.h>
#include <rte_ring.h>
#include <sys/types.h>

#define FEED_BURST 32
#define FEED_QUEUES_MAX 2
#define FEED_SAMPLE 200       /* one packet in so many is judged: more than one in 256 */
#define FEED_FRAME_MAX 1518   /* bytes */
#define FEED_PLACE 64         /* bytes: packets begin on a cache line */
#define FEED_RTP_HEADER 12    /* bytes */
#define FEED_PAYLOAD_MAX 1200 /* bytes */
/* a packet sent so late after its time counts as lost: the machine itself may stand still for some
 * milliseconds; but in the end no trial may be as late as this */
#define FEED_LATE_US 30000
#define FEED_BEHIND_US 2000

/* One direction of a session: what its far end sends, and what the other hears. */
struct feed_stream {
	struct relay_addr far;   /* where it sends from */
	struct relay_addr relay; /* where to */
	struct srtp_key *key;    /* that it protects with: the relay's receive key */
	uint32_t index;          /* of its next packet: ROC || SEQ */
};

/* A packet of a trial. */
struct feed_packet {
	uint32_t place; /* in the arena, in FEED_PLACE */
	uint32_t stream;
	uint32_t index;
	uint16_t length; /* of the frame */
	uint16_t payload;
};

/* Whom packets are sent to: the relay or an echo, over a port, or over rings whose mbufs both ends
 * share. */
struct feed_peer {
	bool is_echo;
	uint16_t port;
	unsigned queues;
	struct rte_ring *there, *back; /* in place of a port */
	pid_t pid;                     /* 0: it is never kept still */
	int control;                   /* an echo's */
};

struct feed {
	struct feed_peer relay, echo;
	struct feed_peer *peer;   /* one of them */
	int raw;                  /* who measures ipsec-mb on demand, or -1 */
	struct rte_mempool *pool; /* with rings: the relay's, that their mbufs are from */
	struct rte_ether_addr mac, relay_mac;
	bool relay_known;
	bool patient; /* the rate is given, not searched for: a trial may be late */
	const struct crypto_engine *engine;
	void *engine_state;
	struct relay_client *client;
	struct relay_ip far; /* the first address that far ends have; more follow */
	uint32_t sessions;   /* installed */
	uint32_t sessions_max;
	struct feed_stream *stream; /* two a session */
	uint8_t *arena;
	size_t arena_size;
	struct feed_packet *packet;
	uint8_t *seen; /* of each packet of the trial: it came back */
	uint32_t packets_max;
	uint32_t made;   /* packets of the last trial, that an echo may have too */
	uint8_t *sample; /* frames that came back, FEED_FRAME_MAX each */
	uint32_t *sample_of;
	uint32_t samples_max;
	uint64_t random;
};

struct feed_latency {
	double p50, p99, p999; /* us, from when a packet was due */
};

struct feed_result {
	double mpps;
	uint32_t packets;
	uint32_t lost;    /* did not come back, since they were lost, or never sent */
	bool behind;      /* what was due went out late to the end: the rate is too high */
	uint32_t strange; /* came, and are none of the trial's, or came twice */
	uint32_t samples;
	double core_share; /* that this process had of its core, or the peer of its, if less */
	struct feed_latency latency;
};

struct feed_counters {
	uint64_t packets, busy_turns, busy_cycles, sampled;
	double stage[16]; /* cycles in all */
	unsigned stages;
	char stage_name[16][16];
};

static inline uint8_t *
feed_frame(const struct feed *feed, const struct feed_packet *packet)
{
	return feed->arena + (size_t)packet->place * FEED_PLACE;
}

/* feed_peer.c. Its functions end the program with a sentence when a peer is not there. */
void
feed_peer_open_memif(struct feed *feed, struct feed_peer *peer, const char *memif, unsigned ring);
void feed_peer_open_rings(struct feed *feed, struct feed_peer *peer);
void feed_peer_open_control(struct feed_peer *echo, const char *path);
/* From now on the peer is this one; the other is stopped, as it would take the core. */
void feed_peer_choose(struct feed *feed, struct feed_peer *peer);
/* Stopped peers go on: before this program ends. */
void feed_peers_release(const struct feed *feed);
void feed_peers_close(struct feed *feed);
/* What the echo did since the last order, and how often it looks from now on: see echo.h. */
void feed_echo_order(struct feed *feed, double period_us, struct feed_counters *done);
/* To who measures raw ipsec-mb on demand (bench/crypto --serve). */
void feed_raw_open(struct feed *feed, const char *path);
/* Has it measured, on the core of the peers, which are stopped meanwhile; this thread works on as
 * if it sent. Nanoseconds a packet. */
double feed_raw_ask(struct feed *feed);
uint16_t feed_receive(const struct feed *feed, unsigned queue, struct rte_mbuf *mbufs[]);
/* Sends those of `mbufs` that there is room for. Returns how many. */
uint16_t feed_send(const struct feed *feed, unsigned queue, struct rte_mbuf *mbufs[], unsigned n);
/* Seconds of CPU that the peer's process has had; 0 if its pid is not known. */
double feed_peer_cpu(const struct feed_peer *peer);
/* Answers the relay's ARP requests among what came, and frees all. */
void feed_peer_idle(struct feed *feed);
bool feed_answer_arp(struct feed *feed, struct rte_mbuf *mbuf);

/* feed_packets.c */
int feed_allocate(struct feed *feed, uint32_t sessions_max, size_t arena_size);
/* The two keys of a stream's direction: what its far end sends with, and what the other hears. */
void feed_keys(uint32_t stream, struct relay_crypto *receive, struct relay_crypto *transmit);
/* Addresses and keys of sessions from `first` on to `end`. */
int feed_streams_make(struct feed *feed, uint32_t first, uint32_t end);
/* Makes n packets in random order of streams, protected. Returns how many the arena held. */
uint32_t feed_packets_make(struct feed *feed, uint32_t n, unsigned payload, bool mixed);
uint8_t feed_fill_byte(uint32_t number);

/* feed_trial.c */
void feed_trial(struct feed *feed, uint32_t n, double mpps, struct feed_result *result);

/* feed_oracle.c: how many of the samples are not what was sent, by libsrtp2. */
int feed_judge_init(void);
uint32_t feed_judge(const struct feed *feed, uint32_t samples);
/* Or how many are not the very RTP packets that were sent: of an echo. */
uint32_t feed_compare(const struct feed *feed, uint32_t samples);

/* feed_control.c */
int feed_connect(struct feed *feed, const char *socket);
/* Installs sessions until there are so many; seconds that it took, or negative. */
double feed_install(struct feed *feed, uint32_t sessions);
double feed_delete(struct feed *feed, uint32_t first, uint32_t end);
/* Of all workers together. */
int feed_read_counters(struct feed *feed, struct feed_counters *counters);
uint64_t feed_session_bytes(struct feed *feed);

/* feed_measure.c */
struct feed_plan {
	unsigned trial_ms, confirm_ms, latency_ms, repeat;
	double mpps; /* no search, but this rate; 0: search */
};

/* What is measured at once. */
struct feed_point {
	uint32_t sessions;
	unsigned payload;
	bool mixed, latency;
};

/* The relay, and the echo beside it in turns. NULL: no rate without loss could be confirmed. */
json_t *
feed_measure(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point);
/* The echo alone: what the port can do. */
json_t *
feed_measure_echo(struct feed *feed, const struct feed_plan *plan, const struct feed_point *point);

#endif
