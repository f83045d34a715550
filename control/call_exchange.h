/* SPDX-License-Identifier: BSD-3-Clause */
/* Offers inside a call (RFC 3264, RFC 3261 14, RFC 3311): a re-INVITE or UPDATE of one side is
 * passed to the other with a description of ours, its answer goes back; so hold, resume, a new
 * address and other codecs reach the other side. One at a time in a call, whoever began it.
 * Event-loop thread alone. */
#ifndef CONTROL_CALL_EXCHANGE_H
#define CONTROL_CALL_EXCHANGE_H

#include "agent.h"

struct call;
struct call_side;
struct call_dialog;

enum exchange_stage {
	EXCHANGE_NONE,
	EXCHANGE_OPENING,  /* the relay reserves ports for new streams */
	EXCHANGE_ASKED,    /* our request is with `to` */
	EXCHANGE_APPLYING, /* both have spoken; the relay is told */
	EXCHANGE_ANSWERED, /* `from` has its 2xx; its ACK is to come */
};

struct call_exchange {
	enum exchange_stage stage;
	struct call_side *from; /* who asked; NULL: we ourselves */
	struct call_side *to;   /* who is asked; NULL: nobody, it concerns `from` alone */
	nta_incoming_t *in;     /* of `from` */
	nta_outgoing_t *out;    /* to `to` */
	bool initial;           /* `in` is the INVITE that made the call */
	bool invite;            /* `in` is an INVITE, not an UPDATE */
	bool late;         /* no offer in it: that is in the 2xx of `to`, the answer in the ACK */
	bool refresh;      /* an UPDATE of ours, of the session timer: nothing changes */
	bool rekey;        /* ours, for fresh keys */
	bool accepted;     /* `to` has sent its 2xx: no way back */
	uint32_t ack_owed; /* CSeq of a 2xx that has no ACK yet; 0: none */
	bool replaces;     /* `in` has made a dialog of its own: RFC 3891 */
	bool by_ack; /* a transfer: the offer of `from` is its 2xx to our INVITE, the answer goes
	                with the ACK to that */
};

/* A re-INVITE or UPDATE that came in `dialog`. Takes `in` over. */
void call_exchange_request(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip);

/* The callee's 2xx to an INVITE that had no offer: has one, and is not yet acknowledged. */
void call_exchange_late(struct call *call, const sip_t *response);

/* A transfer: the 2xx of who comes in on `side` has an offer for the other side. */
void call_exchange_transfer(struct call_side *side, const sip_t *response);

/* `in` is of who has taken the place on `side`: as if a re-INVITE of it. Takes `in` over. */
void call_exchange_replace(struct call_side *side, nta_incoming_t *in, const sip_t *sip);

/* The caller's ACK to the 2xx that had our offer; NULL: none came. */
void call_exchange_acked(struct call *call, const sip_t *ack);

/* Fresh keys on this side's leg (RFC 4568 7.1.4): a re-INVITE of ours to it alone. 0, or -EBUSY
 * while another exchange goes on, or -errno. */
int call_rekey(struct call *call, unsigned side);

/* Refreshes the session timer of this side (RFC 4028 7.4) by UPDATE, or by a re-INVITE that says
 * what was said. 0, or -EBUSY while another exchange goes on, or -errno. */
int call_exchange_refresh(struct call_side *side);

/* The call ends: who still waits for an answer gets one. */
void call_exchange_end(struct call *call);
void call_exchange_free(struct call *call);

#endif
