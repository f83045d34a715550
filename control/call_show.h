/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls as the control socket tells of them. Event-loop thread alone. */
#ifndef CONTROL_CALL_SHOW_H
#define CONTROL_CALL_SHOW_H

#include "call_result.h"

#include <jansson.h>

/* A row for a call: who, state, times, and what is known of each side. Never a key. */
json_t *call_show(const struct call *call);

/* A row for one that failed. */
json_t *call_show_failure(const struct call_failure *failure);

#endif
