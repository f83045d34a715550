/* SPDX-License-Identifier: BSD-3-Clause */
/* Reproducible randomness for tests: the seed is printed, and SALLYPORT_TEST_SEED sets it. */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct test_random {
	uint64_t state;
};

/* splitmix64: every seed will do, 0 too */
static inline uint64_t
random_next(struct test_random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* 0 .. below - 1 */
static inline unsigned
random_below(struct test_random *random, unsigned below)
{
	return (unsigned)(random_next(random) % below);
}

static inline int
random_percent(struct test_random *random, unsigned percent)
{
	return random_below(random, 100) < percent;
}

static inline void
random_fill(struct test_random *random, void *out, size_t length)
{
	uint8_t *byte = out;

	for (size_t i = 0; i < length; i++)
		byte[i] = (uint8_t)random_next(random);
}

static inline struct test_random
random_seeded(const char *test)
{
	const char *text = getenv("SALLYPORT_TEST_SEED");
	struct test_random random;
	struct timespec now;

	if (text != NULL) {
		random.state = strtoull(text, NULL, 0);
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		random.state = (uint64_t)now.tv_sec * 1000000007u ^ (uint64_t)now.tv_nsec;
	}
	fprintf(stderr, "%s: SALLYPORT_TEST_SEED=%llu\n", test, (unsigned long long)random.state);
	return random;
}

#endif
