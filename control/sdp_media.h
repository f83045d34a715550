/* SPDX-License-Identifier: BSD-3-Clause */
/* SDP (RFC 8866) and offer/answer (RFC 3264), as far as a media relay reads and writes them. The
 * SIP stack's parser does the parsing. A description is read from one leg, judged by the leg's
 * policy, and the description for the other leg is built from it: nothing passes but the codecs,
 * the bandwidth and the direction, so no address, name or unknown attribute of one leg is seen on
 * the other. Each m= line keeps its place; one that can't be relayed has port 0. Any thread, one
 * at a time for each description. */
#ifndef CONTROL_SDP_MEDIA_H
#define CONTROL_SDP_MEDIA_H

#include "sdes.h"

#include "relay/addr.h"
#include "relay/config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SDP_BODY_MAX 16384 /* bytes read or written */
#define SDP_STREAMS_MAX 16 /* m= lines */

enum sdp_verdict {
	SDP_OK,
	/* the whole description is refused */
	SDP_TOO_LARGE,        /* more than SDP_BODY_MAX */
	SDP_BAD_CHARACTER,    /* NUL or another control character, CR without LF */
	SDP_SYNTAX,           /* the parser refused it */
	SDP_TOO_MANY_STREAMS, /* more than SDP_STREAMS_MAX m= lines */
	SDP_NO_STREAMS,       /* no m= line */
	SDP_FEWER_STREAMS,    /* a re-offer with fewer m= lines than before, RFC 3264 8 */
	SDP_OTHER_STREAMS,    /* an answer whose m= lines are not the offer's */
	SDP_OTHER_PROFILE,    /* an answer in clear to an offer of SRTP, or RTP for UDPTL */
	SDP_OLD_KEY,          /* a new address with the old key, RFC 4568 7.1.4 */
	SDP_NO_MEMORY,
	/* so is it if one of its m= lines is one of these */
	SDP_BAD_PORT,          /* above 65535, or several ports */
	SDP_NO_ADDRESS,        /* no c= */
	SDP_BAD_ADDRESS,       /* a host name, or of another network */
	SDP_FORBIDDEN_ADDRESS, /* loopback, link-local, multicast, broadcast, unspecified */
	SDP_OWN_ADDRESS,       /* the relay's */
	SDP_BAD_RTCP,          /* a=rtcp that can't be read, or whose address is forbidden */
	SDP_NO_FORMAT,         /* no payload type */
	SDP_DUPLICATE_TAG,     /* two a=crypto with one tag */
	/* these m= lines are passed over (port 0); if all are, the first such is the verdict */
	SDP_REJECTED,        /* port 0 */
	SDP_NOT_SRTP,        /* in clear: SRTP is required */
	SDP_NOT_CLEAR,       /* SRTP: only plain RTP is wanted */
	SDP_PROTOCOL,        /* DTLS-SRTP or something else */
	SDP_NO_CRYPTO,       /* RTP/SAVP without any a=crypto */
	SDP_UNUSABLE_CRYPTO, /* a=crypto, but none that can be used */
	SDP_NO_SUITE,        /* none of a suite that is allowed */
	SDP_VERDICT_COUNT
};

enum sdp_direction {
	SDP_INACTIVE = 0,
	SDP_SENDONLY = 1,
	SDP_RECVONLY = 2,
	SDP_SENDRECV = 3,
};

/* The protocol of an m= line. */
enum sdp_profile {
	SDP_PROFILE_NONE,  /* another one */
	SDP_PROFILE_AVP,   /* RFC 3551 */
	SDP_PROFILE_AVPF,  /* RFC 4585 */
	SDP_PROFILE_SAVP,  /* RFC 3711 */
	SDP_PROFILE_SAVPF, /* RFC 5124 */
	SDP_PROFILE_UDPTL, /* T.38 */
};

/* What a leg may do; from the configuration, or a trunk's. */
struct sdp_policy {
	enum config_srtp srtp;
	const enum relay_suite *suites; /* in order of preference */
	unsigned suites_count;
	bool unencrypted_srtcp; /* UNENCRYPTED_SRTCP is granted */
};

/* What one leg said in one m= line. */
struct sdp_stream {
	enum sdp_verdict verdict; /* OK: it can be relayed; all below counts */
	enum sdp_profile profile;
	uint8_t transport; /* enum relay_transport: SRTP, also RTP/AVP with a=crypto (RFC 8643) */
	bool rtcp_mux;     /* RFC 5761 */
	bool held;         /* c=0.0.0.0 (RFC 3264 8.4): no address is given */
	struct relay_addr rtp;
	struct relay_addr rtcp; /* from a=rtcp (RFC 3605), else rtp.port + 1; equals rtp if muxed */
	enum sdp_direction direction;
	const char *kind;    /* "audio" */
	uint32_t clock_rate; /* Hz, of the first payload type; 0: not said */
	struct sdes_lines crypto;
};

struct sdp_parser_s; /* Sofia-SIP's */

/* What one leg said. The fields are for reading. */
struct media_description {
	struct sdp_parser_s *parser; /* owns the parsed session */
	unsigned streams;            /* m= lines */
	unsigned usable;             /* of these can be relayed */
	struct sdp_stream stream[];
};

/* What the relay says of itself in one m= line. */
struct sdp_local_stream {
	enum sdp_profile profile; /* NONE: the line has port 0 */
	struct relay_addr rtp;
	bool rtcp_mux; /* offer: offered; answer: accepted. Else RTCP is on rtp.port + 1 */
	enum sdp_direction direction;
	const struct sdes_line *crypto; /* our own keys: an offer may have several, SAVP has one */
	unsigned crypto_count;
};

/* What the relay says of itself to one leg: a stream for each m= line of `places`. */
struct sdp_local {
	uint64_t session_id; /* o=: fresh for each leg of a call */
	uint64_t session_version;
	struct sdp_local_stream stream[SDP_STREAMS_MAX];
};

/* "SRTP required: RTP/SAVP with a=crypto": for the SIP reason phrase, a Warning and the log. */
const char *sdp_verdict_text(enum sdp_verdict verdict);

/* The SIP answer to an offer of that verdict: 400, 413, 488 or 500; 200 for OK. */
int sdp_verdict_status(enum sdp_verdict verdict);

/* Counts a refusal, by its kind. */
void sdp_verdict_count(enum sdp_verdict verdict);

/* Reads what a leg with that policy said, offer or answer. OK and *out (free it) if any of its
 * streams can be relayed; else *out is NULL. */
enum sdp_verdict media_description_read(const char *body, size_t length,
	const struct sdp_policy *policy, struct media_description **out);

/* Wipes the keys and the parsed text. NULL is fine. */
void media_description_free(struct media_description *description);

/* What the other side may say of its direction, in answer to this one (RFC 3264 6.1). */
enum sdp_direction sdp_direction_for_answer(enum sdp_direction offered);

/* The codecs of a stream, as text for a record: "opus/48000, PCMU/8000". Returns text. */
const char *media_description_codecs(
	const struct media_description *description, unsigned stream, char *text, size_t size);

/* Builds a description: the m= lines of `places`, in order, with the codecs of `from`: an offer has
 * both alike; an answer has the offer's places and the other leg's answer. 0 and *body
 * (NUL-terminated; it holds keys, so free it with sdp_body_free()) and *length; -EINVAL if no
 * stream of local is whole, -EMSGSIZE beyond SDP_BODY_MAX, -ENOMEM. */
int sdp_build(const struct media_description *places, const struct media_description *from,
	const struct sdp_local *local, char **body, size_t *length);

/* Wipes and frees. NULL is fine. */
void sdp_body_free(char *body);

#endif
