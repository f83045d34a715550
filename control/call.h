/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's inside, for b2bua.c (its life) and call_*.c (its parts) alone.
 *
 * Side 0 is the caller's, side 1 the callee's; the relay's legs have the same numbers. */
#ifndef CONTROL_CALL_H
#define CONTROL_CALL_H

#include "b2bua.h"
#include "call_sdp.h"

#include <sofia-sip/su_alloc.h>

enum call_state {
	CALL_CREATING,  /* the relay is asked for a session */
	CALL_RINGING,   /* INVITE is with the callee */
	CALL_ANSWERING, /* the callee has answered, the relay is told */
	CALL_UP,        /* 200 is with the caller */
	CALL_ENDED,     /* waits for the last replies */
};

struct call_side {
	struct call *call;
	unsigned index;       /* 0 or 1 */
	nta_leg_t *leg;       /* the dialog */
	tport_t *connection;  /* counted; requests go out on it */
	struct relay_ip peer; /* the phone's address on it */
	const char *contact;  /* ours, to this side */
	uint64_t lost_ms;     /* since when the connection is closed; 0: it is open */
	bool confirmed;       /* the dialog has a 2xx */
	nta_outgoing_t *bye;  /* ours, waiting for its response */
};

struct call {
	struct call *next; /* in its bucket */
	struct call **prev;
	struct b2bua *b2bua;
	struct agent *agent;
	su_home_t home[1]; /* everything that lives as long as the call */
	char id[RELAY_ID_SIZE];
	const char *caller; /* user names */
	const char *callee;
	enum call_state state;
	struct call_side side[2];
	nta_incoming_t *invite_in;  /* from the caller */
	nta_outgoing_t *invite_out; /* to the callee */
	bool answered_in;           /* invite_in has its final response */
	bool acked;                 /* and that has its ACK, or will never have it */
	bool bye_owed;              /* the caller gets a BYE when it has acknowledged */
	bool final_out;             /* invite_out has its final response */
	bool cancelled;
	bool in_relay;    /* a CREATE was sent: a DELETE is owed */
	bool described;   /* the callee has described its media, and the relay was told */
	unsigned updates; /* UPDATEs that the relay has yet to answer */
	/* what the caller hears with the description, once they are; 0: nothing */
	int answer_status;
	struct call_sdp sdp;
	su_timer_t *timer; /* no answer; and, at the end, to be freed */
	/* what has to come yet: replies of the relay, to BYE, to a cancelled INVITE, the caller's
	 * ACK where a BYE is owed */
	unsigned waiting;
	uint64_t started_ms;
	uint64_t answered_ms; /* 0: never */
	const char *cause;    /* why it ended: static text */
};

#define CALL_BUCKETS 4096

struct b2bua {
	struct agent *agent;
	su_timer_t *timer; /* looks after the connections */
	unsigned count;
	struct call *bucket[CALL_BUCKETS]; /* by id */
};

/* call.c: the table. A call is freed when it has ended and nothing has to come. */
struct call *call_new(struct b2bua *b2bua);
struct call *call_find(struct b2bua *b2bua, const char *id);
void call_done_waiting(struct call *call);
uint64_t call_now_ms(void);
/* bytes * 2 random hex digits and a NUL. 0, or -EIO without randomness. */
int call_random_hex(char *text, unsigned bytes);

/* b2bua.c: ends a call from whatever state, once. `except`, if not NULL, is the side that hung up
 * or can't be reached, and gets no BYE; `status` (and `phrase`, NULL: the usual) is what the caller
 * hears if he has no final answer yet. `cause` is static text, for the record. */
void call_end(struct call *call, const char *cause, const struct call_side *except, int status,
	const char *phrase);

/* call_check.c: what can be said of an INVITE without asking anybody, and who is called by whom: 0,
 * or the status to refuse it with and *phrase, if not the usual one. */
int call_check_invite(struct call *call, const sip_t *sip, const char **phrase);

/* call_watch.c: calls whose phone's connection closed. */
int call_watch_start(struct b2bua *b2bua);

/* call_media.c: the relay's part. The callbacks are in b2bua.c. */
int call_media_create(struct call *call);
int call_media_answer(struct call *call, unsigned mask); /* RELAY_UPDATE_* of the callee's leg */
void call_media_delete(struct call *call);
void call_on_created(struct call *call, const struct relay_header *reply);
void call_on_answered(struct call *call, const struct relay_header *reply);

/* call_dialog.c: the dialogs. */
int call_dialog_in(struct call *call, const sip_t *sip, nta_request_f *on_request);
int call_dialog_out(struct call *call, const sip_t *invite, const char *contact,
	nta_request_f *on_request, nta_response_f *on_response);
/* The callee's 2xx makes the dialog: its tag, its route; and is acknowledged. */
void call_confirm(struct call *call, const sip_t *response);
void call_bye(struct call_side *side, nta_response_f *on_response);
/* What the caller hears of the callee's refusal. */
int call_map_status(int status);
/* Answers an INVITE inside a dialog. */
void call_reinvite(struct call_side *side, nta_incoming_t *request, const sip_t *sip);

#endif
