/* SPDX-License-Identifier: BSD-3-Clause */
/* The file of call records: whole lines only, whatever happens to the file, the disk or us. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/record_file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOON 1800000000 /* some moment */

struct place {
	char folder[64];
	char path[96];
	struct record_file file;
};

static int
setup(void **state)
{
	static struct place place;

	memset(&place, 0, sizeof(place));
	strcpy(place.folder, "/tmp/sallyport-record-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	snprintf(place.path, sizeof(place.path), "%s/calls.jsonl", place.folder);
	place.file = (struct record_file){.path = place.path, .keep = 3, .fd = -1};
	*state = &place;
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	return remove(path);
}

static int
teardown(void **state)
{
	struct place *place = *state;

	record_file_close(&place->file);
	return nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
append(struct place *place, const char *line, time_t now)
{
	assert_int_equal(0, record_file_append(&place->file, line, strlen(line), now));
}

/* The whole text of PATH, or of PATH.suffix; NULL: there is no such file. */
static const char *
text_of(const struct place *place, const char *suffix)
{
	static char text[4096];
	char path[160];

	snprintf(path, sizeof(path), "%s%s", place->path, suffix);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void
test_append(void **state)
{
	struct place *place = *state;
	struct stat facts;

	append(place, "one\n", NOON);
	append(place, "two\n", NOON);
	assert_string_equal("one\ntwo\n", text_of(place, ""));
	assert_int_equal(0, stat(place->path, &facts));
	assert_int_equal(0640 & ~022, facts.st_mode & 0777 & ~022);
	assert_true(record_file_ends_with(&place->file, "one\nt"));
	assert_false(record_file_ends_with(&place->file, "three"));
	/* a second life goes on where the first ended */
	record_file_close(&place->file);
	append(place, "three\n", NOON);
	assert_string_equal("one\ntwo\nthree\n", text_of(place, ""));
}

/* What kill -9 or a lost machine may leave. */
static void
test_half_line(void **state)
{
	struct place *place = *state;
	static const char *const before[] = {"one\ntwo\nthr", "one\ntwo\n", "on", ""};
	static const char *const after[] = {"one\ntwo\nnew\n", "one\ntwo\nnew\n", "new\n", "new\n"};

	for (unsigned i = 0; i < 4; i++) {
		FILE *file = fopen(place->path, "w");
		fputs(before[i], file);
		fclose(file);
		append(place, "new\n", NOON);
		record_file_close(&place->file);
		assert_string_equal(after[i], text_of(place, ""));
	}
}

static void
test_long_half_line(void **state)
{
	struct place *place = *state;
	FILE *file = fopen(place->path, "w");

	fputs("one\n", file);
	for (unsigned i = 0; i < 10000; i++)
		fputc('x', file);
	fclose(file);
	append(place, "two\n", NOON);
	assert_string_equal("one\ntwo\n", text_of(place, ""));
}

static void
test_rotates_by_size(void **state)
{
	struct place *place = *state;
	char line[8];

	place->file.rotate_bytes = 8;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(line, sizeof(line), "%03u\n", i);
		append(place, line, NOON);
	}
	assert_string_equal("008\n009\n", text_of(place, ""));
	assert_string_equal("006\n007\n", text_of(place, ".1"));
	assert_string_equal("002\n003\n", text_of(place, ".3"));
	assert_null(text_of(place, ".4"));
	/* longer than a file may be: it has one of its own */
	append(place, "longer than eight\n", NOON);
	assert_string_equal("longer than eight\n", text_of(place, ""));
}

static void
test_rotates_by_age(void **state)
{
	struct place *place = *state;
	time_t day = NOON - NOON % 86400;

	place->file.rotate_s = 86400;
	append(place, "monday\n", day);
	append(place, "monday evening\n", day + 86399);
	append(place, "tuesday\n", day + 86400);
	assert_string_equal("tuesday\n", text_of(place, ""));
	assert_string_equal("monday\nmonday evening\n", text_of(place, ".1"));
	/* without a call, too; but an empty file is not moved */
	assert_int_equal(0, record_file_look(&place->file, day + 2 * 86400));
	assert_string_equal("", text_of(place, ""));
	assert_string_equal("tuesday\n", text_of(place, ".1"));
	assert_int_equal(0, record_file_look(&place->file, day + 3 * 86400));
	assert_string_equal("tuesday\n", text_of(place, ".1"));
}

static void
test_none_kept(void **state)
{
	struct place *place = *state;

	place->file.keep = 0;
	place->file.rotate_bytes = 8;
	append(place, "1234567\n", NOON);
	append(place, "abcdefg\n", NOON);
	assert_string_equal("abcdefg\n", text_of(place, ""));
	assert_null(text_of(place, ".1"));
}

/* logrotate, or a hand. */
static void
test_moved_by_others(void **state)
{
	struct place *place = *state;
	char path[128];

	append(place, "one\n", NOON);
	snprintf(path, sizeof(path), "%s.old", place->path);
	assert_int_equal(0, rename(place->path, path));
	assert_int_equal(0, record_file_look(&place->file, NOON));
	append(place, "two\n", NOON);
	assert_string_equal("two\n", text_of(place, ""));
	assert_string_equal("one\n", text_of(place, ".old"));
}

static void
test_no_link_is_followed(void **state)
{
	struct place *place = *state;

	assert_int_equal(0, symlink("/dev/null", place->path));
	assert_int_equal(-ELOOP, record_file_open(&place->file));
	assert_int_equal(-ELOOP, record_file_append(&place->file, "x\n", 2, NOON));
}

static void
test_disk_full(void **state)
{
	struct place *place = *state;
	static char line[3001];
	unsigned whole = 0;
	struct stat facts;
	int result;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) != 0 ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", place->folder, "tmpfs", 0, "size=32k") != 0)
		skip();
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 2] = '\n';
	while ((result = record_file_append(&place->file, line, sizeof(line) - 1, NOON)) == 0)
		whole++;
	assert_int_equal(-ENOSPC, result);
	assert_int_equal(0, stat(place->path, &facts));
	assert_int_equal(whole * (sizeof(line) - 1), facts.st_size);
	/* there is room again, in a new file */
	place->file.rotate_bytes = 1;
	place->file.keep = 0;
	append(place, line, NOON);
	record_file_close(&place->file);
	assert_int_equal(0, umount(place->folder));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_append, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_half_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotates_by_size, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotates_by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_by_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_link_is_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disk_full, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
