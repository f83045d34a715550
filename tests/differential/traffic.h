/* SPDX-License-Identifier: BSD-3-Clause */
/* What a far end sends, and what a bad network and an attacker make of it. */
#ifndef TESTS_TRAFFIC_H
#define TESTS_TRAFFIC_H

#include "oracle.h"
#include "tests/unit/dataplane/random.h"

#define TRAFFIC_ROOM 1600 /* bytes of a packet's buffer */

struct sent {
	uint8_t plain[TRAFFIC_ROOM]; /* as the far end made it */
	uint8_t wire[TRAFFIC_ROOM];  /* as the oracle protected it */
	unsigned plain_length;
	unsigned wire_length;
	unsigned index; /* ROC || sequence of RTP */
	bool rtcp;
	bool first; /* of its SSRC */
};

/* One packet's arrival at the relay. */
struct arrival {
	uint64_t when;
	unsigned sent; /* which */
	bool forged;   /* altered on the way */
};

struct traffic {
	struct sent *sent;
	unsigned sent_count;
	struct arrival *arrival; /* in order of time */
	unsigned arrival_count;
	unsigned highest_roc;
};

/* `count` packets, RTP and RTCP of several SSRCs, with sequence jumps and wraps, protected by the
 * oracle under this key; some lost, late, repeated or forged. In clear there are neither jumps nor
 * forgeries: nobody could tell them from a far end that begins anew. */
void traffic_make(struct traffic *traffic, const struct relay_crypto *key, unsigned count,
	struct test_random *dice);
void traffic_free(struct traffic *traffic);

/* Alters a packet at random, so that it differs. */
void traffic_forge(uint8_t *data, unsigned *length, struct test_random *dice);

#endif
