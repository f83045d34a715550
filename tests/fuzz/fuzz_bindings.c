/* SPDX-License-Identifier: BSD-3-Clause */
/* A store of bindings whose rows are anything: those that are taken are such as a REGISTER could
 * have made. The input is one row behind the other: a byte that says which columns are NULL, then
 * eleven texts, each up to its NUL; SQLite makes numbers of what look like some. */
#include "control/registrar_private.h"
#include "fuzz.h"
#include "relay/log.h"

#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sqlite3.h>
#include <time.h>

#define ROWS_MAX 6

static const char *path;
static su_root_t *root;
static struct config_sip config = {
	.expires_min_s = 60,
	.expires_default_s = 3600,
	.expires_max_s = 7200,
	.contacts_max = 3,
	.bindings_max = 5,
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	path = fuzz_path("bindings.db");
	fuzz_path("bindings.db-wal");
	fuzz_path("bindings.db-shm");
	fuzz_path("bindings.db.damaged");
	config.bindings = (char *)(uintptr_t)path;
	su_init();
	root = su_root_create(NULL);
	log_set_level(LOG_LEVEL_ERROR);
	return 0;
}

static struct registrar *
open_it(void)
{
	struct registrar *registrar = registrar_create(root, &config);

	demand(registrar != NULL && registrar_open_store(registrar) == 0,
		"the store can't be opened");
	return registrar;
}

static void
put_rows(char *text, const char *end)
{
	sqlite3 *db;
	sqlite3_stmt *row;

	demand(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK, "no file");
	sqlite3_exec(db, "PRAGMA synchronous = OFF; DELETE FROM bindings", NULL, NULL, NULL);
	demand(sqlite3_prepare_v2(db,
		       "INSERT OR IGNORE INTO bindings VALUES (?,?,?,?,?,?,?,?,?,?,?,1)", -1, &row,
		       NULL) == SQLITE_OK,
		"another schema");
	for (unsigned i = 0; i < ROWS_MAX && text < end; i++) {
		unsigned absent = (unsigned char)*text++;
		for (int column = 1; column <= 11; column++) {
			const char *value = take_text(&text, end);
			if (column < 9 && (absent >> (column - 1) & 1) != 0)
				sqlite3_bind_null(row, column);
			else if (column == 10 && value[0] == '+')
				sqlite3_bind_int64(row, column,
					(sqlite3_int64)time(NULL) + atoi(value + 1) % 100000);
			else
				sqlite3_bind_text(row, column, value, -1, SQLITE_STATIC);
		}
		sqlite3_step(row);
		sqlite3_reset(row);
	}
	sqlite3_finalize(row);
	sqlite3_close(db);
}

static int
check(void *arg, const struct binding *binding)
{
	unsigned *count = arg;

	++*count;
	demand(strlen(binding->user) < USER_NAME_SIZE, "a user's name is too long");
	demand(binding->connection == NULL, "a connection from nowhere");
	demand(binding->expires_s > 0 && binding->expires_s <= config.expires_max_s,
		"it expires too late");
	demand(binding->q <= 1000, "q is above 1");
	demand(binding->peer.family == 4 || binding->peer.family == 6, "a peer of no family");
	demand(strlen(binding->contact) < 4096 &&
			(binding->path == NULL || strlen(binding->path) < 4096),
		"a text that is not its own");
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size);
	unsigned count = 0, again = 0;

	registrar_destroy(open_it()); /* makes the file */
	put_rows(text, text + size);
	struct registrar *registrar = open_it();
	registrar_each(registrar, check, &count);
	demand(count <= config.bindings_max && count == registrar->table.heap.count,
		"more bindings than are allowed");
	registrar_destroy(registrar);
	registrar = open_it();
	registrar_each(registrar, check, &again);
	demand(again <= count, "there are more of them another time");
	registrar_destroy(registrar);
	free(text);
	return 0;
}
