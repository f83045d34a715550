/* SPDX-License-Identifier: BSD-3-Clause */
/* What the relay tells of a session: addresses and counters, never a key. */
#include "session_private.h"

#include <rte_cycles.h>
#include <string.h>

static void
describe_leg(const struct session *session, unsigned index, struct relay_leg_info *out)
{
	const struct leg *leg = &session->leg[index];
	const struct flow_state *in = &session->state[index];
	const struct flow_state *back = &session->state[1 - index];
	uint64_t last = counter_read(&in->last_tsc);
	bool mux = (leg->flags & RELAY_LEG_RTCP_MUX) != 0;

	memset(out, 0, sizeof(*out));
	strncpy(out->interface, leg->iface->config->name, sizeof(out->interface) - 1);
	out->transport = leg->transport;
	out->receive_suite = leg->receive.suite;
	out->transmit_suite = leg->transmit.suite;
	out->latched = leg->latched;
	out->flags = leg->flags;
	out->local_rtp = (struct relay_addr){.ip = leg->iface->ip, .port = leg->port};
	out->local_rtcp = out->local_rtp;
	if (!mux)
		out->local_rtcp.port++;
	out->remote_rtp = leg->remote[0];
	out->remote_rtcp = leg->remote[1];
	out->packets_in = counter_read(&in->packets_in);
	out->bytes_in = counter_read(&in->bytes_in);
	out->rtcp_in = counter_read(&in->rtcp_in);
	out->packets_out = counter_read(&back->packets_out);
	out->bytes_out = counter_read(&back->bytes_out);
	out->rtcp_out = counter_read(&back->rtcp_out);
	out->last_packet_ms = UINT64_MAX;
	if (last != 0) {
		uint64_t now = rte_rdtsc();
		out->last_packet_ms = now > last ? (now - last) * 1000 / rte_get_tsc_hz() : 0;
	}
	for (unsigned i = 0; i < RELAY_DROP_COUNT; i++)
		out->drops[i] = atomic_load_explicit(&in->drops[i], memory_order_relaxed);
}

void
session_describe(const struct session *session, struct relay_session *out)
{
	memcpy(out->id, session->id, sizeof(out->id));
	out->age_ms = session_now_ms() - session->created_ms;
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
	out->age_ms = session_now_ms() - session->created_ms;
	for (unsigned i = 0; i < 2; i++) {
		out->suite[i] = session->leg[i].receive.suite;
		out->packets_in[i] = counter_read(&session->state[i].packets_in);
		out->remote_rtp[i] = session->leg[i].remote[0];
	}
}
