/* SPDX-License-Identifier: BSD-3-Clause */
#include "load.h"
#include "tests/evp_srtp.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <stdlib.h>
#include <string.h>

#define PORT_FIRST 10000
#define PORTS 25000 /* of one far address, even ones */
#define RTP_HEADER 12

static void
random_key(struct relay_crypto *key, enum relay_suite suite)
{
	const struct relay_suite_info *info = relay_suite_info(suite);

	memset(key, 0, sizeof(*key));
	key->suite = (uint8_t)suite;
	for (unsigned i = 0; i < info->key_length; i++)
		key->key[i] = (uint8_t)random();
	for (unsigned i = 0; i < info->salt_length; i++)
		key->salt[i] = (uint8_t)random();
}

void
streams_make(struct load *load)
{
	struct relay_ip first;

	load->streams = 2 * load->options.sessions;
	load->stream = calloc(load->streams, sizeof(*load->stream));
	if (load->stream == NULL ||
		relay_ip_parse(load->options.far, strlen(load->options.far), &first) != 0)
		abort();
	for (unsigned i = 0; i < load->streams; i++) {
		struct stream *stream = &load->stream[i];
		stream->far.ip = first;
		stream->far.ip.ip[3] = (uint8_t)(first.ip[3] + i / PORTS);
		stream->far.port = (uint16_t)(PORT_FIRST + 2 * (i % PORTS));
		stream->index = (uint64_t)(random() & 0x7fff);
		stream->next = UINT64_MAX;
		for (unsigned k = 0; k < 2; k++)
			random_key(&stream->keys[k], load->options.suite);
		if (srtp_key_create(&stream->keys[0], &stream->send) != 0)
			abort();
		stream->hear = evp_srtp_create(&stream->keys[1]);
	}
}

void
streams_free(struct load *load)
{
	for (unsigned i = 0; i < load->streams; i++) {
		srtp_key_unref(load->stream[i].send);
		evp_srtp_destroy(load->stream[i].hear);
	}
	free(load->stream);
}

static void
write_headers(const struct load *load, const struct stream *stream, struct rte_mbuf *mbuf,
	uint16_t length)
{
	wire_write_headers(rte_pktmbuf_mtod(mbuf, uint8_t *), &load->mac, &load->relay_mac,
		&stream->far, &stream->relay, length);
	mbuf->data_len = (uint16_t)(WIRE_HEADERS + length);
	mbuf->pkt_len = mbuf->data_len;
}

static void
write_rtp(uint8_t *at, struct stream *stream, uint32_t ssrc, unsigned payload)
{
	uint32_t words[2] = {rte_cpu_to_be_32(stream->timestamp), rte_cpu_to_be_32(ssrc)};

	at[0] = 0x80;
	at[1] = 0;
	at[2] = (uint8_t)(stream->index >> 8);
	at[3] = (uint8_t)stream->index;
	memcpy(at + 4, words, sizeof(words));
	/* what is heard at the other end can be checked by it */
	memset(at + RTP_HEADER, (int)(stream->index ^ ssrc), payload);
	stream->timestamp += payload;
}

void
streams_fill(struct load *load, uint64_t first, struct rte_mbuf *mbufs[], unsigned count)
{
	struct crypto_op ops[LOAD_BURST], *pointers[LOAD_BURST] = {NULL};

	for (unsigned i = 0; i < count; i++) {
		unsigned number = (unsigned)((first + i) % load->streams);
		struct stream *stream = &load->stream[number];
		uint8_t *rtp = rte_pktmbuf_mtod_offset(mbufs[i], uint8_t *, WIRE_HEADERS);
		write_rtp(rtp, stream, number, load->options.payload);
		ops[i] = (struct crypto_op){.data = rtp,
			.length = (uint16_t)(RTP_HEADER + load->options.payload),
			.cipher_offset = RTP_HEADER,
			.cipher_length = (uint16_t)load->options.payload,
			.kind = CRYPTO_RTP,
			.ssrc = number,
			.tx_index = stream->index++,
			.tx = stream->send};
		pointers[i] = &ops[i];
	}
	engine_ipsec_mb.transcrypt(load->engine, pointers, count);
	for (unsigned i = 0; i < count; i++) {
		const struct stream *stream =
			&load->stream[(unsigned)((first + i) % load->streams)];
		unsigned tag = stream->send->tag_length;
		memcpy(ops[i].data + ops[i].length, ops[i].tag, tag);
		write_headers(load, stream, mbufs[i], (uint16_t)(ops[i].length + tag));
	}
}

void
streams_forge(struct load *load, struct rte_mbuf *mbuf)
{
	struct stream stranger = load->stream[0];
	uint8_t *rtp = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, WIRE_HEADERS);
	unsigned length = RTP_HEADER + load->options.payload;

	stranger.far.ip.ip[3] = 250;
	stranger.far.port = (uint16_t)(1024 + random() % 60000);
	write_rtp(rtp, &stranger, 0, load->options.payload);
	memset(rtp + length, (int)random(), stranger.send->tag_length);
	write_headers(load, &stranger, mbuf, (uint16_t)(length + stranger.send->tag_length));
}

/* Whom a datagram is for. */
static struct stream *
stream_of(struct load *load, const struct rte_ipv4_hdr *ip, const struct rte_udp_hdr *udp)
{
	const uint8_t *address = (const uint8_t *)&ip->dst_addr;
	unsigned port = rte_be_to_cpu_16(udp->dst_port);
	unsigned block = (unsigned)(uint8_t)(address[3] - load->stream[0].far.ip.ip[3]);
	unsigned number = block * PORTS + (port - PORT_FIRST) / 2;

	return port >= PORT_FIRST && port % 2 == 0 && number < load->streams ? &load->stream[number]
	                                                                     : NULL;
}

static void
note_order(struct load *load, struct stream *stream, uint16_t sequence)
{
	if (stream->next == UINT64_MAX)
		stream->next = sequence;
	int16_t step = (int16_t)(sequence - (uint16_t)stream->next);
	if (step > 0)
		load->lost += (uint64_t)step;
	if (step < 0) {
		/* it was counted as lost, unless it is a second one */
		load->disordered++;
		return;
	}
	stream->next += (uint64_t)step + 1;
}

/* Is it what the other leg's far end said? By OpenSSL. */
static void
verify(struct load *load, struct stream *stream, const uint8_t *rtp, unsigned length)
{
	uint8_t copy[2048];
	uint64_t index = stream->next - 1;

	memcpy(copy, rtp, length);
	load->verified++;
	bool good = evp_srtp_unprotect(stream->hear, (uint32_t)(index >> 16), copy, &length);
	unsigned ssrc = (unsigned)(copy[8] << 24 | copy[9] << 16 | copy[10] << 8 | copy[11]);
	for (unsigned i = RTP_HEADER; good && i < length; i++)
		good = copy[i] == (uint8_t)(index ^ ssrc);
	if (!good)
		load->bad++;
}

bool
streams_hear(struct load *load, struct rte_mbuf *mbuf)
{
	const struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)(ether + 1);
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(ip + 1);
	const uint8_t *rtp = (const uint8_t *)(udp + 1);

	if (wire_answer_arp(mbuf, &load->mac, &load->relay_mac)) {
		load->relay_known = true;
		return true;
	}
	if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4) ||
		ip->next_proto_id != IPPROTO_UDP)
		return false;
	struct stream *stream = stream_of(load, ip, udp);
	if (stream == NULL) {
		load->strange++;
		return false;
	}
	load->heard++;
	note_order(load, stream, (uint16_t)(rtp[2] << 8 | rtp[3]));
	if (load->heard % load->options.sample == 0)
		verify(load, stream, rtp,
			rte_be_to_cpu_16(udp->dgram_len) - (unsigned)sizeof(*udp));
	return false;
}
