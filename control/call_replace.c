/* SPDX-License-Identifier: BSD-3-Clause */
/* INVITE with Replaces (RFC 3891): another phone of a user, or another machine of a trunk, takes
 * the place of one that is in a call. Who replaces and who is replaced must be the same party:
 * nobody gets into somebody else's call by knowing its tags, or learns that they are right. */
#include "call.h"
#include "call_identity.h"
#include "call_transfer.h"
#include "counters.h"

#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Those that the stack could not read: it has put them aside. */
static unsigned
count_broken(const sip_t *sip)
{
	unsigned count = 0;

	for (const sip_header_t *at = (const sip_header_t *)sip->sip_error; at != NULL;
		at = at->sh_next) {
		const char *name = at->sh_class == sip_error_class ? at->sh_error->er_name
		                                                   : at->sh_class->hc_name;
		count += name != NULL && strcasecmp(name, "Replaces") == 0;
	}
	return count;
}

/* Does it name a dialog, as RFC 3891 6.1 has it? */
static bool
is_whole(const sip_replaces_t *replaces)
{
	return replaces->rp_call_id != NULL && replaces->rp_to_tag != NULL &&
	       replaces->rp_to_tag[0] != '\0' && replaces->rp_from_tag != NULL &&
	       replaces->rp_from_tag[0] != '\0';
}

/* What the INVITE says; the stack may take it for a header that it does not know. Returns how many
 * there are; *out is NULL if one can't be read. */
static unsigned
read_replaces(su_home_t *home, const sip_t *sip, const sip_replaces_t **out)
{
	unsigned broken = count_broken(sip), count = 0;

	*out = NULL;
	for (const sip_header_t *at = identity_first_header(sip); at != NULL;
		at = (const sip_header_t *)at->sh_succ) {
		const char *name = identity_header_name(at), *value;
		if (name == NULL || strcasecmp(name, "Replaces") != 0)
			continue;
		count++;
		value = identity_header_value(home, at);
		*out = value != NULL ? sip_replaces_make(home, value) : NULL;
	}
	if (broken > 0 || (*out != NULL && !is_whole(*out)))
		*out = NULL;
	return count + broken;
}

/* The dialog of this party's that is named. NULL: there is none. */
static struct call_dialog *
find(struct b2bua *b2bua, const sip_replaces_t *replaces, const struct party *from)
{
	nta_leg_t *leg = nta_leg_by_replaces(b2bua->agent->nta, replaces);
	struct call_dialog *dialog = (struct call_dialog *)nta_leg_magic(leg, call_on_request);

	if (dialog == NULL || dialog->side->dialog != dialog ||
		dialog->side->party.kind != from->kind ||
		strcmp(dialog->side->party.name, from->name) != 0)
		return NULL;
	return dialog;
}

/* RFC 3891 3. 0, or the status to refuse it with. */
static int
check(const struct call_dialog *dialog, const sip_t *sip, const sip_replaces_t *replaces,
	const struct source *source)
{
	const struct call_side *side = dialog->side;
	const struct call *call = side->call;

	if (call->agent->config->sip.dialogs.transfers == CONFIG_TRANSFERS_REFUSE)
		return 403;
	if (sip->sip_max_forwards != NULL && sip->sip_max_forwards->mf_count == 0)
		return 483;
	if (call->state == CALL_ENDED || dialog->ended)
		return 603;
	/* one that rings with the callee could be picked up; the caller's own can't be taken, and
	 * neither can one that is being answered */
	if (call->state != CALL_UP)
		return 481;
	if (replaces->rp_early_only)
		return 486;
	if (call->transfer != NULL || call->exchange.stage != EXCHANGE_NONE)
		return 491;
	if (call_media_place(call, &source->peer.ip) != call_media_place(call, &side->peer))
		return 488;
	return 0;
}

static void
refuse(const struct agent *agent, nta_incoming_t *in, int status)
{
	char min_se[32];

	counters_add(COUNTER_CALLS_NOT_TRANSFERRED);
	snprintf(
		min_se, sizeof(min_se), "Min-SE: %u\r\n", agent->config->sip.dialogs.session_min_s);
	nta_incoming_treply(
		in, status, NULL, TAG_IF(status == 422, SIPTAG_HEADER_STR(min_se)), TAG_END());
	nta_incoming_destroy(in);
}

/* `old` is a dialog that may be replaced: by a new one with the sender. */
static void
take_over(struct call_dialog *old, nta_incoming_t *in, const sip_t *sip, const struct party *from,
	const struct source *source)
{
	struct call_dialog *made = call_dialog_in(old->side, in, sip, source->connection);
	struct call_transfer *transfer = made != NULL ? call_transfer_new(old->side) : NULL;

	if (transfer == NULL) {
		refuse(old->side->call->agent, in, 500);
		return;
	}
	transfer->replaced = true;
	nta_incoming_treply(in, SIP_100_TRYING, TAG_END());
	call_transfer_take_place(
		transfer, made, from, &source->peer.ip, nta_incoming_getrequest(in));
	call_exchange_replace(old->side, in, sip);
}

bool
call_replace(struct b2bua *b2bua, nta_incoming_t *in, const sip_t *sip, const struct party *from,
	const struct source *source)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const sip_replaces_t *replaces;
	struct call_dialog *old = NULL;
	int status = 400; /* RFC 3891 3: two, or one that is none */

	su_home_init(home);
	unsigned count = read_replaces(home, sip, &replaces);
	if (count == 1 && replaces != NULL) {
		old = find(b2bua, replaces, from);
		status = old != NULL ? check(old, sip, replaces, source) : 481;
	}
	su_home_deinit(home);
	if (count == 0)
		return false;
	if (status == 0)
		status = call_timer_request(old->side, sip);
	if (status != 0)
		refuse(b2bua->agent, in, status);
	else
		take_over(old, in, sip, from, source);
	return true;
}

void
call_replace_settle(struct call *call, int status, const char *phrase)
{
	struct call_transfer *transfer = call->transfer;

	if (transfer == NULL || !transfer->replaced || transfer->over)
		return;
	if (status < 300)
		transfer->made->confirmed = true;
	else
		transfer->made->ended = true;
	call_transfer_settle(transfer, status, phrase);
}
