/* SPDX-License-Identifier: BSD-3-Clause */
/* What users.c and users_file.c share. */
#ifndef CONTROL_USERS_PRIVATE_H
#define CONTROL_USERS_PRIVATE_H

#include "users.h"

#include <sqlite3.h>
#include <sys/stat.h>

struct users {
	sqlite3 *db;
	sqlite3_stmt *find; /* of users_find(): it runs for every request; NULL: to be prepared */
	char *path;
	enum users_mode mode;
	dev_t device; /* which file is open: another one at the path is noticed */
	ino_t inode;
	char dummy[DIGEST_ALGORITHM_COUNT][DIGEST_HEX_SIZE]; /* of a random password */
	char error[USERS_ERROR_SIZE];
};

/* Turns SQLite's last error into -errno and a sentence in users->error. verb: "read", "open" ... */
int users_fault(struct users *users, const char *verb);

/* If the path names another file than the one that is open (a backup was put back, the store was
 * made anew), opens that. 0, or -errno and a sentence. */
int users_reopen_if_replaced(struct users *users);

#endif
