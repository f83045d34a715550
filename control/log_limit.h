/* SPDX-License-Identifier: BSD-3-Clause */
/* Keeps what strangers can cause out of the log's way: ten lines of one kind in ten seconds, then
 * how many more there were. Event-loop thread alone. */
#ifndef CONTROL_LOG_LIMIT_H
#define CONTROL_LOG_LIMIT_H

#include <stdbool.h>
#include <time.h>

struct log_limit {
	const char *kind; /* "connections refused" */
	time_t since;
	unsigned passed;
	unsigned held_back;
};

/* May one more line be written now? */
bool log_limit_pass(struct log_limit *limit);

#endif
