/* SPDX-License-Identifier: BSD-3-Clause */
/* Configurations that are still needed. A call keeps pointers into the one that it began with, and
 * into those that came since (its trunks, their credentials); so it holds that generation, and none
 * from there on is freed before it has let go. Event-loop thread alone. */
#ifndef CONTROL_GENERATION_H
#define CONTROL_GENERATION_H

#include "relay/config.h"

struct generation;

/* A generation of this configuration, which it owns from then on; not yet in force. NULL: no
 * memory, and the configuration is the caller's still. */
struct generation *generation_create(struct config *config);

/* Puts it in force: from now on it is what generation_hold() gives. The one before is freed when
 * nobody needs it. */
void generation_switch(struct generation *generation);

/* Frees one that was never in force, and its configuration. */
void generation_drop(struct generation *generation);

/* That which is in force. */
struct generation *generation_hold(void);
void generation_release(struct generation *generation);

/* The configuration that is in force. */
const struct config *generation_config(void);

/* How many are kept, with the one in force. */
unsigned generation_count(void);

/* At the end: frees all that there are. */
void generation_stop(void);

#endif
