/* SPDX-License-Identifier: BSD-3-Clause */
/* Certificate, key and authorities of one listener: read from their files, checked, and put into
 * an OpenSSL context. Reading them anew changes nothing until all are good. Event-loop thread
 * alone. */
#ifndef CONTROL_TLS_FILES_H
#define CONTROL_TLS_FILES_H

#include "relay/config.h"

#include <openssl/ssl.h>
#include <stddef.h>
#include <time.h>

/* Where they are, and the section's name for messages. Texts belong to the configuration. */
struct tls_paths {
	const char *section; /* "sip" */
	const char *certificate;
	const char *private_key;
	const char *ca; /* NULL: none */
};

struct tls_paths tls_paths_of_access(const struct config_sip *config);
struct tls_paths tls_paths_of_peering(const struct config_sip *config);

struct tls_files;

/* Can all be read, do they belong together, are they in date? 0 and *out, or -errno after a
 * sentence. */
int tls_files_load(
	const struct tls_paths *paths, struct tls_files **out, char *error, size_t error_size);
void tls_files_free(struct tls_files *files);

/* Connections that the context makes from now on have these. 0 or -EINVAL. */
int tls_files_apply(const struct tls_files *files, SSL_CTX *context);

/* The same for one connection, before its handshake; without the authorities. */
int tls_files_apply_to(const struct tls_files *files, SSL *ssl);

/* Our certificate, and the authorities; they belong to `files`. */
const X509 *tls_files_certificate(const struct tls_files *files);
X509_STORE *tls_files_authorities(const struct tls_files *files);

/* Both configurations' files, without keeping them: for --check. 0, or -errno after a sentence. */
int tls_files_check(const struct config_sip *config, char *error, size_t error_size);

#endif
