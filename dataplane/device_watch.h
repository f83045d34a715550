/* SPDX-License-Identifier: BSD-3-Clause */
/* What becomes of the devices while the relay runs: a link that goes down, a kernel interface that
 * goes away (a veth that is deleted, a NIC that is unplugged) and comes back. Control thread. */
#ifndef DATAPLANE_DEVICE_WATCH_H
#define DATAPLANE_DEVICE_WATCH_H

#include "iface.h"

/* Notes what there is, after all interfaces have been opened. */
void device_watch_start(void);

/* Once a second: says what has changed, once. True: a device that was gone is there again. A DPDK
 * port can't be opened anew on it by a process that has dropped its privileges, so the process is
 * to end, and whoever started it starts it again. */
bool device_watch_tick(void);

/* Does the interface's device hear its other end? For the status. */
bool device_watch_link_up(const struct iface *iface);

#endif
