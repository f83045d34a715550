/* SPDX-License-Identifier: BSD-3-Clause */
/* A transfer's inside, for call_transfer.c, call_attempt.c and call_join.c
 * alone. */
#ifndef CONTROL_CALL_TRANSFER_H
#define CONTROL_CALL_TRANSFER_H

#include "call.h"

/* An INVITE to one target of a blind transfer. */
struct call_attempt {
	struct call_attempt *next; /* of the transfer's */
	struct call_transfer *transfer;
	const struct route_target *target;
	const char *contact;
	nta_leg_t *leg; /* without the far end's tag */
	nta_outgoing_t *invite;
	struct digest_client *digest; /* what the trunk has asked for; NULL: nothing */
	struct call_credentials credentials;
	bool over;      /* it has its final response */
	bool cancelled; /* that is waited for */
};

struct call_transfer {
	struct call_transfer *next; /* of the call's */
	struct call *call;
	struct call_side *by;     /* whose place is taken */
	struct call_dialog *old;  /* with whom sent the REFER */
	struct call_dialog *made; /* with whom comes in; NULL: not yet */
	struct party party;       /* of `by`, before */
	struct relay_ip peer;
	struct call_session session;
	msg_t *said; /* by which it came, while who comes in has its place; NULL: not yet */
	struct call_limits_guest guest; /* who is called */
	int limit_status;               /* over a limit; 0: nobody was */
	bool replaced; /* no REFER: an INVITE with Replaces, of another phone of the same party */
	bool hidden;   /* the REFER asked not to say who sent it */
	struct route *route; /* a blind one's */
	unsigned tried;      /* of its targets */
	struct call_attempt *attempts;
	struct call_side *joined; /* of the other call, with Replaces; NULL: a blind one */
	nta_outgoing_t *asked;    /* to it, for an offer */
	bool over;                /* failed, or done */
	bool left;                /* who sent the REFER has hung up */
};

/* One that begins: `by` is to be replaced. NULL: out of memory. */
struct call_transfer *call_transfer_new(struct call_side *by);
/* Nothing has come of it. */
void call_transfer_fail(struct call_transfer *transfer, int status, const char *phrase);
/* Who comes in is at the call's side. `said` tells who it is: taken over. */
void call_transfer_take_place(struct call_transfer *transfer, struct call_dialog *made,
	const struct party *party, const struct relay_ip *peer, msg_t *said);
/* Who comes in takes the place at the call's side, and makes its offer (in its 2xx, `response`) to
 * who stays. `said` tells who it is: taken over. */
void call_transfer_come_in(struct call_transfer *transfer, struct call_dialog *made,
	const struct party *party, const struct relay_ip *peer, msg_t *said, const sip_t *response);
/* Its offer has been agreed (status 200), or all is as it was. */
void call_transfer_settle(struct call_transfer *transfer, int status, const char *phrase);
/* A response to an attempt's INVITE, its first final one or before; NULL: the stack's word. */
void call_transfer_on_response(struct call_attempt *attempt, int status, const sip_t *sip);

/* call_attempt.c: the INVITE to a target. False: it can't come in. */
bool call_attempt_open(struct call_transfer *transfer, const struct route_target *target);
void call_attempt_free_all(struct call_transfer *transfer);

/* call_join.c: what the Refer-To's headers say: a Replaces; or NULL, and nothing of them is sent
 * on. */
sip_replaces_t *call_transfer_read_replaces(su_home_t *home, const url_t *url);
/* Asks the other side of the call that it names for an offer. 0 or a status. */
int call_transfer_join(struct call_transfer *transfer, const sip_replaces_t *replaces);

#endif
