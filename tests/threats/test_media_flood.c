/* SPDX-License-Identifier: BSD-3-Clause */
/* A flood of forged tags on one session: it is throttled to a budget, others lose nothing. */
#include "dataplane/flow.h"
#include "dataplane/tick.h"
#include "dataplane/worker.h"
#include "tests/box/call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define FLOOD 5000
#define BATCH 200

/* A burst of packets with right headers and wrong tags. */
static void
forge(struct call *call, const struct relay_addr *from, unsigned count)
{
	struct datagram sent;

	phone_rtp(call, 0, &sent, NULL);
	if (from != NULL)
		sent.from = *from;
	sent.data[sent.length - 1] ^= 0x55;
	for (unsigned i = 0; i < count; i++) {
		sent.data[3]++;
		box_send(BOX_ACCESS, &sent);
	}
}

/* What a budget lets pass: itself, what the time since has refilled, and the rest of a burst. */
static unsigned
allowed(unsigned budget, uint32_t begun)
{
	return budget + budget * (tick_ms() - begun + 40) / 1000 + WORKER_BURST;
}

static void
other_sessions_lose_nothing(void **state)
{
	struct call victim, bystander;

	uint32_t begun = tick_ms();
	call_start(&victim, "victim", SUITE, SUITE);
	call_start(&bystander, "bystander", SUITE, SUITE);
	for (unsigned sent = 0; sent < FLOOD; sent += BATCH) {
		struct relay_addr from = box_address("198.51.100.66", (uint16_t)(1000 + sent));
		forge(&victim, &from, BATCH);
		assert_true(call_carries(&bystander, 0));
		assert_true(call_carries(&bystander, 1));
	}
	uint64_t failed = call_drops(&victim, 0, RELAY_DROP_AUTH_FAILED);
	uint64_t throttled = call_drops(&victim, 0, RELAY_DROP_AUTH_THROTTLED);
	assert_int_equal(failed + throttled, FLOOD);
	assert_in_range(failed, FLOW_BUDGET_STRANGERS, allowed(FLOW_BUDGET_STRANGERS, begun));
	call_end(&victim);
	call_end(&bystander);
}

static void
strangers_do_not_silence_the_victim(void **state)
{
	struct relay_addr from = box_address("198.51.100.66", 1000);
	struct call victim;

	call_start(&victim, "spared", SUITE, SUITE);
	for (unsigned i = 0; i < 10; i++) {
		forge(&victim, &from, BATCH);
		box_run();
		assert_true(call_carries(&victim, 0));
	}
	assert_true(call_drops(&victim, 0, RELAY_DROP_AUTH_THROTTLED) > BATCH);
	call_end(&victim);
}

static void
a_spoofed_source_is_bounded_too(void **state)
{
	struct call victim;

	uint32_t begun = tick_ms();
	call_start(&victim, "spoofed", SUITE, SUITE);
	for (unsigned sent = 0; sent < FLOOD; sent += BATCH) {
		forge(&victim, NULL, BATCH);
		box_run();
	}
	uint64_t failed = call_drops(&victim, 0, RELAY_DROP_AUTH_FAILED);
	assert_in_range(failed, 1, allowed(FLOW_BUDGET_SOURCE, begun));
	/* a second later all is well again */
	box_leap(1100);
	victim.phone[0].index += 300;
	assert_true(call_carries(&victim, 0));
	call_end(&victim);
}

static void
the_other_direction_goes_on(void **state)
{
	struct call victim;

	call_start(&victim, "back", SUITE, SUITE);
	forge(&victim, NULL, 900);
	box_run();
	for (unsigned i = 0; i < 100; i++)
		assert_true(call_carries(&victim, 1));
	call_end(&victim);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_sessions_lose_nothing),
		cmocka_unit_test(strangers_do_not_silence_the_victim),
		cmocka_unit_test(a_spoofed_source_is_bounded_too),
		cmocka_unit_test(the_other_direction_goes_on),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
