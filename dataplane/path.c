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

static struct rte_udp_hdr *
write_udp(const struct way *way, uint8_t *at)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)at;

	udp->src_port = rte_cpu_to_be_16(way->local_port);
	udp->dst_port = rte_cpu_to_be_16(way->to->port);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + way->length));
	udp->dgram_cksum = 0;
	return udp;
}

static void
ask_offload(const struct way *way, uint64_t flags, uint16_t l3_length)
{
	way->mbuf->ol_flags |= flags | RTE_MBUF_F_TX_UDP_CKSUM;
	way->mbuf->l2_len = ether_length(way->iface);
	way->mbuf->l3_len = l3_length;
}

static void
write_ipv4(const struct way *way)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)way->ip;
	struct rte_udp_hdr *udp = write_udp(way, way->ip + sizeof(*ip));

	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->type_of_service = (uint8_t)(way->dscp << 2);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + way->length));
	ip->packet_id = 0; /* an atomic datagram needs no identification: RFC 6864 4.1 */
	ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
	ip->time_to_live = MEDIA_TTL;
	ip->next_proto_id = IPPROTO_UDP;
	ip->hdr_checksum = 0;
	memcpy(&ip->src_addr, way->from->ip, 4);
	memcpy(&ip->dst_addr, way->to->ip, 4);
	if (way->iface->udp_checksum_offload) {
		ask_offload(way, RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM, sizeof(*ip));
		udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, way->mbuf->ol_flags);
	} else {
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	}
}

static void
write_ipv6(const struct way *way)
{
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)way->ip;
	struct rte_udp_hdr *udp = write_udp(way, way->ip + sizeof(*ip));

	/* the DSCP is the traffic class's upper six bits (RFC 2474 3); no flow label */
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28 | (uint32_t)way->dscp << 22);
	ip->payload_len = udp->dgram_len;
	ip->proto = IPPROTO_UDP;
	ip->hop_limits = MEDIA_TTL;
	memcpy(ip->src_addr, way->from->ip, 16);
	memcpy(ip->dst_addr, way->to->ip, 16);
	if (way->iface->udp_checksum_offload) {
		ask_offload(way, RTE_MBUF_F_TX_IPV6, sizeof(*ip));
		udp->dgram_cksum = rte_ipv6_phdr_cksum(ip, way->mbuf->ol_flags);
	} else {
		/* never 0, which would be none (RFC 8200 8.1): this gives 0xffff then */
		udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
	}
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
