/* SPDX-License-Identifier: BSD-3-Clause */
/* What is kept of a call that is up, so that another process can go on with it: both dialogs (RFC
 * 3261 12), what was agreed of its streams, its session timers. Never a key, and no credentials.
 * Times are in milliseconds since 1970. Event-loop thread alone. */
#ifndef CONTROL_CALL_SAVE_H
#define CONTROL_CALL_SAVE_H

#include <jansson.h>
#include <stdint.h>

struct b2bua;
struct call;

/* NULL: out of memory. */
json_t *call_save(struct call *call);

/* The call of that id as it was saved: up, its dialogs known to the stack, its keys not known yet,
 * its phones not in reach yet. NULL where that makes no sense, or the trunk is not configured any
 * more: *why is static text, or NULL. */
struct call *call_load(struct b2bua *b2bua, const char *id, const json_t *saved, const char **why);

/* Monotonic time, as we count it, to the clock on the wall, and back; 0 stays 0. */
uint64_t call_wall_ms(uint64_t monotonic_ms);
uint64_t call_monotonic_ms(uint64_t wall_ms);

#endif
