/* SPDX-License-Identifier: BSD-3-Clause */
/* Vectors give session keys, not master keys: this puts one into the form that engines take. */
#ifndef TESTS_SESSION_KEY_H
#define TESTS_SESSION_KEY_H

#include "dataplane/srtp_key.h"

#include <string.h>

/* Lengths up to 16, 16 and 20 bytes; what is shorter is filled with zeros, as HMAC does with a key
 * shorter than its block. All 20 bytes of the tag are compared and made. */
static inline struct srtp_key
session_key(const uint8_t encryption[16], const void *salt, size_t salt_length, const void *auth,
	size_t auth_length)
{
	struct srtcp_key plain;
	struct srtp_key key;

	memset(&plain, 0, sizeof(plain));
	plain.suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80;
	plain.tag_length = SRTP_TAG_MAX;
	memcpy(plain.encryption, encryption, 16);
	memcpy(plain.salt, salt, salt_length);
	memcpy(plain.auth, auth, auth_length);
	srtcp_key_expand(&plain, &key);
	return key;
}

#endif
