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
/* Logins: the same. */
void config_auth_default(struct config_sip *sip, const struct config_lines *lines);
int config_auth_check(const struct config_complaint *to, struct config_sip *sip);
/* Records and traces; headers: the same. */
void config_records_default(struct config_sip *sip, const struct config_lines *lines);
int config_records_check(const struct config_complaint *to, struct config_sip *sip);
int config_headers_default(struct config_sip *sip, const struct config_lines *lines);
int config_headers_check(const struct config_complaint *to, const struct config_sip *sip);

/* The registrar: the same. */
int config_registrar_default(struct config_sip *sip, const struct config_lines *lines);
int config_registrar_check(const struct config_complaint *to, const struct config_sip *sip);

/* config_number.c: a number's place, default and limits. */
struct config_number {
	const char *field; /* as config_lines_has() knows it */
	size_t offset;     /* of its uint32_t in `base` */
	uint32_t value;    /* where the file has none */
	uint32_t least;
	uint32_t most;
};
void config_numbers_default(void *base, const struct config_number numbers[], size_t count,
	const struct config_lines *lines);
/* 0, or -EINVAL after a sentence about the first that is out of its limits. */
int config_numbers_check(const struct config_complaint *to, void *base,
	const struct config_number numbers[], size_t count);

/* Checks what a schema can't say. 0, or -EINVAL after a sentence. */
int config_check(
	struct config *config, const struct config_text *text, const struct config_lines *lines);

/* config_limits.c: sip.limits, sip.peering, sip.control_socket: the same two for these. */
int config_limits_default(struct config_sip *sip, const struct config_lines *lines);
int config_limits_check(const struct config_complaint *to, struct config_sip *sip);

/* config_dialogs.c: session timers, rekeying, redirects, transfers: the same two for these. */
int config_dialogs_default(struct config_sip *sip, const struct config_lines *lines);
int config_dialogs_check(const struct config_complaint *to, struct config_sip *sip);

/* config_web.c: the section "web": the same two. */
int config_web_default(struct config_web *web, const struct config_lines *lines);
int config_web_check(const struct config_complaint *to, struct config_web *web);

#endif
