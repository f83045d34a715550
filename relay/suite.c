/* SPDX-License-Identifier: BSD-3-Clause */
#include "suite.h"

#include <string.h>
#include <strings.h>

static const struct relay_suite_info suites[RELAY_SUITE_COUNT] = {
	[RELAY_SUITE_AES_CM_128_HMAC_SHA1_80] =
		{
			.name = "AES_CM_128_HMAC_SHA1_80",
			.key_length = 16,
			.salt_length = 14,
			.rtp_tag_length = 10,
			.rtcp_tag_length = 10,
			.rtp_lifetime = UINT64_C(1) << 48,
			.rtcp_lifetime = UINT64_C(1) << 31,
		},
	[RELAY_SUITE_AES_CM_128_HMAC_SHA1_32] =
		{
			.name = "AES_CM_128_HMAC_SHA1_32",
			.key_length = 16,
			.salt_length = 14,
			.rtp_tag_length = 4,
			.rtcp_tag_length = 10,
			.rtp_lifetime = UINT64_C(1) << 48,
			.rtcp_lifetime = UINT64_C(1) << 31,
		},
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
