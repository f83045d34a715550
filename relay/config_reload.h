/* SPDX-License-Identifier: BSD-3-Clause */
/* What may change in a running daemon, what did change between two configurations, and what is in
 * force. The table of fields in config_fields*.c is the one place that says "live" or "restart",
 * and what a default is, and a limit: each daemon's start and reload go by it, and docs/config.md
 * is made of it (deploy/reference.py). */
#ifndef RELAY_CONFIG_RELOAD_H
#define RELAY_CONFIG_RELOAD_H

#include "config.h"

enum config_reload {
	CONFIG_LIVE,    /* takes effect when the daemon is told to read its file anew */
	CONFIG_RESTART, /* only when the daemon starts: a reload that would change it is refused */
	CONFIG_FORM,    /* another form of a field: config_load() has turned it into that one */
};

/* Who reads a field. */
#define CONFIG_READER_MEDIA 0x1u
#define CONFIG_READER_SIP 0x2u
#define CONFIG_READER_WEB 0x4u

struct config_field {
	const char *name; /* "sip.trunks[].weight"; "sip.trunks[]" is an entry as such */
	enum config_reload reload;
	unsigned readers;
	const char *value;   /* the default, as in the file ("A, B": a list); NULL: none */
	const char *without; /* then, in words: what holds where the file says nothing */
	uint64_t least;      /* of a number; both 0: as large as its type */
	uint64_t most;
	const char *meaning; /* one sentence, Markdown; its unit is in its name */
	const char *example; /* NULL: none is needed */
};

/* All fields of the schema, one by one; NULL: no more. */
const struct config_field *config_field_at(size_t index);
/* NULL: there is none of that name. */
const struct config_field *config_field_find(const char *name);

/* One value that is in force. */
struct config_value {
	char *field; /* "sip.trunks[carrier].weight" */
	char *exact; /* may hold a password */
	char *text;  /* to be shown: without any; "-": none */
	const struct config_field *kind;
	bool is_set; /* in the file; else it is a default */
};

struct config_values {
	struct config_value *at;
	size_t count;
	size_t room;
};

/* All that one of `readers` (CONFIG_READER_*) reads. 0 or -ENOMEM. */
int config_values_read(const struct config *config, unsigned readers, struct config_values *values);
void config_values_free(struct config_values *values);

struct config_change {
	char *field;
	char *before; /* "-": there was none */
	char *after;  /* "-": there is none any more */
	enum config_reload reload;
};

struct config_changes {
	struct config_change *at;
	size_t count;
	size_t restarts; /* those that a running daemon can't take over */
};

/* What differs for one of `readers`, by the fields' names. An entry of a list that came or went is
 * one change. 0 or -ENOMEM; free it in any case. */
int config_diff(const struct config *before, const struct config *after, unsigned readers,
	struct config_changes *changes);
void config_changes_free(struct config_changes *changes);

/* Logs that the file was read anew, and what changed by it. `also`: what was read with it, as in
 * ", certificates", or "". */
void config_changes_log(const struct config_changes *changes, const char *path, const char *also);

/* The sentence that refuses a reload: the first fields that need a restart, with both values. */
void config_changes_refusal(const struct config_changes *changes, const char *path,
	const char *daemon, char *text, size_t size);

/* A field's value to be shown: a URL without what is secret in it, nothing of a password's hash,
 * any other text as it is. NULL: no memory. */
char *config_blank(const char *field, const char *value);

#endif
