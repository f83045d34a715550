/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a leg may cost in failed verifications: a flood of forged packets on one session is a loss
 * to no other. Two token buckets a leg, so that strangers can't use up what the far end's own
 * address has: packets from there are verified while strangers are throttled.
 *
 * Owning worker. `source`: the packet is from where the far end is known to be, or that is not
 * known yet.
 */
#ifndef DATAPLANE_SRTP_BUDGET_H
#define DATAPLANE_SRTP_BUDGET_H

#include "flow.h"

#include <stdbool.h>

/* Nothing has failed lately. */
static inline bool
srtp_budget_full(const struct flow_state *state)
{
	return state->budget[0] == FLOW_BUDGET_STRANGERS && state->budget[1] == FLOW_BUDGET_SOURCE;
}

/* Is a verification that may fail still within the budget? Refills it. `now` is tick_ms(). */
bool srtp_budget_left(struct flow_state *state, bool source, uint32_t now);

/* One has failed. False: that was the last one for now. `now` is tick_ms(). */
bool srtp_budget_spend(struct flow_state *state, bool source, uint32_t now);

#endif
