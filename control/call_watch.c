/* SPDX-License-Identifier: BSD-3-Clause */
/* A phone whose connection closed: while it rings, the call ends; in a call, its media may well go
 * on, so it has a while to come back. Nobody tells of a closed connection that has no transaction
 * waiting, so all are looked at now and then. */
#include "call.h"
#include "listener.h"
#include "tls_guard.h"
#include "tls_peer.h"
#include "trunk.h"

#include <errno.h>
#include <sofia-sip/tport.h>
#include <string.h>

#define LOOK_MS 1000
#define COME_BACK_MS 10000

static bool
is_connected(const struct call_dialog *dialog)
{
	return dialog->connection != NULL && !tport_is_closed(dialog->connection) &&
	       !tport_is_shutdown(dialog->connection);
}

static void
connect_by(struct call_dialog *dialog, tport_t *connection)
{
	tport_unref(dialog->connection);
	dialog->connection = tport_ref(connection);
	dialog->lost_ms = 0;
	dialog->resumed = false;
	call_changed(dialog->side->call);
}

/* A trunk that connected to us can be connected to, where it lives. One of an earlier life at the
 * same address as then, if it has that still. */
static bool
find_trunk_again(struct call_dialog *dialog)
{
	struct call *call = dialog->side->call;
	const struct config_trunk *trunk = dialog->side->party.trunk;
	struct relay_addr addresses[RESOLVE_MAX];
	char first[TRUNK_HOP_SIZE], hop[TRUNK_HOP_SIZE];
	unsigned count = trunks_targets(call->agent->trunks, trunk, addresses);
	const char *found = first;

	if (count == 0)
		return false;
	trunk_next_hop(trunk, &addresses[0], first);
	for (unsigned i = 0; i < count && dialog->hop_before != NULL; i++)
		if (strcmp(trunk_next_hop(trunk, &addresses[i], hop), dialog->hop_before) == 0)
			found = dialog->hop_before;
	dialog->next_hop = su_strdup(call->home, found);
	dialog->ident = LISTENER_PEERING;
	connect_by(dialog, NULL);
	return dialog->next_hop != NULL;
}

/* Has the phone registered again, and not another one of its user's? Then that is the way to it. */
static bool
find_again(struct call_dialog *dialog)
{
	struct registrar *registrar = dialog->side->call->agent->registrar;
	const char *user = dialog->side->party.name;
	const struct relay_ip *peer = &dialog->side->peer;
	struct binding binding;
	int result;

	if (dialog->side->party.kind == PARTY_TRUNK)
		return find_trunk_again(dialog);
	if (dialog->resumed)
		result = registrar_find_phone(
			registrar, user, dialog->instance, dialog->registered, peer, &binding);
	else
		result = registrar_find_again(registrar, user, dialog->connection, peer, &binding);
	if (result != 0)
		return false;
	connect_by(dialog, binding.connection);
	return true;
}

/* The sender is the dialog's party (call_sender.c): that is the way to it. */
void
call_watch_meet(struct call_dialog *dialog, nta_incoming_t *in)
{
	struct agent *agent = dialog->side->call->agent;
	struct source source;

	if (is_connected(dialog) || dialog->next_hop != NULL || (dialog->ended && !dialog->bye_due))
		return;
	source_of(agent, in, &source);
	if (source.connection != NULL && tls_peer_is_peering(source.connection) ==
						 (dialog->side->party.kind == PARTY_TRUNK)) {
		connect_by(dialog, source.connection);
		dialog->side->peer = source.peer.ip;
		tls_guard_trust(source.connection);
	}
	source_release(&source);
}

/* A phone has a while to come back; one that lost us in a restart a longer one: until its session
 * ends, where it has a timer, since media goes on and nothing is wrong with it. */
static bool
may_come_back(const struct call_dialog *dialog)
{
	const struct call *call = dialog->side->call;
	uint64_t grace_ms = COME_BACK_MS;

	if (dialog->resumed && call->state == CALL_UP && dialog->side->session.interval_s != 0)
		return true;
	if (dialog->resumed)
		grace_ms = call->agent->config->sip.dialogs.return_s * UINT64_C(1000);
	return (call->state == CALL_UP || dialog->bye_due) &&
	       call_now_ms() < dialog->lost_ms + grace_ms;
}

/* A call has ended, and a phone that was not in reach has yet to hear of it. */
static void
say_due_bye(struct call_dialog *dialog)
{
	struct call *call = dialog->side->call;

	if (is_connected(dialog) || find_again(dialog)) {
		dialog->bye_due = false;
		call_dialog_bye_now(dialog);
	} else if (may_come_back(dialog)) {
		return;
	}
	dialog->bye_due = false;
	call->waiting--;
	call_done_waiting(call);
}

static void
on_heard(void *arg, const struct relay_header *reply)
{
	struct call_dialog *dialog = arg;
	struct call *call = dialog->side->call;
	const struct relay_session *session = (const struct relay_session *)reply;
	uint64_t grace_ms = call->agent->config->sip.dialogs.return_s * UINT64_C(1000);

	dialog->asking = false;
	if (reply != NULL && reply->code == RELAY_OK &&
		session->leg[dialog->side->index].last_packet_ms < grace_ms + LOOK_MS)
		dialog->lost_ms = call_now_ms();
	else
		dialog->silent = true;
	call->waiting--;
	call_done_waiting(call);
}

/* A phone that still sends media is there, though it has nothing to say to us: so it may take its
 * time. One on hold says nothing, and the relay has a limit for that. */
static bool
may_be_heard(struct call_dialog *dialog)
{
	struct call *call = dialog->side->call;
	struct relay_by_id request = {.header = {.op = RELAY_OP_QUERY}};
	const struct call_stream *stream = call->sdp.stream;
	unsigned i = 0;

	if (!dialog->resumed || call->state != CALL_UP || dialog->silent)
		return false;
	while (i < call->sdp.streams && !stream[i].in_relay)
		i++;
	if (dialog->asking || i == call->sdp.streams)
		return dialog->asking;
	if (stream[i].agreed[dialog->side->index].flags & RELAY_LEG_NO_RECEIVE)
		return true;
	memcpy(request.id, stream[i].id, sizeof(request.id));
	if (media_request(call->agent->media, &request, sizeof(request), on_heard, dialog) != 0)
		return false;
	dialog->asking = true;
	call->waiting++;
	return true;
}

static void
look_at(struct call_side *side)
{
	struct call *call = side->call;
	struct call_dialog *dialog = side->dialog;
	bool is_caller = side->index == 0;

	if (dialog != NULL && dialog->bye_due) {
		say_due_bye(dialog);
		return;
	}
	/* while it rings, the stack tells of the callee's */
	if (dialog == NULL || dialog->ended || !(dialog->confirmed || is_caller) ||
		(dialog->connection == NULL && dialog->next_hop != NULL))
		return;
	if (is_connected(dialog) || (dialog->lost_ms != 0 && find_again(dialog))) {
		dialog->lost_ms = 0;
		return;
	}
	if (dialog->lost_ms == 0)
		dialog->lost_ms = call_now_ms();
	if (may_come_back(dialog) || may_be_heard(dialog))
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
			for (unsigned k = 0; k < 2; k++) {
				look_at(&call->side[k]);
				if (call->state == CALL_ENDED)
					continue;
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
