/* SPDX-License-Identifier: BSD-3-Clause */
/* Replayed and very old packets; and two packets under one keystream, which must never be. */
#include "dataplane/srtp_stream.h"
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80

static bool
passes(struct call *call, const struct datagram *sent, enum box_side out)
{
	struct datagram heard;

	box_send(call->phone[0].side, sent);
	box_run();
	return box_receive(out, &heard);
}

static void
rtp_is_taken_once(void **state)
{
	static struct datagram sent[300];
	struct call call;

	call_start(&call, "once", SUITE, SUITE);
	for (unsigned i = 0; i < 300; i++) {
		phone_rtp(&call, 0, &sent[i], NULL);
		/* one is late: it is the only one that may still come */
		if (i != 300 - SRTP_REPLAY_WINDOW)
			assert_true(passes(&call, &sent[i], BOX_CORE));
	}
	assert_true(passes(&call, &sent[300 - SRTP_REPLAY_WINDOW], BOX_CORE));
	for (unsigned i = 0; i < 300; i++)
		assert_false(passes(&call, &sent[i], BOX_CORE));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_REPLAYED), SRTP_REPLAY_WINDOW);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_TOO_OLD), 300 - SRTP_REPLAY_WINDOW);
	call_end(&call);
}

static void
srtcp_is_taken_once(void **state)
{
	static struct datagram sent[100];
	struct call call;

	call_start(&call, "rtcp-once", SUITE, RELAY_SUITE_AEAD_AES_128_GCM);
	for (unsigned i = 0; i < 100; i++) {
		phone_rtcp(&call, 0, &sent[i], NULL);
		assert_true(passes(&call, &sent[i], BOX_CORE));
	}
	for (unsigned i = 0; i < 100; i++)
		assert_false(passes(&call, &sent[i], BOX_CORE));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_REPLAYED), SRTCP_REPLAY_WINDOW);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_TOO_OLD), 100 - SRTCP_REPLAY_WINDOW);
	call_end(&call);
}

/* A clear leg's packet may be sent twice by anyone on its network: under a transmit key it would be
 * two packets with one index. */
static void
clear_rtp_is_taken_once_too(void **state)
{
	struct call call;
	struct datagram sent;

	call_start(&call, "clear-once", RELAY_SUITE_NONE, SUITE);
	phone_rtp(&call, 0, &sent, NULL);
	assert_true(passes(&call, &sent, BOX_CORE));
	sent.data[50] ^= 0xff;
	assert_false(passes(&call, &sent, BOX_CORE));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_REPLAYED), 1);
	call_end(&call);
}

#define SEEN_MAX 4096
static struct {
	uint64_t index[SEEN_MAX];
	unsigned count;
} seen;

/* Notes the index that a packet to phone 1 was sent with, under one key: new each time? */
static void
note_index(struct call *call, struct datagram *heard)
{
	for (uint32_t roc = 0; roc < 16; roc++) {
		struct datagram copy = *heard;
		if (!evp_srtp_unprotect(call->phone[1].in, roc, copy.data, &copy.length))
			continue;
		uint64_t index = (uint64_t)roc << 16 | (uint64_t)(copy.data[2] << 8 | copy.data[3]);
		for (unsigned i = 0; i < seen.count; i++)
			assert_int_not_equal(seen.index[i], index);
		seen.index[seen.count++] = index;
		return;
	}
	fail_msg("no ROC up to 15 fits what was sent");
}

static void
say_some(struct call *call, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct datagram sent, heard;
		phone_rtp(call, 0, &sent, NULL);
		box_send(call->phone[0].side, &sent);
		box_run();
		while (box_receive(BOX_CORE, &heard))
			note_index(call, &heard);
	}
}

/* The far end re-offers in every way that makes its own indices run back; the transmit key of the
 * other leg stays. */
static void
no_keystream_is_used_twice(void **state)
{
	struct call call;
	struct relay_leg_spec first;

	seen.count = 0;
	call_start(&call, "two-time", SUITE, SUITE);
	first = call.leg[0];
	say_some(&call, 50);
	/* the same key, a new address, and the sequence from its start again */
	call.leg[0].remote_rtp = box_address("198.51.100.51", CALL_PORT);
	assert_int_equal(
		box_update(call.id, 0, &call.leg[0], RELAY_UPDATE_REMOTE | RELAY_UPDATE_RECEIVE),
		RELAY_OK);
	call.phone[0].address = call.leg[0].remote_rtp;
	call.phone[0].index = 1000;
	say_some(&call, 60);
	/* new keys, same SSRC, sequences that start over, and run back */
	for (unsigned round = 0; round < 4; round++) {
		box_srtp(&call.leg[0], SUITE, 100 + round);
		call.leg[0].transmit = first.transmit;
		assert_int_equal(
			box_update(call.id, 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
		call_rekey(&call, 0);
		call.phone[0].index = 1000 - 100 * round;
		say_some(&call, 40);
		/* and late ones of the key before, in the overlap */
	}
	/* the first key comes back: an offer that was lost is made again */
	call.leg[0] = first;
	call.leg[0].remote_rtp = call.phone[0].address;
	assert_int_equal(box_update(call.id, 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
	call_rekey(&call, 0);
	call.phone[0].index = 1000;
	say_some(&call, 60);
	assert_true(seen.count > 150);
	call_end(&call);
}

static void
a_key_of_elsewhere_is_refused(void **state)
{
	struct call call;
	struct relay_leg_spec leg;

	call_start(&call, "shared", SUITE, SUITE);
	leg = call.leg[1];
	leg.transmit = call.leg[0].transmit;
	assert_int_equal(box_update(call.id, 1, &leg, RELAY_UPDATE_TRANSMIT), RELAY_E_KEY);
	leg.transmit = call.leg[0].receive;
	assert_int_equal(box_update(call.id, 1, &leg, RELAY_UPDATE_TRANSMIT), RELAY_E_KEY);
	assert_true(call_carries(&call, 0));
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_is_taken_once),
		cmocka_unit_test(srtcp_is_taken_once),
		cmocka_unit_test(clear_rtp_is_taken_once_too),
		cmocka_unit_test(no_keystream_is_used_twice),
		cmocka_unit_test(a_key_of_elsewhere_is_refused),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
