/* SPDX-License-Identifier: BSD-3-Clause */
#include "suite.h"

#include <string.h>
#include <strings.h>

#define LIFETIMES .rtp_lifetime = UINT64_C(1) << 48, .rtcp_lifetime = UINT64_C(1) << 31
/* RFC 3711 8.2, 4568 6.2, 6188 3: 112-bit salts; the short tag is RTP's alone. */
#define CM(bits, tag)                                                             \
	.key_length = (bits) / 8, .salt_length = 14, .rtp_tag_length = (tag) / 8, \
	.rtcp_tag_length = 10, LIFETIMES
/* RFC 7714 12: 96-bit salts, 128-bit tags. */
#define GCM(bits)                                                                        \
	.aead = true, .key_length = (bits) / 8, .salt_length = 12, .rtp_tag_length = 16, \
	.rtcp_tag_length = 16, LIFETIMES

static const struct relay_suite_info suites[RELAY_SUITE_COUNT] = {
	[RELAY_SUITE_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", CM(128, 80)},
	[RELAY_SUITE_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", CM(128, 32)},
	[RELAY_SUITE_AES_192_CM_HMAC_SHA1_80] = {"AES_192_CM_HMAC_SHA1_80", CM(192, 80)},
	[RELAY_SUITE_AES_192_CM_HMAC_SHA1_32] = {"AES_192_CM_HMAC_SHA1_32", CM(192, 32)},
	[RELAY_SUITE_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", CM(256, 80)},
	[RELAY_SUITE_AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", CM(256, 32)},
	[RELAY_SUITE_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", GCM(128)},
	[RELAY_SUITE_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", GCM(256)},
};

const struct relay_suite_info *
relay_suite_info(unsigned suite)
{
	if (suite >= RELAY_SUITE_COUNT || suites[suite].name == NULL)
		return NULL;
	return &suites[suite];
}

enum relay_suite
relay_suite_by_name(const char *name, size_t length)
{
	for (unsigned i = 0; i < RELAY_SUITE_COUNT; i++)
		if (suites[i].name != NULL && strlen(suites[i].name) == length &&
			strncasecmp(suites[i].name, name, length) == 0)
			return (enum relay_suite)i;
	return RELAY_SUITE_NONE;
}
