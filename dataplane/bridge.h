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

#include <stdbool.h>

struct flow_state;

/* A transport address in 20 bytes; family 0: not known. */
struct endpoint {
	uint8_t ip[16];
	uint16_t port;
	uint8_t family;
	uint8_t reserved;
};
_Static_assert(sizeof(struct endpoint) == 20, "two in a leg's cache line");

/* With an address as it stands in a header. In few large stores: a compiler clears twenty bytes by
 * an instruction that takes longer than all the rest. */
static inline void
endpoint_set_ipv4(struct endpoint *endpoint, uint32_t address, uint16_t port)
{
	const uint64_t first = address, second = 0;
	const uint32_t last = port | 4u << 16;

	__builtin_memcpy(endpoint->ip, &first, sizeof(first));
	__builtin_memcpy(endpoint->ip + 8, &second, sizeof(second));
	__builtin_memcpy(&endpoint->port, &last, sizeof(last));
}
_Static_assert(__builtin_offsetof(struct endpoint, family) ==
		       __builtin_offsetof(struct endpoint, port) + 2,
	"port, family and the reserved byte are one word");

/* Bytes beyond an IPv4 address are zero. */
static inline bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return __builtin_memcmp(a, b, sizeof(*a)) == 0;
}

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

#define BRIDGE_SPECIAL 0xff /* no flow's state has all of these bits */
#define BRIDGE_PLAIN_PACKETS \
	(1u << 30) /* under one key: no lifetime of a flow without special is less */

/* What the state of a flow has to follow, packed so that one comparison tells whether it has
 * (flow.h). */
union bridge_follow {
	struct {
		uint8_t rx_epoch; /* changes with the receive key of the leg that it comes from */
		uint8_t tx_epoch; /* changes with the transmit key of the leg that it goes to */
		uint8_t change;   /* counts what was signalled of the leg that it comes from: its
		                     ROC may be out of step */
		/* BRIDGE_SPECIAL, or 0: RTP of this flow has nothing special: AES-CM without MKI on
		 * either side, no key before it that still counts, nobody on hold */
		uint8_t special;
	};
	uint32_t all;
};
_Static_assert(sizeof(union bridge_follow) == 4, "one comparison");

/* What few sessions have, and for a while: so it is not in the lines that every packet reads. */
struct bridge_rare {
	const struct srtp_key *previous[2]; /* the receive key before this one, or NULL */
	uint32_t previous_until_ms;         /* tick_ms(): till then previous[] counts */
	uint32_t roc[2];                    /* that a new SSRC on leg i starts with */
};

/* Arrays are by leg: rx[i] is the key of what comes in on leg i, tx[i] of what goes out on it. */
struct bridge {
	struct flow_state *state; /* [2]: of the direction from leg 0, and from leg 1; the start of
				     the session, which only the control thread may know as such */
	const struct srtp_key *rx[2]; /* NULL: in clear, or not known yet */
	const struct srtp_key *tx[2];
	struct bridge_rare *rare;      /* NULL: nothing of it */
	union bridge_follow follow[2]; /* of the flow from leg i */
	uint32_t generation; /* of the session, which may be gone when a request is read */
	uint8_t worker;      /* index of the worker that owns the session */
	uint8_t ready;       /* bit i: what comes in on leg i can be carried to the other */
	uint8_t restored; /* bit i: what flow i has sent under its transmit key is not known whole,
	                        for that was an earlier life of the relay */
	uint8_t reserved;
	struct bridge_leg leg[2];
};
_Static_assert(sizeof(struct bridge) == 192, "three cache lines, as slab.h packs them");
_Static_assert(__builtin_offsetof(struct bridge, leg) == 64, "legs on their own lines");

/* The receive key before the present one, if there is one. Any thread. */
static inline const struct srtp_key *
bridge_previous(const struct bridge *bridge, unsigned leg)
{
	return bridge->rare != NULL ? bridge->rare->previous[leg] : NULL;
}

#endif
