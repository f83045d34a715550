/* SPDX-License-Identifier: BSD-3-Clause */
/* A snapshot as JSON, for the page and for programs. Never a key. docs/web.md names the parts. */
#ifndef WEB_VIEW_H
#define WEB_VIEW_H

#include "snapshot.h"

#include <jansson.h>

#define VIEW_CALLS 300 /* that are listed */

/* A part of that name ("calls", "workers"); "": all of them. The caller gives it back; NULL: there
 * is no such part, or no memory. */
json_t *view_part(const struct snapshot *snapshot, const char *name);

/* Everything of one call, by the name of its first session. NULL: there is none. */
json_t *view_call(const struct snapshot *snapshot, const char *id);

/* view_calls.c */
json_t *view_calls(const struct snapshot *snapshot);
json_t *view_text(const char *text); /* what is no UTF-8 in it becomes "?" */

#endif
