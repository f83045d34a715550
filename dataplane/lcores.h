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

#endif
