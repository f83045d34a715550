/* SPDX-License-Identifier: BSD-3-Clause */
/* Who sends a request in a dialog. Its tags and Call-ID can't be guessed, but others than the far
 * end may have seen them: so it comes by a connection of the dialog's party, or the party proves
 * itself once more. */
#include "auth.h"
#include "call.h"
#include "counters.h"
#include "relay/log.h"
#include "tls_guard.h"
#include "tls_peer.h"

#include <sofia-sip/sip_status.h>
#include <sofia-sip/su_tag.h>

#define FORGET_MAX 100 /* in a dialog: each costs the call some memory */

struct search {
	const tport_t *connection;
	bool found;
};

static int
look_at_binding(void *arg, const struct binding *binding)
{
	struct search *search = arg;

	search->found = binding->connection == search->connection;
	return search->found;
}

/* Has its user registered by this connection? */
static bool
has_registered(const struct call_dialog *dialog, const struct source *source)
{
	struct search search = {.connection = source->connection};

	registrar_find_all(
		dialog->side->call->agent->registrar, dialog->user, look_at_binding, &search);
	return search.found;
}

static bool
is_right(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip,
	const struct source *source)
{
	struct agent *agent = dialog->side->call->agent;

	if (source->connection != NULL && source->connection == dialog->connection)
		return true;
	if (source->connection != NULL && dialog->trunk != NULL) {
		if (tls_peer_verify(source->connection, dialog->trunk->tls_name) == 0)
			return true;
	} else if (source->connection != NULL && dialog->user != NULL &&
		   !tls_peer_is_peering(source->connection)) {
		if (has_registered(dialog, source))
			return true;
		if (!auth_in_dialog(agent->auth, in, sip, source, dialog->user))
			return false; /* answered */
		tls_guard_trust(source->connection);
		return true;
	}
	counters_add(COUNTER_CALLS_STRANGER);
	log_stranger(LOG_LEVEL_INFO,
		LOG_ABOUT({LOG_CALL, dialog->side->call->id}, {LOG_PEER, source->text}),
		"call %s: %s from %s is refused: it is not from who is in the call",
		dialog->side->call->id, sip->sip_request->rq_method_name, source->text);
	nta_incoming_treply(in, SIP_403_FORBIDDEN, TAG_END());
	return false;
}

/* The stack has counted the CSeq of a request before anybody looked at who sent it, and would
 * refuse the party's own next one as old. It forgets no number, but a leg that is made anew has not
 * heard of it. Its memory stays until the call ends: not for ever. */
static void
forget_cseq(struct call_dialog *dialog)
{
	const sip_route_t *route = NULL;
	const sip_contact_t *target = NULL;

	if (dialog->side->dialog != dialog || dialog->side->said == NULL ||
		dialog->forgotten == FORGET_MAX || nta_leg_get_rseq(dialog->leg) <= dialog->cseq ||
		nta_leg_get_route(dialog->leg, &route, &target) < 0 || target == NULL)
		return;
	nta_leg_t *leg = call_dialog_make_leg(dialog, nta_leg_get_tag(dialog->leg),
		nta_leg_get_seq(dialog->leg), dialog->cseq, route, target);
	if (leg == NULL)
		return;
	nta_leg_destroy(dialog->leg);
	dialog->leg = leg;
	dialog->forgotten++;
}

bool
call_sender_check(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip)
{
	struct source source;

	/* RFC 3261 22.1: nobody can be asked for credentials with an ACK */
	if (sip->sip_request->rq_method == sip_method_ack)
		return true;
	source_of(dialog->side->call->agent, in, &source);
	bool right = is_right(dialog, in, sip, &source);
	source_release(&source);
	if (right)
		dialog->cseq = nta_leg_get_rseq(dialog->leg);
	else
		forget_cseq(dialog);
	return right;
}
