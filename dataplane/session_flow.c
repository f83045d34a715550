/* SPDX-License-Identifier: BSD-3-Clause */
/* A session's flows: built whole, published, replaced; and the legs' far addresses. */
#include "session_private.h"

#include "port_table.h"
#include "reclaim.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <string.h>

#define FLOWS_SPARE 4096 /* flows that were replaced and wait for their grace period */

static struct rte_mempool *flows;

int
flows_init(unsigned sessions)
{
	flows = rte_mempool_create("flows", 2 * sessions + FLOWS_SPARE, sizeof(struct flow), 0, 0,
		NULL, NULL, NULL, NULL, rte_socket_id(),
		RTE_MEMPOOL_F_SP_PUT | RTE_MEMPOOL_F_SC_GET);
	return flows == NULL ? -ENOMEM : 0;
}

void
flows_fini(void)
{
	rte_mempool_free(flows);
	flows = NULL;
}

/* The MKIs lie in a block of their own, and only where there are any. */
static struct flow_mki *
mki_copy(const struct flow_mki *from)
{
	struct flow_mki *copy = rte_zmalloc("mki", sizeof(*copy), 64);

	if (copy != NULL && from != NULL)
		*copy = *from;
	return copy;
}

void
flow_free(void *object)
{
	struct flow *flow = object;

	rte_free((void *)(uintptr_t)flow->mki);
	OPENSSL_cleanse(flow, sizeof(*flow));
	rte_mempool_put(flows, flow);
}

void
flow_pair_abandon(struct flow_pair *pair)
{
	for (unsigned i = 0; i < 2; i++)
		if (pair->flow[i] != NULL)
			flow_free(pair->flow[i]);
	pair->flow[0] = pair->flow[1] = NULL;
}

enum relay_code
flow_pair_begin(const struct session *session, struct flow_pair *pair, char *reason)
{
	pair->flow[0] = pair->flow[1] = NULL;
	for (unsigned i = 0; i < 2; i++) {
		const struct flow *old = session->flow[i];
		void *object;

		if (rte_mempool_get(flows, &object) != 0)
			goto no_memory;
		struct flow *flow = pair->flow[i] = object;
		if (old == NULL) {
			memset(flow, 0, sizeof(*flow));
			continue;
		}
		memcpy(flow, old, sizeof(*flow));
		flow->mki = NULL;
		if (old->mki != NULL && (flow->mki = mki_copy(old->mki)) == NULL)
			goto no_memory;
	}
	return RELAY_OK;

no_memory:
	flow_pair_abandon(pair);
	snprintf(reason, RELAY_REASON_SIZE,
		"no memory for the session's keys: wait, or raise media.sessions");
	return RELAY_E_NO_MEMORY;
}

static enum relay_code
set_mki(struct flow *flow, bool transmit, const struct relay_crypto *crypto, char *reason)
{
	if (crypto->mki_length > 0) {
		struct flow_mki *mki = (struct flow_mki *)(uintptr_t)flow->mki;
		if (mki == NULL)
			flow->mki = mki = mki_copy(NULL);
		if (mki == NULL) {
			snprintf(reason, RELAY_REASON_SIZE, "no memory for an MKI");
			return RELAY_E_NO_MEMORY;
		}
		memcpy(transmit ? mki->tx : mki->rx, crypto->mki, crypto->mki_length);
	}
	if (transmit)
		flow->tx_mki_length = crypto->mki_length;
	else
		flow->rx_mki_length = crypto->mki_length;
	return RELAY_OK;
}

enum relay_code
flow_pair_set_key(struct flow_pair *pair, unsigned leg, bool transmit,
	const struct relay_crypto *crypto, char *reason)
{
	struct flow *flow = pair->flow[transmit ? 1 - leg : leg];
	enum relay_code code = set_mki(flow, transmit, crypto, reason);

	if (code != RELAY_OK)
		return code;
	if (srtp_key_derive(crypto, transmit ? &flow->tx : &flow->rx,
		    transmit ? &flow->rtcp_tx : &flow->rtcp_rx) != 0) {
		snprintf(reason, RELAY_REASON_SIZE, "leg %u: crypto suite %u is not supported", leg,
			crypto->suite);
		return RELAY_E_KEY;
	}
	uint64_t lifetime = crypto->lifetime;
	if (lifetime == 0)
		lifetime = relay_suite_info(crypto->suite)->rtp_lifetime;
	if (transmit) {
		flow->tx_lifetime = lifetime;
		flow->tx_epoch++;
	} else {
		flow->rx_lifetime = lifetime;
		flow->rx_epoch++;
	}
	return RELAY_OK;
}

static void
complete(struct session *session, struct flow *flow, unsigned index)
{
	const struct leg *in = &session->leg[index];
	const struct leg *out = &session->leg[1 - index];

	flow->state = &session->state[index];
	flow->session = session;
	flow->generation = session->generation;
	flow->leg = (uint8_t)index;
	flow->worker = session->worker;
	flow->rx_mux = (in->flags & RELAY_LEG_RTCP_MUX) != 0;
	flow->latch = (in->flags & RELAY_LEG_LATCH) != 0;
	flow->source[0] = in->remote[0];
	flow->source[1] = in->remote[1];
	flow->ready =
		in->transport == RELAY_TRANSPORT_SRTP && out->transport == RELAY_TRANSPORT_SRTP &&
		in->receive.suite != RELAY_SUITE_NONE && out->transmit.suite != RELAY_SUITE_NONE;
	for (unsigned rtcp = 0; rtcp < 2; rtcp++) {
		bool own_port = rtcp && (out->flags & RELAY_LEG_RTCP_MUX) == 0;
		if (out->nexthop[rtcp] != NULL)
			path_build(&flow->path[rtcp], out->iface, out->nexthop[rtcp],
				(uint16_t)(out->port + (own_port ? 1 : 0)), &out->remote[rtcp]);
		else
			memset(&flow->path[rtcp], 0, sizeof(flow->path[rtcp]));
	}
}

void
flow_pair_publish(struct session *session, struct flow_pair *pair)
{
	for (unsigned i = 0; i < 2; i++) {
		struct flow *old = session->flow[i];
		complete(session, pair->flow[i], i);
		port_table_publish(
			session->leg[i].iface->table, session->leg[i].port, pair->flow[i]);
		session->flow[i] = pair->flow[i];
		if (old != NULL)
			reclaim_later(old, flow_free);
	}
	pair->flow[0] = pair->flow[1] = NULL;
}

void
leg_forget_remote(struct leg *leg)
{
	for (unsigned i = 0; i < 2; i++) {
		if (leg->nexthop[i] != NULL)
			nexthop_put(leg->nexthop[i]);
		leg->nexthop[i] = NULL;
		memset(&leg->remote[i], 0, sizeof(leg->remote[i]));
	}
}

/* May media be sent there? Never to ourselves: two legs aimed at each other would make a loop. */
static enum relay_code
check_remote(const struct leg *leg, const struct relay_addr *remote, char *reason)
{
	char text[RELAY_ADDR_TEXT];
	const char *why = NULL;

	if (remote->ip.family != leg->iface->ip.family)
		why = "is not of the media interface's address family";
	else if (remote->port == 0 || !relay_ip_is_routable_unicast(&remote->ip))
		why = "is no unicast address and port that media may be sent to";
	for (unsigned i = 0; why == NULL && i < ifaces_count; i++)
		if (relay_ip_equal(&remote->ip, &ifaces[i]->ip))
			why = "is the relay's own: media would run in a loop";
	if (why == NULL)
		return RELAY_OK;
	snprintf(reason, RELAY_REASON_SIZE, "remote address %s %s", relay_addr_format(remote, text),
		why);
	return RELAY_E_ADDRESS;
}

enum relay_code
leg_set_remote(
	struct leg *leg, const struct relay_addr *rtp, const struct relay_addr *rtcp, char *reason)
{
	struct relay_addr remote[2] = {*rtp, *rtp};
	struct nexthop *nexthop[2] = {NULL, NULL};
	char text[RELAY_ADDR_TEXT];

	if (rtp->ip.family == 0) {
		leg_forget_remote(leg);
		return RELAY_OK;
	}
	if ((leg->flags & RELAY_LEG_RTCP_MUX) == 0) {
		if (rtcp != NULL && rtcp->ip.family != 0)
			remote[1] = *rtcp;
		else
			remote[1].port = (uint16_t)(rtp->port + 1);
	}
	for (unsigned i = 0; i < 2; i++) {
		enum relay_code code = check_remote(leg, &remote[i], reason);
		if (code == RELAY_OK &&
			(nexthop[i] = nexthop_get(leg->iface, &remote[i].ip)) == NULL) {
			snprintf(reason, RELAY_REASON_SIZE,
				"interface %s has no way to %s: it is not on its network, and "
				"media.interfaces[].gateway is not set",
				leg->iface->config->name, relay_addr_format(&remote[i], text));
			code = RELAY_E_ADDRESS;
		}
		if (code != RELAY_OK) {
			if (nexthop[0] != NULL)
				nexthop_put(nexthop[0]);
			return code;
		}
	}
	leg_forget_remote(leg);
	for (unsigned i = 0; i < 2; i++) {
		leg->remote[i] = remote[i];
		leg->nexthop[i] = nexthop[i];
	}
	return RELAY_OK;
}
