/* SPDX-License-Identifier: BSD-3-Clause */
/* A phone whose connection closed: while it rings, the call ends; in a call, its media may well go
 * on, so it has a while to come back. Nobody tells of a closed connection that has no transaction
 * waiting, so all are looked at now and then. */
#include "call.h"
#include "listener.h"
#include "trunk.h"

#include <errno.h>
#include <sofia-sip/tport.h>

#define LOOK_MS 1000
#define COME_BACK_MS 10000

static bool
is_connected(const struct call_dialog *dialog)
{
	return !tport_is_closed(dialog->connection) && !tport_is_shutdown(dialog->connection);
}

/* A trunk that connected to us can be connected to, where it lives. */
static bool
find_trunk_again(struct call_dialog *dialog)
{
	struct call *call = dialog->side->call;
	const struct config_trunk *trunk = dialog->side->party.trunk;
	struct relay_addr addresses[RESOLVE_MAX];
	char hop[TRUNK_HOP_SIZE];

	if (trunks_targets(call->agent->trunks, trunk, addresses) == 0)
		return false;
	dialog->next_hop = su_strdup(call->home, trunk_next_hop(trunk, &addresses[0], hop));
	dialog->ident = LISTENER_PEERING;
	tport_unref(dialog->connection);
	dialog->connection = NULL;
	return dialog->next_hop != NULL;
}

/* Has the phone registered again, and not another one of its user's? Then that is the way to it. */
static bool
find_again(struct call_dialog *dialog)
{
	struct call *call = dialog->side->call;
	struct binding binding;

	if (dialog->side->party.kind == PARTY_TRUNK)
		return find_trunk_again(dialog);
	if (registrar_find_again(call->agent->registrar, dialog->side->party.name,
		    dialog->connection, &dialog->side->peer, &binding) != 0)
		return false;
	tport_unref(dialog->connection);
	dialog->connection = tport_ref(binding.connection);
	return true;
}

static void
look_at(struct call_side *side)
{
	struct call *call = side->call;
	struct call_dialog *dialog = side->dialog;
	bool is_caller = side->index == 0;

	/* while it rings, the stack tells of the callee's */
	if (dialog == NULL || dialog->connection == NULL || dialog->ended ||
		!(dialog->confirmed || is_caller))
		return;
	if (is_connected(dialog) || (dialog->lost_ms != 0 && find_again(dialog))) {
		dialog->lost_ms = 0;
		return;
	}
	if (dialog->lost_ms == 0)
		dialog->lost_ms = call_now_ms();
	if (call->state == CALL_UP && call_now_ms() < dialog->lost_ms + COME_BACK_MS)
		return;
	call_end(call,
		is_caller ? "the caller's connection was lost" : "the callee's connection was lost",
		side, 480, NULL);
}

static void
look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct b2bua *b2bua = (struct b2bua *)arg;

	/* an ended call stays in its bucket for longer than this loop: see call_done_waiting() */
	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (struct call *call = b2bua->bucket[i]; call != NULL; call = call->next)
			for (unsigned k = 0; k < 2 && call->state != CALL_ENDED; k++) {
				look_at(&call->side[k]);
				call_timer_look(&call->side[k]);
				call_rekey_look(&call->side[k]);
			}
}

int
call_watch_start(struct b2bua *b2bua)
{
	b2bua->timer = su_timer_create(su_root_task(b2bua->agent->root), LOOK_MS);
	if (b2bua->timer == NULL)
		return -ENOMEM;
	return su_timer_set_for_ever(b2bua->timer, look, (su_timer_arg_t *)b2bua);
}
