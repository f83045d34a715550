/* SPDX-License-Identifier: BSD-3-Clause */
/* libsrtp2 as the independent SRTP: what a phone does with its keys. */
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

struct oracle;

/* Does this libsrtp2 have the suite as its RFC has it? Of AES-192 it derives other session keys
 * than the vectors of RFC 6188 7.4 (its key derivation runs AES-256 over the padded key): those
 * suites are judged by the vectors, and by OpenSSL (tests/evp_srtp.h). */
bool oracle_can(enum relay_suite suite);

/* One end of one direction, with this master key: a sender, or a receiver with a replay window of
 * 128 packets for RTP. Ends the program if libsrtp2 will not. */
struct oracle *oracle_create(const struct relay_crypto *master, bool receiver);
void oracle_destroy(struct oracle *oracle);

/* Both in place, *length in bytes; room for 64 more. protect() ends the program on failure. */
void oracle_protect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length);
enum oracle_verdict
oracle_unprotect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length);

#endif
