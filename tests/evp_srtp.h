/* SPDX-License-Identifier: BSD-3-Clause */
/* An SRTP endpoint on OpenSSL's EVP alone: independent of the relay's code and of its library, for
 * every suite, with the packet index given by the caller, so that a test is master of the ROC. */
#ifndef TESTS_EVP_SRTP_H
#define TESTS_EVP_SRTP_H

#include "relay/api.h"

#include <stdbool.h>
#include <stdint.h>

#define EVP_SRTP_GROWTH 160 /* bytes that protecting may add: tag, index, MKI */

struct evp_srtp;

/* Keys, MKI and flags of one direction; RELAY_SUITE_NONE: all passes in clear. Ends the program on
 * error. */
struct evp_srtp *evp_srtp_create(const struct relay_crypto *master);
void evp_srtp_destroy(struct evp_srtp *end);

/* RTP in place; *length in bytes. unprotect() is false where tag or MKI is wrong, and the data then
 * worth nothing. */
void evp_srtp_protect(struct evp_srtp *end, uint32_t roc, uint8_t *data, unsigned *length);
bool evp_srtp_unprotect(struct evp_srtp *end, uint32_t roc, uint8_t *data, unsigned *length);

/* RTCP the same; the index is 31 bits. */
void evp_srtp_protect_rtcp(struct evp_srtp *end, uint32_t index, uint8_t *data, unsigned *length);
bool
evp_srtp_unprotect_rtcp(struct evp_srtp *end, uint8_t *data, unsigned *length, uint32_t *index);

#endif
