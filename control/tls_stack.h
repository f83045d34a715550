/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the SIP stack calls the system and OpenSSL, and where it parses: functions of these names
 * in this program are reached first. Each passes the call on, and does what Sofia-SIP 1.12.11
 * lacks for TLS:
 *
 * - accept(): sources beyond their share are refused before TLS costs anything; no failure of it
 *   keeps the loop from its other work, and one for lack of descriptors is not tried for ever;
 * - SSL_connect(): nobody is connected to but those who are expected there, by name (SNI, RFC
 *   6066);
 * - SSL_accept(), SSL_connect(): what became of the handshake is counted;
 * - SSL_read(): CRLF CRLF between messages is answered by CRLF (RFC 5626 4.4.1);
 * - SSL_write(): what is written in one turn goes out together (tls_gather.h), and whether the peer
 *   keeps up;
 * - msg_extract(): whether a message is incomplete, and whether one has too many headers or too
 *   much of a body (then it is marked as too large: the stack answers 413).
 *
 * Other callers get what they asked for. Event-loop thread alone. */
#ifndef CONTROL_TLS_STACK_H
#define CONTROL_TLS_STACK_H

#include "relay/config.h"

#include <stddef.h>

/* Once, before the first connection; `limits` outlives it. 0, or -errno after a sentence: never
 * serve without. */
int tls_stack_install(const struct config_limits *limits, char *error, size_t error_size);
/* Goes by these from now on. */
void tls_stack_configure(const struct config_limits *limits);

/* Is this address in the SIP stack's code? */
bool tls_stack_contains(const void *address);

/* The function of this name that is behind ours. */
void tls_stack_real(const char *name, void *function, size_t size);

#endif
