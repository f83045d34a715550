/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/quality.h"
#include "dataplane/tick.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000) /* cycles: the simulated TSC runs at 1 GHz */
#define SECOND (1000 * MS)
#define CLOCK (8000 / BRIDGE_CLOCK_UNIT)
#define SSRC 0xcafebabe
#define OTHER_SSRC 0x00c0ffee

struct tick tick; /* tick.c needs EAL, which would measure the true TSC */

static void
reset(struct flow_quality *quality)
{
	memset(quality, 0, sizeof(*quality));
	quality->jitter = UINT32_MAX;
	quality->remote_lost = UINT32_MAX;
	quality->remote_jitter_ms = UINT16_MAX;
	quality->round_trip_ms = UINT16_MAX;
}

static int
set_clock(void **unused)
{
	tick = (struct tick){.start = 12345 * MS, .ms_per_cycle = 1e-6};
	return 0;
}

/* The n-th packet of a stream of 20 ms packets, `late` cycles after its time. */
static void
hear(struct flow_quality *quality, uint64_t index, uint64_t n, uint64_t late)
{
	quality_note_rtp(quality, SSRC, index, 0xffffff00u + (uint32_t)(160 * n),
		tick.start + 20 * MS * n + late, CLOCK);
}

static void
knows_static_payload_types(void **unused)
{
	static const unsigned hertz[35] = {8000, 0, 0, 8000, 8000, 8000, 16000, 8000, 8000, 8000,
		44100, 44100, 8000, 8000, 90000, 8000, 11025, 22050, 8000, [25] = 90000,
		[26] = 90000, [28] = 90000, [31] = 90000, [32] = 90000, [33] = 90000, [34] = 90000};

	for (unsigned type = 0; type < 128; type++)
		assert_int_equal(quality_static_clock(type) * BRIDGE_CLOCK_UNIT,
			type < 35 ? hertz[type] : 0);
	assert_int_equal(quality_static_clock(UINT32_MAX), 0);
}

static void
counts_losses(void **unused)
{
	struct flow_quality quality;
	struct relay_quality told;

	reset(&quality);
	quality_describe(&quality, &told);
	assert_int_equal(told.expected, 0);
	assert_int_equal(told.lost, 0);

	/* across the sequence number's and the low word's wrap; 0xfffffffe and the one after 3
	 * packets are lost, one comes late */
	hear(&quality, 0xfffffffd, 0, 0);
	hear(&quality, 0xffffffff, 2, 0);
	hear(&quality, 0x100000000, 3, 0);
	hear(&quality, 0x100000003, 6, 0);
	hear(&quality, 0x100000002, 5, 25 * MS);
	quality_describe(&quality, &told);
	assert_int_equal(told.ssrc, SSRC);
	assert_int_equal(told.expected, 7);
	assert_int_equal(told.lost, 2);
	assert_int_equal(quality.received, 5);
}

static void
loses_no_less_than_nothing(void **unused)
{
	struct flow_quality quality;
	struct relay_quality told;

	reset(&quality);
	hear(&quality, 100, 1, 0);
	hear(&quality, 99, 0, 21 * MS);
	hear(&quality, 100, 1, 2 * MS); /* a duplicate, which a leg in clear lets pass */
	quality_describe(&quality, &told);
	assert_int_equal(told.expected, 1);
	assert_int_equal(quality.received, 3);
	assert_int_equal(told.lost, 0);
}

static void
takes_a_leap_for_a_new_beginning(void **unused)
{
	static const int64_t leaps[] = {3001, -3001, 40000, -40000, 0x7fffffff};
	struct flow_quality quality;
	struct relay_quality told;

	reset(&quality);
	hear(&quality, 1000000, 0, 0);
	hear(&quality, 1000000 + 3000, 3000, 0); /* the most that counts as loss */
	quality_describe(&quality, &told);
	assert_int_equal(told.lost, 2999);

	for (unsigned i = 0; i < sizeof(leaps) / sizeof(leaps[0]); i++) {
		uint64_t index = 100000;

		reset(&quality);
		hear(&quality, index, 0, 0);
		hear(&quality, index + 2, 2, 0);
		index = (uint64_t)((int64_t)index + 2 + leaps[i]);
		hear(&quality, index, 77, 0);
		hear(&quality, index + 1, 78, 0);
		hear(&quality, index + 3, 80, 0);
		quality_describe(&quality, &told);
		assert_int_equal(told.expected, 7);
		assert_int_equal(told.lost, 2);
	}
}

static void
begins_anew_with_an_ssrc(void **unused)
{
	struct flow_quality quality;
	struct relay_quality told;

	reset(&quality);
	quality_note_rtp(&quality, 0, 7, 0, tick.start, CLOCK); /* 0 is an SSRC like any other */
	quality_note_rtp(&quality, 0, 9, 320, tick.start + 90 * MS, CLOCK);
	assert_int_equal(quality.expected, 3);
	assert_int_not_equal(quality.jitter, 0);
	hear(&quality, 500, 0, 0);
	quality_describe(&quality, &told);
	assert_int_equal(told.ssrc, SSRC);
	assert_int_equal(told.expected, 1);
	assert_int_equal(told.lost, 0);
	assert_int_equal(told.jitter_us, 0);
}

/* RFC 3550 A.8 in floating point, J += (|D| - J) / 16, against what the integers make of it. */
static void
measures_jitter(void **unused)
{
	struct test_random random = random_seeded("test_quality");
	struct flow_quality quality;
	struct relay_quality told;
	double jitter = 0, before = 0;

	reset(&quality);
	for (unsigned n = 0; n < 2000; n++) {
		double late = random_below(&random, 30000) / 1000.0; /* ms */

		hear(&quality, n, n, (uint64_t)(late * (double)MS));
		if (n > 0)
			jitter += ((late > before ? late - before : before - late) - jitter) / 16;
		before = late;
		quality_describe(&quality, &told);
		/* a unit is 125 us: arrivals are rounded to it, and the sixteenths */
		assert_true(told.jitter_us / 1000.0 > jitter - 0.2);
		assert_true(told.jitter_us / 1000.0 < jitter + 0.2);
	}
	/* one packet 16 ms late, once: 16000 more, a 16th of them here, then as much back */
	reset(&quality);
	hear(&quality, 0, 0, 0);
	hear(&quality, 1, 1, 0);
	assert_int_equal(quality.jitter, 0);
	hear(&quality, 2, 2, 16 * MS);
	assert_int_equal(quality.jitter, 16000);
	hear(&quality, 3, 3, 0);
	assert_int_equal(quality.jitter, 16000 + 16000 - 1000);
	quality_describe(&quality, &told);
	assert_int_equal(told.jitter_us, 31000 / 16);
}

/* After days, at the fastest clock there is: a unit is 610 ns, and the timestamp has wrapped
 * often. */
static void
measures_jitter_after_a_year(void **unused)
{
	const uint64_t hertz = UINT16_MAX * BRIDGE_CLOCK_UNIT;
	struct flow_quality quality;

	reset(&quality);
	for (unsigned n = 0; n < 1000; n++) {
		uint64_t units = hertz * 3600 * 24 * 365 + n * hertz / 50;
		uint64_t now = tick.start + (uint64_t)((__uint128_t)units * SECOND / hertz);

		quality_note_rtp(&quality, SSRC, n, (uint32_t)units, now, UINT16_MAX);
		/* rounding alone: never two units */
		assert_true(quality.jitter <= 2 * 16);
	}
}

static void
forgives_a_leap_of_the_timestamp(void **unused)
{
	struct flow_quality quality;
	uint64_t now = tick.start;
	uint32_t timestamp = 0;

	reset(&quality);
	for (unsigned n = 0; n < 100; n++, now += 20 * MS, timestamp += 160) {
		if (n == 50)
			timestamp += 0x7eadbeef;
		quality_note_rtp(&quality, SSRC, n, timestamp, now, CLOCK);
		assert_int_equal(quality.jitter, 0);
	}
	/* and with the index, what is short of 10 s is no jitter either */
	quality_note_rtp(&quality, SSRC, 40000, timestamp + 8000, now, CLOCK);
	assert_int_equal(quality.jitter, 0);
}

static void
knows_no_jitter_without_a_clock(void **unused)
{
	struct flow_quality quality;
	struct relay_quality told;

	reset(&quality);
	for (unsigned n = 0; n < 60; n++)
		quality_note_rtp(&quality, SSRC, n, n * n, tick.start + n * 20 * MS, 0);
	assert_int_equal(quality.jitter, UINT32_MAX);
	quality_describe(&quality, &told);
	assert_int_equal(told.jitter_us, RELAY_UNKNOWN);
	assert_int_equal(told.mos_100, 441);
	/* the clock becomes known: measured from here on */
	hear(&quality, 60, 60, 0);
	assert_int_equal(quality.jitter, 0);
	hear(&quality, 61, 61, 0);
	assert_int_equal(quality.jitter, 0);
}

static unsigned
put_32(uint8_t *out, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
	return 4;
}

struct block {
	uint32_t ssrc, lost, jitter, last_report, delay;
};

static unsigned
put_block(uint8_t *out, const struct block *block)
{
	put_32(out, block->ssrc);
	put_32(out + 4, block->lost);
	put_32(out + 8, 0x00010203);
	put_32(out + 12, block->jitter);
	put_32(out + 16, block->last_report);
	put_32(out + 20, block->delay);
	return 24;
}

static unsigned
put_header(uint8_t *out, unsigned count, unsigned type, unsigned size, uint32_t ssrc)
{
	put_32(out, 2u << 30 | count << 24 | type << 16 | (size / 4 - 1));
	put_32(out + 4, ssrc);
	return 8;
}

static unsigned
put_receiver_report(uint8_t *out, const struct block *blocks, unsigned count)
{
	unsigned length = put_header(out, count, 201, 8 + 24 * count, OTHER_SSRC);

	for (unsigned i = 0; i < count; i++)
		length += put_block(out + length, &blocks[i]);
	return length;
}

static unsigned
put_sender_report(
	uint8_t *out, uint32_t ssrc, uint32_t middle, const struct block *blocks, unsigned count)
{
	unsigned length = put_header(out, count, 200, 28 + 24 * count, ssrc);

	length += put_32(out + length, 0xaaaa0000 | middle >> 16);
	length += put_32(out + length, middle << 16 | 0xbbbb);
	memset(out + length, 0xcc, 12);
	length += 12;
	for (unsigned i = 0; i < count; i++)
		length += put_block(out + length, &blocks[i]);
	return length;
}

static unsigned
put_description(uint8_t *out)
{
	unsigned length = put_header(out, 1, 202, 16, OTHER_SSRC);

	memcpy(out + length, "\1\4a@bc\0\0", 8);
	return length + 8;
}

/* Both directions of a session; a packet of SSRC has come in on leg 0, which B is to be sent. */
static void
reset_both(struct flow_quality *a, struct flow_quality *b)
{
	reset(a);
	reset(b);
	hear(a, 10, 0, 0);
}

static void
reads_a_far_ends_report(void **unused)
{
	const struct block blocks[] = {
		{.ssrc = 0x11111111, .lost = 0x99000099, .jitter = 99999},
		{.ssrc = SSRC, .lost = 0x40000123, .jitter = 240},
	};
	struct flow_quality a, b;
	struct relay_quality told;
	uint8_t data[256];
	unsigned length;

	reset_both(&a, &b);
	quality_describe(&b, &told);
	assert_int_equal(told.remote_lost, RELAY_UNKNOWN);
	assert_int_equal(told.remote_lost_256, 0);
	assert_int_equal(told.remote_jitter_us, RELAY_UNKNOWN);
	assert_int_equal(told.round_trip_us, RELAY_UNKNOWN);

	/* what matters comes after a description, in the second block of the second report */
	length = put_receiver_report(data, NULL, 0);
	length += put_description(data + length);
	length += put_receiver_report(data + length, blocks, 2);
	quality_note_rtcp(&b, &a, data, length, tick.start, CLOCK);
	quality_describe(&b, &told);
	assert_int_equal(told.remote_lost, 0x123);
	assert_int_equal(told.remote_lost_256, 0x40);
	assert_int_equal(told.remote_jitter_us, 30000);
	assert_int_equal(told.round_trip_us, RELAY_UNKNOWN);
	assert_int_equal(a.remote_lost, UINT32_MAX);

	/* of a sender report, too; its clock not known; more duplicates than losses: -2 */
	length = put_sender_report(data, OTHER_SSRC, 1,
		&(struct block){.ssrc = SSRC, .lost = 0x05fffffe, .jitter = 1}, 1);
	quality_note_rtcp(&b, &a, data, length, tick.start, 0);
	quality_describe(&b, &told);
	assert_int_equal(told.remote_lost, 0);
	assert_int_equal(told.remote_lost_256, 5);
	assert_int_equal(told.remote_jitter_us, RELAY_UNKNOWN);

	/* the most that a report can say is still a report */
	length = put_receiver_report(
		data, &(struct block){.ssrc = SSRC, .lost = 0xff7fffff, .jitter = UINT32_MAX}, 1);
	quality_note_rtcp(&b, &a, data, length, tick.start, CLOCK);
	quality_describe(&b, &told);
	assert_int_equal(told.remote_lost, 0x7fffff);
	assert_int_equal(told.remote_lost_256, 255);
	assert_int_equal(told.remote_jitter_us, (UINT16_MAX - 1) * 1000);
}

static void
needs_a_stream_to_report_on(void **unused)
{
	const struct block block = {.ssrc = 0, .lost = 1};
	struct flow_quality a, b;
	uint8_t data[64];

	reset(&a);
	reset(&b);
	quality_note_rtcp(&b, &a, data, put_receiver_report(data, &block, 1), tick.start, CLOCK);
	assert_int_equal(b.remote_lost, UINT32_MAX);
}

/* A's sender report passes at `passed`, B's report that refers to it comes at `back`, cycles. */
static uint16_t
round_trip(uint64_t passed, uint64_t back, uint32_t last_report, uint32_t delay)
{
	const struct block block = {.ssrc = SSRC, .last_report = last_report, .delay = delay};
	struct flow_quality a, b;
	uint8_t data[64];
	unsigned length;

	reset_both(&a, &b);
	length = put_sender_report(data, SSRC, 0xb705ca11, NULL, 0);
	quality_note_rtcp(&a, &b, data, length, tick.start + passed, CLOCK);
	length = put_receiver_report(data, &block, 1);
	quality_note_rtcp(&b, &a, data, length, tick.start + back, CLOCK);
	assert_int_equal(a.round_trip_ms, UINT16_MAX);
	return b.round_trip_ms;
}

static void
measures_the_round_trip(void **unused)
{
	const uint32_t held = 5 * 65536 + 16384; /* 5.25 s */
	const uint64_t wrap =
		UINT64_C(65536) * SECOND - 3 * SECOND; /* of the 32 bits, in between */

	/* the example of RFC 3550 6.4.1, figure 2: 6.125 s, as n - DLSR - LSR */
	assert_int_equal(round_trip(0, 11375 * MS, 0xb705ca11, held), 4 * 6125);
	assert_int_equal(round_trip(SECOND, SECOND + 5250 * MS + 80 * MS, 0xb705ca11, held), 319);
	assert_int_equal(round_trip(wrap, wrap + 5250 * MS + 100 * MS, 0xb705ca11, held), 399);
	assert_int_equal(round_trip(0, 5251 * MS, 0xb705ca11, held), 3);
	/* none where nothing was received yet, another report is meant, or time would run back */
	assert_int_equal(round_trip(0, 5350 * MS, 0, held), UINT16_MAX);
	assert_int_equal(round_trip(0, 5350 * MS, 0xb705ca12, held), UINT16_MAX);
	assert_int_equal(round_trip(0, 5249 * MS, 0xb705ca11, held), UINT16_MAX);
	/* clipped, and not taken for unknown */
	assert_int_equal(round_trip(0, 20000 * SECOND, 0xb705ca11, held), UINT16_MAX - 1);
}

static void
knows_only_the_streams_own_sender_reports(void **unused)
{
	struct flow_quality a, b;
	uint8_t data[64];
	unsigned length;

	reset_both(&a, &b);
	length = put_sender_report(data, SSRC, 0x11112222, NULL, 0);
	quality_note_rtcp(&a, &b, data, length, tick.start, CLOCK);
	assert_int_equal(a.report, 0x11112222);
	length = put_sender_report(data, SSRC + 1, 0x33334444, NULL, 0);
	quality_note_rtcp(&a, &b, data, length, tick.start, CLOCK);
	assert_int_equal(a.report, 0x11112222);
	/* before any RTP, there is no other */
	reset(&a);
	quality_note_rtcp(&a, &b, data, length, tick.start, CLOCK);
	assert_int_equal(a.report, 0x33334444);
}

/* In a block of memory that ends with the packet: a sanitizer sees a byte read past it. */
static void
read_exactly(
	struct flow_quality *from, struct flow_quality *back, const uint8_t *data, unsigned length)
{
	uint8_t *exact = malloc(length > 0 ? length : 1);

	assert_non_null(exact);
	memcpy(exact, data, length);
	quality_note_rtcp(from, back, length > 0 ? exact : exact + 1, length, tick.start, CLOCK);
	free(exact);
}

/* A report of which a byte is missing, or that promises a block too many, is not taken. */
static void
takes_no_part_of_a_report(void **unused)
{
	const struct block block = {.ssrc = SSRC, .lost = 7};
	struct flow_quality a, b;
	uint8_t data[128];
	unsigned length = put_sender_report(data, SSRC, 0x11112222, &block, 1);

	for (unsigned cut = 0; cut <= length; cut++) {
		reset_both(&a, &b);
		read_exactly(&b, &a, data, cut);
		assert_int_equal(b.remote_lost, cut == length ? 7 : UINT32_MAX);
		assert_int_equal(b.report, cut == length ? 0x11112222 : 0);
	}
	for (unsigned count = 2; count < 32; count++) {
		reset_both(&a, &b);
		data[0] = (uint8_t)(0x80 | count);
		/* the next block would lie behind: within the datagram, but not in the report */
		put_block(data + length, &block);
		read_exactly(&b, &a, data, length + 24);
		assert_int_equal(b.remote_lost, UINT32_MAX);
		assert_int_equal(b.report, 0);
	}
	for (unsigned version = 0; version < 4; version++) {
		reset_both(&a, &b);
		data[0] = (uint8_t)(version << 6 | 1);
		read_exactly(&b, &a, data, length);
		assert_int_equal(b.remote_lost, version == 2 ? 7 : UINT32_MAX);
	}
}

static void
survives_what_is_malformed(void **unused)
{
	const struct block blocks[] = {{.ssrc = 1}, {.ssrc = SSRC, .last_report = 0x11112222}};
	struct test_random random = random_seeded("test_quality");
	struct flow_quality a, b;
	struct relay_quality told;
	uint8_t whole[256], data[256];
	unsigned length;

	length = put_sender_report(whole, SSRC, 0x11112222, blocks, 2);
	length += put_description(whole + length);
	length += put_receiver_report(whole + length, blocks, 2);
	reset_both(&a, &b);
	for (unsigned round = 0; round < 200000; round++) {
		unsigned cut = random_percent(&random, 50) ? length : random_below(&random, length);

		memcpy(data, whole, length);
		for (unsigned i = random_below(&random, 8); i > 0; i--) {
			/* headers more often than what they lead to */
			unsigned at = random_percent(&random, 50) ? random_below(&random, 4)
			                                          : random_below(&random, length);
			data[at] = random_percent(&random, 50)
			                   ? (uint8_t)random_next(&random)
			                   : (uint8_t)(whole[at] ^ 1 << random_below(&random, 8));
		}
		read_exactly(&b, &a, data, cut);
		quality_describe(&b, &told);
	}
}

static void
estimates_mos(void **unused)
{
	/* G.107 annex B of R = 93.2, 89.56, 77.42 and 66.13; then delay: R = 89.6, 72.50 */
	assert_int_equal(quality_mos_100(0, 0, 0), 441);
	assert_int_equal(quality_mos_100(0.01, 0, 0), 433);
	assert_int_equal(quality_mos_100(0.05, 0, 0), 392);
	assert_int_equal(quality_mos_100(0.10, 0, 0), 341);
	assert_int_equal(quality_mos_100(0, 150, 0), 433);
	assert_int_equal(quality_mos_100(0, 300, 0), 371);
	/* a jitter of 25 ms costs a buffer of 50 */
	assert_int_equal(quality_mos_100(0, 250, 25), 371);
	assert_int_equal(quality_mos_100(1, 0, 0), 118);
	assert_int_equal(quality_mos_100(1, 100, 0), 112);
	assert_int_equal(quality_mos_100(1, 2000, 0), 100);
	assert_int_equal(quality_mos_100(0, 4e9, 4e9), 100);
	/* worse is never better */
	for (unsigned percent = 0; percent < 100; percent++)
		assert_true(quality_mos_100(percent / 100.0, 0, 0) >=
			    quality_mos_100((percent + 1) / 100.0, 0, 0));
	for (unsigned delay = 0; delay < 2000; delay++)
		assert_true(quality_mos_100(0, delay, 0) >= quality_mos_100(0, delay + 1, 0));
}

static void
describes_mos_of_what_was_heard(void **unused)
{
	const struct block block = {.ssrc = SSRC, .last_report = 0x11112222};
	struct flow_quality a, b;
	struct relay_quality told;
	uint8_t data[64];
	unsigned length, n = 0;

	memset(&told, 0x5a, sizeof(told));
	reset_both(&a, &b);
	for (; n < 49; n++)
		quality_note_rtp(&b, OTHER_SSRC, n, n * 160, tick.start + n * 20 * MS, CLOCK);
	quality_describe(&b, &told);
	assert_int_equal(told.mos_100, 0);
	assert_int_equal(told.roc, 0x5a5a5a5a); /* not ours to tell */
	assert_int_equal(told.ssrcs, 0x5a5a5a5a);
	quality_note_rtp(&b, OTHER_SSRC, n, n * 160, tick.start + n * 20 * MS, CLOCK);
	quality_describe(&b, &told);
	assert_int_equal(told.mos_100, 441);
	/* a round trip of 600 ms makes 300 one way */
	length = put_sender_report(data, SSRC, 0x11112222, NULL, 0);
	quality_note_rtcp(&a, &b, data, length, tick.start, CLOCK);
	length = put_receiver_report(data, &block, 1);
	quality_note_rtcp(&b, &a, data, length, tick.start + 600 * MS, CLOCK);
	quality_describe(&b, &told);
	assert_in_range(told.round_trip_us, 599000, 600000);
	assert_int_equal(told.mos_100, 371);
	/* 50 of 500 are lost: 10 percent */
	n += 450;
	quality_note_rtp(&b, OTHER_SSRC, n, n * 160, tick.start + n * 20 * MS, CLOCK);
	b.received = 450;
	quality_describe(&b, &told);
	assert_int_equal(told.expected, 500);
	assert_int_equal(told.lost, 50);
	assert_int_equal(told.mos_100, 234);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_static_payload_types),
		cmocka_unit_test(counts_losses),
		cmocka_unit_test(loses_no_less_than_nothing),
		cmocka_unit_test(takes_a_leap_for_a_new_beginning),
		cmocka_unit_test(begins_anew_with_an_ssrc),
		cmocka_unit_test(measures_jitter),
		cmocka_unit_test(measures_jitter_after_a_year),
		cmocka_unit_test(forgives_a_leap_of_the_timestamp),
		cmocka_unit_test(knows_no_jitter_without_a_clock),
		cmocka_unit_test(reads_a_far_ends_report),
		cmocka_unit_test(needs_a_stream_to_report_on),
		cmocka_unit_test(measures_the_round_trip),
		cmocka_unit_test(knows_only_the_streams_own_sender_reports),
		cmocka_unit_test(takes_no_part_of_a_report),
		cmocka_unit_test(survives_what_is_malformed),
		cmocka_unit_test(estimates_mos),
		cmocka_unit_test(describes_mos_of_what_was_heard),
	};

	return cmocka_run_group_tests(tests, set_clock, NULL);
}
