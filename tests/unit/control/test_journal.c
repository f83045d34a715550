/* SPDX-License-Identifier: BSD-3-Clause */
/* The journal of calls: what a life that ended in the middle leaves, the next one finds. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
	char folder[64];
	char path[96];
	struct journal *journal;
};

static int
setup(void **state)
{
	static struct place place;

	memset(&place, 0, sizeof(place));
	strcpy(place.folder, "/tmp/sallyport-journal-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	snprintf(place.path, sizeof(place.path), "%s/journal", place.folder);
	if (journal_open(place.path, 0640, &place.journal) != 0)
		return -1;
	*state = &place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;

	journal_close(place->journal);
	unlink(place->path);
	return rmdir(place->folder); /* and nothing else is in it */
}

static struct journal_entry *
put(struct place *place, struct journal_entry *entry, const char *id, const char *what)
{
	char line[256];

	snprintf(line, sizeof(line), "{\"id\":\"%s\",\"what\":\"%s\"}\n", id, what);
	assert_int_equal(0, journal_put(place->journal, &entry, id, line));
	assert_non_null(entry);
	return entry;
}

/* The end of a life, without a goodbye: closing writes nothing. */
static void
begin_anew(struct place *place)
{
	journal_close(place->journal);
	place->journal = NULL;
	assert_int_equal(0, journal_open(place->path, 0640, &place->journal));
}

/* What is found of this call; "" if it is not the next, "-" if there is no more. */
static void
assert_found(struct place *place, const char *id, const char *what, struct journal_entry **entry)
{
	json_t *record = NULL;

	*entry = journal_take(place->journal, NULL, &record);
	if (id == NULL) {
		assert_null(*entry);
		return;
	}
	assert_non_null(*entry);
	assert_string_equal(id, json_string_value(json_object_get(record, "id")));
	assert_string_equal(what, json_string_value(json_object_get(record, "what")));
	json_decref(record);
}

static void
test_up_calls_are_found(void **state)
{
	struct place *place = *state;
	struct journal_entry *a = put(place, NULL, "a", "rings");
	struct journal_entry *b = put(place, NULL, "b", "rings");

	put(place, b, "b", "answered");
	journal_over(place->journal, a);
	begin_anew(place);
	assert_found(place, "b", "answered", &b);
	assert_found(place, NULL, NULL, &a);
	/* its record could not be written in this life either */
	begin_anew(place);
	assert_found(place, "b", "answered", &b);
	journal_over(place->journal, b);
	begin_anew(place);
	assert_found(place, NULL, NULL, &a);
}

static void
test_half_line(void **state)
{
	struct place *place = *state;
	struct journal_entry *entry;

	put(place, NULL, "a", "up");
	FILE *file = fopen(place->path, "a");
	fputs("{\"id\":\"b\",\"wh", file);
	fclose(file);
	begin_anew(place);
	assert_found(place, "a", "up", &entry);
	put(place, NULL, "c", "up");
	begin_anew(place);
	assert_found(place, "a", "up", &entry);
	assert_found(place, "c", "up", &entry);
	assert_found(place, NULL, NULL, &entry);
}

static void
test_nonsense(void **state)
{
	struct place *place = *state;
	struct journal_entry *entry;
	FILE *file = fopen(place->path, "a");

	fputs("\n{}\n[]\n3\n{\"id\":7}\n{\"over\":\"nobody\"}\n{\"id\":\"", file);
	for (unsigned i = 0; i < 1000; i++)
		fputc('x', file);
	fputs("\"}\n\xff\xfe\n{\"id\":\"a\",\"what\":\"up\"}\n", file);
	fclose(file);
	begin_anew(place);
	assert_found(place, "a", "up", &entry);
	assert_found(place, NULL, NULL, &entry);
}

/* A damaged file may give a name that has to be escaped: it is over all the same. */
static void
test_odd_names(void **state)
{
	struct place *place = *state;
	struct journal_entry *entry;
	FILE *file = fopen(place->path, "a");

	fputs("{\"id\":\"a\\\"},\\n\\\\\",\"what\":\"up\"}\n{\"id\":\"", file);
	for (unsigned i = 0; i < 64; i++)
		fputs("\\u0001", file);
	fputs("\",\"what\":\"up\"}\n", file);
	fclose(file);
	begin_anew(place);
	assert_found(place, "a\"},\n\\", "up", &entry);
	journal_over(place->journal, entry);
	json_t *record;
	entry = journal_take(place->journal, NULL, &record);
	assert_non_null(entry);
	json_decref(record);
	journal_over(place->journal, entry);
	begin_anew(place);
	assert_found(place, NULL, NULL, &entry);
}

static void
test_stays_small(void **state)
{
	struct place *place = *state;
	struct journal_entry *stays = put(place, NULL, "stays", "up"), *entry;
	static char what[200];
	struct stat facts;
	char id[16];

	memset(what, 'w', sizeof(what) - 1);
	for (unsigned i = 0; i < 50000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		journal_over(place->journal, put(place, NULL, id, what));
	}
	stays = put(place, stays, "stays", "still up");
	assert_int_equal(0, stat(place->path, &facts));
	assert_in_range(facts.st_size, 1, 5 * 1024 * 1024);
	begin_anew(place);
	assert_found(place, "stays", "still up", &entry);
	assert_found(place, NULL, NULL, &entry);
}

static void
test_one_owner(void **state)
{
	struct place *place = *state;
	struct journal *second = NULL;

	assert_int_equal(-EBUSY, journal_open(place->path, 0640, &second));
	assert_null(second);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_up_calls_are_found, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stays_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_owner, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
