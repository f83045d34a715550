/* SPDX-License-Identifier: BSD-3-Clause */
/* How calls end: counted by result, and the last ones that failed, for people. Event-loop thread
 * alone. */
#ifndef CONTROL_CALL_RESULT_H
#define CONTROL_CALL_RESULT_H

#include "call.h"
#include "counters.h"

#include <time.h>

#define CALL_FAILURES 100     /* that are remembered */
#define CALL_FAILURE_TEXT 128 /* bytes of each text, with its NUL; longer ones are cut */

/* A call that was to be and was not, or that we ended. Texts are as they came: not all UTF-8. */
struct call_failure {
	time_t at;
	enum counter result;
	int status; /* what the caller's INVITE got */
	char id[RELAY_ID_SIZE];
	char caller[CALL_FAILURE_TEXT];
	char callee[CALL_FAILURE_TEXT];
	char cause[CALL_FAILURE_TEXT];
};

/* The result of a call: COUNTER_RESULT_... . `status` is what the INVITE gets or got; `by_us`: it
 * ended though no side hung up. */
enum counter call_result_of(bool answered, bool by_us, int status);

/* Counts the call's result, and remembers it if it failed. Once a call, at its end. */
void call_result_note(const struct call *call, bool by_us, int status);

/* The failure of this number, 0 the newest; NULL: there are no more. Good until the next note. */
const struct call_failure *call_result_failure(unsigned index);

#endif
