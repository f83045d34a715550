/* SPDX-License-Identifier: BSD-3-Clause */
/* Between record.c, which knows what a record says, and records.c, which writes it down. */
#ifndef CONTROL_RECORD_PRIVATE_H
#define CONTROL_RECORD_PRIVATE_H

#include "journal.h"
#include "record.h"

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

#define RECORD_TIME_SIZE 32 /* bytes of "2026-01-31T12:00:00.000Z" and its NUL */

struct record_leg {
	char *uri;
	char *user;
	char *trunk;
	char *call_id;
	char peer[RELAY_ADDR_TEXT];
	char *tls; /* "TLSv1.3" */
	char *cipher;
};

struct call_record {
	struct records *records;
	struct journal_entry *entry; /* NULL: not in the journal yet */
	char id[RELAY_ID_SIZE];
	struct timespec start; /* wall clock, for people */
	struct timespec answer;
	uint64_t start_ms; /* monotonic, for durations */
	uint64_t answer_ms;
	struct timespec end; /* when it got its cause */
	uint64_t end_ms;
	struct record_leg leg[2];
	json_t *streams;   /* NULL: none has ended */
	json_t *transfers; /* NULL: none */
	bool caused;
	enum record_end who;
	const char *cause;
	int status;
	char *reason;
};

uint64_t record_now_ms(void); /* monotonic */

/* Takes a text that others wrote: bounded, and as JSON wants it. NULL: leaves the field. */
void record_set_text(char **field, const char *text);

/* What an earlier life's journal has of that call: the caller's from now on. NULL: nothing. */
struct journal_entry *records_take(struct records *records, const char *id, json_t **record);

/* ISO 8601, UTC. Returns text. */
const char *record_time(const struct timespec *at, char text[RECORD_TIME_SIZE]);

/* The journal has this of the call from now on. Takes over `record`. */
void
records_note(struct records *records, struct journal_entry **entry, const char *id, json_t *record);

/* The last word of a call: it is written, or waits in memory. Takes over `record` and the entry. */
void records_write(struct records *records, struct journal_entry *entry, json_t *record);

#endif
