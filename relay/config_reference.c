/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_reference.h"
#include "config_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *
type_of(const cyaml_schema_value_t *value)
{
	switch (value->type) {
	case CYAML_UINT:
		return "number";
	case CYAML_BOOL:
		return "boolean";
	case CYAML_ENUM:
		return "choice";
	case CYAML_MAPPING:
		return "entry";
	default:
		return "text";
	}
}

/* "Units are in the names." */
static const char *
unit_of(const char *name)
{
	static const char *const units[][2] = {
		{"_s", "seconds"},
		{"_ms", "milliseconds"},
		{"_hours", "hours"},
		{"_mb", "MiB"},
		{"_bytes", "bytes"},
		{"_size", "bytes"},
		{"per_second", "a second"},
	};
	size_t length = strlen(name);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t of_unit = strlen(units[i][0]);
		if (length > of_unit && strcmp(name + length - of_unit, units[i][0]) == 0)
			return units[i][1];
	}
	return NULL;
}

int
config_reference_read(const struct config_field *field, struct config_reference *out)
{
	char path[CONFIG_FIELD_TEXT];
	size_t length = strlen(field->name);

	/* "sip.trunks[]": the list itself */
	if (length > 2 && strcmp(field->name + length - 2, "[]") == 0)
		length -= 2;
	snprintf(path, sizeof(path), "%.*s", (int)length, field->name);
	const cyaml_schema_value_t *value = config_schema_find(path);
	if (value == NULL)
		return -ENOENT;
	*out = (struct config_reference){.is_required = (value->flags & CYAML_FLAG_OPTIONAL) == 0};
	if (value->type == CYAML_SEQUENCE) {
		out->is_list = true;
		out->entries_least = value->sequence.min;
		out->entries_most = value->sequence.max;
		value = value->sequence.entry;
	}
	out->type = type_of(value);
	if (value->type == CYAML_UINT) {
		out->unit = unit_of(field->name);
		out->least = field->least;
		out->most = field->most;
	}
	for (uint32_t i = 0; value->type == CYAML_ENUM && i < value->enumeration.count &&
			     i < CONFIG_CHOICES_MAX - 1;
		i++)
		out->choices[i] = value->enumeration.strings[i].str;
	return 0;
}
