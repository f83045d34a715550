/* SPDX-License-Identifier: BSD-3-Clause */
/* Where a request goes: to a user's phones, or by the dial plan to trunks. Event-loop thread
 * alone. */
#ifndef CONTROL_ROUTE_H
#define CONTROL_ROUTE_H

#include "agent.h"
#include "party.h"

#include <sofia-sip/sip.h>

enum route_kind {
	ROUTE_CONTACT, /* a phone, on the connection that it registered by */
	ROUTE_TRUNK,   /* one address of a trunk */
};

/* One place to send the request to. Texts belong to the route. */
struct route_target {
	enum route_kind kind;
	/* All of one group are called at once (RFC 3261 16.6); the next group when those before
	 * have failed. They are in order, from 0. */
	unsigned group;
	struct party party;  /* who is called there */
	char *uri;           /* Request-URI */
	char *to;            /* URI of the To header: no secret of the other leg */
	char *path;          /* Route header (RFC 3327) of the request; NULL: none */
	tport_t *connection; /* contacts: NTATAG_TPORT(); counted. NULL for trunks */
	char *next_hop;    /* trunks: the route_url of nta_outgoing_tcreate(); NULL for contacts */
	const char *ident; /* trunks: TPTAG_IDENT() of the listener to leave by; NULL: any */
	struct relay_ip peer;      /* who gets the signalling */
	struct relay_addr address; /* trunks: where it connects to */
};

struct route {
	/* 0: there are targets; else the status to refuse with (404, 480, 403, 503), and for 503
	 * the seconds of Retry-After */
	int status;
	const char *phrase; /* NULL: the usual one */
	unsigned retry_after_s;
	char called[USER_NAME_SIZE]; /* the user or number that was asked for, for log and record */
	struct route_target *targets;
	unsigned count;
};

/* The route is the callee's: route_free(). */
typedef void route_done_cb(void *arg, struct route *route);

/* Finds who is called by the Request-URI: a user in our domain; else a number (sip: with user=phone
 * or digits, tel: by RFC 3966), by the dial plan. Calls done() once, perhaps before it returns:
 * only while the trunks are looked up for the first time (RFC 3263) it takes longer, and 5 s at
 * most. `request` is not needed any more when it returns. 0; or -ENOMEM, and done() is not
 * called. */
int route_find(struct agent *agent, const struct party *from, const sip_t *request,
	route_done_cb *done, void *arg);

void route_free(struct route *route);

/* This target did not answer, or with 503, or could not be reached: it is not called again before
 * it has answered a ping, or (without pings) half a minute has passed. Nothing for contacts. */
void route_target_failed(struct agent *agent, const struct route_target *target);

#endif
