/* SPDX-License-Identifier: BSD-3-Clause */
/* An SRTP that is not the relay's: what a phone does with its keys. libsrtp2 where it can do the
 * suite; else OpenSSL's EVP (tests/evp_srtp.h) and a window of plain arithmetic. */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include "relay/api.h"

#include <stdbool.h>

enum oracle_verdict {
	ORACLE_OK,
	ORACLE_AUTH_FAILED,
	ORACLE_REPLAYED,
	ORACLE_TOO_OLD,
	ORACLE_MALFORMED, /* any other refusal */
};

#define ORACLE_WINDOW 128 /* packets: the replay windows of RTP and of RTCP */
#define ORACLE_SSRCS 32   /* in all that one oracle hears, what it refuses included */

struct oracle;

/* Can the libsrtp2 of this machine do the suite? */
bool oracle_can(enum relay_suite suite);

/* One end of one direction, with this master key and MKI: a sender, or a receiver with replay
 * windows. Clear (RELAY_SUITE_NONE) passes as it is; a receiver then has a window for RTP alone.
 * Ends the program if the library will not. */
struct oracle *oracle_create(const struct relay_crypto *master, bool receiver);
/* The same by OpenSSL alone, whatever libsrtp2 can do. */
struct oracle *oracle_create_evp(const struct relay_crypto *master, bool receiver);
void oracle_destroy(struct oracle *oracle);

/* Both in place, *length in bytes; room for EVP_SRTP_GROWTH more. protect() ends the program on
 * failure. */
void oracle_protect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length);
enum oracle_verdict
oracle_unprotect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length);

#endif
