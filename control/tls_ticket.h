/* SPDX-License-Identifier: BSD-3-Clause */
/* Session tickets (RFC 5077, RFC 8446 4.6.1), so that a phone that comes again is spared half of
 * the handshake. Their keys are made here, never leave memory, and change every hour: a ticket is
 * good for two at most. Event-loop thread alone. */
#ifndef CONTROL_TLS_TICKET_H
#define CONTROL_TLS_TICKET_H

#include <openssl/ssl.h>

/* The context gives tickets, and for those who know none a small cache of sessions. 0, or
 * -ENOMEM. */
int tls_ticket_install(SSL_CTX *context);

/* Forgets all keys: no ticket given so far is good. */
void tls_ticket_wipe(void);

#endif
