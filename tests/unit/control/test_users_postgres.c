/* SPDX-License-Identifier: BSD-3-Clause */
/* Users in a real PostgreSQL: what is added is found; and what happens while the server is away,
 * hangs, or comes back. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/users.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REALM "sallyport.example"
#define WAIT_MS 400
#define SLACK_MS 300 /* of a busy machine */

static char folder[64], url[192], error[USERS_ERROR_SIZE];
static const struct config_store store = {.wait_ms = WAIT_MS, .cache_s = 60};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

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

	server("resume");
	server("kill");
	snprintf(line, sizeof(line), "rm -rf '%s'", folder);
	return system(line);
}

static struct users *
open_good(enum users_mode mode)
{
	struct users *users;

	if (users_open(url, mode, &users, error, sizeof(error)) != 0)
		fail_msg("%s", error);
	return users;
}

/* With alice and bob in it, and nobody else. */
static int
setup(void **state)
{
	struct users *users = open_good(USERS_CREATE);

	users_del(users, "alice", REALM);
	users_del(users, "bob", REALM);
	users_del(users, "carol", REALM);
	assert_int_equal(users_add(users, "alice", REALM, "wonderland"), 0);
	assert_int_equal(users_add(users, "bob", REALM, "builder"), 0);
	users_close(users);
	return 0;
}

static struct users *
open_started(void)
{
	struct users *users = open_good(USERS_READ);

	assert_int_equal(users_start(users, &store), 0);
	return users;
}

static int
look_for(struct users *users, const char *name)
{
	struct user user;
	int result = users_find(users, name, REALM, &user);

	assert_int_equal(strlen(user.ha1[DIGEST_MD5]), 32); /* a dummy at least */
	user_wipe(&user);
	return result;
}

/* Asks until the answer is this; no longer than ten seconds. */
static void
await(struct users *users, const char *name, int wanted)
{
	int64_t until = now_ms() + 10000;
	int result;

	while ((result = look_for(users, name)) != wanted) {
		if (now_ms() > until)
			fail_msg("%s: %d: %s", name, result, users_error(users));
		usleep(20000); /* between questions, as phones do */
	}
}

static int
count_users(void *arg, const struct user *user)
{
	assert_string_equal(user->realm, REALM);
	assert_in_range(user->created, 1700000000, 9999999999);
	++*(unsigned *)arg;
	return 0;
}

static void
test_no_table(void **state)
{
	struct users *users;

	assert_int_equal(users_open(url, USERS_WRITE, &users, error, sizeof(error)), -ENOENT);
	assert_non_null(strstr(error, "sallyctl user init"));
	assert_int_equal(users_open(url, USERS_READ, &users, error, sizeof(error)), 0);
	assert_int_equal(users_start(users, &store), 0);
	assert_int_equal(look_for(users, "alice"), -EAGAIN); /* and not: no such user */
	setup(NULL);
	await(users, "alice", 0);
	users_close(users);
}

static void
test_add_find_del_list(void **state)
{
	struct users *users = open_good(USERS_WRITE);
	struct user user;
	char expected[DIGEST_HEX_SIZE];
	unsigned count = 0;

	assert_int_equal(users_find(users, "alice", REALM, &user), 0);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		digest_ha1((enum digest_algorithm)i, "alice", REALM, "wonderland", expected);
		assert_string_equal(user.ha1[i], expected);
	}
	assert_int_equal(look_for(users, "Alice"), -ENOENT);
	assert_int_equal(look_for(users, "alice' OR '1'='1"), -ENOENT);
	assert_int_equal(users_find(users, "alice", "elsewhere.example", &user), -ENOENT);
	assert_int_equal(users_add(users, "alice", REALM, "again"), -EEXIST);
	assert_non_null(strstr(users_error(users), "alice"));
	assert_int_equal(users_list(users, count_users, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(users_del(users, "bob", REALM), 0);
	assert_int_equal(users_del(users, "bob", REALM), -ENOENT);
	assert_int_equal(look_for(users, "bob"), -ENOENT);
	users_close(users);
}

/* Brought from elsewhere with an MD5 hash alone: the others are as good as no user's. */
static void
test_hashes_that_are_missing(void **state)
{
	struct users *users = open_good(USERS_WRITE);
	struct user carol = {.name = "carol", .realm = REALM}, found, nobody;

	assert_int_equal(users_add_hashes(users, &carol), -EINVAL);
	digest_ha1(DIGEST_MD5, "carol", REALM, "x", carol.ha1[DIGEST_MD5]);
	assert_int_equal(users_add_hashes(users, &carol), 0);
	assert_int_equal(users_find(users, "carol", REALM, &found), 0);
	assert_int_equal(users_find(users, "nobody", REALM, &nobody), -ENOENT);
	assert_string_equal(found.ha1[DIGEST_MD5], carol.ha1[DIGEST_MD5]);
	assert_string_equal(found.ha1[DIGEST_SHA_256], nobody.ha1[DIGEST_SHA_256]);
	assert_string_equal(found.ha1[DIGEST_SHA_512_256], nobody.ha1[DIGEST_SHA_512_256]);
	users_close(users);
}

/* A change is seen at once, and by a reader that has asked before. */
static void
test_reader_sees_changes(void **state)
{
	struct users *reader = open_started(), *writer = open_good(USERS_WRITE);

	assert_int_equal(look_for(reader, "alice"), 0);
	assert_int_equal(look_for(reader, "carol"), -ENOENT);
	assert_int_equal(users_add(writer, "carol", REALM, "x"), 0);
	assert_int_equal(look_for(reader, "carol"), 0);
	assert_int_equal(users_del(writer, "carol", REALM), 0);
	assert_int_equal(look_for(reader, "carol"), -ENOENT);
	users_close(writer);
	users_close(reader);
}

/* kill -9 and a new start, while it is idle: nobody notices. */
static void
test_restarted_unseen(void **state)
{
	struct users *users = open_started();

	assert_int_equal(look_for(users, "alice"), 0);
	assert_int_equal(server("kill"), 0);
	assert_int_equal(server("start"), 0);
	assert_int_equal(look_for(users, "bob"), 0);
	users_close(users);
}

/* Away: who was here before still is, others are unknown but not refused, and nobody waits; a user
 * that was removed before is not served from memory. Then all comes back by itself. */
static void
test_away_and_back(void **state)
{
	struct users *users = open_started(), *writer = open_good(USERS_WRITE);

	assert_int_equal(users_add(writer, "carol", REALM, "x"), 0);
	assert_int_equal(look_for(users, "alice"), 0);
	assert_int_equal(look_for(users, "carol"), 0);
	assert_int_equal(users_del(writer, "carol", REALM), 0);
	users_close(writer);
	assert_int_equal(look_for(users, "carol"), -ENOENT);
	assert_int_equal(server("kill"), 0);
	assert_int_equal(look_for(users, "alice"), 0);
	assert_int_equal(look_for(users, "carol"), -EAGAIN);
	int64_t begin = now_ms();
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(look_for(users, "bob"), -EAGAIN);
		assert_int_equal(look_for(users, "alice"), 0);
	}
	assert_in_range(now_ms() - begin, 0, SLACK_MS);
	assert_non_null(strstr(users_error(users), folder));
	assert_int_equal(server("start"), 0);
	await(users, "bob", 0);
	await(users, "carol", -ENOENT);
	users_close(users);
}

/* It hangs: one question waits, and no longer than it may; the others don't. */
static void
test_hangs(void **state)
{
	struct users *users = open_started();

	assert_int_equal(look_for(users, "alice"), 0);
	assert_int_equal(server("hang"), 0);
	int64_t begin = now_ms();
	assert_int_equal(look_for(users, "bob"), -EAGAIN);
	assert_in_range(now_ms() - begin, WAIT_MS, WAIT_MS + SLACK_MS);
	begin = now_ms();
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(look_for(users, "bob"), -EAGAIN);
		assert_int_equal(look_for(users, "alice"), 0);
	}
	assert_in_range(now_ms() - begin, 0, SLACK_MS);
	assert_int_equal(server("resume"), 0);
	await(users, "bob", 0);
	/* and an answer that came late is nobody else's */
	assert_int_equal(look_for(users, "nobody"), -ENOENT);
	assert_int_equal(look_for(users, "alice"), 0);
	users_close(users);
}

/* Started before its database, as after a power cut; and ended without ever having had it. */
static void
test_server_comes_later(void **state)
{
	assert_int_equal(server("kill"), 0);
	struct users *users = open_started(), *other = open_started();

	assert_int_equal(look_for(users, "alice"), -EAGAIN);
	users_close(other);
	assert_int_equal(server("start"), 0);
	await(users, "alice", 0);
	users_close(users);
}

/* What may be shown of a URL holds no password. */
static void
test_urls(void **state)
{
	struct users *users;

	assert_int_equal(users_open("postgresql://u:pass-word@/x?nonsense=1", USERS_READ, &users,
				 error, sizeof(error)),
		-EINVAL);
	assert_null(strstr(error, "pass-word"));
	assert_int_equal(users_open("postgresql://u:pass-word@127.0.0.1:1/x", USERS_WRITE, &users,
				 error, sizeof(error)),
		-EAGAIN);
	assert_null(strstr(error, "pass-word"));
	assert_non_null(strstr(error, "postgresql://127.0.0.1/x"));
}

static unsigned
free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (void *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (void *)&address, &length), 0);
	close(fd);
	return ntohs(address.sin_port);
}

/* Opens it with these parameters of TLS, asks for alice, and lets the thread do so, too. */
static int
over_tls(unsigned port, const char *host, const char *parameters)
{
	char where[512];
	struct users *users;

	snprintf(where, sizeof(where), "postgresql://sallyport@%s:%u/postgres?%s", host, port,
		parameters);
	int result = users_open(where, USERS_WRITE, &users, error, sizeof(error));
	if (result != 0)
		return result;
	assert_int_equal(look_for(users, "alice"), 0);
	users_close(users);
	assert_int_equal(users_open(where, USERS_READ, &users, error, sizeof(error)), 0);
	assert_int_equal(users_start(users, &store), 0);
	await(users, "alice", 0);
	users_close(users);
	return 0;
}

/* What the URL asks of TLS is done: the server's certificate, and its name. */
static void
test_tls(void **state)
{
	static const char make[] =
		"cd '%s' && { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		"-keyout key.pem -out good.pem -subj /CN=db -days 2 "
		"-addext subjectAltName=IP:127.0.0.1 && "
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
		"-keyout other.key -out other.pem -subj /CN=other -days 2 && "
		"chmod 600 key.pem && { [ \"$(id -u)\" -ne 0 ] || chown 65534:65534 key.pem "
		"good.pem; }; "
		"} 2>openssl.log";
	char text[1024], parameters[256];
	unsigned port = free_port();

	snprintf(text, sizeof(text), make, folder);
	assert_int_equal(system(text), 0);
	snprintf(text, sizeof(text),
		"-c listen_addresses=127.0.0.1 -c port=%u -c ssl=on -c ssl_cert_file=%s/good.pem "
		"-c ssl_key_file=%s/key.pem",
		port, folder, folder);
	setenv("POSTGRES_SETTINGS", text, 1);
	assert_int_equal(server("kill"), 0);
	assert_int_equal(server("start"), 0);
	snprintf(parameters, sizeof(parameters), "sslmode=verify-full&sslrootcert=%s/good.pem",
		folder);
	assert_int_equal(over_tls(port, "127.0.0.1", parameters), 0);
	/* the name that the certificate does not have */
	assert_int_equal(over_tls(port, "localhost", parameters), -EAGAIN);
	snprintf(parameters, sizeof(parameters), "sslmode=verify-ca&sslrootcert=%s/good.pem",
		folder);
	assert_int_equal(over_tls(port, "localhost", parameters), 0);
	/* another authority */
	snprintf(parameters, sizeof(parameters), "sslmode=verify-ca&sslrootcert=%s/other.pem",
		folder);
	assert_int_equal(over_tls(port, "127.0.0.1", parameters), -EAGAIN);
	assert_non_null(strstr(error, "certificate verify failed"));
	unsetenv("POSTGRES_SETTINGS");
	assert_int_equal(server("kill"), 0);
	assert_int_equal(server("start"), 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_table),
		TEST(test_add_find_del_list),
		TEST(test_hashes_that_are_missing),
		TEST(test_reader_sees_changes),
		TEST(test_restarted_unseen),
		TEST(test_away_and_back),
		TEST(test_hangs),
		TEST(test_server_comes_later),
		TEST(test_tls),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, start_server, end_server);
}
