/* SPDX-License-Identifier: BSD-3-Clause */
/* A blind transfer's INVITE to one target: from who stays, as that has said who it is. */
#include "call.h"
#include "call_digest.h"
#include "call_transfer.h"

#include <errno.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/tport_tag.h>
#include <strings.h>

static nta_response_f on_response;

/* Nobody asks for anything in a dialog that has no 2xx yet. */
static int
on_early_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip)
{
	nta_incoming_treply(in, 481, NULL, TAG_END());
	nta_incoming_destroy(in);
	return 0;
}

static const struct call_side *
who_stays(const struct call_transfer *transfer)
{
	return &transfer->call->side[!transfer->by->index];
}

static int
open_leg(struct call_attempt *attempt)
{
	const struct call_transfer *transfer = attempt->transfer;
	const struct route_target *target = attempt->target;
	struct call *call = transfer->call;
	char tag[CALL_TAG_SIZE], id[CALL_TAG_SIZE];
	sip_from_t *from = call_introduce_from(who_stays(transfer), &target->party);

	if (from == NULL)
		return -ENOMEM;
	if (call_random_hex(tag, CALL_TAG_BYTES) != 0 || call_random_hex(id, CALL_TAG_BYTES) != 0)
		return -EIO;
	if (sip_from_tag(call->home, from, tag) < 0)
		return -ENOMEM;
	attempt->leg =
		nta_leg_tcreate(call->agent->nta, on_early_request, (nta_leg_magic_t *)attempt,
			SIPTAG_CALL_ID_STR(su_sprintf(call->home, "%s-%s", call->id, id)),
			SIPTAG_FROM(from), SIPTAG_TO(sip_to_format(call->home, "<%s>", target->to)),
			TAG_END());
	return attempt->leg == NULL ? -ENOMEM : 0;
}

static int
send_invite(struct call_attempt *attempt)
{
	const struct call_transfer *transfer = attempt->transfer;
	const struct route_target *target = attempt->target;
	char timer[CALL_TIMER_LINES];
	const char *lines = call_introduce_lines(who_stays(transfer), &target->party);

	if (lines == NULL ||
		call_digest_fill(attempt->digest, target->party.trunk, transfer->call->home,
			"INVITE", target->uri, NULL, &attempt->credentials) != 0)
		return -ENOMEM;
	nta_outgoing_destroy(attempt->invite);
	attempt->invite = nta_outgoing_tcreate(attempt->leg, on_response,
		(nta_outgoing_magic_t *)attempt, (const url_string_t *)target->next_hop,
		SIP_METHOD_INVITE, (const url_string_t *)target->uri,
		NTATAG_TPORT(target->connection),
		TAG_IF(target->ident != NULL, TPTAG_IDENT(target->ident)),
		TAG_IF(target->path != NULL, SIPTAG_ROUTE_STR(target->path)),
		SIPTAG_CONTACT_STR(attempt->contact), SIPTAG_ALLOW_STR(AGENT_ALLOW),
		SIPTAG_SUPPORTED_STR(AGENT_SUPPORTED_REQUEST),
		SIPTAG_HEADER_STR(call_timer_request_lines(transfer->by, timer)),
		SIPTAG_HEADER_STR(lines), SIPTAG_AUTHORIZATION(attempt->credentials.authorization),
		SIPTAG_PROXY_AUTHORIZATION(attempt->credentials.proxy_authorization),
		SIPTAG_REFERRED_BY_STR(
			transfer->hidden ? NULL
					 : call_introduce_referrer(transfer->by, &target->party)),
		TAG_END());
	return attempt->invite != NULL ? 0 : -ENOMEM;
}

/* Every response to the INVITE; sends it anew where the trunk only asks who we are. */
static int
on_response(nta_outgoing_magic_t *magic, nta_outgoing_t *request, const sip_t *sip)
{
	struct call_attempt *attempt = (struct call_attempt *)magic;
	int status = sip != NULL ? sip->sip_status->st_status : nta_outgoing_status(request);

	if (attempt->over)
		return 0;
	if (sip != NULL && (status == 401 || status == 407)) {
		if (!attempt->cancelled &&
			call_digest_take(&attempt->digest, attempt->target->party.trunk, sip) &&
			send_invite(attempt) == 0)
			return 0;
		call_transfer_on_response(attempt, 500, NULL); /* it is about us */
		return 0;
	}
	if (status > 100 && attempt->digest != NULL)
		digest_client_done(attempt->digest);
	call_transfer_on_response(attempt, status, sip);
	return 0;
}

/* A call to this party more, for as long as it may come in. */
static bool
take_limit(struct call_transfer *transfer, const struct party *party)
{
	struct call *call = transfer->call;
	const char *phrase;
	unsigned retry_after_s;
	enum call_limit limit =
		call_limits_take_guest(call->agent->limits, &transfer->guest, party, call_now_ms());

	if (limit != CALL_LIMIT_NONE)
		transfer->limit_status = call_limits_status(limit, true, &phrase, &retry_after_s);
	return limit == CALL_LIMIT_NONE;
}

/* The relay's ports on this side stay: a target of another place than that can't come in. */
bool
call_attempt_open(struct call_transfer *transfer, const struct route_target *target)
{
	struct call *call = transfer->call;
	struct call_attempt *attempt;

	if (call_media_place(call, &target->peer) != call_media_place(call, &transfer->by->peer))
		return false;
	if (!take_limit(transfer, &target->party))
		return false;
	attempt = su_zalloc(call->home, sizeof(*attempt));
	if (attempt == NULL)
		return false;
	attempt->transfer = transfer;
	attempt->target = target;
	attempt->contact = target->connection != NULL
	                           ? agent_contact(call->home, target->connection)
	                           : agent_contact_at(call->agent, call->home, target->ident);
	attempt->contact = agent_contact_secure(
		call->home, attempt->contact, strncasecmp(target->uri, "sips:", 5) == 0);
	attempt->next = transfer->attempts;
	transfer->attempts = attempt;
	attempt->over = open_leg(attempt) != 0 || send_invite(attempt) != 0;
	return !attempt->over;
}

void
call_attempt_free_all(struct call_transfer *transfer)
{
	for (struct call_attempt *each = transfer->attempts; each != NULL; each = each->next) {
		nta_outgoing_destroy(each->invite);
		digest_client_destroy(each->digest);
		if (each->leg != NULL)
			nta_leg_destroy(each->leg);
	}
	transfer->attempts = NULL;
}
