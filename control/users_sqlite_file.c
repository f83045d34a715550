/* SPDX-License-Identifier: BSD-3-Clause */
/* The users' SQLite file: making, opening, checking it; SQLite's errors in words. */
#include "users_sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define APPLICATION_ID "0x53504c59" /* "SPLY", in the file's header */
#define SCHEMA_VERSION 1
#define READ_WAIT_MS 250   /* the reader is an event loop; a writer is done in a few ms */
#define WRITE_WAIT_MS 5000 /* the writer is a person */

static const char schema[] = "CREATE TABLE users ("
			     " name TEXT NOT NULL,"
			     " realm TEXT NOT NULL,"
			     " ha1_md5 TEXT NOT NULL,"
			     " ha1_sha256 TEXT NOT NULL,"
			     " ha1_sha512_256 TEXT NOT NULL,"
			     " created INTEGER NOT NULL,"
			     " PRIMARY KEY (realm, name)) WITHOUT ROWID;"
			     "PRAGMA application_id = " APPLICATION_ID ";"
			     "PRAGMA user_version = 1;";

static int
say(struct users_sqlite *users, int error, const char *what, const char *cure)
{
	snprintf(users->base.error, sizeof(users->base.error), "%s: %s: %s", users->path, what,
		cure);
	return error;
}

static int
io_fault(struct users_sqlite *users, const char *verb, int system_error)
{
	if (system_error == ENOSPC || system_error == EDQUOT)
		return say(users, -ENOSPC, "the disk is full", "make room, then try again");
	if (system_error == EROFS)
		return say(users, -EROFS, "the file system is read-only",
			"mount it for writing, or put the file elsewhere");
	if (system_error == EACCES || system_error == EPERM)
		return say(users, -EACCES, "no right to use the file, its folder or its journal",
			"run this as root or as the file's owner");
	snprintf(users->base.error, sizeof(users->base.error),
		"%s: can't %s it: %s: check the disk", users->path, verb,
		system_error != 0 ? strerror(system_error) : "i/o error");
	return -EIO;
}

int
users_sqlite_fault(struct users_sqlite *users, const char *verb)
{
	int code = sqlite3_extended_errcode(users->db);

	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		return say(users, -EEXIST, "exists already", "remove it first");
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return say(
			users, -EBUSY, "locked by another program", "try again when that is done");
	case SQLITE_READONLY:
		if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY)
			return say(users, -EROFS, "a change to it was cut off",
				"run \"sallyctl user list\" as root: it repairs the file");
		return say(users, -EROFS, "read-only", "run this as root or as the file's owner");
	case SQLITE_FULL:
		return io_fault(users, verb, ENOSPC);
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return io_fault(users, verb, sqlite3_system_errno(users->db));
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return say(users, -EBADMSG, "no SQLite database, or damaged",
			"put back a backup, or move the file away and add the users again");
	case SQLITE_NOMEM:
		return say(users, -ENOMEM, "out of memory", "give the process more");
	default:
		snprintf(users->base.error, sizeof(users->base.error),
			"%s: can't %s it: %s: is it a store of Sallyport's users?", users->path,
			verb, sqlite3_errmsg(users->db));
		return -EPROTO;
	}
}

static int
read_number(struct users_sqlite *users, const char *pragma, int *out)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (sqlite3_prepare_v2(users->db, pragma, -1, &statement, NULL) != SQLITE_OK)
		return users_sqlite_fault(users, "read");
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int(statement, 0);
	else
		result = users_sqlite_fault(users, "read");
	sqlite3_finalize(statement);
	return result;
}

static int
run(struct users_sqlite *users, const char *sql, const char *verb)
{
	return sqlite3_exec(users->db, sql, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : users_sqlite_fault(users, verb);
}

/* A new, empty file gets its table; in a transaction, for two may do so at once. */
static int
make_tables(struct users_sqlite *users)
{
	int version = 0, result = run(users, "BEGIN IMMEDIATE", "write");

	if (result != 0)
		return result;
	result = read_number(users, "PRAGMA user_version", &version);
	if (result == 0 && version == 0)
		result = run(users, schema, "write");
	if (result == 0)
		result = run(users, "COMMIT", "write");
	if (result != 0 && !sqlite3_get_autocommit(users->db))
		sqlite3_exec(users->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* Is it ours, and of this release? */
static int
check_version(struct users_sqlite *users)
{
	int id = 0, version = 0, tables = 0;
	int result = read_number(users, "PRAGMA application_id", &id);

	if (result == 0)
		result = read_number(users, "PRAGMA user_version", &version);
	if (result == 0 && version == 0 && id == 0 && users->base.mode == USERS_CREATE) {
		result = read_number(users, "SELECT count(*) FROM sqlite_master", &tables);
		if (result == 0 && tables == 0) {
			result = make_tables(users);
			id = (int)strtoul(APPLICATION_ID, NULL, 16);
			version = SCHEMA_VERSION;
		}
	}
	if (result != 0)
		return result;
	if (id != (int)strtoul(APPLICATION_ID, NULL, 16))
		return say(users, -EPROTO, "no store of Sallyport's users",
			"name another file in sip.users");
	if (version != SCHEMA_VERSION)
		return say(users, -EPROTO, "made by another release of Sallyport",
			"use that release, or move the file away");
	return 0;
}

/* The rollback journal, not WAL: see users.h. What is deleted is overwritten with zeros. */
static int
set_up(struct users_sqlite *users)
{
	int result;

	sqlite3_extended_result_codes(users->db, 1);
	sqlite3_busy_timeout(
		users->db, users->base.mode == USERS_READ ? READ_WAIT_MS : WRITE_WAIT_MS);
	sqlite3_db_config(users->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(users->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	result = run(users, "PRAGMA cell_size_check = ON", "open");
	if (result == 0)
		result = check_version(users);
	if (result == 0 && users->base.mode != USERS_READ)
		result = run(users,
			"PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"
			"PRAGMA secure_delete = ON",
			"write");
	return result;
}

/* Mode 0640, whatever the umask; made by root, it gets the folder's group, so that a folder of
 * group sallyport lets sallyport-sip read it. */
static int
create_file(struct users_sqlite *users)
{
	char copy[PATH_MAX];
	struct stat folder;
	int fd = open(users->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0 && errno == EEXIST)
		return 0; /* another process was faster */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return say(users, -ENOENT, "its folder does not exist",
			"make the folder, or name another file in sip.users");
	if (fd < 0)
		return io_fault(users, "make", errno);
	int result = fchmod(fd, 0640) == 0 ? 0 : io_fault(users, "make", errno);
	snprintf(copy, sizeof(copy), "%s", users->path);
	if (result == 0 && geteuid() == 0 && stat(dirname(copy), &folder) == 0 &&
		fchown(fd, (uid_t)-1, folder.st_gid) != 0)
		result = io_fault(users, "make", errno);
	close(fd); /* nothing of SQLite's is open yet: no lock is lost */
	return result;
}

/* With stat() and access(), for open() and close() would drop SQLite's locks. */
static int
check_file(struct users_sqlite *users)
{
	struct stat file;
	int result;

	if (stat(users->path, &file) != 0 && errno == ENOENT && users->base.mode == USERS_CREATE) {
		result = create_file(users);
		if (result != 0)
			return result;
	}
	if (stat(users->path, &file) != 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return say(users, -ENOENT, "there is no such file",
				"\"sallyctl user add NAME\" makes it; or correct sip.users");
		return io_fault(users, "open", errno);
	}
	if (!S_ISREG(file.st_mode))
		return say(users, -EBADMSG, "not a file", "name a file in sip.users");
	if (euidaccess(users->path, R_OK) != 0)
		return io_fault(users, "read", errno);
	if (users->base.mode != USERS_READ && euidaccess(users->path, W_OK) != 0)
		return io_fault(users, "write", errno);
	users->device = file.st_dev;
	users->inode = file.st_ino;
	return 0;
}

int
users_sqlite_open_file(struct users_sqlite *users)
{
	int flags = users->base.mode == USERS_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	int result = check_file(users);

	if (result != 0)
		return result;
	if (sqlite3_open_v2(users->path, &users->db, flags, NULL) != SQLITE_OK)
		result = users->db != NULL
		                 ? users_sqlite_fault(users, "open")
		                 : say(users, -ENOMEM, "out of memory", "give the process more");
	if (result == 0)
		result = set_up(users);
	if (result != 0) {
		sqlite3_close(users->db);
		users->db = NULL;
	}
	return result;
}

void
users_sqlite_forget_prepared(struct users_sqlite *users)
{
	sqlite3_stmt **const prepared[] = {&users->find, &users->begin, &users->commit};

	for (unsigned i = 0; i < 3; i++) {
		sqlite3_finalize(*prepared[i]);
		*prepared[i] = NULL;
	}
}

int
users_sqlite_reopen_if_replaced(struct users_sqlite *users)
{
	sqlite3 *before = users->db;
	struct stat file;
	int result;

	/* a file that is gone from its place is still open: it serves until another one is there */
	if (before != NULL &&
		(stat(users->path, &file) != 0 ||
			(file.st_dev == users->device && file.st_ino == users->inode)))
		return 0;
	users->db = NULL;
	result = users_sqlite_open_file(users);
	if (result == 0 || before == NULL) {
		users_sqlite_forget_prepared(users);
		sqlite3_close(before);
	} else {
		users->db = before;
		users->inode = 0; /* so that the next call tries again */
	}
	return result;
}
