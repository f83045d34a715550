/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay's counters on DPDK's telemetry socket, beside DPDK's own, for tools that read that. */
#ifndef DATAPLANE_TELEMETRY_H
#define DATAPLANE_TELEMETRY_H

#include "relay/config.h"

#include <sys/types.h>

/* Puts EAL's folder, and with it the socket, beside that of the relay API. Before EAL starts. */
void telemetry_place(const struct config_media *config);

/* Registers "/sallyport/stats[,PREFIX]". After the counters exist; EAL runs the command in a thread
 * of its own, which reads atomics alone. 0 or -errno. */
int telemetry_init(void);

/* Gives the folder to the user that the process becomes, who has to remove it. */
void telemetry_give(uid_t owner, gid_t group);

/* Removes socket and folders. After EAL's end. */
void telemetry_remove(void);

/* The socket's path, in static storage. */
const char *telemetry_path(void);

#endif
