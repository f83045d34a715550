/* SPDX-License-Identifier: BSD-3-Clause */
/* From YAML to structs by libcyaml, and from its log to one sentence. libcyaml logs what is wrong,
 * then a backtrace from the innermost field outwards, a line each:
 *
 *	Load: Invalid ENUM value: AES_FOO
 *	Load: Backtrace:
 *	  in sequence entry '2' (line: 4, column: 7)
 *	  in mapping field 'suites' (line: 3, column: 5)
 *	  in mapping field 'sip' (line: 2, column: 3)
 *
 * which becomes "FILE:4: sip.suites[1]: ...". */
#include "config_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct yaml_log {
	char message[256];
	char innermost[CONFIG_FIELD_TEXT]; /* the backtrace's first part */
	char outer[CONFIG_FIELD_TEXT];     /* what stands around it */
	bool traced;
};

/* Puts a part before what was heard of the path so far. */
static void
prepend(char path[CONFIG_FIELD_TEXT], const char *part)
{
	char joined[2 * CONFIG_FIELD_TEXT];
	const char *between = part[0] != '\0' && path[0] != '\0' && path[0] != '[' ? "." : "";

	snprintf(joined, sizeof(joined), "%s%s%s", part, between, path);
	snprintf(path, CONFIG_FIELD_TEXT, "%.*s", CONFIG_FIELD_TEXT - 1, joined);
}

/* One line of the backtrace; "in mapping" without a name says nothing. */
static void
take_trace(struct yaml_log *log, char *line)
{
	char *quote = strchr(line, '\''), *end = strrchr(line, '\'');
	char part[CONFIG_FIELD_TEXT] = "";

	if (quote != NULL && end > quote) {
		*end = '\0';
		if (strstr(line, "sequence entry") != NULL)
			snprintf(part, sizeof(part), "[%lu]", strtoul(quote + 1, NULL, 10) - 1);
		else
			snprintf(part, sizeof(part), "%.*s", CONFIG_FIELD_TEXT - 1, quote + 1);
	}
	if (log->traced)
		prepend(log->outer, part);
	else
		strcpy(log->innermost, part);
	log->traced = true;
}

static void __attribute__((format(printf, 3, 0)))
yaml_log(cyaml_log_t level, void *arg, const char *format, va_list args)
{
	struct yaml_log *log = arg;
	char text[256];

	vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	if (strncmp(text, "  in ", 5) == 0)
		take_trace(log, text);
	else if (strncmp(text, "Load: ", 6) == 0 && log->message[0] == '\0' &&
		 strcmp(text, "Load: Backtrace:") != 0)
		snprintf(log->message, sizeof(log->message), "%s", text + 6);
}

static const cyaml_config_t yaml_config = {
	.log_fn = yaml_log,
	.mem_fn = cyaml_mem,
	.log_level = CYAML_LOG_ERROR,
	/* an alias could make a small file a huge tree */
	.flags = CYAML_CFG_NO_ALIAS,
};

const cyaml_schema_value_t *
config_schema_find(const char *path)
{
	const cyaml_schema_value_t *value = &config_schema;

	while (*path != '\0' && value != NULL) {
		if (*path == '[') {
			value = value->type == CYAML_SEQUENCE ? value->sequence.entry : NULL;
			path += strcspn(path, "]");
			path += *path == ']';
			continue;
		}
		path += *path == '.';
		size_t length = strcspn(path, ".[");
		const cyaml_schema_field_t *field =
			value->type == CYAML_MAPPING ? value->mapping.fields : NULL;
		while (field != NULL && field->key != NULL &&
			(strlen(field->key) != length || strncmp(field->key, path, length) != 0))
			field++;
		value = field != NULL && field->key != NULL ? &field->value : NULL;
		path += length;
	}
	return value;
}

/* "a, b or c": what a field that takes one of some words takes. */
static void
list_choices(const char *path, char *text, size_t size)
{
	const cyaml_schema_value_t *value = config_schema_find(path);
	size_t used = 0;

	text[0] = '\0';
	if (value == NULL || value->type != CYAML_ENUM)
		return;
	for (uint32_t i = 0; i < value->enumeration.count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
			i == 0                              ? ""
			: i + 1 == value->enumeration.count ? " or "
							    : ", ",
			value->enumeration.strings[i].str);
}

/* What a field must be, by the schema. */
static void
say_what_is_expected(const char *path, char *text, size_t size)
{
	const cyaml_schema_value_t *value = config_schema_find(path);
	char choices[200];

	switch (value != NULL ? value->type : CYAML_STRING) {
	case CYAML_MAPPING:
		snprintf(text, size, "must hold keys of its own");
		break;
	case CYAML_SEQUENCE:
		snprintf(text, size, "must be a list");
		break;
	case CYAML_UINT:
		snprintf(text, size, "must be a whole number from 0 to %llu",
			(1ULL << (8 * value->data_size - 1) << 1) - 1);
		break;
	case CYAML_ENUM:
		list_choices(path, choices, sizeof(choices));
		snprintf(text, size, "must be %s", choices);
		break;
	default:
		snprintf(text, size, "must be a text");
	}
}

/* What libcyaml says, by how its sentence begins, and what we say. */
static const struct {
	const char *begins;
	const char *ours;
} sentences[] = {
	{"Unexpected key", "there is no such key"},
	{"Missing required", "is missing"},
	{"Mapping field already", "is set twice, first here"},
	{"STRING length <", "must not be empty"},
	{"STRING length >", "is too long"},
	{"Insufficient entries", "has too few entries"},
	{"Excessive entries", "has too many entries"},
};

static void
translate(const struct yaml_log *log, const char *path, cyaml_err_t result, char *what, size_t size)
{
	for (size_t i = 0; i < CYAML_ARRAY_LEN(sentences); i++)
		if (strncmp(log->message, sentences[i].begins, strlen(sentences[i].begins)) == 0) {
			snprintf(what, size, "%s", sentences[i].ours);
			return;
		}
	if (result == CYAML_ERR_ALIAS)
		snprintf(what, size, "is an alias (*name): write the value out");
	else if (result == CYAML_ERR_INVALID_VALUE)
		say_what_is_expected(path, what, size);
	else /* not known here: passed on as it is */
		snprintf(what, size, "%s",
			log->message[0] != '\0' ? log->message : cyaml_strerror(result));
}

static int
explain(const struct config_text *text, const struct config_lines *lines,
	const struct yaml_log *log, cyaml_err_t result)
{
	char path[CONFIG_FIELD_TEXT] = "", what[256];
	const char *name = strstr(log->message, ": ");

	if (strncmp(log->message, "Unexpected key", 14) == 0 ||
		strncmp(log->message, "Missing required", 16) == 0)
		/* the field in question is named in the message; the innermost is its sister */
		snprintf(path, sizeof(path), "%.*s", CONFIG_FIELD_TEXT - 1,
			name != NULL ? name + 2 : "");
	else if (strstr(log->message, " entries (") == NULL)
		snprintf(path, sizeof(path), "%s", log->innermost);
	prepend(path, log->outer);
	translate(log, path, result, what, sizeof(what));
	return config_complain(text, config_lines_find(lines, path), "%s: %s", path, what);
}

int
config_yaml_load(
	const struct config_text *text, const struct config_lines *lines, struct config **out)
{
	struct yaml_log log = {.traced = false};
	cyaml_config_t with_log = yaml_config;
	cyaml_data_t *data = NULL;

	with_log.log_ctx = &log;
	cyaml_err_t result = cyaml_load_data(
		(const uint8_t *)text->bytes, text->length, &with_log, &config_schema, &data, NULL);
	if (result != CYAML_OK)
		return explain(text, lines, &log, result);
	if (data == NULL)
		return config_complain(text, 1, "the file holds no settings");
	*out = data;
	return 0;
}

void
config_yaml_free(struct config *config)
{
	cyaml_free(&yaml_config, &config_schema, config, 0);
}
