/* SPDX-License-Identifier: BSD-3-Clause */
#include "users_postgres.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIND_USER "sallyport_find_user"

static const char table[] = "CREATE TABLE IF NOT EXISTS sallyport_users ("
			    " name text COLLATE \"C\" NOT NULL,"
			    " realm text COLLATE \"C\" NOT NULL,"
			    " ha1_md5 text NOT NULL,"
			    " ha1_sha256 text NOT NULL,"
			    " ha1_sha512_256 text NOT NULL,"
			    " created bigint NOT NULL DEFAULT extract(epoch FROM now())::bigint,"
			    " PRIMARY KEY (realm, name))";

static const char find_user[] = "SELECT ha1_md5, ha1_sha256, ha1_sha512_256, created"
				" FROM sallyport_users WHERE name = $1 AND realm = $2";

/* As pq_fault(), and the cure for a table that is missing. */
static int
fault_of(const PGresult *result, PGconn *connection, const char *label, char *error, size_t size)
{
	int fault = pq_fault(result, connection, label, error, size);

	if (fault == -ENODATA)
		snprintf(error, size,
			"%s: there is no table of users: \"sallyctl user init\" makes it", label);
	return fault;
}

/* Runs a statement on the direct connection, which is made if there is none. 0 and *out (may be
 * NULL, when nobody asks for it), or -errno and a sentence. */
static int
run(struct users_postgres *users, const char *sql, const char *const *texts, int count,
	PGresult **out)
{
	char *error = users->base.error;
	PGresult *result;

	if (users->connection == NULL)
		users->connection =
			pq_connect(users->url, users->label, -1, error, USERS_ERROR_SIZE);
	if (users->connection == NULL)
		return -EAGAIN;
	result = pq_run(users->connection, sql, NULL, texts, count, -1);
	int fault = fault_of(result, users->connection, users->label, error, USERS_ERROR_SIZE);
	if (result == NULL) {
		PQfinish(users->connection);
		users->connection = NULL;
	}
	if (fault == 0 && out != NULL)
		*out = result;
	else
		PQclear(result);
	return fault;
}

int
users_postgres_prepare(
	PGconn *connection, const char *label, int stop_fd, char *error, size_t error_size)
{
	static const char sql[] = "PREPARE " FIND_USER " (text, text) AS ";
	char text[sizeof(sql) + sizeof(find_user)];
	int fault;

	snprintf(text, sizeof(text), "%s%s", sql, find_user);
	PGresult *result = pq_run(connection, text, NULL, NULL, 0, stop_fd);
	fault = fault_of(result, connection, label, error, error_size);
	PQclear(result);
	return fault;
}

/* The first row's hashes. */
static int
read_user(struct users *users, const char *label, const PGresult *result, struct user *user)
{
	int fault = 0;

	for (int i = 0; i < DIGEST_ALGORITHM_COUNT && fault == 0; i++)
		fault = users_take_hash(
			users, label, user, (enum digest_algorithm)i, PQgetvalue(result, 0, i));
	user->created = strtoll(PQgetvalue(result, 0, 3), NULL, 10);
	return fault;
}

int
users_postgres_find_by(struct users *users, PGconn *connection, const char *label, int stop_fd,
	struct user *user, bool *lost)
{
	const char *const texts[] = {user->name, user->realm};
	PGresult *result = pq_run(connection, NULL, FIND_USER, texts, 2, stop_fd);
	int fault = fault_of(result, connection, label, users->error, USERS_ERROR_SIZE);

	*lost = result == NULL || PQstatus(connection) != CONNECTION_OK;
	if (fault == 0 && PQntuples(result) == 0)
		fault = users_fail(
			users, -ENOENT, "there is no user %s in realm %s", user->name, user->realm);
	else if (fault == 0)
		fault = read_user(users, label, result, user);
	PQclear(result);
	return fault;
}

static int
find(struct users *base, struct user *user)
{
	struct users_postgres *users = (struct users_postgres *)base;
	const char *const texts[] = {user->name, user->realm};
	PGresult *result;

	if (users->thread != NULL)
		return postgres_thread_find(users->thread, base, user);
	int fault = run(users, find_user, texts, 2, &result);
	if (fault != 0)
		return fault;
	if (PQntuples(result) == 0)
		fault = users_fail(
			base, -ENOENT, "there is no user %s in realm %s", user->name, user->realm);
	else
		fault = read_user(base, users->label, result, user);
	PQclear(result);
	return fault;
}

static int
add(struct users *base, const struct user *user)
{
	const char *const texts[] = {user->name, user->realm, user->ha1[DIGEST_MD5],
		user->ha1[DIGEST_SHA_256], user->ha1[DIGEST_SHA_512_256]};

	PGresult *result;
	/* a conflict as an error would end a transaction, and all that is in it */
	int fault = run((struct users_postgres *)base,
		"INSERT INTO sallyport_users (name, realm, ha1_md5, ha1_sha256, ha1_sha512_256)"
		" VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		texts, 5, &result);

	if (fault != 0)
		return fault;
	if (strcmp(PQcmdTuples(result), "0") == 0)
		fault = -EEXIST;
	PQclear(result);
	return fault;
}

static int
del(struct users *base, const char *name, const char *realm)
{
	const char *const texts[] = {name, realm};
	PGresult *result;
	int fault = run((struct users_postgres *)base,
		"DELETE FROM sallyport_users WHERE name = $1 AND realm = $2", texts, 2, &result);

	if (fault != 0)
		return fault;
	if (strcmp(PQcmdTuples(result), "0") == 0)
		fault = -ENOENT;
	PQclear(result);
	return fault;
}

static int
list(struct users *base, users_list_cb *cb, void *arg)
{
	PGresult *result;
	int fault = run((struct users_postgres *)base,
		"SELECT name, realm, created FROM sallyport_users ORDER BY realm, name", NULL, 0,
		&result);

	if (fault != 0)
		return fault;
	for (int i = 0; i < PQntuples(result) && fault == 0; i++) {
		struct user user = {.created = strtoll(PQgetvalue(result, i, 2), NULL, 10)};
		snprintf(user.name, sizeof(user.name), "%s", PQgetvalue(result, i, 0));
		snprintf(user.realm, sizeof(user.realm), "%s", PQgetvalue(result, i, 1));
		fault = cb(arg, &user);
	}
	PQclear(result);
	return fault;
}

static int
transact(struct users *base, const char *sql)
{
	return run((struct users_postgres *)base, sql, NULL, 0, NULL);
}

static int
start(struct users *base, const struct config_store *config)
{
	struct users_postgres *users = (struct users_postgres *)base;

	users->base.quiet = true;
	return postgres_thread_start(users->url, users->label, config, &users->thread);
}

static void
close_connection(struct users *base)
{
	struct users_postgres *users = (struct users_postgres *)base;

	postgres_thread_stop(users->thread);
	PQfinish(users->connection);
	if (users->url != NULL)
		OPENSSL_cleanse(users->url, strlen(users->url));
	free(users->url);
	free(users);
}

int
users_postgres_open(const char *url, enum users_mode mode, struct users **out)
{
	static const struct users_ops ops = {.find = find,
		.add = add,
		.del = del,
		.list = list,
		.transact = transact,
		.start = start,
		.close = close_connection};
	struct users_postgres *users = calloc(1, sizeof(*users));
	int result;

	*out = NULL;
	if (users == NULL || (users->url = strdup(url)) == NULL) {
		free(users);
		return -ENOMEM;
	}
	users->base.ops = &ops;
	users->base.mode = mode;
	*out = &users->base;
	result = pq_label(url, users->label, sizeof(users->label), users->base.error,
		sizeof(users->base.error));
	if (result == 0 && mode != USERS_READ)
		result = run(users, "SELECT name FROM sallyport_users LIMIT 0", NULL, 0, NULL);
	/* only now: who may write to the table need not have the right to make one */
	if (result == -ENODATA && mode == USERS_CREATE)
		result = run(users, table, NULL, 0, NULL);
	return result == -ENODATA ? -ENOENT : result;
}
