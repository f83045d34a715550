/* SPDX-License-Identifier: BSD-3-Clause */
/* Which TLS this process speaks: 1.2 and 1.3, AEAD suites with forward secrecy, no renegotiation.
 *
 * The SIP stack makes its own OpenSSL contexts, keeps them to itself, and has no setting for any of
 * this (its TPTAG_TLS_VERSION does nothing); the system's openssl.cnf may say anything. OpenSSL
 * tells of each connection that it makes (CRYPTO_EX_new), and that is where ours gets its policy:
 * before its first byte, whoever makes it. */
#ifndef CONTROL_TLS_POLICY_H
#define CONTROL_TLS_POLICY_H

#include <stddef.h>

/* Once, before the first connection. Then makes a connection's object and looks whether the policy
 * holds. 0, or -ENOTSUP after one sentence: never serve without. */
int tls_policy_install(char *error, size_t error_size);

#endif
