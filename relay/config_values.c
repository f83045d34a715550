/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of a configuration, each with its name. */
#include "config_private.h"
#include "config_reload.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	const struct config *config;
	unsigned readers;
	struct config_values *values;
};

static uint64_t
read_number(const void *data, size_t size)
{
	uint64_t number = 0;

	memcpy(&number, data, size); /* little-endian, as every CPU that we run on */
	return number;
}

/* A single value as text; NULL: it is not set. `room` is for what has to be made. */
static const char *
text_of(const cyaml_schema_value_t *value, const void *data, char room[32])
{
	uint64_t number;

	if (value->type == CYAML_STRING)
		return (value->flags & CYAML_FLAG_POINTER) != 0 ? *(char *const *)data : data;
	number = read_number(data, value->data_size);
	for (uint32_t i = 0; value->type == CYAML_ENUM && i < value->enumeration.count; i++)
		if (value->enumeration.strings[i].val == (int64_t)number)
			return value->enumeration.strings[i].str;
	if (value->type == CYAML_BOOL)
		return number != 0 ? "true" : "false";
	snprintf(room, 32, "%" PRIu64, number);
	return room;
}

static int
add(const struct reading *reading, const struct config_place *at, const char *text)
{
	const struct config_field *kind = config_field_find(at->field);
	const struct config_lines *lines = reading->config->lines;
	struct config_values *values = reading->values;
	char spelling[CONFIG_FIELD_TEXT];

	if (kind == NULL || kind->reload == CONFIG_FORM || (kind->readers & reading->readers) == 0)
		return 0;
	if (values->count == values->room) {
		size_t room = values->room != 0 ? values->room * 2 : 256;
		struct config_value *more = realloc(values->at, room * sizeof(*more));
		if (more == NULL)
			return -ENOMEM;
		values->at = more;
		values->room = room;
	}
	struct config_value *value = &values->at[values->count++];
	*value = (struct config_value){.field = strdup(at->shown),
		.exact = strdup(text != NULL ? text : "-"),
		.text = config_blank(at->field, text != NULL ? text : "-"),
		.kind = kind,
		.is_set = lines != NULL && config_lines_has(lines, config_lines_spelling(lines,
									   at->in_file, spelling))};
	return value->field != NULL && value->exact != NULL && value->text != NULL ? 0 : -ENOMEM;
}

/* A list of plain values is one value: "A, B". */
static int
add_list(const struct reading *reading, const struct config_leaf *leaf)
{
	unsigned count = config_leaf_count(leaf);
	char *text = NULL, room[32];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	int result;

	if (out == NULL)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "",
			text_of(leaf->value->sequence.entry, config_leaf_entry(leaf, i), room));
	if (fclose(out) != 0)
		result = -ENOMEM;
	else
		result = add(reading, leaf->at, count > 0 ? text : NULL);
	free(text);
	return result;
}

static int
read_leaf(void *mine, const struct config_leaf *leaf)
{
	const struct reading *reading = mine;
	char room[32];

	if (leaf->value->type == CYAML_SEQUENCE)
		return add_list(reading, leaf);
	if (leaf->value->type == CYAML_MAPPING)
		return add(reading, leaf->at, "");
	return add(reading, leaf->at, text_of(leaf->value, leaf->data, room));
}

int
config_values_read(const struct config *config, unsigned readers, struct config_values *values)
{
	struct reading reading = {config, readers, values};

	*values = (struct config_values){.at = NULL};
	int result = config_walk((struct config *)(uintptr_t)config, read_leaf, &reading);
	if (result != 0)
		config_values_free(values);
	return result;
}

static void
wipe(char *text)
{
	if (text != NULL)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void
config_values_free(struct config_values *values)
{
	for (size_t i = 0; i < values->count; i++) {
		free(values->at[i].field);
		wipe(values->at[i].exact);
		free(values->at[i].text);
	}
	free(values->at);
	*values = (struct config_values){.at = NULL};
}
