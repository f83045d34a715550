/* SPDX-License-Identifier: BSD-3-Clause */
/* The one's complement sum, by each width of register, against a sum byte by byte; and memory that
 * ends with what is summed. */
#include "dataplane/checksum.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define LONGEST 9000
#define PAGES 4

static struct {
	const char *name;
	uint64_t (*sum)(const uint8_t *at, unsigned length);
	bool usable;
} widths[] = {
	{"sse2", checksum_sse2, true},
	{"avx2", checksum_avx2, false},
	{"avx512", checksum_avx512, false},
};
static uint8_t *end; /* of memory that can be read */

/* RFC 1071, as it stands there, in network order. */
static uint16_t
by_bytes(const uint8_t *at, unsigned length)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < length; i++)
		sum += i % 2 == 0 ? (uint32_t)at[i] << 8 : at[i];
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t
swapped(uint16_t word)
{
	return (uint16_t)(word << 8 | word >> 8);
}

static void
every_length_is_summed(void **state)
{
	(void)state;
	for (unsigned length = 0; length <= LONGEST; length += length < 2100 ? 1 : 97)
		for (unsigned i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
			if (!widths[i].usable)
				continue;
			uint64_t sum = widths[i].sum(end - length, length);
			assert_int_equal(
				swapped(checksum_fold(sum)), by_bytes(end - length, length));
		}
}

/* The largest sum that there is: nothing is carried away. */
static void
ones_do_not_overflow(void **state)
{
	static uint8_t ones[65535];

	(void)state;
	memset(ones, 0xff, sizeof(ones));
	for (unsigned i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		if (widths[i].usable)
			assert_int_equal(swapped(checksum_fold(widths[i].sum(ones, sizeof(ones)))),
				by_bytes(ones, sizeof(ones)));
	assert_int_equal(swapped(checksum_fold(checksum_small(ones, 41))), by_bytes(ones, 41));
}

static int
start(void **state)
{
	struct test_random random = random_seeded("checksum");
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *memory = mmap(NULL, (PAGES + 1) * page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (memory == MAP_FAILED || mprotect(memory + PAGES * page, page, PROT_NONE) != 0)
		return -1;
	end = memory + PAGES * page;
	random_fill(&random, memory, PAGES * page);
	__builtin_cpu_init();
	widths[1].usable = __builtin_cpu_supports("avx2");
	widths[2].usable = __builtin_cpu_supports("avx512bw");
	for (unsigned i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		fprintf(stderr, "%s: %s\n", widths[i].name, widths[i].usable ? "here" : "not here");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_is_summed),
		cmocka_unit_test(ones_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
