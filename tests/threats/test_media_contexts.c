/* SPDX-License-Identifier: BSD-3-Clause */
/* New and several SSRCs; SRTCP in clear; the ends of indices and lifetimes; sessions that are
 * deleted while their packets are on the way. */
#include "dataplane/flow.h"
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80

static void
contexts_are_for_genuine_ssrcs(void **state)
{
	struct call call;
	struct datagram sent;

	call_start(&call, "ssrcs", SUITE, SUITE);
	for (unsigned i = 0; i < 20; i++) {
		call.phone[0].ssrc++;
		phone_rtp(&call, 0, &sent, NULL);
		sent.data[30] ^= 1;
		box_send(BOX_ACCESS, &sent);
		box_run();
	}
	assert_int_equal(box_query("ssrcs").leg[0].quality.ssrcs, 0);
	assert_true(call_carries(&call, 0));
	assert_int_equal(box_query("ssrcs").leg[0].quality.ssrcs, 1);
	call_end(&call);
}

static void
contexts_are_capped(void **state)
{
	struct call call;
	struct datagram sent, out;

	call_start(&call, "capped", SUITE, SUITE);
	uint32_t first = call.phone[0].ssrc;
	for (unsigned i = 0; i < FLOW_SSRC_MAX; i++) {
		call.phone[0].ssrc = first + i;
		assert_true(call_carries(&call, 0));
	}
	for (unsigned i = 0; i < 5; i++) {
		call.phone[0].ssrc = first + FLOW_SSRC_MAX + i;
		phone_rtp(&call, 0, &sent, NULL);
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_false(box_receive(BOX_CORE, &out));
	}
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_SSRC_LIMIT), 5);
	/* those that are there go on */
	for (unsigned i = 0; i < FLOW_SSRC_MAX; i++) {
		call.phone[0].ssrc = first + i;
		assert_true(call_carries(&call, 0));
	}
	call_end(&call);
}

static bool
rtcp_passes(struct call *call, const struct datagram *sent)
{
	struct datagram out;

	box_send(BOX_ACCESS, sent);
	box_run();
	return box_receive(BOX_CORE, &out);
}

static void
srtcp_in_clear_is_refused(void **state)
{
	struct call call;
	struct datagram sent;
	struct evp_srtp *clear;

	call_start(&call, "clear-rtcp", SUITE, SUITE);
	/* genuine in all but E */
	struct relay_crypto key = call.leg[0].receive;
	key.flags = RELAY_CRYPTO_UNENCRYPTED_SRTCP;
	clear = evp_srtp_create(&key);
	struct evp_srtp *own = call.phone[0].out;
	call.phone[0].out = clear;
	phone_rtcp(&call, 0, &sent, NULL);
	assert_false(rtcp_passes(&call, &sent));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_RTCP_UNENCRYPTED), 1);
	/* plain RTCP has no trailer at all */
	call.phone[0].out = own;
	struct datagram plain;
	phone_rtcp(&call, 0, &sent, &plain);
	assert_false(rtcp_passes(&call, &plain));
	assert_true(call_carries_rtcp(&call, 0));
	evp_srtp_destroy(clear);
	call_end(&call);
}

static void
srtcp_in_clear_passes_where_negotiated(void **state)
{
	static const enum relay_suite suites[] = {SUITE, RELAY_SUITE_AEAD_AES_128_GCM};
	struct call call;

	for (unsigned i = 0; i < 2; i++) {
		call_plan(&call, "agreed", suites[i], suites[i]);
		for (unsigned leg = 0; leg < 2; leg++) {
			call.leg[leg].receive.flags = RELAY_CRYPTO_UNENCRYPTED_SRTCP;
			call.leg[leg].transmit.flags = RELAY_CRYPTO_UNENCRYPTED_SRTCP;
		}
		call_open(&call);
		assert_true(call_carries_rtcp(&call, 0));
		assert_true(call_carries_rtcp(&call, 1));
		call_end(&call);
	}
}

/* The index of SRTCP has 31 bits: past its end is its beginning, which the window refuses. */
static void
the_srtcp_index_does_not_wrap(void **state)
{
	struct call call;
	struct datagram sent;

	call_start(&call, "wrap", SUITE, SUITE);
	call.phone[0].rtcp_index = 0x7ffffffd;
	assert_true(call_carries_rtcp(&call, 0));
	assert_true(call_carries_rtcp(&call, 0)); /* 0x7fffffff */
	call.phone[0].rtcp_index = 0;
	phone_rtcp(&call, 0, &sent, NULL);
	assert_false(rtcp_passes(&call, &sent));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_TOO_OLD), 1);
	call_end(&call);
}

static void
the_last_rtp_index_is_the_last(void **state)
{
	struct call call;
	struct datagram sent, out;

	call_plan(&call, "end", SUITE, SUITE);
	call.leg[0].receive.roc = UINT32_MAX;
	call_open(&call);
	call.phone[0].index = (UINT64_C(1) << 48) - 2;
	for (unsigned i = 0; i < 2; i++) {
		phone_rtp(&call, 0, &sent, NULL);
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_true(box_receive(BOX_CORE, &out));
	}
	call.phone[0].index = 0;
	phone_rtp(&call, 0, &sent, NULL);
	box_send(BOX_ACCESS, &sent);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	call_end(&call);
}

static void
nothing_is_sent_past_a_lifetime(void **state)
{
	struct call call;
	struct datagram sent, out;

	call_plan(&call, "lifetime", SUITE, SUITE);
	call.leg[0].receive.lifetime = 16;
	call.leg[0].transmit.lifetime = 8;
	call_open(&call);
	for (unsigned i = 0; i < 14; i++)
		assert_true(call_carries(&call, 0));
	box_pass(1);
	assert_int_equal(box_events(RELAY_EVENT_KEY_EXPIRING), 1);
	box_pass(1);
	assert_int_equal(box_events(RELAY_EVENT_KEY_EXPIRING), 0);
	assert_true(call_carries(&call, 0));
	assert_true(call_carries(&call, 0));
	phone_rtp(&call, 0, &sent, NULL);
	box_send(BOX_ACCESS, &sent);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_KEY_EXPIRED), 1);
	for (unsigned i = 0; i < 8; i++)
		assert_true(call_carries(&call, 1));
	phone_rtp(&call, 1, &sent, NULL);
	box_send(BOX_CORE, &sent);
	box_run();
	assert_false(box_receive(BOX_ACCESS, &out));
	/* new keys, and it goes on */
	box_srtp(&call.leg[0], SUITE, 4711);
	assert_int_equal(box_update("lifetime", 0, &call.leg[0],
				 RELAY_UPDATE_RECEIVE | RELAY_UPDATE_TRANSMIT),
		RELAY_OK);
	call_rekey(&call, 0);
	call.phone[0].heard = 0;
	call.phone[0].index &= 0xffff;
	assert_true(call_carries(&call, 0));
	assert_true(call_carries(&call, 1));
	call_end(&call);
}

/* Its packets are in the worker's queue when a session is deleted, and another takes its place. */
static void
a_deleted_session_is_not_used(void **state)
{
	uint64_t before = box_drops(RELAY_DROP_PORT_UNKNOWN);
	struct datagram sent, out;
	struct call call;

	for (unsigned round = 0; round < 200; round++) {
		char id[32];
		snprintf(id, sizeof(id), "short-%u", round);
		call_start(&call, id, SUITE, SUITE);
		assert_true(call_carries(&call, round % 2));
		for (unsigned i = 0; i < 5; i++) {
			phone_rtp(&call, 0, &sent, NULL);
			box_send(BOX_ACCESS, &sent);
		}
		box_delete(id);
		box_run();
		assert_false(box_receive(BOX_CORE, &out));
		call_end(&call);
	}
	assert_int_equal(box_drops(RELAY_DROP_PORT_UNKNOWN) - before, 1000);
	assert_int_equal(sessions_count(), 0);
}

static void
one_way_and_time_out_are_told(void **state)
{
	struct call call;

	call_start(&call, "one-way", SUITE, SUITE);
	box_events(RELAY_EVENT_ONE_WAY);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(call_carries(&call, 0));
		box_pass(1);
	}
	assert_int_equal(box_events(RELAY_EVENT_ONE_WAY), 1);
	assert_true(call_carries(&call, 1));
	box_pass(1);
	assert_int_equal(box_events(RELAY_EVENT_BOTH_WAYS), 1);
	box_events(RELAY_EVENT_TIMEOUT);
	box_pass(58);
	assert_int_equal(box_events(RELAY_EVENT_TIMEOUT), 0);
	box_pass(5);
	assert_int_equal(box_events(RELAY_EVENT_TIMEOUT), 1);
	assert_int_equal(sessions_count(), 0);
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contexts_are_for_genuine_ssrcs),
		cmocka_unit_test(contexts_are_capped),
		cmocka_unit_test(srtcp_in_clear_is_refused),
		cmocka_unit_test(srtcp_in_clear_passes_where_negotiated),
		cmocka_unit_test(the_srtcp_index_does_not_wrap),
		cmocka_unit_test(the_last_rtp_index_is_the_last),
		cmocka_unit_test(nothing_is_sent_past_a_lifetime),
		cmocka_unit_test(a_deleted_session_is_not_used),
		cmocka_unit_test(one_way_and_time_out_are_told),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
