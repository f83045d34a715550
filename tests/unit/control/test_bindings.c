/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of bindings: what is put is there for the next process; and every way in which the file
 * can be wrong, full or away, and come back. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/bindings.h"
#include "relay/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 10

struct place {
	char folder[64];
	char path[96];
	char damaged[128];
};

/* What a load brought. */
struct found {
	unsigned count;
	uint64_t id_sum;
	struct bindings_record last;
	char texts[5][128];
};

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));

	signal(SIGXFSZ, SIG_IGN);
	strcpy(place->folder, "/tmp/sallyport-bindings-XXXXXX");
	if (mkdtemp(place->folder) == NULL)
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/b/bindings.db", place->folder);
	snprintf(place->damaged, sizeof(place->damaged), "%s.damaged", place->path);
	bindings_make_folder(place->path, NULL);
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = {"bindings.db", "bindings.db-wal", "bindings.db-journal",
		"bindings.db-shm", "bindings.db.damaged"};
	struct place *place = *state;
	char path[256];

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/b/%s", place->folder, names[i]);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/b", place->folder);
	rmdir(path);
	int result = rmdir(place->folder);
	free(place);
	return result;
}

static void
keep(char text[128], const char **from)
{
	if (*from == NULL)
		return;
	snprintf(text, 128, "%s", *from);
	*from = text;
}

static void
on_record(void *arg, const struct bindings_record *record)
{
	struct found *found = arg;

	found->count++;
	found->id_sum += record->id;
	found->last = *record;
	keep(found->texts[0], &found->last.user);
	keep(found->texts[1], &found->last.contact);
	keep(found->texts[2], &found->last.instance);
	keep(found->texts[3], &found->last.path);
	keep(found->texts[4], &found->last.call_id);
}

static struct bindings *
open_store(const char *path, struct found *found)
{
	struct bindings *bindings;

	*found = (struct found){.count = 0};
	assert_int_equal(0, bindings_open(path, on_record, found, &bindings));
	return bindings;
}

/* What the next process would find. */
static const struct found *
look(const char *path)
{
	static struct found found;

	bindings_close(open_store(path, &found));
	return &found;
}

static struct bindings_record
make(uint64_t id)
{
	return (struct bindings_record){
		.id = id,
		.user = "alice",
		.contact = "sip:alice@192.0.2.7:40000;transport=tls",
		.call_id = "some-call",
		.cseq = 4294967295u,
		.q = 1000,
		.expires = (int64_t)time(NULL) + 600,
		.peer = {.family = 4, .ip = {192, 0, 2, 7}},
	};
}

static void
put(struct bindings *bindings, uint64_t id)
{
	struct bindings_record record = make(id);

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

static void
test_round_trip(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *bindings = open_store(place->path, &found);
	struct bindings_record record = make(7);
	struct stat file;

	assert_int_equal(0, found.count);
	record.instance = "<urn:uuid:1>";
	record.path = "<sip:p1;lr>, <sip:p2;lr>";
	record.reg_id = 2147483647;
	record.q = 123;
	record.peer = (struct relay_ip){.family = 6, .ip = {0x20, 1, 0xd, 0xb8, [15] = 9}};
	bindings_put(bindings, &record);
	bindings_close(bindings);

	const struct found *left = look(place->path);
	assert_int_equal(1, left->count);
	assert_int_equal(7, left->last.id);
	assert_string_equal(record.user, left->last.user);
	assert_string_equal(record.contact, left->last.contact);
	assert_string_equal(record.instance, left->last.instance);
	assert_string_equal(record.path, left->last.path);
	assert_string_equal(record.call_id, left->last.call_id);
	assert_int_equal(record.cseq, left->last.cseq);
	assert_int_equal(record.reg_id, left->last.reg_id);
	assert_int_equal(record.q, left->last.q);
	assert_int_equal(record.expires, left->last.expires);
	assert_memory_equal(&record.peer, &left->last.peer, sizeof(record.peer));
	assert_int_equal(0, stat(place->path, &file));
	assert_int_equal(0600, file.st_mode & 07777);
}

static void
test_order_of_changes(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *bindings = open_store(place->path, &found);
	struct bindings_record record = make(3);

	put(bindings, 1);
	put(bindings, 2);
	bindings_remove(bindings, 1);
	put(bindings, 3);
	bindings_remove(bindings, 3);
	record.expires++;
	record.contact = "sip:newer@192.0.2.7";
	bindings_put(bindings, &record);
	bindings_remove(bindings, 99);
	bindings_close(bindings);
	const struct found *left = look(place->path);
	assert_int_equal(2, left->count);
	assert_int_equal(5, left->id_sum);
	assert_string_equal("sip:newer@192.0.2.7", left->last.contact);
}

static void
test_expired(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *bindings = open_store(place->path, &found);
	struct bindings_record record = make(1);

	record.expires = (int64_t)time(NULL) - 1;
	bindings_put(bindings, &record);
	put(bindings, 2);
	bindings_close(bindings);
	const struct found *left = look(place->path);
	assert_int_equal(1, left->count);
	assert_int_equal(2, left->last.id);
}

/* Puts 500, and says on `out` (as its log does) when they are written. */
static void
be_killed(const char *path, int out)
{
	struct found found = {.count = 0};
	struct bindings *bindings;

	dup2(out, STDERR_FILENO);
	log_set_level(LOG_LEVEL_DEBUG);
	if (bindings_open(path, on_record, &found, &bindings) != 0)
		_exit(1);
	for (uint64_t id = 1; id <= 500; id++)
		put(bindings, id);
	for (;;)
		pause();
}

/* kill -9: what was written stays, and the lock goes with the process. */
static void
test_killed(void **state)
{
	struct place *place = *state;
	char said[4096] = "";
	size_t used = 0;
	int ends[2];

	assert_int_equal(0, pipe(ends));
	pid_t child = fork();
	if (child == 0)
		be_killed(place->path, ends[1]);
	close(ends[1]);
	while (strstr(said, "500 change(s)") == NULL) {
		ssize_t more = read(ends[0], said + used, sizeof(said) - 1 - used);
		assert_true(more > 0);
		used += (size_t)more;
		said[used] = '\0';
	}
	close(ends[0]);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(500, look(place->path)->count);
}

static void
write_file(const char *path, size_t at, const char *bytes, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(length, pwrite(fd, bytes, length, (off_t)at));
	close(fd);
}

static void
test_no_database(void **state)
{
	struct place *place = *state;
	char bytes[5000];
	struct found found;

	memset(bytes, 'x', sizeof(bytes));
	write_file(place->path, 0, bytes, sizeof(bytes));
	struct bindings *bindings = open_store(place->path, &found);
	assert_int_equal(0, access(place->damaged, F_OK));
	put(bindings, 5);
	bindings_close(bindings);
	assert_int_equal(5, look(place->path)->last.id);
}

static void
test_damaged(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *bindings = open_store(place->path, &found);
	char bytes[3000];

	for (uint64_t id = 1; id <= 200; id++)
		put(bindings, id);
	bindings_close(bindings);
	assert_int_equal(200, look(place->path)->count);
	memset(bytes, 0xa5, sizeof(bytes));
	write_file(place->path, 2 * 4096, bytes, sizeof(bytes));
	assert_int_equal(0, look(place->path)->count);
	assert_int_equal(0, access(place->damaged, F_OK));
	/* the next one finds the new file */
	bindings = open_store(place->path, &found);
	put(bindings, 1);
	bindings_close(bindings);
	assert_int_equal(1, look(place->path)->count);
}

/* Another program's database is not ours to move, or to write to. */
static void
test_foreign(void **state)
{
	struct place *place = *state;
	struct found found;
	sqlite3 *db;

	assert_int_equal(SQLITE_OK, sqlite3_open(place->path, &db));
	assert_int_equal(
		SQLITE_OK, sqlite3_exec(db, "CREATE TABLE precious (x)", NULL, NULL, NULL));
	sqlite3_close(db);
	struct bindings *bindings = open_store(place->path, &found);
	put(bindings, 1);
	bindings_close(bindings);
	assert_int_equal(SQLITE_OK, sqlite3_open(place->path, &db));
	assert_int_equal(SQLITE_OK, sqlite3_exec(db, "SELECT x FROM precious", NULL, NULL, NULL));
	assert_int_equal(
		SQLITE_ERROR, sqlite3_exec(db, "SELECT * FROM bindings", NULL, NULL, NULL));
	sqlite3_close(db);
}

/* It is told everything anew, once it is back, and has that and nothing else. */
static void
renew(struct bindings *bindings, uint64_t first, uint64_t last)
{
	await_stale(bindings);
	bindings_renew(bindings);
	assert_false(bindings_is_stale(bindings));
	for (uint64_t id = first; id <= last; id++)
		put(bindings, id);
	bindings_renewed(bindings);
}

static void
test_folder_comes_late(void **state)
{
	struct place *place = *state;
	struct found found;
	char folder[96];

	snprintf(folder, sizeof(folder), "%s/b", place->folder);
	assert_int_equal(0, rmdir(folder));
	struct bindings *bindings = open_store(place->path, &found);
	put(bindings, 1);
	assert_false(bindings_is_stale(bindings)); /* not while it is away */
	assert_int_equal(0, mkdir(folder, 0700));
	renew(bindings, 10, 12);
	bindings_close(bindings);
	const struct found *left = look(place->path);
	assert_int_equal(3, left->count);
	assert_int_equal(33, left->id_sum);
}

static void
test_locked(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *first = open_store(place->path, &found), *second;

	put(first, 1);
	second = open_store(place->path, &found);
	put(second, 2);
	bindings_close(first);
	/* the second one's now, and what the first wrote is old */
	renew(second, 20, 21);
	bindings_close(second);
	const struct found *left = look(place->path);
	assert_int_equal(2, left->count);
	assert_int_equal(41, left->id_sum);
}

/* Until it has given up, and with it the file. */
static void
await_unlocked(const char *path)
{
	time_t until = time(NULL) + PATIENCE_S;
	int result = SQLITE_BUSY;
	sqlite3 *db;

	while (result != SQLITE_OK) {
		assert_true(time(NULL) < until);
		usleep(10000);
		assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
		result = sqlite3_exec(db, "SELECT id FROM bindings", NULL, NULL, NULL);
		sqlite3_close(db);
	}
}

static void
test_disk_full(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *bindings = open_store(place->path, &found);
	struct rlimit limit, small;
	char log[160];
	struct stat file;
	time_t until = time(NULL) + PATIENCE_S;

	snprintf(log, sizeof(log), "%s-wal", place->path);
	put(bindings, 1);
	while (stat(log, &file) != 0 || file.st_size < 8000) {
		assert_true(time(NULL) < until);
		usleep(10000);
	}
	getrlimit(RLIMIT_FSIZE, &limit);
	small = limit;
	small.rlim_cur = 40000;
	setrlimit(RLIMIT_FSIZE, &small);
	for (uint64_t id = 2; id <= 3000; id++)
		put(bindings, id);
	await_unlocked(place->path);
	setrlimit(RLIMIT_FSIZE, &limit);
	renew(bindings, 1, 3000);
	put(bindings, 3001);
	bindings_close(bindings);
	assert_int_equal(3001, look(place->path)->count);
}

/* A store that can't follow loses what is queued, not the memory. */
static void
test_queue_has_an_end(void **state)
{
	struct place *place = *state;
	struct found found;
	struct bindings *bindings = open_store(place->path, &found);

	for (uint64_t id = 1; id <= 1000000; id++)
		put(bindings, id);
	renew(bindings, 1, 2);
	bindings_close(bindings);
	assert_int_equal(2, look(place->path)->count);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_round_trip),
		TEST(test_order_of_changes),
		TEST(test_expired),
		TEST(test_killed),
		TEST(test_no_database),
		TEST(test_damaged),
		TEST(test_foreign),
		TEST(test_folder_comes_late),
		TEST(test_locked),
		TEST(test_disk_full),
		TEST(test_queue_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
