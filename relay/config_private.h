/* SPDX-License-Identifier: BSD-3-Clause */
/* The parts of reading the configuration, for config*.c alone. */
#ifndef RELAY_CONFIG_PRIVATE_H
#define RELAY_CONFIG_PRIVATE_H

#include "config.h"

#include <cyaml/cyaml.h>

extern const cyaml_schema_value_t config_schema;
/* parts of it, from files of their own */
extern const cyaml_schema_value_t config_suite_value;
extern const cyaml_schema_value_t config_trunk_value;
extern const cyaml_schema_value_t config_route_value;
extern const cyaml_schema_field_t config_calls_fields[];
extern const cyaml_schema_field_t config_records_fields[];
extern const cyaml_schema_field_t config_trace_fields[];
extern const cyaml_schema_field_t config_headers_fields[];
extern const cyaml_schema_field_t config_penalties_fields[];
extern const cyaml_schema_field_t config_store_fields[];
extern const cyaml_schema_field_t config_web_fields[];

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

/* An address of an interface stands in the file in a list, or in the short form: which? `field` is
 * as of a list ("media.interfaces[0].addresses[0].gateway"), and so may be the answer. */
const char *config_lines_spelling(
	const struct config_lines *lines, const char *field, char room[CONFIG_FIELD_TEXT]);

/* The part of the schema that a path names, with or without indices; NULL: none. */
const cyaml_schema_value_t *config_schema_find(const char *path);

/* Where a walk is, by three names of the same place. */
struct config_place {
	char shown[CONFIG_FIELD_TEXT * 2]; /* "media.interfaces[access].dscp" */
	char field[CONFIG_FIELD_TEXT];     /* "media.interfaces[].dscp" */
	char in_file[CONFIG_FIELD_TEXT];   /* "media.interfaces[0].dscp" */
};

/* A value, a list of plain values, or (CYAML_MAPPING) an entry of a list as such. */
struct config_leaf {
	const struct config_place *at;
	const cyaml_schema_value_t *value;
	const cyaml_schema_field_t *field; /* of a list: where its length is kept in `base` */
	void *base;
	void *data;
};

/* config_walk.c: shows each to `visit`, until one is not 0; returns that. */
int config_walk(struct config *config, int (*visit)(void *mine, const struct config_leaf *leaf),
	void *mine);
/* How many entries a list has, and one of them. */
unsigned config_leaf_count(const struct config_leaf *leaf);
void *config_leaf_entry(const struct config_leaf *leaf, unsigned index);

/* Puts the default into each field that the file does not set. 0 or -ENOMEM. */
int config_set_defaults(struct config *config, const struct config_lines *lines);

/* One check's place to complain. */
struct config_complaint {
	const struct config_text *text;
	const struct config_lines *lines;
};

/* "FILE:LINE: FIELD: what is wrong". Returns -EINVAL. */
int config_complain_of(const struct config_complaint *to, const char *field, const char *format,
	...) __attribute__((format(printf, 3, 4)));
int config_check_range(const struct config_complaint *to, const char *field, uint32_t value,
	uint32_t least, uint32_t most);

/* Trunks, dial plan and limits: defaults (0 or -ENOMEM); what a schema can't say; and the passwords
 * wiped. */
int config_trunks_default(struct config_sip *sip, const struct config_lines *lines);
int config_trunks_check(const struct config_complaint *to, struct config_sip *sip);
void config_trunks_wipe(struct config_sip *sip);
/* Records and traces; headers: what a schema can't say. */
int config_records_check(const struct config_complaint *to, struct config_sip *sip);
int config_headers_check(const struct config_complaint *to, const struct config_sip *sip);

/* config_table.c: what config_fields*.c say. The default goes into each field that the file does
 * not set (0 or -ENOMEM); each number must be within its limits (0, or -EINVAL after a
 * sentence). */
int config_table_default(struct config *config, const struct config_lines *lines);
int config_table_check(const struct config_complaint *to, struct config *config);
/* The most that a number may be, by the table. */
uint32_t config_table_most(const char *field);

/* Checks what a schema can't say. 0, or -EINVAL after a sentence. */
int config_check(
	struct config *config, const struct config_text *text, const struct config_lines *lines);

/* config_limits.c: sip.limits, sip.peering, sip.control_socket: the same two for these. */
void config_limits_default(struct config_sip *sip, const struct config_lines *lines);
int config_limits_check(const struct config_complaint *to, struct config_sip *sip);

/* config_dialogs.c: session timers, rekeying, redirects, transfers: the same two for these. */
int config_dialogs_default(struct config_sip *sip);
int config_dialogs_check(const struct config_complaint *to, struct config_sip *sip);

/* config_web.c: the section "web": what a schema can't say. */
int config_web_check(const struct config_complaint *to, struct config_web *web);

#endif
