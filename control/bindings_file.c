/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of bindings as a SQLite file. It has a write-ahead log: a transaction is one append,
 * and is on the disk at the next checkpoint; after a crash of the machine the last ones may be
 * missing, but the file is whole. It is locked for one process, so it needs no shared memory. */
#include "bindings_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x53504c42 /* "SPLB", in the file's header */
#define SCHEMA_VERSION 1

static const char set_up[] = "PRAGMA locking_mode = EXCLUSIVE;"
			     "PRAGMA journal_mode = WAL;"
			     "PRAGMA synchronous = NORMAL;"
			     "PRAGMA cell_size_check = ON;";

static const char schema[] = "BEGIN IMMEDIATE;"
			     "CREATE TABLE bindings ("
			     " id INTEGER PRIMARY KEY,"
			     " user TEXT NOT NULL,"
			     " contact TEXT NOT NULL,"
			     " instance TEXT,"
			     " path TEXT,"
			     " call_id TEXT NOT NULL,"
			     " cseq INTEGER NOT NULL,"
			     " reg_id INTEGER NOT NULL,"
			     " q INTEGER NOT NULL,"
			     " expires INTEGER NOT NULL,"
			     " peer TEXT NOT NULL,"
			     " renewed INTEGER NOT NULL);"
			     "PRAGMA application_id = 0x53504c42;"
			     "PRAGMA user_version = 1;"
			     "COMMIT;";

struct file {
	sqlite3 *db;
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
	char *path;
};

static int
fault(const struct file *file, char *error)
{
	int code = sqlite3_extended_errcode(file->db), result = -EIO;
	const char *what = sqlite3_errmsg(file->db), *cure = "check the disk";

	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		result = -EBUSY;
		what = "another process has it";
		cure = "give each sallyport-sip a sip.bindings of its own";
		break;
	case SQLITE_FULL:
		result = -ENOSPC;
		what = "the disk is full";
		cure = "make room";
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		result = -EBADMSG;
		what = "no SQLite database, or damaged";
		cure = "it is moved aside; phones that don't register again stay out of reach";
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		result = -EACCES;
		cure = "its folder must be there, and be writable for sip.user";
		break;
	default:
		break;
	}
	snprintf(error, BINDINGS_ERROR_SIZE, "%s: %s: %s", file->path, what, cure);
	return result;
}

static int
run(const struct file *file, const char *sql, char *error)
{
	return sqlite3_exec(file->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : fault(file, error);
}

/* The first column of the first row. */
static int
ask(const struct file *file, const char *sql, char *text, size_t size, char *error)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return fault(file, error);
	if (sqlite3_step(statement) == SQLITE_ROW)
		snprintf(text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
	else
		result = fault(file, error);
	sqlite3_finalize(statement);
	return result;
}

/* Is it whole, ours, and of this release? A new one is made so. */
static int
check(const struct file *file, char *error)
{
	char text[64];
	int result = ask(file, "PRAGMA quick_check(1)", text, sizeof(text), error);

	if (result == 0 && strcmp(text, "ok") != 0) {
		snprintf(error, BINDINGS_ERROR_SIZE, "%s: damaged: it is moved aside", file->path);
		return -EBADMSG;
	}
	if (result == 0)
		result = ask(file, "SELECT count(*) FROM sqlite_master", text, sizeof(text), error);
	if (result == 0 && strcmp(text, "0") == 0)
		result = run(file, schema, error);
	if (result == 0)
		result = ask(file, "PRAGMA application_id", text, sizeof(text), error);
	if (result == 0 && strtol(text, NULL, 10) != APPLICATION_ID) {
		snprintf(error, BINDINGS_ERROR_SIZE,
			"%s: not a store of Sallyport's bindings: name another file in "
			"sip.bindings",
			file->path);
		return -EPROTO;
	}
	if (result == 0)
		result = ask(file, "PRAGMA user_version", text, sizeof(text), error);
	if (result == 0 && strtol(text, NULL, 10) != SCHEMA_VERSION) {
		snprintf(error, BINDINGS_ERROR_SIZE,
			"%s: made by another release of Sallyport: move it away", file->path);
		return -EPROTO;
	}
	return result;
}

static void
close_file(void *store)
{
	struct file *file = store;

	if (file == NULL)
		return;
	sqlite3_finalize(file->put);
	sqlite3_finalize(file->remove);
	sqlite3_close(file->db);
	free(file->path);
	free(file);
}

/* SQLite would make it readable for others, as far as the umask allows. */
static void
create_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		close(fd);
}

static int
open_file(const char *path, void **store, char *error)
{
	struct file *file = calloc(1, sizeof(*file));
	int result = 0;

	snprintf(error, BINDINGS_ERROR_SIZE, "%s: out of memory", path);
	if (file == NULL || (file->path = strdup(path)) == NULL) {
		free(file);
		return -ENOMEM;
	}
	create_file(path);
	if (sqlite3_open_v2(path, &file->db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		result = file->db != NULL ? fault(file, error) : -ENOMEM;
	if (result == 0) {
		sqlite3_extended_result_codes(file->db, 1);
		sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(file->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		result = run(file, set_up, error);
	}
	if (result == 0)
		result = check(file, error);
	if (result == 0 &&
		(sqlite3_prepare_v3(file->db,
			 "INSERT OR REPLACE INTO bindings VALUES (?,?,?,?,?,?,?,?,?,?,?,1)", -1,
			 SQLITE_PREPARE_PERSISTENT, &file->put, NULL) != SQLITE_OK ||
			sqlite3_prepare_v3(file->db, "DELETE FROM bindings WHERE id = ?", -1,
				SQLITE_PREPARE_PERSISTENT, &file->remove, NULL) != SQLITE_OK))
		result = fault(file, error);
	if (result != 0) {
		close_file(file);
		return result;
	}
	*store = file;
	return 0;
}

void
bindings_make_folder(const char *path, const char *user)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct passwd *entry;

	if (bindings_is_url(path) || slash == NULL || slash == path ||
		(size_t)(slash - path) >= sizeof(folder))
		return;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (mkdir(folder, 0700) != 0 || user == NULL || geteuid() != 0)
		return;
	entry = getpwnam(user);
	uid_t owner = entry != NULL ? entry->pw_uid : (uid_t)strtoul(user, NULL, 10);
	gid_t group = entry != NULL ? entry->pw_gid : (gid_t)owner;
	if (lchown(folder, owner, group) != 0)
		rmdir(folder);
}

static const char *
text_of(sqlite3_stmt *row, int column)
{
	return (const char *)sqlite3_column_text(row, column);
}

static void
show_row(sqlite3_stmt *row, bindings_load_cb *cb, void *arg)
{
	struct bindings_record record = {
		.id = (uint64_t)sqlite3_column_int64(row, 0),
		.user = text_of(row, 1),
		.contact = text_of(row, 2),
		.instance = text_of(row, 3),
		.path = text_of(row, 4),
		.call_id = text_of(row, 5),
		.cseq = (uint32_t)sqlite3_column_int64(row, 6),
		.reg_id = (uint32_t)sqlite3_column_int64(row, 7),
		.q = (unsigned)sqlite3_column_int64(row, 8),
		.expires = sqlite3_column_int64(row, 9),
	};
	const char *peer = text_of(row, 10);

	if (record.id > 0 && record.id < INT64_MAX && record.user != NULL &&
		record.contact != NULL && record.call_id != NULL && peer != NULL &&
		relay_ip_parse(peer, strlen(peer), &record.peer) == 0)
		cb(arg, &record);
}

static int
load(void *store, bindings_load_cb *cb, void *arg, char *error)
{
	struct file *file = store;
	sqlite3_stmt *rows;
	char sql[96];
	int step, result = 0;

	snprintf(sql, sizeof(sql), "DELETE FROM bindings WHERE expires <= %lld",
		(long long)time(NULL));
	result = run(file, sql, error);
	if (result != 0)
		return result;
	if (sqlite3_prepare_v2(file->db, "SELECT * FROM bindings ORDER BY expires", -1, &rows,
		    NULL) != SQLITE_OK)
		return fault(file, error);
	while ((step = sqlite3_step(rows)) == SQLITE_ROW)
		show_row(rows, cb, arg);
	if (step != SQLITE_DONE)
		result = fault(file, error);
	sqlite3_finalize(rows);
	return result;
}

static void
bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	if (text != NULL)
		sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(statement, at);
}

static int
put(struct file *file, const struct bindings_record *record)
{
	char peer[RELAY_ADDR_TEXT];

	sqlite3_bind_int64(file->put, 1, (sqlite3_int64)record->id);
	bind_text(file->put, 2, record->user);
	bind_text(file->put, 3, record->contact);
	bind_text(file->put, 4, record->instance);
	bind_text(file->put, 5, record->path);
	bind_text(file->put, 6, record->call_id);
	sqlite3_bind_int64(file->put, 7, record->cseq);
	sqlite3_bind_int64(file->put, 8, record->reg_id);
	sqlite3_bind_int64(file->put, 9, record->q);
	sqlite3_bind_int64(file->put, 10, record->expires);
	bind_text(file->put, 11, relay_ip_format(&record->peer, peer));
	int step = sqlite3_step(file->put);
	sqlite3_reset(file->put);
	return step;
}

static int
write_one(struct file *file, const struct bindings_op *op)
{
	int step;

	switch (op->kind) {
	case BINDINGS_PUT:
		return put(file, &op->record);
	case BINDINGS_REMOVE:
		sqlite3_bind_int64(file->remove, 1, (sqlite3_int64)op->record.id);
		step = sqlite3_step(file->remove);
		sqlite3_reset(file->remove);
		return step;
	case BINDINGS_RENEW:
		step = sqlite3_exec(file->db, "UPDATE bindings SET renewed = 0", NULL, NULL, NULL);
		break;
	default:
		step = sqlite3_exec(
			file->db, "DELETE FROM bindings WHERE renewed = 0", NULL, NULL, NULL);
		break;
	}
	return step == SQLITE_OK ? SQLITE_DONE : step;
}

static int
write_all(void *store, const struct bindings_op *first, char *error)
{
	struct file *file = store;
	int result = run(file, "BEGIN IMMEDIATE", error);

	for (const struct bindings_op *op = first; op != NULL && result == 0; op = op->next)
		if (write_one(file, op) != SQLITE_DONE)
			result = fault(file, error);
	if (result == 0)
		result = run(file, "COMMIT", error);
	if (result != 0 && !sqlite3_get_autocommit(file->db))
		sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

/* The log of a damaged file must not be played into a new one. */
static int
set_aside(const char *path, char *error)
{
	char other[4096 + 16];

	snprintf(other, sizeof(other), "%s.damaged", path);
	if (rename(path, other) != 0) {
		int result = -errno;
		snprintf(error, BINDINGS_ERROR_SIZE, "%s: damaged, and can't be moved aside: %s",
			path, strerror(-result));
		return result;
	}
	snprintf(other, sizeof(other), "%s-wal", path);
	unlink(other);
	snprintf(other, sizeof(other), "%s-shm", path);
	unlink(other);
	return 0;
}

static void
label(const char *path, char *out)
{
	snprintf(out, BINDINGS_LABEL_SIZE, "%s", path);
}

const struct bindings_kind bindings_file = {
	label, open_file, load, write_all, set_aside, close_file};
