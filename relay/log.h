/* SPDX-License-Identifier: BSD-3-Clause */
/* Logging for both daemons and the tools: one line an event, to stderr; or, when stderr is
 * journald's (systemd.exec(5): JOURNAL_STREAM), an entry with fields that can be searched for.
 * Never called on the packet path, never given a secret. Thread-safe.
 *
 * Limited by kind, so that none can fill a disk, or have the journal (10,000 lines of a service in
 * 30 s) drop the others: of lines with one format, 500 at once and then 50 a second; of what
 * anybody can cause (log_stranger), 10 and then one a second. What was held back is told in a line
 * after ten seconds. Errors, and what other programs read the log for (log_audit), are all
 * written. */
#ifndef RELAY_LOG_H
#define RELAY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7
};

/* Once at start: the program's name before each line, and the least severe level shown. */
void log_init(const char *program, enum log_level level);
void log_set_level(enum log_level level);

/* Every second or so: tells what was held back, where no other line of the kind comes. now_ms: of
 * CLOCK_MONOTONIC; 0: read it. */
void log_tick(uint64_t now_ms);
/* Lines that were held back, since the start. */
uint64_t log_held_back(void);
bool log_enabled(enum log_level level);

void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What an event is about, besides its line: journalctl SALLYPORT_CALL=... finds all of a call. */
#define LOG_CALL "SALLYPORT_CALL"       /* the call's identifier, as in its record */
#define LOG_SESSION "SALLYPORT_SESSION" /* the relay's session */
#define LOG_LEG "SALLYPORT_LEG"         /* 0: the caller's, 1: the callee's */
#define LOG_PEER "SALLYPORT_PEER"       /* an address, or a trunk's name */
#define LOG_USER "SALLYPORT_USER"
#define LOG_REASON "SALLYPORT_REASON" /* why, in words that stay the same */

struct log_field {
	const char *name;
	const char *value; /* NULL: left out */
};

#define LOG_FIELDS_MAX 6

enum log_bound {
	LOG_BOUND_USUAL, /* but errors: none */
	LOG_BOUND_STRANGER,
	LOG_BOUND_NONE,
};

/* Up to LOG_FIELDS_MAX fields with it; the line alone has to tell a person everything. */
void log_write_about(enum log_level level, enum log_bound bound, const struct log_field fields[],
	size_t count, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* log_event(LOG_LEVEL_INFO, LOG_ABOUT({LOG_CALL, id}, {LOG_REASON, why}), "call %s: ...", id) */
#define LOG_ABOUT(...)                             \
	((const struct log_field[]){__VA_ARGS__}), \
		sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define log_event(level, ...) log_write_about(level, LOG_BOUND_USUAL, __VA_ARGS__)
#define log_stranger(level, ...) log_write_about(level, LOG_BOUND_STRANGER, __VA_ARGS__)
#define log_audit(level, ...) log_write_about(level, LOG_BOUND_NONE, __VA_ARGS__)

/* A message names the object, the cause and what to do. */
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                           \
	do {                                                     \
		if (log_enabled(LOG_LEVEL_DEBUG))                \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
