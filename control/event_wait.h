/* SPDX-License-Identifier: BSD-3-Clause */
/* When the event loop last had nothing to do. epoll_wait() of this program is reached first where
 * the SIP stack calls it (as in tls_stack.h): it ends the turn (turn.h), asks whether anything is
 * there already, and only if not does it wait. Event-loop thread alone. */
#ifndef CONTROL_EVENT_WAIT_H
#define CONTROL_EVENT_WAIT_H

#include <stdint.h>

/* Milliseconds since everything that had come was done. */
uint64_t event_wait_busy_ms(void);

#endif
