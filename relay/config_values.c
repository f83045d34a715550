/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of a configuration, each with its name, read by the same schema that it was filled by:
 * so no field can be forgotten. */
#include "config_private.h"
#include "config_reload.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the walk is, by three names of the same place. */
struct place {
	char shown[CONFIG_FIELD_TEXT * 2]; /* "media.interfaces[access].dscp" */
	char field[CONFIG_FIELD_TEXT];     /* "media.interfaces[].dscp" */
	char in_file[CONFIG_FIELD_TEXT];   /* "media.interfaces[0].dscp" */
};

struct walk {
	const struct config *config;
	unsigned readers;
	struct config_values *values;
	int result;
};

static void
extend(char *text, size_t size, const char *before, const char *what, const char *behind)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s%s", before, what, behind);
}

static struct place
child_of(const struct place *at, const char *key)
{
	struct place child = *at;
	const char *dot = at->field[0] != '\0' ? "." : "";

	extend(child.shown, sizeof(child.shown), dot, key, "");
	extend(child.field, sizeof(child.field), dot, key, "");
	extend(child.in_file, sizeof(child.in_file), dot, key, "");
	return child;
}

static struct place
entry_of(const struct place *at, const char *name, unsigned index)
{
	struct place entry = *at;
	char number[16];

	snprintf(number, sizeof(number), "%u", index);
	extend(entry.shown, sizeof(entry.shown), "[", name != NULL ? name : number, "]");
	extend(entry.field, sizeof(entry.field), "[", "", "]");
	extend(entry.in_file, sizeof(entry.in_file), "[", number, "]");
	return entry;
}

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

/* Was it in the file? An interface's only address may stand there without a list. */
static bool
is_set(const struct config *config, const char *in_file)
{
	static const char list[] = ".addresses[0]";
	char other[CONFIG_FIELD_TEXT];
	const char *at = strstr(in_file, list);

	if (config->lines == NULL)
		return false;
	if (config_lines_has(config->lines, in_file))
		return true;
	if (at == NULL)
		return false;
	snprintf(other, sizeof(other), "%.*s%s", (int)(at - in_file), in_file,
		at + sizeof(list) - 1);
	return config_lines_has(config->lines, other);
}

static void
add(struct walk *walk, const struct place *at, const char *text)
{
	const struct config_field *kind = config_field_find(at->field);
	struct config_values *values = walk->values;

	if (kind == NULL || kind->reload == CONFIG_FORM || (kind->readers & walk->readers) == 0 ||
		walk->result != 0)
		return;
	if (values->count == values->room) {
		size_t room = values->room != 0 ? values->room * 2 : 256;
		struct config_value *more = realloc(values->at, room * sizeof(*more));
		if (more == NULL) {
			walk->result = -ENOMEM;
			return;
		}
		values->at = more;
		values->room = room;
	}
	struct config_value *value = &values->at[values->count++];
	*value = (struct config_value){.field = strdup(at->shown),
		.exact = strdup(text != NULL ? text : "-"),
		.text = config_blank(at->field, text != NULL ? text : "-"),
		.kind = kind,
		.is_set = is_set(walk->config, at->in_file)};
	if (value->field == NULL || value->exact == NULL || value->text == NULL)
		walk->result = -ENOMEM;
}

static unsigned
count_of(const cyaml_schema_field_t *field, const void *base)
{
	return (unsigned)read_number((const char *)base + field->count_offset, field->count_size);
}

static const void *
element(const cyaml_schema_value_t *entry, const void *list, unsigned index)
{
	size_t size = (entry->flags & CYAML_FLAG_POINTER) != 0 ? sizeof(void *) : entry->data_size;

	return (const char *)list + index * size;
}

/* A list of plain values is one value: "A, B". */
static void
add_list(struct walk *walk, const struct place *at, const cyaml_schema_value_t *entry,
	const void *list, unsigned count)
{
	char *text = NULL, room[32];
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL) {
		walk->result = -ENOMEM;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "",
			text_of(entry, element(entry, list, i), room));
	if (fclose(out) != 0)
		walk->result = -ENOMEM;
	else
		add(walk, at, count > 0 ? text : NULL);
	free(text);
}

/* What an entry of a list is known by, if it has such a thing. */
static const char *
name_of(const cyaml_schema_value_t *entry, const void *data)
{
	for (const cyaml_schema_field_t *at = entry->mapping.fields; at->key != NULL; at++)
		if (at->value.type == CYAML_STRING && at == entry->mapping.fields &&
			(strcmp(at->key, "name") == 0 || strcmp(at->key, "address") == 0))
			return *(char *const *)(const void *)((const char *)data + at->data_offset);
	return NULL;
}

/* Sees each field of a mapping, and all below it. Depth is the schema's: five. */
static void
walk_mapping(struct walk *walk, const struct place *at, const cyaml_schema_field_t *fields,
	const void *base)
{
	for (; fields->key != NULL; fields++) {
		const void *data = (const char *)base + fields->data_offset;
		const cyaml_schema_value_t *value = &fields->value;
		struct place child = child_of(at, fields->key);
		char room[32];
		if (value->type == CYAML_MAPPING) {
			walk_mapping(walk, &child, value->mapping.fields, data);
			continue;
		}
		if (value->type != CYAML_SEQUENCE) {
			add(walk, &child, text_of(value, data, room));
			continue;
		}
		const cyaml_schema_value_t *entry = value->sequence.entry;
		const void *list = *(void *const *)data;
		unsigned count = count_of(fields, base);
		if (entry->type != CYAML_MAPPING) {
			add_list(walk, &child, entry, list, count);
			continue;
		}
		for (unsigned i = 0; i < count; i++) {
			const void *one = element(entry, list, i);
			struct place below = entry_of(&child, name_of(entry, one), i);
			add(walk, &below, "");
			walk_mapping(walk, &below, entry->mapping.fields, one);
		}
	}
}

int
config_values_read(const struct config *config, unsigned readers, struct config_values *values)
{
	struct walk walk = {config, readers, values, 0};
	struct place root = {.field = ""};

	*values = (struct config_values){.at = NULL};
	walk_mapping(&walk, &root, config_schema.mapping.fields, config);
	if (walk.result != 0)
		config_values_free(values);
	return walk.result;
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
