/* SPDX-License-Identifier: BSD-3-Clause */
/* An SRTP that is not the relay's: what a phone does with its keys. By libsrtp2 where it can do the
 * suite; else by OpenSSL's EVP (tests/evp_srtp.h) and windows of plain arithmetic. */
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

struct oracle;

/* Can the libsrtp2 of this machine do the suite as the RFCs have it? */
bool oracle_can(enum relay_suite suite);

/* One end of one direction, with this master key, MKI and flags: a sender, or a receiver with
 * replay windows. In clear (RELAY_SUITE_NONE) RTP has a window all the same, and RTCP has none.
 * Ends the program if the library will not. */
struct oracle *oracle_create(const struct relay_crypto *master, bool receiver);
void oracle_destroy(struct oracle *oracle);

/* Both in place, *length in bytes; room for EVP_SRTP_GROWTH more. A sender's sequence numbers never
 * go back. protect() ends the program on failure. */
void oracle_protect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length);
enum oracle_verdict
oracle_unprotect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length);

#endif
