/* SPDX-License-Identifier: BSD-3-Clause */
/* The oracle by OpenSSL's EVP: packet indices and replay windows in plain arithmetic, made to be
 * seen through, not to be fast (RFC 3711 3.3). */
#ifndef TESTS_ORACLE_EVP_H
#define TESTS_ORACLE_EVP_H

#include "oracle.h"

struct oracle_evp;

/* As in oracle.h. */
struct oracle_evp *oracle_evp_create(const struct relay_crypto *master);
void oracle_evp_destroy(struct oracle_evp *oracle);
void oracle_evp_protect(struct oracle_evp *oracle, bool rtcp, uint8_t *data, unsigned *length);
enum oracle_verdict
oracle_evp_unprotect(struct oracle_evp *oracle, bool rtcp, uint8_t *data, unsigned *length);

#endif
