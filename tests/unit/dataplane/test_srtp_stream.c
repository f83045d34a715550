/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/srtp_stream.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ROC(n) ((uint64_t)(n) << 16)

/* A stream whose highest index is this one. */
static struct srtp_stream
stream_at(uint64_t index)
{
	struct srtp_stream stream;

	srtp_stream_init(&stream, 7);
	assert_int_equal(srtp_stream_check(&stream, index), RELAY_DROP_NONE);
	srtp_stream_accept(&stream, index);
	assert_true(stream.rtp_highest == index);
	return stream;
}

static void
assert_estimate(uint64_t highest, uint16_t sequence, uint64_t expected)
{
	struct srtp_stream stream = stream_at(highest);

	if (srtp_stream_estimate(&stream, sequence) != expected)
		fail_msg("highest 0x%llx, sequence 0x%x: index 0x%llx, expected 0x%llx",
			(unsigned long long)highest, sequence,
			(unsigned long long)srtp_stream_estimate(&stream, sequence),
			(unsigned long long)expected);
}

static void
init_clears_all_but_the_ssrc(void **unused)
{
	struct srtp_stream stream, expected;

	memset(&stream, 0xff, sizeof(stream));
	memset(&expected, 0, sizeof(expected));
	expected.ssrc = 0xcafebabe;
	srtp_stream_init(&stream, 0xcafebabe);
	assert_memory_equal(&stream, &expected, sizeof(stream));
}

static void
first_packet_is_in_roc_0(void **unused)
{
	struct srtp_stream stream;

	srtp_stream_init(&stream, 7);
	for (uint32_t sequence = 0; sequence < 65536; sequence++)
		assert_true(srtp_stream_estimate(&stream, (uint16_t)sequence) == sequence);
	assert_int_equal(srtp_stream_check(&stream, 0), RELAY_DROP_NONE);
}

static void
first_packet_at_65535(void **unused)
{
	assert_estimate(65535, 0, ROC(1));
	assert_estimate(65535, 32766, ROC(1) + 32766);
	assert_estimate(65535, 32767, 32767);
	assert_estimate(65535, 65535, 65535);
	assert_estimate(65535, 65534, 65534);
}

/* RFC 3711 3.3.1: the index nearest to the highest, of the three with this sequence. */
static void
estimates_the_nearest_index(void **unused)
{
	/* both directions across a wrap */
	assert_estimate(ROC(3) + 65530, 5, ROC(4) + 5);
	assert_estimate(ROC(4) + 5, 65530, ROC(3) + 65530);
	assert_estimate(ROC(4), 65535, ROC(3) + 65535);
	/* the edges of half the space, on either side of the middle */
	assert_estimate(ROC(4) + 0x7fff, 0xffff, ROC(4) + 0xffff);
	assert_estimate(ROC(4) + 0x7ffe, 0xffff, ROC(3) + 0xffff);
	assert_estimate(ROC(4) + 0x8000, 0x0000, ROC(4));
	assert_estimate(ROC(4) + 0x8001, 0x0000, ROC(5));
	assert_estimate(ROC(4) + 0x8001, 0x0001, ROC(4) + 1);
	assert_estimate(ROC(4), 0x8000, ROC(4) + 0x8000);
	assert_estimate(ROC(4), 0x8001, ROC(3) + 0x8001);
	/* the 48th bit */
	assert_estimate(ROC(0xfffffffe) + 65535, 0, ROC(0xffffffff));
	assert_estimate(ROC(0xffffffff), 65535, ROC(0xfffffffe) + 65535);
}

static void
is_never_before_roc_0(void **unused)
{
	assert_estimate(5, 65530, 65530);
	assert_estimate(0, 0x8001, 0x8001);
	assert_estimate(0x7ffe, 0xffff, 0xffff);
}

static void
past_the_last_index_is_refused(void **unused)
{
	struct srtp_stream stream = stream_at(ROC(0xffffffff) + 65535);
	uint64_t index = srtp_stream_estimate(&stream, 0);

	assert_true(index < UINT64_C(1) << 48);
	assert_int_equal(srtp_stream_check(&stream, index), RELAY_DROP_TOO_OLD);
}

static void
estimate_agrees_with_nearest_by_search(void **unused)
{
	struct test_random random = random_seeded("estimate");

	for (int i = 0; i < 200000; i++) {
		uint64_t highest =
			ROC(1 + random_below(&random, 1000)) + random_below(&random, 65536);
		uint16_t sequence = (uint16_t)random_next(&random);
		struct srtp_stream stream = stream_at(highest);
		uint64_t index = srtp_stream_estimate(&stream, sequence);
		int64_t distance = (int64_t)(index - highest);

		assert_int_equal(index & 0xffff, sequence);
		/* at exactly half either is as near */
		assert_true(distance >= -32768 && distance <= 32768);
	}
}

static void
window_edges(void **unused)
{
	struct srtp_stream stream = stream_at(1000);

	assert_int_equal(srtp_stream_check(&stream, 1000), RELAY_DROP_REPLAYED);
	assert_int_equal(srtp_stream_check(&stream, 1000 - 127), RELAY_DROP_NONE);
	assert_int_equal(srtp_stream_check(&stream, 1000 - 128), RELAY_DROP_TOO_OLD);
	assert_int_equal(srtp_stream_check(&stream, 0), RELAY_DROP_TOO_OLD);

	srtp_stream_accept(&stream, 1000 - 127);
	assert_int_equal(srtp_stream_check(&stream, 1000 - 127), RELAY_DROP_REPLAYED);
	assert_int_equal(srtp_stream_check(&stream, 1000 - 126), RELAY_DROP_NONE);
	srtp_stream_accept(&stream, 1001);
	assert_int_equal(srtp_stream_check(&stream, 1000 - 127), RELAY_DROP_TOO_OLD);
	assert_int_equal(srtp_stream_check(&stream, 1000 - 126), RELAY_DROP_NONE);
	assert_int_equal(srtp_stream_check(&stream, 1000), RELAY_DROP_REPLAYED);
	/* from one word of the window into the other */
	srtp_stream_accept(&stream, 1001 - 63);
	srtp_stream_accept(&stream, 1001 - 64);
	srtp_stream_accept(&stream, 1002);
	for (uint64_t age = 0; age < 128; age++) {
		int seen = age <= 2 || age == 64 || age == 65;

		assert_int_equal(srtp_stream_check(&stream, 1002 - age),
			seen ? RELAY_DROP_REPLAYED : RELAY_DROP_NONE);
	}
}

/* Two packets seen, then a jump of every size there is a case for. */
static void
jumps_keep_what_is_still_in_the_window(void **unused)
{
	for (uint64_t jump = 1; jump < 300; jump++) {
		struct srtp_stream stream = stream_at(ROC(2));

		srtp_stream_accept(&stream, ROC(2) - 60);
		srtp_stream_accept(&stream, ROC(2) + jump);
		for (uint64_t age = 1; age < 128; age++) {
			int seen = age == jump || age == jump + 60;

			assert_int_equal(srtp_stream_check(&stream, ROC(2) + jump - age),
				seen ? RELAY_DROP_REPLAYED : RELAY_DROP_NONE);
		}
	}
	/* as far as a packet can jump, and farther */
	for (unsigned shift = 9; shift < 48; shift++) {
		struct srtp_stream stream = stream_at(100);

		srtp_stream_accept(&stream, 100 + (UINT64_C(1) << shift));
		assert_true(stream.rtp_window[0] == 1 && stream.rtp_window[1] == 0);
		assert_int_equal(srtp_stream_check(&stream, 100), RELAY_DROP_TOO_OLD);
	}
}

static void
late_packet_across_a_wrap(void **unused)
{
	struct srtp_stream stream = stream_at(65533);
	static const uint16_t arrivals[] = {65535, 1, 65534, 0, 2};

	for (unsigned i = 0; i < sizeof(arrivals) / sizeof(arrivals[0]); i++) {
		uint64_t index = srtp_stream_estimate(&stream, arrivals[i]);

		assert_true(index == (arrivals[i] > 1000 ? 0 : ROC(1)) + arrivals[i]);
		assert_int_equal(srtp_stream_check(&stream, index), RELAY_DROP_NONE);
		srtp_stream_accept(&stream, index);
		assert_int_equal(srtp_stream_check(&stream, index), RELAY_DROP_REPLAYED);
	}
	assert_true(stream.rtp_highest == ROC(1) + 2);
}

/* The naive reference: every index ever seen, in one array. */
#define MODEL_SPAN 400000
struct model {
	uint8_t seen[MODEL_SPAN];
	uint64_t highest;
	int started;
};

static enum relay_drop
model_check(const struct model *model, uint64_t index, unsigned window)
{
	if (!model->started || index > model->highest)
		return RELAY_DROP_NONE;
	if (index + window <= model->highest)
		return RELAY_DROP_TOO_OLD;
	return model->seen[index] ? RELAY_DROP_REPLAYED : RELAY_DROP_NONE;
}

static void
model_accept(struct model *model, uint64_t index)
{
	model->seen[index] = 1;
	if (!model->started || index > model->highest)
		model->highest = index;
	model->started = 1;
}

static uint64_t
model_next(const struct model *model, struct test_random *random)
{
	static const unsigned reach[] = {2, 5, 64, 65, 128, 129, 200, 1000};
	unsigned span = reach[random_below(random, sizeof(reach) / sizeof(reach[0]))];
	uint64_t next = model->highest + random_below(random, span);
	uint64_t back = random_below(random, 2 * span);

	return next > back ? next - back : 0;
}

static void
rtp_window_agrees_with_a_set(void **unused)
{
	struct test_random random = random_seeded("rtp window");
	static struct model model;
	unsigned verdicts[RELAY_DROP_COUNT] = {0};

	for (int round = 0; round < 20; round++) {
		struct srtp_stream stream;

		memset(&model, 0, sizeof(model));
		srtp_stream_init(&stream, 7);
		model.highest = random_below(&random, 70000);
		for (int i = 0; i < 20000; i++) {
			uint64_t index = model_next(&model, &random);
			enum relay_drop verdict;

			if (index >= MODEL_SPAN)
				break;
			verdict = srtp_stream_check(&stream, index);
			assert_int_equal(verdict, model_check(&model, index, 128));
			verdicts[verdict]++;
			if (verdict == RELAY_DROP_NONE) {
				srtp_stream_accept(&stream, index);
				model_accept(&model, index);
			}
		}
	}
	assert_true(verdicts[RELAY_DROP_NONE] > 1000);
	assert_true(verdicts[RELAY_DROP_REPLAYED] > 1000);
	assert_true(verdicts[RELAY_DROP_TOO_OLD] > 1000);
}

static void
rtcp_window_agrees_with_a_set(void **unused)
{
	struct test_random random = random_seeded("rtcp window");
	static struct model model;
	unsigned verdicts[RELAY_DROP_COUNT] = {0};

	for (int round = 0; round < 20; round++) {
		struct srtp_stream stream;

		memset(&model, 0, sizeof(model));
		srtp_stream_init(&stream, 7);
		for (int i = 0; i < 20000; i++) {
			uint64_t index = model_next(&model, &random);
			enum relay_drop verdict;

			if (index >= MODEL_SPAN)
				break;
			verdict = srtcp_stream_check(&stream, (uint32_t)index);
			assert_int_equal(verdict, model_check(&model, index, 64));
			verdicts[verdict]++;
			if (verdict == RELAY_DROP_NONE) {
				srtcp_stream_accept(&stream, (uint32_t)index);
				model_accept(&model, index);
			}
		}
	}
	assert_true(verdicts[RELAY_DROP_NONE] > 1000);
	assert_true(verdicts[RELAY_DROP_REPLAYED] > 1000);
	assert_true(verdicts[RELAY_DROP_TOO_OLD] > 1000);
}

static void
rtcp_edges(void **unused)
{
	struct srtp_stream stream;

	srtp_stream_init(&stream, 7);
	assert_int_equal(srtcp_stream_check(&stream, 0), RELAY_DROP_NONE);
	srtcp_stream_accept(&stream, 0);
	assert_int_equal(srtcp_stream_check(&stream, 0), RELAY_DROP_REPLAYED);
	srtcp_stream_accept(&stream, 63);
	assert_int_equal(srtcp_stream_check(&stream, 0), RELAY_DROP_REPLAYED);
	srtcp_stream_accept(&stream, 64);
	assert_int_equal(srtcp_stream_check(&stream, 0), RELAY_DROP_TOO_OLD);
	assert_int_equal(srtcp_stream_check(&stream, 1), RELAY_DROP_NONE);
	srtcp_stream_accept(&stream, 0x7fffffff);
	assert_int_equal(srtcp_stream_check(&stream, 64), RELAY_DROP_TOO_OLD);
	/* the index wraps only with a new key */
	assert_int_equal(srtcp_stream_check(&stream, 0), RELAY_DROP_TOO_OLD);
	assert_int_equal(srtcp_stream_check(&stream, 0x7ffffffe), RELAY_DROP_NONE);
	/* nothing of this touched the RTP side */
	assert_int_equal(stream.rtp_started, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_clears_all_but_the_ssrc),
		cmocka_unit_test(first_packet_is_in_roc_0),
		cmocka_unit_test(first_packet_at_65535),
		cmocka_unit_test(estimates_the_nearest_index),
		cmocka_unit_test(is_never_before_roc_0),
		cmocka_unit_test(past_the_last_index_is_refused),
		cmocka_unit_test(estimate_agrees_with_nearest_by_search),
		cmocka_unit_test(window_edges),
		cmocka_unit_test(jumps_keep_what_is_still_in_the_window),
		cmocka_unit_test(late_packet_across_a_wrap),
		cmocka_unit_test(rtp_window_agrees_with_a_set),
		cmocka_unit_test(rtcp_window_agrees_with_a_set),
		cmocka_unit_test(rtcp_edges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
