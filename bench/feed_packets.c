/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <rte_byteorder.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PORT_FIRST 10000
#define PORTS 25000 /* of one far address, even ones */
#define TAG 10      /* bytes, AES_CM_128_HMAC_SHA1_80 */

static uint64_t
next_random(uint64_t *state)
{
	/* xorshift64: which stream is next needs no better */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void *
take_pages(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_HUGEPAGE);
	return memory;
}

int
feed_allocate(struct feed *feed, uint32_t sessions_max, size_t arena_size)
{
	feed->sessions_max = sessions_max;
	feed->arena_size = arena_size;
	feed->packets_max = (uint32_t)(arena_size / 256);
	feed->samples_max = feed->packets_max / FEED_SAMPLE + 1;
	feed->stream = take_pages(2 * (size_t)sessions_max * sizeof(*feed->stream));
	feed->arena = take_pages(arena_size);
	feed->packet = take_pages(feed->packets_max * sizeof(*feed->packet));
	feed->seen = take_pages(feed->packets_max);
	feed->sample = take_pages((size_t)feed->samples_max * FEED_FRAME_MAX);
	feed->sample_of = take_pages(feed->samples_max * sizeof(*feed->sample_of));
	return feed->stream == NULL || feed->arena == NULL || feed->packet == NULL ||
	                       feed->seen == NULL || feed->sample == NULL || feed->sample_of == NULL
	               ? -1
	               : 0;
}

static void
make_key(struct relay_crypto *key, uint64_t seed)
{
	uint64_t state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;

	memset(key, 0, sizeof(*key));
	key->suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80;
	for (unsigned i = 0; i < 16; i++)
		key->key[i] = (uint8_t)(next_random(&state) >> 24);
	for (unsigned i = 0; i < 14; i++)
		key->salt[i] = (uint8_t)(next_random(&state) >> 24);
}

void
feed_keys(uint32_t stream, struct relay_crypto *receive, struct relay_crypto *transmit)
{
	make_key(receive, 2 * (uint64_t)stream);
	make_key(transmit, 2 * (uint64_t)stream + 1);
}

int
feed_streams_make(struct feed *feed, uint32_t first, uint32_t end)
{
	for (uint32_t i = 2 * first; i < 2 * end; i++) {
		struct feed_stream *stream = &feed->stream[i];
		struct relay_crypto receive, transmit;
		stream->far.ip = feed->far;
		stream->far.ip.ip[3] = (uint8_t)(feed->far.ip[3] + i / PORTS);
		stream->far.port = (uint16_t)(PORT_FIRST + 2 * (i % PORTS));
		stream->index = i % 0x7fff;
		feed_keys(i, &receive, &transmit);
		if (srtp_key_create(&receive, &stream->key) != 0)
			return -1;
	}
	return 0;
}

/* A payload's bytes, by which the far end's judge knows it. */
uint8_t
feed_fill_byte(uint32_t number)
{
	return (uint8_t)(number * 167 + (number >> 8));
}

/* RTP with the packet's number for a timestamp, by which it is known when it comes back. */
static void
write_rtp(uint8_t *rtp, const struct feed_packet *packet, uint32_t number)
{
	uint32_t words[2] = {rte_cpu_to_be_32(number), rte_cpu_to_be_32(packet->stream)};

	rtp[0] = 0x80;
	rtp[1] = 0;
	rtp[2] = (uint8_t)(packet->index >> 8);
	rtp[3] = (uint8_t)packet->index;
	memcpy(rtp + 4, words, sizeof(words));
	memset(rtp + FEED_RTP_HEADER, feed_fill_byte(number), packet->payload);
}

static void
protect(struct feed *feed, uint32_t first, uint32_t count)
{
	struct crypto_op ops[ENGINE_BATCH_MAX], *pointers[ENGINE_BATCH_MAX] = {NULL};

	for (uint32_t i = 0; i < count; i++) {
		const struct feed_packet *packet = &feed->packet[first + i];
		uint8_t *frame = feed_frame(feed, packet);
		ops[i] = (struct crypto_op){.data = frame + WIRE_HEADERS,
			.length = (uint16_t)(FEED_RTP_HEADER + packet->payload),
			.cipher_offset = FEED_RTP_HEADER,
			.cipher_length = packet->payload,
			.kind = CRYPTO_RTP,
			.ssrc = packet->stream,
			.tx_index = packet->index,
			.tx = feed->stream[packet->stream].key};
		pointers[i] = &ops[i];
	}
	feed->engine->transcrypt(feed->engine_state, pointers, count);
	for (uint32_t i = 0; i < count; i++)
		memcpy(ops[i].data + ops[i].length, ops[i].tag, TAG);
}

uint32_t
feed_packets_make(struct feed *feed, uint32_t n, unsigned payload, bool mixed)
{
	uint32_t place = 0, made = 0, batched = 0;
	uint32_t room = (uint32_t)(feed->arena_size / FEED_PLACE);

	if (n > feed->packets_max)
		n = feed->packets_max;
	while (made < n) {
		struct feed_packet *packet = &feed->packet[made];
		uint64_t dice = next_random(&feed->random);
		packet->payload = (uint16_t)payload;
		if (mixed && dice >> 40 & 1 && (dice >> 41) % 5 == 0)
			packet->payload =
				(uint16_t)(20 + (dice >> 44) % (FEED_PAYLOAD_MAX - 20 + 1));
		unsigned datagram = FEED_RTP_HEADER + packet->payload + TAG;
		packet->length = (uint16_t)(WIRE_HEADERS + datagram);
		/* behind it SRTP_TAG_MAX in all, which the engine may use */
		uint32_t places = (packet->length + SRTP_TAG_MAX + FEED_PLACE - 1) / FEED_PLACE;
		if (place + places > room)
			break;
		packet->place = place;
		packet->stream =
			(uint32_t)((dice & 0xffffffff) * (2 * (uint64_t)feed->sessions) >> 32);
		struct feed_stream *stream = &feed->stream[packet->stream];
		packet->index = stream->index++;
		uint8_t *frame = feed_frame(feed, packet);
		wire_write_headers(frame, &feed->mac, &feed->relay_mac, &stream->far,
			&stream->relay, datagram);
		write_rtp(frame + WIRE_HEADERS, packet, made);
		place += places;
		made++;
		if (++batched == ENGINE_BATCH_MAX) {
			protect(feed, made - batched, batched);
			batched = 0;
		}
	}
	if (batched > 0)
		protect(feed, made - batched, batched);
	return made;
}
