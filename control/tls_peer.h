/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is at the other end of a TLS connection, by its certificate; and whom we expect where we
 * connect to. Event-loop thread alone. */
#ifndef CONTROL_TLS_PEER_H
#define CONTROL_TLS_PEER_H

#include "relay/addr.h"

#include <sofia-sip/tport.h>
#include <stdbool.h>

/* Does the certificate of this connection's peer, whose chain has been verified, carry the DNS name
 * in its subjectAltName (RFC 5922 7.2, no wildcards)? 0; -EACCES: it does not, or was not verified;
 * -ENOENT: there is no such connection. */
int tls_peer_verify(tport_t *connection, const char *name);

/* Did this connection come by the listener for trunks? Its peer has shown a certificate that our
 * authorities vouch for; whose, tls_peer_verify() says. */
bool tls_peer_is_peering(tport_t *connection);

/* From now on we may connect to this address, and only if the certificate there is verified and
 * carries this DNS name, which is also sent as SNI. An address that nobody named is never connected
 * to. Named again with the same name it changes nothing. 0; -EEXIST: it is expected under another
 * name; -ENOSPC, -ENOMEM. */
int tls_peer_expect(const struct relay_addr *address, const char *name);

/* The opposite: connections that are open stay. */
void tls_peer_forget(const struct relay_addr *address);

/* What is known of sessions that might be resumed: whom we connect to is verified anew. */
void tls_peer_forget_sessions(void);

struct tls_connection;

/* For tls_stack.c alone: before the first byte of a handshake of ours, whom it has to be with. 0,
 * or -errno: nobody is expected there. Then: the handshake is finished, or something was read; one
 * of either kind has failed. */
int tls_peer_prepare(struct tls_connection *connection);
void tls_peer_note_session(struct tls_connection *connection);
void tls_peer_note_failure(struct tls_connection *connection);

#endif
