/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include "port_table.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

static enum packet_fate
drop(enum relay_drop *reason, enum relay_drop why)
{
	*reason = why;
	return PACKET_DROP;
}

/* `udp` has `length` bytes, by the IP header; the frame holds them all. */
static enum packet_fate
classify_udp(struct packet *packet, uint8_t *udp, unsigned length, enum relay_drop *reason)
{
	const struct rte_udp_hdr *header = (const struct rte_udp_hdr *)udp;

	if (length < sizeof(*header))
		return drop(reason, RELAY_DROP_UDP_BAD_LENGTH);

	uint16_t port = rte_be_to_cpu_16(header->dst_port);
	if (!port_table_covers(packet->iface->table, port))
		return PACKET_KERNEL;

	/* RFC 768: the length counts header and data; IP may carry more, never less */
	unsigned udp_length = rte_be_to_cpu_16(header->dgram_len);
	if (udp_length < sizeof(*header) || udp_length > length)
		return drop(reason, RELAY_DROP_UDP_BAD_LENGTH);

	packet->source.port = rte_be_to_cpu_16(header->src_port);
	packet->local_port = port;
	packet->payload = udp + sizeof(*header);
	packet->length = (uint16_t)(udp_length - sizeof(*header));
	return PACKET_MEDIA;
}

static enum packet_fate
classify_ipv4(struct packet *packet, uint8_t *data, unsigned length, enum relay_drop *reason)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)data;

	/* RFC 1812 5.2.2: (1) long enough, (3) version, (4) header length, (5) total length;
	 * (2), the checksum, last, as it costs most */
	if (length < sizeof(*ip))
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);
	unsigned header = rte_ipv4_hdr_len(ip);
	unsigned total = rte_be_to_cpu_16(ip->total_length);
	if (ip->version != 4 || header < sizeof(*ip))
		return drop(reason, RELAY_DROP_IP_BAD_HEADER);
	if (total < header || total > length)
		return drop(reason, RELAY_DROP_IP_BAD_LENGTH);

	if (ip->next_proto_id != IPPROTO_UDP || packet->iface->ip.family != 4 ||
		memcmp(&ip->dst_addr, packet->iface->ip.ip, 4) != 0)
		return PACKET_KERNEL;

	/* Behind the first fragment no port can be read: those go to the kernel, which never sees
	 * the first and gives up on the rest. */
	uint16_t fragment = rte_be_to_cpu_16(ip->fragment_offset);
	if ((fragment & RTE_IPV4_HDR_OFFSET_MASK) != 0)
		return PACKET_KERNEL;

	packet->source.ip = (struct relay_ip){.family = 4};
	memcpy(packet->source.ip.ip, &ip->src_addr, 4);
	enum packet_fate fate = classify_udp(packet, data + header, total - header, reason);
	if (fate != PACKET_MEDIA)
		return fate;
	if ((fragment & RTE_IPV4_HDR_MF_FLAG) != 0)
		return drop(reason, RELAY_DROP_IP_FRAGMENT);
	if (rte_raw_cksum(ip, header) != 0xffff)
		return drop(reason, RELAY_DROP_IP_BAD_CHECKSUM);
	return PACKET_MEDIA;
}

static enum packet_fate
classify_ipv6(struct packet *packet, uint8_t *data, unsigned length, enum relay_drop *reason)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)data;

	if (length < sizeof(*ip))
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);
	if (rte_be_to_cpu_32(ip->vtc_flow) >> 28 != 6)
		return drop(reason, RELAY_DROP_IP_BAD_HEADER);
	unsigned payload = rte_be_to_cpu_16(ip->payload_len);
	if (payload > length - sizeof(*ip))
		return drop(reason, RELAY_DROP_IP_BAD_LENGTH);

	/* Media never comes behind extension headers: what has them is the kernel's. */
	if (ip->proto != IPPROTO_UDP || packet->iface->ip.family != 6 ||
		memcmp(ip->dst_addr, packet->iface->ip.ip, 16) != 0)
		return PACKET_KERNEL;

	packet->source.ip = (struct relay_ip){.family = 6};
	memcpy(packet->source.ip.ip, ip->src_addr, 16);
	return classify_udp(packet, data + sizeof(*ip), payload, reason);
}

enum packet_fate
packet_classify(struct packet *packet, enum relay_drop *reason)
{
	uint8_t *data = rte_pktmbuf_mtod(packet->mbuf, uint8_t *);
	unsigned length = rte_pktmbuf_data_len(packet->mbuf);
	const struct rte_ether_hdr *ether = (const struct rte_ether_hdr *)data;

	if (length < sizeof(*ether))
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);
	data += sizeof(*ether);
	length -= sizeof(*ether);
	if (ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4))
		return classify_ipv4(packet, data, length, reason);
	if (ether->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV6))
		return classify_ipv6(packet, data, length, reason);
	return PACKET_KERNEL;
}
