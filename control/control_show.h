/* SPDX-License-Identifier: BSD-3-Clause */
/* What control_socket.c answers. Event-loop thread alone. */
#ifndef CONTROL_CONTROL_SHOW_H
#define CONTROL_CONTROL_SHOW_H

#include "agent.h"

#include <jansson.h>
#include <stddef.h>

/* An object with "rows", from the row of this number on, and "next" if there are more; or with
 * "error". NULL: out of memory. The caller gives it back. */
json_t *control_show(struct agent *agent, const char *what, size_t from);

/* Reads the configuration anew (`apply`), or says whether that could be done: {"changes": [...]},
 * or {"error": ...}. NULL: no memory. */
json_t *control_reload(struct agent *agent, bool apply);

/* What is in force: an array of {field, value, default, restart}, without secrets. NULL: no
 * memory. */
json_t *control_config(struct agent *agent);

#endif
