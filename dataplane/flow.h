/* SPDX-License-Identifier: BSD-3-Clause */
/* The state of a flow: one direction of a session, from the leg where packets come in to the other.
 * Written by the worker that owns the session alone; the control thread reads the atomics with
 * relaxed loads. */
#ifndef DATAPLANE_FLOW_H
#define DATAPLANE_FLOW_H

#include "bridge.h"
#include "relay/drop.h"
#include "srtp_stream.h"

#include <stdatomic.h>

#define FLOW_SSRC_MAX 16 /* SSRC contexts a direction may have, of one receive key */

/* The reasons that a known session's packet can be dropped for; all others are the worker's. */
#define FLOW_DROPS(X)          \
	X(LEG_NOT_READY)       \
	X(RTP_TRUNCATED)       \
	X(RTP_BAD_CSRC)        \
	X(RTP_BAD_EXTENSION)   \
	X(RTP_BAD_PADDING)     \
	X(RTCP_TRUNCATED)      \
	X(RTCP_BAD_HEADER)     \
	X(RTCP_NOT_MUXED)      \
	X(RTCP_UNENCRYPTED)    \
	X(RTP_ON_RTCP_PORT)    \
	X(NOT_RTP)             \
	X(MKI_MISMATCH)        \
	X(AUTH_FAILED)         \
	X(AUTH_THROTTLED)      \
	X(REPLAYED)            \
	X(TOO_OLD)             \
	X(SSRC_LIMIT)          \
	X(KEY_EXPIRED)         \
	X(SOURCE_MISMATCH)     \
	X(NEXT_HOP_UNRESOLVED) \
	X(MTU_EXCEEDED)        \
	X(TX_FULL)             \
	X(LEG_ON_HOLD)

enum flow_drop {
#define FLOW_DROP_ENUM(reason) FLOW_DROP_##reason,
	FLOW_DROPS(FLOW_DROP_ENUM)
#undef FLOW_DROP_ENUM
		FLOW_DROP_COUNT
};

/* What is known of a stream's way to us, and of the far end's reports (quality.h). */
struct flow_quality {
	_Atomic uint32_t ssrc;     /* of the stream that this is about */
	uint32_t base;             /* its first packet's index, low 32 bits */
	_Atomic uint32_t expected; /* its packets: newest index less base, and one */
	_Atomic uint32_t received;
	_Atomic uint32_t jitter; /* RFC 3550 A.8: in microseconds, times 16 */
	uint32_t transit;        /* arrival minus timestamp of the last packet, in its units */
	/* the last sender report that was sent on to the other leg's far end: */
	uint32_t report;    /* middle 32 bits of its NTP timestamp (LSR) */
	uint32_t report_at; /* tick_65536() when it passed */
	/* this leg's far end about what we send it: fraction lost << 24 | cumulative lost */
	_Atomic uint32_t remote_lost;
	_Atomic uint16_t remote_jitter_ms; /* UINT16_MAX: no report yet, or its clock not known */
	_Atomic uint16_t
		round_trip_ms; /* times 4: quarters of a millisecond; UINT16_MAX: not known */
};
_Static_assert(sizeof(struct flow_quality) == 40, "bytes of every session, twice");

struct flow_state {
	struct srtp_stream stream; /* the first SSRC; more hang on its `next` */
	_Atomic uint64_t packets_in;
	_Atomic uint64_t bytes_in;
	_Atomic uint64_t packets_out;
	_Atomic uint64_t bytes_out;
	_Atomic uint64_t rx_key_packets; /* RTP packets under the present receive key */
	_Atomic uint64_t tx_key_packets; /* and under the present transmit key */
	_Atomic uint32_t rtcp_in;
	_Atomic uint32_t rtcp_out;
	_Atomic uint32_t last_ms; /* tick_ms() of the last genuine packet, never 0; 0: none yet */
	uint32_t rtcp_tx_index;   /* last SRTCP index sent under the present transmit key */
	/* What of the bridge was last followed, and what is not as usual here: `all` equals that of
	 * the bridge's union bridge_follow where both have nothing special. */
	union {
		struct {
			uint8_t rx_epoch;
			uint8_t tx_epoch;
			uint8_t change;
			/* the ROC may be out of step until a packet verifies */
			uint8_t recovering : 1;
			uint8_t stale : 1; /* streams of the previous key are still there */
		};
		uint32_t followed;
	};
	uint8_t streams; /* SSRC contexts in use, of the present and the previous key */
	/* set by the worker when it asks for a latch, cleared by the control thread when done */
	_Atomic uint8_t latch_asked;
	uint16_t refilled_ms; /* low bits of tick_ms() when the budgets were last refilled */
	uint16_t budget[2];   /* failed verifications left: strangers', and the known source's */
	struct flow_quality quality;
	_Atomic uint32_t drops[FLOW_DROP_COUNT];
};
_Static_assert(sizeof(struct flow_state) == 272, "bytes of every session, twice");

/* What a worker asks of the control thread: a genuine packet came from a new address. */
struct latch_request {
	struct flow_state *session; /* the bridge's `state` */
	struct relay_addr from;
	uint32_t generation;
	uint8_t leg;
	uint8_t rtcp; /* the RTCP address moved, not that of RTP */
	uint8_t reserved[2];
};
_Static_assert(sizeof(struct latch_request) % 4 == 0, "an element of an rte_ring");

/* Adds to a counter that this thread alone writes and others read: no locked instruction. */
static inline void
counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline uint64_t
counter_read(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static inline void
counter_add_32(_Atomic uint32_t *counter, uint32_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
		memory_order_relaxed);
}

static inline uint32_t
counter_read_32(const _Atomic uint32_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Failed verifications that a leg may cost at once, and a second: those of packets from elsewhere,
 * and of packets from where its far end is known to be. Beyond, packets are dropped unverified. */
#define FLOW_BUDGET_STRANGERS 50
#define FLOW_BUDGET_SOURCE 400

/* Readies the zeroed state of a new session. Control thread. */
void flow_state_init(struct flow_state *state);

/* The place of a reason in flow_state.drops, or FLOW_DROP_COUNT: none. */
enum flow_drop flow_drop_of(enum relay_drop reason);

/* Counts a packet of this flow that is being dropped. Owning worker. */
void flow_count_drop(struct flow_state *state, enum relay_drop reason);

#endif
