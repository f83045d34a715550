/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_stream.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

bool
call_stream_is_used(const struct call_leg leg[2])
{
	return leg[0].transport != RELAY_TRANSPORT_NONE && leg[1].transport != RELAY_TRANSPORT_NONE;
}

/* The offered line whose key is in force already. */
static const struct sdes_line *
find_key(const struct sdes_lines *lines, const struct relay_crypto *key)
{
	for (unsigned i = 0; i < lines->count; i++)
		if (sdes_is_same_key(&lines->line[i].crypto, key))
			return &lines->line[i];
	return NULL;
}

/* Address, direction and protocol. A side on hold the old way (c=0.0.0.0) still lives where it
 * lived. */
static void
take_place(struct call_leg *leg, const struct sdp_stream *said, bool mux)
{
	leg->transport = said->transport;
	leg->profile = (uint8_t)said->profile;
	leg->rtcp_mux = mux;
	leg->flags = 0;
	/* as the relay API counts it */
	leg->clock_rate =
		said->clock_rate % 25 == 0 && said->clock_rate <= 1000000 ? said->clock_rate : 0;
	if ((said->direction & SDP_RECVONLY) == 0)
		leg->flags |= RELAY_LEG_NO_SEND;
	if ((said->direction & SDP_SENDONLY) == 0)
		leg->flags |= RELAY_LEG_NO_RECEIVE;
	if (said->transport == RELAY_TRANSPORT_UDPTL)
		leg->flags = 0;
	if (!said->held) {
		leg->remote_rtp = said->rtp;
		leg->remote_rtcp = said->rtcp;
	}
}

static void
wipe_keys(struct call_leg *leg)
{
	sdes_wipe(&leg->receive);
	sdes_wipe(&leg->transmit);
	leg->tag = 0;
}

enum sdp_verdict
call_stream_take_offer(struct call_stream *stream, unsigned side, const struct sdp_stream *said,
	const struct sdp_policy *policy)
{
	const struct call_leg *agreed = &stream->agreed[side];
	struct call_leg *next = &stream->next[side];
	const struct sdes_line *chosen = NULL;

	if (said->verdict != SDP_OK) {
		OPENSSL_cleanse(stream->next, sizeof(stream->next));
		return SDP_OK;
	}
	if (said->transport == RELAY_TRANSPORT_SRTP && agreed->transport == RELAY_TRANSPORT_SRTP)
		chosen = find_key(&said->crypto, &agreed->receive);
	if (chosen != NULL && !said->held && agreed->remote_rtp.ip.family != 0 &&
		!relay_addr_equal(&agreed->remote_rtp, &said->rtp))
		return SDP_OLD_KEY;
	take_place(next, said, said->rtcp_mux);
	if (said->transport != RELAY_TRANSPORT_SRTP) {
		wipe_keys(next);
		return SDP_OK;
	}
	if (chosen != NULL) {
		next->tag = chosen->tag;
		return SDP_OK;
	}
	chosen = sdes_choose(&said->crypto, policy->suites, policy->suites_count);
	if (chosen == NULL)
		return SDP_NO_SUITE;
	next->tag = chosen->tag;
	next->receive = chosen->crypto;
	return sdes_generate_answer(&chosen->crypto, &next->transmit) == 0 ? SDP_OK : SDP_NO_MEMORY;
}

static bool
has_feedback(unsigned profile)
{
	return profile == SDP_PROFILE_AVPF || profile == SDP_PROFILE_SAVPF;
}

/* What was agreed on this leg stays; else what the policy has, with the offerer's feedback. Fax is
 * never secured, so who requires SRTP gets none. */
static enum sdp_profile
choose_profile(const struct call_leg *agreed, const struct call_leg *offerer,
	const struct sdp_policy *policy)
{
	bool feedback = has_feedback(offerer->profile);

	if (offerer->transport == RELAY_TRANSPORT_UDPTL)
		return policy->srtp == CONFIG_SRTP_REQUIRED ? SDP_PROFILE_NONE : SDP_PROFILE_UDPTL;
	if (agreed->transport == RELAY_TRANSPORT_SRTP || agreed->transport == RELAY_TRANSPORT_RTP)
		return (enum sdp_profile)agreed->profile;
	if (policy->srtp == CONFIG_SRTP_REQUIRED)
		return feedback ? SDP_PROFILE_SAVPF : SDP_PROFILE_SAVP;
	return feedback ? SDP_PROFILE_AVPF : SDP_PROFILE_AVP;
}

int
call_stream_make_line(const struct call_leg *agreed, const struct call_leg *offerer,
	const struct sdp_policy *policy, bool fresh, struct call_line *line)
{
	OPENSSL_cleanse(line, sizeof(*line));
	if (offerer->transport == RELAY_TRANSPORT_NONE)
		return 0;
	line->profile = choose_profile(agreed, offerer, policy);
	/* offered where the offerer can do it; the other may decline, each leg has its own */
	line->rtcp_mux = offerer->rtcp_mux;
	if (line->profile == SDP_PROFILE_NONE || line->profile == SDP_PROFILE_UDPTL ||
		policy->srtp == CONFIG_SRTP_OFF)
		return 0;
	if (agreed->transport == RELAY_TRANSPORT_SRTP && !fresh) {
		line->ours[0] = (struct sdes_line){.tag = 1, .crypto = agreed->transmit};
		line->ours_count = 1;
		return 0;
	}
	for (unsigned i = 0; i < policy->suites_count && i < RELAY_SUITE_COUNT; i++) {
		line->ours[i].tag = i + 1;
		if (sdes_generate(policy->suites[i], &line->ours[i].crypto) != 0)
			return -EIO;
		line->ours_count = i + 1;
	}
	return 0;
}

static bool
is_secure(enum sdp_profile profile)
{
	return profile == SDP_PROFILE_SAVP || profile == SDP_PROFILE_SAVPF;
}

enum sdp_verdict
call_stream_check_answer(const struct call_line *line, const struct sdp_stream *said,
	unsigned *accepted, enum sdes_verdict *crypto)
{
	*accepted = 0;
	*crypto = SDES_OK;
	if (said->verdict == SDP_REJECTED)
		return SDP_OK;
	if (line->profile == SDP_PROFILE_NONE)
		return SDP_OTHER_STREAMS;
	if (said->verdict != SDP_OK)
		return said->verdict;
	/* SRTP was offered as SAVP: nothing less may be answered. As AVP (RFC 8643): either. */
	if ((line->profile == SDP_PROFILE_UDPTL) != (said->profile == SDP_PROFILE_UDPTL) ||
		(is_secure(line->profile) && !is_secure(said->profile)))
		return SDP_OTHER_PROFILE;
	/* no line at all declines opportunistic SRTP; one that is broken is a fault, not a wish */
	if (line->ours_count == 0 || (said->crypto.seen == 0 && !is_secure(line->profile)))
		return is_secure(said->profile) ? SDP_OTHER_PROFILE : SDP_OK;
	*crypto = sdes_check_answer(&said->crypto, line->ours, line->ours_count, accepted);
	return *crypto == SDES_OK ? SDP_OK : SDP_UNUSABLE_CRYPTO;
}

void
call_stream_take_answer(struct call_stream *stream, unsigned side, const struct call_line *line,
	const struct sdp_stream *said, unsigned accepted)
{
	struct call_leg *next = &stream->next[side];

	*next = stream->agreed[side];
	if (said->verdict != SDP_OK) {
		OPENSSL_cleanse(next, sizeof(*next));
		return;
	}
	take_place(next, said, line->rtcp_mux && said->rtcp_mux);
	if (said->transport != RELAY_TRANSPORT_SRTP) {
		wipe_keys(next);
		return;
	}
	next->tag = said->crypto.line[0].tag;
	next->receive = said->crypto.line[0].crypto;
	next->transmit = line->ours[accepted].crypto;
}
