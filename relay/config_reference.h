/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is to say of a setting: by the schema and the table that config_load() goes by. */
#ifndef RELAY_CONFIG_REFERENCE_H
#define RELAY_CONFIG_REFERENCE_H

#include "config_reload.h"

#define CONFIG_CHOICES_MAX 16

struct config_reference {
	const char
		*type; /* "text", "number", "boolean", "choice", "entry": of a list of mappings */
	const char *unit; /* of a number, by its name; NULL: a count, or a number as such */
	bool is_list;     /* of such values */
	bool is_required; /* by the schema: in an entry that is there */
	const char *choices[CONFIG_CHOICES_MAX]; /* the first NULL ends them */
	uint64_t least;                          /* of a number; both 0: any */
	uint64_t most;
	uint64_t entries_least; /* of a list */
	uint64_t entries_most;
};

/* 0, or -ENOENT: the schema has no such setting. */
int config_reference_read(const struct config_field *field, struct config_reference *out);

#endif
