/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bridge: what a worker has to know of a session, both directions, to carry its packets.
 *
 * A bridge never changes. When keys or addresses do, the control thread builds a new one, publishes
 * it in the port tables in place of the old, and frees the old after a grace period. What workers
 * write lies apart (flow.h) and lives as long as the session. Keys are shared between bridges and
 * counted by the control thread.
 */
#ifndef DATAPLANE_BRIDGE_H
#define DATAPLANE_BRIDGE_H

#include "nexthop.h"
#include "relay/api.h"
#include "srtp_key.h"

struct flow_state;

/* A transport address in 20 bytes; family 0: not known. */
struct endpoint {
	uint8_t ip[16];
	uint16_t port;
	uint8_t family;
	uint8_t reserved;
};
_Static_assert(sizeof(struct endpoint) == 20, "two in a leg's cache line");

#define BRIDGE_CLOCK_UNIT 25 /* Hz: the usual clock rates are multiples of it */

/* One leg: where its far end is, and where we are for it. */
struct bridge_leg {
	struct nexthop *nexthop[2]; /* towards remote[]; NULL where that is not known */
	struct endpoint remote[2];  /* RTP, RTCP */
	uint16_t port;              /* ours of RTP, even */
	uint16_t address;           /* ours: index in media_addresses[] */
	uint16_t clock;             /* of its RTP timestamps, in BRIDGE_CLOCK_UNIT; 0: not known */
	uint8_t flags;              /* RELAY_LEG_* */
	uint8_t transport : 2;      /* enum relay_transport */
	uint8_t dscp : 6;
};
_Static_assert(sizeof(struct bridge_leg) == 64, "a cache line");

/* Arrays are by leg: rx[i] is the key of what comes in on leg i, tx[i] of what goes out on it. */
struct bridge {
	struct flow_state *state; /* [2]: of the direction from leg 0, and from leg 1; the start of
				     the session, which only the control thread may know as such */
	const struct srtp_key *rx[2]; /* NULL: in clear, or not known yet */
	const struct srtp_key *tx[2];
	uint32_t generation; /* of the session, which may be gone when a request is read */
	uint8_t worker;      /* index of the worker that owns the session */
	uint8_t ready;       /* bit i: what comes in on leg i can be carried to the other */
	uint8_t rx_epoch[2]; /* changes with the receive key */
	uint8_t tx_epoch[2]; /* changes with the transmit key */
	uint8_t change[2];   /* counts what was signalled of a leg: its ROC may be out of step */
	uint32_t previous_until_ms; /* tick_ms(): till then previous[] counts */
	uint32_t roc[2];            /* that a new SSRC on leg i starts with */
	struct bridge_leg leg[2];
	const struct srtp_key *previous[2]; /* the receive key before this one, or NULL */
};
_Static_assert(sizeof(struct bridge) == 208, "bytes of every session");
_Static_assert(__builtin_offsetof(struct bridge, leg) == 64, "legs on their own lines");

#endif
