/* SPDX-License-Identifier: BSD-3-Clause */
/* What reaches stderr, read back from a pipe. */
#include "relay/log.h"

#include <errno.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void
test_journal_prefix(void **state)
{
	char text[4096];

	setenv("JOURNAL_STREAM", "8:1", 1);
	capture_start();
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

	setenv("JOURNAL_STREAM", "8:1", 1);
	capture_start();
	log_init("t", LOG_LEVEL_INFO);
	log_info("user \"%s\"", "a\r\n<3>forged\t\x1b[31m\x7f");
	memset(long_text, 'x', sizeof(long_text) - 1);
	log_info("%s", long_text);
	log_info("next");
	capture_end(text, sizeof(text));
	unsetenv("JOURNAL_STREAM");
	static const char first[] = "<6>user \"a\?\?<3>forged\?\?[31m\?\"\n";
	assert_memory_equal(first, text, sizeof(first) - 1);
	char *second = text + sizeof(first) - 1;
	assert_in_range(strcspn(second, "\n"), 1000, 1024);
	assert_string_equal("\n<6>next\n", second + strcspn(second, "\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_journal_prefix),
		cmocka_unit_test(test_forged_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
