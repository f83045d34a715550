/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of users: an SQLite file, or a PostgreSQL database that several machines share; hashes
 * only, never a password. One thread for each struct users. */
#ifndef CONTROL_USERS_H
#define CONTROL_USERS_H

#include "digest_hash.h"
#include "relay/config_auth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define USER_NAME_SIZE 65 /* bytes, with the NUL */
#define USER_REALM_SIZE 254
#define USER_PASSWORD_SIZE 257
#define USERS_ERROR_SIZE 512 /* room for any sentence */

struct user {
	char name[USER_NAME_SIZE];
	char realm[USER_REALM_SIZE];
	char ha1[DIGEST_ALGORITHM_COUNT][DIGEST_HEX_SIZE]; /* wipe with user_wipe() */
	int64_t created;                                   /* seconds since 1970 */
};

enum users_mode {
	USERS_READ,   /* sallyport-sip */
	USERS_WRITE,  /* the file must exist */
	USERS_CREATE, /* made when absent: mode 0640, the folder's group */
};

struct users;

/* Opens the store: a path, or a URL of libpq ("postgresql://..."), whose server is asked for by
 * what comes first that needs it; modes other than USERS_READ need it at once. 0 and *out, or a
 * -errno after one sentence (object, cause, cure) was written into error: -ENOENT missing, -EACCES
 * no right to, -EBADMSG no database or damaged, -EPROTO a database of another program or a later
 * release, -EROFS, -EBUSY locked, -ENOSPC disk full, -EIO, -ENOMEM, -EINVAL no such URL, -EAGAIN
 * away: no connection, or no answer. */
int users_open(const char *where, enum users_mode mode, struct users **out, char *error,
	size_t error_size);
void users_close(struct users *users);

/* Is it a URL, and no path? */
bool users_is_url(const char *where);

/* From here on users_find() serves an event loop: a server is asked by a thread of its own, which
 * connects anew by itself, and users_find() waits for it no longer than config->wait_ms; a user
 * that was found within config->cache_s is found though the server is away. Call it when privileges
 * are left, for the thread has those of its maker. `config` is copied. 0, -ENOMEM, -EAGAIN (no
 * thread). */
int users_start(struct users *users, const struct config_store *config);

/* The sentence to the last failure of a function below. */
const char *users_error(const struct users *users);

/* The user of that name in that realm (both exact). 0; or -ENOENT: no such user, and out->ha1 holds
 * a dummy that no password matches, to go on with so that both cost the same; so does the hash of
 * an algorithm that the store has none for. Any other -errno: the store can't be read, nothing is
 * known; the log has been told, once. */
int users_find(struct users *users, const char *name, const char *realm, struct user *out);

/* Adds a user: hashes the password for every algorithm. -EEXIST, -EINVAL (name, realm or password
 * not allowed), or the store's errors. */
int users_add(struct users *users, const char *name, const char *realm, const char *password);

/* The same for a user whose hashes are known, in lower case; an empty one is not stored. */
int users_add_hashes(struct users *users, const struct user *user);

/* What is added between the two is there at once or not at all, and much faster; -EEXIST and
 * -EINVAL in between change nothing else. */
int users_begin(struct users *users);
int users_commit(struct users *users);

/* -ENOENT if there is none. */
int users_del(struct users *users, const char *name, const char *realm);

/* Calls back for each user, by realm and name, without hashes; a return other than 0 stops and is
 * returned. */
typedef int users_list_cb(void *arg, const struct user *user);
int users_list(struct users *users, users_list_cb *cb, void *arg);

/* Why the text can't be a user's name / a realm / a password, or NULL if it can. A name has 1 to 64
 * of A-Z a-z 0-9 - . _ + (so it stands unescaped in a SIP URI and in a quoted string); a realm is a
 * host name or address of up to 253; a password has 1 to 256 bytes without control characters. */
const char *user_name_fault(const char *name);
const char *user_realm_fault(const char *realm);
const char *user_password_fault(const char *password);

/* Wipes the whole struct. */
void user_wipe(struct user *user);

#endif
