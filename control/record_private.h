/* SPDX-License-Identifier: BSD-3-Clause */
/* Between record.c, which knows what a record says, and records.c, which writes it down. */
#ifndef CONTROL_RECORD_PRIVATE_H
#define CONTROL_RECORD_PRIVATE_H

#include "record.h"
#include "record_journal.h"

#include <jansson.h>
#include <time.h>

#define RECORD_TIME_SIZE 32 /* bytes of "2026-01-31T12:00:00.000Z" and its NUL */

/* ISO 8601, UTC. Returns text. */
const char *record_time(const struct timespec *at, char text[RECORD_TIME_SIZE]);

/* The journal has this of the call from now on. Takes over `record`. */
void records_note(struct records *records, struct record_journal_entry **entry, const char *id,
	json_t *record);

/* The last word of a call: it is written, or waits in memory. Takes over `record` and the entry. */
void records_write(struct records *records, struct record_journal_entry *entry, json_t *record);

#endif
