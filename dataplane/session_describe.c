/* SPDX-License-Identifier: BSD-3-Clause */
/* What the relay tells of a session: addresses and counters; keys only to who is to go on with it.
 */
#include "session_private.h"

#include "quality.h"
#include "tick.h"

#include <string.h>

static uint8_t
suite_of(const struct srtp_key *key)
{
	return key != NULL ? key->suite : RELAY_SUITE_NONE;
}

static void
describe_addresses(const struct session *session, unsigned index, struct relay_leg_info *out)
{
	const struct bridge_leg *leg = &session->bridge->leg[index];
	const struct media_address *address = leg_address(session->bridge, index);

	strncpy(out->interface, address->iface->config->name, sizeof(out->interface) - 1);
	out->local_rtp = (struct relay_addr){.ip = address->ip, .port = leg->port};
	out->local_rtcp = out->local_rtp;
	if ((leg->flags & RELAY_LEG_RTCP_MUX) == 0)
		out->local_rtcp.port++;
	out->remote_rtp = leg_remote(session->bridge, index, false);
	out->remote_rtcp = leg_remote(session->bridge, index, true);
}

static void
describe_traffic(const struct session *session, unsigned index, struct relay_leg_info *out)
{
	const struct flow_state *in = &session->state[index];
	const struct flow_state *back = &session->state[1 - index];
	uint32_t last = counter_read_32(&in->last_ms);
	uint32_t now = tick_ms();

	out->packets_in = counter_read(&in->packets_in);
	out->bytes_in = counter_read(&in->bytes_in);
	out->rtcp_in = counter_read_32(&in->rtcp_in);
	out->packets_out = counter_read(&back->packets_out);
	out->bytes_out = counter_read(&back->bytes_out);
	out->rtcp_out = counter_read_32(&back->rtcp_out);
	out->last_packet_ms = UINT64_MAX;
	if (last != 0)
		out->last_packet_ms = (int32_t)(now - last) > 0 ? now - last : 0;
	for (unsigned i = 0; i < RELAY_DROP_COUNT; i++) {
		enum flow_drop at = flow_drop_of(i);
		if (at < FLOW_DROP_COUNT)
			out->drops[i] = counter_read_32(&in->drops[at]);
	}
}

static void
describe_leg(const struct session *session, unsigned index, struct relay_leg_info *out)
{
	const struct bridge *bridge = session->bridge;
	const struct bridge_leg *leg = &bridge->leg[index];
	const struct flow_state *in = &session->state[index];

	memset(out, 0, sizeof(*out));
	out->transport = leg->transport;
	out->receive_suite = suite_of(bridge->rx[index]);
	out->transmit_suite = suite_of(bridge->tx[index]);
	out->latched = (session->latched >> index) & 1;
	out->flags = leg->flags;
	describe_addresses(session, index, out);
	describe_traffic(session, index, out);
	quality_describe(&in->quality, &out->quality);
	/* the worker's own, read without its leave: an estimate for people */
	out->quality.ssrcs = __atomic_load_n(&in->streams, __ATOMIC_RELAXED);
	out->quality.roc =
		(uint32_t)(__atomic_load_n(&in->stream.rtp_highest, __ATOMIC_RELAXED) >> 16);
}

void
session_describe(const struct session *session, struct relay_session *out)
{
	memcpy(out->id, session->id, sizeof(out->id));
	out->age_ms = (uint64_t)(tick_s() - session->created_s) * 1000;
	out->timeout_ms = session->timeout_ms;
	out->worker = session->worker;
	for (unsigned i = 0; i < 2; i++)
		describe_leg(session, i, &out->leg[i]);
}

void
session_describe_short(const struct session *session, struct relay_list_entry *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->id, session->id, sizeof(out->id));
	out->age_ms = (uint64_t)(tick_s() - session->created_s) * 1000;
	for (unsigned i = 0; i < 2; i++) {
		out->suite[i] = suite_of(session->bridge->rx[i]);
		out->packets_in[i] = counter_read(&session->state[i].packets_in);
		out->remote_rtp[i] = leg_remote(session->bridge, i, false);
	}
}

static void
export_key(const struct srtp_key *key, struct relay_crypto *out)
{
	if (key != NULL)
		srtp_key_master(key, out);
}

static void
export_leg(const struct session *session, unsigned index, struct relay_leg_spec *out)
{
	const struct bridge *bridge = session->bridge;
	const struct bridge_leg *leg = &bridge->leg[index];
	const struct media_address *address = leg_address(bridge, index);

	strncpy(out->interface, address->iface->config->name, sizeof(out->interface) - 1);
	out->transport = leg->transport;
	out->dscp = leg->dscp;
	out->flags = leg->flags;
	out->clock_rate = leg->clock * BRIDGE_CLOCK_UNIT;
	out->local_rtp = (struct relay_addr){.ip = address->ip, .port = leg->port};
	out->remote_rtp = leg_remote(bridge, index, false);
	out->remote_rtcp = leg_remote(bridge, index, true);
	export_key(bridge->rx[index], &out->receive);
	export_key(bridge->tx[index], &out->transmit);
}

void
session_export(struct session *session, struct relay_create *out)
{
	memcpy(out->id, session->id, sizeof(out->id));
	out->timeout_ms = session->timeout_ms;
	for (unsigned i = 0; i < 2; i++)
		export_leg(session, i, &out->leg[i]);
	session->said &= (uint8_t) ~(SESSION_SAID_EXPIRING(0) | SESSION_SAID_EXPIRING(1));
}
