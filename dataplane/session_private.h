/* SPDX-License-Identifier: BSD-3-Clause */
/* A session's inside, for session*.c and bridge.c alone. Control thread. */
#ifndef DATAPLANE_SESSION_PRIVATE_H
#define DATAPLANE_SESSION_PRIVATE_H

#include "flow.h"
#include "iface.h"
#include "session.h"

#define SESSION_DIGEST_SIZE 12 /* bytes */

/* What the control thread has told of a session once, and does not tell again. */
#define SESSION_SAID_ONE_WAY(leg) (1u << (leg))
#define SESSION_SAID_EXPIRING(leg) (4u << (leg))

struct session {
	struct flow_state state[2]; /* of the flow from leg 0, and from leg 1 */
	struct bridge *bridge;      /* published under both legs' ports; NULL: a free slot */
	struct session *next;       /* of the same bucket of names; or the next free one */
	char id[RELAY_ID_SIZE];
	uint8_t create_digest[SESSION_DIGEST_SIZE]; /* of the CREATE: tells a repetition */
	uint32_t created_s;                         /* since the process began */
	uint32_t changed_ms;                        /* tick_ms() of the last CREATE or UPDATE */
	uint32_t timeout_ms;
	uint32_t generation; /* rises when the slot is used anew */
	uint8_t worker;
	uint8_t latched; /* bit i: leg i's address was moved by a packet */
	uint8_t said;    /* SESSION_SAID_* */
	uint8_t ended;   /* withdrawn, and waiting for its grace period */
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct session) == 640, "bytes of every session");

/* session_table.c: slots by chunk, and names. */

/* Room for `sessions` live ones, and some that wait for their grace period. 0 or -ENOMEM. */
int session_table_init(uint32_t sessions);
void session_table_fini(void);
struct session *session_table_find(const char *id);
/* A zeroed slot (but for its generation), not in the table of names yet; NULL: no memory. */
struct session *session_table_take(void);
void session_table_insert(struct session *session);
void session_table_remove(struct session *session);
/* Wipes the slot. */
void session_table_give(struct session *session);
/* The slots, by number: NULL where none was made yet. */
uint32_t session_table_slots(void);
struct session *session_table_slot(uint32_t index);
/* Bytes that names and slots take for each session. */
size_t session_table_bytes(void);

/* bridge.c: each bridge holds references on its keys and next hops. */

/* A bridge like `old`, or an empty one for NULL. NULL: out of memory. */
struct bridge *bridge_begin(const struct bridge *old);

/* Lets go of keys and next hops, wipes and frees; a reclaim_cb. */
void bridge_free(void *bridge);

/* Sets one key of a leg, if it is another than before; the epoch rises. A receive key that is
 * replaced counts on for KEY_OVERLAP_MS. */
enum relay_code bridge_set_key(struct bridge *bridge, unsigned leg, bool transmit,
	const struct relay_crypto *crypto, char *reason);

/* The receive key before the present one counts no longer. */
void bridge_forget_key(struct bridge *bridge, unsigned leg);

/* A leg in clear has no keys. */
void bridge_clear_keys(struct bridge *bridge, unsigned leg);

/* A key that the relay transmits with is used nowhere else, or two packets could share a keystream
 * (RFC 3711 9.1): RELAY_E_KEY if not. */
enum relay_code bridge_check_keys(const struct bridge *bridge, char *reason);

/* Moves a leg's far address: checks it (RELAY_E_ADDRESS), references its next hops. With mux, or
 * for RTP with no RTCP address given, `rtcp` follows RFC 3550 11 and RFC 5761. `rtp` none: the
 * address is forgotten. */
enum relay_code bridge_set_remote(struct bridge *bridge, unsigned leg, const struct relay_addr *rtp,
	const struct relay_addr *rtcp, char *reason);

/* Transport, flags, DSCP, clock rate of a leg, as far as `mask` (RELAY_UPDATE_*) has them. */
enum relay_code bridge_set_leg(struct bridge *bridge, unsigned leg,
	const struct relay_leg_spec *spec, uint32_t mask, char *reason);

/* Works out what may be carried. Last, before it is published. */
void bridge_complete(struct bridge *bridge);

/* The bytes of one. */
size_t bridge_bytes(void);
void bridges_fini(void);

/* Publishes a bridge under both ports, and reclaims the one that it replaces. */
void session_publish(struct session *session, struct bridge *bridge);

/* Takes the session out of every worker's sight; the slot follows after a grace period. */
void session_end(struct session *session);

/* session_leg.c */

/* Finds a media address and reserves a port for a leg of an empty bridge. */
enum relay_code
leg_open(struct bridge *bridge, unsigned leg, const struct relay_leg_spec *spec, char *reason);
void leg_close(const struct bridge *bridge, unsigned leg);

struct media_address *leg_address(const struct bridge *bridge, unsigned leg);
struct relay_addr leg_remote(const struct bridge *bridge, unsigned leg, bool rtcp);

/* session_state.c: the flows of a new session go on where an earlier life of the relay left them,
 * by the keys that `bridge`, not published yet, has. NO_MEMORY or MALFORMED: nothing is kept. */
enum relay_code session_take_up(struct session *session, struct bridge *bridge,
	const struct relay_restore *past, char *reason);

/* session_watch.c */
struct session_limits {
	uint32_t timeout_ms;
	uint32_t hold_timeout_ms;
	uint32_t one_way_ms; /* 0: not watched */
};

/* Looks at one live session: timed out, one-way, a key near its end, an old key or a learning time
 * that is over. May end it. */
void session_watch(struct session *session, const struct session_limits *limits);

void session_emit(const struct session *session, enum relay_event_kind kind, unsigned leg);

/* Writes the sentence into reason (RELAY_REASON_SIZE bytes) and returns the code. */
enum relay_code session_refuse(enum relay_code code, char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
