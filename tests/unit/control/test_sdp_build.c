/* SPDX-License-Identifier: BSD-3-Clause */
/* Building one leg's description from the other's. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/sdp_media.h"
#include "sdp_samples.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OURS "EBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKyws"

struct world {
	struct sdes_line line[2];
	struct sdp_local local;
};

/* Every stream is relayed, at ports that count up by two. */
static void
make_world(struct world *world)
{
	static const char *const text[2] = {"1 " S80 " inline:" OURS, "2 " S32 " inline:" KEY_B};

	memset(world, 0, sizeof(*world));
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(sdes_parse(text[i], strlen(text[i]), &world->line[i]), SDES_OK);
	for (unsigned i = 0; i < SDP_STREAMS_MAX; i++) {
		struct sdp_local_stream *stream = &world->local.stream[i];
		relay_ip_parse("203.0.113.9", 11, &stream->rtp.ip);
		stream->rtp.port = (uint16_t)(40000 + 2 * i);
		stream->profile = SDP_PROFILE_SAVP;
		stream->direction = SDP_SENDRECV;
		stream->crypto = world->line;
		stream->crypto_count = 1;
	}
	world->local.session_id = 77;
	world->local.session_version = 1;
}

static struct media_description *
read_good(const char *body)
{
	struct media_description *out;
	enum sdp_verdict verdict =
		media_description_read(body, strlen(body), &sample_required, &out);

	if (verdict != SDP_OK)
		fail_msg("%s: in %s", sdp_verdict_text(verdict), body);
	return out;
}

static void
assert_body(char *body, size_t length, const char *wanted)
{
	assert_int_equal(length, strlen(body));
	assert_string_equal(body, wanted);
	sdp_body_free(body);
}

#define OUR_HEAD                                        \
	"v=0\r\no=- 77 1 IN IP4 203.0.113.9\r\ns=-\r\n" \
	"c=IN IP4 203.0.113.9\r\nt=0 0\r\n"

/* Codecs as they were, our address, our keys; no tool, ssrc or port of theirs. */
static void
test_offer_from_baresip(void **state)
{
	struct media_description *offer = read_good(BARESIP);
	struct world world;
	char *body;
	size_t length;

	make_world(&world);
	world.local.stream[0].rtcp_mux = true;
	world.local.stream[0].crypto_count = 2;
	assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
	assert_body(body, length,
		OUR_HEAD "m=audio 40000 RTP/SAVP 96 0 8 101\r\n"
			 "b=AS:125\r\n"
			 "a=rtpmap:96 opus/48000/2\r\n"
			 "a=fmtp:96 stereo=1;sprop-stereo=1;maxaveragebitrate=28000\r\n"
			 "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
			 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
			 "a=label:1\r\na=ptime:20\r\n"
			 "a=crypto:1 " S80 " inline:" OURS "\r\n"
			 "a=crypto:2 " S32 " inline:" KEY_B "\r\n"
			 "a=rtcp-mux\r\na=sendrecv\r\n");
	media_description_free(offer);
}

static void
test_offer_from_linphone(void **state)
{
	struct media_description *offer = read_good(LINPHONE);
	struct world world;
	char *body;
	size_t length;

	make_world(&world);
	world.local.stream[0].profile = SDP_PROFILE_SAVPF;
	world.local.stream[1].profile = SDP_PROFILE_AVPF;
	world.local.stream[1].crypto_count = 0;
	world.local.stream[1].direction = SDP_RECVONLY;
	relay_ip_parse("203.0.113.10", 12, &world.local.stream[1].rtp.ip);
	assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
	assert_body(body, length,
		OUR_HEAD "m=audio 40000 RTP/SAVPF 96 97 98 0 8 18 101\r\n"
			 "a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"
			 "a=rtpmap:97 speex/16000\r\na=fmtp:97 vbr=on\r\n"
			 "a=rtpmap:98 speex/8000\r\na=fmtp:98 vbr=on\r\n"
			 "a=fmtp:18 annexb=yes\r\n"
			 "a=rtpmap:101 telephone-event/48000\r\n"
			 "a=rtcp-fb:* trr-int 5000\r\na=rtcp-fb:* ccm tmmbr\r\n"
			 "a=crypto:1 " S80 " inline:" OURS "\r\n"
			 "a=sendrecv\r\n"
			 "m=video 40002 RTP/AVPF 99\r\n"
			 "c=IN IP4 203.0.113.10\r\n"
			 "a=rtpmap:99 VP8/90000\r\n"
			 "a=rtcp-fb:* nack pli\r\n"
			 "a=recvonly\r\n");
	media_description_free(offer);
}

/* The answer stands in the offer's order, with the far leg's codecs and direction. */
static void
test_answer(void **state)
{
	struct media_description *offer =
		read_good(HEAD("192.0.2.7") "m=video 9000 RTP/SAVP 99\r\na=rtpmap:99 VP8/90000\r\n"
					    "m=audio 9002 RTP/SAVP 0 8 101\r\n" CRYPTO
					    "a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"
					    "m=application 9004 TCP/MSRP *\r\n");
	static const char answered[] =
		HEAD("198.51.100.4") "m=video 0 RTP/SAVP 99\r\n"
				     "m=audio 7000 RTP/SAVP 8 101\r\n"
				     "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11\r\n"
				     "a=maxptime:40\r\n" CRYPTO "a=recvonly\r\n"
				     "m=application 0 TCP/MSRP *\r\n";
	struct media_description *answer;
	struct world world;
	char *body;
	size_t length;

	answer = read_good(answered);
	make_world(&world);
	world.local.stream[0].profile = SDP_PROFILE_NONE;
	world.local.stream[1].direction = SDP_RECVONLY;
	world.local.stream[2].profile = SDP_PROFILE_NONE;
	assert_int_equal(sdp_build(offer, answer, &world.local, &body, &length), 0);
	assert_body(body, length,
		OUR_HEAD "m=video 0 RTP/SAVP 99\r\n"
			 "m=audio 40002 RTP/SAVP 8 101\r\n"
			 "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11\r\n"
			 "a=maxptime:40\r\n"
			 "a=crypto:1 " S80 " inline:" OURS "\r\n"
			 "a=recvonly\r\n"
			 "m=application 0 TCP/MSRP *\r\n");
	media_description_free(offer);
	media_description_free(answer);
}

/* Fax: its own attributes pass, and nothing of keys or directions is said. */
static void
test_fax(void **state)
{
	struct sdp_policy policy = sample_required;
	static const char text[] =
		HEAD("192.0.2.7") "m=image 5004 udptl t38\r\na=T38FaxVersion:0\r\n"
				  "a=T38MaxBitRate:14400\r\na=T38FaxFillBitRemoval\r\n"
				  "a=LEAK:1\r\na=sendrecv\r\n";
	struct media_description *offer;
	struct world world;
	char *body;
	size_t length;

	policy.srtp = CONFIG_SRTP_OFF;
	assert_int_equal(media_description_read(text, strlen(text), &policy, &offer), SDP_OK);
	make_world(&world);
	world.local.stream[0].profile = SDP_PROFILE_UDPTL;
	assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
	assert_body(body, length,
		OUR_HEAD "m=image 40000 udptl t38\r\na=T38FaxVersion:0\r\n"
			 "a=T38MaxBitRate:14400\r\na=T38FaxFillBitRemoval\r\n");
	media_description_free(offer);
}

/* An AVPF caller and an AVP callee: each leg keeps its own profile. */
static void
test_profiles_may_differ(void **state)
{
	struct media_description *offer = read_good(LEAST("5004", "RTP/SAVPF", CRYPTO));
	struct media_description *answer = read_good(LEAST("5006", "RTP/SAVP", CRYPTO));
	struct world world;
	char *body;
	size_t length;

	make_world(&world);
	world.local.stream[0].profile = SDP_PROFILE_SAVPF;
	assert_int_equal(sdp_build(offer, answer, &world.local, &body, &length), 0);
	assert_non_null(strstr(body, "m=audio 40000 RTP/SAVPF 0 8\r\n"));
	sdp_body_free(body);
	media_description_free(offer);
	media_description_free(answer);
}

static void
test_ipv6(void **state)
{
	struct media_description *offer = read_good(LEAST("5004", "RTP/SAVP", CRYPTO));
	struct world world;
	char *body;
	size_t length;

	make_world(&world);
	relay_ip_parse("2001:db8::9", 11, &world.local.stream[0].rtp.ip);
	assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
	assert_body(body, length,
		"v=0\r\no=- 77 1 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\nt=0 0\r\n"
		"m=audio 40000 RTP/SAVP 0 8\r\n"
		"a=crypto:1 " S80 " inline:" OURS "\r\n"
		"a=sendrecv\r\n");
	media_description_free(offer);
}

/* What we build, we take: read back, it says what was told. */
static void
test_read_back(void **state)
{
	static const char *const samples[] = {
		BARESIP, LINPHONE, LEAST("5004", "RTP/SAVP", "a=inactive\r\n" CRYPTO)};
	struct world world;

	make_world(&world);
	for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct media_description *offer = read_good(samples[i]), *back;
		char *body;
		size_t length;
		for (unsigned j = 0; j < offer->streams; j++) {
			world.local.stream[j].crypto_count = 2;
			world.local.stream[j].direction = offer->stream[j].direction;
		}
		assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
		back = read_good(body);
		assert_int_equal(back->streams, offer->streams);
		for (unsigned j = 0; j < back->streams; j++) {
			const struct sdp_stream *stream = &back->stream[j];
			assert_int_equal(stream->verdict, SDP_OK);
			assert_int_equal(stream->direction, offer->stream[j].direction);
			assert_true(relay_addr_equal(&stream->rtp, &world.local.stream[j].rtp));
			assert_int_equal(stream->crypto.count, 2);
			assert_memory_equal(stream->crypto.line, world.line, sizeof(world.line));
		}
		sdp_body_free(body);
		media_description_free(back);
		media_description_free(offer);
	}
}

/* Each by its own name: TIAS counts bits, AS thousands of them, and no RTCP is not no media. */
static void
test_bandwidths(void **state)
{
	struct media_description *offer =
		read_good("v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\n"
			  "b=CT:900\r\nb=tias:500000\r\nt=0 0\r\n"
			  "m=audio 5004 RTP/SAVP 0\r\nb=AS:80\r\nb=RS:0\r\nb=RR:2500\r\n" CRYPTO
			  "m=audio 5006 RTP/SAVPF 0\nb= TIAS:64000\nb=X-new(:7\n" CRYPTO);
	static const char *const wanted[] = {"b=CT:900\r\nb=tias:500000\r\nt=",
		"b=AS:80\r\nb=RS:0\r\nb=RR:2500\r\na=", "b=TIAS:64000\r\nb=X-new:7\r\na="};
	struct world world;
	const char *at;
	char *body;
	size_t length;

	make_world(&world);
	assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
	at = body;
	for (unsigned i = 0; i < 3; i++) {
		at = strstr(at, wanted[i]);
		if (at == NULL)
			fail_msg("no %s in %s", wanted[i], body);
	}
	sdp_body_free(body);
	media_description_free(offer);
}

/* No trace of the near leg: not its address, keys, name, ICE, fingerprint or what nobody knows. */
static void
test_nothing_leaks(void **state)
{
	struct media_description *offer = read_good(
		"v=0\r\no=alice 4321 1 IN IP4 192.0.2.7\r\ns=LEAK\r\ni=LEAK\r\n"
		"u=http://LEAK/\r\ne=LEAK@192.0.2.7\r\np=+1 LEAK\r\nc=IN IP4 192.0.2.7\r\n"
		"t=0 0\r\na=ice-ufrag:LEAK\r\na=LEAK\r\na=group:BUNDLE LEAK\r\n"
		"a=fingerprint:sha-256 LEAK\r\na=crypto:9 " S80 " inline:" KEY_A "\r\n"
		"m=audio 5004 RTP/SAVP 0\r\ni=LEAK\r\nc=IN IP4 192.0.2.7\r\n"
		"k=clear:LEAK\r\na=msid:LEAK\r\na=ssrc-group:FID 1 "
		"2\r\na=setup:actpass\r\na=mid:LEAK\r\na=ssrc:1 cname:LEAK\r\n"
		"a=candidate:1 1 UDP 1 192.0.2.7 5004 typ host\r\na=X-LEAK:LEAK\r\n"
		"a=rtcp:5005 IN IP4 192.0.2.7\r\na=ice-pwd:LEAK\r\na=key-mgmt:mikey LEAK\r\n" CRYPTO
		"m=video 5006 RTP/SAVP 99\r\nc=IN IP4 192.0.2.7\r\na=LEAK\r\n"
		"a=rtpmap:99 LEAK/90000\r\n");
	struct world world;
	char *body;
	size_t length;

	make_world(&world);
	world.local.stream[1].profile = SDP_PROFILE_NONE;
	assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
	assert_null(strstr(body, "LEAK"));
	assert_null(strstr(body, "192.0.2.7"));
	assert_null(strstr(body, "alice"));
	assert_null(strstr(body, "ssrc"));
	assert_null(strstr(body, KEY_A));
	assert_null(strstr(body, "b="));
	assert_null(strstr(body, "5004"));
	sdp_body_free(body);
	media_description_free(offer);
}

/* Nothing that a phone writes makes a line of its own in what we build. */
static void
test_no_injection(void **state)
{
	static const char *const tricks[] = {
		"a=fmtp:0 x\r\na=crypto:7 " S80 " inline:" KEY_B "\r\n",
		"a=fmtp:0 x\na=candidate:1 1 UDP 1 192.0.2.7 5004 typ host\n",
		"a=fmtp:0 x\\r\\na=candidate:1\r\n",
		"a=ptime:20\ra=candidate:1\r\n",
		"a=ptime:20\x0b"
		"a=candidate:1\r\n",
		"a=ptime:20\xc2\x85"
		"a=candidate:1\r\n",
		"a=rtpmap:0 PCMU/8000/\tb=x\r\n",
	};
	struct world world;

	make_world(&world);
	for (unsigned i = 0; i < sizeof(tricks) / sizeof(tricks[0]); i++) {
		struct media_description *offer;
		char text[1024], *body, *line, *rest;
		size_t length;
		snprintf(text, sizeof(text), "%s%s", LEAST("5004", "RTP/SAVP", CRYPTO), tricks[i]);
		if (media_description_read(text, strlen(text), &sample_required, &offer) != SDP_OK)
			continue;
		assert_int_equal(sdp_build(offer, offer, &world.local, &body, &length), 0);
		for (line = strtok_r(body, "\r\n\x0b", &rest); line != NULL;
			line = strtok_r(NULL, "\r\n\x0b", &rest)) {
			assert_null(strstr(line, KEY_B));
			assert_int_not_equal(strncmp(line, "a=candidate", 11), 0);
			assert_int_not_equal(strncmp(line, "b=", 2), 0);
		}
		sdp_body_free(body);
		media_description_free(offer);
	}
}

static void
test_not_whole(void **state)
{
	struct media_description *offer = read_good(LEAST("5004", "RTP/SAVP", CRYPTO));
	struct world world;
	struct sdp_local local;
	char *body;
	size_t length;

	make_world(&world);
	local = world.local;
	local.stream[0].rtp.port = 0;
	assert_int_equal(sdp_build(offer, offer, &local, &body, &length), -EINVAL);
	local = world.local;
	local.stream[0].rtp.ip.family = 0;
	assert_int_equal(sdp_build(offer, offer, &local, &body, &length), -EINVAL);
	local = world.local;
	local.stream[0].crypto_count = 0; /* SRTP without a key */
	assert_int_equal(sdp_build(offer, offer, &local, &body, &length), -EINVAL);
	local = world.local;
	local.stream[0].profile = SDP_PROFILE_NONE;
	assert_int_equal(sdp_build(offer, offer, &local, &body, &length), -EINVAL);
	local = world.local;
	world.line[0].crypto.suite = RELAY_SUITE_NONE;
	assert_int_equal(sdp_build(offer, offer, &local, &body, &length), -EINVAL);
	assert_null(body);
	media_description_free(offer);
}

/* What fits on the way in, but with our keys no longer fits on the way out, is an error. */
static void
test_too_large(void **state)
{
	static char text[SDP_BODY_MAX + 1];
	struct world world;
	char *body = NULL;
	size_t length;
	unsigned fitted = 0, refused = 0;

	make_world(&world);
	for (size_t fill = SDP_BODY_MAX - 600; fill < SDP_BODY_MAX - 2; fill++) {
		struct media_description *offer;
		strcpy(text, LEAST("5004", "RTP/SAVP", CRYPTO "a=fmtp:0 "));
		size_t at = strlen(text);
		memset(text + at, 'x', fill - at);
		strcpy(text + fill, "\r\n");
		assert_int_equal(
			media_description_read(text, strlen(text), &sample_required, &offer),
			SDP_OK);
		int result = sdp_build(offer, offer, &world.local, &body, &length);
		if (result == 0) {
			assert_true(length <= SDP_BODY_MAX);
			assert_int_equal(length, strlen(body));
			sdp_body_free(body);
			fitted++;
		} else {
			assert_int_equal(result, -EMSGSIZE);
			assert_null(body);
			refused++;
		}
		media_description_free(offer);
	}
	assert_true(fitted > 0 && refused > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer_from_baresip),
		cmocka_unit_test(test_offer_from_linphone),
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_fax),
		cmocka_unit_test(test_profiles_may_differ),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_bandwidths),
		cmocka_unit_test(test_nothing_leaks),
		cmocka_unit_test(test_no_injection),
		cmocka_unit_test(test_not_whole),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
