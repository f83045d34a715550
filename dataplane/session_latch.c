/* SPDX-License-Identifier: BSD-3-Clause */
/* A leg follows its genuine packets: what workers ask for, carried out. */
#include "session_private.h"

#include "reclaim.h"
#include "relay/log.h"
#include "tick.h"
#include "worker.h"

/* Moves a leg of a copy to where a genuine packet came from. A leg in clear learns once: nothing
 * vouches for a second address. */
static enum relay_code
move(struct session *session, struct bridge *bridge, const struct latch_request *request,
	char *reason)
{
	struct bridge_leg *leg = &bridge->leg[request->leg];
	struct relay_addr other = leg_remote(bridge, request->leg, !request->rtcp);

	if (leg->transport == RELAY_TRANSPORT_SRTP)
		return request->rtcp ? bridge_set_remote(
					       bridge, request->leg, &other, &request->from, reason)
		                     : bridge_set_remote(bridge, request->leg, &request->from,
					       &other, reason);
	static const struct relay_addr derived;
	if (request->rtcp || tick_ms() - session->changed_ms > RELAY_LEARN_MS)
		return session_refuse(
			RELAY_E_ADDRESS, reason, "the time to learn an address is over");
	leg->flags &= (uint8_t)~RELAY_LEG_LATCH;
	return bridge_set_remote(bridge, request->leg, &request->from, &derived, reason);
}

/* A worker saw a genuine packet from another address than the leg's. */
static void
latch(const struct latch_request *request)
{
	/* slots are never given back, so an ended session's can be looked at */
	struct session *session = (struct session *)(void *)request->session;
	char reason[RELAY_REASON_SIZE] = "";

	if (session->bridge == NULL || session->ended || session->generation != request->generation)
		return;
	const struct bridge_leg *leg = &session->bridge->leg[request->leg];
	/* where RTP's address is not known, that of RTCP must not stand for it */
	bool wanted = (leg->flags & RELAY_LEG_LATCH) != 0 &&
	              (!request->rtcp || leg->remote[0].family != 0);
	struct bridge *bridge = wanted ? bridge_begin(session->bridge) : NULL;
	if (bridge != NULL) {
		if (move(session, bridge, request, reason) == RELAY_OK) {
			session->latched |= (uint8_t)(1u << request->leg);
			session_publish(session, bridge);
			session_emit(session, RELAY_EVENT_LATCHED, request->leg);
		} else {
			bridge_free(bridge);
			log_event(LOG_LEVEL_WARNING,
				LOG_ABOUT({LOG_SESSION, session->id},
					{LOG_LEG, request->leg == 0 ? "0" : "1"},
					{LOG_REASON, reason}),
				"session %s leg %u: a packet came from an address that can't "
				"be used: %s",
				session->id, request->leg, reason);
		}
	}
	/* pairs with the acquire load in the worker: it sees the new bridge, or may ask again */
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
