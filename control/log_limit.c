/* SPDX-License-Identifier: BSD-3-Clause */
#include "log_limit.h"

#include "relay/log.h"

#define WINDOW_S 10
#define LINES 10

bool
log_limit_pass(struct log_limit *limit)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec >= limit->since + WINDOW_S) {
		if (limit->held_back > 0)
			log_warning("%s: %u more, of which nothing was written", limit->kind,
				limit->held_back);
		limit->since = now.tv_sec;
		limit->passed = limit->held_back = 0;
	}
	if (limit->passed < LINES) {
		limit->passed++;
		return true;
	}
	limit->held_back++;
	return false;
}
