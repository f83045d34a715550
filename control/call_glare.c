/* SPDX-License-Identifier: BSD-3-Clause */
/* A refresh, or an offer of fresh keys, that met one of the far end's (491): it is made again after
 * a time of chance, so that the two don't meet for ever (RFC 3261 14.1). */
#include "call.h"
#include "counters.h"

#include <openssl/rand.h>
#include <sofia-sip/sip_header.h>

/* RFC 3261 14.1: the owner of the dialog's Call-ID is the one to give way. */
static su_duration_t
choose_wait(const struct call_side *side)
{
	bool ours = side->said == NULL || sip_object(side->said)->sip_request == NULL;
	uint16_t chance;

	if (RAND_bytes((unsigned char *)&chance, sizeof(chance)) != 1)
		chance = 100;
	return ours ? 2100 + 10 * (chance % 191) : 10 * (chance % 201);
}

static void
on_time(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call_side *side = (struct call_side *)arg;

	if (side->call->state != CALL_UP)
		return;
	if (side->call->exchange.stage != EXCHANGE_NONE)
		su_timer_set_interval(timer, on_time, arg, choose_wait(side));
	else if (side->rekey_crossed)
		call_rekey(side->call, side->index);
	else
		call_exchange_refresh(side);
}

void
call_glare_wait(struct call_side *side, bool rekey)
{
	counters_add(COUNTER_CALLS_GLARE);
	side->rekey_crossed = rekey;
	if (side->glare_timer == NULL)
		side->glare_timer = su_timer_create(su_root_task(side->call->agent->root), 1000);
	if (side->glare_timer != NULL)
		su_timer_set_interval(
			side->glare_timer, on_time, (su_timer_arg_t *)side, choose_wait(side));
}

void
call_glare_end(struct call *call)
{
	for (unsigned i = 0; i < 2; i++) {
		su_timer_destroy(call->side[i].glare_timer);
		call->side[i].glare_timer = NULL;
	}
}
