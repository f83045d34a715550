/* SPDX-License-Identifier: BSD-3-Clause */
/* What the SIP stack writes to a connection in one turn of the event loop goes out as one TLS
 * record and one write to the socket: a proxy or a trunk sends many requests at a time by the same
 * connection, and to write costs more than to answer. Event-loop thread alone. */
#ifndef CONTROL_TLS_GATHER_H
#define CONTROL_TLS_GATHER_H

#include "tls_connection.h"

/* OpenSSL's SSL_write(), by which all goes out. Once, before the first connection. */
void tls_gather_install(int (*write)(SSL *, const void *, int));

/* Takes the bytes, to be sent when the turn ends. Returns and fails like SSL_write(): where what
 * was taken before finds no room, SSL_get_error() says so, and nothing of these was taken. */
int tls_gather_write(struct tls_connection *connection, const void *bytes, int size);

/* Sends what there is at once, as far as the peer takes it: before the socket is shut down. */
void tls_gather_flush(struct tls_connection *connection);
void tls_gather_flush_socket(int fd);

/* Wipes and frees what was not sent. */
void tls_gather_drop(struct tls_connection *connection);

#endif
