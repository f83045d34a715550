/* SPDX-License-Identifier: BSD-3-Clause */
/* Bindings in a real PostgreSQL: what is put is there for the next process of this host; and what
 * happens when the server goes, and comes back. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/bindings.h"
#include "control/users_pq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 20

static char folder[64], url[192];

struct found {
	unsigned count;
	uint64_t id_sum;
	char contact[64];
	char instance[64];
	struct relay_ip peer;
	uint32_t cseq;
};

/* tests/tools/postgres.sh */
static int
server(const char *command)
{
	char line[512];

	snprintf(line, sizeof(line), "sh '%s' %s '%s'", getenv("SALLYPORT_POSTGRES"), command,
		folder);
	return system(line);
}

static int
start_server(void **state)
{
	strcpy(folder, "/tmp/sallyport-postgres-XXXXXX");
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) != 0)
		return -1;
	snprintf(url, sizeof(url), "postgresql:///postgres?host=%s&user=sallyport", folder);
	return server("start");
}

static int
end_server(void **state)
{
	char line[128];

	server("kill");
	snprintf(line, sizeof(line), "rm -rf '%s'", folder);
	return system(line);
}

static void
on_record(void *arg, const struct bindings_record *record)
{
	struct found *found = arg;

	found->count++;
	found->id_sum += record->id;
	found->peer = record->peer;
	found->cseq = record->cseq;
	snprintf(found->contact, sizeof(found->contact), "%s", record->contact);
	snprintf(found->instance, sizeof(found->instance), "%s",
		record->instance != NULL ? record->instance : "none");
}

static struct bindings *
open_store(struct found *found)
{
	struct bindings *bindings;

	*found = (struct found){.count = 0};
	assert_int_equal(0, bindings_open(url, on_record, found, &bindings));
	return bindings;
}

/* What the next process would find. */
static struct found
look(void)
{
	struct found found;

	bindings_close(open_store(&found));
	return found;
}

static void
put(struct bindings *bindings, uint64_t id, const char *contact)
{
	struct bindings_record record = {
		.id = id,
		.user = "alice",
		.contact = contact,
		.call_id = "some 'call' \\ \"id\"",
		.cseq = 4294967295u,
		.q = 1000,
		.expires = (int64_t)time(NULL) + 600,
		.peer = {.family = 6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 9}},
	};

	if (id % 2 == 0)
		record.instance = "<urn:uuid:even>";
	bindings_put(bindings, &record);
}

static void
await_stale(struct bindings *bindings)
{
	time_t until = time(NULL) + PATIENCE_S;

	while (!bindings_is_stale(bindings)) {
		assert_true(time(NULL) < until);
		usleep(10000);
	}
}

/* Runs by itself, beside the store. */
static void
run_sql(const char *sql)
{
	char error[512];
	PGconn *connection = pq_connect(url, "test", -1, error, sizeof(error));

	assert_non_null(connection);
	PGresult *result = pq_run(connection, sql, NULL, NULL, 0, -1);
	assert_int_equal(0, pq_fault(result, connection, "test", error, sizeof(error)));
	PQclear(result);
	PQfinish(connection);
}

static int
empty(void **state)
{
	bindings_close(open_store(&(struct found){.count = 0})); /* makes the table */
	run_sql("TRUNCATE bindings");
	return 0;
}

static void
test_round_trip(void **state)
{
	struct found found;
	struct bindings *bindings = open_store(&found);

	put(bindings, 4, "sip:old@192.0.2.7");
	put(bindings, 4, "sip:it's@192.0.2.7;x=\"\\"); /* twice in one transaction */
	put(bindings, 5, "sip:five@192.0.2.7");
	bindings_remove(bindings, 5);
	bindings_close(bindings);
	found = look();
	assert_int_equal(1, found.count);
	assert_int_equal(4, found.id_sum);
	assert_string_equal("sip:it's@192.0.2.7;x=\"\\", found.contact);
	assert_string_equal("<urn:uuid:even>", found.instance);
	assert_int_equal(6, found.peer.family);
	assert_int_equal(9, found.peer.ip[15]);
	assert_int_equal(4294967295u, found.cseq);
}

static void
test_many(void **state)
{
	struct found found;
	struct bindings *bindings = open_store(&found);

	for (uint64_t id = 1; id <= 3500; id++)
		put(bindings, id, "sip:a@192.0.2.7");
	for (uint64_t id = 1; id <= 1500; id++)
		bindings_remove(bindings, id);
	bindings_close(bindings);
	assert_int_equal(2000, look().count);
}

/* One that the database can't hold must not keep out the others. */
static void
test_no_utf8(void **state)
{
	struct found found;
	struct bindings *bindings = open_store(&found);

	put(bindings, 1, "sip:\xff\xfe@192.0.2.7");
	put(bindings, 3, "sip:good@192.0.2.7");
	bindings_close(bindings);
	found = look();
	assert_int_equal(1, found.count);
	assert_string_equal("sip:good@192.0.2.7", found.contact);
}

/* Another host's rows are not ours to read, or to remove. */
static void
test_other_host(void **state)
{
	struct found found;
	struct bindings *bindings = open_store(&found);

	put(bindings, 1, "sip:ours@192.0.2.7");
	bindings_close(bindings);
	run_sql("INSERT INTO bindings SELECT 'other.test', id, user_name, contact, instance, path,"
		" call_id, cseq, reg_id, q, 1, peer, renewed FROM bindings");
	bindings = open_store(&found);
	assert_int_equal(1, found.count);
	bindings_remove(bindings, 1);
	bindings_close(bindings);
	assert_int_equal(0, look().count);
	run_sql("SELECT 1 / count(*) FROM bindings WHERE node = 'other.test'");
}

static void
test_locked(void **state)
{
	struct found found;
	struct bindings *first = open_store(&found), *second;

	put(first, 1, "sip:first@192.0.2.7");
	second = open_store(&found);
	put(second, 2, "sip:second@192.0.2.7");
	bindings_close(second);
	bindings_close(first);
	found = look();
	assert_int_equal(1, found.id_sum);
}

static void
test_server_goes(void **state)
{
	struct found found;
	struct bindings *bindings = open_store(&found);

	put(bindings, 1, "sip:before@192.0.2.7");
	bindings_close(bindings);
	bindings = open_store(&found);
	assert_int_equal(0, server("kill"));
	put(bindings, 2, "sip:meanwhile@192.0.2.7");
	assert_int_equal(0, server("start"));
	await_stale(bindings);
	bindings_renew(bindings);
	put(bindings, 3, "sip:renewed@192.0.2.7");
	bindings_renewed(bindings);
	bindings_close(bindings);
	found = look();
	assert_int_equal(1, found.count);
	assert_int_equal(3, found.id_sum);
}

#define TEST(name) cmocka_unit_test_setup(name, empty)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_many),
		TEST(test_no_utf8),
		TEST(test_other_host),
		TEST(test_locked),
		TEST(test_server_goes),
	};

	return cmocka_run_group_tests(tests, start_server, end_server);
}
