/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of reading the configuration, for config*.c alone. */
#ifndef RELAY_CONFIG_PRIVATE_H
#define RELAY_CONFIG_PRIVATE_H

#include "config.h"

#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t config_schema;

/* Where things stand in the file, for messages. NULL when it can't be read. */
struct config_lines;
struct config_lines *config_lines_read(const char *path);
void config_lines_free(struct config_lines *lines);

/* The line of a field by its path ("media.interfaces[0].ports"); of the nearest part of the path
 * that is there, if the field is not. At least 1. */
unsigned config_lines_find(const struct config_lines *lines, const char *field);

/* Is the field in the file? */
bool config_lines_has(const struct config_lines *lines, const char *field);

/* Puts the default into each field that the file does not set. 0 or -ENOMEM. */
int config_set_defaults(struct config *config, const struct config_lines *lines);

/* Checks what a schema can't say. 0, or -EINVAL after a sentence. */
int config_check(
	struct config *config, const struct config_lines *lines, char *error, size_t error_size);

#endif
