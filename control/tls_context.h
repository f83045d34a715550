/* SPDX-License-Identifier: BSD-3-Clause */
/* The OpenSSL contexts of our listeners. The SIP stack makes them, one for each listener, and
 * keeps them to itself; OpenSSL tells of each that is made (CRYPTO_EX_new), and that is where we
 * get hold of them: certificates, whom to ask for one, tickets are ours to say, and the stack's
 * own files are never written. Event-loop thread alone. */
#ifndef CONTROL_TLS_CONTEXT_H
#define CONTROL_TLS_CONTEXT_H

#include "relay/config.h"
#include "tls_files.h"

#include <stddef.h>

enum tls_role {
	TLS_ACCESS,  /* phones: we show a certificate, they log in */
	TLS_PEERING, /* trunks: both show one */
	TLS_ROLES,
};

/* Reads the files of both listeners. Before the first listener. 0, or -errno after a sentence. */
int tls_context_start(const struct config_sip *config, char *error, size_t error_size);
void tls_context_stop(void);

/* The context that the stack made last is a listener's: makes it one of ours. 0, or -errno. */
int tls_context_adopt(enum tls_role role);

/* Reads the files anew, where this configuration says they are: new handshakes get them,
 * connections go on with what they have. If any is bad, nothing changes. 0, or -errno after a
 * sentence. */
int tls_context_reload(const struct config_sip *config, char *error, size_t error_size);

/* Whose listener's is this connection? TLS_ROLES: nobody's. */
enum tls_role tls_context_role(const SSL *ssl);

/* The authorities by which a trunk is verified where we connect; NULL: we have none. */
X509_STORE *tls_context_trunk_authorities(void);

/* Our certificate towards the trunk of this name, if it wants one of its own; else NULL. */
const struct tls_files *tls_context_trunk_files(const char *name);

/* What is in use: calls back for each certificate. */
typedef void tls_context_each_cb(void *arg, const struct tls_paths *paths, const X509 *certificate);
void tls_context_each(tls_context_each_cb *each, void *arg);

#endif
