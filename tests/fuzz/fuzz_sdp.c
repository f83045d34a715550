/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as a phone's session description: refused by name, or taken; and what is built of it for
 * the other phone is clean, can be read again, and holds nothing but what may pass. The first byte
 * chooses the policy. */
#include "control/sdp_media.h"
#include "control/sdp_text.h"

#include <errno.h>
#include <sofia-sip/sdp.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum relay_suite suites[] = {
	RELAY_SUITE_AES_CM_128_HMAC_SHA1_80, RELAY_SUITE_AEAD_AES_256_GCM};

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_stream(const struct media_description *said, unsigned index)
{
	const struct sdp_stream *stream = &said->stream[index];
	char codecs[64];

	media_description_codecs(said, index, codecs, sizeof(codecs));
	require(strlen(codecs) < sizeof(codecs));
	if (stream->verdict != SDP_OK) {
		require(stream->verdict >= SDP_REJECTED); /* else the whole was refused */
		return;
	}
	require(stream->held || relay_ip_is_routable_unicast(&stream->rtp.ip));
	require(stream->held || stream->rtp.port != 0);
	require(stream->transport != RELAY_TRANSPORT_NONE);
	if (stream->transport == RELAY_TRANSPORT_SRTP)
		require(sdes_choose(&stream->crypto, suites, 2) != NULL);
}

/* One line of what was built begins so. */
static void
check_line(const char *line, size_t length)
{
	static const char *const bad[] = {
		"a=candidate", "a=ice-", "a=fingerprint", "a=setup", "a=ssrc", "a=group", "k="};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		require(length < strlen(bad[i]) || strncasecmp(line, bad[i], strlen(bad[i])) != 0);
}

/* What the other phone reads is what this one wrote: none has lost its name. */
static void
compare_bandwidths(const sdp_bandwidth_t *a, const sdp_bandwidth_t *b)
{
	for (; a != NULL && b != NULL; a = a->b_next, b = b->b_next) {
		require(a->b_modifier == sdp_bw_ct || a->b_modifier_name != NULL);
		require(a->b_modifier == b->b_modifier && a->b_value == b->b_value);
		require(a->b_modifier == sdp_bw_ct ||
			strcmp(a->b_modifier_name, b->b_modifier_name) == 0);
	}
	require(a == NULL && b == NULL);
}

static void
compare(const struct media_description *said, const struct media_description *back)
{
	const sdp_session_t *a = sdp_session(said->parser), *b = sdp_session(back->parser);
	const sdp_media_t *from = a->sdp_media, *to = b->sdp_media;

	require(back->streams == said->streams && back->usable == said->usable);
	compare_bandwidths(a->sdp_bandwidths, b->sdp_bandwidths);
	for (unsigned i = 0; i < said->streams; i++, from = from->m_next, to = to->m_next)
		if (said->stream[i].verdict == SDP_OK)
			compare_bandwidths(from->m_bandwidths, to->m_bandwidths);
}

static void
build(const struct media_description *said, const struct sdp_policy *policy)
{
	struct sdes_line line = {.tag = 1};
	struct sdp_local local = {.session_id = 1, .session_version = 1};
	struct media_description *back;
	char *body;
	size_t length;

	require(sdes_generate(suites[0], &line.crypto) == 0);
	for (unsigned i = 0; i < said->streams; i++) {
		const struct sdp_stream *stream = &said->stream[i];
		if (stream->verdict != SDP_OK)
			continue;
		local.stream[i] = (struct sdp_local_stream){
			.profile = stream->profile,
			.rtp = {{4, {0}, {203, 0, 113, 9}}, 40000, 0},
			.direction = stream->direction,
			.crypto = &line,
			.crypto_count = stream->transport == RELAY_TRANSPORT_SRTP,
		};
	}
	int result = sdp_build(said, said, &local, &body, &length);
	require(result == 0 || result == -EMSGSIZE);
	if (result != 0)
		return;
	require(length == strlen(body) && sdp_is_clean(body, length));
	for (const char *at = body; *at != '\0'; at = strchr(at, '\n') + 1)
		check_line(at, strcspn(at, "\r\n"));
	require(media_description_read(body, length, policy, &back) == SDP_OK);
	compare(said, back);
	media_description_free(back);
	sdp_body_free(body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_policy policy = {CONFIG_SRTP_REQUIRED, suites, 2, true};
	struct media_description *said;

	if (size == 0)
		return 0;
	policy.srtp = (enum config_srtp)(data[0] % 3);
	policy.unencrypted_srtcp = data[0] & 4;
	enum sdp_verdict verdict =
		media_description_read((const char *)data + 1, size - 1, &policy, &said);
	require(verdict < SDP_VERDICT_COUNT && (verdict == SDP_OK) == (said != NULL));
	if (said == NULL)
		return 0;
	require(said->usable > 0 && said->streams <= SDP_STREAMS_MAX);
	for (unsigned i = 0; i < said->streams; i++)
		check_stream(said, i);
	build(said, &policy);
	media_description_free(said);
	return 0;
}
