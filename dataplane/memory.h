/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's environment (EAL): its memory, its lcores, and the pool of packet buffers. Control thread,
 * once in a process: EAL can't be started twice. */
#ifndef DATAPLANE_MEMORY_H
#define DATAPLANE_MEMORY_H

#include "relay/config.h"

#include <rte_mempool.h>
#include <stddef.h>

struct memory;

/* Starts EAL with config->memory_mb of memory, the calling thread as the main lcore 0 and one lcore
 * for each worker, 1 to config->workers, on its CPU; then makes the packet buffers. Hugepages that
 * are missing are reserved if we may; without them CONFIG_MEMORY_AUTO takes ordinary pages and says
 * so. Leaves no file anywhere. Returns 0 and *out, or -errno after a sentence; after an error from
 * EAL itself the process can only end. -EAGAIN: under CONFIG_MEMORY_AUTO the hugepages were gone
 * when EAL wanted them, so the caller is to begin anew as another process, with
 * CONFIG_MEMORY_ORDINARY. */
int memory_start(
	const struct config_media *config, struct memory **out, char *error, size_t error_size);

/* Ends EAL and gives back the hugepages that we reserved. After workers and interfaces are gone. */
void memory_stop(struct memory *memory);

/* Packet buffers, for all interfaces and workers. */
struct rte_mempool *memory_pool(const struct memory *memory);

/* For people: "256 MiB of hugepages". */
const char *memory_describe(const struct memory *memory);

/* True for a device that sits on the PCI bus, as "0000:03:00.1" or "03:00.1", with or without
 * arguments behind a comma. */
bool memory_device_is_pci(const char *device);

#endif
