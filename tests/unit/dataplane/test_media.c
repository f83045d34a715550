/* SPDX-License-Identifier: BSD-3-Clause */
/* RTP as it is in the wild, through the whole data plane: every pair of suites, odd headers, MKIs,
 * families, VLANs, DSCP, T.38; and what is told of it. */
#include "dataplane/srtp_stream.h"
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define SUITE_32 RELAY_SUITE_AES_CM_128_HMAC_SHA1_32

static void
carries_all(struct call *call)
{
	for (unsigned i = 0; i < 4; i++)
		for (unsigned leg = 0; leg < 2; leg++) {
			assert_true(call_carries(call, leg));
			assert_true(call_carries_rtcp(call, leg));
		}
}

/* In clear and all eight suites, on either leg; with and without rtcp-mux; MKIs of some lengths. */
static void
every_pair_of_suites(void **state)
{
	static const uint8_t mkis[] = {0, 1, 4, 128};
	unsigned pairs = 0;

	for (unsigned a = 0; a < RELAY_SUITE_COUNT; a++)
		for (unsigned b = 0; b < RELAY_SUITE_COUNT; b++) {
			struct call call;
			call_plan(&call, "pair", a, b);
			for (unsigned leg = 0; leg < 2; leg++) {
				struct relay_leg_spec *spec = &call.leg[leg];
				if ((pairs >> leg & 1) != 0)
					spec->flags |= RELAY_LEG_RTCP_MUX;
				if (spec->transport != RELAY_TRANSPORT_SRTP)
					continue;
				spec->receive.mki_length = mkis[pairs % 4];
				spec->transmit.mki_length = mkis[(pairs + 1) % 4];
				memset(spec->receive.mki, (int)pairs + 1, RELAY_MKI_MAX);
				memset(spec->transmit.mki, (int)pairs + 2, RELAY_MKI_MAX);
			}
			call_open(&call);
			carries_all(&call);
			call_end(&call);
			pairs++;
		}
	assert_int_equal(pairs, 81);
}

static void
odd_headers(void **state)
{
	struct call call;

	call_start(&call, "odd", SUITE, RELAY_SUITE_AEAD_AES_256_GCM);
	for (unsigned csrcs = 0; csrcs < 16; csrcs += 5)
		for (unsigned extension = 0; extension < 2; extension++)
			for (unsigned padding = 0; padding < 256; padding += 51) {
				call.phone[0].csrcs = (uint8_t)csrcs;
				call.phone[0].extension = extension;
				call.phone[0].padding = (uint8_t)padding;
				call.phone[1] = call.phone[1];
				assert_true(call_carries(&call, 0));
				assert_true(call_carries(&call, 1));
			}
	call_end(&call);
}

/* Ten packets, in an order that a network may give them. */
static void
reordered_and_lost(void **state)
{
	static const uint8_t order[] = {0, 2, 1, 5, 4, 3, 9, 7, 8, 6};
	struct datagram sent[10], heard;
	struct call call;

	call_start(&call, "order", SUITE, SUITE_32);
	call.phone[0].index = 65531; /* and over the wrap */
	for (unsigned i = 0; i < 10; i++)
		phone_rtp(&call, 0, &sent[i], NULL);
	for (unsigned i = 0; i < 10; i++)
		box_send(BOX_ACCESS, &sent[order[i]]);
	box_run();
	call.phone[1].heard = 65531;
	for (unsigned i = 0; i < 10; i++) {
		assert_true(box_receive(BOX_CORE, &heard));
		assert_true(phone_hear(&call, 1, &heard));
	}
	/* jumps of a talk spurt's silence, and of thousands */
	for (unsigned i = 0; i < 40; i++) {
		call.phone[0].index += i * 700;
		call.phone[0].timestamp += i * 160000;
		assert_true(call_carries(&call, 0));
	}
	call_end(&call);
}

/* The first two packets of an SSRC in one batch, with the sequence's wrap between them. */
static void
a_wrap_in_the_first_batch(void **state)
{
	struct datagram sent[2], heard;
	struct call call;

	call_start(&call, "first", SUITE, SUITE);
	call.phone[0].index = 65535;
	for (unsigned i = 0; i < 2; i++) {
		phone_rtp(&call, 0, &sent[i], NULL);
		box_send(BOX_ACCESS, &sent[i]);
	}
	box_run();
	for (unsigned i = 0; i < 2; i++) {
		assert_true(box_receive(BOX_CORE, &heard));
		assert_true(phone_hear(&call, 1, &heard));
	}
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_AUTH_FAILED), 0);
	call_end(&call);
}

static void
families_meet(void **state)
{
	struct call call;

	call_plan(&call, "6-to-4", SUITE, RELAY_SUITE_AEAD_AES_128_GCM);
	call.phone[0].address = box_address("2001:db8:a::50", CALL_PORT);
	call.leg[0].remote_rtp = call.phone[0].address;
	call_open(&call);
	assert_int_equal(call.info.leg[0].local_rtp.ip.family, 6);
	assert_int_equal(call.info.leg[1].local_rtp.ip.family, 4);
	carries_all(&call);
	call_end(&call);

	call_plan(&call, "6-to-6", SUITE, RELAY_SUITE_NONE);
	for (unsigned i = 0; i < 2; i++) {
		call.phone[i].address =
			box_address(i == 0 ? "2001:db8:a::50" : "2001:db8:c::50", CALL_PORT);
		call.leg[i].remote_rtp = call.phone[i].address;
	}
	call_open(&call);
	carries_all(&call);
	call_end(&call);
}

static void
a_family_can_be_asked_for(void **state)
{
	struct call call;

	call_plan(&call, "asked", SUITE, SUITE);
	memset(&call.leg[0].remote_rtp, 0, sizeof(call.leg[0].remote_rtp));
	call.leg[0].local_rtp.ip.family = 6;
	call_open(&call);
	assert_int_equal(call.info.leg[0].local_rtp.ip.family, 6);
	call_end(&call);
}

static void
vlan_and_dscp(void **state)
{
	struct datagram sent, heard;
	struct call call;

	call_plan(&call, "vlan", SUITE, SUITE);
	call.phone[1].side = BOX_TAGGED;
	call.phone[1].address = box_address("192.0.2.60", CALL_PORT);
	call.leg[1] = box_leg(BOX_TAGGED, "192.0.2.60", CALL_PORT);
	box_srtp(&call.leg[1], SUITE, 99);
	call.leg[0].flags |= RELAY_LEG_DSCP;
	call.leg[0].dscp = 10;
	call_open(&call);
	phone_rtp(&call, 0, &sent, NULL);
	box_send(BOX_ACCESS, &sent);
	box_run();
	assert_true(box_receive(BOX_TAGGED, &heard));
	assert_int_equal(heard.vlan, BOX_VLAN);
	assert_int_equal(heard.dscp, 46);
	phone_rtp(&call, 1, &sent, NULL);
	box_send(BOX_TAGGED, &sent);
	box_run();
	assert_true(box_receive(BOX_ACCESS, &heard));
	assert_int_equal(heard.vlan, 0);
	assert_int_equal(heard.dscp, 10);
	carries_all(&call);
	call_end(&call);
}

/* No key, no window: a far end may begin anew as it likes. */
static void
clear_to_clear_passes_untouched(void **state)
{
	struct call call;

	call_start(&call, "clear", RELAY_SUITE_NONE, RELAY_SUITE_NONE);
	for (unsigned round = 0; round < 3; round++) {
		call.phone[0].index = 5000;
		for (unsigned i = 0; i < 10; i++)
			assert_true(call_carries(&call, 0));
	}
	call_end(&call);
}

static void
udptl_passes_untouched(void **state)
{
	struct datagram fax, heard;
	struct call call;

	call_plan(&call, "t38", RELAY_SUITE_NONE, RELAY_SUITE_NONE);
	call.leg[0].transport = call.leg[1].transport = RELAY_TRANSPORT_UDPTL;
	call_open(&call);
	for (unsigned length = 1; length < 1400; length += 97) {
		memset(&fax, 0, sizeof(fax));
		fax.from = call.phone[0].address;
		fax.to = call.info.leg[0].local_rtp;
		fax.length = length;
		memset(fax.data, (int)length, length);
		box_send(BOX_ACCESS, &fax);
		box_run();
		assert_true(box_receive(BOX_CORE, &heard));
		assert_int_equal(heard.length, length);
		assert_memory_equal(heard.data, fax.data, length);
	}
	call_end(&call);
}

/* A call that goes on as a fax: from SRTP to UDPTL by updates, one leg after the other. */
static void
a_call_becomes_a_fax(void **state)
{
	struct datagram fax = {.length = 40}, heard;
	struct call call;

	call_start(&call, "becomes", SUITE, SUITE);
	assert_true(call_carries(&call, 0));
	for (unsigned leg = 0; leg < 2; leg++) {
		struct relay_leg_spec spec = call.leg[leg];
		spec.transport = RELAY_TRANSPORT_UDPTL;
		assert_int_equal(
			box_update("becomes", leg, &spec, RELAY_UPDATE_TRANSPORT), RELAY_OK);
	}
	fax.from = call.phone[0].address;
	fax.to = call.info.leg[0].local_rtp;
	box_send(BOX_ACCESS, &fax);
	box_run();
	assert_true(box_receive(BOX_CORE, &heard));
	assert_int_equal(heard.length, 40);
	call_end(&call);
}

static void
quality_is_told(void **state)
{
	struct call call;
	struct datagram lost;

	call_start(&call, "quality", SUITE, SUITE);
	for (unsigned i = 0; i < 200; i++) {
		if (i % 20 == 10)
			phone_rtp(&call, 0, &lost, NULL);
		assert_true(call_carries(&call, 0));
		box_leap(20);
	}
	struct relay_quality quality = box_query("quality").leg[0].quality;
	assert_int_equal(quality.ssrc, call.phone[0].ssrc);
	assert_int_equal(quality.expected, 210);
	assert_int_equal(quality.lost, 10);
	assert_in_range(quality.jitter_us, 0, 3000);
	/* G.711 with 4.8 % of loss: R about 78 */
	assert_in_range(quality.mos_100, 350, 420);
	assert_int_equal(quality.round_trip_us, RELAY_UNKNOWN);
	assert_int_equal(quality.ssrcs, 1);
	call_end(&call);
}

static void
put_32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A receiver report of phone 1 about phone 0's stream: a tenth was lost, and the report that it
 * answers was held for 20 ms. */
static void
report_back(struct call *call, uint32_t last_report)
{
	struct datagram sent, heard;
	uint8_t *at;

	memset(&sent, 0, sizeof(sent));
	sent.from = call->phone[1].address;
	sent.from.port++;
	sent.to = call->info.leg[1].local_rtcp;
	at = sent.data;
	memcpy(at, "\x81\xc9\0\7", 4);
	put_32(at + 4, call->phone[1].ssrc);
	put_32(at + 8, call->phone[0].ssrc);
	put_32(at + 12, 26u << 24 | 5);
	put_32(at + 20, 80); /* jitter: 10 ms at 8000 Hz */
	put_32(at + 24, last_report);
	put_32(at + 28, 65536 / 50);
	sent.length = 32;
	evp_srtp_protect_rtcp(call->phone[1].out, 77, sent.data, &sent.length);
	box_send(BOX_CORE, &sent);
	box_run();
	assert_true(box_receive(BOX_ACCESS, &heard));
}

static void
reports_are_read(void **state)
{
	struct call call;

	call_plan(&call, "reports", SUITE, RELAY_SUITE_AEAD_AES_128_GCM);
	call.leg[0].clock_rate = call.leg[1].clock_rate = 8000;
	call_open(&call);
	assert_true(call_carries(&call, 0));
	assert_true(call_carries_rtcp(&call, 0));
	box_leap(70);
	report_back(&call, 0); /* it has had no report yet */
	struct relay_quality quality = box_query("reports").leg[1].quality;
	assert_int_equal(quality.remote_lost, 5);
	assert_int_equal(quality.remote_lost_256, 26);
	assert_int_equal(quality.remote_jitter_us, 10000);
	call_end(&call);
}

static void
the_round_trip_is_told(void **state)
{
	struct call call;

	call_start(&call, "round-trip", SUITE, SUITE);
	assert_true(call_carries(&call, 0));
	call.phone[0].rtcp_index = 0x1234; /* the NTP seconds end in it */
	assert_true(call_carries_rtcp(&call, 0));
	box_leap(70);
	report_back(&call, 0x1234u << 16);
	struct relay_quality quality = box_query("round-trip").leg[1].quality;
	/* 70 ms, less the 20 that the far end held it */
	assert_in_range(quality.round_trip_us, 49000, 53000);
	assert_int_equal(box_query("round-trip").leg[0].quality.round_trip_us, RELAY_UNKNOWN);
	call_end(&call);
}

static void
a_session_has_its_size(void **state)
{
	/* what a carrier counts with; all of keys, state, addresses, names and ports */
	fprintf(stderr, "a two-leg AES_CM_128 session: %zu bytes\n", session_bytes());
	assert_true(session_bytes() < 2048);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_of_suites),
		cmocka_unit_test(odd_headers),
		cmocka_unit_test(reordered_and_lost),
		cmocka_unit_test(a_wrap_in_the_first_batch),
		cmocka_unit_test(families_meet),
		cmocka_unit_test(a_family_can_be_asked_for),
		cmocka_unit_test(vlan_and_dscp),
		cmocka_unit_test(clear_to_clear_passes_untouched),
		cmocka_unit_test(udptl_passes_untouched),
		cmocka_unit_test(a_call_becomes_a_fax),
		cmocka_unit_test(quality_is_told),
		cmocka_unit_test(reports_are_read),
		cmocka_unit_test(the_round_trip_is_told),
		cmocka_unit_test(a_session_has_its_size),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
