/* SPDX-License-Identifier: BSD-3-Clause */
/* Mends two faults in Sofia-SIP 1.12.11's way with OpenSSL, both of which a stranger could use:
 *
 * - it never frees a connection's SSL object (it frees the socket's BIO, which the SSL also holds,
 * and
 *   the context, which it does not own): 24 KiB are lost with every connection;
 * - it leaves OpenSSL's errors of a failed handshake in the queue, where SSL_get_error() takes them
 *   for an error of whichever connection comes next: garbage sent to the port ends the calls of
 *   others.
 *
 * The one thing that Sofia-SIP calls at the end of every connection is SSL_shutdown(). So there is
 * one of that name in this program, which the stack's call reaches first: it passes the call on,
 * and remembers the object, to free it as soon as the stack is through with it. A Sofia-SIP that
 * frees by itself is noticed, and let do. Event-loop thread alone. */
#ifndef CONTROL_TLS_RELEASE_H
#define CONTROL_TLS_RELEASE_H

/* Once, before the first connection. 0, or -ENOMEM. */
int tls_release_install(void);

/* Frees what is still remembered: after the stack's last connection. */
void tls_release_flush(void);

/* SSL objects that live. */
unsigned tls_release_count(void);

#endif
