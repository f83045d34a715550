/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's session descriptions and keys: what each side said, and what the relay says to it.
 *
 * Offer and answer (RFC 3264, RFC 4568), either side's, at any time:
 *
 *   call_sdp_take_offer(call, side, ...)        the exchange is open; 0, or why it is refused
 *   call_media_open(call, done)                 ports at the relay for what is new
 *   call_sdp_make_offer(call, other, branch)    for each branch: keys of its own
 *   call_sdp_take_answer(call, other, branch, ...)
 *   call_media_apply(call, done)                the relay knows both sides
 *   call_sdp_make_answer(call, side)
 *   call_sdp_commit(call)                       with the final response: agreed
 *
 * or call_sdp_rollback() instead, and all is as it was before. A re-offer that says nothing new to
 * the other side (a session refresh, a new key or address of the phone alone) needs no answer of
 * the other side: call_sdp_answer_alone() takes its place. An answer may be taken several times
 * (183, 200, another branch's 200): the last one counts; but apply one branch's early answer only,
 * since a key that was replaced must not come back.
 *
 * Event-loop thread alone. */
#ifndef CONTROL_CALL_SDP_H
#define CONTROL_CALL_SDP_H

#include "relay/api.h"
#include "relay/config.h"
#include "sdes.h"
#include "sdp_media.h"

#include <stdbool.h>

struct call;
struct call_past;

#define CALL_BRANCHES_MAX 64

/* What a stream's leg is to be at the relay. */
struct call_leg {
	uint8_t transport; /* enum relay_transport; NONE: the stream is off, or has no answer yet */
	uint8_t profile;   /* enum sdp_profile, in all that is said on this leg */
	bool rtcp_mux;
	uint32_t flags;               /* RELAY_LEG_NO_SEND, NO_RECEIVE: by its direction */
	uint32_t clock_rate;          /* Hz, of its timestamps; 0: not known */
	uint32_t tag;                 /* of the crypto line that was chosen */
	struct relay_addr remote_rtp; /* family 0: not known */
	struct relay_addr remote_rtcp;
	struct relay_crypto receive;  /* the phone's key */
	struct relay_crypto transmit; /* ours */
};

/* A media stream, the m= lines of one place: a session at the relay. It is in use while both its
 * legs have a transport. */
struct call_stream {
	char id[RELAY_ID_SIZE];
	bool in_relay;              /* a CREATE was sent: a DELETE is owed */
	struct relay_addr local[2]; /* the relay's, for each side */
	/* where the relay found a side that is not where it said (family 0: it is) */
	struct relay_addr latched[2];
	struct call_leg agreed[2]; /* by the last exchange that was committed */
	struct call_leg next[2];   /* by the exchange that is open */
	struct call_leg told[2];   /* what the relay was told last */
	/* what it would need to go on after a restart (call_past.h), and what of that is known: */
	struct call_past *past;
	uint8_t sure; /* bit i: what the flow from leg i was sent with is known */
	uint8_t held; /* bit i: it has no transmit key of leg i, for that of told[] was in doubt */
	unsigned asked; /* UPDATEs that are not answered yet */
};

/* What a branch was offered in one m= line. */
struct call_line {
	enum sdp_profile profile; /* NONE: port 0 */
	bool rtcp_mux;
	unsigned ours_count;
	struct sdes_line ours[RELAY_SUITE_COUNT];
};

struct call_sdp_branch {
	struct sdp_policy policy;
	unsigned lines;
	struct call_line *line;
	char *text; /* with keys */
};

struct call_sdp {
	bool open;                         /* an exchange goes on */
	unsigned offerer;                  /* in it */
	struct media_description *offer;   /* in it; NULL: we offer by ourselves, for new keys */
	struct media_description *answer;  /* in it */
	struct media_description *said[2]; /* agreed: by each side */
	char *text[2];                     /* agreed: what we said to each side; with keys */
	char *next_text[2];                /* in the exchange */
	struct call_sdp_branch *branch;    /* in the exchange */
	unsigned branches;
	struct call_stream *stream; /* one for each m= line that there ever was */
	unsigned streams;
	struct sdp_policy policy[2]; /* without suites: the configuration's */
	uint64_t session_id;         /* of our o= lines, that of side 1 is one more */
	uint64_t version[2];         /* of our last description: rises with each */
};

/* The other party on a side is this trunk: its policy counts. Before an offer of it is taken, or
 * one to its branch is made. NULL: the policy of the configuration. */
void call_sdp_set_trunk(struct call *call, unsigned side, const struct config_trunk *trunk);

/* Reads an offer of `side`'s, chooses a crypto line by our order, makes the relay's key for it; a
 * key and an address that are in force already stay. 0, or the SIP status to refuse with and
 * *phrase (NULL: the usual one): 491 while an exchange is open, whatever stands in the offer. */
int call_sdp_take_offer(
	struct call *call, unsigned side, const char *body, size_t length, const char **phrase);

/* The offer to `side`, for its branch 0 to CALL_BRANCHES_MAX - 1. NULL: out of memory. It lives
 * until the next one for that branch, or the exchange's end. */
const char *call_sdp_make_offer(struct call *call, unsigned side, unsigned branch);

/* Reads the answer of a branch to its offer. 0, or -EINVAL and *phrase: nothing has changed. */
int call_sdp_take_answer(struct call *call, unsigned side, unsigned branch, const char *body,
	size_t length, const char **phrase);

/* Does the open offer say something that the other side has to hear: other codecs, direction,
 * streams? */
bool call_sdp_concerns_other(const struct call *call);

/* The other side's agreed description answers the open offer. 0, or -EINVAL if there is none. */
int call_sdp_answer_alone(struct call *call);

/* Opens an exchange of our own with `side` alone, to give it fresh keys and ask for its (RFC 4568
 * 7.1.4): the offer, from what the other side said last. Then as above: take_answer() of branch 0,
 * apply, commit. NULL: an exchange is open, no leg of that side has a key, or out of memory. */
const char *call_sdp_rekey(struct call *call, unsigned side);

/* The same with the keys that are in force: a session refresh (RFC 4028 7.4). */
const char *call_sdp_repeat(struct call *call, unsigned side);

/* The answer to `side`, which offered. NULL: out of memory. It lives until the next one. */
const char *call_sdp_make_answer(struct call *call, unsigned side);

/* The exchange has ended well: what was said is agreed. */
void call_sdp_commit(struct call *call);

/* The exchange is refused: what was agreed before stands, and the relay is told so where it knows
 * more. 0; or -EKEYREVOKED where the relay has got a new key already, and the old one must not come
 * back (RFC 3711 9.1): the call can't go on. */
int call_sdp_rollback(struct call *call);

/* Room for a stream of each m= line. The sessions' names follow from the call's. 0 or -ENOMEM. */
int call_sdp_grow(struct call *call, unsigned streams);

/* What passes on of a description: all but addresses, protocols and keys; it can be read as one.
 * sdp_body_free(). NULL: out of memory. */
char *call_sdp_outline(const struct media_description *description);

/* Wipes every key. */
void call_sdp_wipe(struct call_sdp *sdp);

#endif
