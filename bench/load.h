/* SPDX-License-Identifier: BSD-3-Clause */
/* A load of calls on a running relay: its sessions by the relay API, its media by a net_memif pair.
 * load.c has the loop, load_streams.c the packets, load_control.c the relay API. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "dataplane/engine.h"
#include "relay/api.h"
#include "wire.h"

#include <stdatomic.h>

#define LOAD_BURST 32

struct options {
	const char *socket; /* of the relay API */
	const char *memif;  /* socket file of the memif pair, which the relay serves */
	const char *interface;
	const char *far; /* the first address that far ends have; more follow */
	unsigned sessions;
	unsigned rate; /* packets a second that each leg's far end sends */
	unsigned seconds;
	unsigned churn;  /* installs, and as many deletes, a second beside */
	unsigned held;   /* sessions that the churn keeps */
	unsigned flood;  /* forged packets a second on session 0 */
	unsigned sample; /* one packet in so many is verified by OpenSSL */
	unsigned payload;
	enum relay_suite suite;
};

/* What one far end sends and hears. */
struct stream {
	struct relay_addr far;
	struct relay_addr relay; /* the leg's port */
	struct srtp_key *send;   /* the relay's receive key */
	struct evp_srtp *hear;   /* the relay's transmit key */
	uint64_t index;          /* of the next packet it sends */
	uint64_t next;           /* index of the next one that it is to hear */
	uint32_t timestamp;
	struct relay_crypto keys[2];
};

struct load {
	struct options options;
	struct stream *stream; /* 2 a session: legs 0 and 1 */
	unsigned streams;
	void *engine;
	struct rte_ether_addr mac;
	struct rte_ether_addr relay_mac;
	bool relay_known;
	uint64_t sent, heard, lost, disordered, doubled, strange, bad, verified, flooded;
	/* load_control.c's, read by the loop */
	_Atomic bool ready;
	_Atomic bool failed;
	_Atomic bool stop;
	_Atomic uint64_t installed, deleted;
};

/* Makes keys and addresses. */
void streams_make(struct load *load);
void streams_free(struct load *load);

/* The next packets of streams from `first` on (round and round), protected, in `count` mbufs. */
void streams_fill(struct load *load, uint64_t first, struct rte_mbuf *mbufs[], unsigned count);

/* A forged one, on session 0. */
void streams_forge(struct load *load, struct rte_mbuf *mbuf);

/* Notes a frame from the relay. True: it was ARP, and is now the answer to be sent. */
bool streams_hear(struct load *load, struct rte_mbuf *mbuf);

/* A thread: installs all sessions, then churns until load->stop, then deletes what it made. */
void *control_main(void *load);

#endif
