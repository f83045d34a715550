/* SPDX-License-Identifier: BSD-3-Clause */
/* What srtp_open.c, srtp_retry.c and srtp_flow.c share. */
#ifndef DATAPLANE_SRTP_FLOW_PRIVATE_H
#define DATAPLANE_SRTP_FLOW_PRIVATE_H

#include "srtp_flow.h"

#define SRTP_SILENCE_MS 3000 /* in which ten thousands of packets may have been lost */

static inline struct flow_state *
state_of(const struct packet *packet)
{
	return &packet->bridge->state[packet->leg];
}

static inline const struct bridge_leg *
leg_of(const struct packet *packet)
{
	return &packet->bridge->leg[packet->leg];
}

/* Opens the packet as received with that key (NULL: in clear). */
enum relay_drop srtp_open_with(struct packet *packet, const struct srtp_key *key, uint8_t epoch);

/* The receive key before the present one, while it counts; else NULL. */
const struct srtp_key *srtp_open_previous(const struct packet *packet, uint32_t now);

/* The index of a sequence number: of the SSRC's context, or what a new one begins with. */
uint64_t srtp_open_estimate(const struct packet *packet, uint16_t sequence);

#endif
