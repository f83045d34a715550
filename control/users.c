/* SPDX-License-Identifier: BSD-3-Clause */
#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION_ID 0x53616c79 /* "Saly": PRAGMA application_id */
#define SCHEMA_VERSION 1          /* PRAGMA user_version */
#define BUSY_MS 2000              /* a writer holds the lock for milliseconds */

struct users {
	sqlite3 *database;
	sqlite3_stmt *find; /* prepared once: it runs for every request */
	char *path;
	enum users_mode mode;
	dev_t device; /* of the file that is open: it may be replaced */
	ino_t inode;
	char error[USERS_ERROR_SIZE];
};

static const char schema[] =
	"CREATE TABLE users ("
	" name TEXT NOT NULL, realm TEXT NOT NULL,"
	" ha1_md5 TEXT NOT NULL, ha1_sha256 TEXT NOT NULL, ha1_sha512_256 TEXT NOT NULL,"
	" created INTEGER NOT NULL, PRIMARY KEY (realm, name)) WITHOUT ROWID";

static int __attribute__((format(printf, 3, 4)))
fail(struct users *users, int result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(users->error, sizeof(users->error), format, args);
	va_end(args);
	return result;
}

/* SQLite's last failure, as a -errno and a sentence with a cure. */
static int
fail_sqlite(struct users *users)
{
	static const struct {
		int code;
		int result;
		const char *text;
	} known[] = {
		{SQLITE_BUSY, -EBUSY, "is locked by another program: try again"},
		{SQLITE_LOCKED, -EBUSY, "is locked by another program: try again"},
		{SQLITE_FULL, -ENOSPC, "can't grow: the disk is full; make room"},
		{SQLITE_READONLY, -EROFS, "can't be written to: is it read-only, or its folder?"},
		{SQLITE_CORRUPT, -EBADMSG, "is damaged: restore it from a backup"},
		{SQLITE_NOTADB, -EBADMSG, "is no database: name the right file"},
		{SQLITE_CANTOPEN, -EACCES, "can't be opened: check its and its folder's rights"},
		{SQLITE_PERM, -EACCES, "can't be opened: check its and its folder's rights"},
		{SQLITE_NOMEM, -ENOMEM, "can't be read: no memory"},
	};
	int code = sqlite3_errcode(users->database) & 0xff;

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return fail(users, known[i].result, "users' store %s %s", users->path,
				known[i].text);
	return fail(users, -EIO, "users' store %s can't be used: %s", users->path,
		sqlite3_errmsg(users->database));
}

static int
run(struct users *users, const char *sql)
{
	return sqlite3_exec(users->database, sql, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : fail_sqlite(users);
}

/* The number that a PRAGMA or SELECT yields. */
static int
ask_number(struct users *users, const char *sql, int *out)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (sqlite3_prepare_v2(users->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return fail_sqlite(users);
	if (sqlite3_step(statement) == SQLITE_ROW)
		*out = sqlite3_column_int(statement, 0);
	else
		result = fail_sqlite(users);
	sqlite3_finalize(statement);
	return result;
}

/* Is the database ours, and of a release we know? An empty one becomes ours. */
static int
check_schema(struct users *users)
{
	int application, version, tables;
	int result = ask_number(users, "PRAGMA application_id", &application);

	if (result == 0)
		result = ask_number(users, "PRAGMA user_version", &version);
	if (result == 0)
		result = ask_number(users, "SELECT count(*) FROM sqlite_master", &tables);
	if (result != 0)
		return result;
	if (application == APPLICATION_ID && version == SCHEMA_VERSION)
		return 0;
	if (application == APPLICATION_ID)
		return fail(users, -EPROTO,
			"users' store %s is of version %d, this release knows %d: upgrade",
			users->path, version, SCHEMA_VERSION);
	if (tables != 0 || users->mode != USERS_CREATE)
		return fail(users, tables != 0 ? -EPROTO : -EBADMSG,
			"users' store %s is %s: name the right file, or add a user to make one",
			users->path, tables != 0 ? "another program's database" : "empty");
	char sql[512];
	snprintf(sql, sizeof(sql),
		"BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		schema, APPLICATION_ID, SCHEMA_VERSION);
	return run(users, sql);
}

/* Makes the file with the folder's group before SQLite would, so that its rights are right. */
static int
create_file(struct users *users)
{
	char copy[4096];
	struct stat folder;
	int fd = open(users->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0)
		return errno == EEXIST ? 0
		                       : fail(users, -errno, "users' store %s can't be made: %s",
						 users->path, strerror(errno));
	snprintf(copy, sizeof(copy), "%s", users->path);
	if (stat(dirname(copy), &folder) == 0 && fchown(fd, (uid_t)-1, folder.st_gid) != 0)
		fchmod(fd, 0600); /* not ours to give: then only for its owner */
	close(fd);
	return 0;
}

static int
open_database(struct users *users)
{
	int flags = users->mode == USERS_READ ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
	struct stat facts;
	int result;

	if (users->mode == USERS_CREATE && (result = create_file(users)) != 0)
		return result;
	if (stat(users->path, &facts) != 0)
		return fail(users, -errno, "users' store %s can't be opened: %s%s", users->path,
			strerror(errno),
			errno == ENOENT ? ": add a user to make it (sallyctl user add NAME)" : "");
	users->device = facts.st_dev;
	users->inode = facts.st_ino;
	if (sqlite3_open_v2(users->path, &users->database, flags | SQLITE_OPEN_NOFOLLOW, NULL) !=
		SQLITE_OK)
		return users->database != NULL ? fail_sqlite(users)
		                               : fail(users, -ENOMEM, "no memory for SQLite");
	sqlite3_busy_timeout(users->database, BUSY_MS);
	/* a damaged or hostile file must not make SQLite run what is stored in it */
	sqlite3_db_config(users->database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(users->database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	if ((result = run(users, "PRAGMA secure_delete = ON; PRAGMA cell_size_check = ON")) != 0 ||
		(result = check_schema(users)) != 0)
		return result;
	if (sqlite3_prepare_v3(users->database,
		    "SELECT ha1_md5, ha1_sha256, ha1_sha512_256, created FROM users"
		    " WHERE realm = ?1 AND name = ?2",
		    -1, SQLITE_PREPARE_PERSISTENT, &users->find, NULL) != SQLITE_OK)
		return fail_sqlite(users);
	return 0;
}

static void
close_database(struct users *users)
{
	sqlite3_finalize(users->find);
	sqlite3_close(users->database);
	users->find = NULL;
	users->database = NULL;
}

int
users_open(
	const char *path, enum users_mode mode, struct users **out, char *error, size_t error_size)
{
	struct users *users = calloc(1, sizeof(*users));
	int result;

	if (users == NULL || (users->path = strdup(path)) == NULL) {
		free(users);
		snprintf(error, error_size, "no memory for the users' store");
		return -ENOMEM;
	}
	users->mode = mode;
	result = open_database(users);
	if (result != 0) {
		snprintf(error, error_size, "%s", users->error);
		users_close(users);
		return result;
	}
	*out = users;
	return 0;
}

void
users_close(struct users *users)
{
	if (users == NULL)
		return;
	close_database(users);
	free(users->path);
	free(users);
}

const char *
users_error(const struct users *users)
{
	return users->error;
}

/* Opens the file anew when another one lies at its path now (a restored backup), or when the last
 * try failed. */
static int
follow_file(struct users *users)
{
	struct stat facts;

	if (users->find != NULL && stat(users->path, &facts) == 0 &&
		facts.st_dev == users->device && facts.st_ino == users->inode)
		return 0;
	close_database(users);
	return open_database(users);
}

/* Copies a column of exactly the algorithm's hex digits. */
static bool
copy_hash(sqlite3_stmt *row, int column, enum digest_algorithm algorithm, char *out)
{
	const unsigned char *text = sqlite3_column_text(row, column);
	size_t length = digest_hex_length(algorithm);

	if (text == NULL || strlen((const char *)text) != length)
		return false;
	memcpy(out, text, length + 1);
	return true;
}

static void
fill_dummy(struct user *out)
{
	memset(out, 0, sizeof(*out));
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		memset(out->ha1[i], 'x', digest_hex_length((enum digest_algorithm)i));
}

static int
find_row(struct users *users, const char *name, const char *realm, struct user *out)
{
	sqlite3_bind_text(users->find, 1, realm, -1, SQLITE_STATIC);
	sqlite3_bind_text(users->find, 2, name, -1, SQLITE_STATIC);
	int step = sqlite3_step(users->find);
	if (step == SQLITE_DONE)
		return -ENOENT;
	if (step != SQLITE_ROW)
		return fail_sqlite(users);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		if (!copy_hash(users->find, (int)i, (enum digest_algorithm)i, out->ha1[i]))
			return fail(users, -EBADMSG,
				"users' store %s: the hashes of %s are damaged: add the user anew",
				users->path, name);
	out->created = sqlite3_column_int64(users->find, DIGEST_ALGORITHM_COUNT);
	snprintf(out->name, sizeof(out->name), "%s", name);
	snprintf(out->realm, sizeof(out->realm), "%s", realm);
	return 0;
}

int
users_find(struct users *users, const char *name, const char *realm, struct user *out)
{
	int result = follow_file(users);

	fill_dummy(out);
	if (result != 0)
		return result == -ENOENT ? -EIO : result;
	/* what can't be a name is looked up all the same, so that it costs the same */
	result = find_row(users, name, realm, out);
	sqlite3_reset(users->find);
	sqlite3_clear_bindings(users->find);
	if (result != 0)
		fill_dummy(out);
	return result;
}

static int
insert(struct users *users, const struct user *user)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (sqlite3_prepare_v2(users->database, "INSERT INTO users VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		    -1, &statement, NULL) != SQLITE_OK)
		return fail_sqlite(users);
	sqlite3_bind_text(statement, 1, user->name, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, user->realm, -1, SQLITE_STATIC);
	for (int i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		sqlite3_bind_text(statement, 3 + i, user->ha1[i], -1, SQLITE_STATIC);
	sqlite3_bind_int64(statement, 3 + DIGEST_ALGORITHM_COUNT, user->created);
	if (sqlite3_step(statement) != SQLITE_DONE)
		result = (sqlite3_errcode(users->database) & 0xff) == SQLITE_CONSTRAINT
		                 ? fail(users, -EEXIST,
					   "there is a user %s in %s already: delete it first to "
		                           "give it "
					   "another password",
					   user->name, user->realm)
		                 : fail_sqlite(users);
	sqlite3_finalize(statement);
	return result;
}

int
users_add(struct users *users, const char *name, const char *realm, const char *password)
{
	const char *fault = user_name_fault(name);
	struct user user = {.created = (int64_t)time(NULL)};
	int result = 0;

	if (fault == NULL)
		fault = user_realm_fault(realm);
	if (fault == NULL)
		fault = user_password_fault(password);
	if (fault != NULL)
		return fail(users, -EINVAL, "the user can't be added: %s", fault);
	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(user.realm, sizeof(user.realm), "%s", realm);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT && result == 0; i++)
		result = digest_ha1((enum digest_algorithm)i, name, realm, password, user.ha1[i]);
	if (result != 0)
		fail(users, result, "OpenSSL can't make the hashes of user %s", name);
	else
		result = insert(users, &user);
	user_wipe(&user);
	return result;
}

int
users_del(struct users *users, const char *name, const char *realm)
{
	sqlite3_stmt *statement;
	int result = 0;

	if (sqlite3_prepare_v2(users->database, "DELETE FROM users WHERE realm = ?1 AND name = ?2",
		    -1, &statement, NULL) != SQLITE_OK)
		return fail_sqlite(users);
	sqlite3_bind_text(statement, 1, realm, -1, SQLITE_STATIC);
	sqlite3_bind_text(statement, 2, name, -1, SQLITE_STATIC);
	if (sqlite3_step(statement) != SQLITE_DONE)
		result = fail_sqlite(users);
	else if (sqlite3_changes(users->database) == 0)
		result = fail(users, -ENOENT, "there is no user %s in %s", name, realm);
	sqlite3_finalize(statement);
	return result;
}

int
users_list(struct users *users, users_list_cb *cb, void *arg)
{
	sqlite3_stmt *statement;
	int result = 0, step;

	if (sqlite3_prepare_v2(users->database,
		    "SELECT name, realm, created FROM users ORDER BY realm, name", -1, &statement,
		    NULL) != SQLITE_OK)
		return fail_sqlite(users);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW && result == 0) {
		struct user user = {.created = sqlite3_column_int64(statement, 2)};
		snprintf(user.name, sizeof(user.name), "%s",
			(const char *)sqlite3_column_text(statement, 0));
		snprintf(user.realm, sizeof(user.realm), "%s",
			(const char *)sqlite3_column_text(statement, 1));
		result = cb(arg, &user);
	}
	if (result == 0 && step != SQLITE_DONE)
		result = fail_sqlite(users);
	sqlite3_finalize(statement);
	return result;
}

const char *
user_name_fault(const char *name)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._+";

	if (name[0] == '\0' || strlen(name) >= USER_NAME_SIZE)
		return "a user's name has 1 to 64 characters";
	if (name[strspn(name, allowed)] != '\0')
		return "a user's name is made of letters, digits, - . _ and +";
	return NULL;
}

const char *
user_realm_fault(const char *realm)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.:[]";

	if (realm[0] == '\0' || strlen(realm) >= USER_REALM_SIZE)
		return "a realm has 1 to 253 characters";
	if (realm[strspn(realm, allowed)] != '\0')
		return "a realm is a host name or an address";
	return NULL;
}

const char *
user_password_fault(const char *password)
{
	if (password[0] == '\0' || strlen(password) >= USER_PASSWORD_SIZE)
		return "a password has 1 to 256 bytes";
	for (const char *at = password; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "a password has no control characters";
	return NULL;
}

void
user_wipe(struct user *user)
{
	OPENSSL_cleanse(user, sizeof(*user));
}
