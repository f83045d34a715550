/* SPDX-License-Identifier: BSD-3-Clause */
#include "srtp_budget.h"

#define REFILL_MS 20u /* a step in which each bucket gets a whole number of tokens */
#define STEPS_A_SECOND (1000u / REFILL_MS)

_Static_assert(FLOW_BUDGET_STRANGERS % STEPS_A_SECOND == 0, "whole tokens");
_Static_assert(FLOW_BUDGET_SOURCE % STEPS_A_SECOND == 0, "whole tokens");

static void
refill(struct flow_state *state, uint32_t now)
{
	static const uint16_t most[2] = {FLOW_BUDGET_STRANGERS, FLOW_BUDGET_SOURCE};
	/* Of 16 bits: after more than a minute less may be refilled than is due, never more. */
	uint16_t steps = (uint16_t)((uint16_t)now - state->refilled_ms) / REFILL_MS;

	if (steps == 0)
		return;
	if (steps > STEPS_A_SECOND)
		steps = STEPS_A_SECOND;
	state->refilled_ms = (uint16_t)now;
	for (unsigned i = 0; i < 2; i++) {
		unsigned tokens = state->budget[i] + steps * (most[i] / STEPS_A_SECOND);
		state->budget[i] = (uint16_t)(tokens < most[i] ? tokens : most[i]);
	}
}

bool
srtp_budget_left(struct flow_state *state, bool source, uint32_t now)
{
	if (srtp_budget_full(state))
		return true;
	refill(state, now);
	return state->budget[source] > 0;
}

bool
srtp_budget_spend(struct flow_state *state, bool source, uint32_t now)
{
	/* full buckets gain nothing from the time before */
	if (srtp_budget_full(state))
		state->refilled_ms = (uint16_t)now;
	if (state->budget[source] > 0)
		state->budget[source]--;
	return state->budget[source] > 0;
}
