/* SPDX-License-Identifier: BSD-3-Clause */
/* How many lines of one kind are written: a token bucket for each kind, and what it held back. A
 * kind is the format of its lines: a text that lives as long as the process. For log.c alone.
 * Thread-safe. */
#ifndef RELAY_LOG_LIMIT_H
#define RELAY_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* May one more be written now? Else it is counted. `burst` at once, then per_second. */
bool log_limit_take(const char *kind, unsigned burst, unsigned per_second, uint64_t now_ms);

struct log_limit_told {
	const char *kind;
	unsigned count;   /* lines that were held back */
	unsigned seconds; /* since the first of them */
};

/* A kind of which something was held back ten seconds ago, and that has not been told since. False:
 * none. */
bool log_limit_tell(uint64_t now_ms, struct log_limit_told *out);

/* All that was held back since the start. */
uint64_t log_limit_count(void);

#endif
