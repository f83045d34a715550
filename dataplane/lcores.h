/* SPDX-License-Identifier: BSD-3-Clause */
/* Which thread of DPDK's runs on which CPU. */
#ifndef DATAPLANE_LCORES_H
#define DATAPLANE_LCORES_H

#include "relay/config.h"

#include <stddef.h>

#define LCORES_TEXT 4096 /* enough for 127 workers and a scattered set of CPUs */

/* Writes what EAL's --lcores wants: lcore 0, the control thread, on the CPUs that no worker has (or
 * on any, if none is left), and a worker on each of 1 to config->workers, on the CPUs of
 * config->cpus in turn or on chosen ones; several may lie on one CPU. Only CPUs that this process
 * may use. 0, or -errno after a sentence. */
int lcores_map(
	const struct config_media *config, char *text, size_t size, char *error, size_t error_size);

/* Lets a worker's thread run as soon as it wakes, whatever else the machine does (SCHED_RR): media
 * is late after 20 ms, and beside busy neighbours a sleeper was seen to wait for seconds. For
 * workers that sleep when there is nothing to do, not for those that poll all the time. After EAL's
 * start and before privileges are dropped. 0, or -errno: then they run like everything else. */
int lcores_prefer_workers(void);

#endif
