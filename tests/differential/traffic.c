/* SPDX-License-Identifier: BSD-3-Clause */
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

#define SSRCS 3
#define PAYLOAD_MAX 1400
#define TICK 1000       /* time between two packets */
#define LATE_MAX 60     /* packets */
#define REPLAY_MAX 200  /* packets */
#define JUMP_APART 50   /* packets at least: no batch and no replay may span half the sequences, */
#define JUMP_LEAST 3000 /* else the two receivers, one asked packet by packet and the other batch */
#define JUMP_MOST 4000  /* by batch, may estimate differently and both be right */
#define ROUND_STARTS 6

struct source {
	uint32_t ssrc;
	unsigned next; /* ROC || sequence */
	bool started;
};

static void
write_be(uint8_t *out, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static void
make_rtp(struct sent *sent, const struct source *source, struct test_random *dice)
{
	unsigned csrcs = random_percent(dice, 15) ? random_below(dice, 16) : 0;
	unsigned payload = random_percent(dice, 10) ? 0 : random_below(dice, PAYLOAD_MAX + 1);
	bool extension = random_percent(dice, 15);
	uint8_t *data = sent->plain;
	unsigned length = 12 + 4 * csrcs;

	random_fill(dice, data, sizeof(sent->plain));
	data[0] = (uint8_t)(0x80 | (random_percent(dice, 5) ? 0x20 : 0) | (extension ? 0x10 : 0) |
			    csrcs);
	data[1] &= 0xbf; /* payload types 0 to 63, with and without marker: none looks like RTCP */
	write_be(data + 2, source->next & 0xffff, 2);
	write_be(data + 8, source->ssrc, 4);
	if (extension) {
		unsigned words = random_below(dice, 5);

		write_be(data + length + 2, words, 2);
		length += 4 + 4 * words;
	}
	if (length + payload > PAYLOAD_MAX + 100)
		payload = PAYLOAD_MAX;
	if (payload == 0)
		data[0] &= 0xdf;
	else if (data[0] & 0x20) /* so much padding, RFC 3550 5.1 */
		data[length + payload - 1] =
			(uint8_t)(1 + random_below(dice, payload < 255 ? payload : 255));
	sent->plain_length = length + payload;
	sent->index = source->next;
}

static void
make_rtcp(struct sent *sent, const struct source *source, struct test_random *dice)
{
	unsigned words = 2 + random_below(dice, 40), first = 2 + random_below(dice, words - 1);

	random_fill(dice, sent->plain, sizeof(sent->plain));
	sent->plain[0] = (uint8_t)(0x80 | random_below(dice, 32));
	sent->plain[1] = (uint8_t)(200 + random_below(dice, 8));
	write_be(sent->plain + 2, first - 1, 2); /* the first packet of the compound */
	write_be(sent->plain + 4, source->ssrc, 4);
	sent->plain_length = 4 * words;
	sent->rtcp = true;
}

static void
send_all(struct traffic *traffic, const struct relay_crypto *key, struct test_random *dice)
{
	static const unsigned starts[ROUND_STARTS] = {65535, 65530, 0, 1, 32767, 32768};
	struct oracle *sender = oracle_create(key, false);
	struct source source[SSRCS];
	unsigned since_jump = 0;
	bool clear = key->suite == RELAY_SUITE_NONE;

	for (unsigned i = 0; i < SSRCS; i++) {
		source[i].ssrc = (uint32_t)random_next(dice) & ~3u; /* so they differ: */
		source[i].ssrc |= i;
		/* the first one soon begins another round */
		source[i].next = starts[random_below(dice, i == 0 ? 2 : ROUND_STARTS)];
		source[i].started = false;
	}
	for (unsigned i = 0; i < traffic->sent_count; i++) {
		struct sent *sent = &traffic->sent[i];
		struct source *from = &source[random_below(dice, SSRCS)];

		memset(sent, 0, sizeof(*sent));
		if (from->started && random_percent(dice, 15)) {
			make_rtcp(sent, from, dice);
		} else {
			make_rtp(sent, from, dice);
			if (from->next >> 16 > traffic->highest_roc)
				traffic->highest_roc = from->next >> 16;
			from->next++;
			sent->first = !from->started;
			from->started = true;
			if (++since_jump >= JUMP_APART && !clear && random_percent(dice, 50)) {
				from->next +=
					JUMP_LEAST + random_below(dice, JUMP_MOST - JUMP_LEAST);
				since_jump = 0;
			}
		}
		memcpy(sent->wire, sent->plain, sizeof(sent->wire));
		sent->wire_length = sent->plain_length;
		oracle_protect(sender, sent->rtcp, sent->wire, &sent->wire_length);
	}
	oracle_destroy(sender);
}

static void
add_arrival(struct traffic *traffic, uint64_t when, unsigned sent, bool forged)
{
	traffic->arrival[traffic->arrival_count++] =
		(struct arrival){.when = when, .sent = sent, .forged = forged};
}

static int
by_time(const void *a, const void *b)
{
	const struct arrival *first = a, *second = b;

	return (first->when > second->when) - (first->when < second->when);
}

/* Every original has a time of its own, and so (by the odd part) has what follows from it. */
static void
deliver_all(struct traffic *traffic, bool clear, struct test_random *dice)
{
	for (unsigned i = 0; i < traffic->sent_count; i++) {
		uint64_t now = (uint64_t)TICK * (i + LATE_MAX);
		/* a stream whose first packet never comes may be in another ROC than it seems */
		bool lost = random_percent(dice, 3) && !traffic->sent[i].first;

		if (random_percent(dice, 10) && !traffic->sent[i].first)
			now += (uint64_t)TICK * random_below(dice, LATE_MAX) + 1;
		if (!lost)
			add_arrival(traffic, now, i, false);
		if (random_percent(dice, 6) && !lost)
			add_arrival(traffic,
				now + 2 + (uint64_t)TICK * random_below(dice, REPLAY_MAX), i,
				false);
		if (!clear && random_percent(dice, 6)) /* before and after the original */
			add_arrival(traffic,
				now + 3 + (uint64_t)TICK * random_below(dice, 20) - 10 * TICK, i,
				true);
	}
	qsort(traffic->arrival, traffic->arrival_count, sizeof(traffic->arrival[0]), by_time);
}

void
traffic_make(struct traffic *traffic, const struct relay_crypto *key, unsigned count,
	struct test_random *dice)
{
	memset(traffic, 0, sizeof(*traffic));
	traffic->sent = calloc(count, sizeof(traffic->sent[0]));
	traffic->arrival = calloc(3 * (size_t)count, sizeof(traffic->arrival[0]));
	if (traffic->sent == NULL || traffic->arrival == NULL)
		exit(1);
	traffic->sent_count = count;
	send_all(traffic, key, dice);
	deliver_all(traffic, key->suite == RELAY_SUITE_NONE, dice);
}

void
traffic_free(struct traffic *traffic)
{
	free(traffic->sent);
	free(traffic->arrival);
}

void
traffic_forge(uint8_t *data, unsigned *length, struct test_random *dice)
{
	unsigned flips = random_percent(dice, 70) ? 1 : 1 + random_below(dice, 8), bit = 0, step;

	if (random_percent(dice, 15)) {
		*length -= 1 + random_below(dice, *length);
		return;
	}
	/* always forward, and by less than a whole round: so no flip undoes another */
	step = 8 * *length / flips;
	for (unsigned i = 0; i < flips; i++) {
		bit = i * step + random_below(dice, step);
		data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
