/* SPDX-License-Identifier: BSD-3-Clause */
/* One media stream in an exchange of offer and answer: which keys, addresses and flags its legs are
 * to have. For call_sdp.c alone. */
#ifndef CONTROL_CALL_STREAM_H
#define CONTROL_CALL_STREAM_H

#include "call_sdp.h"

bool call_stream_is_used(const struct call_leg leg[2]);

/* The offerer's leg, by what it said: a key that is in force already stays, and so does ours; a new
 * address needs new keys of both (RFC 4568 7.1.4). OK, or what is wrong. */
enum sdp_verdict call_stream_take_offer(struct call_stream *stream, unsigned side,
	const struct sdp_stream *said, const struct sdp_policy *policy);

/* What `side` is offered, its keys included: fresh ones where none is in force, or if `fresh`.
 * `offerer` is the other side's leg. 0, or -EIO without randomness. */
int call_stream_make_line(const struct call_leg *agreed, const struct call_leg *offerer,
	const struct sdp_policy *policy, bool fresh, struct call_line *line);

/* Does the answer fit what was offered? OK and *accepted (which of line->ours), or why not and, of
 * crypto, *crypto. */
enum sdp_verdict call_stream_check_answer(const struct call_line *line,
	const struct sdp_stream *said, unsigned *accepted, enum sdes_verdict *crypto);

/* The answerer's leg, of an answer that fits; one that rejects the stream leaves no transport. */
void call_stream_take_answer(struct call_stream *stream, unsigned side,
	const struct call_line *line, const struct sdp_stream *said, unsigned accepted);

#endif
