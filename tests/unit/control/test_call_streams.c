/* SPDX-License-Identifier: BSD-3-Clause */
/* Several streams in a call, and what each leg's policy makes of them. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "call_stage.h"
#include "sdp_samples.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define KEY_C "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define KEY_D "HBscGhkYFxYVFBMSERAPDg0MCwoJCAcGBQQDAgEA"
#define LINE(key) "a=crypto:1 " S80 " inline:" key "\r\n"
#define AUDIO(port, key) "m=audio " port " RTP/SAVP 0\r\n" LINE(key)
#define VIDEO(port, key) "m=video " port " RTP/SAVPF 99\r\na=rtpmap:99 VP8/90000\r\n" LINE(key)
#define ALICE HEAD("192.0.2.7")
#define BOB HEAD("198.51.100.4")
#define FAX(port) "m=image " port " udptl t38\r\na=T38FaxVersion:0\r\n"

static int
setup(void **state)
{
	stage_open();
	return 0;
}

static int
teardown(void **state)
{
	stage_close();
	return 0;
}

static int
take(unsigned side, const char *offer)
{
	const char *phrase;

	return call_sdp_take_offer(&stage.call, side, offer, strlen(offer), &phrase);
}

static void
refused(unsigned side, const char *offer, enum sdp_verdict verdict)
{
	const char *phrase = NULL;
	int status = call_sdp_take_offer(&stage.call, side, offer, strlen(offer), &phrase);

	assert_int_equal(status, sdp_verdict_status(verdict));
	assert_string_equal(phrase, sdp_verdict_text(verdict));
}

static void
open_all(void)
{
	stage.status = -1;
	assert_int_equal(call_media_open(&stage.call, stage_done), 0);
	stage_answer_relay();
}

/* An answer of the callee to an offer of the caller's. */
static int
answers(const char *offer, const char *answer, const char **phrase)
{
	assert_int_equal(take(0, offer), 0);
	open_all();
	assert_int_equal(stage.status, 0);
	assert_non_null(call_sdp_make_offer(&stage.call, 1, 0));
	return call_sdp_take_answer(&stage.call, 1, 0, answer, strlen(answer), phrase);
}

/* Each line is a session with a name, ports and keys of its own. */
static void
test_audio_and_video(void **state)
{
	struct media_description *said =
		stage_read(stage_exchange(0, ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B),
			BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D)));
	const struct relay_create *audio = &stage_last(RELAY_OP_CREATE, 1)->create;
	const struct relay_create *video = &stage_last(RELAY_OP_CREATE, 0)->create;

	assert_string_equal(audio->id, "0123456789abcdef0123456789abcdef");
	assert_string_equal(video->id, "0123456789abcdef0123456789abcdef/1");
	assert_int_equal(video->leg[0].remote_rtp.port, 5006);
	assert_memory_not_equal(audio->leg[0].transmit.key, video->leg[0].transmit.key, 16);
	assert_int_equal(stage_count(RELAY_OP_UPDATE, 0), 2);
	assert_int_equal(said->stream[0].rtp.port, 20000);
	assert_int_equal(said->stream[1].rtp.port, 20004);
	assert_int_equal(said->stream[1].profile, SDP_PROFILE_SAVPF);
	media_description_free(said);
	call_media_delete(&stage.call);
	stage_answer_relay();
	assert_int_equal(stage_count(RELAY_OP_DELETE, 0), 2);
	assert_int_equal(stage.streams_recorded, 2);
}

/* A line that the callee rejects has port 0 for the caller, and its session goes. */
static void
test_rejected_line(void **state)
{
	const char *text = stage_exchange(0, ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B),
		BOB AUDIO("6004", KEY_C) "m=video 0 RTP/SAVPF 99\r\n");

	assert_non_null(strstr(text, "m=video 0 RTP/SAVPF 99\r\n"));
	stage_answer_relay();
	assert_int_equal(stage_count(RELAY_OP_DELETE, 0), 1);
	assert_string_equal(
		stage_last(RELAY_OP_DELETE, 0)->by_id.id, "0123456789abcdef0123456789abcdef/1");
}

/* Added in a re-offer, switched off in the next, and on again with fresh keys. */
static void
test_line_comes_and_goes(void **state)
{
	static const char with[] = ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B);
	static const char answered[] = BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D);

	stage_exchange(0, ALICE AUDIO("5004", KEY_A), BOB AUDIO("6004", KEY_C));
	unsigned before = stage.requests;
	stage_exchange(0, with, answered);
	assert_int_equal(stage_count(RELAY_OP_CREATE, before), 1);
	assert_int_equal(stage_count(RELAY_OP_UPDATE, before), 2); /* address, then keys */
	struct relay_crypto ours = stage.call.sdp.stream[1].agreed[0].transmit;
	before = stage.requests;
	stage_exchange(0, ALICE AUDIO("5004", KEY_A) "m=video 0 RTP/SAVPF 99\r\n",
		BOB AUDIO("6004", KEY_C) "m=video 0 RTP/SAVPF 99\r\n");
	stage_answer_relay();
	assert_int_equal(stage_count(RELAY_OP_DELETE, before), 1);
	assert_int_equal(stage.requests, before + 1);
	stage_exchange(0, with, answered);
	assert_false(sdes_is_same_key(&ours, &stage.call.sdp.stream[1].agreed[0].transmit));
	refused(0, ALICE AUDIO("5004", KEY_A), SDP_FEWER_STREAMS);
}

/* All or nothing: where the second session is refused, the first goes again. */
static void
test_batch_is_whole(void **state)
{
	assert_int_equal(take(0, ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B)), 0);
	assert_int_equal(call_media_open(&stage.call, stage_done), 0);
	stage.refuse_op = RELAY_OP_CREATE;
	stage.refuse_next = RELAY_E_NO_PORTS;
	stage_answer_relay();
	assert_int_equal(stage.status, 503);
	assert_int_equal(stage_count(RELAY_OP_DELETE, 0), 1);
	assert_false(stage.call.sdp.stream[0].in_relay || stage.call.sdp.stream[1].in_relay);
}

/* A re-offer that is refused: its new line goes, the old ones stay. */
static void
test_rollback(void **state)
{
	stage_exchange(0, ALICE AUDIO("5004", KEY_A), BOB AUDIO("6004", KEY_C));
	assert_int_equal(take(1, BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D)), 0);
	open_all();
	assert_int_equal(stage.status, 0);
	assert_non_null(call_sdp_make_offer(&stage.call, 0, 0));
	assert_int_equal(call_sdp_rollback(&stage.call), 0);
	stage_answer_relay();
	assert_true(stage.call.sdp.stream[0].in_relay);
	assert_false(stage.call.sdp.stream[1].in_relay);
	assert_int_equal(stage_count(RELAY_OP_DELETE, 0), 1);
}

/* The relay ended one stream: the call goes on with the other. */
static void
test_lost_stream(void **state)
{
	stage_exchange(0, ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B),
		BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D));
	assert_int_equal(call_media_lost(&stage.call, "0123456789abcdef0123456789abcdef/1"), 1);
	assert_int_equal(stage.streams_recorded, 1);
	assert_int_equal(call_media_lost(&stage.call, "0123456789abcdef0123456789abcdef"), 0);
	assert_true(stage.call.sdp.stream[0].in_relay); /* its end is the call's to tell */
}

/* threats.md, downgrade: where SRTP is required, nothing else passes, asked or answered. */
static void
test_downgrade(void **state)
{
	static const char offer[] = ALICE AUDIO("5004", KEY_A);
	static const char *const answered[] = {
		BOB "m=audio 6004 RTP/AVP 0\r\n",
		BOB "m=audio 6004 RTP/AVP 0\r\n" LINE(KEY_C),
		BOB "m=audio 6004 RTP/SAVP 0\r\n",
		BOB "m=audio 6004 RTP/SAVP 0\r\na=crypto:9 " S80 " inline:" KEY_C "\r\n",
		BOB "m=audio 6004 RTP/SAVP 0\r\na=crypto:1 " S32 " inline:" KEY_C "\r\n",
		BOB "m=audio 6004 RTP/SAVP 0\r\na=crypto:1 " S80 " inline:" KEY_C
		    " UNENCRYPTED_SRTP\r\n",
		BOB AUDIO("6004", KEY_C) "a=crypto:2 " S32 " inline:" KEY_D "\r\n",
		BOB FAX("6004"),
	};
	const char *phrase = NULL;

	refused(0, ALICE "m=audio 5004 RTP/AVP 0\r\n", SDP_NOT_SRTP);
	refused(0, ALICE "m=audio 5004 RTP/AVP 0\r\n" LINE(KEY_A), SDP_NOT_SRTP);
	refused(0, ALICE "m=audio 5004 RTP/AVPF 0\r\n", SDP_NOT_SRTP);
	refused(0, ALICE "m=audio 5004 RTP/SAVP 0\r\n", SDP_NO_CRYPTO);
	refused(0, ALICE FAX("5004"), SDP_NOT_SRTP);
	assert_int_equal(answers(offer, answered[0], &phrase), -EINVAL);
	for (unsigned i = 1; i < sizeof(answered) / sizeof(answered[0]); i++)
		assert_int_equal(call_sdp_take_answer(&stage.call, 1, 0, answered[i],
					 strlen(answered[i]), &phrase),
			-EINVAL);
	assert_null(stage.call.sdp.answer);
}

/* One leg in SRTP, the other in clear: a trunk of policy "off". */
static void
test_leg_in_clear(void **state)
{
	const struct config_trunk trunk = {
		.srtp = CONFIG_SRTP_OFF, .suites = stage.suites, .suites_count = 2};
	const char *phrase;

	assert_int_equal(take(0, ALICE AUDIO("5004", KEY_A)), 0);
	open_all();
	call_sdp_set_trunk(&stage.call, 1, &trunk);
	const char *offer = call_sdp_make_offer(&stage.call, 1, 0);
	assert_non_null(strstr(offer, "m=audio 20002 RTP/AVP 0\r\n"));
	assert_null(strstr(offer, "a=crypto"));
	static const char answer[] = BOB "m=audio 6004 RTP/AVP 0\r\n";
	assert_int_equal(
		call_sdp_take_answer(&stage.call, 1, 0, answer, strlen(answer), &phrase), 0);
	stage.status = -1;
	assert_int_equal(call_media_apply(&stage.call, stage_done), 0);
	stage_answer_relay();
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
	assert_int_equal(update->mask, RELAY_UPDATE_REMOTE | RELAY_UPDATE_TRANSPORT);
	assert_int_equal(update->spec.transport, RELAY_TRANSPORT_RTP);
	assert_int_equal(update->spec.flags, 0); /* no packet moves it */
	assert_int_equal(update->spec.transmit.suite, RELAY_SUITE_NONE);
	struct media_description *said = stage_read(call_sdp_make_answer(&stage.call, 0));
	assert_int_equal(said->stream[0].transport, RELAY_TRANSPORT_SRTP);
	media_description_free(said);
	call_sdp_commit(&stage.call);
}

/* RFC 8643: SRTP offered as RTP/AVP with keys; with a key, without one, and with a broken one. */
static void
test_opportunistic(void **state)
{
	static const struct {
		const char *answer;
		int result;
		uint8_t transport;
	} cases[] = {
		{BOB "m=audio 6004 RTP/AVP 0\r\n" LINE(KEY_C), 0, RELAY_TRANSPORT_SRTP},
		{BOB "m=audio 6004 RTP/SAVP 0\r\n" LINE(KEY_C), 0, RELAY_TRANSPORT_SRTP},
		{BOB "m=audio 6004 RTP/AVP 0\r\n", 0, RELAY_TRANSPORT_RTP},
		{BOB "m=audio 6004 RTP/AVP 0\r\na=crypto:1 " S80 " inline:x\r\n", -EINVAL, 0},
		{BOB "m=audio 6004 RTP/AVP 0\r\na=crypto:7 " S80 " inline:" KEY_C "\r\n", -EINVAL,
			0},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *phrase;
		stage_open();
		stage.config.sip.srtp = CONFIG_SRTP_PREFERRED;
		assert_int_equal(answers(ALICE "m=audio 5004 RTP/AVP 0\r\n" LINE(KEY_A),
					 cases[i].answer, &phrase),
			cases[i].result);
		assert_non_null(strstr(stage.call.sdp.branch[0].text, "RTP/AVP 0\r\n"));
		assert_non_null(strstr(stage.call.sdp.branch[0].text, "a=crypto:1"));
		if (cases[i].result == 0) {
			assert_int_equal(
				stage.call.sdp.stream[0].next[1].transport, cases[i].transport);
			const char *said = call_sdp_make_answer(&stage.call, 0);
			assert_non_null(strstr(said, "RTP/AVP 0\r\n"));
			assert_non_null(strstr(said, "a=crypto:1"));
		}
		stage_close();
	}
	stage_open();
}

/* Where plain RTP may be, too, a leg that has had SRTP is not answered out of it. */
static void
test_no_way_down(void **state)
{
	static const char plain[] = ALICE "m=audio 5004 RTP/AVP 0\r\n";
	const char *phrase = NULL;

	stage.config.sip.srtp = CONFIG_SRTP_PREFERRED;
	stage_exchange(0, ALICE AUDIO("5004", KEY_A), BOB "m=audio 6004 RTP/AVP 0\r\n");
	assert_int_equal(take(1, BOB "m=audio 6004 RTP/AVP 8\r\n"), 0);
	assert_non_null(strstr(call_sdp_make_offer(&stage.call, 0, 0), "RTP/SAVP 8\r\n"));
	assert_int_equal(
		call_sdp_take_answer(&stage.call, 0, 0, plain, strlen(plain), &phrase), -EINVAL);
	assert_string_equal(phrase, sdp_verdict_text(SDP_OTHER_PROFILE));
}

/* Voice becomes fax in the same line, and voice again: with a fresh key, since the old one would
 * start anew. */
static void
test_fax(void **state)
{
	static const char voice[] = ALICE AUDIO("5004", KEY_A);

	stage.config.sip.srtp = CONFIG_SRTP_PREFERRED;
	stage_exchange(0, voice, BOB "m=audio 6004 RTP/AVP 0\r\n" LINE(KEY_C));
	struct relay_crypto ours = stage.call.sdp.stream[0].agreed[0].transmit;
	const char *said = stage_exchange(1, BOB FAX("6004"), ALICE FAX("5004"));
	assert_non_null(strstr(said, "m=image 20002 udptl t38\r\na=T38FaxVersion:0\r\n"));
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
	assert_int_equal(update->mask & ~RELAY_UPDATE_REMOTE, RELAY_UPDATE_TRANSPORT);
	assert_int_equal(update->spec.transport, RELAY_TRANSPORT_UDPTL);
	stage_exchange(0, voice, BOB "m=audio 6004 RTP/AVP 0\r\n" LINE(KEY_C));
	assert_false(sdes_is_same_key(&ours, &stage.call.sdp.stream[0].agreed[0].transmit));
	assert_true(stage_last(RELAY_OP_UPDATE, 0)->update.mask & RELAY_UPDATE_TRANSMIT);
}

/* Answers that do not fit their offer. */
static void
test_other_streams(void **state)
{
	static const char *const bad[] = {
		BOB AUDIO("6004", KEY_C),
		BOB VIDEO("6004", KEY_C) AUDIO("6006", KEY_D),
		BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D) VIDEO("6008", KEY_D),
		BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D) "m=video 0 RTP/SAVPF 99\r\n",
		BOB "m=audio 0 RTP/SAVP 0\r\nm=video 0 RTP/SAVPF 99\r\n",
		BOB AUDIO("6004", KEY_C) "m=video 6006 RTP/SAVPF 99\r\n",
	};
	const char *phrase = NULL;

	assert_int_equal(
		answers(ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B), bad[0], &phrase), -EINVAL);
	for (unsigned i = 1; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			call_sdp_take_answer(&stage.call, 1, 0, bad[i], strlen(bad[i]), &phrase),
			-EINVAL);
}

/* A line that was not offered (the caller's was no SRTP) can't be answered. */
static void
test_line_not_offered(void **state)
{
	const char *phrase = NULL;

	assert_int_equal(answers(ALICE AUDIO("5004", KEY_A) "m=video 5006 RTP/AVP 99\r\n",
				 BOB AUDIO("6004", KEY_C) VIDEO("6006", KEY_D), &phrase),
		-EINVAL);
	assert_non_null(strstr(stage.call.sdp.branch[0].text, "m=video 0 RTP/AVP 99\r\n"));
	assert_string_equal(phrase, sdp_verdict_text(SDP_OTHER_STREAMS));
}

/* Media that would come back to us. */
static void
test_own_address(void **state)
{
	refused(0, HEAD("192.0.2.1") AUDIO("5004", KEY_A), SDP_OWN_ADDRESS);
	refused(0, HEAD("198.51.100.1") AUDIO("5004", KEY_A), SDP_OWN_ADDRESS);
	refused(0, ALICE AUDIO("5004", KEY_A) "a=rtcp:5005 IN IP4 198.51.100.1\r\n",
		SDP_OWN_ADDRESS);
	refused(0, ALICE AUDIO("5004", KEY_A) VIDEO("5006", KEY_B) "c=IN IP4 192.0.2.1\r\n",
		SDP_OWN_ADDRESS);
	refused(0, HEAD("127.0.0.1") AUDIO("5004", KEY_A), SDP_FORBIDDEN_ADDRESS);
}

/* Every suite that the relay has can be agreed on, in our order. */
static void
test_all_suites(void **state)
{
	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
		char line[SDES_TEXT_MAX], offer[1024], answer[1024];
		struct sdes_line sdes = {.tag = 1};
		stage_open();
		for (unsigned i = 0; i < RELAY_SUITE_COUNT - 1; i++)
			stage.suites[i] = (enum relay_suite)(1 + (suite - 1 + i) % 8);
		stage.config.sip.suites_count = RELAY_SUITE_COUNT - 1;
		assert_int_equal(sdes_generate((enum relay_suite)suite, &sdes.crypto), 0);
		assert_true(sdes_format(&sdes, line, sizeof(line)) > 0);
		snprintf(offer, sizeof(offer), "%sm=audio 5004 RTP/SAVP 0\r\na=crypto:%s\r\n",
			ALICE, line);
		assert_int_equal(sdes_generate((enum relay_suite)suite, &sdes.crypto), 0);
		assert_true(sdes_format(&sdes, line, sizeof(line)) > 0);
		snprintf(answer, sizeof(answer), "%sm=audio 6004 RTP/SAVP 0\r\na=crypto:%s\r\n",
			BOB, line);
		const char *phrase = NULL;
		if (answers(offer, answer, &phrase) != 0)
			fail_msg("suite %u: %s", suite, phrase);
		for (unsigned i = 0; i < 2; i++) {
			assert_int_equal(stage.call.sdp.stream[0].next[i].transmit.suite, suite);
			assert_int_equal(stage.call.sdp.stream[0].next[i].receive.suite, suite);
		}
		stage_close();
	}
	stage_open();
}

/* RTP and RTCP on one port: each leg for itself, and only where it was offered (RFC 5761 5.1.1). */
static void
test_mux(void **state)
{
	static const struct {
		const char *offer, *answer;
		bool caller, callee;
	} cases[] = {
		{"a=rtcp-mux\r\n", "a=rtcp-mux\r\n", true, true},
		{"a=rtcp-mux\r\n", "", true, false},
		{"", "a=rtcp-mux\r\n", false, false},
		{"a=rtcp:5999\r\n", "", false, false},
	};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char offer[512], answer[512];
		stage_open();
		snprintf(offer, sizeof(offer), "%s%s", ALICE AUDIO("5004", KEY_A), cases[i].offer);
		snprintf(answer, sizeof(answer), "%s%s", BOB AUDIO("6004", KEY_C), cases[i].answer);
		const char *said = stage_exchange(0, offer, answer);
		assert_int_equal(strstr(said, "a=rtcp-mux\r\n") != NULL, cases[i].caller);
		const struct relay_leg_spec *caller =
			&stage_last(RELAY_OP_CREATE, 0)->create.leg[0];
		const struct relay_leg_spec *callee = &stage_last(RELAY_OP_UPDATE, 0)->update.spec;
		assert_int_equal((caller->flags & RELAY_LEG_RTCP_MUX) != 0, cases[i].caller);
		assert_int_equal((callee->flags & RELAY_LEG_RTCP_MUX) != 0, cases[i].callee);
		if (i == 3)
			assert_int_equal(caller->remote_rtcp.port, 5999);
		/* no key stays in what is kept of the descriptions */
		static const struct sdes_lines none;
		for (unsigned k = 0; k < 2; k++)
			assert_memory_equal(
				&stage.call.sdp.said[k]->stream[0].crypto, &none, sizeof(none));
		stage_close();
	}
	stage_open();
}

/* Media of the other family than the signalling is met on that family. */
static void
test_ipv6(void **state)
{
	assert_int_equal(take(0, "v=0\r\no=- 1 1 IN IP6 2001:db8::7\r\ns=-\r\n"
				 "c=IN IP6 2001:db8::7\r\nt=0 0\r\n" AUDIO("5004", KEY_A)),
		0);
	open_all();
	const struct relay_create *create = &stage_last(RELAY_OP_CREATE, 0)->create;
	assert_int_equal(create->leg[0].local_rtp.ip.family, 6);
	assert_int_equal(create->leg[1].local_rtp.ip.family, 4);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_audio_and_video),
		TEST(test_rejected_line),
		TEST(test_line_comes_and_goes),
		TEST(test_batch_is_whole),
		TEST(test_rollback),
		TEST(test_lost_stream),
		TEST(test_downgrade),
		TEST(test_leg_in_clear),
		TEST(test_opportunistic),
		TEST(test_no_way_down),
		TEST(test_fax),
		TEST(test_other_streams),
		TEST(test_line_not_offered),
		TEST(test_own_address),
		TEST(test_all_suites),
		TEST(test_mux),
		TEST(test_ipv6),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
