/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells the service manager from the event loop itself that it goes round. Event-loop thread. */
#ifndef CONTROL_HEARTBEAT_H
#define CONTROL_HEARTBEAT_H

#include <sofia-sip/su_wait.h>

/* If a watchdog was asked for. 0 or -ENOMEM. */
int heartbeat_start(su_root_t *root);
void heartbeat_stop(void);

#endif
