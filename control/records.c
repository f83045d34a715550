/* SPDX-License-Identifier: BSD-3-Clause */
#include "records.h"

#include "counters.h"
#include "record_file.h"
#include "record_private.h"
#include "record_sync.h"
#include "relay/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICK_MS 1000
#define WAITING_MAX 20000 /* records in memory, while the file takes none */
#define WAITING_BYTES_MAX (32 * 1024 * 1024)

/* A record that the file did not take. */
struct waiting {
	struct waiting *next;
	struct journal_entry *entry;
	size_t length;
	char line[]; /* with its newline and a NUL */
};

struct records {
	su_timer_t *timer;
	struct record_file file;
	struct journal *journal;
	struct record_sync *sync;
	bool unsynced;
	struct waiting *first, **last;
	unsigned waiting;
	size_t waiting_bytes;
	uint64_t lost;        /* there was no room to wait */
	uint64_t lost_logged; /* of those, when it was last said */
	bool failing;         /* it has been said that the file takes none */
	bool journal_failing;
};

/* JSON with a newline: NULL without memory. */
static char *
make_line(json_t *record)
{
	char *text = json_dumps(record, JSON_COMPACT | JSON_REAL_PRECISION(9)), *line = NULL;

	json_decref(record);
	if (text == NULL || asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	free(text);
	return line;
}

static void
note_journal(struct records *records, int result)
{
	if (result != 0 && !records->journal_failing)
		log_error("sip.records: the journal beside %s can't be written (%s): a crash would "
			  "lose the records of calls that are up now",
			records->file.path, strerror(-result));
	else if (result == 0 && records->journal_failing)
		log_info("sip.records: the journal is written again");
	records->journal_failing = result != 0;
	records->unsynced = true;
}

void
records_note(struct records *records, struct journal_entry **entry, const char *id, json_t *record)
{
	char *line = make_line(record);

	note_journal(
		records, line != NULL ? journal_put(records->journal, entry, id, line) : -ENOMEM);
	free(line);
}

static int
append(struct records *records, const char *line, size_t length)
{
	int result = record_file_append(&records->file, line, length, time(NULL));

	if (result == 0) {
		counters_add(COUNTER_RECORDS_WRITTEN);
		records->unsynced = true;
		return 0;
	}
	counters_add(COUNTER_RECORDS_RETRIED);
	if (!records->failing)
		log_error("sip.records: %s can't be written: %s: records wait in memory, at most "
			  "%u",
			records->file.path, strerror(-result), WAITING_MAX);
	records->failing = true;
	return result;
}

static void
wait_in_memory(
	struct records *records, struct journal_entry *entry, const char *line, size_t length)
{
	struct waiting *waiting = NULL;

	if (records->waiting < WAITING_MAX && records->waiting_bytes + length < WAITING_BYTES_MAX)
		waiting = malloc(sizeof(*waiting) + length + 1);
	if (waiting == NULL) {
		counters_add(COUNTER_RECORDS_LOST);
		records->lost++;
		journal_over(records->journal, entry);
		return;
	}
	*waiting = (struct waiting){.entry = entry, .length = length};
	memcpy(waiting->line, line, length + 1);
	*records->last = waiting;
	records->last = &waiting->next;
	records->waiting++;
	records->waiting_bytes += length;
}

void
records_write(struct records *records, struct journal_entry *entry, json_t *record)
{
	char *line = make_line(record);

	if (line == NULL) {
		counters_add(COUNTER_RECORDS_LOST);
		records->lost++;
		journal_over(records->journal, entry);
		return;
	}
	size_t length = strlen(line);
	/* in order: none overtakes those that wait */
	if (records->first == NULL && append(records, line, length) == 0)
		journal_over(records->journal, entry);
	else
		wait_in_memory(records, entry, line, length);
	free(line);
}

static void
write_waiting(struct records *records)
{
	unsigned written = 0;

	while (records->first != NULL) {
		struct waiting *at = records->first;
		if (append(records, at->line, at->length) != 0)
			return;
		journal_over(records->journal, at->entry);
		records->first = at->next;
		if (records->first == NULL)
			records->last = &records->first;
		records->waiting--;
		records->waiting_bytes -= at->length;
		written++;
		free(at);
	}
	if (records->failing)
		log_info("sip.records: %s is written again: %u record(s) had waited, %lu are lost",
			records->file.path, written, (unsigned long)records->lost);
	records->failing = false;
	records->lost_logged = records->lost;
}

static void
on_tick(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct records *records = (struct records *)arg;

	record_file_look(&records->file, time(NULL));
	if (records->failing)
		write_waiting(records);
	if (records->lost != records->lost_logged) {
		log_error("sip.records: %lu call record(s) are lost: no room in memory",
			(unsigned long)(records->lost - records->lost_logged));
		records->lost_logged = records->lost;
	}
	if (records->unsynced &&
		record_sync_ask(records->sync, records->file.fd, journal_fd(records->journal)))
		records->unsynced = false;
}

/* The record of a call that was up when an earlier life of this process ended. When that was nobody
 * knows. */
static void
write_found(struct records *records, struct journal_entry *entry, json_t *record)
{
	const char *id = json_string_value(json_object_get(record, "id"));
	struct timespec now;
	char text[RECORD_TIME_SIZE], mark[128];

	snprintf(mark, sizeof(mark), "{\"id\":\"%s\"", id);
	/* it ended between the record and the journal's note of it */
	if (record_file_ends_with(&records->file, mark)) {
		journal_over(records->journal, entry);
		json_decref(record);
		return;
	}
	if (json_is_null(json_object_get(record, "end"))) {
		clock_gettime(CLOCK_REALTIME, &now);
		json_object_set_new(record, "found", json_string(record_time(&now, text)));
		json_object_set_new(
			record, "cause", json_string("sallyport-sip ended unexpectedly"));
	}
	records_write(records, entry, record);
}

struct journal_entry *
records_take(struct records *records, const char *id, json_t **record)
{
	return journal_take(records->journal, id, record);
}

void
records_settle(struct records *records)
{
	struct journal_entry *entry;
	json_t *record;
	unsigned count = 0;

	if (records == NULL)
		return;
	while ((entry = journal_take(records->journal, NULL, &record)) != NULL) {
		write_found(records, entry, record);
		count++;
	}
	if (count > 0)
		log_warning("sip.records: sallyport-sip ended unexpectedly before, with %u call(s) "
			    "in the journal: their records are in %s",
			count, records->file.path);
}

static int
open_journal(struct records *records, char *error, size_t error_size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s.journal", records->file.path);
	int result = journal_open(path, 0640, &records->journal);
	if (result != 0)
		snprintf(error, error_size, "sip.records.path: %s can't be opened: %s", path,
			result == -EBUSY ? "another sallyport-sip has it" : strerror(-result));
	return result;
}

static int
open_all(struct records *records, su_root_t *root, char *error, size_t error_size)
{
	int result = open_journal(records, error, error_size);

	if (result != 0)
		return result;
	result = record_file_open(&records->file);
	if (result != 0 && result != -ENOSPC && result != -EDQUOT) {
		snprintf(error, error_size, "sip.records.path: %s can't be written: %s",
			records->file.path, strerror(-result));
		return result;
	}
	snprintf(error, error_size, "out of memory");
	records->sync = record_sync_create();
	records->timer = su_timer_create(su_root_task(root), TICK_MS);
	if (records->sync == NULL || records->timer == NULL ||
		su_timer_set_for_ever(records->timer, on_tick, (su_timer_arg_t *)records) != 0)
		return -ENOMEM;
	return 0;
}

void
records_configure(struct records *records, const struct config_records *config)
{
	if (records == NULL)
		return;
	records->file.path = config->path;
	records->file.rotate_bytes = (uint64_t)config->rotate_mb * 1024 * 1024;
	records->file.rotate_s = config->rotate_hours * 3600;
	records->file.keep = config->keep;
}

int
records_open(su_root_t *root, const struct config_records *config, struct records **out,
	char *error, size_t error_size)
{
	*out = NULL;
	if (config->path == NULL)
		return 0;
	struct records *records = calloc(1, sizeof(*records));
	if (records == NULL) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	records->last = &records->first;
	records->file.fd = -1;
	records_configure(records, config);
	int result = open_all(records, root, error, error_size);
	if (result != 0) {
		records_close(records);
		return result;
	}
	*out = records;
	return 0;
}

void
records_close(struct records *records)
{
	if (records == NULL)
		return;
	su_timer_destroy(records->timer);
	if (records->failing)
		write_waiting(records);
	/* what waits still is in the journal, if that had room for it */
	while (records->first != NULL) {
		struct waiting *at = records->first;
		records->first = at->next;
		free(at);
	}
	if (records->sync != NULL && records->journal != NULL)
		record_sync_ask(records->sync, records->file.fd, journal_fd(records->journal));
	record_sync_destroy(records->sync);
	journal_close(records->journal);
	record_file_close(&records->file);
	free(records);
}
