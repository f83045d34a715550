/* SPDX-License-Identifier: BSD-3-Clause */
/* A call's sessions at the relay, one for each media stream. Event-loop thread alone. */
#ifndef CONTROL_CALL_MEDIA_H
#define CONTROL_CALL_MEDIA_H

#include "relay/api.h"

#include <stdbool.h>

struct call;
struct call_stream;

/* The relay has done all of a request: status 0; or nothing of it: the SIP status that says why
 * (488: an address that media may not be sent to; 503: no ports, no relay). The reason is in the
 * log. Not called for a call that has ended meanwhile. */
typedef void call_media_cb(struct call *call, int status);

/* Reserves ports, on both sides, for the streams of the open offer that have none, and tells the
 * offerer's key and address where the call is new. `done` may be called at once, where there is
 * nothing to do. 0, or -errno without a relay. */
int call_media_open(struct call *call, call_media_cb *done);

/* In place of the sessions that there are, new ones with the same keys, where side 1's peer now is:
 * only while nothing has been sent under those keys, nor a port been told to the caller. Otherwise
 * as above; where it fails, the call has no session. */
int call_media_move(struct call *call, call_media_cb *done);

/* Tells the relay what of the exchange it does not know yet. Each key is told once: told again, it
 * would start anew with ROC 0. In a call that is up, addresses are told first: one that is refused
 * has changed no key, and call_sdp_rollback() takes the others back. Otherwise as above. */
int call_media_apply(struct call *call, call_media_cb *done);

/* Does the relay know all of the exchange? Then call_media_apply() has nothing to do. */
bool call_media_is_told(const struct call *call);

/* Ends the sessions, and writes the call's record when their last counters are there. */
void call_media_delete(struct call *call);

/* Ends the sessions of streams that are not in use (any more) by what is agreed. */
void call_media_drop_unused(struct call *call);

/* The relay has ended the session of that name: how many does the call have left? */
unsigned call_media_lost(struct call *call, const char *id);

/* The relay found a leg's far end elsewhere. */
void call_media_latched(struct call *call, const struct relay_event *event);

/* Where a phone at that address gets its media from: a number that is equal for equal places. All
 * branches that are called at once share their side's ports, so they must be of one place. */
unsigned call_media_place(const struct call *call, const struct relay_ip *peer);

/* For call_media.c alone. Fills in what the open exchange says of a leg; ports alone while the side
 * has said nothing. */
void call_media_fill_leg(const struct call *call, const struct call_stream *stream, unsigned side,
	struct relay_leg_spec *spec);

/* Sums of a call's streams. */
struct call_totals {
	unsigned streams;
	bool known; /* the relay told the counters of one at least */
	struct {
		unsigned suite;
		uint64_t in;
		uint64_t out;
		uint64_t dropped;
	} leg[2];
};

/* call_record.c: a stream has ended, with these counters (NULL: not known): to the record, and
 * added to the totals. */
void call_record_stream(const struct call *call, unsigned index,
	const struct relay_session *session, struct call_totals *totals);

/* The line of the log at the call's end. */
void call_record_log(const struct call *call, const struct call_totals *totals);

#endif
