/* SPDX-License-Identifier: BSD-3-Clause */
/* When fresh keys are asked for. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/call.h"

#include <errno.h>

#define HOUR_MS UINT64_C(3600000)

static uint64_t now_ms;
static unsigned asked;
static int result;
static struct config config;
static struct agent agent = {.config = &config};
static struct call call;

uint64_t
call_now_ms(void)
{
	return now_ms;
}

bool
media_is_connected(const struct media *media)
{
	return true;
}

int
call_rekey(struct call *of, unsigned side)
{
	asked++;
	return result;
}

static int
setup(void **state)
{
	call = (struct call){.agent = &agent, .state = CALL_UP, .answered_ms = 1000};
	call.side[0].call = &call;
	config.sip.dialogs.rekey_hours = 0;
	now_ms = 1000;
	asked = 0;
	result = 0;
	return 0;
}

static unsigned
asked_at(uint64_t ms)
{
	unsigned before = asked;

	now_ms = ms;
	call_rekey_look(&call.side[0]);
	return asked - before;
}

static void
test_by_the_clock(void **state)
{
	assert_int_equal(asked_at(1000 + 1000 * HOUR_MS), 0);
	config.sip.dialogs.rekey_hours = 2;
	assert_int_equal(asked_at(999 + 2 * HOUR_MS), 0);
	result = -EBUSY; /* something else goes on: again at the next look */
	assert_int_equal(asked_at(1000 + 2 * HOUR_MS), 1);
	result = 0;
	assert_int_equal(asked_at(2000 + 2 * HOUR_MS), 1);
	/* once in a period, also if the phone says no */
	assert_int_equal(asked_at(1000 + 3 * HOUR_MS), 0);
	assert_int_equal(asked_at(2000 + 4 * HOUR_MS), 1);
}

static void
test_before_the_end(void **state)
{
	call_rekey_expiring(&call.side[0]);
	assert_int_equal(asked_at(5000), 1);
	assert_int_equal(asked_at(6000), 0);
	assert_int_equal(asked_at(65000), 1); /* the phone has said no: once a minute */
	call_rekey_done(&call.side[0]);
	assert_int_equal(asked_at(500000), 0);
	call_rekey_expiring(&call.side[0]);
	assert_int_equal(asked_at(500001), 1); /* of the new key: at once */
}

static void
test_only_while_up(void **state)
{
	call_rekey_expiring(&call.side[0]);
	call.state = CALL_RINGING;
	assert_int_equal(asked_at(5000), 0);
	call.state = CALL_ENDED;
	assert_int_equal(asked_at(5000), 0);
	call.state = CALL_UP;
	assert_int_equal(asked_at(5000), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_by_the_clock, setup),
		cmocka_unit_test_setup(test_before_the_end, setup),
		cmocka_unit_test_setup(test_only_while_up, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
