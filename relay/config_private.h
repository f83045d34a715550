/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of reading the configuration, for config*.c alone. */
#ifndef RELAY_CONFIG_PRIVATE_H
#define RELAY_CONFIG_PRIVATE_H

#include "config.h"

#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t config_schema;

/* Room for a field's path. */
#define CONFIG_FIELD_TEXT 160

/* The file's whole text, and where to complain of it. */
struct config_text {
	const char *path; /* of the file */
	char *bytes;
	size_t length;
	char *error; /* one sentence */
	size_t error_size;
};

/* "FILE:LINE: what is wrong", the sentence of every complaint. Returns -EINVAL. */
int config_complain(const struct config_text *text, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Where things stand in the file, for messages. */
struct config_lines;

/* Reads the text as YAML and as nothing more: one document of keys and values. Returns 0 and *out,
 * or -errno after a sentence. */
int config_lines_read(const struct config_text *text, struct config_lines **out);
void config_lines_free(struct config_lines *lines);

/* The line of a field by its path ("media.interfaces[0].ports"); of the nearest part of the path
 * that is there, if the field is not. At least 1. */
unsigned config_lines_find(const struct config_lines *lines, const char *field);

/* Is the field in the file? */
bool config_lines_has(const struct config_lines *lines, const char *field);

/* Fills the structs from the text, by the schema. Returns 0 and *out, or -errno after a
 * sentence. */
int config_yaml_load(
	const struct config_text *text, const struct config_lines *lines, struct config **out);
void config_yaml_free(struct config *config);

/* Puts the default into each field that the file does not set. 0 or -ENOMEM. */
int config_set_defaults(struct config *config, const struct config_lines *lines);

/* Checks what a schema can't say. 0, or -EINVAL after a sentence. */
int config_check(
	struct config *config, const struct config_text *text, const struct config_lines *lines);

#endif
