/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done once for all that a turn of the event loop did: before it waits again, so at most
 * some milliseconds later. Event-loop thread alone. */
#ifndef CONTROL_TURN_H
#define CONTROL_TURN_H

#include <stdbool.h>

/* Owned by whoever wants it; zeros but for `run` and `arg`. */
struct turn_end {
	void (*run)(void *arg);
	void *arg;
	struct turn_end *next;
	bool due;
};

/* Has it run at the end of this turn, once. From within a run: at the end of the next. */
void turn_end_want(struct turn_end *end);

/* Not any more: before it is freed. */
void turn_end_forget(struct turn_end *end);

/* The turn ends: runs all that are wanted. */
void turn_end_run(void);

#endif
