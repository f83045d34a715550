/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal of the calls that are up: a file of lines, appended to when a call's record changes
 * and when it has been written; after a crash it says which calls there were. One thread uses it.
 *
 *	{"id":"ID",...}   the record as it stands; the last one of an id counts
 *	{"over":"ID"}     its record is in the file
 *
 * Each line is handed to the kernel at once, so that the end of this process loses none; the owner
 * decides when the disk has to have them. The file is written anew, with the calls that are up
 * alone, once it has grown. */
#ifndef CONTROL_RECORD_JOURNAL_H
#define CONTROL_RECORD_JOURNAL_H

#include <jansson.h>
#include <stddef.h>

struct record_journal;
struct record_journal_entry; /* a call in it */

/* Opens or makes the file, which belongs to this process alone (-EBUSY: another has it). Calls that
 * it holds are entries now: record_journal_take() gives them out. 0, or -errno. */
int record_journal_open(const char *path, struct record_journal **out);
void record_journal_close(struct record_journal *journal); /* with all of its entries */

/* One of the calls that an earlier life left, its record owned by the caller; NULL: no more. */
struct record_journal_entry *record_journal_take(struct record_journal *journal, json_t **record);

/* Notes a call's line (which ends with a newline; copied). *entry is NULL for a new call. 0, or
 * -errno: the file does not have it, but the next time that it is written anew. */
int record_journal_put(struct record_journal *journal, struct record_journal_entry **entry,
	const char *id, const char *line);

/* The call's record is in its file: the entry is gone. NULL is allowed. */
void record_journal_over(struct record_journal *journal, struct record_journal_entry *entry);

/* For fdatasync(). */
int record_journal_fd(const struct record_journal *journal);

#endif
