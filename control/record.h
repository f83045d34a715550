/* SPDX-License-Identifier: BSD-3-Clause */
/* Call records: one line of JSON a call in a file of its own (sip.records), never with a key.
 *
 * A record begins with the call, is filled as the call goes on, and is written at its end. What is
 * known of a call that is up lies in a journal beside the file: after a crash the next start writes
 * the record of each call that it finds there.
 *
 * Event-loop thread alone. No function here fails: where a record can't be written it waits in
 * memory, bounded, and is counted and logged. All of them take a NULL record, which is what
 * record_begin() gives while records are off. Texts are copied. */
#ifndef CONTROL_RECORD_H
#define CONTROL_RECORD_H

#include "party.h"
#include "relay/api.h"

#include <sofia-sip/tport.h>
#include <time.h>

struct records;
struct call_record;

/* Who ended a call. */
enum record_end {
	RECORD_END_US, /* no answer, lost media, a fault */
	RECORD_END_CALLER,
	RECORD_END_CALLEE,
};

/* The call begins now. `id` is ours: RELAY_ID_SIZE with its NUL at most. */
struct call_record *record_begin(struct records *records, const char *id);

/* The call goes on that an earlier life of this process had (call_resume.c): its record, as the
 * journal has it; else a new one, begun at `start`. Before records_settle(). */
struct call_record *
record_resume(struct records *records, const char *id, const struct timespec *start);

/* This process ends, and the call does not: its line in the journal is for the next one. Frees. */
void record_leave(struct call_record *record);

/* Who is on a side (0 the caller, 1 the callee): the URI of From or of the request; and, if known,
 * the user that digest has proved, or the trunk's name. NULL: not known (yet); what is NULL leaves
 * what was said before. */
void record_party(struct call_record *record, unsigned side, const char *uri, const char *user,
	const char *trunk);

/* A side's dialog and the connection that it runs over: its far address and its TLS. NULL: leaves
 * what was said before. */
void
record_leg(struct call_record *record, unsigned side, const char *call_id, tport_t *connection);

/* The call goes on: it is in the journal from now on. */
void record_started(struct call_record *record);

/* The callee has answered, now. Once. */
void record_answered(struct call_record *record);

/* Somebody else is on a side from now on: `kind` "blind", "attended" (REFER) or "replaced" (INVITE
 * with Replaces), by whom, to whom, and the Call-ID of the new dialog (NULL: not known). */
void record_transfer(struct call_record *record, const char *kind, unsigned side,
	const struct party *by, const struct party *to, const char *call_id);

/* A media stream of the call has ended: "audio", the codecs in order that each side said
 * ("PCMU/8000, telephone-event/8000"; NULL: it said nothing), and the relay's last word on its
 * session; NULL: the relay has gone. */
void record_stream(struct call_record *record, const char *kind, const char *const codecs[2],
	const struct relay_session *session);

/* Why it ended. `status` is the SIP status that the caller's INVITE got, 0: none; `reason` the
 * Reason header's value (RFC 3326) that came with a BYE or CANCEL, NULL: none. The first counts. */
void record_cause(struct call_record *record, enum record_end who, const char *cause, int status,
	const char *reason);

/* The call is over: writes the record, and frees it. */
void record_end(struct call_record *record);

#endif
