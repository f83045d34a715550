/* SPDX-License-Identifier: BSD-3-Clause */
/* A session's inside, for session*.c alone. Control thread. */
#ifndef DATAPLANE_SESSION_PRIVATE_H
#define DATAPLANE_SESSION_PRIVATE_H

#include "session.h"

#define KEY_PRINT_SIZE 16 /* bytes */

/* What tells whether two master keys are the same, once the keys themselves are wiped. */
struct key_print {
	uint8_t suite; /* enum relay_suite; NONE: no key */
	uint8_t bytes[KEY_PRINT_SIZE];
};

struct leg {
	struct iface *iface;
	uint16_t port; /* of RTP, even */
	uint8_t transport;
	uint8_t latched;
	uint32_t flags;
	struct relay_addr remote[2]; /* RTP, RTCP: in force; family 0: not known */
	struct nexthop *nexthop[2];  /* referenced; NULL with an unknown remote */
	struct key_print receive;
	struct key_print transmit;
};

struct session {
	struct flow_state state[2]; /* of the flow from leg 0, and from leg 1 */
	struct flow *flow[2];       /* published under leg[i].port */
	struct leg leg[2];
	char id[RELAY_ID_SIZE];
	uint8_t create_digest[32]; /* of the CREATE that made it: tells a repetition */
	uint64_t created_ms;       /* monotonic */
	uint64_t changed_ms;       /* by CREATE or UPDATE */
	uint32_t timeout_ms;
	uint32_t generation; /* rises when the slot is used anew */
	uint8_t worker;
	bool live; /* in the table of names, ports published */
	struct session *next_free;
} __attribute__((aligned(64)));

uint64_t session_now_ms(void);

/* The flows of a session, made ready but not yet published: what a request builds while it may
 * still be refused. */
struct flow_pair {
	struct flow *flow[2];
};

/* New flows, copied from the session's (zeroed where it has none yet). RELAY_E_NO_MEMORY leaves
 * nothing. */
enum relay_code
flow_pair_begin(const struct session *session, struct flow_pair *pair, char *reason);

/* Puts a master key into the flow that uses it: leg's receive key into the flow from that leg, its
 * transmit key into the flow towards it. Raises the epoch. */
enum relay_code flow_pair_set_key(struct flow_pair *pair, unsigned leg, bool transmit,
	const struct relay_crypto *crypto, char *reason);

/* Fills in all that follows from the legs (which the caller has set), publishes both flows, and
 * reclaims those they replace. */
void flow_pair_publish(struct session *session, struct flow_pair *pair);

/* Wipes and frees flows that were not published. */
void flow_pair_abandon(struct flow_pair *pair);

/* Wipes a flow and gives it back; a reclaim_cb. */
void flow_free(void *flow);

int flows_init(unsigned sessions);
void flows_fini(void);

/* Writes the sentence into reason (RELAY_REASON_SIZE bytes) and returns the code. */
enum relay_code session_refuse(enum relay_code code, char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* SHA-256. 0 or -ENOMEM. */
int session_digest(const void *data, size_t length, uint8_t out[32]);

/* Finds the interface, reserves a port, sets flags, transport and far address of a zeroed leg. On
 * failure leg_close() cleans up what was done. */
enum relay_code
leg_open(struct leg *leg, unsigned index, const struct relay_leg_spec *spec, char *reason);
void leg_close(struct leg *leg);

/* Sets one key of leg `index` in leg and flows; the key that is there already changes nothing. */
enum relay_code leg_set_key(struct leg *leg, unsigned index, bool transmit,
	const struct relay_crypto *crypto, struct flow_pair *pair, char *reason);

/* A key that the relay transmits with is used nowhere else, or two packets could share a keystream
 * (RFC 3711 9.1): RELAY_E_KEY if not. */
enum relay_code legs_check_keys(const struct leg leg[2], char *reason);

/* Moves a leg's remote address: checks it (RELAY_E_ADDRESS), references its next hop. With mux,
 * or for RTP with no RTCP address given, `rtcp` follows RFC 3550 11 and RFC 5761. */
enum relay_code leg_set_remote(
	struct leg *leg, const struct relay_addr *rtp, const struct relay_addr *rtcp, char *reason);
void leg_forget_remote(struct leg *leg);

#endif
