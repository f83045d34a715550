/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A libsrtp2 sender, the relay's SRTP, a libsrtp2 receiver: in both directions at once, for every
 * pair of suites. What the sender made must come out at the receiver, byte for byte. A second
 * libsrtp2 receiver, with the sender's keys, gets what the relay gets: the relay must refuse what
 * it refuses, and nothing else.
 *
 * SALLYPORT_TEST_SEED repeats a run, SALLYPORT_TEST_PACKETS (of one direction) makes it longer.
 */
#include "traffic.h"
#include "transcryptor.h"

#include "dataplane/rtp.h"
#include "dataplane/tick.h"

#include <rte_eal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PACKETS 20000         /* of one direction, for the suites that everyone has */
#define PACKETS_OF_OTHERS 900 /* and for every other pair */

struct trial {
	enum relay_suite suite[2]; /* of leg 0 and 1 */
	unsigned batch_max;        /* packets that the relay takes at once */
	unsigned packets;
};

/* One packet at the relay, and what the second receiver said of it. */
struct passage {
	struct media media;
	const struct sent *sent;
	bool forged;
	bool disguised; /* forged, and by its bytes RTCP no more, or now */
	enum oracle_verdict verdict;
	uint8_t data[TRAFFIC_ROOM + 64];
};

struct call {
	struct transcryptor transcryptor;
	struct traffic traffic[2];
	struct oracle *beside[2]; /* has the keys of leg i, hears what the relay hears from it */
	struct oracle *far[2];    /* the far end of leg i, hears what the relay sends */
	unsigned at[2];           /* next arrival */
	unsigned drops[RELAY_DROP_COUNT];
	unsigned forged;
	unsigned batch_max;
};

static struct test_random dice;
static struct rte_mempool *streams;
static char folder[] = "/tmp/test-transcryption-XXXXXX";

static struct relay_crypto
random_key(enum relay_suite suite)
{
	struct relay_crypto key;

	memset(&key, 0, sizeof(key));
	key.suite = (uint8_t)suite;
	random_fill(&dice, key.key, relay_suite_info(suite)->key_length);
	random_fill(&dice, key.salt, relay_suite_info(suite)->salt_length);
	return key;
}

static void
call_start(struct call *call, const struct trial *trial)
{
	const char *wanted = getenv("SALLYPORT_TEST_PACKETS");
	unsigned packets = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : trial->packets;
	struct relay_crypto receive[2], transmit[2];

	memset(call, 0, sizeof(*call));
	call->batch_max = trial->batch_max;
	for (unsigned leg = 0; leg < 2; leg++) {
		receive[leg] = random_key(trial->suite[leg]);
		transmit[leg] = random_key(trial->suite[leg]);
		traffic_make(&call->traffic[leg], &receive[leg], packets, &dice);
		call->beside[leg] = oracle_create(&receive[leg], true);
		call->far[leg] = oracle_create(&transmit[leg], true);
	}
	transcryptor_init(&call->transcryptor, receive, transmit, streams);
}

static void
call_end(struct call *call)
{
	for (unsigned leg = 0; leg < 2; leg++) {
		traffic_free(&call->traffic[leg]);
		oracle_destroy(call->beside[leg]);
		oracle_destroy(call->far[leg]);
	}
	transcryptor_fini(&call->transcryptor);
}

/* The next arrival on this leg; false if there is none. */
static bool
arrive(struct call *call, unsigned leg, struct passage *passage)
{
	struct traffic *traffic = &call->traffic[leg];
	uint8_t copy[TRAFFIC_ROOM + 64] __attribute__((aligned(8)));
	const struct arrival *arrival;
	unsigned length;

	if (call->at[leg] == traffic->arrival_count)
		return false;
	arrival = &traffic->arrival[call->at[leg]++];
	passage->sent = &traffic->sent[arrival->sent];
	passage->forged = arrival->forged;
	memcpy(passage->data, passage->sent->wire, TRAFFIC_ROOM);
	length = passage->sent->wire_length;
	if (arrival->forged)
		traffic_forge(passage->data, &length, &dice);
	else
		assert_int_equal(rtp_classify(passage->data, length),
			passage->sent->rtcp ? MEDIA_RTCP : MEDIA_RTP);
	call->forged += arrival->forged;
	passage->disguised = rtp_classify(passage->data, length) !=
	                     (passage->sent->rtcp ? MEDIA_RTCP : MEDIA_RTP);
	passage->media = (struct media){.data = passage->data,
		.length = length,
		.direction = leg,
		.rtcp = passage->sent->rtcp};
	memcpy(copy, passage->data, sizeof(copy));
	passage->verdict = oracle_unprotect(call->beside[leg], passage->sent->rtcp, copy, &length);
	return true;
}

static bool
same_verdict(const struct passage *passage, bool in_batch)
{
	enum oracle_verdict verdict = passage->verdict;

	if (passage->forged && (verdict == ORACLE_OK || passage->media.drop == RELAY_DROP_NONE))
		return false;
	/* A batch's indices are estimated before its first packet moves the window. With a forged
	 * sequence half the sequences away, or that of an earlier packet of the batch, the reasons
	 * may differ. */
	if (passage->forged && in_batch)
		return true;
	/* libsrtp2 is told what it is, the relay looks */
	if (passage->disguised)
		return true;
	switch (passage->media.drop) {
	case RELAY_DROP_NONE:
		return verdict == ORACLE_OK;
	case RELAY_DROP_REPLAYED:
		/* too old only since an earlier packet of the batch moved the window */
		return verdict == ORACLE_REPLAYED || (in_batch && verdict == ORACLE_TOO_OLD);
	case RELAY_DROP_TOO_OLD:
		/* libsrtp2's window is 128 wide for RTCP too, and the relay's 64: so what is a
		 * replay (or a forgery) to the one is too old for the other */
		return verdict == ORACLE_TOO_OLD || (passage->media.rtcp && verdict != ORACLE_OK);
	case RELAY_DROP_AUTH_FAILED:
		return passage->forged && verdict == ORACLE_AUTH_FAILED;
	default: /* by its looks: libsrtp2 looks at less */
		return passage->forged;
	}
}

/* Accepted by both or refused by both, and for the same reason. */
static void
compare_verdicts(const struct passage *passage, bool in_batch)
{
	if (!same_verdict(passage, in_batch))
		fail_msg("%s%s of leg %u, index 0x%x: the relay says %s, libsrtp2 %d",
			passage->forged ? "forged " : "", passage->media.rtcp ? "RTCP" : "RTP",
			passage->media.direction, passage->sent->index,
			relay_drop_name(passage->media.drop), passage->verdict);
}

static void
receive_at_far_end(struct call *call, struct passage *passage)
{
	struct oracle *far = call->far[1 - passage->media.direction];
	unsigned length = passage->media.length;

	assert_memory_not_equal(passage->data, passage->sent->wire, passage->sent->wire_length);
	assert_int_equal(
		oracle_unprotect(far, passage->media.rtcp, passage->data, &length), ORACLE_OK);
	assert_int_equal(length, passage->sent->plain_length);
	assert_memory_equal(passage->data, passage->sent->plain, length);
}

/* One batch of both legs' packets; false when there is nothing left. */
static bool
relay_batch(struct call *call)
{
	static struct passage passages[ENGINE_BATCH_MAX];
	struct media *media[ENGINE_BATCH_MAX] = {NULL};
	unsigned wanted = 1 + random_below(&dice, call->batch_max), n = 0;

	for (unsigned tries = 0; n < wanted && tries < 4 * wanted; tries++)
		if (arrive(call, random_below(&dice, 2), &passages[n])) {
			media[n] = &passages[n].media;
			n++;
		}
	transcryptor_run(&call->transcryptor, media, n);
	for (unsigned i = 0; i < n; i++) {
		call->drops[passages[i].media.drop]++;
		compare_verdicts(&passages[i], n > 1);
		if (passages[i].media.drop == RELAY_DROP_NONE)
			receive_at_far_end(call, &passages[i]);
	}
	return call->at[0] < call->traffic[0].arrival_count ||
	       call->at[1] < call->traffic[1].arrival_count;
}

/* Was the run worth something? */
static void
check_worth(const struct call *call, unsigned sent)
{
	assert_in_range(call->drops[RELAY_DROP_NONE], sent * 9 / 10, sent);
	assert_true(call->drops[RELAY_DROP_AUTH_FAILED] > sent / 50);
	assert_true(call->drops[RELAY_DROP_REPLAYED] > sent / 100);
	assert_true(call->drops[RELAY_DROP_TOO_OLD] > sent / 200);
}

static void
run_trial(const struct trial *trial)
{
	static struct call call;
	unsigned sent;

	call_start(&call, trial);
	while (relay_batch(&call))
		;
	sent = call.traffic[0].sent_count + call.traffic[1].sent_count;
	if (trial->packets == PACKETS) {
		fprintf(stderr,
			"%s <-> %s, batches of up to %u: %u sent, %u relayed, %u forged, "
			"%u auth_failed, %u replayed, %u too_old, ROC up to %u and %u\n",
			relay_suite_info(trial->suite[0])->name,
			relay_suite_info(trial->suite[1])->name, call.batch_max, sent,
			call.drops[RELAY_DROP_NONE], call.forged,
			call.drops[RELAY_DROP_AUTH_FAILED], call.drops[RELAY_DROP_REPLAYED],
			call.drops[RELAY_DROP_TOO_OLD], call.traffic[0].highest_roc,
			call.traffic[1].highest_roc);
		check_worth(&call, sent);
		assert_true(call.traffic[0].highest_roc >= 2 && call.traffic[1].highest_roc >= 2);
	} else {
		assert_in_range(call.drops[RELAY_DROP_NONE], sent / 2, sent);
		assert_true(call.drops[RELAY_DROP_AUTH_FAILED] > 0);
	}
	call_end(&call);
}

static void
transcrypts_as_libsrtp_does(void **state)
{
	run_trial(*state);
}

/* Each pair that this libsrtp2 has, RTP and RTCP, forgeries and replays among them. */
static void
every_pair_of_suites(void **state)
{
	unsigned pairs = 0, can = 0;

	for (unsigned suite = 1; suite < RELAY_SUITE_COUNT; suite++)
		can += oracle_can(suite);
	for (unsigned a = 1; a < RELAY_SUITE_COUNT; a++)
		for (unsigned b = 1; b < RELAY_SUITE_COUNT; b++) {
			const struct trial trial = {{a, b}, ENGINE_BATCH_MAX, PACKETS_OF_OTHERS};
			if (!oracle_can(a) || !oracle_can(b))
				continue;
			run_trial(&trial);
			pairs++;
		}
	fprintf(stderr, "libsrtp2 has %u of our %u suites: %u pairs\n", can, RELAY_SUITE_COUNT - 1,
		pairs);
	assert_true(pairs >= 4 && pairs == can * can);
}

#define SUITE_80 RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define SUITE_32 RELAY_SUITE_AES_CM_128_HMAC_SHA1_32

/* One by one, the reason must be the same too; in batches of any size, as the worker does. */
static struct trial trials[] = {
	{{SUITE_80, SUITE_80}, ENGINE_BATCH_MAX, PACKETS},
	{{SUITE_80, SUITE_32}, ENGINE_BATCH_MAX, PACKETS},
	{{SUITE_80, SUITE_80}, 1, PACKETS},
	{{SUITE_32, SUITE_80}, 1, PACKETS},
};

static int
start(void **state)
{
	char *args[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "64", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", (char *)(uintptr_t) "--file-prefix=test"};

	/* what DPDK leaves behind goes with the folder */
	if (mkdtemp(folder) == NULL || setenv("RUNTIME_DIRECTORY", folder, 1) != 0 ||
		rte_eal_init(9, args) < 0)
		return -1;
	tick_init();
	streams = rte_mempool_create(
		"streams", 255, sizeof(struct srtp_stream), 0, 0, NULL, NULL, NULL, NULL, 0, 0);
	return streams == NULL ? -1 : 0;
}

static int
end(void **state)
{
	char command[128];

	rte_mempool_free(streams);
	srtp_keys_fini();
	int result = rte_eal_cleanup();
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? result : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(transcrypts_as_libsrtp_does, &trials[0]),
		cmocka_unit_test_prestate(transcrypts_as_libsrtp_does, &trials[1]),
		cmocka_unit_test_prestate(transcrypts_as_libsrtp_does, &trials[2]),
		cmocka_unit_test_prestate(transcrypts_as_libsrtp_does, &trials[3]),
		cmocka_unit_test(every_pair_of_suites),
	};

	dice = random_seeded("transcryption");
	return cmocka_run_group_tests(tests, start, end);
}
