/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding, adding, removing users. How the file is opened is in users_file.c. */
#include "users.h"

#include "users_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *
user_name_fault(const char *name)
{
	size_t length = strlen(name);

	if (length == 0)
		return "a user's name is missing";
	if (length >= USER_NAME_SIZE)
		return "a user's name has at most 64 characters";
	if (strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._+") !=
		length)
		return "a user's name is made of A-Z a-z 0-9 - . _ +";
	return NULL;
}

const char *
user_realm_fault(const char *realm)
{
	size_t length = strlen(realm);

	if (length == 0)
		return "the realm is missing";
	if (length >= USER_REALM_SIZE)
		return "a realm has at most 253 characters";
	if (strspn(realm, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:[]") !=
		length)
		return "a realm is a host name or an address: A-Z a-z 0-9 - . _ : [ ]";
	return NULL;
}

const char *
user_password_fault(const char *password)
{
	size_t length = strlen(password);

	if (length == 0)
		return "the password is empty";
	if (length >= USER_PASSWORD_SIZE)
		return "a password has at most 256 bytes";
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)password[i] < 0x20 || password[i] == 0x7f)
			return "a password has no control characters";
	return NULL;
}

void
user_wipe(struct user *user)
{
	OPENSSL_cleanse(user, sizeof(*user));
}

const char *
users_error(const struct users *users)
{
	return users->error;
}

/* Keeps the sentence, and returns the error. */
static int
fail(struct users *users, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

static int
fail(struct users *users, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(users->error, sizeof(users->error), format, args);
	va_end(args);
	return error;
}

/* Binds a statement's texts, in order. */
static int
bind(struct users *users, sqlite3_stmt *statement, const char *const *texts, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (sqlite3_bind_text(statement, (int)i + 1, texts[i], -1, SQLITE_STATIC) !=
			SQLITE_OK)
			return users_fault(users, "read");
	return 0;
}

/* Prepares a statement that is used once, and binds its texts. */
static int
prepare(struct users *users, const char *sql, const char *const *texts, unsigned count,
	sqlite3_stmt **out)
{
	int result = users_reopen_if_replaced(users);

	*out = NULL;
	if (result == 0 && sqlite3_prepare_v2(users->db, sql, -1, out, NULL) != SQLITE_OK)
		result = users_fault(users, "read");
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

static bool
is_hash(const char *hex, enum digest_algorithm algorithm)
{
	size_t length = digest_hex_length(algorithm);

	return strlen(hex) == length && strspn(hex, "0123456789abcdef") == length;
}

static int
read_hashes(struct users *users, sqlite3_stmt *statement, struct user *out)
{
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		if (!copy_text(statement, (int)i, out->ha1[i], sizeof(out->ha1[i])) ||
			!is_hash(out->ha1[i], (enum digest_algorithm)i))
			return fail(users, -EBADMSG,
				"%s: the %s hash of user %s is damaged: remove the user and add "
				"it again",
				users->path, digest_algorithm_name((enum digest_algorithm)i),
				out->name);
	out->created = sqlite3_column_int64(statement, 3);
	return 0;
}

static int
find(struct users *users, struct user *out)
{
	const char *const texts[] = {out->name, out->realm};
	int result = users_reopen_if_replaced(users);

	if (result == 0 && users->find == NULL &&
		sqlite3_prepare_v3(users->db,
			"SELECT ha1_md5, ha1_sha256, ha1_sha512_256, created FROM users"
			" WHERE name = ?1 AND realm = ?2",
			-1, SQLITE_PREPARE_PERSISTENT, &users->find, NULL) != SQLITE_OK)
		result = users_fault(users, "read");
	if (result == 0)
		result = bind(users, users->find, texts, 2);
	if (result != 0)
		return result;
	switch (sqlite3_step(users->find)) {
	case SQLITE_ROW:
		result = read_hashes(users, users->find, out);
		break;
	case SQLITE_DONE:
		result = fail(
			users, -ENOENT, "there is no user %s in realm %s", out->name, out->realm);
		break;
	default:
		result = users_fault(users, "read");
	}
	sqlite3_reset(users->find); /* lets go of the lock */
	sqlite3_clear_bindings(users->find);
	return result;
}

int
users_find(struct users *users, const char *name, const char *realm, struct user *out)
{
	int result;

	memset(out, 0, sizeof(*out));
	/* what is too long for a name is looked up all the same, as the empty name, which nobody
	 * has */
	if ((size_t)snprintf(out->name, sizeof(out->name), "%s", name) >= sizeof(out->name))
		out->name[0] = '\0';
	if ((size_t)snprintf(out->realm, sizeof(out->realm), "%s", realm) >= sizeof(out->realm))
		out->realm[0] = '\0';
	result = find(users, out);
	if (result != 0)
		memcpy(out->ha1, users->dummy, sizeof(out->ha1));
	return result;
}

static int
step_once(struct users *users, sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement) == SQLITE_DONE ? 0 : users_fault(users, "write");

	sqlite3_finalize(statement);
	return result;
}

int
users_add(struct users *users, const char *name, const char *realm, const char *password)
{
	char ha1[DIGEST_ALGORITHM_COUNT][DIGEST_HEX_SIZE];
	const char *const texts[] = {
		name, realm, ha1[DIGEST_MD5], ha1[DIGEST_SHA_256], ha1[DIGEST_SHA_512_256]};
	const char *fault = user_name_fault(name);
	sqlite3_stmt *statement;
	int result = 0;

	if (fault == NULL)
		fault = user_realm_fault(realm);
	if (fault == NULL)
		fault = user_password_fault(password);
	if (fault != NULL)
		return fail(users, -EINVAL, "%s", fault);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT && result == 0; i++)
		if (digest_ha1((enum digest_algorithm)i, name, realm, password, ha1[i]) != 0)
			result = fail(users, -EIO, "OpenSSL can't do %s: check its configuration",
				digest_algorithm_name((enum digest_algorithm)i));
	if (result == 0)
		result = prepare(users,
			"INSERT INTO users (name, realm, ha1_md5, ha1_sha256, ha1_sha512_256, "
			"created) VALUES (?1, ?2, ?3, ?4, ?5, CAST(strftime('%s') AS INTEGER))",
			texts, 5, &statement);
	if (result == 0)
		result = step_once(users, statement);
	if (result == -EEXIST)
		fail(users, result,
			"user %s in realm %s exists already: remove it first to change the "
			"password",
			name, realm);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	return result;
}

int
users_del(struct users *users, const char *name, const char *realm)
{
	const char *const texts[] = {name, realm};
	sqlite3_stmt *statement;
	int result = prepare(
		users, "DELETE FROM users WHERE name = ?1 AND realm = ?2", texts, 2, &statement);

	if (result == 0)
		result = step_once(users, statement);
	if (result == 0 && sqlite3_changes(users->db) == 0)
		result = fail(users, -ENOENT, "there is no user %s in realm %s", name, realm);
	return result;
}

int
users_list(struct users *users, users_list_cb *cb, void *arg)
{
	sqlite3_stmt *statement;
	int row, result = prepare(users,
			 "SELECT name, realm, created FROM users ORDER BY realm, name", NULL, 0,
			 &statement);

	if (result != 0)
		return result;
	while (result == 0 && (row = sqlite3_step(statement)) != SQLITE_DONE) {
		struct user user = {.created = 0};
		if (row != SQLITE_ROW)
			result = users_fault(users, "read");
		else if (!copy_text(statement, 0, user.name, sizeof(user.name)) ||
			 !copy_text(statement, 1, user.realm, sizeof(user.realm)))
			result = fail(users, -EBADMSG,
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
