/* SPDX-License-Identifier: BSD-3-Clause */
/* Offer and answer between two phones, and what the relay is told of it. */
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
#define LINE(suite, key) "a=crypto:1 " suite " inline:" key "\r\n"
#define ALICE(lines) HEAD("192.0.2.7") "m=audio 5004 RTP/SAVP 0 8\r\n" lines
#define BOB(lines) HEAD("198.51.100.4") "m=audio 6004 RTP/SAVP 0\r\n" lines
#define ALICE_OFFER ALICE(LINE(S80, KEY_A))
#define BOB_ANSWER BOB(LINE(S80, KEY_B))

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

static int
answer(unsigned branch, const char *text)
{
	const char *phrase;

	return call_sdp_take_answer(&stage.call, 1, branch, text, strlen(text), &phrase);
}

static void
apply(void)
{
	stage.status = -1;
	assert_int_equal(call_media_apply(&stage.call, stage_done), 0);
	stage_answer_relay();
	assert_int_equal(stage.status, 0);
}

/* A first call: the relay has the caller's leg, then the callee's; each of the four keys is another
 * one, and each phone gets one line. */
static void
test_first_call(void **state)
{
	struct media_description *said = stage_read(stage_exchange(0, ALICE_OFFER, BOB_ANSWER));
	const struct relay_create *create = &stage_last(RELAY_OP_CREATE, 0)->create;
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;

	assert_int_equal(stage.requests, 2);
	assert_string_equal(create->id, stage.call.id);
	assert_string_equal(create->leg[0].interface, "access");
	assert_string_equal(create->leg[1].interface, "core");
	assert_int_equal(create->leg[0].transport, RELAY_TRANSPORT_SRTP);
	assert_int_equal(create->leg[1].transport, RELAY_TRANSPORT_NONE);
	assert_int_equal(create->leg[0].remote_rtp.port, 5004);
	assert_int_equal(update->leg, 1);
	assert_int_equal(update->mask, RELAY_UPDATE_REMOTE | RELAY_UPDATE_RECEIVE |
					       RELAY_UPDATE_TRANSMIT | RELAY_UPDATE_TRANSPORT);
	assert_int_equal(update->spec.remote_rtp.port, 6004);
	assert_int_equal(said->stream[0].crypto.count, 1);
	assert_memory_equal(said->stream[0].crypto.line[0].crypto.key,
		stage.call.sdp.stream[0].agreed[0].transmit.key, 16);
	assert_memory_not_equal(create->leg[0].transmit.key, update->spec.transmit.key, 16);
	assert_int_equal(said->stream[0].rtp.port, 20000);
	media_description_free(said);
}

/* Keys of a branch are its own: who does not win knows no key that is used. */
static void
test_branches_have_keys_of_their_own(void **state)
{
	struct media_description *offer[2];

	assert_int_equal(take(0, ALICE_OFFER), 0);
	assert_int_equal(call_media_open(&stage.call, stage_done), 0);
	stage_answer_relay();
	for (unsigned i = 0; i < 2; i++)
		offer[i] = stage_read(call_sdp_make_offer(&stage.call, 1, i));
	for (unsigned i = 0; i < 2; i++)
		for (unsigned k = 0; k < 2; k++)
			assert_memory_not_equal(offer[0]->stream[0].crypto.line[i].crypto.key,
				offer[1]->stream[0].crypto.line[k].crypto.key, 16);
	assert_int_equal(answer(0, BOB_ANSWER), 0);
	apply();
	/* the other one takes the call, with its second line */
	assert_int_equal(answer(1, HEAD("198.51.100.9") "m=audio 7004 RTP/SAVP 0\r\n"
							"a=crypto:2 " S32 " inline:" KEY_C "\r\n"),
		0);
	apply();
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
	assert_int_equal(
		update->mask, RELAY_UPDATE_REMOTE | RELAY_UPDATE_RECEIVE | RELAY_UPDATE_TRANSMIT);
	assert_memory_equal(
		update->spec.transmit.key, offer[1]->stream[0].crypto.line[1].crypto.key, 16);
	assert_int_equal(update->spec.transmit.suite, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
	assert_int_equal(answer(2, BOB_ANSWER), -EINVAL); /* was not asked */
	assert_non_null(call_sdp_make_answer(&stage.call, 0));
	call_sdp_commit(&stage.call);
	media_description_free(offer[0]);
	media_description_free(offer[1]);
}

/* The answer of 183 and 200 is told once, and said once. */
static void
test_repeated_answer(void **state)
{
	char first[SDP_BODY_MAX];

	assert_int_equal(take(0, ALICE_OFFER), 0);
	assert_int_equal(call_media_open(&stage.call, stage_done), 0);
	stage_answer_relay();
	assert_non_null(call_sdp_make_offer(&stage.call, 1, 0));
	assert_int_equal(answer(0, BOB_ANSWER), 0);
	apply();
	snprintf(first, sizeof(first), "%s", call_sdp_make_answer(&stage.call, 0));
	unsigned before = stage.requests;
	assert_int_equal(answer(0, BOB_ANSWER), 0);
	assert_true(call_media_is_told(&stage.call));
	apply();
	assert_int_equal(stage.requests, before);
	assert_string_equal(call_sdp_make_answer(&stage.call, 0), first);
}

/* A session refresh: same words, same keys; neither the relay nor the other phone hears of it. */
static void
test_refresh(void **state)
{
	char first[SDP_BODY_MAX];

	snprintf(first, sizeof(first), "%s", stage_exchange(0, ALICE_OFFER, BOB_ANSWER));
	unsigned before = stage.requests;
	assert_int_equal(take(0, ALICE_OFFER), 0);
	assert_false(call_sdp_concerns_other(&stage.call));
	assert_true(call_media_is_told(&stage.call));
	assert_int_equal(call_sdp_answer_alone(&stage.call), 0);
	assert_string_equal(call_sdp_make_answer(&stage.call, 0), first);
	call_sdp_commit(&stage.call);
	assert_int_equal(stage.requests, before);
	/* and of the callee, whose first word was an answer */
	assert_int_equal(take(1, BOB_ANSWER), 0);
	assert_false(call_sdp_concerns_other(&stage.call));
	assert_int_equal(call_sdp_answer_alone(&stage.call), 0);
	struct media_description *said = stage_read(call_sdp_make_answer(&stage.call, 1));
	assert_int_equal(said->stream[0].crypto.count, 1);
	media_description_free(said);
	call_sdp_commit(&stage.call);
	assert_int_equal(stage.requests, before);
}

/* What concerns the other side: codecs, direction, streams; not: key and address. */
static void
test_what_concerns_the_other(void **state)
{
	static const struct {
		const char *offer;
		bool concerns;
	} cases[] = {
		{ALICE_OFFER, false},
		{ALICE(LINE(S80, KEY_C)), false},
		{HEAD("192.0.2.8") "m=audio 5008 RTP/SAVP 0 8\r\n" LINE(S32, KEY_C), false},
		{ALICE(LINE(S80, KEY_A) "a=sendonly\r\n"), true},
		{ALICE(LINE(S80, KEY_A) "a=ptime:30\r\n"), true},
		{HEAD("192.0.2.7") "m=audio 5004 RTP/SAVP 0\r\n" LINE(S80, KEY_A), true},
		{ALICE_OFFER "m=video 5006 RTP/SAVP 99\r\n" LINE(S80, KEY_C), true},
		{ALICE(LINE(S80, KEY_A)) "m=video 0 RTP/SAVP 99\r\n", true},
	};

	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(take(0, cases[i].offer), 0);
		assert_int_equal(call_sdp_concerns_other(&stage.call), cases[i].concerns);
		assert_int_equal(call_sdp_rollback(&stage.call), 0);
	}
}

/* RFC 4568 7.1.4: a phone that moved brings a new key, and gets a new one of ours. */
static void
test_new_address(void **state)
{
	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	struct relay_crypto ours = stage.call.sdp.stream[0].agreed[0].transmit;
	refused(0, HEAD("192.0.2.8") "m=audio 5004 RTP/SAVP 0 8\r\n" LINE(S80, KEY_A), SDP_OLD_KEY);
	refused(0, HEAD("192.0.2.7") "m=audio 5008 RTP/SAVP 0 8\r\n" LINE(S80, KEY_A), SDP_OLD_KEY);
	assert_int_equal(
		take(0, HEAD("192.0.2.8") "m=audio 5008 RTP/SAVP 0 8\r\n" LINE(S80, KEY_C)), 0);
	assert_int_equal(call_sdp_answer_alone(&stage.call), 0);
	unsigned before = stage.requests;
	apply();
	/* the address first; when it is taken, the keys */
	assert_int_equal(stage_count(RELAY_OP_UPDATE, before), 2);
	assert_int_equal(stage_last(RELAY_OP_UPDATE, 1)->update.mask, RELAY_UPDATE_REMOTE);
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
	assert_int_equal(update->mask, RELAY_UPDATE_RECEIVE | RELAY_UPDATE_TRANSMIT);
	assert_int_equal(update->leg, 0);
	assert_false(sdes_is_same_key(&update->spec.transmit, &ours));
	assert_non_null(call_sdp_make_answer(&stage.call, 0));
	call_sdp_commit(&stage.call);
}

/* A relay that refuses the new address: nothing has changed, no key was told. */
static void
test_refused_address(void **state)
{
	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	assert_int_equal(
		take(0, HEAD("192.0.2.8") "m=audio 5008 RTP/SAVP 0 8\r\n" LINE(S80, KEY_C)), 0);
	assert_int_equal(call_sdp_answer_alone(&stage.call), 0);
	stage.refuse_next = RELAY_E_ADDRESS;
	stage.refuse_op = RELAY_OP_UPDATE;
	unsigned before = stage.requests;
	stage.status = -1;
	assert_int_equal(call_media_apply(&stage.call, stage_done), 0);
	stage_answer_relay();
	assert_int_equal(stage.status, 488);
	assert_int_equal(stage.requests, before + 1);
	assert_int_equal(call_sdp_rollback(&stage.call), 0);
	assert_int_equal(stage.requests, before + 1);
	assert_int_equal(take(0, ALICE_OFFER), 0);
	assert_true(call_media_is_told(&stage.call));
}

/* A key that was told can't be taken back. */
static void
test_no_way_back_from_a_key(void **state)
{
	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	assert_int_equal(take(0, ALICE(LINE(S80, KEY_C))), 0);
	assert_int_equal(call_sdp_answer_alone(&stage.call), 0);
	apply();
	assert_int_equal(call_sdp_rollback(&stage.call), -EKEYREVOKED);
}

/* A re-offer of the callee's: the caller is offered the key that it has. */
static void
test_offer_of_the_callee(void **state)
{
	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	struct relay_crypto ours = stage.call.sdp.stream[0].agreed[0].transmit;
	unsigned before = stage.requests;
	assert_int_equal(take(1, BOB(LINE(S80, KEY_B) "a=sendonly\r\n")), 0);
	assert_int_equal(take(0, ALICE_OFFER), 491);
	struct media_description *offer = stage_read(call_sdp_make_offer(&stage.call, 0, 0));
	assert_int_equal(offer->stream[0].crypto.count, 1);
	assert_true(sdes_is_same_key(&offer->stream[0].crypto.line[0].crypto, &ours));
	assert_int_equal(offer->stream[0].direction, SDP_SENDONLY);
	media_description_free(offer);
	const char *phrase;
	static const char held[] = ALICE(LINE(S80, KEY_A) "a=sendrecv\r\n");
	assert_int_equal(call_sdp_take_answer(&stage.call, 0, 0, held, strlen(held), &phrase), 0);
	apply();
	/* Bob is on hold: nothing is sent to him; no key is touched */
	assert_int_equal(stage.requests, before + 1);
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
	assert_int_equal(update->leg, 1);
	assert_int_equal(update->mask, RELAY_UPDATE_REMOTE);
	assert_int_equal(update->spec.flags, RELAY_LEG_LATCH | RELAY_LEG_NO_SEND);
	struct media_description *said = stage_read(call_sdp_make_answer(&stage.call, 1));
	assert_int_equal(said->stream[0].direction, SDP_RECVONLY); /* sendrecv is no answer to it */
	media_description_free(said);
	call_sdp_commit(&stage.call);
}

/* Every way to hold, and back. */
static void
test_hold(void **state)
{
	static const struct {
		const char *lines;
		uint32_t flags;
	} ways[] = {
		{"a=sendonly\r\n", RELAY_LEG_NO_SEND},
		{"a=recvonly\r\n", RELAY_LEG_NO_RECEIVE},
		{"a=inactive\r\n", RELAY_LEG_NO_SEND | RELAY_LEG_NO_RECEIVE},
		{"c=IN IP4 0.0.0.0\r\n", RELAY_LEG_NO_SEND},
		{"", 0},
	};

	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	for (unsigned i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		char offer[1024];
		snprintf(offer, sizeof(offer), "%s%s", ALICE_OFFER, ways[i].lines);
		unsigned before = stage.requests;
		stage_exchange(0, offer, BOB_ANSWER);
		assert_int_equal(stage.requests, before + 1);
		const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
		assert_int_equal(update->leg, 0);
		assert_int_equal(update->mask, RELAY_UPDATE_REMOTE);
		assert_int_equal(update->spec.flags, RELAY_LEG_LATCH | ways[i].flags);
		assert_int_equal(update->spec.remote_rtp.port, 5004); /* he lives where he lived */
	}
}

/* Fresh keys by our own offer: every line is new; the phone's new key and ours are told, once. */
static void
test_rekey(void **state)
{
	const char *phrase;

	assert_null(call_sdp_rekey(&stage.call, 0));
	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	for (unsigned side = 0; side < 2; side++) {
		struct relay_crypto before = stage.call.sdp.stream[0].agreed[side].transmit;
		struct media_description *offer = stage_read(call_sdp_rekey(&stage.call, side));
		assert_null(call_sdp_rekey(&stage.call, side)); /* one at a time */
		assert_int_equal(offer->stream[0].crypto.count, 2);
		for (unsigned i = 0; i < 2; i++)
			assert_false(
				sdes_is_same_key(&offer->stream[0].crypto.line[i].crypto, &before));
		const char *answered = side == 0 ? ALICE(LINE(S80, KEY_C)) : BOB(LINE(S80, KEY_C));
		assert_int_equal(call_sdp_take_answer(
					 &stage.call, side, 0, answered, strlen(answered), &phrase),
			0);
		apply();
		const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
		assert_int_equal(update->leg, side);
		assert_int_equal(update->mask, RELAY_UPDATE_RECEIVE | RELAY_UPDATE_TRANSMIT);
		assert_true(sdes_is_same_key(
			&update->spec.transmit, &offer->stream[0].crypto.line[0].crypto));
		call_sdp_commit(&stage.call);
		media_description_free(offer);
	}
	/* a phone that refuses: all is as it was */
	struct relay_crypto before = stage.call.sdp.stream[0].agreed[0].transmit;
	unsigned requests = stage.requests;
	assert_non_null(call_sdp_rekey(&stage.call, 0));
	assert_int_equal(call_sdp_rollback(&stage.call), 0);
	assert_int_equal(stage.requests, requests);
	assert_true(sdes_is_same_key(&before, &stage.call.sdp.stream[0].agreed[0].transmit));
}

/* Our own refresh of a session: the key in force, and nothing for the relay to hear. */
static void
test_repeat(void **state)
{
	const char *phrase;

	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	unsigned requests = stage.requests;
	struct media_description *offer = stage_read(call_sdp_repeat(&stage.call, 1));
	assert_int_equal(offer->stream[0].crypto.count, 1);
	assert_true(sdes_is_same_key(&offer->stream[0].crypto.line[0].crypto,
		&stage.call.sdp.stream[0].agreed[1].transmit));
	media_description_free(offer);
	assert_int_equal(
		call_sdp_take_answer(&stage.call, 1, 0, BOB_ANSWER, strlen(BOB_ANSWER), &phrase),
		0);
	apply();
	call_sdp_commit(&stage.call);
	assert_int_equal(stage.requests, requests);
}

/* A phone behind NAT is where its packets come from, also when it holds; until it says that it has
 * moved. */
static void
test_latched(void **state)
{
	struct relay_event event = {.leg = 0};

	stage_exchange(0, ALICE_OFFER, BOB_ANSWER);
	memcpy(event.id, stage.call.id, sizeof(event.id));
	relay_ip_parse("203.0.113.5", 11, &event.remote.ip);
	event.remote.port = 9999;
	call_media_latched(&stage.call, &event);
	stage_exchange(0, ALICE(LINE(S80, KEY_A) "a=sendonly\r\n"), BOB_ANSWER);
	const struct relay_update *update = &stage_last(RELAY_OP_UPDATE, 0)->update;
	assert_int_equal(update->spec.flags, RELAY_LEG_LATCH | RELAY_LEG_NO_SEND);
	assert_true(relay_addr_equal(&update->spec.remote_rtp, &event.remote));
	assert_true(relay_ip_equal(&update->spec.remote_rtcp.ip, &event.remote.ip));
	stage_exchange(
		0, HEAD("192.0.2.8") "m=audio 5008 RTP/SAVP 0\r\n" LINE(S80, KEY_C), BOB_ANSWER);
	assert_int_equal(stage_last(RELAY_OP_UPDATE, 1)->update.spec.remote_rtp.port, 5008);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_first_call),
		TEST(test_branches_have_keys_of_their_own),
		TEST(test_repeated_answer),
		TEST(test_refresh),
		TEST(test_what_concerns_the_other),
		TEST(test_new_address),
		TEST(test_refused_address),
		TEST(test_no_way_back_from_a_key),
		TEST(test_offer_of_the_callee),
		TEST(test_hold),
		TEST(test_rekey),
		TEST(test_repeat),
		TEST(test_latched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
