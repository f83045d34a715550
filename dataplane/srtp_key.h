/* SPDX-License-Identifier: BSD-3-Clause */
/* Session keys of SRTP: derived from a master key once, at install (RFC 3711 4.3). */
#ifndef DATAPLANE_SRTP_KEY_H
#define DATAPLANE_SRTP_KEY_H

#include "relay/api.h"

#include <stdint.h>

#define SRTP_TAG_MAX 20 /* bytes: a whole HMAC-SHA1, which some engines write whatever is asked */

/* The keys that protect the RTP packets of one direction of one leg, as the engines want them:
 * whole cache lines, in the order they are read. Written at install, then read only. */
struct srtp_key {
	uint8_t hmac_inner[20]; /* SHA-1 state after the ipad block, as ipsec-mb keeps it */
	uint8_t hmac_outer[20]; /* SHA-1 state after the opad block */
	uint8_t suite;          /* enum relay_suite */
	uint8_t tag_length;     /* bytes */
	uint8_t reserved[6];
	uint8_t salt[16];          /* k_s, 14 bytes, then two of zero */
	uint8_t schedule[11 * 16]; /* AES-128 encryption round keys of k_e */
	uint8_t padding[16];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct srtp_key) == 256, "four cache lines");

/* The keys of the RTCP packets: used once in seconds, so kept small and expanded when used. */
struct srtcp_key {
	uint8_t suite;
	uint8_t tag_length;
	uint8_t reserved[2];
	uint8_t auth[20];       /* k_a */
	uint8_t salt[16];       /* k_s, 14 bytes, then two of zero */
	uint8_t encryption[16]; /* k_e */
	uint8_t padding[8];
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct srtcp_key) == 64, "one cache line");

/* Readies what key expansion needs. Any thread, any number of times; srtp_key_derive() calls it, so
 * only a program that expands keys it has not derived must. Returns 0 or -ENOMEM. */
int srtp_key_init(void);

/* Derives both from the master key and salt (RFC 3711 4.3, key derivation rate 0). Control thread.
 * Returns 0, -EINVAL for a suite that is none of ours, -ENOMEM, or -EIO if OpenSSL fails. On error
 * both are wiped. */
int
srtp_key_derive(const struct relay_crypto *master, struct srtp_key *rtp, struct srtcp_key *rtcp);

/* Expands an RTCP key into the form that engines take. Any thread, after srtp_key_init(); no system
 * call, no allocation. The caller wipes *out when done with it. */
void srtcp_key_expand(const struct srtcp_key *key, struct srtp_key *out);

#endif
