/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults and limits of settings, as the table in config_fields*.c has them. */
#include "config_private.h"
#include "config_reload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "AES_CM_128_HMAC_SHA1_80", and its end: a comma or the end of all. */
static int64_t
find_choice(const cyaml_schema_value_t *value, const char *text, size_t length)
{
	for (uint32_t i = 0; i < value->enumeration.count; i++)
		if (strlen(value->enumeration.strings[i].str) == length &&
			strncmp(value->enumeration.strings[i].str, text, length) == 0)
			return value->enumeration.strings[i].val;
	return 0;
}

static int
put_value(const cyaml_schema_value_t *value, void *data, const char *text, size_t length)
{
	uint64_t number = 0;

	if (value->type == CYAML_STRING) {
		char *copy = strndup(text, length);
		*(char **)data = copy;
		return copy != NULL ? 0 : -ENOMEM;
	}
	if (value->type == CYAML_ENUM)
		number = (uint64_t)find_choice(value, text, length);
	else if (value->type == CYAML_BOOL)
		number = strncmp(text, "true", length) == 0;
	else
		number = strtoull(text, NULL, 10);
	memcpy(data, &number, value->data_size); /* little-endian, as every CPU that we run on */
	return 0;
}

/* "A, B" */
static int
put_list(const struct config_leaf *leaf, const char *text)
{
	const cyaml_schema_value_t *entry = leaf->value->sequence.entry;
	uint64_t count = 1;

	for (const char *at = text; (at = strchr(at, ',')) != NULL; at++)
		count++;
	*(void **)leaf->data = calloc(count, sizeof(void *)); /* no entry is larger */
	if (*(void **)leaf->data == NULL)
		return -ENOMEM;
	memcpy((char *)leaf->base + leaf->field->count_offset, &count, leaf->field->count_size);
	for (unsigned i = 0; i < count; i++) {
		size_t length = strcspn(text, ",");
		if (put_value(entry, config_leaf_entry(leaf, i), text, length) != 0)
			return -ENOMEM;
		text += length;
		text += strspn(text, ", ");
	}
	return 0;
}

static int
put_default(void *mine, const struct config_leaf *leaf)
{
	const struct config_field *field = config_field_find(leaf->at->field);
	const struct config_lines *lines = mine;
	char room[CONFIG_FIELD_TEXT];

	if (field == NULL || field->value == NULL || field->reload == CONFIG_FORM ||
		config_lines_has(lines, config_lines_spelling(lines, leaf->at->in_file, room)))
		return 0;
	if (leaf->value->type == CYAML_SEQUENCE)
		return put_list(leaf, field->value);
	return put_value(leaf->value, leaf->data, field->value, strlen(field->value));
}

int
config_table_default(struct config *config, const struct config_lines *lines)
{
	return config_walk(config, put_default, (void *)(uintptr_t)lines);
}

static int
check_number(void *mine, const struct config_leaf *leaf)
{
	const struct config_field *field = config_field_find(leaf->at->field);
	const struct config_complaint *to = mine;
	char room[CONFIG_FIELD_TEXT];
	uint64_t number = 0;

	if (field == NULL || field->most == 0 || field->reload == CONFIG_FORM)
		return 0;
	memcpy(&number, leaf->data, leaf->value->data_size);
	if (number >= field->least && number <= field->most)
		return 0;
	return config_complain_of(to, config_lines_spelling(to->lines, leaf->at->in_file, room),
		"%" PRIu64 " is not between %" PRIu64 " and %" PRIu64, number, field->least,
		field->most);
}

int
config_table_check(const struct config_complaint *to, struct config *config)
{
	return config_walk(config, check_number, (void *)(uintptr_t)to);
}

uint32_t
config_table_most(const char *field)
{
	return (uint32_t)config_field_find(field)->most;
}
