/* SPDX-License-Identifier: BSD-3-Clause */
/* What the event loop itself does every second: tells the service manager that it goes round, and
 * the log what it held back. Event-loop thread. */
#ifndef CONTROL_HEARTBEAT_H
#define CONTROL_HEARTBEAT_H

#include <sofia-sip/su_wait.h>

/* 0 or -ENOMEM. */
int heartbeat_start(su_root_t *root);
void heartbeat_stop(void);

#endif
