/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An oracle that sends, the relay's SRTP, an oracle that receives: in both directions at once, for
 * every pair of suites. What the sender made must come out at the receiver, byte for byte. A second
 * receiver, with the sender's keys, gets what the relay gets: the relay must refuse what it
 * refuses, and nothing else. The oracle is libsrtp2 where that can do it (oracle.h).
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

/* libsrtp2 is slow on some machines: so long trials for the suites that everyone has, */
#define PACKETS 4000          /* of one direction, */
#define MKI_MAX 16            /* bytes */
#define PACKETS_OF_OTHERS 250 /* and short ones for every pair */

struct trial {
	enum relay_suite suite[2]; /* of leg 0 and 1; NONE: in clear */
	unsigned batch_max;        /* packets that the relay takes at once */
	unsigned alone;            /* percent of the turns that take one */
	bool options;              /* keys may have an MKI, and SRTCP in clear */
	unsigned packets;
	bool long_way; /* without the short one that most packets take */
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
	const struct trial *trial;
	struct transcryptor transcryptor;
	struct traffic traffic[2];
	struct oracle *beside[2]; /* has the keys of leg i, hears what the relay hears from it */
	struct oracle *far[2];    /* the far end of leg i, hears what the relay sends */
	unsigned at[2];           /* next arrival */
	unsigned drops[RELAY_DROP_COUNT];
	unsigned forged;
};

/* What several calls have come to. */
struct tally {
	unsigned sent;
	unsigned forged;
	unsigned drops[RELAY_DROP_COUNT];
	unsigned highest_roc;
	unsigned short_ways;
};

static struct test_random dice;
static struct rte_mempool *streams;
static char folder[] = "/tmp/test-transcryption-XXXXXX";

static struct relay_crypto
random_key(enum relay_suite suite, bool options)
{
	struct relay_crypto key;

	memset(&key, 0, sizeof(key));
	key.suite = (uint8_t)suite;
	if (suite == RELAY_SUITE_NONE)
		return key;
	random_fill(&dice, key.key, relay_suite_info(suite)->key_length);
	random_fill(&dice, key.salt, relay_suite_info(suite)->salt_length);
	if (options && random_percent(&dice, 30)) {
		key.mki_length = (uint8_t)(1 + random_below(&dice, MKI_MAX));
		random_fill(&dice, key.mki, key.mki_length);
	}
	if (options && random_percent(&dice, 20))
		key.flags = RELAY_CRYPTO_UNENCRYPTED_SRTCP;
	return key;
}

/* Has what comes in on this leg, or goes out on it, a key? */
static bool
is_clear(const struct call *call, unsigned leg)
{
	return call->trial->suite[leg] == RELAY_SUITE_NONE;
}

static void
call_start(struct call *call, const struct trial *trial)
{
	const char *wanted = getenv("SALLYPORT_TEST_PACKETS");
	unsigned packets = wanted != NULL ? (unsigned)strtoul(wanted, NULL, 10) : trial->packets;
	struct relay_crypto receive[2], transmit[2];

	memset(call, 0, sizeof(*call));
	call->trial = trial;
	for (unsigned leg = 0; leg < 2; leg++) {
		receive[leg] = random_key(trial->suite[leg], trial->options);
		transmit[leg] = random_key(trial->suite[leg], trial->options);
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
	/* libsrtp2 refuses an E that is not as agreed at once, the relay by index or tag */
	if (passage->forged && passage->media.rtcp && verdict == ORACLE_MALFORMED)
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
compare_verdicts(const struct call *call, const struct passage *passage, bool in_batch)
{
	bool same = same_verdict(passage, in_batch);

	/* from clear to clear all passes, however often it comes */
	if (is_clear(call, 0) && is_clear(call, 1))
		same = passage->media.drop == RELAY_DROP_NONE;
	if (!same)
		fail_msg("suites %u and %u: %s%s of leg %u, index 0x%x: the relay says %s, the "
			 "oracle %d",
			call->trial->suite[0], call->trial->suite[1],
			passage->forged ? "forged " : "", passage->media.rtcp ? "RTCP" : "RTP",
			passage->media.direction, passage->sent->index,
			relay_drop_name(passage->media.drop), passage->verdict);
}

static void
receive_at_far_end(struct call *call, struct passage *passage)
{
	unsigned leg = 1 - passage->media.direction, length = passage->media.length;

	/* without a key on one side a packet without payload keeps its bytes */
	if (!is_clear(call, 0) && !is_clear(call, 1))
		assert_memory_not_equal(
			passage->data, passage->sent->wire, passage->sent->wire_length);
	enum oracle_verdict verdict = ORACLE_OK;
	if (!is_clear(call, leg))
		verdict = oracle_unprotect(
			call->far[leg], passage->media.rtcp, passage->data, &length);
	if (verdict != ORACLE_OK)
		fail_msg("suites %u and %u: %s of leg %u, index 0x%x: the far end says %d",
			call->trial->suite[0], call->trial->suite[1],
			passage->media.rtcp ? "RTCP" : "RTP", passage->media.direction,
			passage->sent->index, verdict);
	assert_int_equal(length, passage->sent->plain_length);
	assert_memory_equal(passage->data, passage->sent->plain, length);
}

/* One batch of both legs' packets; false when there is nothing left. */
static bool
relay_batch(struct call *call)
{
	static struct passage passages[ENGINE_BATCH_MAX];
	struct media *media[ENGINE_BATCH_MAX] = {NULL};
	unsigned wanted = 1, n = 0;

	if (!random_percent(&dice, call->trial->alone))
		wanted += random_below(&dice, call->trial->batch_max);
	for (unsigned tries = 0; n < wanted && tries < 4 * wanted; tries++)
		if (arrive(call, random_below(&dice, 2), &passages[n])) {
			media[n] = &passages[n].media;
			n++;
		}
	transcryptor_run(&call->transcryptor, media, n);
	for (unsigned i = 0; i < n; i++) {
		call->drops[passages[i].media.drop]++;
		compare_verdicts(call, &passages[i], n > 1);
		if (passages[i].media.drop == RELAY_DROP_NONE)
			receive_at_far_end(call, &passages[i]);
	}
	return call->at[0] < call->traffic[0].arrival_count ||
	       call->at[1] < call->traffic[1].arrival_count;
}

static void
run_trial(const struct trial *trial, struct tally *tally)
{
	static struct call call;

	call_start(&call, trial);
	call.transcryptor.long_way = trial->long_way;
	while (relay_batch(&call))
		;
	for (unsigned i = 0; i < RELAY_DROP_COUNT; i++)
		tally->drops[i] += call.drops[i];
	tally->forged += call.forged;
	tally->short_ways += call.transcryptor.short_ways;
	for (unsigned leg = 0; leg < 2; leg++) {
		tally->sent += call.traffic[leg].sent_count;
		if (call.traffic[leg].highest_roc > tally->highest_roc)
			tally->highest_roc = call.traffic[leg].highest_roc;
		/* each direction has met another round of sequence numbers */
		assert_true(call.traffic[leg].highest_roc >= 1);
	}
	call_end(&call);
}

/* Were the runs worth something? */
static void
check_worth(const struct tally *tally)
{
	fprintf(stderr,
		"%u sent, %u relayed, %u forged, %u auth_failed, %u replayed, %u too_old, ROC up "
		"to %u\n",
		tally->sent, tally->drops[RELAY_DROP_NONE], tally->forged,
		tally->drops[RELAY_DROP_AUTH_FAILED], tally->drops[RELAY_DROP_REPLAYED],
		tally->drops[RELAY_DROP_TOO_OLD], tally->highest_roc);
	assert_true(tally->drops[RELAY_DROP_NONE] >= tally->sent / 10 * 9);
	assert_true(tally->drops[RELAY_DROP_AUTH_FAILED] > tally->sent / 50);
	assert_true(tally->drops[RELAY_DROP_REPLAYED] > tally->sent / 100);
	assert_true(tally->drops[RELAY_DROP_TOO_OLD] > tally->sent / 200);
}

#define SUITE_80 RELAY_SUITE_AES_CM_128_HMAC_SHA1_80
#define SUITE_32 RELAY_SUITE_AES_CM_128_HMAC_SHA1_32

/* One by one, the reason must be the same too; in batches of any size, as the worker does. */
static void
long_calls(void **state)
{
	static const struct trial trials[] = {
		{{SUITE_80, SUITE_80}, ENGINE_BATCH_MAX, 0, false, PACKETS, true},
		{{SUITE_80, SUITE_80}, ENGINE_BATCH_MAX, 0, false, PACKETS, false},
		{{SUITE_80, SUITE_32}, ENGINE_BATCH_MAX, 0, false, PACKETS, false},
		{{SUITE_80, SUITE_80}, 1, 0, false, PACKETS, false},
		{{SUITE_32, SUITE_80}, 1, 0, false, PACKETS, false},
	};
	struct tally tally = {0};

	run_trial(&trials[0], &tally);
	assert_int_equal(tally.short_ways, 0);
	for (unsigned i = 1; i < sizeof(trials) / sizeof(trials[0]); i++)
		run_trial(&trials[i], &tally);
	check_worth(&tally);
	assert_true(tally.short_ways > PACKETS / 2);
	assert_true(tally.highest_roc >= 2);
}

/* A pair is both directions, so that each of the 81 is there. */
static void
every_pair_of_suites(void **state)
{
	struct tally tally = {0};
	unsigned can = 0;

	for (enum relay_suite a = 0; a < RELAY_SUITE_COUNT; a++) {
		can += oracle_can(a);
		for (enum relay_suite b = a; b < RELAY_SUITE_COUNT; b++) {
			const struct trial trial = {
				{a, b}, ENGINE_BATCH_MAX, 90, true, PACKETS_OF_OTHERS, false};
			run_trial(&trial, &tally);
		}
	}
	fprintf(stderr, "libsrtp2 was the oracle for %u suites, OpenSSL for the others\n", can);
	assert_true(can >= 2);
	check_worth(&tally);
}

/* A source's first packets in one batch, and another round of sequence numbers among them: where no
 * tag proves an index, the relay must think twice. */
static void
first_packets_in_clear(void **state)
{
	const struct trial trial = {
		{RELAY_SUITE_NONE, SUITE_80}, ENGINE_BATCH_MAX, 0, false, 120, false};
	struct tally tally = {0};

	for (unsigned i = 0; i < 30; i++)
		run_trial(&trial, &tally);
}

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
		cmocka_unit_test(long_calls),
		cmocka_unit_test(first_packets_in_clear),
		cmocka_unit_test(every_pair_of_suites),
	};

	dice = random_seeded("transcryption");
	return cmocka_run_group_tests(tests, start, end);
}
