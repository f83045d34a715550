/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

#include "oracle_evp.h"

#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
	struct oracle_evp *evp; /* NULL: by libsrtp2 */
	srtp_t session;
	bool mki;
	uint8_t key[48]; /* master key || master salt */
	uint8_t id[RELAY_MKI_MAX];
};

static void
must(srtp_err_status_t status, const char *what)
{
	if (status == srtp_err_status_ok)
		return;
	fprintf(stderr, "libsrtp2: %s failed with status %d\n", what, (int)status);
	exit(1);
}

/* What libsrtp2 takes for the suite; false: it has none. */
static bool
set_policy(srtp_policy_t *policy, enum relay_suite suite)
{
	void (*set)(srtp_crypto_policy_t *);

	switch (suite) {
	case RELAY_SUITE_AES_CM_128_HMAC_SHA1_80:
	case RELAY_SUITE_AES_CM_128_HMAC_SHA1_32:
		set = srtp_crypto_policy_set_rtp_default;
		break;
	case RELAY_SUITE_AES_256_CM_HMAC_SHA1_80:
	case RELAY_SUITE_AES_256_CM_HMAC_SHA1_32:
		set = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80;
		break;
	case RELAY_SUITE_AEAD_AES_128_GCM:
		set = srtp_crypto_policy_set_aes_gcm_128_16_auth;
		break;
	case RELAY_SUITE_AEAD_AES_256_GCM:
		set = srtp_crypto_policy_set_aes_gcm_256_16_auth;
		break;
	default:
		/* until late in 2025 its keys of AES-192 were not those of RFC 6188 7.4:
		 * https://github.com/cisco/libsrtp/issues/763 */
		return false;
	}
	set(&policy->rtp);
	set(&policy->rtcp); /* its tag is never the short one: RFC 4568 6.2.2 */
	policy->rtp.auth_tag_len = relay_suite_info(suite)->rtp_tag_length;
	return true;
}

/* False if libsrtp2 can't do what this master key is for. */
static bool
start(struct oracle *oracle, const struct relay_crypto *master, bool receiver)
{
	const struct relay_suite_info *info = relay_suite_info(master->suite);
	srtp_master_key_t key = {
		.key = oracle->key, .mki_id = oracle->id, .mki_size = master->mki_length};
	srtp_master_key_t *keys[1] = {&key};
	static bool initialised;
	srtp_policy_t policy;

	if (!initialised)
		must(srtp_init(), "srtp_init");
	initialised = true;
	memset(&policy, 0, sizeof(policy));
	if (info == NULL || !set_policy(&policy, master->suite))
		return false;
	/* it looks for SRTCP's MKI where RTP's tag would have it:
	 * https://github.com/cisco/libsrtp/pull/733 */
	if (master->mki_length > 0 && info->rtp_tag_length != info->rtcp_tag_length)
		return false;
	memcpy(oracle->key, master->key, info->key_length);
	memcpy(oracle->key + info->key_length, master->salt, info->salt_length);
	memcpy(oracle->id, master->mki, sizeof(oracle->id));
	oracle->mki = master->mki_length > 0;
	if (oracle->mki) {
		policy.keys = keys;
		policy.num_master_keys = 1;
	} else {
		policy.key = oracle->key;
	}
	if (master->flags & RELAY_CRYPTO_UNENCRYPTED_SRTCP)
		policy.rtcp.sec_serv = sec_serv_auth;
	policy.ssrc.type = receiver ? ssrc_any_inbound : ssrc_any_outbound;
	policy.window_size = ORACLE_WINDOW;
	return srtp_create(&oracle->session, &policy) == srtp_err_status_ok;
}

bool
oracle_can(enum relay_suite suite)
{
	const struct relay_crypto master = {.suite = (uint8_t)suite};
	struct oracle oracle;

	if (!start(&oracle, &master, false))
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
	if (!start(oracle, master, receiver))
		oracle->evp = oracle_evp_create(master);
	return oracle;
}

void
oracle_destroy(struct oracle *oracle)
{
	if (oracle->evp != NULL)
		oracle_evp_destroy(oracle->evp);
	else
		must(srtp_dealloc(oracle->session), "srtp_dealloc");
	free(oracle);
}

void
oracle_protect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length)
{
	int octets = (int)*length;

	if (oracle->evp != NULL) {
		oracle_evp_protect(oracle->evp, rtcp, data, length);
		return;
	}
	if (rtcp)
		must(srtp_protect_rtcp_mki(oracle->session, data, &octets, oracle->mki, 0),
			"srtp_protect_rtcp_mki");
	else
		must(srtp_protect_mki(oracle->session, data, &octets, oracle->mki, 0),
			"srtp_protect_mki");
	*length = (unsigned)octets;
}

enum oracle_verdict
oracle_unprotect(struct oracle *oracle, bool rtcp, uint8_t *data, unsigned *length)
{
	int octets = (int)*length;

	if (oracle->evp != NULL)
		return oracle_evp_unprotect(oracle->evp, rtcp, data, length);
	srtp_err_status_t status =
		rtcp ? srtp_unprotect_rtcp_mki(oracle->session, data, &octets, oracle->mki)
		     : srtp_unprotect_mki(oracle->session, data, &octets, oracle->mki);
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
