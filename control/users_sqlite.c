/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding, adding, removing users. How the file is opened is in users_sqlite_file.c. */
#include "users_sqlite.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Binds a statement's texts, in order. */
static int
bind(struct users_sqlite *users, sqlite3_stmt *statement, const char *const *texts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC) !=
			SQLITE_OK)
			return users_sqlite_fault(users, "read");
	return 0;
}

/* Prepares a statement that is used once, and binds its texts. */
static int
prepare(struct users_sqlite *users, const char *sql, const char *const *texts, unsigned count,
	sqlite3_stmt **out)
{
	int result = users_sqlite_reopen_if_replaced(users);

	*out = NULL;
	if (result == 0 && sqlite3_prepare_v2(users->db, sql, -1, out, NULL) != SQLITE_OK)
		result = users_sqlite_fault(users, "read");
	if (result == 0)
		result = bind(users, *out, texts, count);
	if (result != 0) {
		sqlite3_finalize(*out);
		*out = NULL;
	}
	return result;
}

/* A column's text; false if it does not fit: then another program wrote it. */
static bool
copy_text(sqlite3_stmt *statement, int column, char *to, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return text != NULL && (size_t)snprintf(to, size, "%s", text) < size;
}

static int
read_hashes(struct users_sqlite *users, sqlite3_stmt *statement, struct user *out)
{
	int result = 0;

	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT && result == 0; i++)
		result = users_take_hash(&users->base, users->path, out, (enum digest_algorithm)i,
			(const char *)sqlite3_column_text(statement, (int)i));
	out->created = sqlite3_column_int64(statement, 3);
	return result;
}

static int
keep_prepared(struct users_sqlite *users, const char *sql, sqlite3_stmt **statement)
{
	if (*statement == NULL && sqlite3_prepare_v3(users->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
					  statement, NULL) != SQLITE_OK)
		return users_sqlite_fault(users, "read");
	return 0;
}

/* The turn is over: a writer may have the file. */
static void
end_reading(void *arg)
{
	struct users_sqlite *users = arg;

	users->reading = false;
	sqlite3_step(users->commit);
	sqlite3_reset(users->commit);
}

/* The first of a turn looks at the file, and begins what the lock is held for by the first find. */
static int
begin_reading(struct users_sqlite *users)
{
	if (users->reading)
		return 0;
	int result = users_sqlite_reopen_if_replaced(users);
	if (result != 0 || users->turn.run == NULL)
		return result;
	result = keep_prepared(users, "BEGIN", &users->begin);
	if (result == 0)
		result = keep_prepared(users, "COMMIT", &users->commit);
	if (result != 0)
		return result;
	if (sqlite3_get_autocommit(users->db)) {
		if (sqlite3_step(users->begin) != SQLITE_DONE)
			result = users_sqlite_fault(users, "read");
		sqlite3_reset(users->begin);
		if (result != 0)
			return result;
	}
	users->reading = true;
	turn_end_want(&users->turn);
	return 0;
}

static int
find(struct users *base, struct user *out)
{
	struct users_sqlite *users = (struct users_sqlite *)base;
	const char *const texts[] = {out->name, out->realm};
	int result = begin_reading(users);

	if (result == 0)
		result = keep_prepared(users,
			"SELECT ha1_md5, ha1_sha256, ha1_sha512_256, created FROM users"
			" WHERE name = ?1 AND realm = ?2",
			&users->find);
	if (result == 0)
		result = bind(users, users->find, texts, 2);
	if (result != 0)
		return result;
	switch (sqlite3_step(users->find)) {
	case SQLITE_ROW:
		result = read_hashes(users, users->find, out);
		break;
	case SQLITE_DONE:
		result = users_fail(&users->base, -ENOENT, "there is no user %s in realm %s",
			out->name, out->realm);
		break;
	default:
		result = users_sqlite_fault(users, "read");
	}
	sqlite3_reset(users->find); /* lets go of the lock, but within a turn */
	sqlite3_clear_bindings(users->find);
	return result;
}

static int
step_once(struct users_sqlite *users, sqlite3_stmt *statement)
{
	int result =
		sqlite3_step(statement) == SQLITE_DONE ? 0 : users_sqlite_fault(users, "write");

	sqlite3_finalize(statement);
	return result;
}

static int
add(struct users *base, const struct user *user)
{
	struct users_sqlite *users = (struct users_sqlite *)base;
	const char *const texts[] = {user->name, user->realm, user->ha1[DIGEST_MD5],
		user->ha1[DIGEST_SHA_256], user->ha1[DIGEST_SHA_512_256]};
	sqlite3_stmt *statement;
	int result = prepare(users,
		"INSERT INTO users (name, realm, ha1_md5, ha1_sha256, ha1_sha512_256, "
		"created) VALUES (?1, ?2, ?3, ?4, ?5, CAST(strftime('%s') AS INTEGER))",
		texts, 5, &statement);

	return result == 0 ? step_once(users, statement) : result;
}

static int
del(struct users *base, const char *name, const char *realm)
{
	struct users_sqlite *users = (struct users_sqlite *)base;
	const char *const texts[] = {name, realm};
	sqlite3_stmt *statement;
	int result = prepare(
		users, "DELETE FROM users WHERE name = ?1 AND realm = ?2", texts, 2, &statement);

	if (result == 0)
		result = step_once(users, statement);
	if (result == 0 && sqlite3_changes(users->db) == 0)
		result = users_fail(
			&users->base, -ENOENT, "there is no user %s in realm %s", name, realm);
	return result;
}

static int
list(struct users *base, users_list_cb *cb, void *arg)
{
	struct users_sqlite *users = (struct users_sqlite *)base;
	sqlite3_stmt *statement;
	int row, result = prepare(users,
			 "SELECT name, realm, created FROM users ORDER BY realm, name", NULL, 0,
			 &statement);

	if (result != 0)
		return result;
	while (result == 0 && (row = sqlite3_step(statement)) != SQLITE_DONE) {
		struct user user = {.created = 0};
		if (row != SQLITE_ROW)
			result = users_sqlite_fault(users, "read");
		else if (!copy_text(statement, 0, user.name, sizeof(user.name)) ||
			 !copy_text(statement, 1, user.realm, sizeof(user.realm)))
			result = users_fail(&users->base, -EBADMSG,
				"%s: a name in it is longer than any that Sallyport wrote",
				users->path);
		else {
			user.created = sqlite3_column_int64(statement, 2);
			result = cb(arg, &user);
		}
	}
	sqlite3_finalize(statement);
	return result;
}

static int
transact(struct users *base, const char *sql)
{
	struct users_sqlite *users = (struct users_sqlite *)base;

	return sqlite3_exec(users->db, sql, NULL, NULL, NULL) == SQLITE_OK
	               ? 0
	               : users_sqlite_fault(users, "write");
}

static int
start(struct users *base, const struct config_store *config)
{
	struct users_sqlite *users = (struct users_sqlite *)base;

	users->turn = (struct turn_end){.run = end_reading, .arg = users};
	return 0;
}

static void
close_file(struct users *base)
{
	struct users_sqlite *users = (struct users_sqlite *)base;

	turn_end_forget(&users->turn);
	users_sqlite_forget_prepared(users);
	sqlite3_close(users->db);
	free(users->path);
	free(users);
}

int
users_sqlite_open(const char *path, enum users_mode mode, struct users **out)
{
	static const struct users_ops ops = {.find = find,
		.add = add,
		.del = del,
		.list = list,
		.transact = transact,
		.start = start,
		.close = close_file};
	struct users_sqlite *users = calloc(1, sizeof(*users));

	*out = NULL;
	if (users == NULL || (users->path = strdup(path)) == NULL) {
		free(users);
		return -ENOMEM;
	}
	users->base.ops = &ops;
	users->base.mode = mode;
	*out = &users->base;
	return users_sqlite_open_file(users);
}
