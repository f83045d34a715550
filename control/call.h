/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's inside, for b2bua.c (its life) and call_*.c (its parts) alone.
 *
 * Side 0 is the caller's, side 1 the callee's; the relay's legs have the same numbers. A side has
 * one dialog that counts; while the call rings there may be several early ones on side 1: one for
 * each target that answered, and for each phone behind it. */
#ifndef CONTROL_CALL_H
#define CONTROL_CALL_H

#include "b2bua.h"
#include "call_media.h"
#include "call_sdp.h"
#include "record.h"

#include <sofia-sip/su_alloc.h>

/* Who knows a dialog's tags and Call-ID can send requests in it: so they are ours, from the CSPRNG;
 * the stack's own can be foreseen. */
#define CALL_TAG_BYTES 8
#define CALL_TAG_SIZE (CALL_TAG_BYTES * 2 + 1)

enum call_state {
	CALL_CREATING,  /* the relay is asked for a session */
	CALL_RINGING,   /* INVITE is with the callee */
	CALL_ANSWERING, /* the callee has answered, the relay is told */
	CALL_UP,        /* 200 is with the caller */
	CALL_ENDED,     /* waits for the last replies */
};

struct call_side {
	struct call *call;
	unsigned index;             /* 0 or 1 */
	struct call_dialog *dialog; /* the one that counts; NULL: none yet */
	struct relay_ip peer;       /* the phone's address */
};

/* A dialog (RFC 3261 12), early or confirmed. It lives as long as the call. */
struct call_dialog {
	struct call_dialog *next; /* of the call's */
	struct call_side *side;
	struct call_branch *branch; /* whose response made it; NULL: the caller's */
	nta_leg_t *leg;
	const char *tag;     /* the far end's */
	const char *contact; /* ours, to the far end */
	tport_t *connection; /* counted; requests go out on it */
	uint64_t lost_ms;    /* since when the connection is closed; 0: it is open */
	bool confirmed;      /* it has a 2xx */
	bool ended;          /* it had, or gets, its BYE */
	nta_outgoing_t *bye; /* ours, waiting for its response */
};

/* One INVITE of ours to one target (RFC 3261 16.6). */
struct call_branch {
	struct call_branch *next; /* of the call's */
	struct call *call;
	unsigned index; /* of the call's branches, for call_sdp.h */
	const char *uri; /* of the request */
	tport_t *connection;
	struct relay_ip peer;
	nta_leg_t *leg; /* without the far end's tag */
	const char *contact;
	nta_outgoing_t *invite;
	int status;         /* of the final response; 0: none yet */
	const char *phrase; /* NULL: the usual */
	bool cancelled;
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
	struct call_dialog *dialogs;
	struct call_branch *branches;
	struct call_branch *described; /* whose description the relay has */
	nta_incoming_t *invite_in;     /* from the caller */
	bool answered_in;              /* invite_in has its final response */
	bool acked;                    /* and that has its ACK, or will never have it */
	bool bye_owed;                 /* the caller gets a BYE when it has acknowledged */
	unsigned updates;              /* UPDATEs that the relay has yet to answer */
	/* what the caller hears with the description, once they are; 0: nothing */
	int answer_status;
	struct call_sdp sdp;
	su_timer_t *timer; /* no answer; and, at the end, to be freed */
	/* what has to come yet: replies of the relay, to BYE, to a cancelled INVITE, the caller's
	 * ACK where a BYE is owed */
	unsigned waiting;
	uint64_t started_ms;
	uint64_t answered_ms;       /* 0: never */
	const char *cause;          /* why it ended: static text */
	struct call_record *record; /* NULL: none is kept */
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

/* call_branch.c: the INVITEs to the targets. What comes of them is told to b2bua.c: */
/* Opens one branch to `uri`. 0, or -errno. */
int call_branch_add(
	struct call *call, const char *uri, tport_t *connection, const struct relay_ip *peer);
/* Is one of them still without a final response? */
bool call_branch_is_open(const struct call *call);
/* Takes back each INVITE that has no final response yet. */
void call_branch_cancel_all(struct call *call, const struct call_branch *except);
void call_branch_free_all(struct call *call);
/* a provisional response, in `dialog` if it made one (else NULL) */
void call_on_progress(struct call_branch *branch, struct call_dialog *dialog, const sip_t *sip);
/* the first 2xx of all, acknowledged */
void call_on_winner(struct call_branch *branch, struct call_dialog *dialog, const sip_t *sip);
/* all have failed; *best is the response that counts (RFC 3261 16.7) */
void call_on_failed(struct call *call, const struct call_branch *best);

/* call_dialog.c: the dialogs. */
/* The caller's, from the INVITE; on `connection`. 0, or -errno. */
int call_dialog_in(struct call *call, const sip_t *invite, tport_t *connection);
/* The dialog that a response with a To tag belongs to, made if it is new. NULL: no tag, or out of
 * memory. */
struct call_dialog *call_dialog_of(struct call_branch *branch, const sip_t *response);
/* A 2xx confirms it: its route. */
void call_dialog_confirm(struct call_dialog *dialog, const sip_t *response);
/* RFC 3261 13.2.2.4, with a session description if `body` is not NULL. */
void call_dialog_ack(struct call_dialog *dialog, uint32_t cseq, const char *body);
void call_dialog_bye(struct call_dialog *dialog);
void call_dialog_free_all(struct call *call);

/* call_request.c: each request inside a dialog; the magic is the dialog, or the branch. */
int call_on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip);
int call_on_branch_request(
	nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip);

#endif
