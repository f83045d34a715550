/* SPDX-License-Identifier: BSD-3-Clause */
/* The store of users: what is added is found, by other processes and other users of the system,
 * too; and every way in which the file can be wrong is named. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/turn.h"
#include "control/users.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REALM "sallyport.example"
#define NOBODY 65534

struct place {
	char folder[64];
	char path[128];
	char error[USERS_ERROR_SIZE];
};

static int
setup(void **state)
{
	static struct place place;

	memset(&place, 0, sizeof(place));
	strcpy(place.folder, "/tmp/sallyport-users-XXXXXX");
	if (mkdtemp(place.folder) == NULL)
		return -1;
	chmod(place.folder, 0755);
	snprintf(place.path, sizeof(place.path), "%s/users.db", place.folder);
	*state = &place;
	return 0;
}

static int
remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	return remove(path);
}

static int
teardown(void **state)
{
	struct place *place = *state;

	return nftw(place->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static struct users *
open_good(struct place *place, enum users_mode mode)
{
	struct users *users;
	int result = users_open(place->path, mode, &users, place->error, sizeof(place->error));

	if (result != 0)
		fail_msg("%d: %s", result, place->error);
	return users;
}

/* The error, and that its sentence names the file. */
static int
open_bad(struct place *place, enum users_mode mode)
{
	struct users *users;
	int result = users_open(place->path, mode, &users, place->error, sizeof(place->error));

	assert_null(users);
	assert_non_null(strstr(place->error, place->path));
	return result;
}

/* Runs in a child; its exit status comes back. */
static int
in_child(int (*run)(struct place *place), struct place *place)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(run(place));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
test_add_find_del(void **state)
{
	struct users *users = open_good(*state, USERS_CREATE);
	static const char too_long[] =
		"12345678901234567890123456789012345678901234567890123456789012345";
	struct user user;
	char expected[DIGEST_HEX_SIZE], longest[USER_NAME_SIZE];

	snprintf(longest, sizeof(longest), "%.64s", too_long);
	assert_int_equal(users_find(users, "alice", REALM, &user), -ENOENT);
	assert_int_equal(users_add(users, "alice", REALM, "secret"), 0);
	assert_int_equal(users_find(users, "alice", REALM, &user), 0);
	assert_string_equal(user.name, "alice");
	assert_string_equal(user.realm, REALM);
	assert_in_range(user.created, 1700000000, 9999999999);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		digest_ha1((enum digest_algorithm)i, "alice", REALM, "secret", expected);
		assert_string_equal(user.ha1[i], expected);
	}
	assert_int_equal(users_add(users, "alice", REALM, "other"), -EEXIST);
	assert_non_null(strstr(users_error(users), "alice"));
	assert_int_equal(users_add(users, "alice", "elsewhere.example", "other"), 0);
	assert_int_equal(users_find(users, "Alice", REALM, &user), -ENOENT);
	assert_int_equal(users_add(users, longest, REALM, "x"), 0);
	assert_int_equal(users_find(users, longest, REALM, &user), 0);
	assert_int_equal(users_find(users, too_long, REALM, &user), -ENOENT);
	assert_int_equal(users_del(users, "alice", REALM), 0);
	assert_int_equal(users_find(users, "alice", REALM, &user), -ENOENT);
	assert_int_equal(users_find(users, "alice", "elsewhere.example", &user), 0);
	assert_int_equal(users_del(users, "alice", REALM), -ENOENT);
	user_wipe(&user);
	assert_int_equal(user.ha1[0][0], '\0');
	users_close(users);
}

/* The hashes of nobody look like hashes, are the same for each, and no known one. */
static void
test_dummy(void **state)
{
	struct users *users = open_good(*state, USERS_CREATE);
	struct user nobody, other;

	assert_int_equal(users_find(users, "nobody", REALM, &nobody), -ENOENT);
	assert_int_equal(users_find(users, "other", REALM, &other), -ENOENT);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		assert_int_equal(
			strlen(nobody.ha1[i]), digest_hex_length((enum digest_algorithm)i));
		assert_int_equal(strspn(nobody.ha1[i], "0123456789abcdef"), strlen(nobody.ha1[i]));
		assert_string_equal(nobody.ha1[i], other.ha1[i]);
	}
	users_close(users);
	users = open_good(*state, USERS_READ);
	assert_int_equal(users_find(users, "nobody", REALM, &other), -ENOENT);
	assert_string_not_equal(nobody.ha1[0], other.ha1[0]);
	users_close(users);
}

static void
test_names(void **state)
{
	static const char *const bad_names[] = {"", "a b", "a\"b", "a'b", "a;b", "a@b", "a:b",
		"a/b", "a\nb", "\xc3\xa4", "<a>",
		"12345678901234567890123456789012345678901234567890123456789012345"};
	static const char *const bad_realms[] = {"", "a b", "a\"b", "a\r\nb", "a,b"};
	static const char *const bad_passwords[] = {"", "a\nb", "a\x7f"};
	struct users *users = open_good(*state, USERS_CREATE);
	char longest[USER_PASSWORD_SIZE + 1];

	for (unsigned i = 0; i < sizeof(bad_names) / sizeof(bad_names[0]); i++)
		assert_int_equal(users_add(users, bad_names[i], REALM, "x"), -EINVAL);
	for (unsigned i = 0; i < sizeof(bad_realms) / sizeof(bad_realms[0]); i++)
		assert_int_equal(users_add(users, "a", bad_realms[i], "x"), -EINVAL);
	for (unsigned i = 0; i < sizeof(bad_passwords) / sizeof(bad_passwords[0]); i++)
		assert_int_equal(users_add(users, "a", REALM, bad_passwords[i]), -EINVAL);
	memset(longest, 'x', sizeof(longest));
	longest[USER_PASSWORD_SIZE] = '\0';
	assert_int_equal(users_add(users, "a", REALM, longest), -EINVAL);
	longest[USER_PASSWORD_SIZE - 1] = '\0';
	assert_int_equal(users_add(users, "a", REALM, longest), 0);
	assert_int_equal(users_add(users, "+49.30-1_2", "192.0.2.1", "p\xc3\xa4ss wort"), 0);
	users_close(users);
}

static int
collect(void *arg, const struct user *user)
{
	char *text = arg;

	assert_int_equal(user->ha1[0][0], '\0');
	snprintf(text + strlen(text), 256 - strlen(text), "%s@%s ", user->name, user->realm);
	return strcmp(user->name, "stop") == 0 ? 42 : 0;
}

static void
test_list(void **state)
{
	struct users *users = open_good(*state, USERS_CREATE);
	char text[256] = "";

	assert_int_equal(users_list(users, collect, text), 0);
	assert_string_equal(text, "");
	users_add(users, "bob", "b", "x");
	users_add(users, "carol", "a", "x");
	users_add(users, "alice", "b", "x");
	assert_int_equal(users_list(users, collect, text), 0);
	assert_string_equal(text, "carol@a alice@b bob@b ");
	users_add(users, "stop", "a", "x");
	assert_int_equal(users_list(users, collect, text), 42);
	users_close(users);
}

/* Neither password nor a hash of a removed user is in the file. */
static void
test_file_holds_no_secret(void **state)
{
	struct place *place = *state;
	struct users *users = open_good(place, USERS_CREATE);
	struct stat status;
	char md5[DIGEST_HEX_SIZE];

	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
	users_add(users, "alice", REALM, "correct-horse-battery");
	users_add(users, "bob", REALM, "staple");
	users_del(users, "bob", REALM);
	users_close(users);
	digest_ha1(DIGEST_MD5, "bob", REALM, "staple", md5);
	assert_int_equal(stat(place->path, &status), 0);
	char *bytes = calloc(1, (size_t)status.st_size);
	FILE *file = fopen(place->path, "rb");
	assert_int_equal(fread(bytes, 1, (size_t)status.st_size, file), status.st_size);
	fclose(file);
	assert_non_null(memmem(bytes, (size_t)status.st_size, "alice", 5));
	assert_null(memmem(bytes, (size_t)status.st_size, "correct-horse", 13));
	assert_null(memmem(bytes, (size_t)status.st_size, md5, strlen(md5)));
	free(bytes);
}

static int
add_bob(struct place *place)
{
	struct users *users = open_good(place, USERS_WRITE);
	int result = users_add(users, "bob", REALM, "secret");

	users_close(users);
	return -result;
}

static void
test_other_process_adds(void **state)
{
	struct users *writer = open_good(*state, USERS_CREATE);
	struct user user;

	users_close(writer);
	struct users *reader = open_good(*state, USERS_READ);
	assert_int_equal(users_find(reader, "bob", REALM, &user), -ENOENT);
	assert_int_equal(in_child(add_bob, *state), 0);
	assert_int_equal(users_find(reader, "bob", REALM, &user), 0);
	assert_int_equal(users_add(reader, "eve", REALM, "x"), -EROFS);
	users_close(reader);
}

/* sallyport-sip's user may read the file by its group, and write nothing, not even the folder. */
static int
read_as_nobody(struct place *place)
{
	struct users *users;
	struct user user;

	if (setgroups(0, NULL) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0)
		return 1;
	if (access(place->folder, W_OK) == 0 || access(place->path, W_OK) == 0)
		return 2;
	if (users_open(place->path, USERS_READ, &users, place->error, sizeof(place->error)) != 0)
		return 3;
	if (users_find(users, "alice", REALM, &user) != 0)
		return 4;
	users_close(users);
	return users_open(place->path, USERS_WRITE, &users, place->error, sizeof(place->error)) ==
	                       -EACCES
	               ? 0
	               : 5;
}

static void
test_unprivileged_reader(void **state)
{
	struct place *place = *state;
	struct users *writer;
	struct stat status;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(place->folder, 0, NOBODY), 0);
	writer = open_good(place, USERS_CREATE); /* the file gets the folder's group */
	assert_int_equal(stat(place->path, &status), 0);
	assert_int_equal(status.st_gid, NOBODY);
	users_add(writer, "alice", REALM, "x");
	assert_int_equal(in_child(read_as_nobody, place), 0); /* while a writer has it open */
	users_close(writer);
	assert_int_equal(in_child(read_as_nobody, place), 0);
	assert_int_equal(chmod(place->path, 0600), 0);
	assert_int_equal(in_child(read_as_nobody, place), 3);
}

static void
write_file(struct place *place, const char *bytes, size_t length)
{
	FILE *file = fopen(place->path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, length, file), length);
	fclose(file);
}

static void
test_missing(void **state)
{
	struct place *place = *state;

	assert_int_equal(open_bad(place, USERS_READ), -ENOENT);
	assert_int_equal(open_bad(place, USERS_WRITE), -ENOENT);
	assert_int_equal(access(place->path, F_OK), -1);
	snprintf(place->path, sizeof(place->path), "%s/no/users.db", place->folder);
	assert_int_equal(open_bad(place, USERS_CREATE), -ENOENT);
	assert_non_null(strstr(place->error, "folder"));
	snprintf(place->path, sizeof(place->path), "%s", place->folder);
	assert_int_equal(open_bad(place, USERS_READ), -EBADMSG);
}

static void
test_no_database(void **state)
{
	static char text[4096];

	memset(text, 'x', sizeof(text));
	write_file(*state, text, sizeof(text));
	assert_int_equal(open_bad(*state, USERS_READ), -EBADMSG);
	assert_int_equal(open_bad(*state, USERS_WRITE), -EBADMSG);
	assert_int_equal(open_bad(*state, USERS_CREATE), -EBADMSG);
	write_file(*state, "", 0); /* an empty file is an empty database, but no store */
	assert_int_equal(open_bad(*state, USERS_READ), -EPROTO);
	assert_int_equal(open_bad(*state, USERS_WRITE), -EPROTO);
	users_close(open_good(*state, USERS_CREATE));
	users_close(open_good(*state, USERS_READ));
}

static void
execute(struct place *place, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void
test_others_database(void **state)
{
	execute(*state, "CREATE TABLE songs (title TEXT)");
	assert_int_equal(open_bad(*state, USERS_READ), -EPROTO);
	assert_int_equal(open_bad(*state, USERS_CREATE), -EPROTO);
}

static void
test_later_release(void **state)
{
	users_close(open_good(*state, USERS_CREATE));
	execute(*state, "PRAGMA user_version = 2");
	assert_int_equal(open_bad(*state, USERS_READ), -EPROTO);
	assert_non_null(strstr(((struct place *)*state)->error, "release"));
}

/* A damaged page, and a hash that is none. */
static void
test_damaged(void **state)
{
	struct place *place = *state;
	struct users *users = open_good(place, USERS_CREATE);
	struct user user;
	char zeros[4096] = "";

	users_add(users, "alice", REALM, "x");
	execute(place, "UPDATE users SET ha1_sha256 = 'abc'");
	assert_int_equal(users_find(users, "alice", REALM, &user), -EBADMSG);
	assert_int_equal(strlen(user.ha1[DIGEST_SHA_256]), 64); /* the dummy */
	users_close(users);
	int fd = open(place->path, O_WRONLY);
	assert_int_equal(pwrite(fd, zeros, sizeof(zeros), 4096), sizeof(zeros));
	close(fd);
	users = open_good(place, USERS_READ);
	assert_int_equal(users_find(users, "alice", REALM, &user), -EBADMSG);
	users_close(users);
}

/* A writer in the middle of a commit: a reader waits a little, then says so. */
static void
test_locked(void **state)
{
	struct place *place = *state;
	struct users *reader;
	struct user user;
	sqlite3 *db;

	users_close(open_good(place, USERS_CREATE));
	reader = open_good(place, USERS_READ);
	assert_int_equal(sqlite3_open(place->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(users_find(reader, "alice", REALM, &user), -EBUSY);
	assert_non_null(strstr(users_error(reader), "locked"));
	assert_int_equal(open_bad(place, USERS_READ), -EBUSY);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(users_find(reader, "alice", REALM, &user), -ENOENT);
	sqlite3_close(db);
	users_close(reader);
}

/* A store that is moved away goes on serving; one that is put in its place is noticed. */
static void
test_replaced(void **state)
{
	struct place *place = *state;
	struct users *users = open_good(place, USERS_CREATE), *reader;
	char aside[160];
	struct user user;

	users_add(users, "alice", REALM, "x");
	users_close(users);
	reader = open_good(place, USERS_READ);
	assert_int_equal(users_find(reader, "alice", REALM, &user), 0);
	snprintf(aside, sizeof(aside), "%s.aside", place->path);
	assert_int_equal(rename(place->path, aside), 0);
	assert_int_equal(users_find(reader, "alice", REALM, &user), 0);
	users = open_good(place, USERS_CREATE);
	users_add(users, "bob", REALM, "x");
	users_close(users);
	assert_int_equal(users_find(reader, "alice", REALM, &user), -ENOENT);
	assert_int_equal(users_find(reader, "bob", REALM, &user), 0);
	assert_int_equal(unlink(place->path), 0);
	write_file(place, "rubbish rubbish rubbish", 23);
	assert_int_equal(users_find(reader, "bob", REALM, &user), -EBADMSG);
	assert_int_equal(rename(aside, place->path), 0);
	assert_int_equal(users_find(reader, "alice", REALM, &user), 0);
	users_close(reader);
}

/* An event loop looks at the file once a turn, and holds no writer up beyond that. */
static void
test_turns(void **state)
{
	struct place *place = *state;
	struct users *writer = open_good(place, USERS_CREATE), *reader;
	const struct config_store config = {.wait_ms = 250};
	char aside[160];
	struct user user;

	users_add(writer, "alice", REALM, "x");
	reader = open_good(place, USERS_READ);
	assert_int_equal(users_start(reader, &config), 0);
	assert_int_equal(users_find(reader, "alice", REALM, &user), 0);
	assert_int_equal(users_find(reader, "bob", REALM, &user), -ENOENT);
	turn_end_run();
	assert_int_equal(users_add(writer, "bob", REALM, "x"), 0);
	assert_int_equal(users_find(reader, "bob", REALM, &user), 0);
	turn_end_run();
	assert_int_equal(users_del(writer, "alice", REALM), 0);
	assert_int_equal(users_find(reader, "alice", REALM, &user), -ENOENT);
	turn_end_run();
	turn_end_run();
	users_close(writer);
	snprintf(aside, sizeof(aside), "%s.aside", place->path);
	assert_int_equal(rename(place->path, aside), 0);
	assert_int_equal(users_find(reader, "bob", REALM, &user), 0);
	writer = open_good(place, USERS_CREATE);
	users_add(writer, "carol", REALM, "x");
	assert_int_equal(users_find(reader, "carol", REALM, &user), -ENOENT);
	turn_end_run();
	assert_int_equal(users_find(reader, "carol", REALM, &user), 0);
	users_close(reader); /* in the middle of a turn */
	turn_end_run();
	assert_int_equal(users_add(writer, "dave", REALM, "x"), 0);
	users_close(writer);
}

/* In a file system of its own that is filled to the brim, then made read-only. */
static int
fill_disk(struct place *place)
{
	char filler[160], block[4096] = "";
	struct users *users;
	int result = 0;

	if (unshare(CLONE_NEWNS) != 0 || mount("", "/", "", MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", place->folder, "tmpfs", 0, "size=128k") != 0)
		return 77;
	if (users_open(place->path, USERS_CREATE, &users, place->error, sizeof(place->error)) != 0)
		return 1;
	if (users_add(users, "alice", REALM, "x") != 0)
		return 2;
	snprintf(filler, sizeof(filler), "%s/filler", place->folder);
	int fd = open(filler, O_WRONLY | O_CREAT, 0600);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
	for (unsigned i = 0; i < 100 && result == 0; i++) {
		char name[16];
		snprintf(name, sizeof(name), "user%u", i);
		result = users_add(users, name, REALM, "x");
	}
	if (result != -ENOSPC || strstr(users_error(users), "disk is full") == NULL)
		return 3;
	unlink(filler);
	if (users_add(users, "bob", REALM, "x") != 0)
		return 4;
	users_close(users);
	if (mount("none", place->folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return 5;
	if (users_open(place->path, USERS_WRITE, &users, place->error, sizeof(place->error)) !=
		-EROFS)
		return 6;
	if (users_open(place->path, USERS_READ, &users, place->error, sizeof(place->error)) != 0)
		return 7;
	users_close(users);
	return 0;
}

static void
test_disk_full(void **state)
{
	if (geteuid() != 0)
		skip();
	int result = in_child(fill_disk, *state);
	if (result == 77)
		skip();
	assert_int_equal(result, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_add_find_del),
		TEST(test_dummy),
		TEST(test_names),
		TEST(test_list),
		TEST(test_file_holds_no_secret),
		TEST(test_other_process_adds),
		TEST(test_unprivileged_reader),
		TEST(test_missing),
		TEST(test_no_database),
		TEST(test_others_database),
		TEST(test_later_release),
		TEST(test_damaged),
		TEST(test_locked),
		TEST(test_replaced),
		TEST(test_turns),
		TEST(test_disk_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
