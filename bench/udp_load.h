/* SPDX-License-Identifier: BSD-3-Clause */
/* A load of SRTP over kernel sockets, for a relay that is another process. udp_load.c has the
 * search for the highest rate, udp_trial.c one trial, udp_traffic.c the packets, udp_cpu.c what
 * they cost the relay. One thread. */
#ifndef BENCH_UDP_LOAD_H
#define BENCH_UDP_LOAD_H

#include "dataplane/engine.h"
#include "relay/api.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define HEADER_LENGTH 12   /* bytes of RTP */
#define PAYLOAD_LENGTH 160 /* bytes */
#define PACKET_ROOM (HEADER_LENGTH + PAYLOAD_LENGTH + SRTP_TAG_MAX)
#define SAMPLE \
	251 /* one packet in so many is verified: a prime, so that each stream has its turn */
#define SECOND 1000000000ull /* ns */

/* Ends the program: message, newline, exit status 1. */
#define fail(...)                                          \
	do {                                               \
		fprintf(stderr, "udp_load: " __VA_ARGS__); \
		fputc('\n', stderr);                       \
		exit(1);                                   \
	} while (0)

/* One direction of one call. */
struct stream {
	struct sockaddr_in relay; /* where its packets go */
	int from;                 /* the socket that they leave by */
	int to;                   /* and the one where they arrive */
	struct relay_crypto send, hear;
	struct srtp_key *send_key;
};

/* A packet out of the relay, put aside. */
struct sample {
	uint64_t number;
	uint16_t length; /* bytes */
	uint8_t data[PACKET_ROOM + 1];
};

struct traffic {
	struct stream *stream;
	unsigned streams;
	int socket[2]; /* far ends: each has one */
	struct sockaddr_in far[2];
	unsigned sockets;
	void *engine;
	uint64_t next; /* number of the next packet ever: none is made twice */
	uint64_t base; /* of these calls' first packet */
	/* one trial's packets, numbers from `first` */
	uint64_t first;
	uint64_t count;
	uint8_t *packets; /* PACKET_ROOM each */
	uint64_t room;    /* that many fit */
};

void traffic_start(struct traffic *traffic);
void traffic_stop(struct traffic *traffic);

/* Calls in place of those that there were: `command` sets them up and prints ng.py's lines. Opens
 * the far ends' sockets. */
void traffic_call(struct traffic *traffic, const char *command);

/* Makes and protects the next `count` packets, one of each stream in turn. */
void traffic_make(struct traffic *traffic, uint64_t count);

/* Packet `i` of this trial: its bytes, length and stream. */
uint8_t *
traffic_packet(const struct traffic *traffic, uint64_t i, size_t *length, struct stream **stream);

/* Its place in this trial by its clear header; false: it is none of this trial's, or not from that
 * socket's calls. */
bool traffic_place(
	const struct traffic *traffic, const uint8_t *data, size_t length, int socket, uint64_t *i);

/* Does libsrtp2 open it with the key of the leg that it came out of, and is it what went in? */
bool traffic_verify(const struct traffic *traffic, const struct sample *sample);

/* What a process and its core have done so far, in ns. */
struct cpu {
	uint64_t wall;
	uint64_t process; /* all its threads on a CPU */
	uint64_t waited;  /* its threads for a CPU that another task had */
	uint64_t stolen;  /* of the core: what the hypervisor gave to another machine */
};

void cpu_read(int pid, unsigned core, struct cpu *cpu);
/* Share of the core that the process had or could have had. */
double cpu_share(const struct cpu *before, const struct cpu *after);

struct outcome {
	double rate; /* packets a second, asked for */
	double sent_rate;
	uint64_t sent, heard, lost, doubled, strange;
	uint64_t verified, bad;
	double behind;    /* share of the packets that were not out when the last one had gone in */
	double cpu_ns;    /* of the relay, a packet */
	double share;     /* of its core */
	double own_share; /* of the generator's core, that the generator had */
	double p50, p99, p999; /* us, from the moment that the packet was due */
	bool carried;          /* all came, genuine, at that rate */
	const char *why;       /* not carried */
};

struct target {
	int pid;
	unsigned core;
	unsigned burst; /* packets that are due together */
};

/* One trial of that rate and time. */
void trial_run(struct traffic *traffic, const struct target *target, double rate, double seconds,
	struct outcome *outcome);

uint64_t now_ns(void);

#endif
