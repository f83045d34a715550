/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"
#include "log_limit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 1024
#define FIELD_SIZE 256
#define USUAL_BURST 500 /* lines of a kind */
#define USUAL_PER_SECOND 50
#define STRANGERS_BURST 10
#define STRANGERS_PER_SECOND 1
#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static char program_name[32] = "sallyport";
static _Atomic int least = LOG_LEVEL_INFO;
static bool to_journal;  /* stderr is its */
static bool with_fields; /* and its socket for entries with fields is in reach */

/* systemd.exec(5): JOURNAL_STREAM is "DEVICE:INODE" of the journal's socket, which stderr may have
 * been turned away from since. */
static bool
is_journal(int fd)
{
	const char *said = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat there;

	return said != NULL && sscanf(said, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &there) == 0 && there.st_dev == device && there.st_ino == inode;
}

void
log_init(const char *program, enum log_level level)
{
	snprintf(program_name, sizeof(program_name), "%s", program);
	log_set_level(level);
	to_journal = is_journal(STDERR_FILENO);
	/* looked for, since the library says nothing where it is not */
	with_fields = to_journal && access(JOURNAL_SOCKET, W_OK) == 0;
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

/* What a peer sent may be quoted in a message: it must not forge a line or a colour. Terminals take
 * U+0080 to U+009F for control characters, too. */
static void
tame(char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
		else if (text[i] == '\xc2' && i + 1 < length && (text[i + 1] & 0xe0) == 0x80)
			text[i] = text[i + 1] = '?';
}

/* journald's own protocol; false: it isn't there. */
static bool
tell_journal(
	enum log_level level, const char *message, const struct log_field fields[], size_t count)
{
	char text[3 + LOG_FIELDS_MAX][FIELD_SIZE];
	char whole[LINE_SIZE + 16];
	struct iovec parts[3 + LOG_FIELDS_MAX];
	int used = 0;

	parts[used++] = (struct iovec){
		whole, (size_t)snprintf(whole, sizeof(whole), "MESSAGE=%s", message)};
	for (size_t i = 0; i < count + 2; i++) {
		char *at = text[used];
		int length;
		if (i == count)
			length = snprintf(at, FIELD_SIZE, "PRIORITY=%d", (int)level);
		else if (i > count)
			length = snprintf(at, FIELD_SIZE, "SYSLOG_IDENTIFIER=%s", program_name);
		else if (fields[i].value == NULL)
			continue;
		else
			length = snprintf(at, FIELD_SIZE, "%s=%s", fields[i].name, fields[i].value);
		if (length >= FIELD_SIZE)
			length = FIELD_SIZE - 1;
		tame(at, (size_t)length);
		parts[used++] = (struct iovec){at, (size_t)length};
	}
	return sd_journal_sendv(parts, used) == 0;
}

static void
write_line(enum log_level level, const char *message)
{
	char line[LINE_SIZE];
	int used = prefix(line, sizeof(line) - 1, level);
	int more = snprintf(line + used, sizeof(line) - 1 - (size_t)used, "%s", message);
	size_t length = (size_t)used + (size_t)more;

	if (length > sizeof(line) - 2)
		length = sizeof(line) - 2;
	line[length++] = '\n';
	/* one write, so that lines of several threads stay whole */
	if (write(STDERR_FILENO, line, length) < 0)
		(void)0; /* there is nobody to tell */
}

static void
write_message(enum log_level level, const struct log_field fields[], size_t count, char *message)
{
	tame(message, strlen(message));
	if (!with_fields || !tell_journal(level, message, fields,
				    count < LOG_FIELDS_MAX ? count : LOG_FIELDS_MAX))
		write_line(level, message);
}

static uint64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void
log_tick(uint64_t now_ms)
{
	struct log_limit_told told;
	char message[LINE_SIZE];
	int error = errno;

	if (now_ms == 0)
		now_ms = clock_ms();
	while (log_limit_tell(now_ms, &told)) {
		snprintf(message, sizeof(message),
			"%u more of kind \"%s\" held back in the last %u s", told.count, told.kind,
			told.seconds);
		write_message(LOG_LEVEL_WARNING, NULL, 0, message);
	}
	errno = error;
}

uint64_t
log_held_back(void)
{
	return log_limit_count();
}

static bool
may_pass(enum log_level level, enum log_bound bound, const char *kind)
{
	if (bound == LOG_BOUND_STRANGER)
		return log_limit_take(kind, STRANGERS_BURST, STRANGERS_PER_SECOND, clock_ms());
	if (bound == LOG_BOUND_NONE || level == LOG_LEVEL_ERROR)
		return true;
	return log_limit_take(kind, USUAL_BURST, USUAL_PER_SECOND, clock_ms());
}

static void __attribute__((format(printf, 5, 0)))
log_message(enum log_level level, enum log_bound bound, const struct log_field fields[],
	size_t count, const char *format, va_list args)
{
	char message[LINE_SIZE];
	int error = errno; /* callers log, then return it */

	if (log_enabled(level) && may_pass(level, bound, format)) {
		if (vsnprintf(message, sizeof(message), format, args) < 0)
			message[0] = '\0';
		write_message(level, fields, count, message);
	}
	log_tick(0);
	errno = error;
}

void
log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_message(level, LOG_BOUND_USUAL, NULL, 0, format, args);
	va_end(args);
}

void
log_write_about(enum log_level level, enum log_bound bound, const struct log_field fields[],
	size_t count, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_message(level, bound, fields, count, format, args);
	va_end(args);
}
