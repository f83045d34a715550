/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_private.h"
#include "config_reload.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGGED_MAX 20    /* changes */
#define REFUSAL_FIELDS 3 /* that are named with their values; the rest is counted */

static int
by_field(const void *a, const void *b)
{
	return strcmp(
		((const struct config_value *)a)->field, ((const struct config_value *)b)->field);
}

static int
add(struct config_changes *changes, const struct config_value *of, const char *before,
	const char *after)
{
	struct config_change *change = &changes->at[changes->count++];

	*change = (struct config_change){.field = strdup(of->field),
		.before = strdup(before),
		.after = strdup(after),
		.reload = of->kind->reload};
	changes->restarts += of->kind->reload == CONFIG_RESTART;
	return change->field != NULL && change->before != NULL && change->after != NULL ? 0
	                                                                                : -ENOMEM;
}

/* Both have it. */
static int
compare(struct config_changes *changes, const struct config_value *before,
	const struct config_value *after)
{
	if (strcmp(before->exact, after->exact) == 0)
		return 0;
	if (strcmp(before->text, after->text) == 0) /* they differ in what is blanked */
		return add(changes, after, before->text, "another password");
	return add(changes, after, before->text, after->text);
}

/* One has it alone: an entry of a list, and all that is in it. Returns how many values that are. */
static size_t
entry_length(const struct config_values *values, size_t first)
{
	const char *entry = values->at[first].field;
	size_t i = first + 1;

	while (i < values->count && strncmp(values->at[i].field, entry, strlen(entry)) == 0)
		i++;
	return i - first;
}

static int
merge(const struct config_values *before, const struct config_values *after,
	struct config_changes *changes)
{
	size_t i = 0, k = 0;
	int result = 0;

	while (result == 0 && (i < before->count || k < after->count)) {
		int order = i == before->count  ? 1
		            : k == after->count ? -1
		                                : by_field(&before->at[i], &after->at[k]);
		if (order == 0) {
			result = compare(changes, &before->at[i++], &after->at[k++]);
		} else if (order < 0) {
			result = add(changes, &before->at[i], "there", "-");
			i += entry_length(before, i);
		} else {
			result = add(changes, &after->at[k], "-", "there");
			k += entry_length(after, k);
		}
	}
	return result;
}

int
config_diff(const struct config *before, const struct config *after, unsigned readers,
	struct config_changes *changes)
{
	struct config_values old = {.at = NULL}, fresh = {.at = NULL};
	int result = config_values_read(before, readers, &old);

	*changes = (struct config_changes){.at = NULL};
	if (result == 0)
		result = config_values_read(after, readers, &fresh);
	if (result == 0) {
		changes->at = calloc(old.count + fresh.count + 1, sizeof(*changes->at));
		if (changes->at == NULL)
			result = -ENOMEM;
	}
	if (result == 0) {
		qsort(old.at, old.count, sizeof(*old.at), by_field);
		qsort(fresh.at, fresh.count, sizeof(*fresh.at), by_field);
		result = merge(&old, &fresh, changes);
	}
	config_values_free(&old);
	config_values_free(&fresh);
	return result;
}

void
config_changes_free(struct config_changes *changes)
{
	for (size_t i = 0; i < changes->count; i++) {
		free(changes->at[i].field);
		free(changes->at[i].before);
		free(changes->at[i].after);
	}
	free(changes->at);
	*changes = (struct config_changes){.at = NULL};
}

void
config_changes_log(const struct config_changes *changes, const char *path, const char *also)
{
	log_info("read anew: %s%s; %zu setting(s) changed", path, also, changes->count);
	for (size_t i = 0; i < changes->count && i < LOGGED_MAX; i++)
		log_info("%s: %s -> %s", changes->at[i].field, changes->at[i].before,
			changes->at[i].after);
}

void
config_changes_refusal(const struct config_changes *changes, const char *path, const char *daemon,
	char *text, size_t size)
{
	size_t named = 0, used = (size_t)snprintf(text, size, "%s: ", path);

	for (size_t i = 0; i < changes->count && named < REFUSAL_FIELDS; i++) {
		const struct config_change *at = &changes->at[i];
		if (at->reload != CONFIG_RESTART || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s%s: %s -> %s",
			named > 0 ? "; " : "", at->field, at->before, at->after);
		named++;
	}
	if (used < size && changes->restarts > named)
		used += (size_t)snprintf(
			text + used, size - used, "; and %zu more", changes->restarts - named);
	if (used < size)
		snprintf(text + used, size - used, ": takes a restart of %s, so nothing is changed",
			daemon);
}
