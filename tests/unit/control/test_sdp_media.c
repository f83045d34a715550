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
	enum sdp_verdict verdict = media_description_read(copy, length, out);
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

	assert_int_equal(out->streams, 1);
	assert_int_equal(out->index, 0);
	assert_false(out->feedback);
	assert_true(out->rtcp_mux);
	assert_address(&out->rtp, "192.0.2.7:10290");
	assert_address(&out->rtcp, "192.0.2.7:10290");
	assert_int_equal(out->direction, SDP_SENDRECV);
	assert_int_equal(out->crypto.count, 2);
	assert_int_equal(out->crypto.line[0].crypto.suite, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(out->crypto.line[1].tag, 2);
	assert_memory_equal(out->crypto.line[0].crypto.key, "YS___semctl () {", 16);
	media_description_free(out);
}

static void
test_linphone(void **state)
{
	struct media_description *out = read_good(LINPHONE);

	assert_int_equal(out->streams, 2);
	assert_int_equal(out->index, 0);
	assert_true(out->feedback);
	assert_false(out->rtcp_mux);
	assert_address(&out->rtp, "198.51.100.4:7078");
	assert_address(&out->rtcp, "198.51.100.4:7079");
	assert_int_equal(out->crypto.count, 3);
	assert_int_equal(out->crypto.seen, 3);
	assert_int_equal(out->crypto.fault, SDES_OK);
	media_description_free(out);
}

/* The first audio that can be relayed is taken, wherever it stands. */
static void
test_choice_of_stream(void **state)
{
	struct media_description *out =
		read_good(HEAD("192.0.2.7") "m=video 9000 RTP/SAVP 99\r\na=rtpmap:99 VP8/90000\r\n"
					    "m=audio 9002 RTP/AVP 0\r\n"
					    "m=audio 0 RTP/SAVP 0\r\n"
					    "m=audio 9004 RTP/SAVP 0\r\n" CRYPTO);

	assert_int_equal(out->streams, 4);
	assert_int_equal(out->index, 3);
	assert_address(&out->rtp, "192.0.2.7:9004");
	media_description_free(out);
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
		assert_address(&out->rtp, cases[i].rtp);
		assert_address(&out->rtcp, cases[i].rtcp);
		assert_int_equal(out->direction, cases[i].direction);
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
	{HEAD("192.0.2.7"), SDP_NO_AUDIO},
	{HEAD("192.0.2.7") "m=video 5004 RTP/SAVP 99\r\n" CRYPTO, SDP_NO_AUDIO},
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
	{SAVP(AT("0.0.0.0")), SDP_FORBIDDEN_ADDRESS},
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

static void
test_answer(void **state)
{
	static const char one[] = LEAST("5004", "RTP/SAVP", CRYPTO);
	static const char refused[] = LEAST("0", "RTP/SAVP", "");
	static const char two[] = LEAST("5004", "RTP/SAVP", CRYPTO) "m=video 0 RTP/SAVP 99\r\n";
	struct media_description *out;

	assert_int_equal(media_description_read_answer(one, strlen(one), 1, 0, &out), SDP_OK);
	media_description_free(out);
	assert_int_equal(media_description_read_answer(two, strlen(two), 2, 0, &out), SDP_OK);
	media_description_free(out);
	assert_int_equal(
		media_description_read_answer(one, strlen(one), 2, 0, &out), SDP_OTHER_STREAMS);
	assert_int_equal(
		media_description_read_answer(two, strlen(two), 1, 0, &out), SDP_OTHER_STREAMS);
	assert_int_equal(
		media_description_read_answer(two, strlen(two), 2, 1, &out), SDP_OTHER_STREAMS);
	assert_int_equal(
		media_description_read_answer(refused, strlen(refused), 1, 0, &out), SDP_REJECTED);
	assert_null(out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_baresip),
		cmocka_unit_test(test_linphone),
		cmocka_unit_test(test_choice_of_stream),
		cmocka_unit_test(test_details),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_many_streams),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
