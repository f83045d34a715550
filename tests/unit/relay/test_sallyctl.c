/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl as a user runs it, where no relay answers: its usage, its exit status, its sentences.
 * What it shows of a relay is tested with a real one, in the integration tests. */
#include "relay_end.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern char **environ;

struct run {
	int status; /* exit status; -1: ended by a signal */
	char out[16384];
	char err[4096];
};

static char folder[] = "/tmp/sallyport-ctl-XXXXXX";

static void
read_back(int fd, char *text, size_t size)
{
	ssize_t length = pread(fd, text, size - 1, 0);

	assert_true(length >= 0);
	text[length] = '\0';
	close(fd);
}

/* Runs `program` with words, each separated by one space, and waits for its end. */
static void
run_program(struct run *run, const char *program, const char *words)
{
	char copy[512], *args[32], *rest = NULL;
	char out_path[128], err_path[128];
	posix_spawn_file_actions_t actions;
	int count = 0, status;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", words);
	args[count++] = (char *)(uintptr_t)program;
	for (char *word = strtok_r(copy, " ", &rest); word != NULL;
		word = strtok_r(NULL, " ", &rest))
		args[count++] = word;
	args[count] = NULL;
	snprintf(out_path, sizeof(out_path), "%s/out", folder);
	snprintf(err_path, sizeof(err_path), "%s/err", folder);
	int out = open(out_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = open(err_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(out >= 0 && err >= 0);
	assert_int_equal(0, posix_spawn_file_actions_init(&actions));
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, err, 2);
	assert_int_equal(0, posix_spawn(&pid, program, &actions, NULL, args, environ));
	posix_spawn_file_actions_destroy(&actions);
	assert_int_equal(pid, waitpid(pid, &status, 0));
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	read_back(out, run->out, sizeof(run->out));
	read_back(err, run->err, sizeof(run->err));
	unlink(out_path);
	unlink(err_path);
}

static void
sallyctl(struct run *run, const char *words)
{
	run_program(run, getenv("SALLYCTL"), words);
}

static void
assert_says(const char *text, const char *words)
{
	if (strstr(text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", text, words);
}

static void
test_help_and_version(void **state)
{
	static const char *const asked[] = {"--help", "-h", "sessions --help", "end --help",
		"--json stats --help", "status -h"};
	struct run run;

	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		sallyctl(&run, asked[i]);
		assert_int_equal(0, run.status);
		assert_string_equal("", run.err);
		assert_says(run.out, "Usage: sallyctl [OPTIONS] COMMAND");
		assert_says(run.out, "sessions ID");
		assert_says(run.out, "user add NAME");
		assert_says(run.out, "Exit status: 0");
		assert_says(run.out, "3 no relay answers");
	}
	sallyctl(&run, "--version");
	assert_int_equal(0, run.status);
	assert_string_equal("sallyctl " SALLYPORT_VERSION "\n", run.out);
}

/* Wrong words are told as such, though there is no relay, either. */
static void
test_wrong_usage(void **state)
{
	static const struct {
		const char *words;
		const char *says;
	} cases[] = {
		{"", "Usage: sallyctl"},
		{"frobnicate", "there is no command \"frobnicate\""},
		{"status now", "too many words: \"now\""},
		{"stats a", "too many words: \"a\""},
		{"sessions a b", "too many words: \"b\""},
		{"sessions a b c d", "too many words: \"c\""},
		{"end", "a session's name is missing after \"end\""},
		{"end a b", "too many words: \"b\""},
		{"drain now", "too many words: \"now\""},
		{"drain --only web", "--only takes media or sip, not \"web\""},
		{"drain --deadline 0", "--deadline takes seconds, 1 or more, not \"0\""},
		{"drain --deadline 5s", "--deadline takes seconds, 1 or more, not \"5s\""},
		{"--frob status", "--frob"},
		{"status --frob", "--frob"},
		{"--socket", "requires an argument"},
	};
	struct run run;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sallyctl(&run, cases[i].words);
		assert_int_equal(2, run.status);
		assert_string_equal("", run.out);
		assert_says(run.err, cases[i].says);
	}
}

static void
test_no_relay(void **state)
{
	static const char *const commands[] = {
		"status", "stats", "sessions", "sessions x", "end x", "--json stats"};
	char words[256], path[128];
	struct run run;

	snprintf(path, sizeof(path), "%s/none.sock", folder);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		snprintf(words, sizeof(words), "--socket %s %s", path, commands[i]);
		sallyctl(&run, words);
		assert_int_equal(3, run.status);
		assert_string_equal("", run.out);
		assert_says(run.err, path);
		assert_says(run.err, "No such file or directory");
		assert_says(run.err, "Is sallyport-media running");
	}
	/* options may follow the command */
	snprintf(words, sizeof(words), "status -s %s", path);
	sallyctl(&run, words);
	assert_int_equal(3, run.status);
	assert_says(run.err, path);
}

/* Drain names what it looked for. */
static void
test_nobody_to_drain(void **state)
{
	char words[256], file[128];
	struct run run;

	snprintf(file, sizeof(file), "%s/d.yaml", folder);
	FILE *out = fopen(file, "w");
	assert_non_null(out);
	fprintf(out, "media:\n  socket: %s/none.sock\n", folder);
	assert_int_equal(0, fclose(out));
	snprintf(words, sizeof(words), "--config %s drain --only sip", file);
	sallyctl(&run, words);
	assert_int_equal(2, run.status);
	assert_string_equal("", run.out);
	assert_says(run.err, "by the configuration this box has no daemon \"sip\"");
	unlink(file);

	snprintf(words, sizeof(words), "--socket %s/none.sock drain --only media", folder);
	sallyctl(&run, words);
	assert_int_equal(3, run.status);
	assert_string_equal("", run.out);
	assert_says(run.err, "nobody answers at ");
	assert_says(run.err, "/none.sock. Are the daemons running");
}

/* The socket is the one that the configuration names; a wrong configuration is told. */
static void
test_socket_of_the_configuration(void **state)
{
	char words[256], file[128];
	struct run run;

	snprintf(file, sizeof(file), "%s/s.yaml", folder);
	FILE *out = fopen(file, "w");
	assert_non_null(out);
	fprintf(out, "media:\n  socket: /nowhere/at/all.sock\n");
	assert_int_equal(0, fclose(out));
	snprintf(words, sizeof(words), "--config %s status", file);
	sallyctl(&run, words);
	assert_int_equal(3, run.status);
	assert_says(run.err, "/nowhere/at/all.sock");

	out = fopen(file, "w");
	assert_non_null(out);
	fprintf(out, "media:\n  sokcet: /x\n");
	assert_int_equal(0, fclose(out));
	sallyctl(&run, words);
	assert_int_equal(2, run.status);
	assert_says(run.err, "s.yaml:2: media.sokcet: there is no such key");
	unlink(file);
	sallyctl(&run, words);
	assert_int_equal(2, run.status);
	assert_says(run.err, "can't be read: No such file or directory");
}

/* Something listens there, and hangs up. */
static void *
hang_up(void *arg)
{
	const struct relay_end *end = arg;
	int fd = accept4(end->listener, NULL, NULL, SOCK_CLOEXEC);
	struct relay_header request;

	if (fd >= 0) {
		recv(fd, &request, sizeof(request), 0);
		close(fd);
	}
	return NULL;
}

static void
test_relay_hangs_up(void **state)
{
	struct relay_end end;
	char words[256];
	pthread_t thread;
	struct run run;

	relay_end_open(&end);
	assert_int_equal(0, pthread_create(&thread, NULL, hang_up, &end));
	snprintf(words, sizeof(words), "--socket %s status", end.path);
	sallyctl(&run, words);
	assert_int_equal(0, pthread_join(thread, NULL));
	assert_int_equal(3, run.status);
	assert_string_equal("", run.out);
	assert_says(run.err, "did not answer");
	relay_end_close(&end);
}

static void
test_socket_not_permitted(void **state)
{
	struct relay_end end;
	char words[256];
	struct run run;

	if (geteuid() == 0)
		skip(); /* root may connect to any socket */
	relay_end_open(&end);
	assert_int_equal(0, chmod(end.path, 0));
	snprintf(words, sizeof(words), "--socket %s status", end.path);
	sallyctl(&run, words);
	assert_int_equal(3, run.status);
	assert_says(run.err, "Run it as root, or as the relay's user");
	relay_end_close(&end);
}

/* Copies sallyctl into a folder of its own, with or without a sallyctl-user beside it: a script
 * that tells what it was given. */
static void
test_user_is_another_program(void **state)
{
	char program[128], user[128], copy[512];
	struct run run;

	snprintf(program, sizeof(program), "%s/sallyctl", folder);
	snprintf(user, sizeof(user), "%s/sallyctl-user", folder);
	snprintf(copy, sizeof(copy), "-p %s %s", getenv("SALLYCTL"), program);
	run_program(&run, "/bin/cp", copy);
	assert_int_equal(0, run.status);

	run_program(&run, program, "user list");
	assert_int_equal(1, run.status);
	assert_says(run.err, "sallyctl-user is not beside");

	FILE *out = fopen(user, "w");
	assert_non_null(out);
	fprintf(out, "#!/bin/sh\nfor word; do echo \"[$word]\"; done\nexit 7\n");
	assert_int_equal(0, fclose(out));
	assert_int_equal(0, chmod(user, 0700));
	run_program(&run, program, "-j --config /f.yaml user add alice --realm x --help");
	assert_int_equal(7, run.status);
	assert_string_equal("[--config]\n[/f.yaml]\n[--json]\n[add]\n[alice]\n[--realm]\n[x]\n"
			    "[--help]\n",
		run.out);
	unlink(user);
	unlink(program);
}

static int
make_folder(void **state)
{
	return mkdtemp(folder) == NULL || getenv("SALLYCTL") == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	return rmdir(folder);
}

/* What needs no daemon. */
static void
test_output_of_the_configuration(void **state)
{
	struct run run;

	sallyctl(&run, "config reference");
	assert_int_equal(0, run.status);
	assert_says(run.out, "media.memory_mb\n");
	assert_says(run.out, "number (MiB), 64 to 1048576; default 256\n");
	sallyctl(&run, "--json config check /dev/null");
	assert_int_equal(1, run.status);
	assert_says(run.out, "\"good\": false");
	assert_says(run.out, "it is not a regular file");
	assert_says(run.err, "it is not a regular file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_and_version),
		cmocka_unit_test(test_wrong_usage),
		cmocka_unit_test(test_no_relay),
		cmocka_unit_test(test_nobody_to_drain),
		cmocka_unit_test(test_output_of_the_configuration),
		cmocka_unit_test(test_socket_of_the_configuration),
		cmocka_unit_test(test_relay_hangs_up),
		cmocka_unit_test(test_socket_not_permitted),
		cmocka_unit_test(test_user_is_another_program),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
