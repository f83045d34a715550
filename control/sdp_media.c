/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and judging a leg's description; sdp_build.c writes. */
#include "sdp_media.h"

#include <openssl/crypto.h>
#include <sofia-sip/sdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	int status;
	const char *text;
} verdicts[SDP_VERDICT_COUNT] = {
	[SDP_OK] = {200, "OK"},
	[SDP_TOO_LARGE] = {413, "SDP too large"},
	[SDP_BAD_CHARACTER] = {400, "Control character in SDP"},
	[SDP_SYNTAX] = {400, "SDP can't be read"},
	[SDP_TOO_MANY_STREAMS] = {488, "Too many media streams"},
	[SDP_NO_AUDIO] = {488, "No audio stream"},
	[SDP_NOT_SRTP] = {488, "SRTP required: RTP/SAVP with a=crypto"},
	[SDP_PROTOCOL] = {488, "Media protocol not supported: RTP/SAVP with a=crypto needed"},
	[SDP_REJECTED] = {488, "Audio stream refused: port 0"},
	[SDP_BAD_PORT] = {488, "Media port out of range"},
	[SDP_NO_ADDRESS] = {400, "No connection address in SDP"},
	[SDP_BAD_ADDRESS] = {488, "Connection address is not one numeric IP address"},
	[SDP_FORBIDDEN_ADDRESS] = {488, "Connection address that media may not be sent to"},
	[SDP_BAD_RTCP] = {488, "RTCP port or address not usable"},
	[SDP_NO_CRYPTO] = {488, "SRTP required: no a=crypto"},
	[SDP_UNUSABLE_CRYPTO] = {488, "No usable a=crypto"},
	[SDP_DUPLICATE_TAG] = {400, "Two a=crypto with one tag"},
	[SDP_NO_FORMAT] = {400, "No payload type"},
	[SDP_OTHER_STREAMS] = {488, "Answer's media streams are not the offer's"},
	[SDP_NO_MEMORY] = {500, "Out of memory"},
};

const char *
sdp_verdict_text(enum sdp_verdict verdict)
{
	return (unsigned)verdict < SDP_VERDICT_COUNT ? verdicts[verdict].text : "none";
}

int
sdp_verdict_status(enum sdp_verdict verdict)
{
	return (unsigned)verdict < SDP_VERDICT_COUNT ? verdicts[verdict].status : 500;
}

/* RFC 8866 9: lines end in CRLF, or LF from the careless; no other control character but the tab.
 * */
bool
sdp_is_clean(const char *body, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)body[i];
		if (c == '\r' ? i + 1 == length || body[i + 1] != '\n'
			      : (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* RFC 8866 9: token-char */
static const char token_chars[] = "!#$%&'*+-.^_`{|}~0123456789"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* How many of the characters stand at text[at], up to the end of the line. */
static size_t
span(const char *text, size_t at, size_t end, const char *characters)
{
	size_t count = 0;

	while (at + count < end && strchr(characters, text[at + count]) != NULL)
		count++;
	return count;
}

/* RFC 8866 5.14: media SP port ["/" integer] SP proto *(SP fmt). Sofia-SIP 1.12.11 loops without
 * end and eats all memory on a format that starts with another character than a token's, so nothing
 * else may reach it. */
static bool
is_media_line(const char *text, size_t at, size_t end)
{
	static const char digits[] = "0123456789";
	char proto_chars[sizeof(token_chars) + 1];
	size_t count;

	snprintf(proto_chars, sizeof(proto_chars), "%s/", token_chars);
	for (unsigned field = 0; field < 3 || at < end; field++) {
		count = span(text, at, end,
			field == 1   ? digits
			: field == 2 ? proto_chars
				     : token_chars);
		if (count == 0)
			return false;
		at += count;
		if (field == 1 && at < end && text[at] == '/') {
			count = span(text, ++at, end, digits);
			if (count == 0)
				return false;
			at += count;
		}
		count = span(text, at, end, " \t");
		if (at < end && count == 0)
			return false;
		at += count;
	}
	return true;
}

/* Every line is empty or a lower-case letter, "=" and a value. */
static bool
has_lines(const char *body, size_t length)
{
	for (size_t at = 0; at < length;) {
		const char *newline = memchr(body + at, '\n', length - at);
		size_t end = newline != NULL ? (size_t)(newline - body) : length;
		size_t next = end + 1;
		if (end > at && body[end - 1] == '\r')
			end--;
		if (end > at &&
			(end - at < 2 || body[at] < 'a' || body[at] > 'z' || body[at + 1] != '='))
			return false;
		if (end > at && body[at] == 'm' && !is_media_line(body, at + 2, end))
			return false;
		at = next;
	}
	return true;
}

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
read_address(const sdp_media_t *media, struct media_description *out)
{
	const sdp_connection_t *connection = sdp_media_connections(media);

	if (media->m_port == 0)
		return SDP_REJECTED;
	if (media->m_port > UINT16_MAX || media->m_number_of_ports > 1)
		return SDP_BAD_PORT;
	out->rtp.port = (uint16_t)media->m_port;
	if (connection == NULL)
		return SDP_NO_ADDRESS;
	if (connection->c_mcast)
		return SDP_FORBIDDEN_ADDRESS;
	if (connection->c_nettype != sdp_net_in || connection->c_next != NULL ||
		connection->c_groups > 1)
		return SDP_BAD_ADDRESS;
	return read_ip(connection->c_addrtype, connection->c_address, &out->rtp.ip);
}

/* RFC 3605 2.1: port [nettype addrtype address]; RFC 5761 5.1.1. */
static enum sdp_verdict
read_rtcp(const sdp_media_t *media, struct media_description *out)
{
	const sdp_attribute_t *rtcp = sdp_attribute_find(media->m_attributes, "rtcp");
	char port[7] = "", network[3] = "", type[4] = "", address[64] = "", more[2] = "";
	int fields;

	out->rtcp = out->rtp;
	out->rtcp_mux = sdp_attribute_find(media->m_attributes, "rtcp-mux") != NULL;
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

static enum sdp_verdict
read_crypto(const sdp_media_t *media, struct media_description *out)
{
	sdes_wipe_lines(&out->crypto);
	for (const sdp_attribute_t *at = media->m_attributes; at != NULL; at = at->a_next) {
		const char *value = at->a_value != NULL ? at->a_value : "";
		if (strcasecmp(at->a_name, "crypto") == 0 &&
			sdes_add(&out->crypto, value, strlen(value)) == SDES_DUPLICATE_TAG)
			return SDP_DUPLICATE_TAG;
	}
	if (out->crypto.seen == 0)
		return SDP_NO_CRYPTO;
	return out->crypto.count > 0 ? SDP_OK : SDP_UNUSABLE_CRYPTO;
}

/* RFC 3551, RFC 3711, RFC 5124; RTP/SAVPF is unknown to the parser, so the names decide. */
static enum sdp_verdict
read_protocol(const sdp_media_t *media, struct media_description *out)
{
	const char *name = media->m_proto_name != NULL ? media->m_proto_name : "";

	out->feedback = strcasecmp(name, "RTP/SAVPF") == 0;
	if (out->feedback || strcasecmp(name, "RTP/SAVP") == 0)
		return SDP_OK;
	if (strcasecmp(name, "RTP/AVP") == 0 || strcasecmp(name, "RTP/AVPF") == 0)
		return SDP_NOT_SRTP;
	return SDP_PROTOCOL;
}

/* At least one payload type, and none that is no 7-bit number. */
static enum sdp_verdict
check_formats(const sdp_media_t *media)
{
	if (media->m_rtpmaps == NULL && media->m_format == NULL)
		return SDP_NO_FORMAT;
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
read_direction(const sdp_media_t *media)
{
	return (enum sdp_direction)sdp_attribute_mode(
		media->m_attributes, (sdp_mode_t)media->m_mode);
}

static enum sdp_verdict
judge(const sdp_media_t *media, struct media_description *out)
{
	enum sdp_verdict verdict = read_protocol(media, out);

	if (verdict == SDP_OK)
		verdict = read_address(media, out);
	if (verdict == SDP_OK)
		verdict = read_rtcp(media, out);
	if (verdict == SDP_OK)
		verdict = check_formats(media);
	if (verdict == SDP_OK)
		verdict = read_crypto(media, out);
	out->direction = read_direction(media);
	return verdict;
}

/* The first audio that can be relayed, else what is wrong with the first; with `only`, that one. */
static enum sdp_verdict
choose(const sdp_session_t *session, const unsigned *only, struct media_description *out)
{
	enum sdp_verdict verdict = SDP_NO_AUDIO;
	unsigned index = 0;

	for (const sdp_media_t *media = session->sdp_media; media != NULL;
		media = media->m_next, index++) {
		if (media->m_type != sdp_media_audio || (only != NULL && index != *only))
			continue;
		enum sdp_verdict one = judge(media, out);
		out->index = index;
		if (one == SDP_OK)
			return SDP_OK;
		if (verdict == SDP_NO_AUDIO)
			verdict = one;
	}
	return verdict;
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
parse(const char *body, size_t length, struct media_description *out)
{
	if (length > SDP_BODY_MAX)
		return SDP_TOO_LARGE;
	if (!sdp_is_clean(body, length))
		return SDP_BAD_CHARACTER;
	if (length == 0 || !has_lines(body, length))
		return SDP_SYNTAX;
	out->parser = sdp_parse(NULL, body, (issize_t)length, sdp_f_c_missing);
	if (out->parser == NULL)
		return SDP_NO_MEMORY;
	const sdp_session_t *session = sdp_session(out->parser);
	if (session == NULL)
		return SDP_SYNTAX;
	for (const sdp_media_t *media = session->sdp_media; media != NULL; media = media->m_next)
		out->streams++;
	return out->streams <= SDP_STREAMS_MAX ? SDP_OK : SDP_TOO_MANY_STREAMS;
}

static enum sdp_verdict
read_description(const char *body, size_t length, const unsigned *streams, const unsigned *index,
	struct media_description **out)
{
	struct media_description *description = calloc(1, sizeof(*description));
	enum sdp_verdict verdict;

	*out = NULL;
	if (description == NULL)
		return SDP_NO_MEMORY;
	verdict = parse(body, length, description);
	if (verdict == SDP_OK && streams != NULL && description->streams != *streams)
		verdict = SDP_OTHER_STREAMS;
	if (verdict == SDP_OK)
		verdict = choose(sdp_session(description->parser), index, description);
	if (verdict == SDP_NO_AUDIO && index != NULL)
		verdict = SDP_OTHER_STREAMS;
	if (description->parser != NULL && sdp_session(description->parser) != NULL)
		wipe_session(sdp_session(description->parser));
	if (verdict == SDP_OK)
		*out = description;
	else
		media_description_free(description);
	return verdict;
}

enum sdp_verdict
media_description_read(const char *body, size_t length, struct media_description **out)
{
	return read_description(body, length, NULL, NULL, out);
}

enum sdp_verdict
media_description_read_answer(const char *body, size_t length, unsigned streams, unsigned index,
	struct media_description **out)
{
	return read_description(body, length, &streams, &index, out);
}

void
media_description_free(struct media_description *description)
{
	if (description == NULL)
		return;
	if (description->parser != NULL)
		sdp_parser_free(description->parser);
	sdes_wipe_lines(&description->crypto);
	free(description);
}
