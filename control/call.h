/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's inside, for b2bua.c (its life) and call_*.c (its parts) alone.
 *
 * Side 0 is the caller's, side 1 the callee's; the relay's legs have the same numbers. A side has
 * one dialog that counts; while the call rings there may be several early ones on side 1: one for
 * each target that answered, and for each phone behind it. */
#ifndef CONTROL_CALL_H
#define CONTROL_CALL_H

#include "b2bua.h"
#include "call_exchange.h"
#include "call_limits.h"
#include "call_media.h"
#include "call_sdp.h"
#include "call_store.h"
#include "party.h"
#include "record.h"
#include "route.h"
#include "session_timer.h"

#include <sofia-sip/su_alloc.h>

/* Who knows a dialog's tags and Call-ID can send requests in it: so they are ours, from the CSPRNG;
 * the stack's own can be foreseen. */
#define CALL_TAG_BYTES 8
#define CALL_TAG_SIZE (CALL_TAG_BYTES * 2 + 1)
#define CALL_ID_DIGITS 32

enum call_state {
	CALL_ROUTING,   /* who is called, and where? the relay is asked for a session */
	CALL_RINGING,   /* INVITE is with the targets */
	CALL_ANSWERING, /* one has answered, the relay is told */
	CALL_UP,        /* 200 is with the caller */
	CALL_ENDED,     /* waits for the last replies */
};

/* A leg's session timer, RFC 4028. */
struct call_session {
	uint32_t interval_s; /* 0: it has none */
	bool we_refresh;
	uint64_t refreshed_ms;
	uint64_t tried_ms; /* our last refresh */
	uint32_t least_s;  /* the far end takes no shorter one; 0: not known */
};

/* When a side's leg has had, or needs, fresh keys. */
struct call_keys {
	uint64_t made_ms;  /* 0: with the call */
	uint64_t tried_ms; /* our last offer of them; 0: never */
	bool expiring;     /* the relay says that a key's lifetime is nearly used up */
};

struct call_side {
	struct call *call;
	unsigned index; /* 0 or 1 */
	struct party party;
	struct call_dialog *dialog; /* the one that counts; NULL: none yet */
	struct relay_ip peer;       /* the phone's address */
	msg_t *said;                /* by which it came in: its INVITE, or 2xx; NULL: not yet */
	struct call_session session;
	struct call_keys keys;
	su_timer_t *glare_timer; /* NULL: none of our offers to it has crossed one of its own */
	bool rekey_crossed;      /* the last that did was of fresh keys */
};

/* What we answer a trunk's challenge with; nothing where it has not challenged us. */
struct call_credentials {
	sip_authorization_t *authorization;
	sip_proxy_authorization_t *proxy_authorization;
};

/* A dialog (RFC 3261 12), early or confirmed. It lives as long as the call. */
struct call_dialog {
	struct call_dialog *next; /* of the call's */
	struct call_side *side;
	struct call_branch *branch; /* whose response made it; NULL: the caller's */
	nta_leg_t *leg;
	const char *tag;        /* the far end's */
	const char *contact;    /* ours, to the far end */
	const char *next_hop;   /* a trunk's; NULL: the connection says it all */
	const char *ident;      /* of the listener that we leave by; NULL: any */
	tport_t *connection;    /* counted; requests go out on it; NULL: by next_hop; neither: it is
	                         of an earlier life, and not in reach yet (call_watch.c) */
	const char *hop_before; /* next_hop in the earlier life */
	const char *instance;   /* of the phone there, and the contact that it registered: by */
	const char *registered; /* either it is known again; NULL: not known */
	bool resumed;           /* of an earlier life, and not in reach yet */
	bool asking;            /* the relay, whether the phone still sends media */
	bool silent;            /* it does not */
	bool bye_due;           /* its BYE waits for the phone to come back */
	uint64_t lost_ms;       /* since when the connection is closed; 0: it is open */
	bool can_update;        /* the far end knows UPDATE: RFC 3311 */
	bool confirmed;         /* it has a 2xx */
	bool ended;             /* it had, or gets, its BYE */
	bool said_reliably;     /* its early answer: the 2xx need not repeat it */
	nta_outgoing_t *bye;    /* ours, waiting for its response */
	const struct config_trunk *trunk; /* with whom; NULL: a user */
	const char *user;                 /* with whom; NULL: a trunk */
	struct digest_client *digest;     /* what that has asked for; NULL: nothing; shared */
	struct call_credentials invite_credentials; /* of our last INVITE, for its ACK */
	uint32_t rseq;      /* of the last reliable provisional response, RFC 3262; 0: none */
	uint32_t cseq;      /* the far end's highest, of requests that were its own */
	unsigned forgotten; /* how often another was taken back */
};

/* One INVITE of ours to one target (RFC 3261 16.6). */
struct call_branch {
	struct call_branch *next; /* of the call's; the newest first */
	struct call *call;
	unsigned index;                    /* of the call's branches, for call_sdp.h */
	const struct route_target *target; /* of one of the call's routes */
	nta_leg_t *leg;                    /* without the far end's tag */
	const char *contact;
	nta_outgoing_t *invite;
	int status;         /* of the final response; 0: none yet */
	const char *phrase; /* NULL: the usual */
	const char *lines;  /* of its last response: what passes to the caller; NULL: none */
	bool cancelled;
	bool looking;                        /* its redirect is being looked up */
	bool heard;                          /* any response has come */
	struct digest_client *digest;        /* what the trunk has asked for; NULL: nothing */
	struct call_credentials credentials; /* of the INVITE */
	char *answer; /* of a reliable provisional response: holds keys; NULL: none */
	size_t answer_length;
};

/* Where the call goes: the targets of the caller's request, or of a redirect. */
struct call_route {
	struct call_route *next;
	struct route *route;
	unsigned started; /* targets */
};

struct call {
	struct call *next; /* in its bucket */
	struct call **prev;
	struct b2bua *b2bua;
	struct agent *agent;
	struct generation *generation; /* held: what its parties point into */
	su_home_t home[1];             /* everything that lives as long as the call */
	char id[RELAY_ID_SIZE];
	const char *caller; /* a user's or trunk's name, for the log */
	const char *callee; /* what was called */
	enum call_state state;
	struct call_side side[2];
	struct call_dialog *dialogs;
	struct call_route *routes;
	struct call_route *moving; /* whose next target waits for ports of another place */
	bool unplaced;             /* there are none: the relay refused them */
	unsigned redirects;        /* followed so far */
	struct call_limits_hold limits;
	int limit_status; /* for want of a target that is below its limits; 0: none was over */
	const char *limit_phrase;
	unsigned retry_after_s;  /* of a 503; 0: the usual */
	su_timer_t *setup_timer; /* a trunk's first word */
	struct call_branch *branches;
	struct call_branch *described; /* whose description the relay has */
	nta_incoming_t *invite_in;     /* from the caller */
	bool late;                     /* which had no offer */
	bool reliable;                 /* the caller knows 100rel: RFC 3262 */
	bool said_reliably;            /* and has acknowledged the answer that came early */
	bool settled;                  /* so that is agreed before the 2xx */
	bool answered_in;              /* invite_in has its final response */
	bool acked;                    /* and that has its ACK, or will never have it */
	bool bye_owed;                 /* the caller gets a BYE when it has acknowledged */
	unsigned updates;              /* operations at the relay that go on */
	/* what the caller hears with the description, once they are; 0: nothing */
	int answer_status;
	struct call_sdp sdp;
	struct call_exchange exchange;
	struct call_forward *forwards;
	struct call_left *left;          /* requests whose response concerns nobody */
	struct call_transfer *transfer;  /* that goes on; NULL: none */
	struct call_transfer *transfers; /* all */
	su_timer_t *timer;               /* no answer; and, at the end, to be freed */
	/* what has to come yet: replies of the relay, to BYE, to a cancelled INVITE, a look-up, the
	 * caller's ACK where a BYE is owed */
	unsigned waiting;
	uint64_t started_ms;
	uint64_t answered_ms;       /* 0: never */
	const char *cause;          /* why it ended: static text */
	const char *reason;         /* why, by the Reason header of who ended it; NULL: none */
	const char *lines;          /* of the response that is passed on; NULL: none */
	struct call_record *record; /* NULL: none is kept */
	struct call_stored stored;
};

#define CALL_BUCKETS 4096

struct b2bua {
	struct agent *agent;
	su_timer_t *timer;        /* looks after the connections */
	struct call_store *store; /* NULL: no call outlives us */
	unsigned count;
	struct call_keep *keep;
	struct call *bucket[CALL_BUCKETS]; /* by id */
};

/* call.c: the table. A call is freed when it has ended and nothing has to come. */
struct call *call_new(struct b2bua *b2bua);
/* One of an earlier life, without a record. */
struct call *call_again(struct b2bua *b2bua, const char *id);
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

/* b2bua.c: the caller has its 200: the call is up. */
void call_on_accepted(struct call *call);

/* call_check.c: what can be said of an INVITE without asking anybody: 0, or the status to refuse it
 * with and *phrase, if not the usual one. */
int call_check_invite(struct call *call, const sip_t *sip, const char **phrase);

/* call_rekey.c: looked at every second; the relay's event; fresh keys were agreed on. */
void call_rekey_look(struct call_side *side);
void call_rekey_expiring(struct call_side *side);
void call_rekey_done(struct call_side *side);

/* call_watch.c: calls whose phone's connection closed. */
int call_watch_start(struct b2bua *b2bua);
/* A request came in this dialog: by a new connection, perhaps, of a phone whose old one is gone. */
void call_watch_meet(struct call_dialog *dialog, nta_incoming_t *in);

/* call_keep.c: calls outlive a restart of the relay. */
struct call_keep *call_keep_create(struct b2bua *b2bua);
void call_keep_destroy(struct call_keep *keep);

/* call_restore.c: asks the relay to take up each stream of the call that it had. How many of them
 * there are; where one can't be asked for, or is refused, the call ends. */
unsigned call_restore(struct call *call);

/* call_target.c: whom a call goes to. */
/* Looks up who is called by the request: call_on_routed(). 0, or -errno. */
int call_target_find(struct call *call, const sip_t *request);
/* The route of the caller's request is there: 0, or the status to refuse with and *phrase. */
void call_on_routed(struct call *call, int status, const char *phrase);
/* Opens the branches of the next group of targets, or has the relay open ports for them first.
 * False: there is none any more. */
bool call_target_next(struct call *call);
/* When all have failed, and this is the best response: opens the next, if there is one and the
 * response lets us go on. */
bool call_target_after(struct call *call, const struct call_branch *best);
/* A target's final response, 300 to 699, has come: is there something to do about it (a redirect to
 * follow) before it counts? */
bool call_target_retry(struct call_branch *branch, const sip_t *response);
void call_target_free_all(struct call *call);

/* call_branch.c: the INVITEs to the targets. What comes of them is told to b2bua.c: */
/* Opens one branch. 0, or -errno. */
int call_branch_add(struct call *call, const struct route_target *target);
/* Is one of them still without a final response, and not taken back? */
bool call_branch_is_open(const struct call *call);
/* Takes back each INVITE that has no final response yet. */
void call_branch_cancel_all(struct call *call, const struct call_branch *except);
/* Takes back the INVITEs to trunks that have said nothing, and takes those out. Were there any? */
bool call_branch_give_up(struct call *call);
/* Have all failed? Then the next group of targets is called, or call_on_failed(). */
void call_branch_look(struct call *call);
void call_branch_free_all(struct call *call);
/* a provisional response, in `dialog` if it made one (else NULL) */
void call_on_progress(struct call_branch *branch, struct call_dialog *dialog, const sip_t *sip);
/* the first 2xx of all; acknowledged, but where the offer is in it (call->late) */
void call_on_winner(struct call_branch *branch, struct call_dialog *dialog, const sip_t *sip);
/* all have failed; *best is the response that counts (RFC 3261 16.7) */
void call_on_failed(struct call *call, const struct call_branch *best);

/* call_dialog.c: the dialogs. */
/* With whom it is. */
void call_dialog_set_party(struct call_dialog *dialog, const struct party *party);
/* With who sent the INVITE `in` from `side`, on `connection`. NULL: out of memory or randomness. */
struct call_dialog *call_dialog_in(
	struct call_side *side, nta_incoming_t *in, const sip_t *invite, tport_t *connection);
/* A dialog that a response of somebody on `side` makes; at a target, with our `contact`. NULL: no
 * tag, or out of memory. */
struct call_dialog *call_dialog_make(struct call_side *side, const struct route_target *target,
	const char *contact, const sip_t *response);
/* A leg for the dialog that counts on its side, made from what was said when it began: with our
 * `tag`, our CSeq so far (0: none), the far end's, its routes and Contact. NULL: out of memory, or
 * not enough was said. */
nta_leg_t *call_dialog_make_leg(struct call_dialog *dialog, const char *tag, uint32_t seq,
	uint32_t cseq, const sip_route_t *route, const sip_contact_t *target);
/* Takes a dialog of another call to `side` of this one. NULL: out of memory. */
struct call_dialog *call_dialog_move(struct call_side *side, struct call_dialog *from);
/* The dialog that a response with a To tag belongs to, made if it is new. NULL: no tag, or out of
 * memory. */
struct call_dialog *call_dialog_of(struct call_branch *branch, const sip_t *response);
/* A 2xx confirms it: its route. */
void call_dialog_confirm(struct call_dialog *dialog, const sip_t *response);
/* RFC 3261 13.2.2.4, with a session description if `body` is not NULL. */
void call_dialog_ack(struct call_dialog *dialog, uint32_t cseq, const char *body);
/* An INVITE or UPDATE of ours inside it. NULL: out of memory. */
nta_outgoing_t *call_dialog_request(struct call_dialog *dialog, nta_response_f *on_response,
	nta_outgoing_magic_t *magic, sip_method_t method, const char *body);
/* A re-INVITE, UPDATE or its response moves the far end's Contact: RFC 3261 12.2. */
void call_dialog_refresh(struct call_dialog *dialog, const sip_t *sip);
/* Or as soon as the phone is in reach again. */
void call_dialog_bye(struct call_dialog *dialog);
void call_dialog_bye_now(struct call_dialog *dialog);
/* Is there a way to the far end? */
bool call_dialog_is_in_reach(const struct call_dialog *dialog);
void call_dialog_free_all(struct call *call);

/* call_reliable.c: reliable provisional responses, RFC 3262. */
/* Acknowledges one of a target's. False: it came before, or before its turn, and is to be passed
 * over. */
bool call_reliable_take(struct call_dialog *dialog, const sip_t *response);
/* Is the early answer agreed, so that an UPDATE may come before the 2xx (RFC 3311 5.1)? Then it is
 * from now on. */
bool call_reliable_settle(struct call *call);
/* A provisional response to the caller, reliably if it can do that. */
void call_reliable_say(struct call *call, int status, const char *phrase, const char *body);

/* call_timer.c: session timers. */
/* A re-INVITE or UPDATE of that side (or the INVITE of the caller): 0, or 422. */
int call_timer_request(struct call_side *side, const sip_t *sip);
/* The 2xx to ours. */
void call_timer_response(struct call_side *side, const sip_t *sip);
/* Header lines for our 2xx, and for our request, written to lines; "" for none. */
#define CALL_TIMER_LINES 96
const char *call_timer_answer_lines(const struct call_side *side, char lines[CALL_TIMER_LINES]);
const char *call_timer_request_lines(const struct call_side *side, char lines[CALL_TIMER_LINES]);
/* Refreshes, or ends the call, when it is time. */
void call_timer_look(struct call_side *side);

/* call_glare.c: our refresh of this side, or our offer of fresh keys to it, met 491. */
void call_glare_wait(struct call_side *side, bool rekey);
void call_glare_end(struct call *call);

/* call_introduce.c: who is on a side, as it has said of itself, to somebody new; on the call's
 * home. */
/* The From. NULL: out of memory. */
sip_from_t *call_introduce_from(const struct call_side *side, const struct party *to);
/* The lines that tell more of it, or pass: "" for none; NULL: out of memory. */
const char *call_introduce_lines(const struct call_side *side, const struct party *to);
/* The Referred-By (RFC 3892) of a transfer by it. NULL: it does not want to be known. */
const char *call_introduce_referrer(const struct call_side *side, const struct party *to);

/* call_transfer.c: REFER. Takes `in` over. */
void call_transfer_request(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip);
/* The other side has taken (status 200) the offer of who comes in, or refused it; `cseq` is that of
 * its 2xx, which waits for its ACK. */
void call_transfer_answer(
	struct call *call, uint32_t cseq, int status, const char *phrase, const char *body);
/* Who sent the REFER hangs up, as it may: is the call kept for who comes in? */
bool call_transfer_left(struct call_dialog *dialog);
void call_transfer_end(struct call *call);
void call_transfer_free_all(struct call *call);

/* call_sender.c: is a request in the dialog from its party? If not, it has been answered. */
bool call_sender_check(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip);

/* call_replace.c: an INVITE with Replaces (RFC 3891) of `from`: takes `in` over. False: it has no
 * such header. */
bool call_replace(struct b2bua *b2bua, nta_incoming_t *in, const sip_t *sip,
	const struct party *from, const struct source *source);

/* It has been answered for good: 200, or all is as it was. */
void call_replace_settle(struct call *call, int status, const char *phrase);

/* call_forward.c: INFO and MESSAGE, to the other side. Takes `in` over. */
void call_forward(struct call_dialog *dialog, nta_incoming_t *in, const sip_t *sip);
void call_forward_free_all(struct call *call);

/* call_request.c: each request inside a dialog; the magic is the dialog, or the branch. */
int call_on_request(nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip);
int call_on_branch_request(
	nta_leg_magic_t *magic, nta_leg_t *leg, nta_incoming_t *in, const sip_t *sip);

#endif
