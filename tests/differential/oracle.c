/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

#include "dataplane/srtp_stream.h"

#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
	srtp_t session;
	uint8_t key[48]; /* master key || master salt */
};

static void
must(srtp_err_status_t status, const char *what)
{
	if (status == srtp_err_status_ok)
		return;
	fprintf(stderr, "libsrtp2: %s failed with status %d\n", what, (int)status);
	exit(1);
}

static void
set_policy(srtp_policy_t *policy, enum relay_suite suite)
{
	static void (*const rtp[RELAY_SUITE_COUNT])(srtp_crypto_policy_t *) = {
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_80] = srtp_crypto_policy_set_rtp_default,
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_32] =
			srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_80] =
			srtp_crypto_policy_set_aes_cm_192_hmac_sha1_80,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_32] =
			srtp_crypto_policy_set_aes_cm_192_hmac_sha1_32,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_80] =
			srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_32] =
			srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
		[RELAY_SUITE_AEAD_AES_128_GCM] = srtp_crypto_policy_set_aes_gcm_128_16_auth,
		[RELAY_SUITE_AEAD_AES_256_GCM] = srtp_crypto_policy_set_aes_gcm_256_16_auth,
	};
	/* SRTCP's tag is never the short one: RFC 4568 6.2.2 */
	static const uint8_t long_tag[RELAY_SUITE_COUNT] = {
		[RELAY_SUITE_AES_CM_128_HMAC_SHA1_32] = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80,
		[RELAY_SUITE_AES_192_CM_HMAC_SHA1_32] = RELAY_SUITE_AES_192_CM_HMAC_SHA1_80,
		[RELAY_SUITE_AES_256_CM_HMAC_SHA1_32] = RELAY_SUITE_AES_256_CM_HMAC_SHA1_80,
	};

	rtp[suite](&policy->rtp);
	rtp[long_tag[suite] != 0 ? long_tag[suite] : suite](&policy->rtcp);
}

static srtp_err_status_t
start(struct oracle *oracle, const struct relay_crypto *master, bool receiver)
{
	static bool initialised;
	const struct relay_suite_info *info = relay_suite_info(master->suite);
	srtp_policy_t policy;

	if (!initialised)
		must(srtp_init(), "srtp_init");
	initialised = true;
	memcpy(oracle->key, master->key, info->key_length);
	memcpy(oracle->key + info->key_length, master->salt, info->salt_length);
	memset(&policy, 0, sizeof(policy));
	set_policy(&policy, master->suite);
	policy.ssrc.type = receiver ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = oracle->key;
	policy.window_size = SRTP_REPLAY_WINDOW;
	return srtp_create(&oracle->session, &policy);
}

bool
oracle_can(enum relay_suite suite)
{
	struct relay_crypto master = {.suite = (uint8_t)suite};
	struct oracle oracle;

	if (relay_suite_info(suite)->key_length == 24 ||
		start(&oracle, &master, false) != srtp_err_status_ok)
		return false;
	must(srtp_dealloc(oracle.session), "srtp_dealloc");
	return true;
}

struct oracle *
oracle_create(const struct relay_crypto *master, bool receiver)
{
	struct oracle *oracle = calloc(1, sizeof(*oracle));

	if (oracle == NULL)
		exit(1);
	must(start(oracle, master, receiver), "srtp_create");
	return oracle;
}

void
oracle_destroy(struct oracle *oracle)
{
	must(srtp_dealloc(oracle->session), "srtp_dealloc");
	free(oracle);
}

void
oracle_protect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length)
{
	int octets = (int)*length;

	if (rtcp)
		must(srtp_protect_rtcp(oracle->session, data, &octets), "srtp_protect_rtcp");
	else
		must(srtp_protect(oracle->session, data, &octets), "srtp_protect");
	*length = (unsigned)octets;
}

enum oracle_verdict
oracle_unprotect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length)
{
	int octets = (int)*length;
	srtp_err_status_t status = rtcp ? srtp_unprotect_rtcp(oracle->session, data, &octets)
	                                : srtp_unprotect(oracle->session, data, &octets);

	switch (status) {
	case srtp_err_status_ok:
		*length = (unsigned)octets;
		return ORACLE_OK;
	case srtp_err_status_auth_fail:
		return ORACLE_AUTH_FAILED;
	case srtp_err_status_replay_fail:
		return ORACLE_REPLAYED;
	case srtp_err_status_replay_old:
		return ORACLE_TOO_OLD;
	default:
		return ORACLE_MALFORMED;
	}
}
