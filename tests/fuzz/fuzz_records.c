/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the journal and the file of call records that an earlier life left: whole lines of
 * the file stay as they are, behind them comes a record of each call that the journal has, as one
 * line of JSON; and the next life finds nothing left to write. The input: the journal, a NUL, the
 * file. */
#include "control/record_private.h"
#include "control/records.h"
#include "fuzz.h"
#include "relay/log.h"

#include <jansson.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_wait.h>

#define RESUMED "0123456789abcdef0123456789abcdef"

static const char *journal, *file;
static su_root_t *root;
static struct config_records config;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	file = fuzz_path("cdr");
	journal = fuzz_path("cdr.journal");
	fuzz_path("cdr.journal.new");
	config.path = (char *)(uintptr_t)file;
	su_init();
	root = su_root_create(NULL);
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static char *
read_file(size_t *length)
{
	struct stat facts;
	FILE *in = fopen(file, "re");

	demand(in != NULL && fstat(fileno(in), &facts) == 0, "the file is gone");
	char *text = malloc((size_t)facts.st_size + 1);
	demand(text != NULL, "out of memory");
	*length = fread(text, 1, (size_t)facts.st_size, in);
	text[*length] = '\0';
	fclose(in);
	return text;
}

static void
live(bool resume)
{
	static const struct timespec start = {1700000000, 5000000};
	struct records *records;
	char error[256];

	demand(records_open(root, &config, &records, error, sizeof(error)) == 0, error);
	if (resume) {
		struct call_record *record = record_resume(records, RESUMED, &start);
		demand(record != NULL, "out of memory");
		record_answered(record);
		record_cause(record, RECORD_END_CALLER, "bye", 200, NULL);
		record_end(record);
	}
	records_settle(records);
	records_close(records);
}

/* One line, one call, and all that a record has. */
static bool
check_line(const char *line, size_t length)
{
	static const char *const keys[] = {
		"start", "answer", "end", "from", "to", "legs", "media", "transfers", "duration_s"};
	json_t *record = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const char *id = json_string_value(json_object_get(record, "id"));
	bool resumed = id != NULL && strcmp(id, RESUMED) == 0;

	demand(id != NULL, "a record that is none");
	for (size_t i = 0; resumed && i < sizeof(keys) / sizeof(keys[0]); i++)
		demand(json_object_get(record, keys[i]) != NULL, "a record that is not whole");
	json_decref(record);
	return resumed;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, '\0', size) : NULL;
	size_t split = nul != NULL ? (size_t)(nul - data) : size, length, again, kept = 0;
	bool resumed = false;

	fuzz_write(journal, data, split);
	fuzz_write(file, data + split, size - split);
	if (size > split) {
		const uint8_t *last = memrchr(data + split, '\n', size - split);
		kept = last != NULL ? (size_t)(last + 1 - (data + split)) : 0;
	}
	live(true);
	char *text = read_file(&length);
	demand(length > kept && memcmp(text, data + split, kept) == 0, "what was there is not");
	demand(text[length - 1] == '\n', "the last line has no end");
	for (char *line = text + kept, *end; line < text + length; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + length - line));
		resumed |= check_line(line, (size_t)(end - line));
	}
	demand(resumed, "a call that has ended has no record");
	live(false);
	char *later = read_file(&again);
	demand(again == length && memcmp(text, later, length) == 0, "a call is told of twice");
	free(later);
	free(text);
	return 0;
}
