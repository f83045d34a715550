/* SPDX-License-Identifier: BSD-3-Clause */
/* A connection to PostgreSQL by libpq, with an end to every wait. One thread for each
 * connection. */
#ifndef CONTROL_USERS_PQ_H
#define CONTROL_USERS_PQ_H

#include <libpq-fe.h>
#include <stddef.h>

#define PQ_CONNECT_MS 5000 /* for TCP, TLS and login */
#define PQ_QUERY_MS 5000   /* for one statement */

/* What a server is called in messages: "postgresql://HOST/DATABASE", without a password. 0, or
 * -EINVAL and a sentence if libpq can't read the URL; -ENOMEM. */
int pq_label(const char *url, char *label, size_t size, char *error, size_t error_size);

/* Connects. Whatever the URL says of TLS, passwords and files holds (libpq's "Connection Strings").
 * stop_fd: gives up as soon as it can be read; -1: none. NULL after a sentence. A host's name is
 * looked up first, for as long as that takes. */
PGconn *pq_connect(const char *url, const char *label, int stop_fd, char *error, size_t error_size);

/* Runs one statement with these texts as its parameters; `prepared`: its name, else `sql`. NULL
 * when the connection is lost or the time is over: then it is good for nothing more. Free the
 * result with PQclear(). */
PGresult *pq_run(PGconn *connection, const char *sql, const char *prepared,
	const char *const *texts, int count, int stop_fd);

/* The result's error, as -errno and a sentence; 0 if it is none. -ENODATA: there is no such table;
 * -EAGAIN: the server is away; -EACCES, -EROFS, -ENOSPC, -EPROTO. connection: of a NULL
 * result. */
int pq_fault(const PGresult *result, PGconn *connection, const char *label, char *error,
	size_t error_size);

#endif
