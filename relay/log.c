/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 1024

static char program_name[32] = "sallyport";
static _Atomic int least = LOG_LEVEL_INFO;
static bool to_journal;

void
log_init(const char *program, enum log_level level)
{
	snprintf(program_name, sizeof(program_name), "%s", program);
	log_set_level(level);
	/* systemd says so when stderr is the journal's socket, which knows time and name itself */
	to_journal = getenv("JOURNAL_STREAM") != NULL && !isatty(STDERR_FILENO);
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&least, (int)level, memory_order_relaxed);
}

bool
log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&least, memory_order_relaxed);
}

static int
prefix(char *line, size_t size, enum log_level level)
{
	static const char *const names[] = {[LOG_LEVEL_ERROR] = "error",
		[LOG_LEVEL_WARNING] = "warning",
		[LOG_LEVEL_INFO] = "info",
		[LOG_LEVEL_DEBUG] = "debug"};
	struct timespec now;
	struct tm parts;
	char stamp[32];

	if (to_journal)
		return snprintf(line, size, "<%d>", (int)level);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &parts);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &parts);
	return snprintf(line, size, "%s.%03ldZ %s %s: ", stamp, now.tv_nsec / 1000000, program_name,
		names[level]);
}

void
log_write(enum log_level level, const char *format, ...)
{
	char line[LINE_SIZE];
	int error = errno; /* callers log, then return it */
	va_list args;

	if (!log_enabled(level))
		return;
	int used = prefix(line, sizeof(line) - 1, level);
	va_start(args, format);
	int more = vsnprintf(line + used, sizeof(line) - 1 - (size_t)used, format, args);
	va_end(args);
	size_t length = (size_t)used + (more > 0 ? (size_t)more : 0);
	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;

	/* what a peer sent may be quoted in a message: it must not forge a line or a colour */
	for (size_t i = (size_t)used; i < length; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[length++] = '\n';
	/* one write, so that lines of several threads stay whole */
	if (write(STDERR_FILENO, line, length) < 0)
		(void)0; /* there is nobody to tell */
	errno = error;
}
