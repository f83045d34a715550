/* SPDX-License-Identifier: BSD-3-Clause */
/* SDP (RFC 8866) and offer/answer (RFC 3264), as far as a media relay reads and writes them. The
 * SIP stack's parser does the parsing. A description is read from one leg, judged, and the
 * description for the other leg is built from it: nothing passes but the codecs and the direction,
 * so no address, name or unknown attribute of one leg is seen on the other. One audio stream;
 * further m= lines keep their place with port 0. Any thread, one at a time for each description. */
#ifndef CONTROL_SDP_MEDIA_H
#define CONTROL_SDP_MEDIA_H

#include "sdes.h"

#include "relay/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDP_BODY_MAX 16384 /* bytes read or written */
#define SDP_STREAMS_MAX 16 /* m= lines */

enum sdp_verdict {
	SDP_OK,
	SDP_TOO_LARGE,         /* more than SDP_BODY_MAX */
	SDP_BAD_CHARACTER,     /* NUL or another control character, CR without LF */
	SDP_SYNTAX,            /* the parser refused it */
	SDP_TOO_MANY_STREAMS,  /* more than SDP_STREAMS_MAX m= lines */
	SDP_NO_AUDIO,          /* no m=audio */
	SDP_NOT_SRTP,          /* RTP/AVP or AVPF: SRTP is required */
	SDP_PROTOCOL,          /* DTLS-SRTP or something else */
	SDP_REJECTED,          /* port 0: the stream was refused */
	SDP_BAD_PORT,          /* above 65535, or several ports */
	SDP_NO_ADDRESS,        /* no c= */
	SDP_BAD_ADDRESS,       /* a host name, or of another network */
	SDP_FORBIDDEN_ADDRESS, /* unspecified, loopback, link-local, multicast, broadcast */
	SDP_BAD_RTCP,          /* a=rtcp that can't be read, or whose address is forbidden */
	SDP_NO_CRYPTO,         /* no a=crypto at all */
	SDP_UNUSABLE_CRYPTO,   /* a=crypto, but none that can be used */
	SDP_DUPLICATE_TAG,     /* two a=crypto with one tag */
	SDP_NO_FORMAT,         /* no payload type */
	SDP_OTHER_STREAMS,     /* an answer whose m= lines are not the offer's */
	SDP_NO_MEMORY,
	SDP_VERDICT_COUNT
};

enum sdp_direction {
	SDP_INACTIVE = 0,
	SDP_SENDONLY = 1,
	SDP_RECVONLY = 2,
	SDP_SENDRECV = 3,
};

struct sdp_parser_s; /* Sofia-SIP's */

/* What one leg said. The fields are for reading. */
struct media_description {
	unsigned streams; /* m= lines */
	unsigned index;   /* which of them is the audio that is relayed */
	bool feedback;    /* RTP/SAVPF (RFC 5124) instead of RTP/SAVP */
	bool rtcp_mux;    /* RFC 5761 */
	struct relay_addr rtp;
	struct relay_addr rtcp; /* from a=rtcp (RFC 3605), else rtp.port + 1; equals rtp if muxed */
	enum sdp_direction direction;
	struct sdes_lines crypto;
	struct sdp_parser_s *parser; /* owns the parsed session */
};

/* What the relay says of itself to one leg. */
struct sdp_local {
	struct relay_addr rtp;
	struct relay_addr rtcp; /* told by a=rtcp where it is neither rtp.port + 1 nor muxed */
	bool rtcp_mux;          /* offer: offered; answer: accepted */
	const struct sdes_line
		*crypto; /* our own keys: in an offer one or more, in an answer one */
	unsigned crypto_count;
	uint64_t session_id; /* o=: fresh for each leg of a call */
	uint64_t session_version;
};

/* "SRTP is required (RTP/SAVP with a=crypto)": for the SIP reason phrase, a Warning and the log. */
const char *sdp_verdict_text(enum sdp_verdict verdict);

/* The SIP answer to an offer of that verdict: 400, 413, 488 or 500; 200 for OK. */
int sdp_verdict_status(enum sdp_verdict verdict);

/* True if no control character stands in the body but tabs, CRLF and LF. */
bool sdp_is_clean(const char *body, size_t length);

/* Reads an offer: takes the first audio stream that can be relayed, else gives the verdict on the
 * first audio stream. OK and *out (free it), else *out NULL. */
enum sdp_verdict
media_description_read(const char *body, size_t length, struct media_description **out);

/* Reads the answer to an offer that we built with so many streams and the audio at index: both must
 * match (RFC 3264 6). */
enum sdp_verdict media_description_read_answer(const char *body, size_t length, unsigned streams,
	unsigned index, struct media_description **out);

/* Wipes the keys and the parsed text. NULL is fine. */
void media_description_free(struct media_description *description);

/* The offer for the far leg, from what the near leg offered. Has the same streams in the same
 * order, all but the audio with port 0. 0 and *body (NUL-terminated; it holds keys, so free it with
 * sdp_body_free()) and *length; -EINVAL if local is not whole, -EMSGSIZE beyond SDP_BODY_MAX,
 * -ENOMEM. */
int sdp_build_offer(const struct media_description *offer, const struct sdp_local *local,
	char **body, size_t *length);

/* The answer for the near leg: the streams of what it offered, in order, with the codecs and the
 * direction of what the far leg answered. Errors as above. */
int sdp_build_answer(const struct media_description *offer, const struct media_description *answer,
	const struct sdp_local *local, char **body, size_t *length);

/* Wipes and frees. NULL is fine. */
void sdp_body_free(char *body);

#endif
