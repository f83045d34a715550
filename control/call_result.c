/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_result.h"

#include <stdio.h>
#include <string.h>

static struct call_failure failures[CALL_FAILURES];
static unsigned long noted;

enum counter
call_result_of(bool answered, bool by_us, int status)
{
	if (answered)
		return by_us ? COUNTER_RESULT_DROPPED : COUNTER_RESULT_COMPLETED;
	switch (status) {
	case 487:
		return COUNTER_RESULT_CANCELLED;
	case 486:
	case 600:
		return COUNTER_RESULT_BUSY;
	case 408:
	case 480:
		return COUNTER_RESULT_NO_ANSWER;
	case 404:
	case 410:
	case 484:
	case 604:
		return COUNTER_RESULT_NOT_FOUND;
	default:
		return status >= 500 && status < 600 ? COUNTER_RESULT_FAILED
		                                     : COUNTER_RESULT_REFUSED;
	}
}

/* What nobody did wrong is no failure. */
static bool
is_failure(enum counter result)
{
	return result != COUNTER_RESULT_COMPLETED && result != COUNTER_RESULT_CANCELLED;
}

void
call_result_note(const struct call *call, bool by_us, int status)
{
	bool answered = call->answered_ms != 0;
	enum counter result = call_result_of(answered, by_us, status);

	counters_add(result);
	if (!is_failure(result))
		return;
	struct call_failure *at = &failures[noted++ % CALL_FAILURES];
	*at = (struct call_failure){
		.at = time(NULL), .result = result, .status = answered ? 200 : status};
	memcpy(at->id, call->id, sizeof(at->id));
	snprintf(at->caller, sizeof(at->caller), "%s", call->caller != NULL ? call->caller : "");
	snprintf(at->callee, sizeof(at->callee), "%s", call->callee != NULL ? call->callee : "");
	snprintf(at->cause, sizeof(at->cause), "%s", call->cause != NULL ? call->cause : "");
}

const struct call_failure *
call_result_failure(unsigned index)
{
	if (index >= CALL_FAILURES || index >= noted)
		return NULL;
	return &failures[(noted - 1 - index) % CALL_FAILURES];
}
