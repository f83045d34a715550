/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

static const uint8_t place[RELAY_DROP_COUNT] = {
#define FLOW_DROP_PLACE(reason) [RELAY_DROP_##reason] = FLOW_DROP_##reason + 1,
	FLOW_DROPS(FLOW_DROP_PLACE)
#undef FLOW_DROP_PLACE
};

enum flow_drop
flow_drop_of(enum relay_drop reason)
{
	if (place[reason] == 0)
		return FLOW_DROP_COUNT;
	return (enum flow_drop)(place[reason] - 1);
}

void
flow_count_drop(struct flow_state *state, enum relay_drop reason)
{
	enum flow_drop at = flow_drop_of(reason);

	if (at < FLOW_DROP_COUNT)
		counter_add_32(&state->drops[at], 1);
}

void
flow_state_init(struct flow_state *state)
{
	state->budget[0] = FLOW_BUDGET_STRANGERS;
	state->budget[1] = FLOW_BUDGET_SOURCE;
	atomic_init(&state->quality.jitter, UINT32_MAX);
	atomic_init(&state->quality.remote_lost, UINT32_MAX);
	atomic_init(&state->quality.remote_jitter_ms, UINT16_MAX);
	atomic_init(&state->quality.round_trip_ms, UINT16_MAX);
}
