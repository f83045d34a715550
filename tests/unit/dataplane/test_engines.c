/* SPDX-License-Identifier: BSD-3-Clause */
/* All engines make the same of every length, every size of a batch, every mixture, in memory that
 * ends with the packet. SALLYPORT_TEST_SEED repeats a run. */
#include "engines_agree.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct test_random dice;
static uint8_t text[AGREE_LENGTH_MAX];

static struct agree_packet
make(unsigned length, unsigned from, unsigned to)
{
	return (struct agree_packet){.from = from,
		.to = to,
		.length = length,
		.ssrc = random_below(&dice, UINT32_MAX),
		.rx_index = random_below(&dice, 0x7fffffff),
		.tx_index = random_below(&dice, 0x7fffffff),
		.text = text};
}

static void
check(const struct agree_packet packets[], unsigned n)
{
	const char *difference = engines_agree(packets, n);

	if (difference != NULL)
		fail_msg("%s", difference);
}

static void
every_length(void **unused)
{
	struct agree_packet packets[ENGINE_BATCH_MAX];

	for (unsigned length = AGREE_HEADER; length <= 700; length++)
		for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++) {
			unsigned n = 1 + random_below(&dice, 20);
			for (unsigned i = 0; i < n; i++)
				packets[i] = make(length, suite,
					1 + random_below(&dice, RELAY_SUITE_COUNT - 1));
			check(packets, n);
		}
}

/* A batch of n that is alike, and one where any of the n is longer or forged. */
static void
every_batch(void **unused)
{
	struct agree_packet packets[ENGINE_BATCH_MAX];

	for (unsigned n = 1; n <= ENGINE_BATCH_MAX; n++) {
		for (unsigned i = 0; i < n; i++)
			packets[i] = make(172, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80,
				RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
		check(packets, n);
		for (unsigned odd = 0; odd < n; odd++) {
			packets[odd].length = 300 + 60 * odd % 1700;
			packets[odd].forged = 1 + odd;
			check(packets, n);
			packets[odd].forged = 0;
			packets[odd].length = 172;
		}
	}
}

/* Each bit of a tag counts, and none behind it does. */
static void
every_bit_of_a_tag(void **unused)
{
	struct agree_packet packets[4];

	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++)
		for (unsigned bit = 0; bit < 160; bit++) {
			for (unsigned i = 0; i < 4; i++)
				packets[i] = make(40, suite, suite);
			packets[bit % 4].forged = 1 + bit;
			check(packets, 4);
		}
}

static void
any_mixture(void **unused)
{
	struct agree_packet packets[ENGINE_BATCH_MAX];

	for (unsigned round = 0; round < 3000; round++) {
		unsigned n = 1 + random_below(&dice, ENGINE_BATCH_MAX);
		unsigned most = 1 + random_below(&dice, AGREE_LENGTH_MAX - AGREE_HEADER);
		for (unsigned i = 0; i < n; i++) {
			packets[i] = make(AGREE_HEADER + random_below(&dice, most),
				random_below(&dice, RELAY_SUITE_COUNT),
				random_below(&dice, RELAY_SUITE_COUNT));
			packets[i].rtcp = random_percent(&dice, 10);
			packets[i].forged =
				random_percent(&dice, 10) ? 1 + random_below(&dice, 80) : 0;
		}
		check(packets, n);
	}
}

static int
setup(void **unused)
{
	random_fill(&dice, text, sizeof(text));
	return agree_start();
}

static int
teardown(void **unused)
{
	agree_stop();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length),
		cmocka_unit_test(every_batch),
		cmocka_unit_test(every_bit_of_a_tag),
		cmocka_unit_test(any_mixture),
	};

	dice = random_seeded("engines");
	return cmocka_run_group_tests(tests, setup, teardown);
}
