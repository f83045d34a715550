/* SPDX-License-Identifier: BSD-3-Clause */
/* Deadlines for connections of strangers: whoever has not finished the handshake, or not proved to
 * be a user, within a while, is cut off, whatever he keeps sending or holding back. The SIP stack
 * has such deadlines for other transports than TLS. Event-loop thread alone. */
#ifndef CONTROL_TLS_GUARD_H
#define CONTROL_TLS_GUARD_H

#include "relay/addr.h"

#include <sofia-sip/su_wait.h>

/* Once, before the first connection; stopped with the last. 0, or -ENOMEM. */
int tls_guard_start(su_root_t *root);
void tls_guard_stop(void);

/* The connection from this address is a user's: it has no deadline any more. */
void tls_guard_trust(const struct relay_addr *peer);

#endif
