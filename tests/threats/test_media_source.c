/* SPDX-License-Identifier: BSD-3-Clause */
/* RTP Bleed and RTP inject: packets from a stranger to a leg's port; and scans of the ports. */
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define STRANGER "198.51.100.66"

/* What a phone's packet looks like when it comes from elsewhere. */
static void
send_from(struct call *call, unsigned leg, const char *ip, uint16_t port)
{
	struct datagram sent;

	phone_rtp(call, leg, &sent, NULL);
	sent.from = box_address(ip, port);
	box_send(call->phone[leg].side, &sent);
	box_run();
}

/* Where the relay sends what phone `leg` is to hear, after the other one has spoken. */
static struct relay_addr
goes_to(struct call *call, unsigned leg)
{
	struct datagram sent, heard = {.length = 0};

	phone_rtp(call, 1 - leg, &sent, NULL);
	box_send(call->phone[1 - leg].side, &sent);
	box_run();
	assert_true(box_receive(call->phone[leg].side, &heard));
	return heard.to;
}

static void
drain(enum box_side side)
{
	struct datagram out;

	while (box_receive(side, &out))
		;
}

static void
a_stranger_moves_no_srtp_leg(void **state)
{
	struct call call;
	struct datagram sent;

	call_plan(&call, "bleed", SUITE, SUITE);
	call.leg[0].flags |= RELAY_LEG_LATCH;
	call_open(&call);
	assert_true(call_carries(&call, 0));
	for (unsigned i = 0; i < 20; i++) {
		/* looks right, but for one bit; then garbage; then a replay */
		phone_rtp(&call, 0, &sent, NULL);
		sent.from = box_address(STRANGER, (uint16_t)(1024 + i));
		if (i % 2 == 0)
			sent.data[20] ^= 1;
		else
			memset(sent.data + 12, (int)i, sent.length - 12);
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_false(box_receive(BOX_CORE, &sent));
	}
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_AUTH_FAILED), 20);
	struct relay_addr where = goes_to(&call, 0);
	assert_true(relay_addr_equal(&where, &call.phone[0].address));
	assert_int_equal(box_events(RELAY_EVENT_LATCHED), 0);
	call_end(&call);
}

static void
a_replay_from_elsewhere_moves_no_leg(void **state)
{
	struct call call;
	struct datagram sent, out;

	call_plan(&call, "replayed", SUITE, SUITE);
	call.leg[0].flags |= RELAY_LEG_LATCH;
	call_open(&call);
	phone_rtp(&call, 0, &sent, NULL);
	for (unsigned i = 0; i < 2; i++) {
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_int_equal(box_receive(BOX_CORE, &out), i == 0);
		sent.from = box_address(STRANGER, 5000);
	}
	struct relay_addr where = goes_to(&call, 0);
	assert_true(relay_addr_equal(&where, &call.phone[0].address));
	call_end(&call);
}

static void
a_genuine_packet_moves_the_leg(void **state)
{
	struct call call;

	call_plan(&call, "moved", SUITE, SUITE);
	call.leg[0].flags |= RELAY_LEG_LATCH;
	call_open(&call);
	send_from(&call, 0, "198.51.100.77", 6000);
	struct datagram out;
	assert_true(box_receive(BOX_CORE, &out));
	struct relay_addr where = goes_to(&call, 0), wanted = box_address("198.51.100.77", 6000);
	assert_true(relay_addr_equal(&where, &wanted));
	assert_int_equal(box_events(RELAY_EVENT_LATCHED), 1);
	assert_true(box_query("moved").leg[0].latched);
	call_end(&call);
}

static void
without_leave_no_packet_moves_it(void **state)
{
	struct call call;
	struct datagram out;

	call_start(&call, "strict", SUITE, SUITE);
	send_from(&call, 0, STRANGER, 6000);
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_SOURCE_MISMATCH), 1);
	assert_true(call_carries(&call, 0));
	call_end(&call);
}

static void
a_clear_leg_takes_the_sdp_address_only(void **state)
{
	struct call call;
	struct datagram out;

	call_start(&call, "clear", RELAY_SUITE_NONE, SUITE);
	send_from(&call, 0, STRANGER, CALL_PORT);
	send_from(&call, 0, "198.51.100.50", CALL_PORT + 2);
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_SOURCE_MISMATCH), 2);
	assert_true(call_carries(&call, 0));
	struct relay_addr where = goes_to(&call, 0);
	assert_true(relay_addr_equal(&where, &call.phone[0].address));
	call_end(&call);
}

static void
a_clear_leg_learns_once_and_soon(void **state)
{
	struct call call;
	struct datagram out;

	/* the signalling came from 198.51.100.50; the NAT has given the media another port */
	call_plan(&call, "learn", RELAY_SUITE_NONE, SUITE);
	call.leg[0].flags |= RELAY_LEG_LATCH;
	call_open(&call);
	send_from(&call, 0, STRANGER, 7777);
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_SOURCE_MISMATCH), 1);
	send_from(&call, 0, "198.51.100.50", 7000);
	assert_true(box_receive(BOX_CORE, &out));
	struct relay_addr where = goes_to(&call, 0), wanted = box_address("198.51.100.50", 7000);
	assert_true(relay_addr_equal(&where, &wanted));
	/* never again */
	send_from(&call, 0, "198.51.100.50", 7002);
	assert_false(box_receive(BOX_CORE, &out));
	where = goes_to(&call, 0);
	assert_true(relay_addr_equal(&where, &wanted));
	call_end(&call);
	/* nor late */
	call_plan(&call, "late", RELAY_SUITE_NONE, SUITE);
	call.leg[0].flags |= RELAY_LEG_LATCH;
	call_open(&call);
	box_pass(RELAY_LEARN_MS / 1000 + 2);
	send_from(&call, 0, "198.51.100.50", 7000);
	assert_false(box_receive(BOX_CORE, &out));
	call_end(&call);
}

static void
udptl_takes_the_sdp_address_only(void **state)
{
	struct call call;
	struct datagram out, fax = {.length = 33};

	call_plan(&call, "fax", RELAY_SUITE_NONE, RELAY_SUITE_NONE);
	call.leg[0].transport = call.leg[1].transport = RELAY_TRANSPORT_UDPTL;
	call_open(&call);
	memset(fax.data, 0x5a, fax.length);
	fax.to = call.info.leg[0].local_rtp;
	fax.from = box_address(STRANGER, CALL_PORT);
	box_send(BOX_ACCESS, &fax);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	fax.from = call.phone[0].address;
	box_send(BOX_ACCESS, &fax);
	box_run();
	assert_true(box_receive(BOX_CORE, &out));
	assert_int_equal(out.length, fax.length);
	assert_memory_equal(out.data, fax.data, fax.length);
	call_end(&call);
}

static void
a_scan_meets_silence(void **state)
{
	uint64_t before = box_drops(RELAY_DROP_PORT_UNKNOWN);
	struct call call;
	struct datagram probe, out;
	uint8_t frame[64];

	call_start(&call, "scanned", SUITE, SUITE);
	phone_rtp(&call, 0, &probe, NULL);
	for (unsigned port = 20000; port < 20400; port++) {
		probe.to.port = (uint16_t)port;
		probe.from = box_address(STRANGER, 1234);
		if (port / 2 == call.info.leg[0].local_rtp.port / 2)
			continue;
		box_send(BOX_ACCESS, &probe);
		box_run();
	}
	assert_int_equal(box_drops(RELAY_DROP_PORT_UNKNOWN) - before, 398);
	assert_false(box_receive(BOX_CORE, &out));
	assert_false(box_receive(BOX_ACCESS, &out));
	/* the kernel would answer ICMP port unreachable: it never sees them */
	assert_int_equal(box_to_kernel(BOX_ACCESS, frame, sizeof(frame)), 0);
	drain(BOX_ACCESS);
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stranger_moves_no_srtp_leg),
		cmocka_unit_test(a_replay_from_elsewhere_moves_no_leg),
		cmocka_unit_test(a_genuine_packet_moves_the_leg),
		cmocka_unit_test(without_leave_no_packet_moves_it),
		cmocka_unit_test(a_clear_leg_takes_the_sdp_address_only),
		cmocka_unit_test(a_clear_leg_learns_once_and_soon),
		cmocka_unit_test(udptl_takes_the_sdp_address_only),
		cmocka_unit_test(a_scan_meets_silence),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
