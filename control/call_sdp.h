/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's session descriptions and keys: what each side said, and what the relay says to it. */
#ifndef CONTROL_CALL_SDP_H
#define CONTROL_CALL_SDP_H

#include "relay/api.h"
#include "relay/config.h"
#include "sdes.h"
#include "sdp_media.h"

#include <stdbool.h>

struct call;

/* What the relay needs to know of a side. */
struct call_sdp_side {
	struct relay_addr remote_rtp;
	struct relay_addr remote_rtcp; /* family 0: not given */
	bool rtcp_mux;
	struct relay_crypto receive;  /* the phone's key */
	struct relay_crypto transmit; /* the relay's, of the chosen line */
	uint32_t tag;                 /* of the chosen line */
	struct relay_addr local_rtp;  /* the relay's */
	char *said;                   /* what we said to it last: a body with our keys */
};

struct call_sdp {
	struct media_description *offer;  /* of the caller */
	struct media_description *answer; /* of the callee */
	struct call_sdp_side side[2];
	struct sdes_line ours[RELAY_SUITE_COUNT]; /* the lines that we offer to the callee */
	unsigned ours_count;
	uint64_t session_id; /* of our o= lines */
};

/* Reads the caller's offer, chooses a crypto line by our order, makes the relay's key for it.
 * 0, or the SIP status to refuse with, and *phrase. */
int call_sdp_read_offer(struct call *call, const char *body, size_t length, const char **phrase);

/* The offer to the callee, with fresh keys: side[1].said. NULL: out of memory. */
const char *call_sdp_make_offer(struct call *call);

/* Reads the callee's answer: the first, in a 18x or 200, or one that repeats or changes it. 0 and
 * *mask, the RELAY_UPDATE_* of what the relay does not know yet; or -EINVAL and *phrase. */
int call_sdp_read_answer(
	struct call *call, const char *body, size_t length, unsigned *mask, const char **phrase);

/* The answer to the caller: side[0].said. NULL: out of memory. */
const char *call_sdp_make_answer(struct call *call);

/* Does a re-INVITE's body say what `side` said before: same address, same key? */
bool call_sdp_is_refresh(const struct call *call, unsigned side, const char *body, size_t length);

/* Wipes every key. */
void call_sdp_wipe(struct call_sdp *sdp);

#endif
