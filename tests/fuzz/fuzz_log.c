/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text in a message of the log: one line, which ends where it should and begins as all do, with
 * no character that forges another, moves a cursor or paints. */
#include "fuzz.h"
#include "relay/log.h"

#include <sys/mman.h>

#define LINE_MAX_SIZE 1024

static int lines, terminal;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	lines = memfd_create("lines", MFD_CLOEXEC);
	terminal = dup(STDERR_FILENO);
	demand(lines >= 0 && terminal >= 0, "no file to log to");
	unsetenv("JOURNAL_STREAM");
	log_init("sallyport-sip", LOG_LEVEL_INFO);
	return 0;
}

static size_t
say(const char *text, char *said, size_t room)
{
	demand(ftruncate(lines, 0) == 0 && lseek(lines, 0, SEEK_SET) == 0, "the file is gone");
	dup2(lines, STDERR_FILENO);
	log_audit(LOG_LEVEL_WARNING, LOG_ABOUT({LOG_USER, text}),
		"authentication failed: %s from %s: user %s: %s", "REGISTER", "192.0.2.7:5061",
		text, "wrong response");
	dup2(terminal, STDERR_FILENO);
	ssize_t length = pread(lines, said, room, 0);
	demand(length > 0, "nothing was said");
	return (size_t)length;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char begin[] =
		"Z sallyport-sip warning: authentication failed: REGISTER from 192.0.2.7:5061: ";
	char *text = text_of(data, size), said[2 * LINE_MAX_SIZE];
	size_t length = say(text, said, sizeof(said));

	demand(length <= LINE_MAX_SIZE && said[length - 1] == '\n', "no line, or a longer one");
	said[length - 1] = '\0';
	demand(strlen(said) == length - 1 && !has_control(said), "a control character");
	for (const char *at = said; (at = strchr(at, '\xc2')) != NULL; at++)
		demand((unsigned char)at[1] < 0x80 || (unsigned char)at[1] >= 0xa0,
			"a control character of eight bits, as UTF-8");
	const char *place = strstr(said, begin);
	demand(place != NULL && place - said == (ptrdiff_t)strlen("2026-01-02T03:04:05.678"),
		"it does not begin as lines do");
	if (length < LINE_MAX_SIZE - 1)
		demand(length > strlen(": wrong response") &&
				strcmp(said + length - 1 - strlen(": wrong response"),
					": wrong response") == 0,
			"it does not end as it should");
	free(text);
	return 0;
}
