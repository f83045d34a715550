/* SPDX-License-Identifier: BSD-3-Clause */
/* An attended transfer: REFER with Replaces (RFC 3891) of another call of the sender's. */
#include "call.h"
#include "call_digest.h"
#include "call_transfer.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <string.h>
#include <strings.h>

/* The other side of the sender's other call has offered: it moves to this one, and that ends. */
static int
on_joined(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_transfer *transfer = (struct call_transfer *)magic;
	struct call_side *joined = transfer->joined;
	struct call *call = transfer->call, *other = joined->call;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (status < 200 && sip != NULL)
		return 0;
	if (call_digest_again(joined->dialog, &transfer->asked, sip, on_joined, magic))
		return 0;
	call->waiting--;
	other->waiting--;
	other->exchange.stage = EXCHANGE_NONE;
	if (status >= 300 || sip == NULL || transfer->over || call->state != CALL_UP ||
		other->state != CALL_UP || call->exchange.stage != EXCHANGE_NONE) {
		if (status < 300 && sip != NULL) {
			/* an offer that gets no answer any more: RFC 3261 13.2.2.4 */
			call_dialog_ack(joined->dialog, sip->sip_cseq->cs_seq, NULL);
			call_end(other, "could not be joined with another call", NULL, 480, NULL);
		}
		call_transfer_fail(transfer, status >= 300 ? status : 491, NULL);
	} else {
		struct party party = joined->party;
		struct relay_ip peer = joined->peer;
		msg_t *said = joined->said;
		struct call_dialog *made = call_dialog_move(transfer->by, joined->dialog);
		call_end(
			other, "joined with another call", made != NULL ? joined : NULL, 480, NULL);
		if (made != NULL) {
			joined->said = NULL;
			call_transfer_come_in(transfer, made, &party, &peer, said, sip);
		} else {
			call_transfer_fail(transfer, 500, NULL);
		}
	}
	call_done_waiting(other);
	call_done_waiting(call);
	return 0;
}

int
call_transfer_join(struct call_transfer *transfer, const sip_replaces_t *replaces)
{
	struct call *call = transfer->call, *other;
	nta_leg_t *leg = nta_leg_by_replaces(call->agent->nta, replaces);
	const struct call_dialog *dialog =
		(const struct call_dialog *)nta_leg_magic(leg, call_on_request);

	/* only a call of the same party's: who can name a dialog is not yet in it */
	if (dialog == NULL || dialog->side->dialog != dialog || dialog->side->call == call ||
		dialog->side->party.kind != transfer->party.kind ||
		strcmp(dialog->side->party.name, transfer->party.name) != 0)
		return 481;
	other = dialog->side->call;
	transfer->joined = &other->side[!dialog->side->index];
	if (other->state != CALL_UP || other->exchange.stage != EXCHANGE_NONE)
		return 491;
	if (call_media_place(call, &transfer->joined->peer) !=
		call_media_place(call, &transfer->by->peer))
		return 488;
	transfer->asked = call_dialog_request(transfer->joined->dialog, on_joined,
		(nta_outgoing_magic_t *)transfer, sip_method_invite, NULL);
	if (transfer->asked == NULL)
		return 500;
	other->exchange.stage = EXCHANGE_ASKED;
	call->waiting++;
	other->waiting++;
	return 0;
}

sip_replaces_t *
call_transfer_read_replaces(su_home_t *home, const url_t *url)
{
	char escaped[512], text[sizeof(escaped)];
	const char *value = url->url_headers;

	if (value == NULL || strncasecmp(value, "Replaces=", 9) != 0)
		return NULL;
	value += 9;
	size_t length = strcspn(value, "&"); /* where another header begins */
	if (length >= sizeof(escaped) || memmem(value, length, "%00", 3) != NULL)
		return NULL;
	memcpy(escaped, value, length);
	escaped[length] = '\0';
	url_unescape(text, escaped);
	for (const char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return NULL;
	return sip_replaces_make(home, text);
}
