/* SPDX-License-Identifier: BSD-3-Clause */
/* What bindings.c (queue and thread) asks of a kind of store. All of it runs in one thread at a
 * time. */
#ifndef CONTROL_BINDINGS_PRIVATE_H
#define CONTROL_BINDINGS_PRIVATE_H

#include "bindings.h"

#define BINDINGS_ERROR_SIZE 512
#define BINDINGS_LABEL_SIZE 300

enum bindings_op_kind {
	BINDINGS_PUT,
	BINDINGS_REMOVE,  /* record.id alone */
	BINDINGS_RENEW,   /* all that is in the store is old, until it is put again */
	BINDINGS_RENEWED, /* what is old still goes */
};

/* A change to write, in the order of the list. */
struct bindings_op {
	struct bindings_op *next;
	enum bindings_op_kind kind;
	struct bindings_record record; /* its texts are in text */
	char text[];
};

/* Functions return 0, or -errno after a sentence (object, cause, cure) in `error`
 * (BINDINGS_ERROR_SIZE bytes); -EBADMSG: the store is damaged. */
struct bindings_kind {
	/* what it is called in messages: without a password (BINDINGS_LABEL_SIZE bytes) */
	void (*label)(const char *where, char *out);
	int (*open)(const char *where, void **store, char *error);
	/* calls back for each record that has not expired */
	int (*load)(void *store, bindings_load_cb *cb, void *arg, char *error);
	/* all or nothing; may be done twice */
	int (*write)(void *store, const struct bindings_op *first, char *error);
	/* makes way for a new store */
	int (*set_aside)(const char *where, char *error);
	void (*close)(void *store);
};

extern const struct bindings_kind bindings_file;     /* SQLite */
extern const struct bindings_kind bindings_postgres; /* by a URL */

#endif
