/* SPDX-License-Identifier: BSD-3-Clause */
/* Users in one SQLite file. Written by sallyctl-user, read by sallyport-sip, which may be another,
 * unprivileged user of the system: so the file has a rollback journal and no WAL (whose readers
 * must be able to write), and a reader opens it read-only. A reader sees at once what a writer
 * committed, even if the file was replaced; an event loop does from its next turn on, for the file
 * is looked at and locked once for all that are looked up in a turn. */
#ifndef CONTROL_USERS_SQLITE_H
#define CONTROL_USERS_SQLITE_H

#include "turn.h"
#include "users_private.h"

#include <sqlite3.h>
#include <sys/stat.h>

struct users_sqlite {
	struct users base;
	sqlite3 *db;
	/* these run for every request; NULL: to be prepared */
	sqlite3_stmt *find;
	sqlite3_stmt *begin;
	sqlite3_stmt *commit;
	struct turn_end turn; /* of the loop that has started us: `run` is NULL before */
	bool reading; /* the file has been looked at in this turn, and is locked for reading */
	char *path;
	dev_t device; /* which file is open: another one at the path is noticed */
	ino_t inode;
};

/* Opens the file by base.mode. 0, or -errno and a sentence. */
int users_sqlite_open_file(struct users_sqlite *users);

/* Turns SQLite's last error into -errno and a sentence. verb: "read", "open" ... */
int users_sqlite_fault(struct users_sqlite *users, const char *verb);

/* Those of the file that is open, before another one is. */
void users_sqlite_forget_prepared(struct users_sqlite *users);

/* If the path names another file than the one that is open (a backup was put back, the store was
 * made anew), opens that. 0, or -errno and a sentence. */
int users_sqlite_reopen_if_replaced(struct users_sqlite *users);

#endif
