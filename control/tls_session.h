/* SPDX-License-Identifier: BSD-3-Clause */
/* The TLS session that the next connection of ours to one place may resume (RFC 5077, RFC 8446
 * 2.2). A resumed handshake verifies no certificate: so a session is for the place and the name
 * that it was made with, is offered once, for an hour after the certificate was verified at most,
 * and never past that certificate's end. OpenSSL lets none be resumed whose connection ended by a
 * fault. Event-loop thread alone. */
#ifndef CONTROL_TLS_SESSION_H
#define CONTROL_TLS_SESSION_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct tls_connection;

struct tls_session {
	uint64_t serial;      /* of the place, as long as it is the same to us; never 0 */
	SSL_SESSION *session; /* counted; NULL: none */
	uint64_t verified_ms; /* monotonic: when the peer showed its certificate */
	bool spurned;         /* a handshake that offered one failed: none is offered again */
};

/* A place that nothing is known of; what was there is wiped. */
void tls_session_reset(struct tls_session *kept);

/* Before the first byte of a handshake there. The session is then no longer kept. */
void tls_session_offer(struct tls_session *kept, struct tls_connection *connection);

/* The handshake has failed with a message of the peer's, or by what it said. */
void tls_session_failed(struct tls_session *kept, const struct tls_connection *connection);

/* The handshake is finished, or something was read: keeps what may be resumed, if that is new. */
void tls_session_keep(struct tls_session *kept, struct tls_connection *connection);

#endif
