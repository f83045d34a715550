/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the journal of an earlier life: whole lines are read, a half one is cut off; each
 * entry that is over stays so, and each that goes on is found by the next life as it was. */
#include "control/call_line.h"
#include "control/journal.h"
#include "fuzz.h"

#define ENTRIES_MAX 64

static const char *path;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	path = fuzz_path("journal");
	return 0;
}

static struct journal *
open_it(void)
{
	struct journal *journal = NULL;

	demand(journal_open(path, 0600, &journal) == 0, "the journal can't be opened");
	return journal;
}

/* Every second one is over. Returns how many are not. */
static unsigned
first_life(void)
{
	struct journal *journal = open_it();
	struct journal_entry *entry;
	unsigned count = 0, left = 0;
	json_t *record;

	while ((entry = journal_take(journal, NULL, &record)) != NULL) {
		unsigned streams = 0;
		const char *id = json_string_value(json_object_get(record, "id"));
		const json_t *call = call_line_read(record, &streams);
		demand(id != NULL && strlen(id) <= 64, "an entry without its name");
		demand(streams <= 16, "more streams than there can be");
		demand(call == NULL || json_is_object(call), "a call that is none");
		if (count++ % 2 == 0)
			journal_over(journal, entry);
		else
			left++;
		json_decref(record);
	}
	journal_close(journal);
	return left;
}

static void
second_life(unsigned left)
{
	struct journal *journal = open_it();
	unsigned count = 0;
	json_t *record, *again = NULL;

	while (journal_take(journal, NULL, &record) != NULL) {
		count++;
		json_decref(record);
	}
	demand(count == left, "what was over has come back, or what was not is lost");
	/* what is written now is a line of its own, whatever stood at the file's end */
	struct journal_entry *entry = NULL;
	demand(journal_put(journal, &entry, "new", "{\"id\":\"new\",\"setup\":2}\n") == 0,
		"the journal takes nothing");
	journal_close(journal);
	journal = open_it();
	entry = journal_take(journal, "new", &again);
	demand(entry != NULL && json_integer_value(json_object_get(again, "setup")) == 2,
		"what was written is not found");
	json_decref(again);
	journal_close(journal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_write(path, data, size);
	second_life(first_life());
	return 0;
}
