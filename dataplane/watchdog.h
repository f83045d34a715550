/* SPDX-License-Identifier: BSD-3-Clause */
/* The service manager hears that we live only while each worker turns: a hung one, which relays
 * nothing while the control thread answers well, must not go unnoticed. Control thread. */
#ifndef DATAPLANE_WATCHDOG_H
#define DATAPLANE_WATCHDOG_H

#include <stdint.h>

/* Once the workers run. `now_ms` here and below: tick_ms(), which wraps. */
void watchdog_start(uint32_t now_ms);

/* Now and then. When it is time, and every worker has made a
 * turn since the last time, says that we live, and how many sessions there are. */
void watchdog_tick(uint32_t now_ms);

#endif
