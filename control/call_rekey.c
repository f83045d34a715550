/* SPDX-License-Identifier: BSD-3-Clause */
/* When a side's leg gets fresh keys: every so many hours, and before a key's lifetime ends. */
#include "call.h"

#include "relay/log.h"

#define RETRY_MS 60000

void
call_rekey_expiring(struct call_side *side)
{
	side->keys.expiring = true;
	side->keys.tried_ms = 0;
}

void
call_rekey_done(struct call_side *side)
{
	side->keys.expiring = false;
	side->keys.made_ms = call_now_ms();
}

/* By the clock it is asked for once in a period, whatever the answer; a key that comes to its end
 * is another matter. */
void
call_rekey_look(struct call_side *side)
{
	struct call *call = side->call;
	struct call_keys *keys = &side->keys;
	uint64_t now = call_now_ms();
	uint64_t period_ms = call->agent->config->sip.dialogs.rekey_hours * UINT64_C(3600000);
	uint64_t made_ms = keys->made_ms != 0 ? keys->made_ms : call->answered_ms;
	bool due = period_ms != 0 && now >= made_ms + period_ms;

	if (call->state != CALL_UP || (!due && !keys->expiring))
		return;
	if (!media_is_connected(call->agent->media))
		return; /* nobody to give them to */
	if (keys->tried_ms != 0 && now < keys->tried_ms + RETRY_MS)
		return;
	if (call_rekey(call, side->index) != 0)
		return; /* something else goes on, or the leg is in clear */
	log_info("call %s: asks the %s for fresh keys", call->id,
		side->index == 0 ? "caller" : "callee");
	keys->tried_ms = now;
	if (due)
		keys->made_ms = now;
}
