/* SPDX-License-Identifier: BSD-3-Clause */
/* Deadlines of connections, which the SIP stack has for other transports than TLS: for the
 * handshake, for the first login, for a message to be whole, for a peer to take what we have for
 * it, and for hearing something at all. Who misses one is cut off, whatever he keeps sending or
 * holding back. Event-loop thread alone. */
#ifndef CONTROL_TLS_GUARD_H
#define CONTROL_TLS_GUARD_H

#include "relay/config.h"

#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>

/* Once, before the first connection; stopped with the last. `limits` outlives it. 0, or -ENOMEM. */
int tls_guard_start(su_root_t *root, const struct config_limits *limits);
/* Goes by these from now on. */
void tls_guard_configure(const struct config_limits *limits);
void tls_guard_stop(void);

/* A user has logged in on this connection: it is known from now on. */
void tls_guard_trust(const tport_t *connection);

#endif
