/* SPDX-License-Identifier: BSD-3-Clause */
/* A journal of the calls that are up: a file of lines, appended to when what is noted of a call
 * changes and when it is over; after a crash it says which calls there were. Records have one
 * (records.c), dialogs another (call_store.c). One thread uses it.
 *
 *	{"id":"ID",...}   the call as it stands; the last one of an id counts
 *	{"over":"ID"}     it is over
 *
 * Each line is handed to the kernel at once, so that the end of this process loses none; the owner
 * decides when the disk has to have them. The file is written anew, with the calls that are up
 * alone, once it has grown. */
#ifndef CONTROL_JOURNAL_H
#define CONTROL_JOURNAL_H

#include <jansson.h>
#include <stddef.h>
#include <sys/types.h>

struct journal;
struct journal_entry; /* a call in it */

/* Opens or makes the file (with that mode), which belongs to this process alone (-EBUSY: another
 * has it). Calls that it holds are entries now: journal_take() gives them out. A line that can't be
 * read is passed over, and the last one if it is not whole. 0, or -errno. */
int journal_open(const char *path, mode_t mode, struct journal **out);
void journal_close(struct journal *journal); /* with all of its entries */

/* A call that an earlier life left: of that id, or any for NULL. Its line is the caller's. NULL: no
 * such one, or no more. */
struct journal_entry *journal_take(struct journal *journal, const char *id, json_t **line);

/* Notes a call's line (which ends with a newline; copied). *entry is NULL for a new call. 0, or
 * -errno: the file does not have it, but the next time that it is written anew. */
int journal_put(
	struct journal *journal, struct journal_entry **entry, const char *id, const char *line);

/* The call is over: the entry is gone. NULL is allowed. */
void journal_over(struct journal *journal, struct journal_entry *entry);

/* For fdatasync(). */
int journal_fd(const struct journal *journal);

#endif
