/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls outlive this process (sip.dialogs): what is needed to go on with one lies in a journal, by
 * which the next start finds it. Keys are not in it: the relay has them (RELAY_OP_EXPORT).
 *
 * A change is written when the event loop has turned once more, all of a turn in their order; each
 * line is with the kernel then, so that the end of this process loses none. A file that can't be
 * written loses nothing but that: it is logged, and the calls that it does not have end with this
 * process. Event-loop thread alone. */
#ifndef CONTROL_CALL_STORE_H
#define CONTROL_CALL_STORE_H

#include <stdbool.h>

struct b2bua;
struct call;
struct call_store;
struct journal;
struct journal_entry;

/* What the store has of a call. */
struct call_stored {
	struct journal_entry *entry; /* NULL: nothing */
	struct call *next;           /* that waits to be written */
	bool waiting;
	unsigned streams; /* while it is set up: sessions that it may have at the relay */
};

/* Opens sip.dialogs, as the user that this process is now; *out is NULL where the configuration
 * wants none, or it can't be opened, which is logged. 0, or -ENOMEM. */
int call_store_open(struct b2bua *b2bua, struct call_store **out);
/* Writes what waits. */
void call_store_close(struct call_store *store);

/* For call_resume.c: what an earlier life left. */
struct journal *call_store_journal(struct call_store *store);

/* Something of the call is new: it is written, if it is up. */
void call_changed(struct call *call);
/* It is set up, with so many streams, each of which may have a session at the relay. */
void call_store_setup(struct call *call, unsigned streams);
/* It has ended. */
void call_store_over(struct call *call);

#endif
