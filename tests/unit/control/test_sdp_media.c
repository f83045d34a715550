/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading and judging session descriptions. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/sdp_media.h"
#include "sdp_samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In memory of exactly that size: ASan sees a byte too far. */
static enum sdp_verdict
read_bytes(const char *body, size_t length, struct media_description **out)
{
	char *copy = malloc(length > 0 ? length : 1);

	assert_non_null(copy);
	memcpy(copy, body, length);
	enum sdp_verdict verdict = media_description_read(copy, length, &sample_required, out);
	free(copy);
	assert_int_equal(verdict == SDP_OK, *out != NULL);
	return verdict;
}

static struct media_description *
read_good(const char *body)
{
	struct media_description *out;
	enum sdp_verdict verdict = read_bytes(body, strlen(body), &out);

	if (verdict != SDP_OK)
		fail_msg("%s: in %s", sdp_verdict_text(verdict), body);
	return out;
}

static void
assert_address(const struct relay_addr *addr, const char *wanted)
{
	char text[RELAY_ADDR_TEXT];

	assert_string_equal(relay_addr_format(addr, text), wanted);
}

static void
test_baresip(void **state)
{
	struct media_description *out = read_good(BARESIP);

	const struct sdp_stream *audio = &out->stream[0];

	assert_int_equal(out->streams, 1);
	assert_int_equal(out->usable, 1);
	assert_int_equal(audio->profile, SDP_PROFILE_SAVP);
	assert_int_equal(audio->transport, RELAY_TRANSPORT_SRTP);
	assert_string_equal(audio->kind, "audio");
	assert_true(audio->rtcp_mux);
	assert_address(&audio->rtp, "192.0.2.7:10290");
	assert_address(&audio->rtcp, "192.0.2.7:10290");
	assert_int_equal(audio->direction, SDP_SENDRECV);
	assert_int_equal(audio->crypto.count, 2);
	assert_int_equal(audio->crypto.line[0].crypto.suite, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(audio->crypto.line[1].tag, 2);
	assert_memory_equal(audio->crypto.line[0].crypto.key, "YS___semctl () {", 16);
	char codecs[128];
	assert_int_equal(audio->clock_rate, 48000);
	assert_string_equal(media_description_codecs(out, 0, codecs, sizeof(codecs)),
		"opus/48000, PCMU/8000, PCMA/8000, telephone-event/8000");
	assert_string_equal(media_description_codecs(out, 0, codecs, 8), "opus/48");
	media_description_free(out);
}

static void
test_linphone(void **state)
{
	struct media_description *out = read_good(LINPHONE);

	const struct sdp_stream *audio = &out->stream[0], *video = &out->stream[1];
	char codecs[128];

	assert_int_equal(out->streams, 2);
	assert_int_equal(out->usable, 2);
	assert_int_equal(audio->profile, SDP_PROFILE_SAVPF);
	assert_false(audio->rtcp_mux);
	assert_address(&audio->rtp, "198.51.100.4:7078");
	assert_address(&audio->rtcp, "198.51.100.4:7079");
	assert_int_equal(audio->crypto.count, 3);
	assert_int_equal(audio->crypto.seen, 3);
	assert_int_equal(audio->crypto.fault, SDES_OK);
	assert_int_equal(audio->clock_rate, 48000);
	assert_string_equal(video->kind, "video");
	assert_int_equal(video->clock_rate, 90000);
	assert_address(&video->rtp, "198.51.100.4:9078");
	assert_int_equal(video->crypto.count, 1);
	assert_string_equal(media_description_codecs(out, 1, codecs, sizeof(codecs)), "VP8/90000");
	media_description_free(out);
}

/* Each stream is judged by itself; one that can't be relayed does not hinder the others. */
static void
test_each_stream(void **state)
{
	struct media_description *out = read_good(
		HEAD("192.0.2.7") "m=video 9000 RTP/SAVP 99\r\na=rtpmap:99 VP8/90000\r\n"
				  "m=audio 9002 RTP/AVP 0\r\n"
				  "m=audio 0 RTP/SAVP 0\r\n"
				  "m=audio 9004 RTP/SAVP 0\r\n" CRYPTO
				  "m=application 9 DTLS/SCTP 5000\r\n"
				  "m=image 9006 udptl t38\r\n"
				  "m=audio 9008 RTP/SAVP 0\r\na=crypto:1 AEAD_AES_128_GCM "
				  "inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubA==\r\n");
	static const enum sdp_verdict wanted[] = {SDP_NO_CRYPTO, SDP_NOT_SRTP, SDP_REJECTED, SDP_OK,
		SDP_PROTOCOL, SDP_NOT_SRTP, SDP_NO_SUITE};

	assert_int_equal(out->streams, 7);
	assert_int_equal(out->usable, 1);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(out->stream[i].verdict, wanted[i]);
	assert_address(&out->stream[3].rtp, "192.0.2.7:9004");
	media_description_free(out);
}

/* What a leg's policy makes of each protocol, with and without keys. */
static void
test_policies(void **state)
{
	static const struct {
		const char *body;
		enum sdp_verdict required, preferred, off;
		uint8_t preferred_transport, off_transport;
	} cases[] = {
		{LEAST("5004", "RTP/SAVP", CRYPTO), SDP_OK, SDP_OK, SDP_NOT_CLEAR,
			RELAY_TRANSPORT_SRTP, 0},
		{LEAST("5004", "RTP/AVP", CRYPTO), SDP_NOT_SRTP, SDP_OK, SDP_OK,
			RELAY_TRANSPORT_SRTP, RELAY_TRANSPORT_RTP},
		{LEAST("5004", "RTP/AVPF", ""), SDP_NOT_SRTP, SDP_OK, SDP_OK, RELAY_TRANSPORT_RTP,
			RELAY_TRANSPORT_RTP},
		{LEAST("5004", "RTP/SAVPF", ""), SDP_NO_CRYPTO, SDP_NO_CRYPTO, SDP_NOT_CLEAR, 0, 0},
		{LEAST("5004", "RTP/AVP", "a=crypto:1 " S80 " inline:x\r\n"), SDP_NOT_SRTP, SDP_OK,
			SDP_OK, RELAY_TRANSPORT_RTP, RELAY_TRANSPORT_RTP},
		{LEAST("5004", "RTP/AVP", CRYPTO CRYPTO), SDP_DUPLICATE_TAG, SDP_DUPLICATE_TAG,
			SDP_DUPLICATE_TAG, 0, 0},
		{HEAD("192.0.2.7") "m=image 5004 udptl t38\r\n", SDP_NOT_SRTP, SDP_OK, SDP_OK,
			RELAY_TRANSPORT_UDPTL, RELAY_TRANSPORT_UDPTL},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const enum sdp_verdict wanted[] = {
			cases[i].required, cases[i].preferred, cases[i].off};
		const uint8_t transport[] = {
			RELAY_TRANSPORT_SRTP, cases[i].preferred_transport, cases[i].off_transport};
		for (unsigned srtp = 0; srtp < 3; srtp++) {
			struct sdp_policy policy = sample_required;
			struct media_description *out;
			policy.srtp = (enum config_srtp)srtp;
			enum sdp_verdict verdict = media_description_read(
				cases[i].body, strlen(cases[i].body), &policy, &out);
			if (verdict != wanted[srtp])
				fail_msg("policy %u: %s, not %s: %s", srtp,
					sdp_verdict_text(verdict), sdp_verdict_text(wanted[srtp]),
					cases[i].body);
			if (verdict == SDP_OK)
				assert_int_equal(out->stream[0].transport, transport[srtp]);
			media_description_free(out);
		}
	}
}

/* RFC 3264 8.4: hold as it was before there were directions. */
static void
test_hold_by_address(void **state)
{
	static const struct {
		const char *lines;
		enum sdp_direction direction;
	} cases[] = {
		{"c=IN IP4 0.0.0.0\r\n" CRYPTO, SDP_SENDONLY},
		{"c=IN IP4 0.0.0.0\r\na=inactive\r\n" CRYPTO, SDP_INACTIVE},
		{"c=IN IP4 0.0.0.0\r\na=recvonly\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" CRYPTO,
			SDP_INACTIVE},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char body[512];
		snprintf(body, sizeof(body), "%s%s", LEAST("5004", "RTP/SAVP", ""), cases[i].lines);
		struct media_description *out = read_good(body);
		assert_true(out->stream[0].held);
		assert_int_equal(out->stream[0].direction, cases[i].direction);
		assert_int_equal(out->stream[0].rtp.ip.family, 0);
		media_description_free(out);
	}
}

static void
test_direction_for_answer(void **state)
{
	assert_int_equal(sdp_direction_for_answer(SDP_SENDRECV), SDP_SENDRECV);
	assert_int_equal(sdp_direction_for_answer(SDP_SENDONLY), SDP_RECVONLY);
	assert_int_equal(sdp_direction_for_answer(SDP_RECVONLY), SDP_SENDONLY);
	assert_int_equal(sdp_direction_for_answer(SDP_INACTIVE), SDP_INACTIVE);
}

static void
test_details(void **state)
{
	static const struct {
		const char *body, *rtp, *rtcp;
		enum sdp_direction direction;
	} cases[] = {
		{LEAST("5004", "RTP/SAVP", CRYPTO), "192.0.2.7:5004", "192.0.2.7:5005", 3},
		{LEAST("5004", "RTP/SAVPF", CRYPTO "a=recvonly\r\n"), "192.0.2.7:5004",
			"192.0.2.7:5005", 2},
		{LEAST("5004/1", "rtp/savp", CRYPTO "a=sendonly\r\n"), "192.0.2.7:5004",
			"192.0.2.7:5005", 1},
		{LEAST("5004", "RTP/SAVP", "a=inactive\r\n" CRYPTO), "192.0.2.7:5004",
			"192.0.2.7:5005", 0},
		{LEAST("5004", "RTP/SAVP", "c=IN IP6 2001:db8::5\r\n" CRYPTO), "[2001:db8::5]:5004",
			"[2001:db8::5]:5005", 3},
		{LEAST("5004", "RTP/SAVP", "a=rtcp:6000\r\n" CRYPTO), "192.0.2.7:5004",
			"192.0.2.7:6000", 3},
		{LEAST("5004", "RTP/SAVP", "a=rtcp:6000 IN IP4 192.0.2.8\r\n" CRYPTO),
			"192.0.2.7:5004", "192.0.2.8:6000", 3},
		{LEAST("65535", "RTP/SAVP", "a=rtcp-mux\r\n" CRYPTO), "192.0.2.7:65535",
			"192.0.2.7:65535", 3},
		{"v=0\no=- 1 1 IN IP4 h.example\ns= \nt=0 0\na=recvonly\n"
		 "m=audio 5004 RTP/SAVPF 0\nc=IN IP4 192.0.2.7\na=crypto:1 " S80 " inline:" KEY_A
		 "\n",
			"192.0.2.7:5004", "192.0.2.7:5005", 2},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct media_description *out = read_good(cases[i].body);
		assert_address(&out->stream[0].rtp, cases[i].rtp);
		assert_address(&out->stream[0].rtcp, cases[i].rtcp);
		assert_int_equal(out->stream[0].direction, cases[i].direction);
		media_description_free(out);
	}
}

#define AT(address) "c=IN IP4 " address "\r\n" CRYPTO
#define AT6(address) "c=IN IP6 " address "\r\n" CRYPTO
#define SAVP(lines) LEAST("5004", "RTP/SAVP", lines)

static const struct {
	const char *body;
	enum sdp_verdict verdict;
} bad[] = {
	{"", SDP_SYNTAX},
	{"hello", SDP_SYNTAX},
	{"v=1\r\n", SDP_SYNTAX},
	{HEAD("192.0.2.7"), SDP_NO_STREAMS},
	{HEAD("192.0.2.7") "m=video 5004 RTP/SAVP 99\r\n", SDP_NO_CRYPTO},
	/* a good line does not make up for one that aims where no media may go */
	{SAVP(CRYPTO "m=video 5006 RTP/SAVP 99\r\nc=IN IP4 127.0.0.1\r\n" CRYPTO),
		SDP_FORBIDDEN_ADDRESS},
	{SAVP(CRYPTO "m=video 5006/2 RTP/SAVP 99\r\n" CRYPTO), SDP_BAD_PORT},
	{SAVP(CRYPTO "m=video 5006 RTP/SAVP 99\r\n" CRYPTO CRYPTO), SDP_DUPLICATE_TAG},
	{HEAD("192.0.2.7") "m=image 0 udptl t38\r\nm=audio 0 RTP/SAVP 0\r\n", SDP_REJECTED},
	{HEAD("192.0.2.7") "m=audio 0 RTP/SAVP 0\r\nm=audio 9 RTP/AVP 0\r\n", SDP_NOT_SRTP},
	{LEAST("5004", "RTP/AVP", ""), SDP_NOT_SRTP},
	{LEAST("5004", "RTP/AVPF", CRYPTO), SDP_NOT_SRTP},
	{LEAST("5004", "RTP/AVP", CRYPTO), SDP_NOT_SRTP},
	{LEAST("5004", "UDP/TLS/RTP/SAVP", CRYPTO), SDP_PROTOCOL},
	{LEAST("5004", "UDP/TLS/RTP/SAVPF", ""), SDP_PROTOCOL},
	{LEAST("5004", "TCP/RTP/SAVP", CRYPTO), SDP_PROTOCOL},
	{LEAST("5004", "udp", CRYPTO), SDP_PROTOCOL},
	{LEAST("0", "RTP/SAVP", CRYPTO), SDP_REJECTED},
	{LEAST("65536", "RTP/SAVP", CRYPTO), SDP_BAD_PORT},
	{LEAST("4294972300", "RTP/SAVP", CRYPTO), SDP_BAD_PORT},
	{LEAST("5004/2", "RTP/SAVP", CRYPTO), SDP_BAD_PORT},
	{LEAST("65535", "RTP/SAVP", CRYPTO), SDP_BAD_RTCP},
	{LEAST("-1", "RTP/SAVP", CRYPTO), SDP_SYNTAX},
	{SAVP(""), SDP_NO_CRYPTO},
	{SAVP("a=crypto\r\n"), SDP_UNUSABLE_CRYPTO},
	{SAVP("a=crypto:1 F8_128_HMAC_SHA1_80 inline:" KEY_A "\r\n"), SDP_UNUSABLE_CRYPTO},
	{SAVP("a=crypto:1 " S80 " inline:" KEY_A " UNENCRYPTED_SRTP\r\n"), SDP_UNUSABLE_CRYPTO},
	{SAVP(CRYPTO CRYPTO), SDP_DUPLICATE_TAG},
	{"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nt=0 0\r\nm=audio 5004 RTP/SAVP 0\r\n" CRYPTO,
		SDP_NO_ADDRESS},
	{SAVP(AT("phone.example.com")), SDP_BAD_ADDRESS},
	{SAVP(AT("localhost")), SDP_BAD_ADDRESS},
	{SAVP(AT("192.0.2.256")), SDP_BAD_ADDRESS},
	{SAVP(AT("2001:db8::1")), SDP_BAD_ADDRESS},
	{SAVP(AT6("192.0.2.1")), SDP_BAD_ADDRESS},
	{SAVP(AT6("[2001:db8::1]")), SDP_BAD_ADDRESS},
	{SAVP(AT6("fe80::1%eth0")), SDP_BAD_ADDRESS},
	{SAVP("c=IN IP4 192.0.2.8\r\n" AT("192.0.2.9")), SDP_BAD_ADDRESS},
	{SAVP("a=rtcp:9 IN IP4 0.0.0.0\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP(AT("127.0.0.1")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT("127.255.255.254")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT("169.254.1.1")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT("224.0.0.1/16")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT("239.1.1.1/4/3")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT("255.255.255.255")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT6("::")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT6("::1")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT6("fe80::1")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT6("ff02::1")), SDP_FORBIDDEN_ADDRESS},
	{SAVP(AT6("::ffff:127.0.0.1")), SDP_FORBIDDEN_ADDRESS},
	{SAVP("a=rtcp\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:0\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:65536\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:600000\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:x\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000x\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000 IN IP4\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000 IN IP4 host.example\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000 IN IP4 127.0.0.1\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000 IN IP6 192.0.2.1\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000 IN IP4 192.0.2.1 x\r\n" CRYPTO), SDP_BAD_RTCP},
	{SAVP("a=rtcp:6000 XX IP4 192.0.2.1\r\n" CRYPTO), SDP_BAD_RTCP},
	{HEAD("192.0.2.7") "m=audio 5004 RTP/SAVP\r\n" CRYPTO, SDP_NO_FORMAT},
	{HEAD("192.0.2.7") "m=audio 5004 RTP/SAVPF\r\n" CRYPTO, SDP_NO_FORMAT},
	{HEAD("192.0.2.7") "m=audio 5004 RTP/SAVPF 128\r\n" CRYPTO, SDP_NO_FORMAT},
	{HEAD("192.0.2.7") "m=audio 5004 RTP/SAVPF opus\r\n" CRYPTO, SDP_NO_FORMAT},
	/* what the parser would loop on without end */
	{HEAD("192.0.2.7") "m=audio 5004 x/y =6\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004 x/y 6 /\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004x /6\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004 x:y 6\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") " m=audio 5004 x/y =6\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004 RTMAC \t\t\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004 x/y\t6\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004 RTP/SAVP  \r\n" CRYPTO, SDP_NO_FORMAT},
	{HEAD("192.0.2.7") "m= audio 5004 x/y 6\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio\r\n" CRYPTO, SDP_SYNTAX},
	{HEAD("192.0.2.7") "m=audio 5004\r\n" CRYPTO, SDP_SYNTAX},
	{SAVP("A=x\r\n" CRYPTO), SDP_SYNTAX},
	{SAVP("a\r\n" CRYPTO), SDP_SYNTAX},
	{SAVP("a:x\r\n" CRYPTO), SDP_SYNTAX},
	{SAVP("a=x:\r" CRYPTO), SDP_BAD_CHARACTER},
	{SAVP("a=x:\x01\r\n" CRYPTO), SDP_BAD_CHARACTER},
	{SAVP("a=x:\x7f\r\n" CRYPTO), SDP_BAD_CHARACTER},
	{SAVP("a=x:\x0b\r\n" CRYPTO), SDP_BAD_CHARACTER},
	{SAVP(CRYPTO "\r"), SDP_BAD_CHARACTER},
};

static void
test_bad(void **state)
{
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct media_description *out;
		enum sdp_verdict verdict = read_bytes(bad[i].body, strlen(bad[i].body), &out);
		if (verdict != bad[i].verdict)
			fail_msg("%s, not %s: %s", sdp_verdict_text(verdict),
				sdp_verdict_text(bad[i].verdict), bad[i].body);
		assert_in_range(sdp_verdict_status(verdict), 400, 488);
	}
}

static void
test_nul(void **state)
{
	static const char body[] = LEAST("5004", "RTP/SAVP", CRYPTO);
	char copy[sizeof(body)];
	struct media_description *out;

	for (size_t i = 0; i < sizeof(body) - 1; i++) {
		memcpy(copy, body, sizeof(body));
		copy[i] = '\0';
		assert_int_equal(read_bytes(copy, sizeof(body) - 1, &out), SDP_BAD_CHARACTER);
	}
}

/* Cut at every byte: refused, or a whole description that lacks its end. */
static void
test_every_cut(void **state)
{
	static const char *const bodies[] = {BARESIP, LINPHONE};

	for (unsigned b = 0; b < 2; b++) {
		size_t whole = strlen(bodies[b]);
		size_t first_key = (size_t)(strstr(bodies[b], KEY_A) - bodies[b]) + strlen(KEY_A);
		for (size_t length = 0; length <= whole; length++) {
			struct media_description *out;
			enum sdp_verdict verdict = read_bytes(bodies[b], length, &out);
			if (length < first_key)
				assert_int_not_equal(verdict, SDP_OK);
			if (length == whole)
				assert_int_equal(verdict, SDP_OK);
			media_description_free(out);
		}
	}
}

/* Every byte turned into each of a few that parsers stumble over. */
static void
test_every_byte(void **state)
{
	static const char with[] = "\n =:0\xff/-";
	static char copy[] = LINPHONE;

	for (size_t i = 0; i < sizeof(copy) - 1; i++) {
		char was = copy[i];
		for (const char *to = with; *to != '\0'; to++) {
			struct media_description *out;
			copy[i] = *to;
			read_bytes(copy, sizeof(copy) - 1, &out);
			media_description_free(out);
		}
		copy[i] = was;
	}
}

static void
test_many_streams(void **state)
{
	char body[4096] = HEAD("192.0.2.7") "m=audio 5004 RTP/SAVP 0\r\n" CRYPTO;
	struct media_description *out;

	for (unsigned i = 2; i <= SDP_STREAMS_MAX + 1; i++) {
		strcat(body, "m=video 0 RTP/SAVP 99\r\n");
		enum sdp_verdict verdict = read_bytes(body, strlen(body), &out);
		assert_int_equal(verdict, i <= SDP_STREAMS_MAX ? SDP_OK : SDP_TOO_MANY_STREAMS);
		media_description_free(out);
	}
}

static void
test_huge(void **state)
{
	static char body[200000];
	struct media_description *out;

	strcpy(body, LEAST("5004", "RTP/SAVP", CRYPTO));
	while (strlen(body) + 20 < SDP_BODY_MAX)
		strcat(body, "a=x:0123456789\r\n");
	assert_int_equal(read_bytes(body, strlen(body), &out), SDP_OK);
	media_description_free(out);
	while (strlen(body) <= SDP_BODY_MAX)
		strcat(body, "a=x:0123456789\r\n");
	assert_int_equal(read_bytes(body, strlen(body), &out), SDP_TOO_LARGE);
	assert_int_equal(sdp_verdict_status(SDP_TOO_LARGE), 413);
	memset(body, 'x', sizeof(body));
	assert_int_equal(read_bytes(body, sizeof(body), &out), SDP_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_baresip),
		cmocka_unit_test(test_linphone),
		cmocka_unit_test(test_each_stream),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_hold_by_address),
		cmocka_unit_test(test_direction_for_answer),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_huge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
