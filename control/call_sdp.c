/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_sdp.h"

#include "call.h"

#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

static void
take_remote(struct call_sdp_side *side, const struct media_description *said, bool mux)
{
	side->remote_rtp = said->rtp;
	side->remote_rtcp = said->rtcp;
	side->rtcp_mux = mux;
}

int
call_sdp_read_offer(struct call *call, const char *body, size_t length, const char **phrase)
{
	const struct config_sip *config = &call->agent->config->sip;
	struct call_sdp *sdp = &call->sdp;
	struct call_sdp_side *side = &sdp->side[0];
	enum sdp_verdict verdict = media_description_read(body, length, &sdp->offer);

	if (verdict != SDP_OK) {
		*phrase = sdp_verdict_text(verdict);
		return sdp_verdict_status(verdict);
	}
	const struct sdes_line *chosen =
		sdes_choose(&sdp->offer->crypto, config->suites, config->suites_count);
	if (chosen == NULL) {
		*phrase = "None of the Crypto Suites Is Allowed";
		return 488;
	}
	take_remote(side, sdp->offer, sdp->offer->rtcp_mux);
	side->tag = chosen->tag;
	side->receive = chosen->crypto;
	*phrase = NULL;
	if (sdes_generate((enum relay_suite)chosen->crypto.suite, &side->transmit) != 0 ||
		RAND_bytes((unsigned char *)&sdp->session_id, sizeof(sdp->session_id)) != 1)
		return 500;
	sdp->session_id >>= 2; /* o= holds what fits a signed number, RFC 4566 5.2 */
	return 0;
}

static void
say_where(const struct call_sdp_side *side, struct sdp_local *local)
{
	local->rtp = side->local_rtp;
	local->rtcp = side->local_rtp;
	local->rtcp_mux = side->rtcp_mux;
	if (!side->rtcp_mux)
		local->rtcp.port++;
}

const char *
call_sdp_make_offer(struct call *call)
{
	const struct config_sip *config = &call->agent->config->sip;
	struct call_sdp *sdp = &call->sdp;
	struct call_sdp_side *side = &sdp->side[1];
	struct sdp_local local = {.crypto = sdp->ours, .session_version = 1};
	size_t length;

	for (unsigned i = 0; i < config->suites_count && i < RELAY_SUITE_COUNT; i++) {
		sdp->ours[i].tag = i + 1;
		if (sdes_generate(config->suites[i], &sdp->ours[i].crypto) != 0)
			return NULL;
		sdp->ours_count = i + 1;
	}
	/* offered where the caller can do it; the callee may decline, each leg has its own */
	side->rtcp_mux = sdp->side[0].rtcp_mux;
	say_where(side, &local);
	if (!side->rtcp_mux)
		local.rtcp.port = (uint16_t)(local.rtp.port + 1);
	local.crypto_count = sdp->ours_count;
	local.session_id = sdp->session_id + 1;
	if (sdp_build_offer(sdp->offer, &local, &side->said, &length) != 0)
		return NULL;
	return side->said;
}

static bool
is_same_key(const struct relay_crypto *a, const struct relay_crypto *b)
{
	return a->suite == b->suite && a->mki_length == b->mki_length &&
	       CRYPTO_memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       CRYPTO_memcmp(a->salt, b->salt, sizeof(a->salt)) == 0 &&
	       CRYPTO_memcmp(a->mki, b->mki, sizeof(a->mki)) == 0;
}

/* What of the callee's leg differs between two moments. A key is told to the relay once: told again
 * it would start again with ROC 0. */
static unsigned
difference(const struct call_sdp_side *before, const struct call_sdp_side *now)
{
	unsigned mask = 0;

	if (before->receive.suite == RELAY_SUITE_NONE)
		return RELAY_UPDATE_REMOTE | RELAY_UPDATE_RECEIVE | RELAY_UPDATE_TRANSMIT |
		       RELAY_UPDATE_TRANSPORT;
	if (!relay_addr_equal(&before->remote_rtp, &now->remote_rtp) ||
		!relay_addr_equal(&before->remote_rtcp, &now->remote_rtcp) ||
		before->rtcp_mux != now->rtcp_mux)
		mask |= RELAY_UPDATE_REMOTE;
	if (!is_same_key(&before->receive, &now->receive))
		mask |= RELAY_UPDATE_RECEIVE;
	if (!is_same_key(&before->transmit, &now->transmit))
		mask |= RELAY_UPDATE_TRANSMIT;
	return mask;
}

int
call_sdp_read_answer(
	struct call *call, const char *body, size_t length, unsigned *mask, const char **phrase)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_sdp_side *side = &sdp->side[1];
	struct call_sdp_side before = *side;
	struct media_description *answer = NULL;
	unsigned accepted;
	enum sdp_verdict verdict = media_description_read_answer(
		body, length, sdp->offer->streams, sdp->offer->index, &answer);
	enum sdes_verdict crypto = SDES_OK;

	if (verdict == SDP_OK)
		crypto = sdes_check_answer(&answer->crypto, sdp->ours, sdp->ours_count, &accepted);
	if (verdict != SDP_OK || crypto != SDES_OK) {
		*phrase = verdict != SDP_OK ? sdp_verdict_text(verdict) : sdes_verdict_text(crypto);
		media_description_free(answer);
		OPENSSL_cleanse(&before, sizeof(before));
		return -EINVAL;
	}
	media_description_free(sdp->answer);
	sdp->answer = answer;
	take_remote(side, answer, side->rtcp_mux && answer->rtcp_mux);
	side->tag = answer->crypto.line[0].tag;
	side->receive = answer->crypto.line[0].crypto;
	side->transmit = sdp->ours[accepted].crypto;
	*mask = difference(&before, side);
	OPENSSL_cleanse(&before, sizeof(before));
	return 0;
}

const char *
call_sdp_make_answer(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_sdp_side *side = &sdp->side[0];
	struct sdes_line line = {.tag = side->tag, .crypto = side->transmit};
	struct sdp_local local = {
		.crypto = &line,
		.crypto_count = 1,
		.session_id = sdp->session_id,
		.session_version = 1,
	};
	char *body = NULL;
	size_t length;

	say_where(side, &local);
	int result = sdp_build_answer(sdp->offer, sdp->answer, &local, &body, &length);
	sdes_wipe(&line.crypto);
	if (result != 0)
		return NULL;
	sdp_body_free(side->said);
	side->said = body;
	return body;
}

static bool
says_same(const struct call_sdp_side *side, const struct media_description *said)
{
	if (!relay_addr_equal(&side->remote_rtp, &said->rtp))
		return false;
	for (unsigned i = 0; i < said->crypto.count; i++)
		if (is_same_key(&said->crypto.line[i].crypto, &side->receive))
			return true;
	return false;
}

bool
call_sdp_is_refresh(const struct call *call, unsigned side, const char *body, size_t length)
{
	const struct media_description *before = side == 0 ? call->sdp.offer : call->sdp.answer;
	struct media_description *said = NULL;

	if (media_description_read(body, length, &said) != SDP_OK)
		return false;
	bool same = says_same(&call->sdp.side[side], said) &&
	            said->direction == before->direction && said->streams == before->streams;
	media_description_free(said);
	return same;
}

void
call_sdp_wipe(struct call_sdp *sdp)
{
	media_description_free(sdp->offer);
	media_description_free(sdp->answer);
	for (unsigned i = 0; i < 2; i++)
		sdp_body_free(sdp->side[i].said);
	OPENSSL_cleanse(sdp, sizeof(*sdp));
}
