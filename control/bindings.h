/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of bindings, which outlives the process. The registrar's memory is what counts; the
 * store follows it, written behind: changes are queued, and a thread of the store's own writes
 * them, many to a transaction, so that no request waits for a disk. What is queued for a moment at
 * a crash is lost. A store that is away or full loses nothing else: it is tried again, and then
 * asks for everything anew.
 *
 * Event-loop thread alone, all functions; bindings_open() before it takes requests. */
#ifndef CONTROL_BINDINGS_H
#define CONTROL_BINDINGS_H

#include "relay/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bindings;

struct bindings_record {
	uint64_t id; /* 1 or more; the registrar's */
	const char *user;
	const char *contact;
	const char *instance; /* NULL: none */
	const char *path;     /* NULL: none */
	const char *call_id;
	uint32_t cseq;
	uint32_t reg_id; /* 0: none */
	unsigned q;      /* thousandths */
	int64_t expires; /* seconds since 1970 */
	struct relay_ip peer;
};

/* Makes the folder of `path`, if it is not there, and gives it to this user of the system (name or
 * number; NULL: nobody else): for a process that is root still. What fails will be said by
 * bindings_open(). */
void bindings_make_folder(const char *path, const char *user);

/* Is it a URL of PostgreSQL's, not the path of a file? */
bool bindings_is_url(const char *where);

/* Opens the store, made when absent: the SQLite file of that path, or the database of that URL; and
 * calls back for what is in it and has not expired. A file that is damaged is moved aside (to
 * PATH.damaged), a store that can't be opened is tried again by and by: both are logged, neither is
 * an error. A file, or a host's rows in a database, belong to one process at a time. 0 and *out, or
 * -ENOMEM. */
typedef void bindings_load_cb(void *arg, const struct bindings_record *record);
int bindings_open(const char *where, bindings_load_cb *cb, void *arg, struct bindings **out);

/* Writes what is queued, if the store is there. */
void bindings_close(struct bindings *bindings);

/* Has it lost changes, so that it wants bindings_renew(), each record by bindings_put(), and
 * bindings_renewed()? With pauses, if need be: while bindings_has_room(). */
bool bindings_is_stale(struct bindings *bindings);
bool bindings_has_room(struct bindings *bindings);
void bindings_renew(struct bindings *bindings);
void bindings_renewed(struct bindings *bindings);

/* Queues a binding that is new, or anew; that is gone. */
void bindings_put(struct bindings *bindings, const struct bindings_record *record);
void bindings_remove(struct bindings *bindings, uint64_t id);

#endif
