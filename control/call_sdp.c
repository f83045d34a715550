/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_sdp.h"

#include "call.h"
#include "call_past.h"
#include "call_stream.h"

#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
call_sdp_set_trunk(struct call *call, unsigned side, const struct config_trunk *trunk)
{
	struct sdp_policy *policy = &call->sdp.policy[side];

	*policy = (struct sdp_policy){.suites = NULL};
	if (trunk != NULL)
		*policy = (struct sdp_policy){trunk->srtp, trunk->suites, trunk->suites_count,
			call->agent->config->sip.unencrypted_srtcp};
}

static struct sdp_policy
policy_of(const struct call *call, unsigned side)
{
	const struct config_sip *config = &call->agent->config->sip;

	if (call->sdp.policy[side].suites != NULL)
		return call->sdp.policy[side];
	return (struct sdp_policy){
		config->srtp, config->suites, config->suites_count, config->unencrypted_srtcp};
}

/* What is offered in the exchange: by a side, or (for new keys) what it said last. */
static const struct media_description *
offered(const struct call_sdp *sdp)
{
	return sdp->offer != NULL ? sdp->offer : sdp->said[sdp->offerer];
}

static int
start_session(struct call_sdp *sdp)
{
	if (sdp->session_id != 0)
		return 0;
	if (RAND_bytes((unsigned char *)&sdp->session_id, sizeof(sdp->session_id)) != 1)
		return -EIO;
	sdp->session_id >>= 2; /* o= holds what fits a signed number, RFC 8866 5.2 */
	return 0;
}

int
call_sdp_grow(struct call *call, unsigned streams)
{
	struct call_sdp *sdp = &call->sdp;

	if (streams <= sdp->streams)
		return 0;
	struct call_stream *more = calloc(streams, sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	if (sdp->streams > 0) {
		memcpy(more, sdp->stream, sdp->streams * sizeof(*more));
		OPENSSL_cleanse(sdp->stream, sdp->streams * sizeof(*more));
	}
	free(sdp->stream);
	sdp->stream = more;
	for (; sdp->streams < streams; sdp->streams++)
		if (sdp->streams == 0)
			memcpy(more[0].id, call->id, sizeof(more[0].id));
		else
			snprintf(more[sdp->streams].id, sizeof(more[0].id), "%.32s/%u", call->id,
				sdp->streams);
	return 0;
}

static void
wipe_branch(struct call_sdp_branch *branch)
{
	sdp_body_free(branch->text);
	if (branch->line != NULL)
		OPENSSL_cleanse(branch->line, branch->lines * sizeof(*branch->line));
	free(branch->line);
	*branch = (struct call_sdp_branch){.line = NULL};
}

/* Ends the exchange; what it has made is forgotten. */
static void
close_exchange(struct call_sdp *sdp)
{
	for (unsigned i = 0; i < sdp->branches; i++)
		wipe_branch(&sdp->branch[i]);
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
	for (unsigned i = 0; i < sdp->streams; i++)
		OPENSSL_cleanse(sdp->stream[i].next, sizeof(sdp->stream[i].next));
	sdp->open = false;
}

static void
open_exchange(struct call_sdp *sdp, unsigned offerer)
{
	sdp->open = true;
	sdp->offerer = offerer;
	for (unsigned i = 0; i < sdp->streams; i++)
		memcpy(sdp->stream[i].next, sdp->stream[i].agreed, sizeof(sdp->stream[i].next));
}

/* Media sent to one of the relay's own addresses would run in a loop. */
static bool
is_ours(const struct call *call, const struct relay_ip *ip)
{
	const struct config_media *media = &call->agent->config->media;

	for (unsigned i = 0; i < media->interfaces_count; i++)
		for (unsigned k = 0; k < media->interfaces[i].addresses_count; k++)
			if (relay_ip_equal(ip, &media->interfaces[i].addresses[k].ip))
				return true;
	return false;
}

static enum sdp_verdict
read_body(const struct call *call, const struct sdp_policy *policy, const char *body, size_t length,
	struct media_description **out)
{
	enum sdp_verdict verdict = media_description_read(body, length, policy, out);

	for (unsigned i = 0; verdict == SDP_OK && i < (*out)->streams; i++) {
		const struct sdp_stream *stream = &(*out)->stream[i];
		if (stream->verdict == SDP_OK &&
			(is_ours(call, &stream->rtp.ip) || is_ours(call, &stream->rtcp.ip)))
			verdict = SDP_OWN_ADDRESS;
	}
	if (verdict != SDP_OK) {
		media_description_free(*out);
		*out = NULL;
	}
	return verdict;
}

int
call_sdp_take_offer(
	struct call *call, unsigned side, const char *body, size_t length, const char **phrase)
{
	struct call_sdp *sdp = &call->sdp;
	struct sdp_policy policy = policy_of(call, side);

	*phrase = NULL;
	if (sdp->open)
		return 491;
	enum sdp_verdict verdict = read_body(call, &policy, body, length, &sdp->offer);
	if (verdict == SDP_OK && sdp->offer->streams < sdp->streams)
		verdict = SDP_FEWER_STREAMS;
	if (verdict == SDP_OK &&
		(start_session(sdp) != 0 || call_sdp_grow(call, sdp->offer->streams) != 0))
		verdict = SDP_NO_MEMORY;
	open_exchange(sdp, side);
	for (unsigned i = 0; verdict == SDP_OK && i < sdp->streams; i++)
		verdict = call_stream_take_offer(
			&sdp->stream[i], side, &sdp->offer->stream[i], &policy);
	if (verdict == SDP_OK)
		return 0;
	close_exchange(sdp);
	sdp_verdict_count(verdict);
	*phrase = sdp_verdict_text(verdict);
	return sdp_verdict_status(verdict);
}

static struct call_sdp_branch *
get_branch(struct call_sdp *sdp, unsigned index)
{
	if (!sdp->open || index >= CALL_BRANCHES_MAX)
		return NULL;
	if (sdp->branch == NULL)
		sdp->branch = calloc(CALL_BRANCHES_MAX, sizeof(*sdp->branch));
	if (sdp->branch == NULL)
		return NULL;
	if (index >= sdp->branches)
		sdp->branches = index + 1;
	struct call_sdp_branch *branch = &sdp->branch[index];
	wipe_branch(branch);
	branch->line = calloc(sdp->streams, sizeof(*branch->line));
	branch->lines = branch->line != NULL ? sdp->streams : 0;
	return branch->line != NULL ? branch : NULL;
}

static const char *
make_offer(struct call *call, unsigned side, unsigned index, bool fresh)
{
	struct call_sdp *sdp = &call->sdp;
	const struct media_description *offer = offered(sdp);
	struct call_sdp_branch *branch = get_branch(sdp, index);
	struct sdp_local local = {.session_id = sdp->session_id + side};
	size_t length;

	if (branch == NULL)
		return NULL;
	branch->policy = policy_of(call, side);
	for (unsigned i = 0; i < offer->streams; i++) {
		const struct call_stream *stream = &sdp->stream[i];
		struct call_line *line = &branch->line[i];
		if (call_stream_make_line(&stream->agreed[side], &stream->next[1 - side],
			    &branch->policy, fresh, line) != 0)
			return NULL;
		local.stream[i] = (struct sdp_local_stream){
			.profile = line->profile,
			.rtp = stream->local[side],
			.rtcp_mux = line->rtcp_mux,
			.direction = offer->stream[i].direction,
			.crypto = line->ours,
			.crypto_count = line->ours_count,
		};
	}
	local.session_version = ++sdp->version[side];
	if (sdp_build(offer, offer, &local, &branch->text, &length) != 0)
		return NULL;
	return branch->text;
}

const char *
call_sdp_make_offer(struct call *call, unsigned side, unsigned index)
{
	return make_offer(call, side, index, false);
}

/* An exchange of our own with one side: what the other one said last. */
static const char *
offer_alone(struct call *call, unsigned side, bool fresh)
{
	struct call_sdp *sdp = &call->sdp;

	if (sdp->open || sdp->said[1 - side] == NULL)
		return NULL;
	open_exchange(sdp, 1 - side);
	const char *body = make_offer(call, side, 0, fresh);
	if (body == NULL)
		close_exchange(sdp);
	return body;
}

const char *
call_sdp_rekey(struct call *call, unsigned side)
{
	for (unsigned i = 0; i < call->sdp.streams; i++)
		if (call->sdp.stream[i].agreed[side].transport == RELAY_TRANSPORT_SRTP)
			return offer_alone(call, side, true);
	return NULL;
}

const char *
call_sdp_repeat(struct call *call, unsigned side)
{
	return offer_alone(call, side, false);
}

/* Does every line of the answer fit? */
static enum sdp_verdict
check_answer(const struct call_sdp_branch *branch, const struct media_description *offer,
	const struct media_description *answer, unsigned accepted[SDP_STREAMS_MAX],
	enum sdes_verdict *crypto)
{
	enum sdp_verdict verdict = SDP_OK;

	if (answer->streams != offer->streams || answer->streams > branch->lines)
		return SDP_OTHER_STREAMS;
	for (unsigned i = 0; i < answer->streams && verdict == SDP_OK; i++) {
		verdict = call_stream_check_answer(
			&branch->line[i], &answer->stream[i], &accepted[i], crypto);
		if (verdict == SDP_OK &&
			strcasecmp(answer->stream[i].kind, offer->stream[i].kind) != 0)
			verdict = SDP_OTHER_STREAMS;
	}
	return verdict;
}

int
call_sdp_take_answer(struct call *call, unsigned side, unsigned index, const char *body,
	size_t length, const char **phrase)
{
	struct call_sdp *sdp = &call->sdp;
	struct call_sdp_branch *branch = index < sdp->branches ? &sdp->branch[index] : NULL;
	struct media_description *answer = NULL;
	unsigned accepted[SDP_STREAMS_MAX];
	enum sdes_verdict crypto = SDES_OK;

	*phrase = "Answer without offer";
	if (branch == NULL || branch->text == NULL)
		return -EINVAL;
	enum sdp_verdict verdict = read_body(call, &branch->policy, body, length, &answer);
	if (verdict == SDP_OK)
		verdict = check_answer(branch, offered(sdp), answer, accepted, &crypto);
	if (verdict != SDP_OK) {
		sdp_verdict_count(verdict);
		*phrase = crypto != SDES_OK ? sdes_verdict_text(crypto) : sdp_verdict_text(verdict);
		media_description_free(answer);
		return -EINVAL;
	}
	*phrase = NULL;
	media_description_free(sdp->answer);
	sdp->answer = answer;
	sdp->policy[side] = branch->policy;
	for (unsigned i = 0; i < answer->streams; i++)
		call_stream_take_answer(
			&sdp->stream[i], side, &branch->line[i], &answer->stream[i], accepted[i]);
	return 0;
}

char *
call_sdp_outline(const struct media_description *description)
{
	static const struct relay_addr nowhere = {{4, {0}, {192, 0, 2, 1}}, 2, 0};
	struct sdp_local local = {.session_id = 1};
	char *body;
	size_t length;

	for (unsigned i = 0; i < description->streams; i++) {
		const struct sdp_stream *stream = &description->stream[i];
		if (stream->verdict != SDP_OK)
			continue;
		local.stream[i].profile = stream->transport == RELAY_TRANSPORT_UDPTL
		                                  ? SDP_PROFILE_UDPTL
		                                  : SDP_PROFILE_AVP;
		local.stream[i].rtp = nowhere;
		local.stream[i].direction = stream->direction;
	}
	return sdp_build(description, description, &local, &body, &length) == 0 ? body : NULL;
}

bool
call_sdp_concerns_other(const struct call *call)
{
	const struct call_sdp *sdp = &call->sdp;

	if (!sdp->open || sdp->offer == NULL || sdp->said[0] == NULL || sdp->said[1] == NULL)
		return true;
	char *was = call_sdp_outline(sdp->said[sdp->offerer]), *is = call_sdp_outline(sdp->offer);
	bool same = was != NULL && is != NULL && strcmp(was, is) == 0;
	sdp_body_free(was);
	sdp_body_free(is);
	return !same;
}

int
call_sdp_answer_alone(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;

	if (!sdp->open || sdp->offer == NULL || sdp->said[1 - sdp->offerer] == NULL)
		return -EINVAL;
	media_description_free(sdp->answer);
	sdp->answer = NULL;
	/* what the other side does not use stays off */
	for (unsigned i = 0; i < sdp->streams; i++)
		if (!call_stream_is_used(sdp->stream[i].next))
			OPENSSL_cleanse(sdp->stream[i].next, sizeof(sdp->stream[i].next));
	return 0;
}

const char *
call_sdp_make_answer(struct call *call, unsigned side)
{
	struct call_sdp *sdp = &call->sdp;
	const struct media_description *answer =
		sdp->answer != NULL ? sdp->answer : sdp->said[1 - side];
	struct sdp_local local = {.session_id = sdp->session_id + side};
	struct sdes_line line[SDP_STREAMS_MAX];
	char *body = NULL;
	size_t length;

	if (!sdp->open || sdp->offer == NULL || answer == NULL)
		return NULL;
	for (unsigned i = 0; i < sdp->offer->streams; i++) {
		const struct call_leg *next = &sdp->stream[i].next[side];
		if (i >= answer->streams || !call_stream_is_used(sdp->stream[i].next))
			continue;
		line[i] = (struct sdes_line){.tag = next->tag, .crypto = next->transmit};
		local.stream[i] = (struct sdp_local_stream){
			.profile = next->profile,
			.rtp = sdp->stream[i].local[side],
			.rtcp_mux = next->rtcp_mux,
			.direction = answer->stream[i].direction &
		                     sdp_direction_for_answer(sdp->offer->stream[i].direction),
			.crypto = &line[i],
			.crypto_count = next->transport == RELAY_TRANSPORT_SRTP,
		};
	}
	const char *last = sdp->next_text[side] != NULL ? sdp->next_text[side] : sdp->text[side];
	local.session_version = sdp->version[side];
	int result = sdp_build(sdp->offer, answer, &local, &body, &length);
	if (result == 0 && (last == NULL || strcmp(last, body) != 0)) {
		/* it says something new, and its version says so: RFC 3264 8 */
		sdp_body_free(body);
		local.session_version = ++sdp->version[side];
		result = sdp_build(sdp->offer, answer, &local, &body, &length);
	}
	OPENSSL_cleanse(line, sizeof(line));
	if (result != 0)
		return NULL;
	sdp_body_free(sdp->next_text[side]);
	sdp->next_text[side] = body;
	return body;
}

/* What was said is kept for its codecs; the keys that count are in the streams. */
static void
replace(struct media_description **said, struct media_description **by)
{
	if (*by == NULL)
		return;
	for (unsigned i = 0; i < (*by)->streams; i++)
		sdes_wipe_lines(&(*by)->stream[i].crypto);
	media_description_free(*said);
	*said = *by;
	*by = NULL;
}

void
call_sdp_commit(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;

	if (!sdp->open)
		return;
	for (unsigned i = 0; i < sdp->streams; i++) {
		struct call_stream *stream = &sdp->stream[i];
		if (!call_stream_is_used(stream->next))
			OPENSSL_cleanse(stream->next, sizeof(stream->next));
		memcpy(stream->agreed, stream->next, sizeof(stream->agreed));
	}
	replace(&sdp->said[sdp->offerer], &sdp->offer);
	replace(&sdp->said[1 - sdp->offerer], &sdp->answer);
	for (unsigned i = 0; i < 2; i++)
		if (sdp->next_text[i] != NULL) {
			sdp_body_free(sdp->text[i]);
			sdp->text[i] = sdp->next_text[i];
			sdp->next_text[i] = NULL;
		}
	close_exchange(sdp);
	call_media_drop_unused(call);
}

int
call_sdp_rollback(struct call *call)
{
	struct call_sdp *sdp = &call->sdp;
	int result = 0;

	if (!sdp->open)
		return 0;
	for (unsigned i = 0; i < sdp->streams; i++) {
		struct call_stream *stream = &sdp->stream[i];
		for (unsigned side = 0; side < 2; side++)
			if (call_stream_is_used(stream->agreed) &&
				!sdes_is_same_key(&stream->told[side].transmit,
					&stream->agreed[side].transmit))
				result = -EKEYREVOKED;
		memcpy(stream->next, stream->agreed, sizeof(stream->next));
	}
	if (result == 0)
		result = call_media_apply(call, NULL);
	close_exchange(sdp);
	call_media_drop_unused(call);
	return result;
}

void
call_sdp_wipe(struct call_sdp *sdp)
{
	close_exchange(sdp);
	for (unsigned i = 0; i < 2; i++) {
		media_description_free(sdp->said[i]);
		sdp_body_free(sdp->text[i]);
	}
	for (unsigned i = 0; i < sdp->streams; i++)
		call_past_forget(&sdp->stream[i]);
	if (sdp->stream != NULL)
		OPENSSL_cleanse(sdp->stream, sdp->streams * sizeof(*sdp->stream));
	free(sdp->stream);
	OPENSSL_cleanse(sdp, sizeof(*sdp));
}
