/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

#include "dataplane/srtp_stream.h"

#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
	srtp_t session;
	uint8_t key[30]; /* master key || master salt */
};

static void
must(srtp_err_status_t status, const char *what)
{
	if (status == srtp_err_status_ok)
		return;
	fprintf(stderr, "libsrtp2: %s failed with status %d\n", what, (int)status);
	exit(1);
}

struct oracle *
oracle_create(const struct relay_crypto *master, bool receiver)
{
	static bool initialised;
	struct oracle *oracle = calloc(1, sizeof(*oracle));
	srtp_policy_t policy;

	if (oracle == NULL)
		exit(1);
	if (!initialised)
		must(srtp_init(), "srtp_init");
	initialised = true;
	memcpy(oracle->key, master->key, 16);
	memcpy(oracle->key + 16, master->salt, 14);

	memset(&policy, 0, sizeof(policy));
	if (master->suite == RELAY_SUITE_AES_CM_128_HMAC_SHA1_32)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp); /* RFC 4568 6.2.2 */
	policy.ssrc.type = receiver ? ssrc_any_inbound : ssrc_any_outbound;
	policy.key = oracle->key;
	policy.window_size = SRTP_REPLAY_WINDOW;
	must(srtp_create(&oracle->session, &policy), "srtp_create");
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
