/* SPDX-License-Identifier: BSD-3-Clause */
/* Users in a PostgreSQL database. sallyctl-user asks it directly; for sallyport-sip a thread does
 * (users_postgres_thread.c). */
#ifndef CONTROL_USERS_POSTGRES_H
#define CONTROL_USERS_POSTGRES_H

#include "users_pq.h"
#include "users_private.h"

#define USERS_POSTGRES_LABEL 300

struct postgres_thread;

struct users_postgres {
	struct users base;
	char *url; /* may hold a password: never shown */
	char label[USERS_POSTGRES_LABEL];
	PGconn *connection;             /* NULL: none yet; of who is no thread */
	struct postgres_thread *thread; /* NULL: not started */
};

/* Makes a new connection ready for users_postgres_find_by(). 0, or -errno and a sentence. */
int users_postgres_prepare(
	PGconn *connection, const char *label, int stop_fd, char *error, size_t error_size);

/* Finds the user whose name and realm stand in it, by this connection. 0, -ENOENT, or another
 * -errno and a sentence in users->error; then *lost says whether the connection is of no use any
 * more. */
int users_postgres_find_by(struct users *users, PGconn *connection, const char *label, int stop_fd,
	struct user *user, bool *lost);

/* The thread: as users_start(), users_find(), users_close() want it. */
int postgres_thread_start(const char *url, const char *label, const struct config_store *config,
	struct postgres_thread **out);
int postgres_thread_find(struct postgres_thread *thread, struct users *users, struct user *user);
void postgres_thread_stop(struct postgres_thread *thread);

#endif
