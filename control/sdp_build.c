/* SPDX-License-Identifier: BSD-3-Clause */
/* Building the description for one leg from what the other leg said. Everything is made anew; what
 * is taken over is named here: payload types, codec attributes, bandwidth. */
#include "sdp_media.h"

#include "sdp_text.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sofia-sip/sdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Attributes of codecs and of what is shown, which say nothing of addresses, names or keys: RFC
 * 8866 6, RFC 4585 4.2, RFC 5506, RFC 6236, RFC 8285, RFC 4574, RFC 4796. */
static const char *const passed_on[] = {"rtpmap", "fmtp", "ptime", "maxptime", "rtcp-fb", "extmap",
	"extmap-allow-mixed", "rtcp-rsize", "framerate", "imageattr", "label", "content", "lang",
	"quality", "orient"};

/* Our keys' text, wiped at the end. */
struct secret {
	struct secret *next;
	char text[SDES_TEXT_MAX];
};

/* A description in the making. The printer reads it; text of keys is wiped at the end. */
struct draft {
	su_home_t *home;
	sdp_session_t *session;
	sdp_media_t **next_media;
	bool failed; /* out of memory */
	struct secret *secrets;
};

static void
add_attribute(struct draft *draft, sdp_attribute_t **list, const char *name, const char *value)
{
	sdp_attribute_t *attribute = su_salloc(draft->home, sizeof(*attribute));

	if (attribute == NULL) {
		draft->failed = true;
		return;
	}
	attribute->a_name = name;
	attribute->a_value = value;
	sdp_attribute_append(list, attribute);
}

static const char *
format_text(struct draft *draft, const char *format, ...) __attribute__((format(printf, 2, 3)));

static const char *
format_text(struct draft *draft, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = su_vsprintf(draft->home, format, args);
	va_end(args);
	if (text == NULL)
		draft->failed = true;
	return text;
}

static sdp_connection_t *
make_connection(struct draft *draft, const struct relay_ip *ip)
{
	sdp_connection_t *connection = su_salloc(draft->home, sizeof(*connection));
	char text[RELAY_ADDR_TEXT];

	if (connection == NULL) {
		draft->failed = true;
		return NULL;
	}
	connection->c_nettype = sdp_net_in;
	connection->c_addrtype = ip->family == 4 ? sdp_addr_ip4 : sdp_addr_ip6;
	connection->c_address = format_text(draft, "%s", relay_ip_format(ip, text));
	connection->c_groups = 1;
	return connection;
}

static bool
is_whole(const struct sdp_local_stream *local)
{
	bool secure = local->profile == SDP_PROFILE_SAVP || local->profile == SDP_PROFILE_SAVPF;

	return local->profile != SDP_PROFILE_NONE &&
	       (local->rtp.ip.family == 4 || local->rtp.ip.family == 6) && local->rtp.port != 0 &&
	       local->crypto_count <= RELAY_SUITE_COUNT && (!secure || local->crypto_count > 0);
}

/* RFC 8866 5: v=, o=, s=-, c=, t=0 0 (5.9: permanent). */
static void
start_session(struct draft *draft, const struct sdp_local *local, const struct relay_ip *ip,
	const sdp_session_t *from)
{
	sdp_origin_t *origin = su_salloc(draft->home, sizeof(*origin));
	sdp_time_t *time = su_salloc(draft->home, sizeof(*time));

	draft->session = su_salloc(draft->home, sizeof(*draft->session));
	if (origin == NULL || time == NULL || draft->session == NULL) {
		draft->failed = true;
		return;
	}
	origin->o_username = "-";
	origin->o_id = local->session_id;
	origin->o_version = local->session_version;
	origin->o_address = make_connection(draft, ip);
	draft->session->sdp_origin = origin;
	draft->session->sdp_subject = "-";
	draft->session->sdp_connection = make_connection(draft, ip);
	draft->session->sdp_bandwidths = from->sdp_bandwidths;
	draft->session->sdp_time = time;
	draft->next_media = &draft->session->sdp_media;
}

/* The payload types of an m= line as text, in order. */
static sdp_list_t *
copy_formats(struct draft *draft, const sdp_media_t *from)
{
	sdp_list_t *list = NULL, **next = &list;
	const sdp_list_t *format = from->m_format;
	const sdp_rtpmap_t *map = format == NULL ? from->m_rtpmaps : NULL;

	while (format != NULL || map != NULL) {
		*next = su_salloc(draft->home, sizeof(**next));
		if (*next == NULL) {
			draft->failed = true;
			return list;
		}
		(*next)->l_text = format != NULL ? format->l_text
		                                 : format_text(draft, "%u", (unsigned)map->rm_pt);
		next = &(*next)->l_next;
		format = format != NULL ? format->l_next : NULL;
		map = map != NULL ? map->rm_next : NULL;
	}
	return list;
}

/* An m= line at the place of `place`, with the payload types of `formats`; `profile` NULL: its own.
 * The parser's own printer for RTP loses rtpmap parameters ("opus/48000/2"), so our lines have a
 * protocol it does not know, and their codecs are plain attributes. */
static sdp_media_t *
add_media(struct draft *draft, const sdp_media_t *place, const sdp_media_t *formats,
	const char *profile)
{
	sdp_media_t *media = su_salloc(draft->home, sizeof(*media));

	if (media == NULL) {
		draft->failed = true;
		return NULL;
	}
	media->m_session = draft->session;
	media->m_type = place->m_type;
	media->m_type_name = place->m_type_name;
	media->m_proto = sdp_proto_x;
	media->m_proto_name = profile != NULL ? profile : place->m_proto_name;
	media->m_format = copy_formats(draft, formats);
	*draft->next_media = media;
	draft->next_media = &media->m_next;
	return media;
}

/* rtpmap and fmtp as the parser holds them (RTP/SAVP). A static payload type had no rtpmap line. */
static void
add_codecs(struct draft *draft, sdp_media_t *media, const sdp_media_t *from)
{
	for (const sdp_rtpmap_t *map = from->m_rtpmaps; map != NULL; map = map->rm_next) {
		if (!map->rm_predef && map->rm_encoding != NULL && map->rm_encoding[0] != '\0')
			add_attribute(draft, &media->m_attributes, "rtpmap",
				format_text(draft, "%u %s/%lu%s%s", (unsigned)map->rm_pt,
					map->rm_encoding, map->rm_rate,
					map->rm_params != NULL ? "/" : "",
					map->rm_params != NULL ? map->rm_params : ""));
		if (map->rm_fmtp != NULL)
			add_attribute(draft, &media->m_attributes, "fmtp",
				format_text(draft, "%u %s", (unsigned)map->rm_pt, map->rm_fmtp));
	}
	for (const sdp_attribute_t *at = from->m_attributes; at != NULL; at = at->a_next)
		for (size_t i = 0; i < sizeof(passed_on) / sizeof(passed_on[0]); i++)
			if (strcasecmp(at->a_name, passed_on[i]) == 0 && at->a_value != NULL)
				add_attribute(
					draft, &media->m_attributes, passed_on[i], at->a_value);
}

/* T.38 (RFC 3362, ITU-T T.38 D.2.3) */
static void
add_fax(struct draft *draft, sdp_media_t *media, const sdp_media_t *from)
{
	for (const sdp_attribute_t *at = from->m_attributes; at != NULL; at = at->a_next)
		if (strncasecmp(at->a_name, "T38", 3) == 0)
			add_attribute(draft, &media->m_attributes, at->a_name, at->a_value);
}

static int
add_crypto(struct draft *draft, sdp_media_t *media, const struct sdes_line *line)
{
	struct secret *secret = OPENSSL_zalloc(sizeof(*secret));

	if (secret == NULL)
		return -ENOMEM;
	secret->next = draft->secrets;
	draft->secrets = secret;
	int length = sdes_format(line, secret->text, sizeof(secret->text));
	if (length < 0)
		return length;
	add_attribute(draft, &media->m_attributes, "crypto", secret->text);
	return 0;
}

/* A line that is relayed: the relay's address and keys, the far leg's codecs. */
static int
add_relayed(struct draft *draft, const sdp_media_t *place, const sdp_media_t *from,
	const struct relay_ip *session_ip, const struct sdp_local_stream *local)
{
	static const char *const directions[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
	static const char *const profiles[] = {
		NULL, "RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "udptl"};
	sdp_media_t *media = add_media(draft, place, from, profiles[local->profile]);

	if (media == NULL)
		return -ENOMEM;
	media->m_port = local->rtp.port;
	media->m_bandwidths = from->m_bandwidths;
	if (!relay_ip_equal(&local->rtp.ip, session_ip))
		media->m_connections = make_connection(draft, &local->rtp.ip);
	if (local->profile == SDP_PROFILE_UDPTL) {
		add_fax(draft, media, from);
		return 0;
	}
	add_codecs(draft, media, from);
	for (unsigned i = 0; i < local->crypto_count; i++) {
		int result = add_crypto(draft, media, &local->crypto[i]);
		if (result != 0)
			return result;
	}
	if (local->rtcp_mux)
		add_attribute(draft, &media->m_attributes, "rtcp-mux", NULL);
	add_attribute(draft, &media->m_attributes, directions[local->direction & 3], NULL);
	return 0;
}

static int
print(struct draft *draft, char **body, size_t *length)
{
	char *text = OPENSSL_zalloc(SDP_BODY_MAX + 1);
	sdp_printer_t *printer;
	int result = -ENOMEM;

	if (text == NULL)
		return -ENOMEM;
	printer = sdp_print(draft->home, draft->session, text, SDP_BODY_MAX, sdp_f_mode_manual);
	if (printer != NULL && sdp_message(printer) != NULL) {
		*length = (size_t)sdp_message_size(printer);
		/* what was read had no control character: a last look before it goes out */
		result = sdp_is_clean(text, *length) ? 0 : -EINVAL;
	} else if (printer != NULL) {
		result = -EMSGSIZE;
	}
	if (printer != NULL)
		sdp_printer_free(printer);
	if (result == 0)
		*body = text;
	else
		OPENSSL_clear_free(text, SDP_BODY_MAX + 1);
	return result;
}

static const struct relay_ip *
first_address(const struct sdp_local *local, unsigned streams)
{
	for (unsigned i = 0; i < streams; i++)
		if (is_whole(&local->stream[i]))
			return &local->stream[i].rtp.ip;
	return NULL;
}

static int
draw(struct draft *draft, const struct media_description *places,
	const struct media_description *from, const struct sdp_local *local)
{
	const struct relay_ip *ip = first_address(local, places->streams);
	const sdp_session_t *codecs = sdp_session(from->parser);
	const sdp_media_t *codec = codecs->sdp_media;
	int result = 0;

	if (ip == NULL)
		return -EINVAL;
	start_session(draft, local, ip, codecs);
	const sdp_media_t *place = sdp_session(places->parser)->sdp_media;
	for (unsigned i = 0; i < places->streams && !draft->failed && result == 0; i++) {
		const struct sdp_local_stream *stream = &local->stream[i];
		if (stream->profile == SDP_PROFILE_NONE || codec == NULL)
			add_media(draft, place, place, NULL); /* port 0: RFC 3264 6 */
		else if (is_whole(stream))
			result = add_relayed(draft, place, codec, ip, stream);
		else
			result = -EINVAL;
		place = place->m_next;
		codec = codec != NULL ? codec->m_next : NULL;
	}
	return draft->failed ? -ENOMEM : result;
}

int
sdp_build(const struct media_description *places, const struct media_description *from,
	const struct sdp_local *local, char **body, size_t *length)
{
	struct draft draft = {.home = su_home_new(sizeof(*draft.home))};

	*body = NULL;
	*length = 0;
	if (draft.home == NULL)
		return -ENOMEM;
	int result = draw(&draft, places, from, local);
	if (result == 0)
		result = print(&draft, body, length);
	su_home_unref(draft.home);
	while (draft.secrets != NULL) {
		struct secret *next = draft.secrets->next;
		OPENSSL_clear_free(draft.secrets, sizeof(*draft.secrets));
		draft.secrets = next;
	}
	return result;
}

void
sdp_body_free(char *body)
{
	if (body != NULL)
		OPENSSL_clear_free(body, strlen(body));
}

/* The next name of a list, as far as there is room. */
static void
append(char *text, size_t size, const char *name, unsigned long rate)
{
	size_t length = strlen(text);
	char number[24] = "";

	if (rate != 0)
		snprintf(number, sizeof(number), "/%lu", rate);
	snprintf(text + length, size - length, "%s%s%s", length > 0 ? ", " : "", name, number);
}

const char *
media_description_codecs(
	const struct media_description *description, unsigned stream, char *text, size_t size)
{
	const sdp_media_t *media = sdp_session(description->parser)->sdp_media;

	text[0] = '\0';
	while (stream-- > 0)
		media = media->m_next;
	for (const sdp_rtpmap_t *map = media->m_rtpmaps; map != NULL; map = map->rm_next)
		if (map->rm_encoding != NULL && map->rm_encoding[0] != '\0')
			append(text, size, map->rm_encoding, map->rm_rate);
	if (media->m_rtpmaps != NULL)
		return text;
	for (const sdp_attribute_t *at = media->m_attributes; at != NULL; at = at->a_next) {
		const char *name = at->a_value != NULL ? strchr(at->a_value, ' ') : NULL;
		if (strcasecmp(at->a_name, "rtpmap") == 0 && name != NULL)
			append(text, size, name + 1, 0);
	}
	for (const sdp_list_t *format = media->m_format; text[0] == '\0' && format != NULL;
		format = format->l_next)
		append(text, size, format->l_text, 0);
	return text;
}
