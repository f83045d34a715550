/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions: two legs, the bridge between them, and their life. All of this is the control thread's;
 * workers see bridges only (bridge.h), through the port tables.
 *
 * A session is made by a CREATE of the relay API, changed by UPDATE or by a latch, and ended by
 * DELETE or when its media times out. Whatever changes, a new bridge is built whole and published;
 * the old one is wiped and freed after a grace period (reclaim.h).
 */
#ifndef DATAPLANE_SESSION_H
#define DATAPLANE_SESSION_H

#include "relay/api.h"
#include "relay/config.h"

#include <stdbool.h>
#include <stddef.h>

struct session;

/* Called when a session changes by itself. */
typedef void session_event_cb(const struct relay_event *event);

/* Makes room for config->sessions sessions, and the port tables of all interfaces. After
 * workers_create(), before the workers start. 0, or -errno after a sentence. */
int sessions_init(const struct config_media *config, char *error, size_t error_size);

/* Goes by its timeouts from now on: new sessions, and what is watched of all. */
void sessions_configure(const struct config_media *config);

/* Ends every session. After the workers have stopped. */
void sessions_fini(void);

void sessions_on_event(session_event_cb *cb);

/* The requests: the relay API's bodies in, enum relay_code out. Where that is not RELAY_OK,
 * nothing has changed, and `reason` (RELAY_REASON_SIZE bytes) holds a sentence. session_delete()
 * fills `final` with the last counters. */
enum relay_code
session_create(const struct relay_create *request, struct session **out, char *reason);
/* A session that an earlier life of the relay had, with what is known of its flows. */
enum relay_code
session_restore(const struct relay_restore *request, struct session **out, char *reason);
enum relay_code
session_update(const struct relay_update *request, struct session **out, char *reason);
enum relay_code session_delete(const char *id, struct relay_session *final, char *reason);
enum relay_code session_find(const char *id, struct session **out, char *reason);

/* Fills in all but the header. Never a key. */
void session_describe(const struct session *session, struct relay_session *out);
void session_describe_short(const struct session *session, struct relay_list_entry *out);

/* What a CREATE would have to say to make the session as it is now, keys and all: the caller wipes
 * it. Fills in all but the header. Whoever asks is new to the session: an event of a key that is
 * nearly used up will be told again. */
void session_export(struct session *session, struct relay_create *out);
/* What session_restore() would need of it, as RELAY_OP_STATE tells it: writes at most
 * SESSION_STATE_MAX bytes, and returns how many. */
#define SESSION_STATE_MAX                   \
	(sizeof(struct relay_state_entry) + \
		2 * RELAY_STREAMS_MAX * sizeof(struct relay_stream_state))
size_t session_tell_state(const struct session *session, struct relay_state_entry *out);

/* Walks the sessions: the first at or after *cursor, which is then moved behind it; NULL at the
 * end. Start with 0. */
struct session *session_next(uint64_t *cursor);

/* Moves legs to the addresses that workers found, and frees what is past its grace period. To be
 * called every few milliseconds. */
void sessions_poll(void);

/* Ends the sessions whose media has timed out: looks at a part of them at each call, at all within
 * a second when called ten times a second. */
void sessions_expire(void);

/* From now on, RELAY_DRAIN_*: no new sessions. */
void sessions_drain(uint32_t flags);
uint32_t sessions_draining(void);

uint64_t sessions_count(void);
uint64_t sessions_max(void);
size_t session_bytes(void); /* memory of one two-leg AES_CM_128 session, all included */

/* What captures know a session by; NULL: none. */
const void *session_state(const struct session *session);

#endif
