/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of bindings in PostgreSQL, where the boxes of a fleet share a database: each has rows
 * of its own, by its host's name, and reads no others, for the connections of another box are no
 * way for a call. Changes go there many at a time, as JSON. */
#include "bindings_private.h"
#include "users_pq.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NODE_SIZE 256
#define AT_ONCE 1000 /* rows of one statement */

#define LOCK_TRIES 20
#define LOCK_PAUSE_MS 100

struct server {
	PGconn *connection;
	char label[BINDINGS_LABEL_SIZE];
	char node[NODE_SIZE];
};

static const char schema[] = "CREATE TABLE bindings ("
			     " node text NOT NULL,"
			     " id bigint NOT NULL,"
			     " user_name text NOT NULL,"
			     " contact text NOT NULL,"
			     " instance text,"
			     " path text,"
			     " call_id text NOT NULL,"
			     " cseq bigint NOT NULL,"
			     " reg_id bigint NOT NULL,"
			     " q integer NOT NULL,"
			     " expires bigint NOT NULL,"
			     " peer text NOT NULL,"
			     " renewed boolean NOT NULL,"
			     " PRIMARY KEY (node, id))";

/* Of several changes of one row, the last. */
static const char put_rows[] =
	"INSERT INTO bindings SELECT DISTINCT ON (id) $1, id, user_name, contact, instance, path,"
	" call_id, cseq, reg_id, q, expires, peer, true"
	" FROM jsonb_to_recordset($2::jsonb) AS r (n integer, id bigint, user_name text,"
	" contact text, instance text, path text, call_id text, cseq bigint, reg_id bigint,"
	" q integer, expires bigint, peer text) ORDER BY id, n DESC"
	" ON CONFLICT (node, id) DO UPDATE SET user_name = excluded.user_name,"
	" contact = excluded.contact, instance = excluded.instance, path = excluded.path,"
	" call_id = excluded.call_id, cseq = excluded.cseq, reg_id = excluded.reg_id,"
	" q = excluded.q, expires = excluded.expires, peer = excluded.peer, renewed = true";

static const char remove_rows[] =
	"DELETE FROM bindings WHERE node = $1 AND id IN"
	" (SELECT value::bigint FROM jsonb_array_elements_text($2::jsonb))";

/* Runs one statement; its result, to be cleared, or NULL after a sentence. */
static PGresult *
ask(const struct server *server, const char *sql, const char *more, int *fault, char *error)
{
	const char *const texts[] = {server->node, more};
	int count = strstr(sql, "$2") != NULL ? 2 : strstr(sql, "$1") != NULL ? 1 : 0;
	PGresult *result = pq_run(server->connection, sql, NULL, texts, count, -1);

	*fault = pq_fault(result, server->connection, server->label, error, BINDINGS_ERROR_SIZE);
	if (*fault == 0)
		return result;
	PQclear(result);
	return NULL;
}

static int
run(const struct server *server, const char *sql, const char *more, char *error)
{
	int fault;

	PQclear(ask(server, sql, more, &fault, error));
	return fault;
}

/* Is the first value true? */
static int
ask_bool(const struct server *server, const char *sql, bool *out, char *error)
{
	int fault;
	PGresult *result = ask(server, sql, NULL, &fault, error);

	if (result == NULL)
		return fault;
	*out = PQntuples(result) > 0 && PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return 0;
}

static void
close_server(void *store)
{
	struct server *server = store;

	if (server == NULL)
		return;
	PQfinish(server->connection);
	free(server);
}

/* The lock goes with the connection, so with the process; but not at once: of one that was killed a
 * moment ago the server may still finish the last request. Blocks for so long at most. */
static int
take_lock(const struct server *server, bool *locked, char *error)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_MS * 1000000L};
	int result = 0;

	for (unsigned i = 0; i < LOCK_TRIES && result == 0 && !*locked; i++) {
		if (i > 0)
			nanosleep(&pause, NULL);
		result = ask_bool(server,
			"SELECT pg_try_advisory_lock("
			"hashtextextended('sallyport bindings ' || $1, 0))",
			locked, error);
	}
	return result;
}

static int
set_up(const struct server *server, char *error)
{
	bool missing = false, locked = false;
	int result = take_lock(server, &locked, error);

	if (result == 0 && !locked) {
		snprintf(error, BINDINGS_ERROR_SIZE,
			"%s: another sallyport-sip of the host %s has its bindings there: give "
			"each a database or schema of its own",
			server->label, server->node);
		return -EBUSY;
	}
	if (result == 0)
		result =
			ask_bool(server, "SELECT to_regclass('bindings') IS NULL", &missing, error);
	if (result == 0 && missing)
		result = run(server, schema, NULL, error);
	return result;
}

static int
open_server(const char *url, void **store, char *error)
{
	struct server *server = calloc(1, sizeof(*server));

	snprintf(error, BINDINGS_ERROR_SIZE, "out of memory");
	if (server == NULL)
		return -ENOMEM;
	if (gethostname(server->node, sizeof(server->node) - 1) != 0)
		strcpy(server->node, "localhost");
	int result =
		pq_label(url, server->label, sizeof(server->label), error, BINDINGS_ERROR_SIZE);
	if (result == 0) {
		server->connection = pq_connect(url, server->label, -1, error, BINDINGS_ERROR_SIZE);
		result = server->connection != NULL ? set_up(server, error) : -EAGAIN;
	}
	if (result != 0) {
		close_server(server);
		return result;
	}
	*store = server;
	return 0;
}

static const char *
text_of(const PGresult *rows, int row, int column)
{
	return PQgetisnull(rows, row, column) ? NULL : PQgetvalue(rows, row, column);
}

static int64_t
number_of(const PGresult *rows, int row, int column)
{
	return strtoll(PQgetvalue(rows, row, column), NULL, 10);
}

static void
show_row(const PGresult *rows, int row, bindings_load_cb *cb, void *arg)
{
	struct bindings_record record = {
		.id = (uint64_t)number_of(rows, row, 0),
		.user = text_of(rows, row, 1),
		.contact = text_of(rows, row, 2),
		.instance = text_of(rows, row, 3),
		.path = text_of(rows, row, 4),
		.call_id = text_of(rows, row, 5),
		.cseq = (uint32_t)number_of(rows, row, 6),
		.reg_id = (uint32_t)number_of(rows, row, 7),
		.q = (unsigned)number_of(rows, row, 8),
		.expires = number_of(rows, row, 9),
	};
	const char *peer = text_of(rows, row, 10);

	if (record.id > 0 && record.id < INT64_MAX &&
		relay_ip_parse(peer, strlen(peer), &record.peer) == 0)
		cb(arg, &record);
}

static int
load(void *store, bindings_load_cb *cb, void *arg, char *error)
{
	const struct server *server = store;
	char now[32];
	int result;

	snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	result = run(server, "DELETE FROM bindings WHERE node = $1 AND expires <= $2::bigint", now,
		error);
	if (result != 0)
		return result;
	PGresult *rows = ask(server,
		"SELECT id, user_name, contact, instance, path, call_id, cseq, reg_id, q, expires,"
		" peer FROM bindings WHERE node = $1 ORDER BY expires",
		NULL, &result, error);
	if (rows == NULL)
		return result;
	for (int row = 0; row < PQntuples(rows); row++)
		show_row(rows, row, cb, arg);
	PQclear(rows);
	return 0;
}

/* NULL without memory, and for what is no UTF-8: a database takes no other text, and one such
 * contact must not keep all others out. */
static json_t *
describe(const struct bindings_record *record, unsigned n)
{
	char peer[RELAY_ADDR_TEXT];

	return json_pack("{si sI ss ss ss? ss? ss sI sI si sI ss}", "n", (int)n, "id",
		(json_int_t)record->id, "user_name", record->user, "contact", record->contact,
		"instance", record->instance, "path", record->path, "call_id", record->call_id,
		"cseq", (json_int_t)record->cseq, "reg_id", (json_int_t)record->reg_id, "q",
		(int)record->q, "expires", (json_int_t)record->expires, "peer",
		relay_ip_format(&record->peer, peer));
}

/* All changes of one kind that follow each other, up to AT_ONCE. Sets *next to what comes then. */
static int
write_some(const struct server *server, const struct bindings_op *first,
	const struct bindings_op **next, char *error)
{
	const struct bindings_op *op = first;
	json_t *rows = json_array();
	char *text;
	int result;

	for (unsigned n = 0; op != NULL && op->kind == first->kind && n < AT_ONCE;
		op = op->next, n++) {
		json_t *row = first->kind == BINDINGS_PUT ? describe(&op->record, n)
		                                          : json_integer((json_int_t)op->record.id);
		if (row != NULL)
			json_array_append_new(rows, row);
	}
	*next = op;
	text = json_dumps(rows, JSON_COMPACT);
	json_decref(rows);
	snprintf(error, BINDINGS_ERROR_SIZE, "out of memory");
	if (text == NULL)
		return -ENOMEM;
	result = run(server, first->kind == BINDINGS_PUT ? put_rows : remove_rows, text, error);
	free(text);
	return result;
}

static int
write_all(void *store, const struct bindings_op *first, char *error)
{
	const struct server *server = store;
	int result = run(server, "BEGIN", NULL, error);

	for (const struct bindings_op *op = first; op != NULL && result == 0;) {
		if (op->kind == BINDINGS_PUT || op->kind == BINDINGS_REMOVE) {
			result = write_some(server, op, &op, error);
			continue;
		}
		result = run(server,
			op->kind == BINDINGS_RENEW
				? "UPDATE bindings SET renewed = false WHERE node = $1"
				: "DELETE FROM bindings WHERE node = $1 AND NOT renewed",
			NULL, error);
		op = op->next;
	}
	return result == 0 ? run(server, "COMMIT", NULL, error) : result;
}

static int
set_aside(const char *url, char *error)
{
	return -ENOTSUP; /* open_server() finds no damage */
}

static void
label(const char *url, char *out)
{
	char error[BINDINGS_ERROR_SIZE];

	if (pq_label(url, out, BINDINGS_LABEL_SIZE, error, sizeof(error)) != 0)
		snprintf(out, BINDINGS_LABEL_SIZE, "sip.bindings");
}

const struct bindings_kind bindings_postgres = {
	label, open_server, load, write_all, set_aside, close_server};
