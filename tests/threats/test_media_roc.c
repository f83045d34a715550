/* SPDX-License-Identifier: BSD-3-Clause */
/* ROC out of step: after hold, re-INVITE, a change of address or SSRC, or a long silence. Audio
 * comes back, and none of it is a way in for replays. */
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define ROC(n) ((uint64_t)(n) << 16)

static void
carries_some(struct call *call, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_true(call_carries(call, 0));
		assert_true(call_carries(call, 1));
	}
}

/* Brings phone 0's stream to this index, in strides that no estimate can take wrong. */
static void
walk_to(struct call *call, unsigned leg, uint64_t index)
{
	struct phone *phone = &call->phone[leg];

	while (phone->index + 20000 < index) {
		phone->index += 20000;
		assert_true(call_carries(call, leg));
	}
	phone->index = index;
	assert_true(call_carries(call, leg));
}

/* Another address for phone 0, with the keys in call->leg[0]. */
static void
move(struct call *call, const char *ip, uint32_t more)
{
	call->leg[0].remote_rtp = box_address(ip, CALL_PORT);
	assert_int_equal(
		box_update(call->id, 0, &call->leg[0], RELAY_UPDATE_REMOTE | more), RELAY_OK);
	call->phone[0].address = call->leg[0].remote_rtp;
}

static void
new_receive_key(struct call *call, unsigned seed)
{
	struct relay_crypto transmit = call->leg[0].transmit;

	box_srtp(&call->leg[0], SUITE, seed);
	call->leg[0].transmit = transmit;
	evp_srtp_destroy(call->phone[0].out);
	call->phone[0].out = evp_srtp_create(&call->leg[0].receive);
}

/* "A session with the clock of RTP stopped for 10 minutes and ROC at 3 survives a hold and
 * resumes." */
static void
survives_a_hold_of_ten_minutes(void **state)
{
	struct call call;

	call_start(&call, "hold", SUITE, SUITE);
	walk_to(&call, 0, ROC(3) + 500);
	walk_to(&call, 1, ROC(3) + 60000);
	/* a=inactive on both legs, and one says c=0.0.0.0 */
	struct relay_leg_spec held = call.leg[0];
	held.flags |= RELAY_LEG_NO_SEND | RELAY_LEG_NO_RECEIVE;
	memset(&held.remote_rtp, 0, sizeof(held.remote_rtp));
	assert_int_equal(box_update("hold", 0, &held, RELAY_UPDATE_REMOTE), RELAY_OK);
	held = call.leg[1];
	held.flags |= RELAY_LEG_NO_SEND | RELAY_LEG_NO_RECEIVE;
	assert_int_equal(box_update("hold", 1, &held, RELAY_UPDATE_REMOTE), RELAY_OK);
	box_pass(600);
	assert_int_equal(box_events(RELAY_EVENT_TIMEOUT), 0);
	assert_int_equal(box_events(RELAY_EVENT_ONE_WAY), 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			box_update("hold", i, &call.leg[i], RELAY_UPDATE_REMOTE), RELAY_OK);
	carries_some(&call, 20);
	assert_int_equal(box_query("hold").leg[0].quality.roc, 3);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_AUTH_FAILED), 0);
	call_end(&call);
}

/* The one who waits goes on sending (music on hold): its ROC must be followed. */
static void
follows_the_roc_of_who_sends_during_a_hold(void **state)
{
	struct call call;
	struct datagram sent, heard;

	call_start(&call, "music", SUITE, SUITE);
	carries_some(&call, 3);
	struct relay_leg_spec held = call.leg[1];
	held.flags |= RELAY_LEG_NO_SEND;
	assert_int_equal(box_update("music", 1, &held, RELAY_UPDATE_REMOTE), RELAY_OK);
	for (unsigned i = 0; i < 10; i++) {
		call.phone[0].index += 20000;
		phone_rtp(&call, 0, &sent, NULL);
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_false(box_receive(BOX_CORE, &heard));
		/* RTCP goes on: RFC 3264 8.4 */
		assert_true(call_carries_rtcp(&call, 0));
	}
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_LEG_ON_HOLD), 10);
	assert_int_equal(box_update("music", 1, &call.leg[1], RELAY_UPDATE_REMOTE), RELAY_OK);
	/* its listener heard nothing for three rollovers: the test's phone is told */
	call.phone[1].heard = call.phone[0].index;
	for (unsigned i = 0; i < 5; i++)
		assert_true(call_carries(&call, 0));
	call_end(&call);
}

static void
survives_a_reinvite_that_keeps_key_and_address(void **state)
{
	struct call call;

	call_start(&call, "reinvite", SUITE, RELAY_SUITE_AEAD_AES_256_GCM);
	walk_to(&call, 0, ROC(2) + 65530);
	walk_to(&call, 1, ROC(1) + 65530);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(box_update("reinvite", i, &call.leg[i],
					 RELAY_UPDATE_REMOTE | RELAY_UPDATE_RECEIVE |
						 RELAY_UPDATE_TRANSMIT | RELAY_UPDATE_TRANSPORT),
			RELAY_OK);
	carries_some(&call, 20);
	assert_int_equal(box_query("reinvite").leg[0].quality.roc, 3);
	call_end(&call);
}

/* RFC 4568 7.1.4: a new address brings a new key and ROC 0. */
static void
a_new_address_and_key_begin_at_roc_0(void **state)
{
	struct call call;

	call_start(&call, "moved", SUITE, SUITE);
	walk_to(&call, 0, ROC(3) + 100);
	new_receive_key(&call, 77);
	move(&call, "198.51.100.51", RELAY_UPDATE_RECEIVE);
	call.phone[0].index &= 0xffff;
	for (unsigned i = 0; i < 5; i++)
		assert_true(call_carries(&call, 0));
	call_end(&call);
}

/* ... but this one keeps its count. */
static void
a_new_key_with_the_old_roc_is_found(void **state)
{
	struct call call;

	call_start(&call, "kept", SUITE, SUITE);
	walk_to(&call, 0, ROC(3) + 100);
	new_receive_key(&call, 78);
	move(&call, "198.51.100.51", RELAY_UPDATE_RECEIVE);
	for (unsigned i = 0; i < 5; i++)
		assert_true(call_carries(&call, 0));
	assert_int_equal(box_query("kept").leg[0].quality.roc, 3);
	call_end(&call);
}

/* ... and this one begins anew with the key as it was. */
static void
the_old_key_at_roc_0_is_found(void **state)
{
	struct call call;

	/* forward of where it was, and back: the listener must be able to follow each */
	for (uint64_t begin = 100; begin < 65536; begin += 8000) {
		call_start(&call, "anew", SUITE, SUITE);
		call.renumbered = true;
		walk_to(&call, 0, ROC(2) + 30000);
		move(&call, "198.51.100.51", 0);
		call.phone[0].index = begin;
		for (unsigned i = 0; i < 5; i++)
			assert_true(call_carries(&call, 0));
		call_end(&call);
	}
}

/* No change was signalled: packets of an earlier ROC are replays, and stay out. */
static void
an_unsignalled_step_back_is_a_replay(void **state)
{
	struct call call;
	struct datagram old[10], out;

	call_start(&call, "back", SUITE, SUITE);
	for (unsigned i = 0; i < 10; i++)
		phone_rtp(&call, 0, &old[i], NULL);
	walk_to(&call, 0, ROC(2) + 1050);
	for (unsigned i = 0; i < 10; i++) {
		box_send(BOX_ACCESS, &old[i]);
		box_run();
		assert_false(box_receive(BOX_CORE, &out));
	}
	carries_some(&call, 5);
	call_end(&call);
}

/* While a change is signalled, a replay can look like a far end that began anew. It must not lock
 * out the real one. */
static void
a_replay_in_the_gap_locks_nobody_out(void **state)
{
	struct call call;
	struct datagram old[3], out;

	call_start(&call, "gap", SUITE, SUITE);
	call.renumbered = true;
	for (unsigned i = 0; i < 3; i++) {
		phone_rtp(&call, 0, &old[i], NULL);
		box_send(BOX_ACCESS, &old[i]);
		box_run();
		assert_true(box_receive(BOX_CORE, &out));
		assert_true(phone_hear(&call, 1, &out));
	}
	walk_to(&call, 0, ROC(3) + 40000);
	move(&call, "198.51.100.51", 0);
	for (unsigned i = 0; i < 3; i++) {
		old[i].from = call.phone[0].address;
		box_send(BOX_ACCESS, &old[i]);
		box_run();
		if (box_receive(BOX_CORE, &out))
			phone_hear(&call, 1, &out);
	}
	for (unsigned i = 0; i < 5; i++)
		assert_true(call_carries(&call, 0));
	call_end(&call);
}

/* Half the sequence numbers and more are lost in the network: the estimate is one short. */
static void
a_long_loss_is_stepped_over(void **state)
{
	struct call call;

	call_start(&call, "loss", SUITE, SUITE);
	walk_to(&call, 0, ROC(1) + 30000);
	box_pass(30);
	call.phone[0].index += 40000; /* over the wrap, and over half */
	call.phone[1].heard = 0;
	struct datagram sent, heard;
	for (unsigned i = 0; i < 3; i++) {
		phone_rtp(&call, 0, &sent, NULL);
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_true(box_receive(BOX_CORE, &heard));
	}
	call_end(&call);
}

static void
a_minute_of_silence_changes_nothing(void **state)
{
	struct call call;

	call_start(&call, "quiet", SUITE, SUITE);
	walk_to(&call, 0, ROC(1) + 65534);
	walk_to(&call, 1, 65534);
	box_pass(50);
	carries_some(&call, 10);
	call_end(&call);
}

static void
a_new_ssrc_starts_at_any_roc(void **state)
{
	struct call call;

	call_start(&call, "ssrc", SUITE, SUITE);
	walk_to(&call, 0, ROC(2) + 100);
	/* RFC 3711 wants ROC 0; some go on with the one they had */
	call.phone[0].ssrc++;
	call.phone[1].heard = 0;
	call.phone[0].index = 30000;
	assert_true(call_carries(&call, 0));
	call.phone[0].ssrc++;
	call.phone[1].heard = 0;
	call.phone[0].index = ROC(2) + 300;
	for (unsigned i = 0; i < 3; i++)
		assert_true(call_carries(&call, 0));
	call_end(&call);
}

/* The old key is good for a moment after the new one came, in any order. */
static void
both_keys_count_for_a_moment(void **state)
{
	struct call call;
	struct evp_srtp *old;

	call_start(&call, "overlap", SUITE, SUITE);
	walk_to(&call, 0, ROC(1) + 65500);
	old = evp_srtp_create(&call.leg[0].receive);
	new_receive_key(&call, 79);
	assert_int_equal(box_update("overlap", 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
	/* ten under the old key, then the new; two of the old come late */
	struct evp_srtp *fresh = call.phone[0].out;
	struct datagram late[2], out;
	call.phone[0].out = old;
	for (unsigned i = 0; i < 10; i++)
		assert_true(call_carries(&call, 0));
	for (unsigned i = 0; i < 2; i++)
		phone_rtp(&call, 0, &late[i], NULL);
	assert_true(call_carries(&call, 0));
	call.phone[0].out = fresh;
	call.phone[0].index &= 0xffff;
	for (unsigned i = 0; i < 40; i++)
		assert_true(call_carries(&call, 0));
	for (unsigned i = 0; i < 2; i++) {
		box_send(BOX_ACCESS, &late[i]);
		box_run();
		assert_true(box_receive(BOX_CORE, &out));
	}
	/* and then it is over */
	box_pass(5);
	call.phone[0].out = old;
	struct datagram sent;
	call.phone[0].index = ROC(2) + 200;
	phone_rtp(&call, 0, &sent, NULL);
	box_send(BOX_ACCESS, &sent);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	call.phone[0].out = fresh;
	call.phone[0].index = ROC(1) + 400; /* it has wrapped once under the new key */
	assert_true(call_carries(&call, 0));
	evp_srtp_destroy(old);
	call_end(&call);
}

/* A sender with both keys and their MKIs: each says which it is. */
static void
mkis_tell_the_keys_apart(void **state)
{
	struct call call;
	struct evp_srtp *old;

	call_plan(&call, "mki", SUITE, SUITE);
	call.leg[0].receive.mki_length = 4;
	memcpy(call.leg[0].receive.mki, "\0\0\0\1", 4);
	call_open(&call);
	carries_some(&call, 5);
	old = evp_srtp_create(&call.leg[0].receive);
	new_receive_key(&call, 80);
	call.leg[0].receive.mki_length = 4;
	memcpy(call.leg[0].receive.mki, "\0\0\0\2", 4);
	evp_srtp_destroy(call.phone[0].out);
	call.phone[0].out = evp_srtp_create(&call.leg[0].receive);
	assert_int_equal(box_update("mki", 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
	struct evp_srtp *fresh = call.phone[0].out;
	call.phone[0].out = old;
	assert_true(call_carries(&call, 0));
	call.phone[0].out = fresh;
	assert_true(call_carries(&call, 0));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_AUTH_FAILED), 0);
	evp_srtp_destroy(old);
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_a_hold_of_ten_minutes),
		cmocka_unit_test(follows_the_roc_of_who_sends_during_a_hold),
		cmocka_unit_test(survives_a_reinvite_that_keeps_key_and_address),
		cmocka_unit_test(a_new_address_and_key_begin_at_roc_0),
		cmocka_unit_test(a_new_key_with_the_old_roc_is_found),
		cmocka_unit_test(the_old_key_at_roc_0_is_found),
		cmocka_unit_test(an_unsignalled_step_back_is_a_replay),
		cmocka_unit_test(a_replay_in_the_gap_locks_nobody_out),
		cmocka_unit_test(a_long_loss_is_stepped_over),
		cmocka_unit_test(a_minute_of_silence_changes_nothing),
		cmocka_unit_test(a_new_ssrc_starts_at_any_roc),
		cmocka_unit_test(both_keys_count_for_a_moment),
		cmocka_unit_test(mkis_tell_the_keys_apart),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
