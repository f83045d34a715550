/* SPDX-License-Identifier: BSD-3-Clause */
/* The SIP stack's clock. All its timers, and all of ours that run in its event loop, go by the
 * time of day: set back by an hour, none of them would fire for an hour, and set forward, every
 * transaction would be too late at once. So the stack is told the time of day as it was at the
 * start, and what has passed since by CLOCK_MONOTONIC. */
#ifndef CONTROL_STEADY_TIME_H
#define CONTROL_STEADY_TIME_H

/* Once, before the first timer. */
void steady_time_start(void);

#endif
