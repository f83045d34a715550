/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_sdp.h"

#include "call.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static bool
is_same_key(const struct relay_crypto *a, const struct relay_crypto *b)
{
	return a->suite == b->suite && a->mki_length == b->mki_length && a->flags == b->flags &&
	       CRYPTO_memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
	       CRYPTO_memcmp(a->salt, b->salt, sizeof(a->salt)) == 0 &&
	       CRYPTO_memcmp(a->mki, b->mki, sizeof(a->mki)) == 0;
}

/* The offered line whose key is in force already. */
static const struct sdes_line *
find_key(const struct sdes_lines *lines, const struct relay_crypto *key)
{
	for (unsigned i = 0; i < lines->count; i++)
		if (is_same_key(&lines->line[i].crypto, key))
			return &lines->line[i];
	return NULL;
}

static void
take_remote(struct call_leg *leg, const struct media_description *said, bool mux)
{
	leg->transport = RELAY_TRANSPORT_SRTP;
	leg->remote_rtp = said->rtp;
	leg->remote_rtcp = said->rtcp;
	leg->rtcp_mux = mux;
}

/* The offerer's leg: a key that is in force stays, and so does ours; a new address needs a new
 * key, of the phone and of us (RFC 4568 7.1.4). 0 or a SIP status. */
static int
choose_keys(struct call *call, unsigned side, const char **phrase)
{
	const struct config_sip *config = &call->agent->config->sip;
	struct call_sdp *sdp = &call->sdp;
	const struct call_leg *agreed = &sdp->stream.agreed[side];
	struct call_leg *next = &sdp->stream.next[side];
	const struct sdes_line *chosen = NULL;

	if (agreed->transport != RELAY_TRANSPORT_NONE)
		chosen = find_key(&sdp->offer->crypto, &agreed->receive);
	if (chosen != NULL && !relay_addr_equal(&agreed->remote_rtp, &sdp->offer->rtp)) {
		*phrase = "New Media Address with the Old Key";
		return 488;
	}
	take_remote(next, sdp->offer, sdp->offer->rtcp_mux);
	if (chosen != NULL) {
		next->tag = chosen->tag;
		return 0;
	}
	chosen = sdes_choose(&sdp->offer->crypto, config->suites, config->suites_count);
	if (chosen == NULL) {
		*phrase = "None of the Crypto Suites Is Allowed";
		return 488;
	}
	next->tag = chosen->tag;
	next->receive = chosen->crypto;
	if (sdes_generate((enum relay_suite)chosen->crypto.suite, &next->transmit) != 0)
		return 500;
	return 0;
}

static int
start_session(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;

	if (sdp->session_id != 0)
		return 0;
	if (RAND_bytes((unsigned char *)&sdp->session_id, sizeof(sdp->session_id)) != 1)
		return -EIO;
	sdp->session_id >>= 2; /* o= holds what fits a signed number, RFC 4566 5.2 */
	memcpy(sdp->stream.id, call->id, sizeof(sdp->stream.id));
	return 0;
}

/* Ends the exchange; what it has made is forgotten. */
static void
close_exchange(struct call_sdp *sdp)
{
	for (unsigned i = 0; i < sdp->branches; i++)
		sdp_body_free(sdp->branch[i].text);
	if (sdp->branch != NULL)
		OPENSSL_cleanse(sdp->branch, CALL_BRANCHES_MAX * sizeof(*sdp->branch));
	free(sdp->branch);
	sdp->branch = NULL;
	sdp->branches = 0;
	media_description_free(sdp->offer);
	media_description_free(sdp->answer);
	sdp->offer = NULL;
	sdp->answer = NULL;
	for (unsigned i = 0; i < 2; i++) {
		sdp_body_free(sdp->next_text[i]);
		sdp->next_text[i] = NULL;
	}
	OPENSSL_cleanse(sdp->stream.next, sizeof(sdp->stream.next));
	sdp->open = false;
}

int
call_sdp_take_offer(
	struct call *call, unsigned side, const char *body, size_t length, const char **phrase)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_stream *stream = &sdp->stream;

	*phrase = NULL;
	if (sdp->open)
		return 491;
	enum sdp_verdict verdict = media_description_read(body, length, &sdp->offer);
	if (verdict != SDP_OK) {
		*phrase = sdp_verdict_text(verdict);
		return sdp_verdict_status(verdict);
	}
	sdp->open = true;
	sdp->offerer = side;
	memcpy(stream->next, stream->agreed, sizeof(stream->next));
	int status = start_session(call) == 0 ? choose_keys(call, side, phrase) : 500;
	if (status != 0)
		close_exchange(sdp);
	return status;
}

static void
fill_local(struct call_sdp *sdp, unsigned side, bool mux, struct sdp_local *local)
{
	local->rtp = sdp->stream.local[side];
	local->rtcp = local->rtp;
	local->rtcp_mux = mux;
	if (!mux)
		local->rtcp.port++;
	local->session_id = sdp->session_id + side;
	local->session_version = ++sdp->version[side];
}

/* Fresh lines for every suite; or, where a key is in force already, that one alone: it goes on. */
static int
make_lines(const struct call *call, unsigned side, struct call_sdp_branch *branch)
{
	const struct config_sip *config = &call->agent->config->sip;
	const struct call_leg *agreed = &call->sdp.stream.agreed[side];

	branch->ours_count = 0;
	if (agreed->transport == RELAY_TRANSPORT_SRTP) {
		branch->ours[0] = (struct sdes_line){.tag = 1, .crypto = agreed->transmit};
		branch->ours_count = 1;
		return 0;
	}
	for (unsigned i = 0; i < config->suites_count && i < RELAY_SUITE_COUNT; i++) {
		branch->ours[i].tag = i + 1;
		if (sdes_generate(config->suites[i], &branch->ours[i].crypto) != 0)
			return -EIO;
		branch->ours_count = i + 1;
	}
	return 0;
}

static struct call_sdp_branch *
get_branch(struct call_sdp *sdp, unsigned index)
{
	if (index >= CALL_BRANCHES_MAX)
		return NULL;
	if (sdp->branch == NULL)
		sdp->branch = calloc(CALL_BRANCHES_MAX, sizeof(*sdp->branch));
	if (sdp->branch != NULL && index >= sdp->branches)
		sdp->branches = index + 1;
	return sdp->branch != NULL ? &sdp->branch[index] : NULL;
}

const char *
call_sdp_make_offer(struct call *call, unsigned side, unsigned index)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_sdp_branch *branch = get_branch(sdp, index);
	struct sdp_local local = {.crypto = NULL};
	size_t length;

	if (branch == NULL || make_lines(call, side, branch) != 0)
		return NULL;
	sdp_body_free(branch->text);
	branch->text = NULL;
	/* offered where the offerer can do it; the other may decline, each leg has its own */
	fill_local(sdp, side, sdp->offer->rtcp_mux, &local);
	local.crypto = branch->ours;
	local.crypto_count = branch->ours_count;
	if (sdp_build_offer(sdp->offer, &local, &branch->text, &length) != 0)
		return NULL;
	return branch->text;
}

int
call_sdp_take_answer(struct call *call, unsigned side, unsigned index, const char *body,
	size_t length, const char **phrase)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_leg *next = &sdp->stream.next[side];
	struct media_description *answer = NULL;
	struct call_sdp_branch *branch = index < sdp->branches ? &sdp->branch[index] : NULL;
	unsigned accepted;
	enum sdes_verdict crypto = SDES_OK;

	*phrase = "Answer without Offer";
	if (branch == NULL)
		return -EINVAL;
	enum sdp_verdict verdict = media_description_read_answer(
		body, length, sdp->offer->streams, sdp->offer->index, &answer);
	if (verdict == SDP_OK)
		crypto = sdes_check_answer(
			&answer->crypto, branch->ours, branch->ours_count, &accepted);
	if (verdict != SDP_OK || crypto != SDES_OK) {
		*phrase = verdict != SDP_OK ? sdp_verdict_text(verdict) : sdes_verdict_text(crypto);
		media_description_free(answer);
		return -EINVAL;
	}
	*phrase = NULL;
	media_description_free(sdp->answer);
	sdp->answer = answer;
	take_remote(next, answer, sdp->offer->rtcp_mux && answer->rtcp_mux);
	next->tag = answer->crypto.line[0].tag;
	next->receive = answer->crypto.line[0].crypto;
	next->transmit = branch->ours[accepted].crypto;
	return 0;
}

/* What passes on of a description: all but addresses and keys. */
static char *
passes_on(const struct media_description *description)
{
	static const struct sdes_line line = {.tag = 1, .crypto = {.suite = 1}};
	struct sdp_local local = {
		.rtp = {.ip = {.family = 4, .ip = {192, 0, 2, 1}}, .port = 2},
		.rtcp = {.ip = {.family = 4, .ip = {192, 0, 2, 1}}, .port = 3},
		.crypto = &line,
		.crypto_count = 1,
	};
	char *body;
	size_t length;

	return sdp_build_offer(description, &local, &body, &length) == 0 ? body : NULL;
}

bool
call_sdp_concerns_other(const struct call *call)
{
	const struct call_sdp *sdp = &call->sdp;
	const struct media_description *before = sdp->said[sdp->offerer];

	if (!sdp->open || before == NULL || sdp->said[1 - sdp->offerer] == NULL)
		return true;
	char *was = passes_on(before), *is = passes_on(sdp->offer);
	bool same = was != NULL && is != NULL && strcmp(was, is) == 0;
	sdp_body_free(was);
	sdp_body_free(is);
	return !same;
}

int
call_sdp_answer_alone(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;

	if (!sdp->open || sdp->said[1 - sdp->offerer] == NULL)
		return -EINVAL;
	media_description_free(sdp->answer);
	sdp->answer = NULL;
	return 0;
}

const char *
call_sdp_make_answer(struct call *call, unsigned side)
{
	struct call_sdp *sdp = &call->sdp;
	const struct media_description *answer =
		sdp->answer != NULL ? sdp->answer : sdp->said[1 - side];
	const struct call_leg *next = &sdp->stream.next[side];
	struct sdes_line line = {.tag = next->tag, .crypto = next->transmit};
	struct sdp_local local = {.crypto = &line, .crypto_count = 1};
	char *body = NULL;
	size_t length;

	fill_local(sdp, side, next->rtcp_mux, &local);
	int result = answer != NULL ? sdp_build_answer(sdp->offer, answer, &local, &body, &length)
	                            : -EINVAL;
	sdes_wipe(&line.crypto);
	if (result != 0)
		return NULL;
	sdp_body_free(sdp->next_text[side]);
	sdp->next_text[side] = body;
	return body;
}

void
call_sdp_commit(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;

	if (!sdp->open)
		return;
	memcpy(sdp->stream.agreed, sdp->stream.next, sizeof(sdp->stream.agreed));
	media_description_free(sdp->said[sdp->offerer]);
	sdp->said[sdp->offerer] = sdp->offer;
	sdp->offer = NULL;
	if (sdp->answer != NULL) {
		media_description_free(sdp->said[1 - sdp->offerer]);
		sdp->said[1 - sdp->offerer] = sdp->answer;
		sdp->answer = NULL;
	}
	for (unsigned i = 0; i < 2; i++)
		if (sdp->next_text[i] != NULL) {
			sdp_body_free(sdp->text[i]);
			sdp->text[i] = sdp->next_text[i];
			sdp->next_text[i] = NULL;
		}
	close_exchange(sdp);
}

int
call_sdp_rollback(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_stream *stream = &sdp->stream;

	if (!sdp->open)
		return 0;
	for (unsigned i = 0; i < 2; i++)
		if (stream->told[i].transport != RELAY_TRANSPORT_NONE &&
			!is_same_key(&stream->told[i].transmit, &stream->agreed[i].transmit))
			return -EKEYREVOKED;
	memcpy(stream->next, stream->agreed, sizeof(stream->next));
	int result = call_media_apply(call, NULL);
	close_exchange(sdp);
	return result;
}

const char *
call_sdp_said(const struct call *call, unsigned side)
{
	return call->sdp.text[side];
}

void
call_sdp_wipe(struct call_sdp *sdp)
{
	close_exchange(sdp);
	for (unsigned i = 0; i < 2; i++) {
		media_description_free(sdp->said[i]);
		sdp_body_free(sdp->text[i]);
	}
	OPENSSL_cleanse(sdp, sizeof(*sdp));
}
