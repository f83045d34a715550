/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay ends in the middle of a call, and another life of it takes the session up: by what it
 * told some packets earlier. Audio goes on, what is old stays refused, and no keystream is used for
 * two packets. */
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define GCM RELAY_SUITE_AEAD_AES_128_GCM

union told {
	struct relay_state_entry entry;
	uint8_t room[SESSION_STATE_MAX];
};

static void
tell(const struct call *call, union told *out)
{
	char id[RELAY_ID_SIZE] = "", reason[RELAY_REASON_SIZE] = "";
	struct session *session;

	strcpy(id, call->id);
	assert_int_equal(session_find(id, &session, reason), RELAY_OK);
	size_t length = session_tell_state(session, &out->entry);
	assert_int_equal(length, out->entry.length);
	assert_true(out->entry.length <= sizeof(*out));
}

static bool
settled(const struct call *call, unsigned flow)
{
	union told now;

	tell(call, &now);
	return (now.entry.flow[flow].flags & RELAY_FLOW_SETTLED) != 0;
}

static struct relay_restore
request_of(const struct call *call, const struct relay_state_entry *told)
{
	struct relay_restore request = {.create.header.op = RELAY_OP_RESTORE};
	const struct relay_stream_state *stream = told->stream;

	strcpy(request.create.id, call->id);
	for (unsigned i = 0; i < 2; i++) {
		request.create.leg[i] = call->leg[i];
		request.create.leg[i].local_rtp = call->info.leg[i].local_rtp;
		request.create.leg[i].remote_rtp = told->remote[i][0];
		request.create.leg[i].remote_rtcp = told->remote[i][1];
		request.flow[i] = told->flow[i];
		memcpy(request.stream[i], stream, told->flow[i].streams * sizeof(*stream));
		stream += told->flow[i].streams;
	}
	return request;
}

static enum relay_code
restore(struct call *call, const struct relay_restore *request)
{
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session;
	enum relay_code code = session_restore(request, &session, reason);

	if (code == RELAY_OK)
		session_describe(session, &call->info);
	return code;
}

/* Nothing of the first life is left but what it told. */
static void
crash(struct call *call, const union told *told)
{
	struct relay_restore request = request_of(call, &told->entry);
	struct relay_session before = call->info;

	box_delete(call->id);
	box_run();
	assert_int_equal(restore(call, &request), RELAY_OK);
	for (unsigned i = 0; i < 2; i++)
		assert_true(
			relay_addr_equal(&before.leg[i].local_rtp, &call->info.leg[i].local_rtp));
}

static void
carry(struct call *call, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		assert_true(call_carries(call, 0));
		assert_true(call_carries(call, 1));
	}
}

/* Both phones' sequence numbers have wrapped; some packets and reports more than the relay has told
 * of go by before it ends, and some are lost while it is away. */
static void
goes_on(enum relay_suite a, enum relay_suite b)
{
	union told told;
	struct call call;

	call_start(&call, "goes-on", a, b);
	call.phone[0].index = 65500;
	call.phone[1].index = 65520;
	carry(&call, 60);
	assert_true(call.phone[0].index > 65536 && call.phone[1].index > 65536);
	assert_true(call_carries_rtcp(&call, 0));
	tell(&call, &told);
	for (unsigned round = 0; round < 3; round++) {
		carry(&call, 40);
		assert_true(call_carries_rtcp(&call, 0));
		assert_true(call_carries_rtcp(&call, 1));
		crash(&call, &told);
		call.phone[0].index += 100;
		call.phone[1].index += 100;
		carry(&call, 5);
		assert_true(call_carries_rtcp(&call, 0));
		assert_true(call_carries_rtcp(&call, 1));
		assert_int_equal(call.phone[0].index >> 16, 1);
		tell(&call, &told);
		assert_true(told.entry.flow[0].flags & RELAY_FLOW_SETTLED);
		assert_true(told.entry.flow[1].flags & RELAY_FLOW_SETTLED);
	}
	call_end(&call);
}

static void
audio_goes_on_after_a_wrap(void **state)
{
	goes_on(SUITE, SUITE);
	goes_on(SUITE, GCM);
	goes_on(GCM, RELAY_SUITE_AES_256_CM_HMAC_SHA1_80);
}

/* A wrap between the telling and the end; and one while the relay is away. */
static void
the_roc_is_found_by_the_number(void **state)
{
	union told told;
	struct call call;

	call_start(&call, "wraps", SUITE, SUITE);
	call.phone[0].index = call.phone[1].index = 65500;
	carry(&call, 10);
	tell(&call, &told);
	carry(&call, 40);
	crash(&call, &told);
	carry(&call, 10);
	call.phone[0].index = call.phone[1].index = 2 * 65536 - 10;
	call.phone[0].heard = call.phone[1].heard = 2 * 65536 - 10;
	crash(&call, &told);
	call_end(&call);

	call_start(&call, "wraps-away", SUITE, SUITE);
	call.phone[0].index = call.phone[1].index = 65500;
	carry(&call, 10);
	tell(&call, &told);
	crash(&call, &told);
	call.phone[0].index = call.phone[1].index = 65536 + 30;
	carry(&call, 10);
	call_end(&call);
}

/* What was heard before the telling is refused. What came after it is not known: it becomes, byte
 * for byte, what it became before. */
static void
what_is_old_is_refused(void **state)
{
	static struct datagram old[40], heard_before, heard_after;
	union told told;
	struct call call;

	call_start(&call, "old", SUITE, SUITE);
	for (unsigned i = 0; i < 40; i++) {
		phone_rtp(&call, 0, &old[i], NULL);
		box_send(BOX_ACCESS, &old[i]);
		box_run();
		assert_true(box_receive(BOX_CORE, &heard_before));
		if (i == 38)
			tell(&call, &told);
	}
	crash(&call, &told);
	for (unsigned i = 0; i < 39; i++) {
		box_send(BOX_ACCESS, &old[i]);
		box_run();
		assert_false(box_receive(BOX_CORE, &heard_after));
	}
	box_send(BOX_ACCESS, &old[39]);
	box_run();
	assert_true(box_receive(BOX_CORE, &heard_after));
	assert_int_equal(heard_after.length, heard_before.length);
	assert_memory_equal(heard_after.data, heard_before.data, heard_before.length);
	call_end(&call);
}

static void
old_reports_are_refused(void **state)
{
	struct datagram report, heard;
	union told told;
	struct call call;

	call_start(&call, "old-rtcp", SUITE, SUITE);
	phone_rtcp(&call, 0, &report, NULL);
	box_send(BOX_ACCESS, &report);
	box_run();
	assert_true(box_receive(BOX_CORE, &heard));
	tell(&call, &told);
	crash(&call, &told);
	box_send(BOX_ACCESS, &report);
	box_run();
	assert_false(box_receive(BOX_CORE, &heard));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_REPLAYED), 1);
	call_end(&call);
}

/* The SRTCP index of the next report that phone 1 gets. */
static uint32_t
report_index(struct call *call)
{
	struct datagram report, heard;
	uint32_t index;

	phone_rtcp(call, 0, &report, NULL);
	box_send(BOX_ACCESS, &report);
	box_run();
	assert_true(box_receive(BOX_CORE, &heard));
	assert_true(evp_srtp_unprotect_rtcp(call->phone[1].in, heard.data, &heard.length, &index));
	return index;
}

static void
report_indices_only_rise(void **state)
{
	uint32_t last = 0;
	union told told;
	struct call call;

	call_start(&call, "reports", SUITE, GCM);
	report_index(&call);
	tell(&call, &told);
	for (unsigned i = 0; i < 100; i++)
		last = report_index(&call);
	crash(&call, &told);
	assert_true(report_index(&call) > last);
	call_end(&call);
}

/* What was sent to phone 1 under one key, and what each index was used for. */
#define SENT_MAX 65536
static struct {
	struct {
		uint64_t index;
		uint32_t ssrc;
		uint64_t said; /* a sum of the payload in clear */
	} packet[SENT_MAX];
	unsigned count;
} sent;

static uint64_t
sum_of(const struct datagram *datagram)
{
	uint64_t sum = 14695981039346656037u;

	for (unsigned i = 4; i < datagram->length; i++)
		sum = (sum ^ datagram->data[i]) * 1099511628211u;
	return sum;
}

/* No index of an SSRC for two different packets. The ROC is whatever fits. */
static void
note(struct call *call, const struct datagram *heard)
{
	for (uint32_t roc = 0; roc < 8; roc++) {
		struct datagram copy = *heard;
		if (!evp_srtp_unprotect(call->phone[1].in, roc, copy.data, &copy.length))
			continue;
		uint64_t index = (uint64_t)roc << 16 | (uint64_t)(copy.data[2] << 8 | copy.data[3]);
		uint32_t ssrc = (uint32_t)copy.data[8] << 24 | (uint32_t)copy.data[9] << 16 |
		                (uint32_t)copy.data[10] << 8 | copy.data[11];
		for (unsigned i = 0; i < sent.count; i++)
			if (sent.packet[i].index == index && sent.packet[i].ssrc == ssrc)
				assert_int_equal(sent.packet[i].said, sum_of(&copy));
		assert_true(sent.count < SENT_MAX);
		sent.packet[sent.count].index = index;
		sent.packet[sent.count].ssrc = ssrc;
		sent.packet[sent.count++].said = sum_of(&copy);
		return;
	}
	fail_msg("no ROC up to 7 fits what was sent");
}

/* Packets of phone 0, from its index on; how many came out. */
static unsigned
say(struct call *call, unsigned count)
{
	unsigned heard_count = 0;

	for (unsigned i = 0; i < count; i++) {
		struct datagram out, heard;
		phone_rtp(call, 0, &out, NULL);
		box_send(BOX_ACCESS, &out);
		box_run();
		while (box_receive(BOX_CORE, &heard)) {
			note(call, &heard);
			heard_count++;
		}
	}
	return heard_count;
}

/* An SSRC that the relay told nothing of wraps before it ends: its ROC must not be taken for one
 * that begins here, or the last numbers of its round come twice. */
static void
an_untold_ssrc_keeps_its_indices(void **state)
{
	union told told;
	struct call call;

	sent.count = 0;
	call_start(&call, "untold", SUITE, SUITE);
	call.phone[0].index = 1000;
	assert_int_equal(say(&call, 10), 10);
	tell(&call, &told);
	call.phone[0].ssrc += 0x100;
	call.phone[0].index = 65530;
	assert_int_equal(say(&call, 20), 20);
	crash(&call, &told);
	assert_int_equal(say(&call, 10), 10);
	/* the same round of numbers once more; each step is within what a far end may lose */
	for (unsigned i = 0; i < 4; i++) {
		call.phone[0].index = 65536 + 16000 * (i + 1);
		assert_int_equal(say(&call, 1), 1);
	}
	call.phone[0].index = 2 * 65536 - 6;
	assert_int_equal(say(&call, 12), 12);
	call_end(&call);
}

/* What was begun anew before the end, so that index and number run apart, goes on so. */
static void
a_shift_is_kept(void **state)
{
	union told told;
	struct call call;
	struct relay_crypto ours;

	sent.count = 0;
	call_start(&call, "shifted", SUITE, SUITE);
	ours = call.leg[0].transmit;
	call.phone[0].index = 30000;
	assert_int_equal(say(&call, 40), 40);
	/* a new receive key, the numbers from further down: a new shift, the transmit key stays */
	box_srtp(&call.leg[0], SUITE, 900);
	call.leg[0].transmit = ours;
	assert_int_equal(box_update(call.id, 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
	assert_false(settled(&call, 0));
	call_rekey(&call, 0);
	call.phone[0].index = 100;
	assert_int_equal(say(&call, 20), 20);
	assert_true(settled(&call, 0));
	tell(&call, &told);
	assert_int_not_equal(told.entry.stream[0].tx_base, 0);
	assert_int_equal(say(&call, 20), 20);
	uint64_t last = sent.packet[sent.count - 1].index;
	crash(&call, &told);
	assert_int_equal(say(&call, 20), 20);
	assert_int_equal(sent.packet[sent.count - 1].index, last + 20);
	crash(&call, &told);
	/* before any packet has told how far it was: a new key again, and the numbers run back */
	box_srtp(&call.leg[0], SUITE, 901);
	call.leg[0].transmit = ours;
	assert_int_equal(box_update(call.id, 0, &call.leg[0], RELAY_UPDATE_RECEIVE), RELAY_OK);
	call_rekey(&call, 0);
	call.phone[0].index = 110;
	assert_int_equal(say(&call, 60), 60);
	call_end(&call);
}

/* Ten thousands of packets are lost on the way to the relay: told of, the flow goes on. If not,
 * what the earlier life sent is not known, and only a fresh key goes on. */
static void
a_jump_makes_no_index_twice(void **state)
{
	union told told;
	struct call call;

	sent.count = 0;
	call_start(&call, "jumps", SUITE, SUITE);
	call.phone[0].index = 60000;
	assert_int_equal(say(&call, 20), 20);
	call.phone[0].index += 45000;
	box_leap(3500);
	assert_int_equal(say(&call, 30), 30);
	tell(&call, &told);
	assert_int_equal(say(&call, 200), 200);
	crash(&call, &told);
	assert_int_equal(say(&call, 30), 30);
	call.phone[0].index += 50000;
	box_leap(3500);
	assert_int_equal(say(&call, 30), 30);
	box_events(RELAY_EVENT_KEY_EXPIRING);
	crash(&call, &told);
	assert_int_equal(say(&call, 30), 0);
	assert_true(call_drops(&call, 0, RELAY_DROP_KEY_EXPIRED) > 0);
	box_pass(1);
	assert_int_equal(box_events(RELAY_EVENT_KEY_EXPIRING), 1);
	struct relay_crypto theirs = call.leg[1].receive;
	box_srtp(&call.leg[1], SUITE, 5000);
	call.leg[1].receive = theirs;
	assert_int_equal(box_update(call.id, 1, &call.leg[1], RELAY_UPDATE_TRANSMIT), RELAY_OK);
	call_rekey(&call, 1);
	sent.count = 0;
	assert_int_equal(say(&call, 30), 30);
	call_end(&call);
}

/* At random: packets, jumps, new SSRCs, wraps, and ends; a replay of anything at any time. */
static void
at_random_no_keystream_is_used_twice(void **state)
{
	static struct datagram kept[64];

	srand(4711);
	for (unsigned round = 0; round < 30; round++) {
		union told told;
		struct call call;
		unsigned kept_count = 0;

		sent.count = 0;
		call_start(&call, "random", SUITE, round % 2 == 0 ? SUITE : GCM);
		call.phone[0].index = (uint64_t)rand() % 65536;
		say(&call, 5);
		tell(&call, &told);
		for (unsigned step = 0; step < 60; step++) {
			struct datagram heard;
			switch (rand() % 8) {
			case 0:
				crash(&call, &told);
				break;
			case 1:
				if (settled(&call, 0))
					tell(&call, &told);
				break;
			case 2:
				call.phone[0].index += (uint64_t)rand() % 30000;
				break;
			case 3:
				box_leap(3500);
				if (call.phone[0].index < 5 * 65536)
					call.phone[0].index += 40000 + (uint64_t)rand() % 20000;
				break;
			case 4:
				if (step % 16 == 0) {
					call.phone[0].ssrc++;
					call.phone[0].index = (uint64_t)rand() % 65536;
				}
				break;
			case 5:
				if (kept_count > 0) {
					box_send(BOX_ACCESS, &kept[rand() % (int)kept_count]);
					box_run();
					while (box_receive(BOX_CORE, &heard))
						note(&call, &heard);
				}
				break;
			default:
				say(&call, (unsigned)rand() % 12);
				if (kept_count < 64) {
					phone_rtp(&call, 0, &kept[kept_count], NULL);
					box_send(BOX_ACCESS, &kept[kept_count++]);
					box_run();
					while (box_receive(BOX_CORE, &heard))
						note(&call, &heard);
				}
			}
		}
		call_end(&call);
	}
}

/* A leg in clear: anybody on its network says what is sent under which index, so nothing that is
 * told can be relied on. */
static void
a_flow_from_clear_is_never_settled(void **state)
{
	struct call call;

	call_start(&call, "clear", RELAY_SUITE_NONE, SUITE);
	carry(&call, 5);
	assert_false(settled(&call, 0));
	assert_true(settled(&call, 1));
	call_end(&call);
}

/* Without a transmit key nothing is sent; a fresh one begins anew. */
static void
a_fresh_key_takes_over(void **state)
{
	struct relay_crypto receive;
	struct relay_restore request;
	union told told;
	struct call call;

	call_start(&call, "fresh", SUITE, SUITE);
	call.phone[0].index = 65530;
	carry(&call, 20);
	tell(&call, &told);
	request = request_of(&call, &told.entry);
	request.create.leg[1].transmit.suite = RELAY_SUITE_NONE;
	box_delete(call.id);
	box_run();
	assert_int_equal(restore(&call, &request), RELAY_OK);
	assert_false(call_carries(&call, 0));
	assert_true(call_carries(&call, 1));
	receive = call.leg[1].receive;
	box_srtp(&call.leg[1], SUITE, 4000);
	call.leg[1].receive = receive;
	assert_int_equal(box_update(call.id, 1, &call.leg[1], RELAY_UPDATE_TRANSMIT), RELAY_OK);
	call_rekey(&call, 1);
	call.phone[1].heard = 0;
	carry(&call, 20);
	call_end(&call);
}

static void
several_ssrcs_are_taken_up(void **state)
{
	union told told;
	struct call call;

	call_start(&call, "several", SUITE, SUITE);
	uint32_t first = call.phone[0].ssrc;
	for (unsigned i = 0; i < 4; i++) {
		call.phone[0].ssrc = first + 16 * i;
		call.phone[0].index = 65530 + i;
		call.phone[1].heard = 0;
		for (unsigned k = 0; k < 12; k++)
			assert_true(call_carries(&call, 0));
	}
	tell(&call, &told);
	assert_int_equal(told.entry.flow[0].streams, 4);
	crash(&call, &told);
	for (unsigned i = 0; i < 4; i++) {
		call.phone[0].ssrc = first + 16 * i;
		call.phone[0].index = 65530 + i + 12;
		call.phone[1].heard = 65536;
		assert_true(call_carries(&call, 0));
	}
	assert_int_equal(call.info.leg[0].quality.ssrcs, 4);
	call_end(&call);
}

static void
restore_is_idempotent_and_strict(void **state)
{
	struct relay_restore request;
	union told told;
	struct call call;

	call_start(&call, "strict", SUITE, SUITE);
	carry(&call, 3);
	tell(&call, &told);
	request = request_of(&call, &told.entry);
	/* of one that lives, nothing changes */
	request.create.leg[0].transmit.key[0] ^= 1;
	assert_int_equal(restore(&call, &request), RELAY_OK);
	carry(&call, 3);
	request.create.leg[0].transmit.key[0] ^= 1;
	box_delete(call.id);
	box_run();
	request.flow[0].streams = RELAY_STREAMS_MAX + 1;
	assert_int_equal(restore(&call, &request), RELAY_E_MALFORMED);
	request.flow[0].streams = 1;
	request.stream[0][0].rtp_highest = UINT64_C(1) << 48;
	assert_int_equal(restore(&call, &request), RELAY_E_MALFORMED);
	request = request_of(&call, &told.entry);
	request.create.leg[1].transmit = request.create.leg[0].transmit;
	assert_int_equal(restore(&call, &request), RELAY_E_KEY);
	request = request_of(&call, &told.entry);
	assert_int_equal(restore(&call, &request), RELAY_OK);
	carry(&call, 3);
	call_end(&call);
}

static void
draining_refuses_what_is_new(void **state)
{
	struct relay_create create = {.id = "new"};
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session;
	union told told;
	struct call call;

	call_start(&call, "drained", SUITE, SUITE);
	carry(&call, 3);
	sessions_drain(RELAY_DRAIN_ON);
	create.leg[0] = call.leg[0];
	create.leg[1] = call.leg[1];
	assert_int_equal(session_create(&create, &session, reason), RELAY_E_DRAINING);
	assert_non_null(strstr(reason, "draining"));
	carry(&call, 3);
	tell(&call, &told);
	crash(&call, &told);
	carry(&call, 3);
	sessions_drain(0);
	call_end(&call);
	assert_int_equal(session_create(&create, &session, reason), RELAY_OK);
	box_delete("new");
	box_run();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(audio_goes_on_after_a_wrap),
		cmocka_unit_test(the_roc_is_found_by_the_number),
		cmocka_unit_test(what_is_old_is_refused),
		cmocka_unit_test(old_reports_are_refused),
		cmocka_unit_test(report_indices_only_rise),
		cmocka_unit_test(an_untold_ssrc_keeps_its_indices),
		cmocka_unit_test(a_shift_is_kept),
		cmocka_unit_test(a_jump_makes_no_index_twice),
		cmocka_unit_test(at_random_no_keystream_is_used_twice),
		cmocka_unit_test(a_flow_from_clear_is_never_settled),
		cmocka_unit_test(a_fresh_key_takes_over),
		cmocka_unit_test(several_ssrcs_are_taken_up),
		cmocka_unit_test(restore_is_idempotent_and_strict),
		cmocka_unit_test(draining_refuses_what_is_new),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
