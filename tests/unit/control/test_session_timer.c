/* SPDX-License-Identifier: BSD-3-Clause */
/* Session timers: RFC 4028. */
#include "control/session_timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
answers(const struct session_said *said, uint32_t wanted_s, uint32_t interval_s,
	enum session_refresher refresher)
{
	struct session_terms terms;

	assert_int_equal(session_timer_answer(said, wanted_s, 90, &terms), 0);
	assert_int_equal(terms.interval_s, interval_s);
	assert_int_equal(terms.refresher, refresher);
}

static void
test_none_is_asked_for(void **state)
{
	answers(&(struct session_said){.supported = false}, 1800, 0, REFRESHER_NONE);
	answers(&(struct session_said){.supported = true}, 0, 0, REFRESHER_NONE);
}

/* We may ask for one of our own accord, if the other side knows of timers. */
static void
test_ours(void **state)
{
	answers(&(struct session_said){.supported = true}, 1800, 1800, REFRESHER_UAC);
	answers(&(struct session_said){.supported = true, .min_s = 3600}, 1800, 3600,
		REFRESHER_UAC);
}

/* 9: shorter is fine, but not below either Min-SE; never longer. */
static void
test_interval(void **state)
{
	answers(&(struct session_said){.supported = true, .expires_s = 3600}, 1800, 1800,
		REFRESHER_UAC);
	answers(&(struct session_said){.supported = true, .expires_s = 600}, 1800, 600,
		REFRESHER_UAC);
	answers(&(struct session_said){.supported = true, .expires_s = 3600, .min_s = 2400}, 1800,
		2400, REFRESHER_UAC);
	answers(&(struct session_said){.supported = true, .expires_s = 3600}, 0, 3600,
		REFRESHER_UAC);
}

static void
test_refresher(void **state)
{
	answers(
		&(struct session_said){
			.supported = true, .expires_s = 600, .refresher = REFRESHER_UAS},
		1800, 600, REFRESHER_UAS);
	answers(
		&(struct session_said){
			.supported = true, .expires_s = 600, .refresher = REFRESHER_UAC},
		1800, 600, REFRESHER_UAC);
	/* a proxy asked for it, the user agent knows nothing of it: we refresh */
	answers(&(struct session_said){.expires_s = 600}, 1800, 600, REFRESHER_UAS);
}

static void
test_too_brief(void **state)
{
	struct session_terms terms;
	struct session_said said = {.supported = true, .expires_s = 89};

	assert_int_equal(session_timer_answer(&said, 1800, 90, &terms), 422);
	said.expires_s = 90;
	assert_int_equal(session_timer_answer(&said, 1800, 90, &terms), 0);
	assert_int_equal(session_timer_answer(&said, 1800, 120, &terms), 422);
	/* it would not understand a 422 */
	said.supported = false;
	answers(&said, 1800, 90, REFRESHER_UAS);
}

static void
test_agreed(void **state)
{
	struct session_said said = {.expires_s = 600, .refresher = REFRESHER_UAS};
	struct session_terms terms;

	session_timer_agreed(&said, &terms);
	assert_int_equal(terms.interval_s, 600);
	assert_int_equal(terms.refresher, REFRESHER_UAS);
	said.refresher = REFRESHER_NONE;
	session_timer_agreed(&said, &terms);
	assert_int_equal(terms.refresher, REFRESHER_UAC);
	said.expires_s = 1;
	session_timer_agreed(&said, &terms);
	assert_int_equal(terms.interval_s, 90);
	said.expires_s = 0;
	session_timer_agreed(&said, &terms);
	assert_int_equal(terms.interval_s, 0);
}

/* 7.2: at half the interval; 10: a third, at most 32 seconds, before the end. */
static void
test_moments(void **state)
{
	assert_int_equal(session_timer_refresh_s(1800), 900);
	assert_int_equal(session_timer_end_s(1800), 1768);
	assert_int_equal(session_timer_end_s(90), 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_none_is_asked_for),
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_refresher),
		cmocka_unit_test(test_too_brief),
		cmocka_unit_test(test_agreed),
		cmocka_unit_test(test_moments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
