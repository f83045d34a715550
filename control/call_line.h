/* SPDX-License-Identifier: BSD-3-Clause */
/* A call as a line of the journal of dialogs (sip.dialogs): with a sum, so that a line that was
 * damaged is known. Never a key. No state, any thread. */
#ifndef CONTROL_CALL_LINE_H
#define CONTROL_CALL_LINE_H

#include <jansson.h>

/* {"id":"...","sum":"...","call":{...}}, or {"id":"...","setup":STREAMS} while it is set up and has
 * that many sessions at the relay: with a newline, to be freed. Takes over `call`. NULL: out of
 * memory. */
char *call_line_make(const char *id, json_t *call);
char *call_line_make_setup(const char *id, unsigned streams);

/* The call in such a line (borrowed); NULL: it is set up still, or damaged: then *streams is how
 * many sessions it has, 0: nobody knows. */
json_t *call_line_read(const json_t *line, unsigned *streams);

#endif
