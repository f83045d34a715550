/* SPDX-License-Identifier: BSD-3-Clause */
/* What the control thread looks after in each session, about once a second. */
#include "session_private.h"

#include "relay/log.h"
#include "tick.h"

#include <rte_common.h>

/* A session that is still being set up (a callee's phone rings) has no media to time out. It ends
 * after this long all the same: RFC 3261 16.6 timer C is above 3 minutes. */
#define SETUP_TIMEOUT_MS 300000u
#define LIVELY_MS 2000u /* a leg that was heard within is sending */

/* Milliseconds since a flow's last genuine packet; UINT32_MAX: never. */
static uint32_t
silence(const struct session *session, unsigned leg, uint32_t now)
{
	uint32_t last = counter_read_32(&session->state[leg].last_ms);

	/* the worker's clock may be read a moment after ours */
	return last == 0 ? UINT32_MAX : (int32_t)(now - last) > 0 ? now - last : 0;
}

static bool
held(const struct bridge *bridge)
{
	return ((bridge->leg[0].flags | bridge->leg[1].flags) &
		       (RELAY_LEG_NO_SEND | RELAY_LEG_NO_RECEIVE)) != 0;
}

static bool
expire(struct session *session, const struct session_limits *limits, uint32_t now)
{
	uint32_t quiet = RTE_MIN(silence(session, 0, now), silence(session, 1, now));
	uint32_t limit = session->timeout_ms;

	if (session->bridge->ready != 3)
		limit = RTE_MAX(limit, SETUP_TIMEOUT_MS);
	else if (held(session->bridge))
		limit = RTE_MAX(limit, limits->hold_timeout_ms);
	quiet = RTE_MIN(quiet, now - session->changed_ms);
	if (quiet < limit)
		return false;
	log_event(LOG_LEVEL_INFO,
		LOG_ABOUT({LOG_SESSION, session->id}, {LOG_REASON, "no genuine media"}),
		"session %s: no genuine media for %u ms: ended", session->id, limit);
	session_emit(session, RELAY_EVENT_TIMEOUT, 0);
	session_end(session);
	return true;
}

static void
watch_ways(struct session *session, const struct session_limits *limits, uint32_t now)
{
	bool settled =
		session->bridge->ready == 3 && now - session->changed_ms > limits->one_way_ms;

	for (unsigned leg = 0; leg < 2; leg++) {
		uint8_t said = SESSION_SAID_ONE_WAY(leg);
		uint32_t quiet = silence(session, leg, now);
		if ((session->said & said) != 0) {
			if (quiet < LIVELY_MS) {
				session->said &= (uint8_t)~said;
				session_emit(session, RELAY_EVENT_BOTH_WAYS, leg);
			}
			continue;
		}
		if (limits->one_way_ms == 0 || !settled || quiet < limits->one_way_ms ||
			silence(session, 1 - leg, now) >= LIVELY_MS ||
			(session->bridge->leg[leg].flags & RELAY_LEG_NO_RECEIVE) != 0)
			continue;
		session->said |= said;
		session_emit(session, RELAY_EVENT_ONE_WAY, leg);
	}
}

static bool
near_end(const struct srtp_key *key, const _Atomic uint64_t *packets)
{
	return key != NULL && counter_read(packets) >= key->lifetime - key->lifetime / 8;
}

/* A leg's receive key is used by the flow from it, its transmit key by the flow towards it. */
static void
watch_lifetimes(struct session *session)
{
	const struct bridge *bridge = session->bridge;

	for (unsigned leg = 0; leg < 2; leg++) {
		uint8_t said = SESSION_SAID_EXPIRING(leg);
		bool end = near_end(bridge->rx[leg], &session->state[leg].rx_key_packets) ||
		           near_end(bridge->tx[leg], &session->state[1 - leg].tx_key_packets);
		if (!end) {
			session->said &= (uint8_t)~said;
		} else if ((session->said & said) == 0) {
			session->said |= said;
			session_emit(session, RELAY_EVENT_KEY_EXPIRING, leg);
		}
	}
}

/* The key before counts no longer, and no address is learnt any more: a bridge without them. */
static void
forget(struct session *session, uint32_t now)
{
	const struct bridge *old = session->bridge;
	bool keys = (bridge_previous(old, 0) != NULL || bridge_previous(old, 1) != NULL) &&
	            (int32_t)(now - old->rare->previous_until_ms) > 0;
	bool learning = false;

	for (unsigned leg = 0; leg < 2; leg++)
		learning |= old->leg[leg].transport >= RELAY_TRANSPORT_RTP &&
		            (old->leg[leg].flags & RELAY_LEG_LATCH) != 0 &&
		            now - session->changed_ms > RELAY_LEARN_MS;
	if (!keys && !learning)
		return;
	struct bridge *bridge = bridge_begin(old);
	if (bridge == NULL)
		return; /* at the next look */
	for (unsigned leg = 0; leg < 2; leg++) {
		if (keys)
			bridge_forget_key(bridge, leg);
		if (learning && bridge->leg[leg].transport >= RELAY_TRANSPORT_RTP)
			bridge->leg[leg].flags &= (uint8_t)~RELAY_LEG_LATCH;
	}
	session_publish(session, bridge);
}

void
session_watch(struct session *session, const struct session_limits *limits)
{
	uint32_t now = tick_ms();

	if (expire(session, limits, now))
		return;
	watch_ways(session, limits, now);
	watch_lifetimes(session);
	forget(session, now);
}
