/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include "checksum.h"

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

/* Headers are put together in registers, summed there, and stored in few large pieces: a sum over
 * fields that were stored one by one would have to wait for each of them. */

static void
ask_offload(const struct way *way, uint64_t flags, uint16_t l3_length)
{
	way->mbuf->ol_flags |= flags | RTE_MBUF_F_TX_UDP_CKSUM;
	way->mbuf->l2_len = ether_length(way->iface);
	way->mbuf->l3_len = l3_length;
}

/* Without its checksum. */
static inline uint64_t
udp_header(uint16_t from, uint16_t to, uint16_t length)
{
	return rte_cpu_to_be_16(from) | (uint64_t)rte_cpu_to_be_16(to) << 16 |
	       (uint64_t)rte_cpu_to_be_16(length) << 32;
}

/* What protocol and length add to the sum of both addresses (RFC 768; RFC 8200 8.1). */
static inline uint64_t
pseudo_sum(uint64_t addresses, uint64_t header)
{
	return addresses + rte_cpu_to_be_16(IPPROTO_UDP) + (header >> 32 & 0xffff);
}

/* `addresses` is the sum of both. */
static inline uint16_t
udp_checksum(uint64_t addresses, uint64_t header, const uint8_t *payload, unsigned length)
{
	uint16_t checksum =
		(uint16_t)~checksum_fold(pseudo_sum(addresses, header) + checksum_word(header) +
					 checksum_bytes(payload, length));

	/* 0 would be none (RFC 768; RFC 8200 8.1), and is the same as 0xffff */
	return checksum != 0 ? checksum : 0xffff;
}

static void
write_udp(const struct way *way, uint8_t *at, uint64_t addresses)
{
	uint64_t header = udp_header(way->local_port, way->to->port,
		(uint16_t)(sizeof(struct rte_udp_hdr) + way->length));
	uint16_t checksum;

	if (way->iface->udp_checksum_offload) /* the port adds the rest */
		checksum = checksum_fold(pseudo_sum(addresses, header));
	else
		checksum = udp_checksum(addresses, header, at + sizeof(header), way->length);
	header |= (uint64_t)checksum << 48;
	memcpy(at, &header, sizeof(header));
}

/* Version, header length, DSCP, total length; no identification, which an atomic datagram needs
 * none of (RFC 6864 4.1), and DF. */
static inline uint64_t
ipv4_first(uint8_t dscp, uint16_t total)
{
	return RTE_IPV4_VHL_DEF | (uint64_t)(uint8_t)(dscp << 2) << 8 |
	       (uint64_t)rte_cpu_to_be_16(total) << 16 |
	       (uint64_t)rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG) << 48;
}

/* TTL, protocol, no checksum yet, source. */
static inline uint64_t
ipv4_second(uint32_t from)
{
	return MEDIA_TTL | IPPROTO_UDP << 8 | (uint64_t)from << 32;
}

static void
write_ipv4(const struct way *way)
{
	uint32_t from, to;

	memcpy(&from, way->from->ip, sizeof(from));
	memcpy(&to, way->to->ip, sizeof(to));
	uint64_t first = ipv4_first(way->dscp,
		(uint16_t)(sizeof(struct rte_ipv4_hdr) + sizeof(struct rte_udp_hdr) + way->length));
	uint64_t second = ipv4_second(from);
	if (way->iface->udp_checksum_offload)
		ask_offload(way, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM,
			sizeof(struct rte_ipv4_hdr));
	else
		second |= (uint64_t)(uint16_t)~checksum_fold(
				  checksum_word(first) + checksum_word(second) + to)
		          << 16;
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
		checksum_small(way->from->ip, 16) + checksum_small(way->to->ip, 16));
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

#define PLAIN_HEADERS (sizeof(struct rte_ether_hdr) + 20 + 8) /* bytes */

/* Nearly all media: IPv4, untagged, on a port that leaves checksums to us. All 42 bytes of headers
 * pass by registers alone. `link` is the next hop's. */
static inline void
write_plain(const struct media_address *address, const struct endpoint *to, uint16_t local_port,
	uint8_t dscp, uint64_t link, uint8_t *payload, uint16_t length)
{
	uint8_t *frame = payload - PLAIN_HEADERS;
	uint16_t mac_first, type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	uint32_t mac_last, from, remote;

	memcpy(&mac_first, address->iface->mac.addr_bytes, sizeof(mac_first));
	memcpy(&mac_last, address->iface->mac.addr_bytes + 2, sizeof(mac_last));
	memcpy(&from, address->ip.ip, sizeof(from));
	memcpy(&remote, to->ip, sizeof(remote));
	uint64_t ether = (link & 0xffffffffffff) | (uint64_t)mac_first << 48;
	uint64_t first = ipv4_first(dscp, (uint16_t)(20 + 8 + length));
	uint64_t second = ipv4_second(from);
	uint64_t pseudo = (uint64_t)from + remote;
	second |= (uint64_t)(uint16_t)~checksum_fold(
			  checksum_word(first) + checksum_word(second) + remote)
	          << 16;
	uint64_t udp = udp_header(local_port, to->port, (uint16_t)(8 + length));
	udp |= (uint64_t)udp_checksum(pseudo, udp, payload, length) << 48;
	memcpy(frame, &ether, sizeof(ether));
	memcpy(frame + 8, &mac_last, sizeof(mac_last));
	memcpy(frame + 12, &type, sizeof(type));
	memcpy(frame + 14, &first, sizeof(first));
	memcpy(frame + 22, &second, sizeof(second));
	memcpy(frame + 30, &remote, sizeof(remote));
	memcpy(frame + 34, &udp, sizeof(udp));
}

/* Any other: IPv6, a tag, checksums by the port. */
static void
write_any(const struct way *way, uint8_t *frame, uint64_t link)
{
	write_ether(way, (struct rte_ether_hdr *)frame, link);
	if (way->from->family == 4)
		write_ipv4(way);
	else
		write_ipv6(way);
}

enum relay_drop
path_write(const struct bridge_leg *leg, bool rtcp, struct rte_mbuf *mbuf, uint8_t *payload,
	uint16_t length)
{
	const struct media_address *address = media_addresses[leg->address];
	const struct iface *iface = address->iface;
	bool muxed = (leg->flags & RELAY_LEG_RTCP_MUX) != 0;
	unsigned ip_udp = (address->ip.family == 4 ? 20 : 40) + 8;
	unsigned headers = ether_length(iface) + ip_udp;

	if (leg->nexthop[rtcp] == NULL)
		return RELAY_DROP_LEG_NOT_READY;
	uint64_t link = atomic_load_explicit(&leg->nexthop[rtcp]->link, memory_order_relaxed);
	if (link == 0)
		return RELAY_DROP_NEXT_HOP_UNRESOLVED;
	if (ip_udp + length > iface->mtu)
		return RELAY_DROP_MTU_EXCEEDED;
	if ((size_t)(payload - (uint8_t *)mbuf->buf_addr) < headers)
		return RELAY_DROP_NO_MEMORY;

	uint16_t local_port = (uint16_t)(leg->port + (rtcp && !muxed));
	uint8_t dscp = (leg->flags & RELAY_LEG_DSCP) != 0 ? leg->dscp : iface->dscp;
	mbuf->data_off = (uint16_t)(payload - headers - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = (uint16_t)(headers + length);
	mbuf->pkt_len = mbuf->data_len;
	/* what was said of it when it was received holds no longer; whose its buffer is does */
	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	if (headers == PLAIN_HEADERS && !iface->udp_checksum_offload) {
		write_plain(address, &leg->remote[rtcp], local_port, dscp, link, payload, length);
		return RELAY_DROP_NONE;
	}
	struct way way = {.iface = iface,
		.from = &address->ip,
		.to = &leg->remote[rtcp],
		.local_port = local_port,
		.length = length,
		.dscp = dscp,
		.mbuf = mbuf,
		.ip = payload - ip_udp};
	write_any(&way, payload - headers, link);
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
