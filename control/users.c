/* SPDX-License-Identifier: BSD-3-Clause */
/* What all stores have in common: what a user may be called, hashes, and the dummy. */
#include "users.h"

#include "relay/log.h"
#include "users_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdarg.h>
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

int
users_fail(struct users *users, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(users->error, sizeof(users->error), format, args);
	va_end(args);
	return error;
}

bool
users_is_url(const char *where)
{
	return strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
}

/* Random digits: the hash of no password that anybody knows. */
static int
make_dummy(struct users *users)
{
	unsigned char random[DIGEST_HEX_SIZE];

	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		size_t length = digest_hex_length((enum digest_algorithm)i);
		if (RAND_bytes(random, (int)length) != 1)
			return users_fail(users, -EIO, "no random numbers: check OpenSSL");
		for (size_t j = 0; j < length; j++)
			users->dummy[i][j] = "0123456789abcdef"[random[j] & 15];
	}
	return 0;
}

int
users_open(
	const char *where, enum users_mode mode, struct users **out, char *error, size_t error_size)
{
	struct users *users;
	int result = users_is_url(where) ? users_postgres_open(where, mode, &users)
	                                 : users_sqlite_open(where, mode, &users);

	*out = NULL;
	if (result == 0)
		result = make_dummy(users);
	if (result == 0)
		*out = users;
	if (result == 0)
		return 0;
	snprintf(error, error_size, "%s", users != NULL ? users->error : "out of memory");
	users_close(users);
	return result;
}

int
users_start(struct users *users, const struct config_store *config)
{
	return users->ops->start != NULL ? users->ops->start(users, config) : 0;
}

void
users_close(struct users *users)
{
	if (users != NULL)
		users->ops->close(users);
}

static bool
is_hash(const char *hex, enum digest_algorithm algorithm)
{
	size_t length = digest_hex_length(algorithm);

	return strlen(hex) == length && strspn(hex, "0123456789abcdef") == length;
}

int
users_take_hash(struct users *users, const char *where, struct user *user,
	enum digest_algorithm algorithm, const char *hex)
{
	if (hex == NULL || (hex[0] != '\0' && !is_hash(hex, algorithm)))
		return users_fail(users, -EBADMSG,
			"%s: the %s hash of user %s is damaged: remove the user and add it again",
			where, digest_algorithm_name(algorithm), user->name);
	snprintf(user->ha1[algorithm], sizeof(user->ha1[algorithm]), "%s", hex);
	return 0;
}

/* Says once that the store can't be read, not for each phone. */
static void
note(struct users *users, bool away)
{
	if (away && !users->away && !users->quiet)
		log_error("%s: who has to log in is told to come back", users->error);
	else if (!away && users->away && !users->quiet)
		log_info("the users' store can be read again");
	users->away = away;
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
	result = users->ops->find(users, out);
	note(users, result != 0 && result != -ENOENT);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		if (result != 0 || out->ha1[i][0] == '\0')
			memcpy(out->ha1[i], users->dummy[i], sizeof(out->ha1[i]));
	return result;
}

static int
check_name(struct users *users, const char *name, const char *realm)
{
	const char *fault = user_name_fault(name);

	if (fault == NULL)
		fault = user_realm_fault(realm);
	return fault == NULL ? 0 : users_fail(users, -EINVAL, "%s", fault);
}

int
users_add_hashes(struct users *users, const struct user *user)
{
	int result = check_name(users, user->name, user->realm);
	bool any = false;

	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT && result == 0; i++) {
		any = any || user->ha1[i][0] != '\0';
		if (user->ha1[i][0] != '\0' && !is_hash(user->ha1[i], (enum digest_algorithm)i))
			result = users_fail(users, -EINVAL,
				"a hash of %s has %zu digits of 0-9 and a-f",
				digest_algorithm_name((enum digest_algorithm)i),
				digest_hex_length((enum digest_algorithm)i));
	}
	if (result == 0 && !any)
		result = users_fail(users, -EINVAL, "a password or a hash is missing");
	if (result == 0)
		result = users->ops->add(users, user);
	if (result == -EEXIST)
		users_fail(users, result,
			"user %s in realm %s exists already: remove it first to change the "
			"password",
			user->name, user->realm);
	return result;
}

int
users_add(struct users *users, const char *name, const char *realm, const char *password)
{
	struct user user = {.name = ""};
	const char *fault = user_password_fault(password);
	int result = check_name(users, name, realm);

	if (result == 0 && fault != NULL)
		result = users_fail(users, -EINVAL, "%s", fault);
	if (result != 0)
		return result;
	snprintf(user.name, sizeof(user.name), "%s", name);
	snprintf(user.realm, sizeof(user.realm), "%s", realm);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT && result == 0; i++)
		if (digest_ha1((enum digest_algorithm)i, name, realm, password, user.ha1[i]) != 0)
			result = users_fail(users, -EIO,
				"OpenSSL can't do %s: check its configuration",
				digest_algorithm_name((enum digest_algorithm)i));
	if (result == 0)
		result = users_add_hashes(users, &user);
	user_wipe(&user);
	return result;
}

int
users_begin(struct users *users)
{
	return users->ops->transact(users, "BEGIN");
}

int
users_commit(struct users *users)
{
	return users->ops->transact(users, "COMMIT");
}

int
users_del(struct users *users, const char *name, const char *realm)
{
	int result = users->ops->del(users, name, realm);

	if (result == -ENOENT)
		users_fail(users, result, "there is no user %s in realm %s", name, realm);
	return result;
}

int
users_list(struct users *users, users_list_cb *cb, void *arg)
{
	return users->ops->list(users, cb, arg);
}
