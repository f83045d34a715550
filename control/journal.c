/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Bytes: it is written anew when it is larger than this, and than three times what counts of it. */
#define REWRITE_SIZE (4 * 1024 * 1024)
#define ID_MAX 64                  /* characters of a call's id */
#define OVER_MAX (6 * ID_MAX + 16) /* of the line that says so, each character escaped */

struct journal_entry {
	struct journal_entry *next;
	struct journal_entry **prev;
	char *line; /* its last one, with a newline */
	size_t length;
	char id[]; /* with its NUL */
};

struct journal {
	char *path;
	mode_t mode;
	int fd;
	uint64_t size; /* of the file */
	uint64_t live; /* bytes of the entries' lines */
	struct journal_entry *entries;
	json_t *found; /* id: record, of an earlier life */
};

static struct journal_entry *
add_entry(struct journal *journal, const char *id)
{
	struct journal_entry *entry = calloc(1, sizeof(*entry) + strlen(id) + 1);

	if (entry == NULL)
		return NULL;
	strcpy(entry->id, id);
	entry->next = journal->entries;
	entry->prev = &journal->entries;
	if (entry->next != NULL)
		entry->next->prev = &entry->next;
	journal->entries = entry;
	return entry;
}

static int
set_line(struct journal *journal, struct journal_entry *entry, const char *line)
{
	char *copy = strdup(line);

	if (copy == NULL)
		return -ENOMEM;
	free(entry->line);
	journal->live -= entry->length;
	entry->line = copy;
	entry->length = strlen(copy);
	journal->live += entry->length;
	return 0;
}

static void
remove_entry(struct journal *journal, struct journal_entry *entry)
{
	*entry->prev = entry->next;
	if (entry->next != NULL)
		entry->next->prev = entry->prev;
	journal->live -= entry->length;
	free(entry->line);
	free(entry);
}

/* Whole lines only: a half one would spoil the next. */
static int
append(struct journal *journal, const char *line, size_t length)
{
	ssize_t written = write(journal->fd, line, length);

	if (written == (ssize_t)length) {
		journal->size += length;
		return 0;
	}
	int result = written < 0 ? -errno : -ENOSPC;
	if (written > 0 && ftruncate(journal->fd, (off_t)journal->size) != 0)
		journal->size += (uint64_t)written;
	return result;
}

/* Opens a file that this process alone may write. */
static int
open_alone(const char *path, mode_t mode, int flags)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, mode);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	int result = errno == EWOULDBLOCK ? -EBUSY : -errno;
	close(fd);
	return result;
}

/* The calls that are up, in a new file, which takes the old one's place once it is whole. */
static int
write_anew(struct journal *journal)
{
	char path[PATH_MAX];
	struct journal fresh = {.fd = -1};

	snprintf(path, sizeof(path), "%s.new", journal->path);
	fresh.fd = open_alone(path, journal->mode, O_TRUNC);
	if (fresh.fd < 0)
		return fresh.fd;
	int result = 0;
	for (struct journal_entry *at = journal->entries; at != NULL && result == 0; at = at->next)
		if (at->line != NULL)
			result = append(&fresh, at->line, at->length);
	if (result == 0 && rename(path, journal->path) != 0)
		result = -errno;
	if (result != 0) {
		unlink(path);
		close(fresh.fd);
		return result;
	}
	close(journal->fd);
	journal->fd = fresh.fd;
	journal->size = fresh.size;
	return 0;
}

static void
keep_small(struct journal *journal)
{
	if (journal->size < REWRITE_SIZE || journal->size < 3 * journal->live)
		return;
	/* where that fails the old one goes on growing, and it is tried again */
	write_anew(journal);
}

static void
read_line(struct journal *journal, const char *line, size_t length)
{
	json_t *record = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const char *over = json_string_value(json_object_get(record, "over"));
	const char *id = json_string_value(json_object_get(record, "id"));

	/* what is no such line is not ours */
	if (over != NULL)
		json_object_del(journal->found, over);
	else if (id != NULL && strlen(id) <= ID_MAX)
		json_object_set(journal->found, id, record);
	json_decref(record);
}

static int
read_all(struct journal *journal)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int copy = dup(journal->fd);
	FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;

	if (file == NULL) {
		int result = -errno;
		if (copy >= 0)
			close(copy);
		return result;
	}
	while ((length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n') {
		read_line(journal, line, (size_t)length);
		journal->size += (uint64_t)length;
	}
	free(line);
	fclose(file);
	/* a line that a crash cut in two must not be continued */
	return ftruncate(journal->fd, (off_t)journal->size) == 0 ? 0 : -errno;
}

int
journal_open(const char *path, mode_t mode, struct journal **out)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	int result = -ENOMEM;

	if (journal == NULL)
		return result;
	journal->fd = -1;
	journal->mode = mode;
	journal->path = strdup(path);
	journal->found = json_object();
	if (journal->path == NULL || journal->found == NULL)
		goto fail;
	journal->fd = open_alone(path, mode, 0);
	result = journal->fd < 0 ? journal->fd : read_all(journal);
	if (result != 0)
		goto fail;
	*out = journal;
	return 0;

fail:
	journal_close(journal);
	return result;
}

void
journal_close(struct journal *journal)
{
	if (journal == NULL)
		return;
	while (journal->entries != NULL)
		remove_entry(journal, journal->entries);
	json_decref(journal->found);
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->path);
	free(journal);
}

struct journal_entry *
journal_take(struct journal *journal, const char *id, json_t **record)
{
	void *at = id != NULL ? json_object_iter_at(journal->found, id)
	                      : json_object_iter(journal->found);

	if (at == NULL)
		return NULL;
	struct journal_entry *entry = add_entry(journal, json_object_iter_key(at));
	json_t *value = json_object_iter_value(at);
	char *text = json_dumps(value, JSON_COMPACT), *line = NULL;
	if (entry == NULL || text == NULL || asprintf(&line, "%s\n", text) < 0 ||
		set_line(journal, entry, line) != 0) {
		free(text);
		free(line);
		return NULL;
	}
	free(text);
	free(line);
	*record = json_incref(value);
	json_object_del(journal->found, entry->id);
	return entry;
}

int
journal_put(struct journal *journal, struct journal_entry **entry, const char *id, const char *line)
{
	if (*entry == NULL)
		*entry = add_entry(journal, id);
	if (*entry == NULL || set_line(journal, *entry, line) != 0)
		return -ENOMEM;
	int result = append(journal, line, strlen(line));
	keep_small(journal);
	return result;
}

void
journal_over(struct journal *journal, struct journal_entry *entry)
{
	char line[OVER_MAX];

	if (entry == NULL)
		return;
	/* a file that was damaged may give an id that has to be escaped */
	json_t *over = json_pack("{s:s}", "over", entry->id);
	size_t length = json_dumpb(over, line, sizeof(line) - 1, JSON_COMPACT);
	json_decref(over);
	remove_entry(journal, entry);
	if (length == 0 || length > sizeof(line) - 1)
		return;
	line[length++] = '\n';
	/* without it a restart finds that the record is there: records.c */
	append(journal, line, length);
	keep_small(journal);
}

int
journal_fd(const struct journal *journal)
{
	return journal->fd;
}
