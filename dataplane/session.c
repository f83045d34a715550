/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a session: create, update, delete, latch, time out. */
#include "session_private.h"

#include "port_table.h"
#include "reclaim.h"
#include "relay/log.h"
#include "srtp_flow.h"
#include "worker.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <rte_cycles.h>
#include <rte_hash.h>
#include <rte_jhash.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SLOTS_SPARE 1024 /* ended sessions that wait for their grace period */
/* A session that is still being set up (a callee's phone rings) has no media to time out. It ends
 * after this long all the same: RFC 3261 16.6 timer C is above 3 minutes. */
#define SETUP_TIMEOUT_MS 300000u

static struct {
	struct session *slot;
	uint32_t slots;
	uint32_t live;
	uint32_t max;
	uint32_t next_worker;
	uint32_t expire_at; /* the slot that sessions_expire() looks at next */
	uint32_t default_timeout_ms;
	struct session *free;
	struct rte_hash *by_id;
	session_event_cb *on_event;
} all;

uint64_t
session_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
emit(const struct session *session, enum relay_event_kind kind, unsigned leg)
{
	struct relay_event event = {.kind = kind, .leg = leg};

	if (all.on_event == NULL)
		return;
	memcpy(event.id, session->id, sizeof(event.id));
	event.remote = session->leg[leg].remote[0];
	all.on_event(&event);
}

void
sessions_on_event(session_event_cb *cb)
{
	all.on_event = cb;
}

uint64_t
sessions_count(void)
{
	return all.live;
}

uint64_t
sessions_max(void)
{
	return all.max;
}

size_t
session_bytes(void)
{
	return sizeof(struct session) + 2 * sizeof(struct flow);
}

int
sessions_init(const struct config_media *config, char *error, size_t error_size)
{
	struct rte_hash_parameters names = {
		.name = "sessions",
		.entries = RTE_MAX(config->sessions + SLOTS_SPARE, 64u),
		.key_len = RELAY_ID_SIZE,
		.hash_func = rte_jhash,
		.socket_id = (int)rte_socket_id(),
	};

	memset(&all, 0, sizeof(all));
	all.max = config->sessions;
	all.slots = config->sessions + SLOTS_SPARE;
	all.default_timeout_ms = config->timeout_s * 1000;
	all.slot = rte_zmalloc("sessions", (size_t)all.slots * sizeof(*all.slot), 64);
	all.by_id = rte_hash_create(&names);
	if (all.slot == NULL || all.by_id == NULL || flows_init(all.slots) != 0 ||
		reclaim_init(workers_shared()->qsbr, 4 * SLOTS_SPARE) != 0)
		goto no_memory;
	for (uint32_t i = all.slots; i-- > 0;) {
		all.slot[i].next_free = all.free;
		all.free = &all.slot[i];
	}
	for (unsigned i = 0; i < ifaces_count; i++) {
		const struct config_interface *at = ifaces[i]->config;
		ifaces[i]->table = port_table_create(at->port_first, at->port_last);
		if (ifaces[i]->table == NULL)
			goto no_memory;
	}
	return 0;

no_memory:
	snprintf(error, error_size,
		"media.sessions: no memory for %u sessions of %zu bytes: raise media.memory_mb, or "
		"lower media.sessions",
		config->sessions, session_bytes());
	sessions_fini();
	return -ENOMEM;
}

static struct session *
find(const char *id)
{
	void *session;

	return rte_hash_lookup_data(all.by_id, id, &session) >= 0 ? session : NULL;
}

/* A name is RELAY_ID_SIZE bytes, with nothing behind its NUL, so that equal names are equal
 * bytes. */
static bool
id_is_valid(const char *id)
{
	size_t length = strnlen(id, RELAY_ID_SIZE);

	if (length == 0 || length == RELAY_ID_SIZE)
		return false;
	for (size_t i = 0; i < length; i++)
		if (id[i] < 0x21 || id[i] > 0x7e)
			return false;
	for (size_t i = length; i < RELAY_ID_SIZE; i++)
		if (id[i] != 0)
			return false;
	return true;
}

enum relay_code
session_find(const char *id, struct session **out, char *reason)
{
	if (!id_is_valid(id))
		return session_refuse(RELAY_E_MALFORMED, reason,
			"a session's name is 1 to %d printable characters, NUL-padded",
			RELAY_ID_SIZE - 1);
	*out = find(id);
	if (*out == NULL)
		return session_refuse(RELAY_E_NO_SESSION, reason, "no session %s", id);
	return RELAY_OK;
}

struct session *
session_next(uint64_t *cursor)
{
	while (*cursor < all.slots) {
		struct session *session = &all.slot[(*cursor)++];
		if (session->live)
			return session;
	}
	return NULL;
}

/* Gives the slot back, wiped. A reclaim_cb for sessions that workers have known. */
static void
slot_free(void *object)
{
	struct session *session = object;
	uint32_t generation = session->generation;

	for (unsigned i = 0; i < 2; i++) {
		srtp_flow_state_release(&session->state[i], workers_shared()->streams);
		if (session->flow[i] != NULL)
			flow_free(session->flow[i]);
		leg_close(&session->leg[i]);
	}
	OPENSSL_cleanse(session, sizeof(*session));
	session->generation = generation + 1;
	session->next_free = all.free;
	all.free = session;
}

/* Everything of a new session that may fail, in the order of the request. */
static enum relay_code
build(struct session *session, const struct relay_create *request, char *reason)
{
	struct flow_pair pair;
	enum relay_code code = RELAY_OK;

	for (unsigned i = 0; i < 2 && code == RELAY_OK; i++)
		code = leg_open(&session->leg[i], i, &request->leg[i], reason);
	if (code != RELAY_OK)
		return code;
	code = flow_pair_begin(session, &pair, reason);
	if (code != RELAY_OK)
		return code;
	for (unsigned i = 0; i < 2 && code == RELAY_OK; i++) {
		const struct relay_leg_spec *spec = &request->leg[i];
		code = leg_set_key(&session->leg[i], i, false, &spec->receive, &pair, reason);
		if (code == RELAY_OK)
			code = leg_set_key(
				&session->leg[i], i, true, &spec->transmit, &pair, reason);
	}
	if (code == RELAY_OK)
		code = legs_check_keys(session->leg, reason);
	if (code == RELAY_OK && rte_hash_add_key_data(all.by_id, session->id, session) != 0)
		code = session_refuse(
			RELAY_E_NO_MEMORY, reason, "the table of session names is full");
	if (code != RELAY_OK) {
		flow_pair_abandon(&pair);
		return code;
	}
	flow_pair_publish(session, &pair);
	return RELAY_OK;
}

enum relay_code
session_create(const struct relay_create *request, struct session **out, char *reason)
{
	uint8_t request_digest[32];
	struct session *session;

	enum relay_code code = session_find(request->id, &session, reason);
	if (code == RELAY_E_MALFORMED)
		return code;
	if (session_digest(
		    request->id, sizeof(*request) - sizeof(request->header), request_digest) != 0)
		return session_refuse(RELAY_E_NO_MEMORY, reason, "no memory");
	if (code == RELAY_OK) {
		*out = session;
		if (CRYPTO_memcmp(session->create_digest, request_digest, 32) == 0)
			return RELAY_OK;
		return session_refuse(RELAY_E_CONFLICT, reason,
			"session %s exists, and was created otherwise: delete it first, or use "
			"UPDATE",
			session->id);
	}
	if (all.live >= all.max || all.free == NULL)
		return session_refuse(RELAY_E_NO_MEMORY, reason,
			"all %u sessions are in use: raise media.sessions", all.max);

	session = all.free;
	all.free = session->next_free;
	session->next_free = NULL;
	memcpy(session->id, request->id, sizeof(session->id));
	memcpy(session->create_digest, request_digest, sizeof(session->create_digest));
	session->timeout_ms =
		request->timeout_ms != 0 ? request->timeout_ms : all.default_timeout_ms;
	session->created_ms = session->changed_ms = session_now_ms();
	session->worker = (uint8_t)(all.next_worker++ % workers_count());
	code = build(session, request, reason);
	if (code != RELAY_OK) {
		slot_free(session); /* no worker has seen it */
		return code;
	}
	session->live = true;
	all.live++;
	*out = session;
	return RELAY_OK;
}

enum relay_code
session_update(const struct relay_update *request, struct session **out, char *reason)
{
	const struct relay_leg_spec *spec = &request->spec;
	struct session *session;
	struct flow_pair pair;
	enum relay_code code = session_find(request->id, &session, reason);

	if (code != RELAY_OK)
		return code;
	if (request->leg > 1 || spec->transport > RELAY_TRANSPORT_SRTP ||
		(spec->flags & ~(RELAY_LEG_RTCP_MUX | RELAY_LEG_LATCH)) != 0)
		return session_refuse(RELAY_E_MALFORMED, reason,
			"session %s: leg, transport or flags are out of range", session->id);

	/* changed on copies, so that a refusal changes nothing */
	struct leg before = session->leg[request->leg];
	struct leg *leg = &session->leg[request->leg];
	code = flow_pair_begin(session, &pair, reason);
	if (code != RELAY_OK)
		return code;
	if (request->mask & RELAY_UPDATE_TRANSPORT)
		leg->transport = spec->transport;
	if (request->mask & RELAY_UPDATE_RECEIVE)
		code = leg_set_key(leg, request->leg, false, &spec->receive, &pair, reason);
	if (code == RELAY_OK && (request->mask & RELAY_UPDATE_TRANSMIT))
		code = leg_set_key(leg, request->leg, true, &spec->transmit, &pair, reason);
	if (code == RELAY_OK)
		code = legs_check_keys(session->leg, reason);
	/* last, since it lets go of the old next hops when it succeeds */
	if (code == RELAY_OK && (request->mask & RELAY_UPDATE_REMOTE)) {
		leg->flags = spec->flags;
		leg->latched = 0;
		code = leg_set_remote(leg, &spec->remote_rtp, &spec->remote_rtcp, reason);
	}
	if (code != RELAY_OK) {
		*leg = before;
		flow_pair_abandon(&pair);
		return code;
	}
	flow_pair_publish(session, &pair);
	session->changed_ms = session_now_ms();
	*out = session;
	return RELAY_OK;
}

/* Takes the session out of every worker's sight; the slot follows after a grace period. */
static void
end(struct session *session)
{
	for (unsigned i = 0; i < 2; i++)
		port_table_withdraw(session->leg[i].iface->table, session->leg[i].port);
	rte_hash_del_key(all.by_id, session->id);
	session->live = false;
	all.live--;
	reclaim_later(session, slot_free);
}

enum relay_code
session_delete(const char *id, struct relay_session *final, char *reason)
{
	struct session *session;
	enum relay_code code = session_find(id, &session, reason);

	if (code != RELAY_OK)
		return code;
	session_describe(session, final);
	emit(session, RELAY_EVENT_DELETED, 0);
	end(session);
	return RELAY_OK;
}

/* A worker saw a genuine packet from another address than the leg's. */
static void
latch(const struct latch_request *request)
{
	struct session *session = request->session;
	struct leg *leg = &session->leg[request->leg];
	char reason[RELAY_REASON_SIZE] = "";
	struct flow_pair pair;

	if (!session->live || session->generation != request->generation)
		return;
	const struct relay_addr *rtp = request->rtcp ? &leg->remote[0] : &request->from;
	const struct relay_addr *rtcp = request->rtcp ? &request->from : &leg->remote[1];
	/* where RTP's address is not known, that of RTCP must not stand for it */
	if ((leg->flags & RELAY_LEG_LATCH) != 0 && rtp->ip.family != 0 &&
		flow_pair_begin(session, &pair, reason) == RELAY_OK) {
		if (leg_set_remote(leg, rtp, rtcp, reason) == RELAY_OK) {
			leg->latched = 1;
			flow_pair_publish(session, &pair);
			emit(session, RELAY_EVENT_LATCHED, request->leg);
		} else {
			flow_pair_abandon(&pair);
			log_warning("session %s leg %u: a genuine packet came from an address "
				    "that can't be used: %s",
				session->id, request->leg, reason);
		}
	}
	/* pairs with the acquire load in the worker: it sees the new flow, or may ask again */
	atomic_store_explicit(&session->state[request->leg].latch_asked, 0, memory_order_release);
}

void
sessions_poll(void)
{
	struct latch_request request;

	while (rte_ring_dequeue_elem(workers_shared()->latches, &request, sizeof(request)) == 0)
		latch(&request);
	reclaim_poll();
}

/* Milliseconds since anything genuine came in on either leg, or since the last request. */
static uint64_t
silence_ms(const struct session *session, uint64_t now_ms)
{
	uint64_t now_tsc = rte_rdtsc();
	uint64_t least = now_ms - session->changed_ms;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t last = counter_read(&session->state[i].last_tsc);
		if (last != 0 && last <= now_tsc)
			least = RTE_MIN(least, (now_tsc - last) * 1000 / rte_get_tsc_hz());
	}
	return least;
}

void
sessions_expire(void)
{
	uint64_t now = session_now_ms();
	uint32_t part = all.slots / 10 + 1;

	for (uint32_t i = 0; i < part; i++) {
		struct session *session = &all.slot[all.expire_at];
		all.expire_at = (all.expire_at + 1) % all.slots;
		if (!session->live)
			continue;
		bool ready = session->flow[0]->ready && session->flow[1]->ready;
		uint64_t limit = ready ? session->timeout_ms
		                       : RTE_MAX(session->timeout_ms, SETUP_TIMEOUT_MS);
		if (silence_ms(session, now) < limit)
			continue;
		log_info("session %s: no genuine media for %u ms: ended", session->id,
			(unsigned)limit);
		emit(session, RELAY_EVENT_TIMEOUT, 0);
		end(session);
	}
}

void
sessions_fini(void)
{
	uint64_t cursor = 0;
	struct session *session;

	if (all.slot != NULL)
		while ((session = session_next(&cursor)) != NULL)
			end(session);
	reclaim_fini();
	for (unsigned i = 0; i < ifaces_count; i++) {
		port_table_destroy(ifaces[i]->table);
		ifaces[i]->table = NULL;
	}
	flows_fini();
	rte_hash_free(all.by_id);
	rte_free(all.slot);
	memset(&all, 0, sizeof(all));
}
