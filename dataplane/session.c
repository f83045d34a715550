/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of a session: create, update, delete, latch, time out. */
#include "session_private.h"

#include "capture.h"
#include "port_table.h"
#include "reclaim.h"
#include "relay/log.h"
#include "slab.h"
#include "srtp_context.h"
#include "tick.h"
#include "worker.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <string.h>

#define RECLAIM_ROOM 65536 /* objects that wait for their grace period */

static struct {
	uint32_t live;
	uint32_t max;
	uint32_t next_worker;
	uint32_t watch_at; /* the slot that sessions_expire() looks at next */
	struct session_limits limits;
	uint32_t draining; /* RELAY_DRAIN_* */
	session_event_cb *on_event;
	EVP_MD *digest;
} all;

void
session_emit(const struct session *session, enum relay_event_kind kind, unsigned leg)
{
	struct relay_event event = {.kind = kind, .leg = leg};

	if (all.on_event == NULL)
		return;
	memcpy(event.id, session->id, sizeof(event.id));
	event.remote = leg_remote(session->bridge, leg, false);
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

void
sessions_drain(uint32_t flags)
{
	if (flags != all.draining)
		log_info(flags == 0 ? "no longer draining: new sessions are taken, beside %u"
				    : "draining: no new sessions, %u go on",
			all.live);
	all.draining = flags;
}

uint32_t
sessions_draining(void)
{
	return all.draining;
}

uint64_t
sessions_max(void)
{
	return all.max;
}

size_t
session_bytes(void)
{
	size_t key = srtp_key_bytes(RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);

	return session_table_bytes() + bridge_bytes() + 4 * key +
	       2 * sizeof(((struct port_table *)NULL)->entry[0]);
}

static void *
take_chunk(const char *name, size_t size, size_t alignment)
{
	return rte_zmalloc(name, size, (unsigned)alignment);
}

void
sessions_configure(const struct config_media *config)
{
	all.limits = (struct session_limits){
		.timeout_ms = config->timeout_s * 1000,
		.hold_timeout_ms = config->hold_timeout_s * 1000,
		.one_way_ms = config->one_way_s * 1000,
	};
}

int
sessions_init(const struct config_media *config, char *error, size_t error_size)
{
	static const struct slab_source eal = {take_chunk, rte_free};

	memset(&all, 0, sizeof(all));
	all.max = config->sessions;
	sessions_configure(config);
	slab_set_source(&eal);
	if (config->sessions / 1024 * session_bytes() / 1024 > config->memory_mb)
		log_warning("media.sessions: %u sessions take %zu MiB and media.memory_mb is %u: "
			    "the last ones may be refused; raise it",
			config->sessions, config->sessions / 1024 * session_bytes() / 1024,
			config->memory_mb);
	all.digest = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (all.digest == NULL || session_table_init(config->sessions) != 0 ||
		reclaim_init(workers_shared()->qsbr, RECLAIM_ROOM) != 0)
		goto no_memory;
	for (unsigned i = 0; i < media_addresses_count; i++) {
		struct media_address *address = media_addresses[i];
		media_address_set_table(address,
			port_table_create(address->config->port_first, address->config->port_last));
		if (address->table == NULL)
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
	*out = session_table_find(id);
	if (*out == NULL)
		return session_refuse(RELAY_E_NO_SESSION, reason, "no session %s", id);
	return RELAY_OK;
}

struct session *
session_next(uint64_t *cursor)
{
	while (*cursor < session_table_slots()) {
		struct session *session = session_table_slot((uint32_t)(*cursor)++);
		if (session->bridge != NULL && !session->ended)
			return session;
	}
	return NULL;
}

const void *
session_state(const struct session *session)
{
	return session->state;
}

void
session_publish(struct session *session, struct bridge *bridge)
{
	struct bridge *old = session->bridge;

	bridge->state = session->state;
	bridge->generation = session->generation;
	bridge->worker = session->worker;
	bridge_complete(bridge);
	session->bridge = bridge;
	for (unsigned leg = 0; leg < 2; leg++)
		port_table_publish(
			leg_address(bridge, leg)->table, bridge->leg[leg].port, bridge, leg);
	if (old != NULL)
		reclaim_later(old, bridge_free);
}

/* Everything of a new session that may fail, in the order of the request. */
static enum relay_code
fill(struct bridge *bridge, const struct relay_create *request, char *reason)
{
	enum relay_code code = RELAY_OK;

	for (unsigned i = 0; i < 2 && code == RELAY_OK; i++) {
		const struct relay_leg_spec *spec = &request->leg[i];
		code = leg_open(bridge, i, spec, reason);
		if (code == RELAY_OK)
			code = bridge_set_leg(bridge, i, spec, UINT32_MAX, reason);
		if (code == RELAY_OK)
			code = bridge_set_remote(
				bridge, i, &spec->remote_rtp, &spec->remote_rtcp, reason);
		if (code == RELAY_OK)
			code = bridge_set_key(bridge, i, false, &spec->receive, reason);
		if (code == RELAY_OK)
			code = bridge_set_key(bridge, i, true, &spec->transmit, reason);
	}
	return code == RELAY_OK ? bridge_check_keys(bridge, reason) : code;
}

static enum relay_code
build(const struct relay_create *request, struct bridge **out, char *reason)
{
	struct bridge *bridge = bridge_begin(NULL);

	if (bridge == NULL)
		return session_refuse(RELAY_E_NO_MEMORY, reason,
			"no memory for a session: raise media.memory_mb");
	enum relay_code code = fill(bridge, request, reason);
	if (code != RELAY_OK) {
		leg_close(bridge, 0);
		leg_close(bridge, 1);
		bridge_free(bridge);
		return code;
	}
	*out = bridge;
	return RELAY_OK;
}

/* Of everything in the request but its header. */
static int
digest_of(const struct relay_create *request, uint8_t out[SESSION_DIGEST_SIZE])
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	int good = EVP_Digest(request->id, sizeof(*request) - sizeof(request->header), whole, NULL,
		all.digest, NULL);

	memcpy(out, whole, SESSION_DIGEST_SIZE);
	return good == 1 ? 0 : -ENOMEM;
}

static enum relay_code
repeat(struct session *session, const uint8_t *digest, struct session **out, char *reason)
{
	*out = session;
	if (CRYPTO_memcmp(session->create_digest, digest, SESSION_DIGEST_SIZE) == 0)
		return RELAY_OK;
	return session_refuse(RELAY_E_CONFLICT, reason,
		"session %s exists, and was created otherwise: delete it first, or use UPDATE",
		session->id);
}

/* A new session with a bridge that is built; takes it over. */
static enum relay_code
install(const struct relay_create *request, const struct relay_restore *past, const uint8_t *digest,
	struct bridge *bridge, struct session **out, char *reason)
{
	struct session *session = session_table_take();
	enum relay_code code = RELAY_OK;

	if (session == NULL) {
		code = session_refuse(RELAY_E_NO_MEMORY, reason,
			"no memory for a session: raise media.memory_mb");
	} else {
		flow_state_init(&session->state[0]);
		flow_state_init(&session->state[1]);
		if (past != NULL)
			code = session_take_up(session, bridge, past, reason);
	}
	if (code != RELAY_OK) {
		leg_close(bridge, 0);
		leg_close(bridge, 1);
		bridge_free(bridge);
		if (session != NULL)
			session_table_give(session);
		return code;
	}
	memcpy(session->id, request->id, sizeof(session->id));
	memcpy(session->create_digest, digest, sizeof(session->create_digest));
	session->timeout_ms =
		request->timeout_ms != 0 ? request->timeout_ms : all.limits.timeout_ms;
	session->changed_ms = tick_ms();
	session->created_s = tick_s();
	session->worker = (uint8_t)(all.next_worker++ % workers_count());
	session_table_insert(session);
	session_publish(session, bridge);
	all.live++;
	*out = session;
	return RELAY_OK;
}

static enum relay_code
create(const struct relay_create *request, const struct relay_restore *past, struct session **out,
	char *reason)
{
	uint8_t digest[SESSION_DIGEST_SIZE];
	struct session *session = NULL;
	struct bridge *bridge = NULL;

	enum relay_code code = session_find(request->id, &session, reason);
	if (code == RELAY_E_MALFORMED)
		return code;
	if (digest_of(request, digest) != 0)
		return session_refuse(RELAY_E_NO_MEMORY, reason, "no memory");
	if (code == RELAY_OK && past != NULL) {
		*out = session;
		return RELAY_OK;
	}
	if (code == RELAY_OK)
		return repeat(session, digest, out, reason);
	if (all.draining != 0 && past == NULL)
		return session_refuse(RELAY_E_DRAINING, reason,
			"the relay is draining: sessions go on, and no new ones begin (sallyctl "
			"drain --cancel)");
	if (all.live >= all.max)
		return session_refuse(RELAY_E_NO_MEMORY, reason,
			"all %u sessions are in use: raise media.sessions", all.max);
	if ((code = build(request, &bridge, reason)) != RELAY_OK)
		return code;
	return install(request, past, digest, bridge, out, reason);
}

enum relay_code
session_create(const struct relay_create *request, struct session **out, char *reason)
{
	return create(request, NULL, out, reason);
}

enum relay_code
session_restore(const struct relay_restore *request, struct session **out, char *reason)
{
	return create(&request->create, request, out, reason);
}

static bool
same_remote(const struct bridge_leg *a, const struct bridge_leg *b)
{
	return memcmp(a->remote, b->remote, sizeof(a->remote)) == 0;
}

/* Applies an UPDATE to a copy of the bridge. */
static enum relay_code
alter(struct bridge *bridge, const struct relay_update *request, char *reason)
{
	const struct relay_leg_spec *spec = &request->spec;
	struct bridge_leg before = bridge->leg[request->leg];
	enum relay_code code = bridge_set_leg(bridge, request->leg, spec, request->mask, reason);

	if (code == RELAY_OK && (request->mask & RELAY_UPDATE_RECEIVE))
		code = bridge_set_key(bridge, request->leg, false, &spec->receive, reason);
	if (code == RELAY_OK && (request->mask & RELAY_UPDATE_TRANSMIT))
		code = bridge_set_key(bridge, request->leg, true, &spec->transmit, reason);
	if (code == RELAY_OK)
		code = bridge_check_keys(bridge, reason);
	if (code == RELAY_OK && (request->mask & RELAY_UPDATE_REMOTE)) {
		code = bridge_set_remote(
			bridge, request->leg, &spec->remote_rtp, &spec->remote_rtcp, reason);
		/* a hold takes the address away and gives it back: no news for the ROC */
		if (spec->remote_rtp.ip.family != 0 && before.remote[0].family != 0 &&
			!same_remote(&before, &bridge->leg[request->leg]))
			bridge->follow[request->leg].change++;
	}
	return code;
}

enum relay_code
session_update(const struct relay_update *request, struct session **out, char *reason)
{
	struct session *session;
	enum relay_code code = session_find(request->id, &session, reason);

	if (code != RELAY_OK)
		return code;
	if (request->leg > 1)
		return session_refuse(
			RELAY_E_MALFORMED, reason, "session %s: legs are 0 and 1", session->id);
	/* on a copy, so that a refusal changes nothing */
	struct bridge *bridge = bridge_begin(session->bridge);
	if (bridge == NULL)
		return session_refuse(RELAY_E_NO_MEMORY, reason,
			"session %s: no memory for a change: raise media.memory_mb", session->id);
	code = alter(bridge, request, reason);
	if (code != RELAY_OK) {
		bridge_free(bridge);
		return code;
	}
	if (request->mask & RELAY_UPDATE_REMOTE)
		session->latched &= (uint8_t) ~(1u << request->leg);
	session_publish(session, bridge);
	session->changed_ms = tick_ms();
	*out = session;
	return RELAY_OK;
}

/* Gives everything back. A reclaim_cb. */
static void
slot_free(void *object)
{
	struct session *session = object;

	for (unsigned i = 0; i < 2; i++) {
		srtp_context_release(&session->state[i], workers_shared()->streams);
		leg_close(session->bridge, i);
	}
	bridge_free(session->bridge);
	session_table_give(session);
}

void
session_end(struct session *session)
{
	for (unsigned i = 0; i < 2; i++)
		port_table_withdraw(
			leg_address(session->bridge, i)->table, session->bridge->leg[i].port);
	capture_session_ended(session->state);
	session_table_remove(session);
	session->ended = 1;
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
	session_emit(session, RELAY_EVENT_DELETED, 0);
	session_end(session);
	return RELAY_OK;
}

void
sessions_expire(void)
{
	uint32_t slots = session_table_slots(), part = slots / 10 + 1;

	for (uint32_t i = 0; i < part && slots > 0; i++) {
		struct session *session = session_table_slot(all.watch_at % slots);
		all.watch_at = (all.watch_at + 1) % slots;
		if (session->bridge != NULL && !session->ended)
			session_watch(session, &all.limits);
	}
}

void
sessions_fini(void)
{
	uint64_t cursor = 0;
	struct session *session;

	while ((session = session_next(&cursor)) != NULL)
		session_end(session);
	reclaim_fini();
	for (unsigned i = 0; i < media_addresses_count; i++) {
		port_table_destroy(media_addresses[i]->table);
		media_address_set_table(media_addresses[i], NULL);
	}
	bridges_fini();
	srtp_keys_fini();
	slab_set_source(NULL);
	session_table_fini();
	EVP_MD_free(all.digest);
	memset(&all, 0, sizeof(all));
}
