/* SPDX-License-Identifier: BSD-3-Clause */
/* What each source of traffic has used up: token buckets and connections, in a table of bounded
 * size. A source is an IPv4 address or the /64 of an IPv6 address: whoever has one of these has
 * all. Where the table is full, the source that was quiet longest is forgotten; never one that
 * has connections, unless all have. Times are milliseconds of one clock, handed in. Event-loop
 * thread alone. */
#ifndef CONTROL_SOURCES_H
#define CONTROL_SOURCES_H

#include "relay/addr.h"

#include <stdbool.h>
#include <stdint.h>

/* Fills at `rate` tokens a second up to `burst`; new ones are full. */
struct bucket {
	uint64_t last_ms; /* 0: never used */
	uint64_t level;   /* thousandths of a token */
};

/* Takes one token. False: there is none. */
bool bucket_take(struct bucket *bucket, uint32_t rate, uint32_t burst, uint64_t now_ms);

struct source_record {
	struct source_record *next; /* in its hash bucket */
	struct source_record **prev;
	struct source_record *older, *newer; /* by last use */
	struct relay_ip ip;                  /* masked */
	uint32_t connections;                /* at the moment */
	struct bucket connects;
	struct bucket requests; /* of strangers */
	struct bucket known;    /* requests of those who have logged in */
	struct bucket refusals; /* what we say no to, and still answer */
};

struct sources;

/* At most `most` sources. 0, -ENOMEM, or -EIO without randomness. */
int sources_create(uint32_t most, struct sources **out);
void sources_destroy(struct sources *sources);

/* The record of this address's source, made if need be: it is good until the next call, or as long
 * as it has connections. NULL: out of memory. */
struct source_record *sources_get(struct sources *sources, const struct relay_ip *ip);

/* At most `most` from now on. Those that are over go as new ones come. */
void sources_set_most(struct sources *sources, uint32_t most);

uint32_t sources_count(const struct sources *sources);

#endif
