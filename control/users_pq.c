/* SPDX-License-Identifier: BSD-3-Clause */
#include "users_pq.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int
pq_label(const char *url, char *label, size_t size, char *error, size_t error_size)
{
	const char *host = NULL, *database = NULL;
	char *said = NULL;
	PQconninfoOption *options = PQconninfoParse(url, &said);

	if (options == NULL) {
		/* what libpq says may quote the URL, and so a password */
		snprintf(error, error_size,
			"libpq can't read the database's URL: it is "
			"postgresql://USER@HOST/DATABASE?NAME=VALUE...");
		PQfreemem(said);
		return -EINVAL;
	}
	for (const PQconninfoOption *at = options; at->keyword != NULL; at++) {
		if (strcmp(at->keyword, "host") == 0)
			host = at->val;
		if (strcmp(at->keyword, "dbname") == 0)
			database = at->val;
	}
	snprintf(label, size, "postgresql://%s/%s", host != NULL ? host : "",
		database != NULL ? database : "");
	PQconninfoFree(options);
	return 0;
}

/* Waits for the connection's socket. False: the time is over, or it is to stop. */
static bool
await(PGconn *connection, short events, int stop_fd, int64_t until_ms)
{
	struct pollfd fds[] = {
		{.fd = PQsocket(connection), .events = events}, {.fd = stop_fd, .events = POLLIN}};
	int64_t left = until_ms - now_ms();
	int ready;

	if (left <= 0 || fds[0].fd < 0)
		return false;
	do
		ready = poll(fds, 2, (int)left);
	while (ready < 0 && errno == EINTR);
	return ready > 0 && fds[1].revents == 0;
}

/* One line of libpq's many. */
static void
say_connection(PGconn *connection, const char *label, const char *what, char *error, size_t size)
{
	const char *said = connection != NULL ? PQerrorMessage(connection) : "";
	size_t length = strcspn(said, "\n");

	snprintf(error, size, "%s: %s%s%.*s", label, what, length > 0 ? ": " : "",
		(int)(length < 300 ? length : 300), said);
}

static bool
finish_connecting(PGconn *connection, int stop_fd)
{
	int64_t until_ms = now_ms() + PQ_CONNECT_MS;
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;

	while (status != PGRES_POLLING_OK) {
		short events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT;
		if (status == PGRES_POLLING_FAILED || !await(connection, events, stop_fd, until_ms))
			return false;
		status = PQconnectPoll(connection);
	}
	return true;
}

PGconn *
pq_connect(const char *url, const char *label, int stop_fd, char *error, size_t error_size)
{
	/* the URL's own parameters stand behind ours and win */
	static const char *const names[] = {
		"application_name", "gssencmode", "options", "dbname", NULL};
	const char *const values[] = {
		"sallyport", "disable", "-c statement_timeout=5000", url, NULL};
	PGconn *connection = PQconnectStartParams(names, values, 1);

	if (connection != NULL && PQstatus(connection) != CONNECTION_BAD &&
		finish_connecting(connection, stop_fd) && PQsetnonblocking(connection, 1) == 0)
		return connection;
	if (connection != NULL && PQstatus(connection) != CONNECTION_BAD)
		snprintf(error, error_size, "%s: it does not answer: is it up?", label);
	else
		say_connection(connection, label, "no connection", error, error_size);
	PQfinish(connection);
	return NULL;
}

/* What was said is sent, and the answer read, as far as it has come. */
static bool
exchange(PGconn *connection, int stop_fd, int64_t until_ms)
{
	int unsent = PQflush(connection);

	while (unsent > 0 || (unsent == 0 && PQisBusy(connection))) {
		if (!await(connection, unsent > 0 ? POLLIN | POLLOUT : POLLIN, stop_fd, until_ms) ||
			!PQconsumeInput(connection))
			return false;
		if (unsent > 0)
			unsent = PQflush(connection);
	}
	return unsent == 0;
}

PGresult *
pq_run(PGconn *connection, const char *sql, const char *prepared, const char *const *texts,
	int count, int stop_fd)
{
	int64_t until_ms = now_ms() + PQ_QUERY_MS;
	PGresult *result = NULL;
	int sent = prepared != NULL
	                   ? PQsendQueryPrepared(connection, prepared, count, texts, NULL, NULL, 0)
	                   : PQsendQueryParams(connection, sql, count, NULL, texts, NULL, NULL, 0);

	while (sent && exchange(connection, stop_fd, until_ms)) {
		PGresult *next = PQgetResult(connection);
		if (next == NULL)
			break;
		PQclear(result);
		result = next;
	}
	/* lost in the middle: an answer that has no end is none */
	if (result != NULL && PQtransactionStatus(connection) == PQTRANS_ACTIVE) {
		PQclear(result);
		result = NULL;
	}
	return result;
}

int
pq_fault(const PGresult *result, PGconn *connection, const char *label, char *error,
	size_t error_size)
{
	static const struct {
		const char *state; /* SQLSTATE, or its class */
		int error;
		const char *cure;
	} known[] = {
		{"42P01", -ENODATA, "a table is missing"},
		{"42501", -EACCES, "no right to: GRANT it"},
		{"42703", -EPROTO, "the table is of another release of Sallyport"},
		{"25006", -EROFS, "read-only: name the primary server"},
		{"53100", -ENOSPC, "the server's disk is full"},
		{"57014", -EAGAIN, "it takes too long to answer"},
		{"57", -EAGAIN, "it is going down, or coming up"},
		{"53", -EAGAIN, "it has no room for more"},
	};
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
	ExecStatusType status = result != NULL ? PQresultStatus(result) : PGRES_FATAL_ERROR;

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return 0;
	for (size_t i = 0; state != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(state, known[i].state, strlen(known[i].state)) == 0) {
			snprintf(error, error_size, "%s: %s", label, known[i].cure);
			return known[i].error;
		}
	if (state != NULL) {
		const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
		snprintf(error, error_size, "%s: %.300s (SQLSTATE %s)", label,
			said != NULL ? said : "refused", state);
		return -EPROTO;
	}
	say_connection(connection, label, "the connection is lost", error, error_size);
	return -EAGAIN;
}
