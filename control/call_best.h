/* SPDX-License-Identifier: BSD-3-Clause */
/* The best of several final responses (RFC 3261 16.7). No state, any thread. */
#ifndef CONTROL_CALL_BEST_H
#define CONTROL_CALL_BEST_H

/* Which of two final responses, each 300 to 699, is passed on. Positive: the first; negative: the
 * second; 0: neither is better. */
int call_best_compare(int a, int b);

/* What the caller hears of a refusal: its own status where that is about the callee, else a plain
 * 480 or 500. */
int call_best_map(int status);

#endif
