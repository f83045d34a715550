/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and judging a leg's description; sdp_build.c writes. */
#include "sdp_media.h"

#include "sdp_mend.h"
#include "sdp_text.h"

#include <openssl/crypto.h>
#include <sofia-sip/sdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum sdp_verdict
read_ip(unsigned type, const char *text, struct relay_ip *out)
{
	if (text == NULL || relay_ip_parse(text, strlen(text), out) != 0)
		return SDP_BAD_ADDRESS;
	if (type != (out->family == 4 ? sdp_addr_ip4 : sdp_addr_ip6))
		return SDP_BAD_ADDRESS;
	return relay_ip_is_routable_unicast(out) ? SDP_OK : SDP_FORBIDDEN_ADDRESS;
}

static enum sdp_verdict
read_address(const sdp_media_t *media, struct sdp_stream *out)
{
	const sdp_connection_t *connection = sdp_media_connections(media);

	if (media->m_port == 0)
		return SDP_REJECTED;
	if (media->m_port > UINT16_MAX || media->m_number_of_ports > 1)
		return SDP_BAD_PORT;
	if (connection == NULL)
		return SDP_NO_ADDRESS;
	if (connection->c_mcast)
		return SDP_FORBIDDEN_ADDRESS;
	if (connection->c_nettype != sdp_net_in || connection->c_next != NULL ||
		connection->c_groups > 1)
		return SDP_BAD_ADDRESS;
	if (connection->c_addrtype == sdp_addr_ip4 && connection->c_address != NULL &&
		strcmp(connection->c_address, "0.0.0.0") == 0) {
		out->held = true;
		return SDP_OK;
	}
	out->rtp.port = (uint16_t)media->m_port;
	return read_ip(connection->c_addrtype, connection->c_address, &out->rtp.ip);
}

/* RFC 3605 2.1: port [nettype addrtype address]; RFC 5761 5.1.1. */
static enum sdp_verdict
read_rtcp(const sdp_media_t *media, struct sdp_stream *out)
{
	const sdp_attribute_t *rtcp = sdp_attribute_find(media->m_attributes, "rtcp");
	char port[7] = "", network[3] = "", type[4] = "", address[64] = "", more[2] = "";
	int fields;

	out->rtcp_mux = sdp_attribute_find(media->m_attributes, "rtcp-mux") != NULL;
	if (out->held)
		return SDP_OK;
	out->rtcp = out->rtp;
	if (out->rtcp_mux)
		return SDP_OK;
	if (rtcp == NULL) {
		out->rtcp.port++; /* RFC 3550 11 */
		return out->rtcp.port != 0 ? SDP_OK : SDP_BAD_RTCP;
	}
	fields = sscanf(rtcp->a_value != NULL ? rtcp->a_value : "",
		"%6[0-9] %2[INin] %3[IP46ip] %63s %1s", port, network, type, address, more);
	if (fields != 1 && fields != 4)
		return SDP_BAD_RTCP;
	unsigned long number = strtoul(port, NULL, 10);
	if (number == 0 || number > UINT16_MAX)
		return SDP_BAD_RTCP;
	out->rtcp.port = (uint16_t)number;
	if (fields == 1) /* and nothing that sscanf() could not take */
		return rtcp->a_value[strspn(rtcp->a_value, "0123456789 \t")] == '\0' ? SDP_OK
		                                                                     : SDP_BAD_RTCP;
	if (strcasecmp(network, "IN") != 0)
		return SDP_BAD_RTCP;
	unsigned wanted = strcasecmp(type, "IP4") == 0   ? sdp_addr_ip4
	                  : strcasecmp(type, "IP6") == 0 ? sdp_addr_ip6
	                                                 : sdp_addr_x;
	return read_ip(wanted, address, &out->rtcp.ip) == SDP_OK ? SDP_OK : SDP_BAD_RTCP;
}

/* The lines that can be used. A tag that stands twice condemns the description, whatever the
 * policy. */
static enum sdp_verdict
read_crypto(const sdp_media_t *media, const struct sdp_policy *policy, struct sdp_stream *out)
{
	out->crypto.unencrypted_srtcp = policy->unencrypted_srtcp;
	for (const sdp_attribute_t *at = media->m_attributes; at != NULL; at = at->a_next) {
		const char *value = at->a_value != NULL ? at->a_value : "";
		if (strcasecmp(at->a_name, "crypto") == 0 &&
			sdes_add(&out->crypto, value, strlen(value)) == SDES_DUPLICATE_TAG)
			return SDP_DUPLICATE_TAG;
	}
	return SDP_OK;
}

/* RTP/SAVPF and RTP/AVPF are unknown to the parser, so the names decide. */
static enum sdp_profile
read_profile(const sdp_media_t *media)
{
	static const struct {
		const char *name;
		enum sdp_profile profile;
	} names[] = {
		{"RTP/AVP", SDP_PROFILE_AVP},
		{"RTP/AVPF", SDP_PROFILE_AVPF},
		{"RTP/SAVP", SDP_PROFILE_SAVP},
		{"RTP/SAVPF", SDP_PROFILE_SAVPF},
		{"udptl", SDP_PROFILE_UDPTL},
	};
	const char *name = media->m_proto_name != NULL ? media->m_proto_name : "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(name, names[i].name) == 0)
			return names[i].profile;
	return SDP_PROFILE_NONE;
}

/* Which transport a leg of that policy makes of the profile and the lines. */
static enum sdp_verdict
protect(const struct sdp_policy *policy, struct sdp_stream *out)
{
	bool secure = out->profile == SDP_PROFILE_SAVP || out->profile == SDP_PROFILE_SAVPF;
	bool suits = sdes_choose(&out->crypto, policy->suites, policy->suites_count) != NULL;

	if (out->profile == SDP_PROFILE_NONE)
		return SDP_PROTOCOL;
	if (secure && policy->srtp == CONFIG_SRTP_OFF)
		return SDP_NOT_CLEAR;
	if (!secure && policy->srtp == CONFIG_SRTP_REQUIRED)
		return SDP_NOT_SRTP;
	if (secure && out->crypto.seen == 0)
		return SDP_NO_CRYPTO;
	if (secure && out->crypto.count == 0)
		return SDP_UNUSABLE_CRYPTO;
	if (secure && !suits)
		return SDP_NO_SUITE;
	out->transport = RELAY_TRANSPORT_RTP;
	if (out->profile == SDP_PROFILE_UDPTL)
		out->transport = RELAY_TRANSPORT_UDPTL;
	else if (secure || (suits && policy->srtp == CONFIG_SRTP_PREFERRED))
		out->transport = RELAY_TRANSPORT_SRTP;
	return SDP_OK;
}

/* At least one format; of RTP none that is no 7-bit number. */
static enum sdp_verdict
check_formats(const sdp_media_t *media, enum sdp_profile profile)
{
	if (media->m_rtpmaps == NULL && media->m_format == NULL)
		return SDP_NO_FORMAT;
	if (profile == SDP_PROFILE_UDPTL)
		return SDP_OK;
	for (const sdp_list_t *format = media->m_format; format != NULL; format = format->l_next) {
		size_t length = strlen(format->l_text);
		if (length == 0 || length > 3 || strspn(format->l_text, "0123456789") != length ||
			strtoul(format->l_text, NULL, 10) > 127)
			return SDP_NO_FORMAT;
	}
	return SDP_OK;
}

/* The parser knows a direction for RTP/AVP and RTP/SAVP alone, so the attributes are asked, too. */
static enum sdp_direction
read_direction(const sdp_media_t *media, bool held)
{
	unsigned direction =
		(unsigned)sdp_attribute_mode(media->m_attributes, (sdp_mode_t)media->m_mode);

	return (enum sdp_direction)(direction & (held ? SDP_SENDONLY : SDP_SENDRECV));
}

enum sdp_direction
sdp_direction_for_answer(enum sdp_direction offered)
{
	static const enum sdp_direction reverse[] = {
		SDP_INACTIVE, SDP_RECVONLY, SDP_SENDONLY, SDP_SENDRECV};

	return reverse[offered & 3];
}

/* By its rtpmap; the parser holds those of RTP/AVP and RTP/SAVP, the others are attributes. */
static uint32_t
read_clock_rate(const sdp_media_t *media)
{
	unsigned type;
	unsigned long rate;

	if (media->m_rtpmaps != NULL)
		return (uint32_t)media->m_rtpmaps->rm_rate;
	for (const sdp_attribute_t *at = media->m_attributes; at != NULL; at = at->a_next)
		if (strcasecmp(at->a_name, "rtpmap") == 0 && at->a_value != NULL &&
			sscanf(at->a_value, "%3u %*[^/]/%9lu", &type, &rate) == 2 &&
			type == strtoul(media->m_format->l_text, NULL, 10))
			return (uint32_t)rate;
	return 0;
}

static enum sdp_verdict
judge(const sdp_media_t *media, const struct sdp_policy *policy, struct sdp_stream *out)
{
	enum sdp_verdict verdict = SDP_OK, allowed;

	out->kind = media->m_type_name;
	out->profile = read_profile(media);
	if (out->profile == SDP_PROFILE_NONE)
		return media->m_port == 0 ? SDP_REJECTED : SDP_PROTOCOL;
	verdict = read_address(media, out);
	if (verdict == SDP_OK)
		verdict = read_crypto(media, policy, out);
	allowed = protect(policy, out);
	if (verdict == SDP_OK && out->profile != SDP_PROFILE_UDPTL)
		verdict = read_rtcp(media, out);
	if (verdict == SDP_OK)
		verdict = check_formats(media, out->profile);
	out->direction = read_direction(media, out->held);
	if (verdict == SDP_OK && out->profile != SDP_PROFILE_UDPTL)
		out->clock_rate = read_clock_rate(media);
	return verdict == SDP_OK ? allowed : verdict;
}

/* The parser's copy of the keys is of no use once struct sdes_lines has them. */
static void
wipe_crypto_text(sdp_attribute_t *attributes)
{
	for (sdp_attribute_t *at = attributes; at != NULL; at = at->a_next)
		if (strcasecmp(at->a_name, "crypto") == 0 && at->a_value != NULL)
			OPENSSL_cleanse((char *)(uintptr_t)at->a_value, strlen(at->a_value));
}

static void
wipe_session(sdp_session_t *session)
{
	wipe_crypto_text(session->sdp_attributes);
	for (sdp_media_t *media = session->sdp_media; media != NULL; media = media->m_next)
		wipe_crypto_text(media->m_attributes);
}

static enum sdp_verdict
parse(const char *body, size_t length, struct sdp_parser_s **parser, unsigned *streams)
{
	if (length > SDP_BODY_MAX)
		return SDP_TOO_LARGE;
	if (!sdp_is_clean(body, length))
		return SDP_BAD_CHARACTER;
	if (length == 0 || !sdp_has_lines(body, length))
		return SDP_SYNTAX;
	*parser = sdp_parse(NULL, body, (issize_t)length, sdp_f_c_missing);
	if (*parser == NULL)
		return SDP_NO_MEMORY;
	const sdp_session_t *session = sdp_session(*parser);
	if (session == NULL)
		return SDP_SYNTAX;
	if (sdp_mend_bandwidths(*parser, body, length) != 0)
		return SDP_NO_MEMORY;
	for (const sdp_media_t *media = session->sdp_media; media != NULL; media = media->m_next)
		(*streams)++;
	if (*streams == 0)
		return SDP_NO_STREAMS;
	return *streams <= SDP_STREAMS_MAX ? SDP_OK : SDP_TOO_MANY_STREAMS;
}

/* Judges every stream: the first that condemns the description does; else, where none can be
 * relayed, what is wrong with the first that is not merely switched off. */
static enum sdp_verdict
judge_all(struct media_description *description, const struct sdp_policy *policy)
{
	const sdp_media_t *media = sdp_session(description->parser)->sdp_media;
	enum sdp_verdict all = SDP_REJECTED;

	for (unsigned i = 0; i < description->streams; i++, media = media->m_next) {
		struct sdp_stream *stream = &description->stream[i];
		stream->verdict = judge(media, policy, stream);
		if (stream->verdict == SDP_OK)
			description->usable++;
		else if (stream->verdict < SDP_REJECTED)
			return stream->verdict;
		else if (all == SDP_REJECTED)
			all = stream->verdict;
	}
	return description->usable > 0 ? SDP_OK : all;
}

enum sdp_verdict
media_description_read(const char *body, size_t length, const struct sdp_policy *policy,
	struct media_description **out)
{
	struct sdp_parser_s *parser = NULL;
	struct media_description *description = NULL;
	unsigned streams = 0;
	enum sdp_verdict verdict = parse(body, length, &parser, &streams);

	*out = NULL;
	if (verdict == SDP_OK) {
		description =
			calloc(1, sizeof(*description) + streams * sizeof(description->stream[0]));
		if (description == NULL)
			verdict = SDP_NO_MEMORY;
	}
	if (description != NULL) {
		description->parser = parser;
		description->streams = streams;
		verdict = judge_all(description, policy);
	}
	if (parser != NULL && sdp_session(parser) != NULL)
		wipe_session(sdp_session(parser));
	if (verdict == SDP_OK)
		*out = description;
	else if (description != NULL)
		media_description_free(description);
	else if (parser != NULL)
		sdp_parser_free(parser);
	return verdict;
}

void
media_description_free(struct media_description *description)
{
	if (description == NULL)
		return;
	sdp_parser_free(description->parser);
	OPENSSL_cleanse(description,
		sizeof(*description) + description->streams * sizeof(description->stream[0]));
	free(description);
}
