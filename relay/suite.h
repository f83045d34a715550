/* SPDX-License-Identifier: BSD-3-Clause */
/* The SRTP crypto suites that both planes know, by the names of the IANA SDES registry. */
#ifndef RELAY_SUITE_H
#define RELAY_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The numbers are part of the relay API. */
enum relay_suite {
	RELAY_SUITE_NONE = 0,                    /* no key: plain RTP, or none set yet */
	RELAY_SUITE_AES_CM_128_HMAC_SHA1_80 = 1, /* RFC 4568 6.2.1 */
	RELAY_SUITE_AES_CM_128_HMAC_SHA1_32 = 2, /* RFC 4568 6.2.2 */
	RELAY_SUITE_AES_192_CM_HMAC_SHA1_80 = 3, /* RFC 6188 */
	RELAY_SUITE_AES_192_CM_HMAC_SHA1_32 = 4,
	RELAY_SUITE_AES_256_CM_HMAC_SHA1_80 = 5,
	RELAY_SUITE_AES_256_CM_HMAC_SHA1_32 = 6,
	RELAY_SUITE_AEAD_AES_128_GCM = 7, /* RFC 7714 */
	RELAY_SUITE_AEAD_AES_256_GCM = 8,
	RELAY_SUITE_COUNT
};

/* What a suite means; all sizes in bytes. */
struct relay_suite_info {
	const char *name;        /* as in SDP: "AES_CM_128_HMAC_SHA1_80" */
	bool aead;               /* GCM: the tag lies before SRTCP's index and before the MKI */
	uint8_t key_length;      /* master key */
	uint8_t salt_length;     /* master salt */
	uint8_t rtp_tag_length;  /* SRTP authentication tag */
	uint8_t rtcp_tag_length; /* SRTCP's: 10 for all of HMAC-SHA1, RFC 4568 6.2.2 */
	uint64_t rtp_lifetime;   /* packets, the most and the default: 2^48, RFC 3711 9.2 */
	uint64_t rtcp_lifetime;  /* packets: 2^31 */
};

/* The facts of a suite, or NULL if the number is none of ours. Static storage. */
const struct relay_suite_info *relay_suite_info(unsigned suite);

/* The suite with that name (case matters not, RFC 4568 9.2 ABNF), else RELAY_SUITE_NONE. */
enum relay_suite relay_suite_by_name(const char *name, size_t length);

#endif
