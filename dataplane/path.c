/* SPDX-License-Identifier: BSD-3-Clause */
#include "path.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <stdatomic.h>
#include <string.h>

#define MEDIA_TTL 64

void
path_build(struct path *path, const struct iface *iface, struct nexthop *nexthop,
	uint16_t local_port, const struct relay_addr *remote)
{
	struct rte_udp_hdr *udp;

	memset(path, 0, sizeof(*path));
	path->iface = iface;
	path->nexthop = nexthop;
	if (iface->ip.family == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)path->headers;
		ip->version_ihl = RTE_IPV4_VHL_DEF;
		/* an atomic datagram needs no identification: RFC 6864 4.1 */
		ip->fragment_offset = rte_cpu_to_be_16(RTE_IPV4_HDR_DF_FLAG);
		ip->time_to_live = MEDIA_TTL;
		ip->next_proto_id = IPPROTO_UDP;
		memcpy(&ip->src_addr, iface->ip.ip, 4);
		memcpy(&ip->dst_addr, remote->ip.ip, 4);
		udp = (struct rte_udp_hdr *)(ip + 1);
	} else {
		struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)path->headers;
		ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
		ip->proto = IPPROTO_UDP;
		ip->hop_limits = MEDIA_TTL;
		memcpy(ip->src_addr, iface->ip.ip, 16);
		memcpy(ip->dst_addr, remote->ip.ip, 16);
		udp = (struct rte_udp_hdr *)(ip + 1);
	}
	udp->src_port = rte_cpu_to_be_16(local_port);
	udp->dst_port = rte_cpu_to_be_16(remote->port);
}

/* Fills lengths and checksums of IPv4 and UDP; `length` is the UDP payload's. */
static void
finish_ipv4(
	const struct path *path, struct rte_mbuf *mbuf, struct rte_ipv4_hdr *ip, uint16_t length)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + length));
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + length));
	if (path->iface->udp_checksum_offload) {
		mbuf->ol_flags =
			RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
		mbuf->l2_len = sizeof(struct rte_ether_hdr);
		mbuf->l3_len = sizeof(*ip);
		udp->dgram_cksum = rte_ipv4_phdr_cksum(ip, mbuf->ol_flags);
	} else {
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
	}
}

static void
finish_ipv6(
	const struct path *path, struct rte_mbuf *mbuf, struct rte_ipv6_hdr *ip, uint16_t length)
{
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	ip->payload_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + length));
	udp->dgram_len = ip->payload_len;
	if (path->iface->udp_checksum_offload) {
		mbuf->ol_flags = RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_UDP_CKSUM;
		mbuf->l2_len = sizeof(struct rte_ether_hdr);
		mbuf->l3_len = sizeof(*ip);
		udp->dgram_cksum = rte_ipv6_phdr_cksum(ip, mbuf->ol_flags);
	} else {
		udp->dgram_cksum = rte_ipv6_udptcp_cksum(ip, udp);
	}
}

enum relay_drop
path_write(const struct path *path, struct rte_mbuf *mbuf, uint8_t *payload, uint16_t length)
{
	const struct iface *iface = path->iface;
	bool ipv4 = iface->ip.family == 4;
	uint16_t ip_udp = ipv4 ? 20 + 8 : 40 + 8;
	uint64_t link = atomic_load_explicit(&path->nexthop->link, memory_order_relaxed);

	if (link == 0)
		return RELAY_DROP_NEXT_HOP_UNRESOLVED;
	if (ip_udp + length > iface->mtu)
		return RELAY_DROP_MTU_EXCEEDED;

	uint8_t *ip = payload - ip_udp;
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)(ip - sizeof(*ether));
	if ((uint8_t *)ether < (uint8_t *)mbuf->buf_addr)
		return RELAY_DROP_NO_MEMORY;

	memcpy(&ether->dst_addr, &link, sizeof(ether->dst_addr));
	ether->src_addr = iface->mac;
	ether->ether_type = rte_cpu_to_be_16(ipv4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);
	memcpy(ip, path->headers, ip_udp);

	mbuf->data_off = (uint16_t)((uint8_t *)ether - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = (uint16_t)(sizeof(*ether) + ip_udp + length);
	mbuf->pkt_len = mbuf->data_len;
	mbuf->ol_flags = 0;
	if (ipv4)
		finish_ipv4(path, mbuf, (struct rte_ipv4_hdr *)ip, length);
	else
		finish_ipv6(path, mbuf, (struct rte_ipv6_hdr *)ip, length);
	return RELAY_DROP_NONE;
}
