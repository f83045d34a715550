/* SPDX-License-Identifier: BSD-3-Clause */
#include "weight.h"

#include <openssl/rand.h>
#include <stdlib.h>

static int
compare(const void *a, const void *b)
{
	const struct weighted *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	/* those without weight first: RFC 2782's algorithm takes them where the sum drawn is 0 */
	return (left->weight != 0) - (right->weight != 0);
}

/* Puts the next of the entries, which are of one priority, to the front. */
static void
draw(struct weighted *entries, size_t count, uint32_t (*random)(uint32_t))
{
	uint32_t sum = 0, running = 0;
	size_t chosen = 0;

	for (size_t i = 0; i < count; i++)
		sum += entries[i].weight;
	uint32_t drawn = random(sum + 1);
	for (chosen = 0; chosen + 1 < count; chosen++) {
		running += entries[chosen].weight;
		if (running >= drawn)
			break;
	}
	struct weighted taken = entries[chosen];
	for (size_t i = chosen; i > 0; i--)
		entries[i] = entries[i - 1];
	entries[0] = taken;
}

void
weight_order(struct weighted *entries, size_t count, uint32_t (*random)(uint32_t))
{
	qsort(entries, count, sizeof(*entries), compare);
	for (size_t i = 0; i < count; i++) {
		size_t equals = 1;
		while (i + equals < count && entries[i + equals].priority == entries[i].priority)
			equals++;
		if (equals > 1)
			draw(entries + i, equals, random);
	}
}

uint32_t
weight_random(uint32_t below)
{
	uint32_t number = 0;

	/* without randomness the first is as good as any */
	if (RAND_bytes((unsigned char *)&number, sizeof(number)) != 1)
		return 0;
	return below == 0 ? 0 : number % below;
}
