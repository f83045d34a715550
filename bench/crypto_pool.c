/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions and packets. Everything follows from its number, so that whoever checks can make anew
 * what was there before. */
#include "crypto.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* A frame lies at the start of its buffer, behind it Ethernet's, IPv4's and UDP's headers. */
#define FRAME_OFFSET 42
#define INPUT_SAMPLES 64

/* Evenly spread bits of any number: Steele, Lea and Flood's SplitMix. */
static uint64_t
spread_bits(uint64_t number)
{
	number += UINT64_C(0x9e3779b97f4a7c15);
	number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
	return number ^ number >> 31;
}

static void
fill_bytes(uint8_t *bytes, unsigned length, uint64_t seed)
{
	for (unsigned i = 0; i < length; i += 8) {
		uint64_t word = spread_bits(seed++);
		memcpy(bytes + i, &word, length - i < 8 ? length - i : 8);
	}
}

void
sessions_master(
	enum relay_suite suite, unsigned session, enum side side, struct relay_crypto *master)
{
	const struct relay_suite_info *info = relay_suite_info(suite);
	uint64_t seed = (uint64_t)suite << 48 | (uint64_t)side << 40 | (uint64_t)session << 4;

	memset(master, 0, sizeof(*master));
	master->suite = (uint8_t)suite;
	fill_bytes(master->key, info->key_length, seed);
	fill_bytes(master->salt, info->salt_length, seed + 8);
}

void
sessions_create(struct sessions *sessions, enum relay_suite suite, unsigned count)
{
	sessions->suite = suite;
	sessions->count = count;
	sessions->session = calloc(count, sizeof(*sessions->session));
	if (sessions->session == NULL)
		fail("no memory for %u sessions: ask for fewer with --sessions", count);
	for (unsigned i = 0; i < count; i++) {
		struct session *session = &sessions->session[i];
		uint64_t bits = spread_bits((uint64_t)1 << 63 | i);
		struct relay_crypto master;
		for (int side = SIDE_A; side <= SIDE_B; side++) {
			sessions_master(suite, i, side, &master);
			if (srtp_key_create(&master, &session->key[side]) != 0)
				fail("no memory for the keys of %u sessions: ask for fewer with "
				     "--sessions",
					count);
		}
		session->ssrc = (uint32_t)spread_bits(bits);
		/* not 0, which libsrtp2 takes for "not set" */
		session->roc[SIDE_A] = 1 | ((uint32_t)bits & 0xffff);
		session->roc[SIDE_B] = 1 | ((uint32_t)(bits >> 16) & 0xffff);
	}
}

void
sessions_destroy(struct sessions *sessions)
{
	for (unsigned i = 0; i < sessions->count; i++) {
		srtp_key_unref(sessions->session[i].key[SIDE_A]);
		srtp_key_unref(sessions->session[i].key[SIDE_B]);
	}
	srtp_keys_fini();
	free(sessions->session);
	memset(sessions, 0, sizeof(*sessions));
}

static size_t
stride_of(unsigned payload)
{
	return (FRAME_OFFSET + HEADER_LENGTH + payload + SRTP_TAG_MAX + 63) / 64 * 64;
}

void
pool_reserve(struct pool *pool, unsigned count, unsigned payload)
{
	pool->op = memory_take(count * sizeof(*pool->op));
	pool->number = memory_take(count * sizeof(*pool->number));
	pool->input = memory_take(count * stride_of(payload));
	pool->output = memory_take(count * stride_of(payload));
}

unsigned
pool_offset(void)
{
	return FRAME_OFFSET;
}

void
pool_payload(const struct pool *pool, unsigned i, uint8_t *payload)
{
	fill_bytes(payload, pool->point.payload, (uint64_t)3 << 60 | (uint64_t)i << 16);
}

/* The packet in clear, and what is to be done to it. */
static void
make_packet(struct pool *pool, unsigned i)
{
	uint32_t number = (uint32_t)(spread_bits((uint64_t)5 << 60 | i) % pool->point.sessions);
	struct session *session = &pool->sessions->session[number];
	uint8_t *data = pool->input + i * pool->stride + FRAME_OFFSET;
	struct crypto_op *op = &pool->op[i];
	uint16_t sequence = htobe16(session->sequence);
	uint32_t timestamp = htobe32(session->sequence * 160u), ssrc = htobe32(session->ssrc);

	pool->number[i] = number;
	memcpy(data, (const uint8_t[]){0x80, 0}, 2);
	memcpy(data + 2, &sequence, 2);
	memcpy(data + 4, &timestamp, 4);
	memcpy(data + 8, &ssrc, 4);
	pool_payload(pool, i, data + HEADER_LENGTH);
	memset(op, 0, sizeof(*op));
	op->length = (uint16_t)pool->length;
	op->cipher_offset = HEADER_LENGTH;
	op->cipher_length = (uint16_t)pool->point.payload;
	op->kind = CRYPTO_RTP;
	op->ssrc = session->ssrc;
	op->rx_index = (uint64_t)session->roc[SIDE_A] << 16 | session->sequence;
	op->tx_index = (uint64_t)session->roc[SIDE_B] << 16 | session->sequence;
	op->rx = session->key[SIDE_A];
	op->tx = session->key[SIDE_B];
	session->sequence++;
}

/* As A's far end would: from clear to A's key. */
static void
protect(struct pool *pool, const struct crypto_engine *engine, void *state, unsigned first)
{
	struct crypto_op room[BURST_MAX], *ops[BURST_MAX];

	for (unsigned i = 0; i < BURST_MAX; i++) {
		ops[i] = &room[i];
		room[i] = pool->op[first + i];
		room[i].data = pool->input + (first + i) * pool->stride + FRAME_OFFSET;
		room[i].tx = room[i].rx;
		room[i].tx_index = room[i].rx_index;
		room[i].rx = NULL;
	}
	engine->verify(state, ops, BURST_MAX);
	engine->transcrypt(state, ops, BURST_MAX);
	for (unsigned i = 0; i < BURST_MAX; i++) {
		memcpy(pool->op[first + i].tag, room[i].tag, pool->tag_length);
		memcpy(room[i].data + pool->length, room[i].tag, pool->tag_length);
	}
}

static void
protect_all(struct pool *pool)
{
	const struct crypto_engine *engine = &engine_ipsec_mb;
	void *state = engine->usable() ? engine->create() : NULL;

	if (state == NULL)
		fail("the crypto engine %s can't be started to make the packets: %s", engine->name,
			engine->help);
	for (unsigned i = 0; i < pool->count; i += BURST_MAX)
		protect(pool, engine, state, i);
	engine->destroy(state);
}

/* What an engine got wrong twice in the same way would look right in the end. */
static void
check_input(const struct pool *pool)
{
	uint8_t packet[2048];

	for (unsigned n = 0; n < INPUT_SAMPLES; n++) {
		unsigned i = (unsigned)((uint64_t)pool->count * n / INPUT_SAMPLES);
		memcpy(packet, pool->input + i * pool->stride + FRAME_OFFSET,
			pool->length + pool->tag_length);
		if (!oracle_verify(pool, i, SIDE_A, packet))
			fail("libsrtp2 finds packet %u, as made under leg A's key, to be wrong: "
			     "nothing can be measured with it",
				i);
	}
}

void
pool_fill(struct pool *pool, const struct point *point, const struct sessions *sessions,
	unsigned count)
{
	pool->point = *point;
	pool->sessions = sessions;
	pool->count = count;
	pool->length = HEADER_LENGTH + point->payload;
	pool->tag_length = relay_suite_info(point->suite)->rtp_tag_length;
	pool->stride = stride_of(point->payload);
	for (unsigned i = 0; i < sessions->count; i++) /* far from where a ROC would change */
		sessions->session[i].sequence = (uint16_t)(sessions->session[i].ssrc & 0x3fff);
	for (unsigned i = 0; i < count; i++)
		make_packet(pool, i);
	protect_all(pool);
	check_input(pool);
}
