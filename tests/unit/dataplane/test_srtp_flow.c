/* SPDX-License-Identifier: BSD-3-Clause */
/* SRTP on a flow, as the worker calls it; libsrtp2 is the phone on either side. */
#include "dataplane/srtp_flow.h"
#include "tests/differential/oracle.h"

#include <rte_eal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PAYLOAD 160
#define ROOM 512
#define RTP_PORT 20000
#define RTCP_PORT 20001

static char folder[] = "/tmp/test-srtp-flow-XXXXXX";
static struct rte_mempool *streams;
static void *engine;

/* One direction between two phones, and one packet in hand. */
struct bench {
	struct flow flow;
	struct flow_state state;
	struct flow_mki mki;
	struct oracle *sender;
	struct oracle *receiver;
	struct packet packet;
	struct srtp_key rtcp_keys[2];
	uint8_t clear[ROOM];
	uint8_t data[ROOM];
	unsigned clear_length;
};

static struct relay_crypto
master(unsigned seed, enum relay_suite suite)
{
	struct relay_crypto crypto = {.suite = (uint8_t)suite};

	for (unsigned i = 0; i < 16; i++)
		crypto.key[i] = (uint8_t)(seed * 31 + i * 7);
	for (unsigned i = 0; i < 14; i++)
		crypto.salt[i] = (uint8_t)(seed * 17 + i * 5 + 1);
	return crypto;
}

static void
set_receive(struct bench *bench, unsigned seed, enum relay_suite suite)
{
	struct relay_crypto crypto = master(seed, suite);

	assert_int_equal(srtp_key_derive(&crypto, &bench->flow.rx, &bench->flow.rtcp_rx), 0);
	bench->flow.rx_epoch++;
	if (bench->sender != NULL)
		oracle_destroy(bench->sender);
	bench->sender = oracle_create(&crypto, false);
}

static void
set_transmit(struct bench *bench, unsigned seed, enum relay_suite suite)
{
	struct relay_crypto crypto = master(seed, suite);

	assert_int_equal(srtp_key_derive(&crypto, &bench->flow.tx, &bench->flow.rtcp_tx), 0);
	bench->flow.tx_epoch++;
	if (bench->receiver != NULL)
		oracle_destroy(bench->receiver);
	bench->receiver = oracle_create(&crypto, true);
}

static struct bench *
bench_open(void)
{
	struct bench *bench = aligned_alloc(64, (sizeof(*bench) + 63) / 64 * 64);

	assert_non_null(bench);
	memset(bench, 0, sizeof(*bench));
	bench->flow.state = &bench->state;
	bench->flow.ready = 1;
	bench->flow.rx_mux = 1;
	bench->flow.rx_lifetime = bench->flow.tx_lifetime = UINT64_C(1) << 48;
	set_receive(bench, 1, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	set_transmit(bench, 2, RELAY_SUITE_AES_CM_128_HMAC_SHA1_32);
	return bench;
}

static void
bench_close(struct bench *bench)
{
	srtp_flow_state_release(&bench->state, streams);
	oracle_destroy(bench->sender);
	oracle_destroy(bench->receiver);
	free(bench);
}

/* The sender's next packet, protected, lies in data; the clear one in clear. */
static void
send_rtp(struct bench *bench, uint32_t ssrc, uint16_t sequence)
{
	uint8_t *at = bench->clear;
	unsigned length = 12 + PAYLOAD;

	memset(at, 0, length);
	at[0] = 0x80;
	at[2] = (uint8_t)(sequence >> 8);
	at[3] = (uint8_t)sequence;
	at[8] = (uint8_t)(ssrc >> 24);
	at[9] = (uint8_t)(ssrc >> 16);
	at[10] = (uint8_t)(ssrc >> 8);
	at[11] = (uint8_t)ssrc;
	for (unsigned i = 12; i < length; i++)
		at[i] = (uint8_t)(sequence * 13 + i);
	bench->clear_length = length;
	memcpy(bench->data, at, length);
	oracle_protect(bench->sender, false, bench->data, &length);
	bench->packet = (struct packet){.flow = &bench->flow,
		.payload = bench->data,
		.length = (uint16_t)length,
		.local_port = RTP_PORT};
}

static void
send_rtcp(struct bench *bench, uint32_t ssrc, uint16_t port)
{
	/* a receiver report without blocks */
	uint8_t report[8] = {0x80, 201, 0, 1, (uint8_t)(ssrc >> 24), (uint8_t)(ssrc >> 16),
		(uint8_t)(ssrc >> 8), (uint8_t)ssrc};
	unsigned length = sizeof(report);

	memcpy(bench->clear, report, length);
	bench->clear_length = length;
	memcpy(bench->data, report, length);
	oracle_protect(bench->sender, true, bench->data, &length);
	bench->packet = (struct packet){.flow = &bench->flow,
		.payload = bench->data,
		.length = (uint16_t)length,
		.local_port = port};
}

/* What a worker does, up to the reason to drop. */
static enum relay_drop
carry(struct bench *bench)
{
	struct packet *packet = &bench->packet;
	struct crypto_op *op = &packet->op;
	enum relay_drop reason = srtp_flow_open(packet, bench->rtcp_keys);

	if (reason != RELAY_DROP_NONE)
		return reason;
	engine_ipsec_mb.verify(engine, &op, 1);
	if (!op->genuine)
		return RELAY_DROP_AUTH_FAILED;
	reason = srtp_flow_accept(packet, streams);
	if (reason != RELAY_DROP_NONE)
		return reason;
	engine_ipsec_mb.transcrypt(engine, &op, 1);
	srtp_flow_seal(packet);
	return RELAY_DROP_NONE;
}

/* The receiver makes of it what the sender said. */
static void
assert_heard(struct bench *bench)
{
	unsigned length = bench->packet.length;
	bool rtcp = bench->packet.rtcp;

	assert_int_equal(oracle_unprotect(bench->receiver, rtcp, bench->data, &length), ORACLE_OK);
	assert_int_equal(length, bench->clear_length);
	assert_memory_equal(bench->data, bench->clear, length);
}

static void
relays_rtp_and_rtcp(void **state)
{
	struct bench *bench = bench_open();

	for (uint16_t i = 0; i < 300; i++) {
		send_rtp(bench, 0x11223344, (uint16_t)(65400 + i));
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		assert_heard(bench);
		send_rtcp(bench, 0x11223344, i % 2 ? RTP_PORT : RTCP_PORT);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		assert_heard(bench);
	}
	assert_int_equal(counter_read(&bench->state.packets_in), 300);
	assert_int_equal(counter_read(&bench->state.rtcp_in), 300);
	assert_int_equal(counter_read(&bench->state.bytes_in), 300 * (12 + PAYLOAD));
	bench_close(bench);
}

static void
refuses_what_is_on_the_wrong_port(void **state)
{
	struct bench *bench = bench_open();

	send_rtp(bench, 1, 1);
	bench->packet.local_port = RTCP_PORT;
	assert_int_equal(carry(bench), RELAY_DROP_RTP_ON_RTCP_PORT);
	bench->flow.rx_mux = 0;
	send_rtcp(bench, 1, RTP_PORT);
	assert_int_equal(carry(bench), RELAY_DROP_RTCP_NOT_MUXED);
	send_rtcp(bench, 1, RTCP_PORT);
	assert_int_equal(carry(bench), RELAY_DROP_NONE);
	send_rtp(bench, 1, 2);
	bench->data[0] = 22; /* DTLS, RFC 7983 */
	assert_int_equal(carry(bench), RELAY_DROP_NOT_RTP);
	send_rtp(bench, 1, 3);
	bench->flow.ready = 0;
	assert_int_equal(carry(bench), RELAY_DROP_LEG_NOT_READY);
	bench_close(bench);
}

static void
refuses_clear_rtcp(void **state)
{
	struct bench *bench = bench_open();

	send_rtcp(bench, 1, RTCP_PORT);
	bench->data[bench->packet.length - 10 - 4] &= 0x7f; /* E */
	assert_int_equal(carry(bench), RELAY_DROP_RTCP_UNENCRYPTED);
	bench_close(bench);
}

/* libsrtp2 knows no MKI here: it is put in, and taken out, between packet and tag. */
static void
carries_mkis(void **state)
{
	struct bench *bench = bench_open();
	uint8_t *end;

	bench->flow.mki = &bench->mki;
	bench->flow.rx_mki_length = 4;
	bench->flow.tx_mki_length = 2;
	memcpy(bench->mki.rx, "\1\2\3\4", 4);
	memcpy(bench->mki.tx, "\7\10", 2);
	for (uint16_t i = 0; i < 2; i++) {
		send_rtp(bench, 5, i);
		end = bench->data + bench->packet.length - 10;
		memmove(end + 4, end, 10);
		memcpy(end, i == 0 ? "\1\2\3\4" : "\1\2\3\5", 4);
		bench->packet.length = (uint16_t)(bench->packet.length + 4);
		if (i == 1) {
			assert_int_equal(carry(bench), RELAY_DROP_MKI_MISMATCH);
			break;
		}
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		end = bench->data + bench->packet.length - 4 - 2;
		assert_memory_equal(end, "\7\10", 2);
		memmove(end, end + 2, 4);
		bench->packet.length = (uint16_t)(bench->packet.length - 2);
		assert_heard(bench);
	}
	bench_close(bench);
}

static void
counts_the_lifetime_of_keys(void **state)
{
	struct bench *bench = bench_open();

	bench->flow.tx_lifetime = 5;
	for (uint16_t i = 0; i < 5; i++) {
		send_rtp(bench, 5, i);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
	}
	send_rtp(bench, 5, 5);
	assert_int_equal(carry(bench), RELAY_DROP_KEY_EXPIRED);
	/* a new transmit key begins anew; then it is the receive key's turn */
	set_transmit(bench, 3, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	bench->flow.rx_lifetime = 7;
	for (uint16_t i = 6; i < 8; i++) {
		send_rtp(bench, 5, i);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		assert_heard(bench);
	}
	send_rtp(bench, 5, 8);
	assert_int_equal(carry(bench), RELAY_DROP_KEY_EXPIRED);
	for (unsigned i = 0; i < 5; i++) {
		send_rtcp(bench, 5, RTCP_PORT);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
	}
	send_rtcp(bench, 5, RTCP_PORT);
	assert_int_equal(carry(bench), RELAY_DROP_KEY_EXPIRED);
	bench_close(bench);
}

/* Walks a stream to ROC 2. */
static void
wrap_twice(struct bench *bench)
{
	for (uint32_t i = 60000; i < 60000 + 2 * 65536; i += 16000) {
		send_rtp(bench, 9, (uint16_t)i);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
	}
	assert_true(bench->state.stream.rtp_highest >> 16 >= 2);
}

static void
a_new_transmit_key_starts_at_roc_0(void **state)
{
	struct bench *bench = bench_open();

	wrap_twice(bench);
	set_transmit(bench, 3, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	/* across one more wrap: the new receiver's ROC goes 0, 1 */
	uint16_t next = (uint16_t)bench->state.stream.rtp_highest;
	for (unsigned i = 1; i < 9; i++) {
		send_rtp(bench, 9, (uint16_t)(next + i * 16000));
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		assert_heard(bench);
	}
	bench_close(bench);
}

/* The worst case of a re-offer: a new receive key, the same SSRC, sequence numbers that start over,
 * and our transmit key as before. No index may be sent twice. */
static void
never_reuses_a_keystream(void **state)
{
	struct bench *bench = bench_open();
	static uint64_t used[64];
	unsigned count = 0;

	for (unsigned epoch = 0; epoch < 4; epoch++) {
		for (uint16_t i = 0; i < 16; i++) {
			/* in the third epoch they come in backward order */
			uint16_t sequence = epoch == 2 ? (uint16_t)(115 - i) : (uint16_t)(100 + i);
			send_rtp(bench, 9, sequence);
			if (carry(bench) != RELAY_DROP_NONE)
				continue;
			for (unsigned k = 0; k < count; k++)
				assert_int_not_equal(bench->packet.op.tx_index, used[k]);
			used[count++] = bench->packet.op.tx_index;
		}
		set_receive(bench, 10 + epoch, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	}
	assert_true(count >= 48);
	/* SRTCP the same: its index is ours, and only ever rises */
	uint64_t last = 0;
	for (unsigned i = 0; i < 4; i++) {
		send_rtcp(bench, 9, RTCP_PORT);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		assert_true(bench->packet.op.tx_index > last);
		last = bench->packet.op.tx_index;
		set_receive(bench, 20 + i, RELAY_SUITE_AES_CM_128_HMAC_SHA1_80);
	}
	bench_close(bench);
}

static void
makes_contexts_for_genuine_ssrcs_only(void **state)
{
	struct bench *bench = bench_open();
	unsigned before = rte_mempool_avail_count(streams);

	for (uint32_t ssrc = 0; ssrc < 100; ssrc++) {
		send_rtp(bench, 1000 + ssrc, 1);
		bench->data[40] ^= 1;
		assert_int_equal(carry(bench), RELAY_DROP_AUTH_FAILED);
	}
	assert_int_equal(bench->state.streams, 0);
	for (uint32_t ssrc = 0; ssrc < FLOW_SSRC_MAX; ssrc++) {
		send_rtp(bench, ssrc, 1);
		assert_int_equal(carry(bench), RELAY_DROP_NONE);
		assert_heard(bench);
	}
	send_rtp(bench, 77, 1);
	assert_int_equal(carry(bench), RELAY_DROP_SSRC_LIMIT);
	send_rtp(bench, 3, 2);
	assert_int_equal(carry(bench), RELAY_DROP_NONE);
	assert_int_equal(rte_mempool_avail_count(streams), before - (FLOW_SSRC_MAX - 1));
	bench_close(bench);
	assert_int_equal(rte_mempool_avail_count(streams), before);
}

static void
refuses_replays(void **state)
{
	struct bench *bench = bench_open();
	uint8_t kept[ROOM];

	send_rtp(bench, 9, 500);
	struct packet packet = bench->packet;
	memcpy(kept, bench->data, sizeof(kept));
	assert_int_equal(carry(bench), RELAY_DROP_NONE);
	memcpy(bench->data, kept, sizeof(kept));
	bench->packet = packet;
	assert_int_equal(carry(bench), RELAY_DROP_REPLAYED);
	send_rtp(bench, 9, 500 + SRTP_REPLAY_WINDOW);
	assert_int_equal(carry(bench), RELAY_DROP_NONE);
	memcpy(bench->data, kept, sizeof(kept));
	bench->packet = packet;
	assert_int_equal(carry(bench), RELAY_DROP_TOO_OLD);
	bench_close(bench);
}

/* The first two packets of a new SSRC in one batch, with the sequence's wrap between them. */
static void
a_wrap_in_the_first_batch_is_retried(void **state)
{
	struct bench *bench = bench_open();
	struct packet first, second;
	static uint8_t data[ROOM];
	struct srtp_key keys[2];

	send_rtp(bench, 9, 65535);
	first = bench->packet;
	memcpy(data, bench->data, sizeof(data));
	first.payload = data;
	send_rtp(bench, 9, 0);
	second = bench->packet;
	assert_int_equal(srtp_flow_open(&first, keys), RELAY_DROP_NONE);
	assert_int_equal(srtp_flow_open(&second, keys), RELAY_DROP_NONE);
	struct crypto_op *ops[2] = {&first.op, &second.op};
	engine_ipsec_mb.verify(engine, ops, 2);
	assert_true(first.op.genuine);
	assert_false(second.op.genuine); /* ROC 0 was tried */
	assert_int_equal(srtp_flow_accept(&first, streams), RELAY_DROP_NONE);
	assert_true(srtp_flow_retry(&second));
	engine_ipsec_mb.verify(engine, ops + 1, 1);
	assert_true(second.op.genuine);
	assert_int_equal(srtp_flow_accept(&second, streams), RELAY_DROP_NONE);
	assert_int_equal(second.op.tx_index, 65536);
	/* a forged packet is not tried for ever */
	send_rtp(bench, 9, 1);
	bench->data[30] ^= 1;
	assert_int_equal(carry(bench), RELAY_DROP_AUTH_FAILED);
	assert_false(srtp_flow_retry(&bench->packet));
	bench_close(bench);
}

static int
start(void **state)
{
	char *args[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "64", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", (char *)(uintptr_t) "--file-prefix=test"};

	/* what DPDK leaves behind goes with the folder */
	if (mkdtemp(folder) == NULL || setenv("RUNTIME_DIRECTORY", folder, 1) != 0)
		return -1;
	if (rte_eal_init(9, args) < 0)
		return -1;
	streams = rte_mempool_create(
		"streams", 1023, sizeof(struct srtp_stream), 0, 0, NULL, NULL, NULL, NULL, 0, 0);
	engine = engine_ipsec_mb.create();
	return streams == NULL || engine == NULL ? -1 : 0;
}

static int
end(void **state)
{
	engine_ipsec_mb.destroy(engine);
	rte_mempool_free(streams);
	int result = rte_eal_cleanup();
	char command[128];
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? result : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(relays_rtp_and_rtcp),
		cmocka_unit_test(refuses_what_is_on_the_wrong_port),
		cmocka_unit_test(refuses_clear_rtcp),
		cmocka_unit_test(carries_mkis),
		cmocka_unit_test(counts_the_lifetime_of_keys),
		cmocka_unit_test(a_new_transmit_key_starts_at_roc_0),
		cmocka_unit_test(never_reuses_a_keystream),
		cmocka_unit_test(makes_contexts_for_genuine_ssrcs_only),
		cmocka_unit_test(refuses_replays),
		cmocka_unit_test(a_wrap_in_the_first_batch_is_retried),
	};

	return cmocka_run_group_tests(tests, start, end);
}
