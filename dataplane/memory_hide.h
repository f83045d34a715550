/* SPDX-License-Identifier: BSD-3-Clause */
/* DPDK's memory holds every session's keys, and the packets in clear. */
#ifndef DATAPLANE_MEMORY_HIDE_H
#define DATAPLANE_MEMORY_HIDE_H

/* Keeps all of DPDK's memory, and what it takes later, out of core files (MADV_DONTDUMP), whatever
 * /proc/PID/coredump_filter says. Control thread, once EAL has started. 0 or -errno. */
int memory_hide(void);

#endif
