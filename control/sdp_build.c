/* SPDX-License-Identifier: BSD-3-Clause */
/* Building the description for one leg from what the other leg said. Everything is made anew; what
 * is taken over is named here: payload types, codec attributes, direction. */
#include "sdp_media.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sofia-sip/sdp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CRYPTO_MAX 8 /* our own lines in one description */

/* Codec attributes (RFC 8866 6, RFC 4585 4.2): they say nothing of addresses or keys. */
static const char *const passed_on[] = {"rtpmap", "fmtp", "ptime", "maxptime", "rtcp-fb"};

/* A description in the making. The printer reads it; text of keys is wiped at the end. */
struct draft {
	su_home_t *home;
	sdp_session_t *session;
	sdp_media_t **next_media;
	bool failed; /* out of memory */
	char crypto[CRYPTO_MAX][SDES_TEXT_MAX];
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

/* RFC 8866 5: v=, o=, s=-, c=, t=0 0 (5.9: permanent). */
static void
start_session(struct draft *draft, const struct sdp_local *local)
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
	origin->o_address = make_connection(draft, &local->rtp.ip);
	draft->session->sdp_origin = origin;
	draft->session->sdp_subject = "-";
	draft->session->sdp_connection = make_connection(draft, &local->rtp.ip);
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

/* An m= line at the place of `place`, with the payload types of `formats`. The parser's own printer
 * for RTP loses rtpmap parameters ("opus/48000/2"), so our lines have a protocol it does not know,
 * and their codecs are plain attributes. */
static sdp_media_t *
add_media(struct draft *draft, const sdp_media_t *place, const sdp_media_t *formats)
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
	media->m_proto_name = place->m_proto_name;
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

static void
add_rtcp(struct draft *draft, sdp_media_t *media, const struct sdp_local *local)
{
	char text[RELAY_ADDR_TEXT];

	if (local->rtcp_mux) {
		add_attribute(draft, &media->m_attributes, "rtcp-mux", NULL);
		return;
	}
	if (local->rtcp.port == 0 ||
		(local->rtcp.port == local->rtp.port + 1 &&
			(local->rtcp.ip.family == 0 ||
				relay_ip_equal(&local->rtcp.ip, &local->rtp.ip))))
		return;
	if (local->rtcp.ip.family == 0)
		add_attribute(draft, &media->m_attributes, "rtcp",
			format_text(draft, "%u", local->rtcp.port));
	else
		add_attribute(draft, &media->m_attributes, "rtcp",
			format_text(draft, "%u IN IP%u %s", local->rtcp.port, local->rtcp.ip.family,
				relay_ip_format(&local->rtcp.ip, text)));
}

/* The audio line: the relay's address and keys, the far leg's codecs and direction. */
static int
add_audio(struct draft *draft, const sdp_media_t *place, const sdp_media_t *from,
	enum sdp_direction direction, const struct sdp_local *local)
{
	static const char *const directions[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
	sdp_media_t *media = add_media(draft, place, from);

	if (media == NULL)
		return -ENOMEM;
	media->m_port = local->rtp.port;
	add_codecs(draft, media, from);
	for (unsigned i = 0; i < local->crypto_count; i++) {
		int length =
			sdes_format(&local->crypto[i], draft->crypto[i], sizeof(draft->crypto[i]));
		if (length < 0)
			return length;
		add_attribute(draft, &media->m_attributes, "crypto", draft->crypto[i]);
	}
	add_rtcp(draft, media, local);
	add_attribute(draft, &media->m_attributes, directions[direction & 3], NULL);
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

static bool
is_whole(const struct sdp_local *local)
{
	return (local->rtp.ip.family == 4 || local->rtp.ip.family == 6) && local->rtp.port != 0 &&
	       local->crypto != NULL && local->crypto_count > 0 &&
	       local->crypto_count <= CRYPTO_MAX;
}

static const sdp_media_t *
audio_of(const struct media_description *description)
{
	const sdp_media_t *media = sdp_session(description->parser)->sdp_media;

	for (unsigned i = 0; i < description->index; i++)
		media = media->m_next;
	return media;
}

/* `places`: whose m= lines these are. `from`: whose codecs and direction. */
static int
build(const struct media_description *places, const struct media_description *from,
	const struct sdp_local *local, char **body, size_t *length)
{
	struct draft draft = {.home = NULL};
	unsigned index = 0;
	int result = 0;

	*body = NULL;
	*length = 0;
	if (!is_whole(local))
		return -EINVAL;
	draft.home = su_home_new(sizeof(*draft.home));
	if (draft.home == NULL)
		return -ENOMEM;
	start_session(&draft, local);
	for (const sdp_media_t *place = sdp_session(places->parser)->sdp_media;
		place != NULL && !draft.failed && result == 0; place = place->m_next, index++) {
		if (index == places->index)
			result = add_audio(&draft, place, audio_of(from), from->direction, local);
		else
			add_media(&draft, place, place); /* port 0: RFC 3264 6 */
	}
	if (draft.failed)
		result = -ENOMEM;
	if (result == 0)
		result = print(&draft, body, length);
	su_home_unref(draft.home);
	OPENSSL_cleanse(&draft, sizeof(draft));
	return result;
}

int
sdp_build_offer(const struct media_description *offer, const struct sdp_local *local, char **body,
	size_t *length)
{
	return build(offer, offer, local, body, length);
}

int
sdp_build_answer(const struct media_description *offer, const struct media_description *answer,
	const struct sdp_local *local, char **body, size_t *length)
{
	if (local->crypto_count != 1) {
		*body = NULL;
		*length = 0;
		return -EINVAL; /* RFC 4568 5.1.2: one line was accepted */
	}
	return build(offer, answer, local, body, length);
}

void
sdp_body_free(char *body)
{
	if (body != NULL)
		OPENSSL_clear_free(body, strlen(body));
}
