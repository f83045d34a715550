/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of calls that outlive a restart: cut anywhere, damaged anywhere, or full, it gives each
 * call as it was written, or not at all. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/call_line.h"
#include "control/journal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALLS 3

static char folder[64], path[96];

static int
setup(void **state)
{
	strcpy(folder, "/tmp/sallyport-calls-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/dialogs.log", folder);
	return 0;
}

static int
teardown(void **state)
{
	unlink(path);
	return rmdir(folder);
}

static char *
line_of(unsigned number)
{
	char id[33];

	snprintf(id, sizeof(id), "%032x", number);
	return call_line_make(id, json_pack("{s:i,s:s,s:[i,i]}", "number", (int)number, "name",
					  "alice \"q\" \\", "seq", (int)number * 7, 1));
}

/* Writes the calls, and a fourth that is set up still. Returns the file's bytes. */
static size_t
write_calls(char *bytes, size_t room)
{
	struct journal *journal;
	struct journal_entry *entry[CALLS + 1] = {NULL};

	unlink(path);
	assert_int_equal(0, journal_open(path, 0600, &journal));
	for (unsigned i = 0; i <= CALLS; i++) {
		char *line = i < CALLS
		                     ? line_of(i + 1)
		                     : call_line_make_setup("00000000000000000000000000000009", 2);
		char id[33];
		snprintf(id, sizeof(id), "%032x", i < CALLS ? i + 1 : 9);
		assert_non_null(line);
		assert_int_equal(0, journal_put(journal, &entry[i], id, line));
		free(line);
	}
	journal_close(journal);
	FILE *file = fopen(path, "r");
	size_t length = fread(bytes, 1, room, file);
	fclose(file);
	return length;
}

/* What the file gives now: how many whole calls, each of which must be one of ours. */
static unsigned
read_calls(unsigned *setups)
{
	struct journal *journal;
	json_t *line;
	unsigned whole = 0, streams;

	*setups = 0;
	assert_int_equal(0, journal_open(path, 0600, &journal));
	while (journal_take(journal, NULL, &line) != NULL) {
		const json_t *call = call_line_read(line, &streams);
		if (call != NULL) {
			json_int_t number = json_integer_value(json_object_get(call, "number"));
			json_t *seq = json_array_get(json_object_get(call, "seq"), 0);
			assert_in_range(number, 1, CALLS);
			assert_int_equal(number * 7, json_integer_value(seq));
			assert_string_equal(
				"alice \"q\" \\", json_string_value(json_object_get(call, "name")));
			whole++;
		}
		*setups += streams == 2;
		json_decref(line);
	}
	journal_close(journal);
	return whole;
}

static void
put_back(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(length, fwrite(bytes, 1, length, file));
	fclose(file);
}

static void
as_it_was(void **state)
{
	static char bytes[4096];
	struct stat file;
	unsigned setups;

	write_calls(bytes, sizeof(bytes));
	assert_int_equal(CALLS, read_calls(&setups));
	assert_int_equal(1, setups);
	assert_int_equal(0, stat(path, &file));
	assert_int_equal(0600, file.st_mode & 0777);
}

static void
cut_at_each_byte(void **state)
{
	static char bytes[4096];
	size_t length = write_calls(bytes, sizeof(bytes));
	unsigned setups;

	for (size_t cut = 0; cut <= length; cut++) {
		unsigned lines = 0;
		for (size_t i = 0; i < cut; i++)
			lines += bytes[i] == '\n';
		put_back(bytes, cut);
		assert_int_equal(lines < CALLS ? lines : CALLS, read_calls(&setups));
	}
}

/* A flipped bit costs one call, or two where the line's end is gone; none is read as another. */
static void
damaged_at_each_byte(void **state)
{
	static char bytes[4096];
	size_t length = write_calls(bytes, sizeof(bytes));
	unsigned setups;

	for (size_t at = 0; at < length; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			bytes[at] ^= (char)(1 << bit);
			put_back(bytes, length);
			assert_in_range(read_calls(&setups), CALLS - 2, CALLS);
			bytes[at] ^= (char)(1 << bit);
		}
}

static void
full_disk(void **state)
{
	static char bytes[4096];
	size_t length = write_calls(bytes, sizeof(bytes));
	struct rlimit before, limit;
	struct journal *journal;
	struct journal_entry *entry = NULL;
	char *line = line_of(2);
	unsigned setups;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = length + 10;
	assert_int_equal(0, journal_open(path, 0600, &journal));
	setrlimit(RLIMIT_FSIZE, &limit);
	int result = journal_put(journal, &entry, "00000000000000000000000000000002", line);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_not_equal(0, result);
	journal_close(journal);
	free(line);
	assert_int_equal(CALLS, read_calls(&setups));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(cut_at_each_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_at_each_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
