/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <stdatomic.h>
#include <string.h>

#define MEDIA_TTL 64

/* One packet's way out, and where its headers go. */
struct way {
	const struct iface *iface;
	const struct relay_ip *from;
	const struct endpoint *to;
	uint16_t local_port;
	uint16_t length; /* of UDP's payload */
	uint8_t dscp;
	struct rte_mbuf *mbuf;
	uint8_t *ip;
};

static unsigned
ether_length(const struct iface *iface)
{
	return (unsigned)sizeof(struct rte_ether_hdr) +
	       (iface->vlan != 0 ? (unsigned)sizeof(struct rte_vlan_hdr) : 0);
}

/*
 * Headers are put together in registers, summed there, and stored in few large pieces: a sum over
 * fields that were stored one by one would have to wait for each of them.
 *
 * Sums are in memory order, which a one's complement sum does not mind (RFC 1071 2 (B)).
 */

static uint64_t
sum_word(uint64_t word)
{
	return (uint32_t)word + (word >> 32);
}

static uint64_t
sum_bytes(const uint8_t *at, unsigned length)
{
	uint64_t low = 0, high = 0, word = 0;

	for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		low += (uint32_t)word;
		high += word >> 32;
	}
	/* the rest by its bits: 4, 2, 1 */
	word = 0;
	if (length & 1)
		word = at[length - 1];
	if (length & 2) {
		uint16_t two;
		memcpy(&two, at + (length & 4), sizeof(two));
		word = word << 16 | two;
	}
	if (length & 4) {
		uint32_t four;
		memcpy(&four, at, sizeof(four));
		low += four;
	}
	return low + high + sum_word(word);
}

static uint16_t
fold(uint64_t sum)
{
	sum = sum_word(sum);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static void
ask_offload(const struct way *way, uint64_t flags, uint16_t l3_length)
{
	way->mbuf->ol_flags |= flags | RTE_MBUF_F_TX_UDP_CKSUM;
	way->mbuf->l2_len = ether_length(way->iface);
	way->mbuf->l3_len = l3_length;
}

/* `pseudo` is the sum of both addresses. */
static void
write_udp(const struct way *way, uint8_t *at, uint64_t pseudo)
{
	uint16_t length = (uint16_t)(sizeof(struct rte_udp_hdr) + way->length);
	uint64_t header = rte_cpu_to_be_16(way->local_port) |
	                  (uint64_t)rte_cpu_to_be_16(way->to->port) << 16 |
	                  (uint64_t)rte_cpu_to_be_16(length) << 32;
	uint16_t checksum;

	pseudo += (uint64_t)rte_cpu_to_be_16(IPPROTO_UDP) + rte_cpu_to_be_16(length);
	if (way->iface->udp_checksum_offload) {
		checksum = fold(pseudo); /* the port adds the rest */
	} else {
		checksum = (uint16_t)~fold(
			pseudo + sum_word(header) + sum_bytes(at + sizeof(header), way->length));
		/* 0 would be none (RFC 768; RFC 8200 8.1), and is the same as 0xffff */
		if (checksum == 0)
			checksum = 0xffff;
	}
	header |= (uint64_t)checksum << 48;
	memcpy(at, &header, sizeof(header));
}

static void
write_ipv4(const struct way *way)
{
	uint32_t from, to;
	uint16_t total =
		(uint16_t)(sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) + way->length);

	memcpy(&from, way->from->ip, sizeof(from));
	memcpy(&to, way->to->ip, sizeof(to));
	/* version, header length, DSCP, total length; no identification, which an atomic datagram
	 * needs none of (RFC 6864 4.1), and DF */
	uint64_t first = RTE_IPV4_VHL_DEF | (uint64_t)(uint8_t)(way->dscp << 2) << 8 |
	                 (uint64_t)rte_cpu_to_be_16(total) << 16 |
	                 (uint64_t)rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG) << 48;
	/* TTL, protocol, checksum, source */
	uint64_t second = MEDIA_TTL | IPPROTO_UDP << 8 | (uint64_t)from << 32;
	if (way->iface->udp_checksum_offload)
		ask_offload(way, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM,
			sizeof(struct rte_ipv4_hdr));
	else
		second |= (uint64_t)(uint16_t)~fold(sum_word(first) + sum_word(second) + to) << 16;
	memcpy(way->ip, &first, sizeof(first));
	memcpy(way->ip + 8, &second, sizeof(second));
	memcpy(way->ip + 16, &to, sizeof(to));
	write_udp(way, way->ip + sizeof(struct rte_ipv4_hdr), (uint64_t)from + to);
}
_Static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "a word's first byte is its lowest");

static void
write_ipv6(const struct way *way)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)way->ip;

	/* the DSCP is the traffic class's upper six bits (RFC 2474 3); no flow label */
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28 | (uint32_t)way->dscp << 22);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(sizeof(struct rte_udp_hdr) + way->length));
	ip->proto = IPPROTO_UDP;
	ip->hop_limits = MEDIA_TTL;
	memcpy(ip->src_addr, way->from->ip, 16);
	memcpy(ip->dst_addr, way->to->ip, 16);
	if (way->iface->udp_checksum_offload)
		ask_offload(way, RTE_MBUF_F_TX_IPV6, sizeof(*ip));
	write_udp(way, way->ip + sizeof(*ip),
		sum_bytes(way->from->ip, 16) + sum_bytes(way->to->ip, 16));
}

static void
write_ether(const struct way *way, struct rte_ether_hdr *ether, uint64_t link)
{
	rte_be16_t type = rte_cpu_to_be_16(
		way->from->family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);

	memcpy(&ether->dst_addr, &link, sizeof(ether->dst_addr));
	ether->src_addr = way->iface->mac;
	if (way->iface->vlan == 0) {
		ether->ether_type = type;
		return;
	}
	struct rte_vlan_hdr *tag = (struct rte_vlan_hdr *)(ether + 1);
	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN);
	tag->vlan_tci = rte_cpu_to_be_16(way->iface->vlan);
	tag->eth_proto = type;
}

enum relay_drop
path_write(const struct bridge_leg *leg, bool rtcp, struct rte_mbuf *mbuf, uint8_t *payload,
	uint16_t length)
{
	const struct media_address *address = media_addresses[leg->address];
	const struct iface *iface = address->iface;
	bool muxed = (leg->flags & RELAY_LEG_RTCP_MUX) != 0;
	unsigned ip_udp = (address->ip.family == 4 ? 20 : 40) + 8;

	if (leg->nexthop[rtcp] == NULL)
		return RELAY_DROP_LEG_NOT_READY;
	uint64_t link = atomic_load_explicit(&leg->nexthop[rtcp]->link, memory_order_relaxed);
	if (link == 0)
		return RELAY_DROP_NEXT_HOP_UNRESOLVED;
	if (ip_udp + length > iface->mtu)
		return RELAY_DROP_MTU_EXCEEDED;
	if ((size_t)(payload - (uint8_t *)mbuf->buf_addr) < ip_udp + ether_length(iface))
		return RELAY_DROP_NO_MEMORY;

	struct way way = {.iface = iface,
		.from = &address->ip,
		.to = &leg->remote[rtcp],
		.local_port = (uint16_t)(leg->port + (rtcp && !muxed)),
		.length = length,
		.dscp = (leg->flags & RELAY_LEG_DSCP) != 0 ? leg->dscp : iface->dscp,
		.mbuf = mbuf,
		.ip = payload - ip_udp};
	uint8_t *frame = way.ip - ether_length(iface);
	mbuf->data_off = (uint16_t)(frame - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = (uint16_t)(ether_length(iface) + ip_udp + length);
	mbuf->pkt_len = mbuf->data_len;
	/* what was said of it when it was received holds no longer; whose its buffer is does */
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	write_ether(&way, (struct rte_ether_hdr *)frame, link);
	if (address->ip.family == 4)
		write_ipv4(&way);
	else
		write_ipv6(&way);
	return RELAY_DROP_NONE;
}

bool
path_tag(const struct iface *iface, struct rte_mbuf *mbuf)
{
	const size_t addresses = 2 * RTE_ETHER_ADDR_LEN;
	uint8_t *old = rte_pktmbuf_mtod(mbuf, uint8_t *);

	if (rte_pktmbuf_data_len(mbuf) < sizeof(struct rte_ether_hdr))
		return false;
	uint8_t *frame = (uint8_t *)rte_pktmbuf_prepend(mbuf, sizeof(struct rte_vlan_hdr));
	if (frame == NULL)
		return false;
	memmove(frame, old, addresses);
	rte_be16_t tag[2] = {rte_cpu_to_be_16(RTE_ETHER_TYPE_VLAN), rte_cpu_to_be_16(iface->vlan)};
	memcpy(frame + addresses, tag, sizeof(tag));
	return true;
}
