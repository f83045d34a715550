/* SPDX-License-Identifier: BSD-3-Clause */
/* What a store of users has to do, for users*.c alone. */
#ifndef CONTROL_USERS_PRIVATE_H
#define CONTROL_USERS_PRIVATE_H

#include "users.h"

/* Each returns 0, or -errno and a sentence in users->error. Names, realms and hashes have been
 * checked. */
struct users_ops {
	/* Fills ha1 and created of the user whose name and realm stand in it. A hash that the store
	 * does not have is empty. */
	int (*find)(struct users *users, struct user *user);
	int (*add)(struct users *users, const struct user *user);             /* -EEXIST */
	int (*del)(struct users *users, const char *name, const char *realm); /* -ENOENT */
	int (*list)(struct users *users, users_list_cb *cb, void *arg);
	int (*transact)(struct users *users, const char *sql);                /* BEGIN, COMMIT */
	int (*start)(struct users *users, const struct config_store *config); /* NULL: none */
	void (*close)(struct users *users);                                   /* frees it, too */
};

struct users {
	const struct users_ops *ops;
	enum users_mode mode;
	bool away;  /* the last users_find() could not tell */
	bool quiet; /* the store itself says when it goes away and comes back */
	char dummy[DIGEST_ALGORITHM_COUNT][DIGEST_HEX_SIZE]; /* of a random password */
	char error[USERS_ERROR_SIZE];
};

/* The stores. *out is set in any case, for its error, but when there is no memory. */
int users_sqlite_open(const char *path, enum users_mode mode, struct users **out);
int users_postgres_open(const char *url, enum users_mode mode, struct users **out);

/* Keeps the sentence, and returns the error. */
int users_fail(struct users *users, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Takes a hash from a store: as many hex digits as the algorithm has, or none at all. 0, or
 * -EBADMSG and a sentence that begins with `where`. */
int users_take_hash(struct users *users, const char *where, struct user *user,
	enum digest_algorithm algorithm, const char *hex);

#endif
