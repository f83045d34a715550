/* SPDX-License-Identifier: BSD-3-Clause */
/* A steady stream's packets take a short way through the relay (srtp_plain.h): what must stop or
 * move them stops and moves them there too. */
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define STRANGER "198.51.100.66"

static void
carries_some(struct call *call, unsigned leg, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_true(call_carries(call, leg));
}

/* The phone's next packet, genuine, from another address: is it relayed? */
static bool
passes_from(struct call *call, const char *ip)
{
	struct datagram sent, heard;

	phone_rtp(call, 0, &sent, NULL);
	sent.from = box_address(ip, 7000);
	box_send(BOX_ACCESS, &sent);
	box_run();
	return box_receive(BOX_CORE, &heard) && phone_hear(call, 1, &heard);
}

static void
a_hold_stops_it(void **state)
{
	struct call call;
	struct datagram sent, heard;

	call_start(&call, "hold", SUITE, SUITE);
	carries_some(&call, 0, 5);
	struct relay_leg_spec held = call.leg[1];
	held.flags |= RELAY_LEG_NO_SEND;
	assert_int_equal(box_update("hold", 1, &held, RELAY_UPDATE_REMOTE), RELAY_OK);
	for (unsigned i = 0; i < 10; i++) {
		phone_rtp(&call, 0, &sent, NULL);
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_false(box_receive(BOX_CORE, &heard));
	}
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_LEG_ON_HOLD), 10);
	assert_int_equal(box_update("hold", 1, &call.leg[1], RELAY_UPDATE_REMOTE), RELAY_OK);
	carries_some(&call, 0, 5);
	call_end(&call);
}

/* Without RELAY_LEG_LATCH nobody moves it, though he had the key. */
static void
an_address_that_may_not_move_does_not(void **state)
{
	struct call call;

	call_start(&call, "fixed", SUITE, SUITE);
	carries_some(&call, 0, 5);
	assert_false(passes_from(&call, STRANGER));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_SOURCE_MISMATCH), 1);
	carries_some(&call, 0, 5);
	call_end(&call);
}

static void
an_address_that_may_move_does(void **state)
{
	struct call call;
	struct datagram sent, heard;

	call_plan(&call, "moves", SUITE, SUITE);
	call.leg[0].flags |= RELAY_LEG_LATCH;
	call_open(&call);
	carries_some(&call, 0, 5);
	assert_true(passes_from(&call, STRANGER));
	assert_int_equal(box_events(RELAY_EVENT_LATCHED), 1);
	phone_rtp(&call, 1, &sent, NULL);
	box_send(BOX_CORE, &sent);
	box_run();
	assert_true(box_receive(BOX_ACCESS, &heard));
	struct relay_addr moved = box_address(STRANGER, 7000);
	assert_true(relay_addr_equal(&heard.to, &moved));
	call_end(&call);
}

/* The far end begins with its new key at ROC 0 (RFC 4568 7.1.4), whatever came first under it. */
static void
a_new_transmit_key_begins_anew(void **state)
{
	struct call call;
	struct relay_leg_spec other;

	call_plan(&call, "rekeyed", SUITE, SUITE);
	call.renumbered = true;
	call_open(&call);
	for (unsigned i = 0; i < 8; i++) {
		call.phone[0].index += 10000;
		carries_some(&call, 0, 3);
	}
	other = box_leg(BOX_CORE, NULL, 0);
	box_srtp(&other, SUITE, 4711);
	call.leg[1].transmit = other.transmit;
	assert_int_equal(box_update("rekeyed", 1, &call.leg[1], RELAY_UPDATE_TRANSMIT), RELAY_OK);
	call_rekey(&call, 1);
	call.phone[1].heard = 0;
	assert_true(call_carries_rtcp(&call, 0));
	carries_some(&call, 0, 5);
	assert_true(call.phone[1].heard < 1 << 16);
	call_end(&call);
}

/* Packets under the old key are on their way, or the far end has not been told yet. */
static void
an_old_key_counts_on_for_a_while(void **state)
{
	struct call call;
	struct relay_leg_spec other;
	struct datagram old, heard;

	call_start(&call, "overlap", SUITE, SUITE);
	carries_some(&call, 0, 5);
	phone_rtp(&call, 0, &old, NULL);
	other = box_leg(BOX_ACCESS, NULL, 0);
	box_srtp(&other, SUITE, 815);
	call.leg[0].receive = other.receive;
	assert_int_equal(box_update("overlap", 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
	box_send(BOX_ACCESS, &old);
	box_run();
	assert_true(box_receive(BOX_CORE, &heard) && phone_hear(&call, 1, &heard));
	call_rekey(&call, 0);
	carries_some(&call, 0, 5);
	box_pass(10);
	carries_some(&call, 0, 5);
	call_end(&call);
}

/* From the far end's own address, and next in order, but for the tag: no more are verified than the
 * budget has. */
static void
forgeries_of_its_next_packet_cost_a_budget(void **state)
{
	struct call call;
	struct datagram forged;

	call_start(&call, "forged", SUITE, SUITE);
	carries_some(&call, 0, 5);
	phone_rtp(&call, 0, &forged, NULL);
	call.phone[0].index--;
	forged.data[forged.length - 1] ^= 1;
	for (unsigned i = 0; i < 1000; i++) {
		box_send(BOX_ACCESS, &forged);
		box_run();
	}
	uint64_t verified = call_drops(&call, 0, RELAY_DROP_AUTH_FAILED);
	assert_in_range(verified, 100, 700);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_AUTH_THROTTLED), 1000 - verified);
	box_pass(2);
	carries_some(&call, 0, 5);
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hold_stops_it),
		cmocka_unit_test(an_address_that_may_not_move_does_not),
		cmocka_unit_test(an_address_that_may_move_does),
		cmocka_unit_test(a_new_transmit_key_begins_anew),
		cmocka_unit_test(an_old_key_counts_on_for_a_while),
		cmocka_unit_test(forgeries_of_its_next_packet_cost_a_budget),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
