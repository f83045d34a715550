/* SPDX-License-Identifier: BSD-3-Clause */
/* What reaches stderr, read back from a pipe. */
#include "relay/log.h"

#include <errno.h>
#include <regex.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int capture[2];
static int real_stderr;

static void
capture_start(void)
{
	assert_int_equal(0, pipe(capture));
	real_stderr = dup(STDERR_FILENO);
	assert_int_equal(STDERR_FILENO, dup2(capture[1], STDERR_FILENO));
	close(capture[1]);
}

/* As if stderr were journald's. */
static void
name_journal(void)
{
	struct stat there;
	char text[64];

	assert_int_equal(0, fstat(STDERR_FILENO, &there));
	snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)there.st_dev,
		(unsigned long long)there.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
}

static void
capture_end(char *text, size_t size)
{
	size_t used = 0;
	ssize_t length;

	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	while ((length = read(capture[0], text + used, size - 1 - used)) > 0)
		used += (size_t)length;
	text[used] = '\0';
	close(capture[0]);
}

static void
assert_matches(const char *text, const char *pattern)
{
	regex_t expression;

	assert_int_equal(0, regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB));
	int result = regexec(&expression, text, 0, NULL, 0);
	regfree(&expression);
	if (result != 0)
		fail_msg("\"%s\" does not match %s", text, pattern);
}

#define STAMP "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{3}Z "

static void
test_line(void **state)
{
	char text[4096];

	unsetenv("JOURNAL_STREAM");
	capture_start();
	log_init("sallyport-test", LOG_LEVEL_INFO);
	errno = ENOENT;
	log_warning("%s is %d", "it", 7);
	int after = errno;
	capture_end(text, sizeof(text));
	assert_matches(text, STAMP "sallyport-test warning: it is 7\n$");
	assert_int_equal(ENOENT, after);
}

static void
test_levels(void **state)
{
	char text[4096];

	capture_start();
	log_init("t", LOG_LEVEL_WARNING);
	log_error("one");
	log_warning("two");
	log_info("three");
	log_debug("four");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("five");
	capture_end(text, sizeof(text));
	assert_matches(text, "error: one\n.*warning: two\n.*debug: five\n$");
	assert_null(strstr(text, "three"));
	assert_null(strstr(text, "four"));
	assert_true(log_enabled(LOG_LEVEL_DEBUG));
	log_set_level(LOG_LEVEL_ERROR);
	assert_false(log_enabled(LOG_LEVEL_WARNING));
}

/* Of a service whose stderr was turned into a file since. */
static void
test_no_journal(void **state)
{
	char text[4096];

	capture_start();
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_init("t", LOG_LEVEL_INFO);
	log_info("fine");
	capture_end(text, sizeof(text));
	unsetenv("JOURNAL_STREAM");
	assert_matches(text, STAMP "t info: fine\n$");
}

static void
test_journal_prefix(void **state)
{
	char text[4096];

	capture_start();
	name_journal();
	log_init("t", LOG_LEVEL_INFO);
	log_error("broken");
	log_info("fine");
	capture_end(text, sizeof(text));
	unsetenv("JOURNAL_STREAM");
	assert_string_equal("<3>broken\n<6>fine\n", text);
}

/* What a peer sent can't make a second line, a colour or an endless one. */
static void
test_forged_text(void **state)
{
	static char long_text[5000];
	char text[8192];

	capture_start();
	name_journal();
	log_init("t", LOG_LEVEL_INFO);
	log_info("user \"%s\"", "a\r\n<3>forged\t\x1b[31m\x7f \xc2\x9b"
				"1m \xc3\xa4");
	memset(long_text, 'x', sizeof(long_text) - 1);
	log_info("%s", long_text);
	log_info("next");
	capture_end(text, sizeof(text));
	unsetenv("JOURNAL_STREAM");
	static const char first[] = "<6>user \"a\?\?<3>forged\?\?[31m\? \?\?1m \xc3\xa4\"\n";
	assert_memory_equal(first, text, sizeof(first) - 1);
	char *second = text + sizeof(first) - 1;
	assert_in_range(strcspn(second, "\n"), 1000, 1024);
	assert_string_equal("\n<6>next\n", second + strcspn(second, "\n"));
}

static unsigned
count_lines(const char *text, const char *words)
{
	unsigned count = 0;

	for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

/* A flood of one kind ends with a word of what was held back; other kinds, errors, and what other
 * programs read the log for, are all there. */
static void
test_flood(void **state)
{
	static char text[65536];
	uint64_t held_back = log_held_back();

	capture_start();
	name_journal(); /* short lines: all has to fit into a pipe */
	log_init("t", LOG_LEVEL_INFO);
	for (unsigned i = 0; i < 700; i++)
		log_info("call %u", i);
	for (unsigned i = 0; i < 600; i++) {
		log_error("fault %u", i);
		log_audit(LOG_LEVEL_INFO, LOG_ABOUT({LOG_PEER, "p"}), "wrong %u", i);
	}
	for (unsigned i = 0; i < 100; i++)
		log_stranger(LOG_LEVEL_INFO, LOG_ABOUT({LOG_PEER, "p"}), "who %u", i);
	log_info("other");
	log_tick(UINT64_MAX / 2);
	capture_end(text, sizeof(text));
	unsetenv("JOURNAL_STREAM");
	assert_in_range(count_lines(text, "<6>call "), 500, 600); /* fifty a second came to it */
	assert_int_equal(600, count_lines(text, "<3>fault "));
	assert_int_equal(600, count_lines(text, "<6>wrong "));
	assert_in_range(count_lines(text, "<6>who "), 10, 15);
	assert_int_equal(1, count_lines(text, "<6>other\n"));
	assert_int_equal(1, count_lines(text, " more of kind \"call %u\" held back in the last "));
	assert_int_equal(1, count_lines(text, " more of kind \"who %u\" held back in the last "));
	assert_int_equal(2, count_lines(text, "held back"));
	assert_int_equal(800 - count_lines(text, "<6>call ") - count_lines(text, "<6>who "),
		log_held_back() - held_back);
}

/* A journal of our own, at the place of the machine's, in a mount namespace that ends with the
 * child that it is in. Returns its socket, or -1: no right to make one. */
static int
make_journal(void)
{
	struct sockaddr_un address = {
		.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount("none", "/run", "tmpfs", 0, NULL) != 0 || mkdir("/run/systemd", 0755) != 0 ||
		mkdir("/run/systemd/journal", 0755) != 0 ||
		bind(fd, (const void *)&address, sizeof(address)) != 0)
		return -1;
	return fd;
}

/* Is the line "NAME=VALUE" in the entry? */
static bool
has_line(const char *entry, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = entry; (at = strstr(at, line)) != NULL; at++)
		if ((at == entry || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

static bool
check_entry(int journal, const char *const lines[], size_t count)
{
	char entry[4096];
	ssize_t length = recv(journal, entry, sizeof(entry) - 1, MSG_DONTWAIT);
	bool good = length > 0;

	entry[length > 0 ? length : 0] = '\0';
	for (size_t i = 0; i < count; i++)
		if (!has_line(entry, lines[i])) {
			printf("no line \"%s\" in:\n%s\n", lines[i], entry);
			good = false;
		}
	return good;
}

static bool
speak_to_journal(int journal)
{
	static const char *const first[] = {"MESSAGE=call 7: refused", "PRIORITY=4",
		"SYSLOG_IDENTIFIER=sallyport-test", "SALLYPORT_CALL=7", "SALLYPORT_LEG=1",
		"SALLYPORT_REASON=it is?MESSAGE=late"};
	static const char *const second[] = {"MESSAGE=plain", "PRIORITY=6"};

	name_journal();
	log_init("sallyport-test", LOG_LEVEL_INFO);
	log_event(LOG_LEVEL_WARNING,
		LOG_ABOUT({LOG_CALL, "7"}, {LOG_LEG, "1"}, {LOG_PEER, NULL},
			{LOG_REASON, "it is\nMESSAGE=late"}),
		"call %d: refused", 7);
	log_info("plain");
	log_debug("unheard");
	char none;
	return check_entry(journal, first, 6) && check_entry(journal, second, 2) &&
	       recv(journal, &none, 1, MSG_DONTWAIT) < 0;
}

static void
test_journal_fields(void **state)
{
	char text[4096];
	int status;

	capture_start();
	pid_t child = fork();
	if (child == 0) {
		int journal = make_journal();
		_exit(journal < 0 ? 77 : !speak_to_journal(journal));
	}
	assert_int_equal(child, waitpid(child, &status, 0));
	capture_end(text, sizeof(text));
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77 && geteuid() != 0)
		skip();
	assert_int_equal(0, WEXITSTATUS(status));
	assert_string_equal("", text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_no_journal),
		cmocka_unit_test(test_journal_prefix),
		cmocka_unit_test(test_journal_fields),
		cmocka_unit_test(test_forged_text),
		cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
