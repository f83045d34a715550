/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include "checksum.h"
#include "port_table.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <string.h>

#define ETHER_TYPE_QINQ 0x88a8 /* IEEE 802.1Q: a service tag, the outer of two */

/* What lies behind the Ethernet header and its tag. */
struct layer3 {
	uint8_t *data;
	unsigned length; /* bytes of it in the first segment, which alone are read */
	unsigned whole;  /* bytes of it in the frame */
	uint16_t type;   /* EtherType */
};

static enum packet_fate
drop(enum relay_drop *reason, enum relay_drop why)
{
	*reason = why;
	return PACKET_DROP;
}

/* RFC 768; RFC 8200 8.1: over IPv6 there must be a checksum. A port that says "none" vouches for
 * the data, though the field is not filled in (virtio, from the same machine). */
static enum relay_drop
check_udp_checksum(struct packet *packet, const struct rte_udp_hdr *udp)
{
	uint64_t said = packet->mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;

	packet->udp_unchecked = 0;
	if (udp->dgram_cksum == 0 && packet->source.family == 4)
		return RELAY_DROP_NONE;
	if (said == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		return RELAY_DROP_NONE;
	if (udp->dgram_cksum == 0)
		return RELAY_DROP_UDP_NO_CHECKSUM;
	if (said == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return RELAY_DROP_UDP_BAD_CHECKSUM;
	packet->udp_unchecked = said != RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return RELAY_DROP_NONE;
}

static bool
covers(const struct media_address *address, uint16_t port)
{
	return address->table != NULL && port_table_covers(address->table, port);
}

/* `udp` has `length` bytes by the IP header, of which `there` lie in the first segment;
 * packet->address and the source's IP are set. */
static enum packet_fate
classify_udp(struct packet *packet, uint8_t *udp, unsigned length, unsigned there,
	enum relay_drop *reason)
{
	const struct rte_udp_hdr *header = (const struct rte_udp_hdr *)udp;

	if (length < sizeof(*header))
		return drop(reason, RELAY_DROP_UDP_BAD_LENGTH);
	if (there < sizeof(*header))
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);

	uint16_t port = rte_be_to_cpu_16(header->dst_port);
	if (!covers(packet->address, port))
		return PACKET_KERNEL;

	/* RFC 768: the length counts header and data; IP may carry more, never less */
	unsigned udp_length = rte_be_to_cpu_16(header->dgram_len);
	if (udp_length < sizeof(*header) || udp_length > length)
		return drop(reason, RELAY_DROP_UDP_BAD_LENGTH);

	packet->source.port = rte_be_to_cpu_16(header->src_port);
	packet->local_port = port;
	packet->entry = port_table_entry(packet->address->table, port);
	packet->payload = udp + sizeof(*header);
	packet->length = (uint16_t)(udp_length - sizeof(*header));
	return PACKET_MEDIA;
}

/* What is asked last, of a datagram to a media port: it costs most, or matters to media alone.
 * `total` is IP's length. */
static enum packet_fate
classify_media(struct packet *packet, unsigned total, enum relay_drop *reason)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(packet->payload - 8);
	enum relay_drop why;

	if (packet->mbuf->nb_segs > 1 || total > packet->iface->mtu)
		return drop(reason, RELAY_DROP_FRAME_TOO_LONG);
	why = check_udp_checksum(packet, udp);
	return why == RELAY_DROP_NONE ? PACKET_MEDIA : drop(reason, why);
}

static bool
ipv4_checksum_good(const struct rte_mbuf *mbuf, const struct rte_ipv4_hdr *ip, unsigned header)
{
	uint64_t said = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	if (said == RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN)
		return rte_raw_cksum(ip, header) == 0xffff;
	return said != RTE_MBUF_F_RX_IP_CKSUM_BAD;
}

static enum packet_fate
classify_ipv4(struct packet *packet, const struct layer3 *layer3, enum relay_drop *reason)
{
	const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)layer3->data;

	/* RFC 1812 5.2.2: (1) long enough, (3) version, (4) header length, (5) total length;
	 * (2), the checksum, last, as it costs most */
	if (layer3->length < sizeof(*ip))
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);
	unsigned header = rte_ipv4_hdr_len(ip);
	unsigned total = rte_be_to_cpu_16(ip->total_length);
	if (ip->version != 4 || header < sizeof(*ip))
		return drop(reason, RELAY_DROP_IP_BAD_HEADER);
	if (total < header || total > layer3->whole)
		return drop(reason, RELAY_DROP_IP_BAD_LENGTH);
	if (layer3->length < header)
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);

	if (ip->next_proto_id != IPPROTO_UDP)
		return PACKET_KERNEL;
	packet->address = iface_address(packet->iface, (const uint8_t *)&ip->dst_addr, 4);
	if (packet->address == NULL)
		return PACKET_KERNEL;

	/* Behind the first fragment no port can be read: those go to the kernel, which never sees
	 * the first and gives up on the rest. */
	uint16_t fragment = rte_be_to_cpu_16(ip->fragment_offset);
	if ((fragment & RTE_IPV4_HDR_OFFSET_MASK) != 0)
		return PACKET_KERNEL;

	packet->source = (struct endpoint){.family = 4};
	memcpy(packet->source.ip, &ip->src_addr, 4);
	enum packet_fate fate = classify_udp(
		packet, layer3->data + header, total - header, layer3->length - header, reason);
	if (fate != PACKET_MEDIA)
		return fate;
	if ((fragment & RTE_IPV4_HDR_MF_FLAG) != 0)
		return drop(reason, RELAY_DROP_IP_FRAGMENT);
	if (!ipv4_checksum_good(packet->mbuf, ip, header))
		return drop(reason, RELAY_DROP_IP_BAD_CHECKSUM);
	return classify_media(packet, total, reason);
}

/* A Fragment header (RFC 8200 4.5) right behind IPv6's, of `length` bytes with what it holds: is
 * it the start of a datagram to a media port? All other fragments are the kernel's. */
static enum packet_fate
classify_fragment(
	const struct packet *packet, const uint8_t *data, unsigned length, enum relay_drop *reason)
{
	const struct rte_ipv6_fragment_ext *fragment = (const struct rte_ipv6_fragment_ext *)data;
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(data + sizeof(*fragment));

	if (length < sizeof(*fragment) + sizeof(*udp) || fragment->next_header != IPPROTO_UDP ||
		(rte_be_to_cpu_16(fragment->frag_data) & RTE_IPV6_EHDR_FO_MASK) != 0 ||
		!covers(packet->address, rte_be_to_cpu_16(udp->dst_port)))
		return PACKET_KERNEL;
	return drop(reason, RELAY_DROP_IP_FRAGMENT);
}

static enum packet_fate
classify_ipv6(struct packet *packet, const struct layer3 *layer3, enum relay_drop *reason)
{
	const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)layer3->data;

	if (layer3->length < sizeof(*ip))
		return drop(reason, RELAY_DROP_ETHER_TRUNCATED);
	if (rte_be_to_cpu_32(ip->vtc_flow) >> 28 != 6)
		return drop(reason, RELAY_DROP_IP_BAD_HEADER);
	unsigned payload = rte_be_to_cpu_16(ip->payload_len);
	unsigned there = layer3->length - (unsigned)sizeof(*ip);
	if (payload > layer3->whole - sizeof(*ip))
		return drop(reason, RELAY_DROP_IP_BAD_LENGTH);

	/* Media never comes behind extension headers: what has them is the kernel's. */
	if (ip->proto != IPPROTO_UDP && ip->proto != IPPROTO_FRAGMENT)
		return PACKET_KERNEL;
	packet->address = iface_address(packet->iface, ip->dst_addr, 6);
	if (packet->address == NULL)
		return PACKET_KERNEL;
	uint8_t *data = layer3->data + sizeof(*ip);
	if (ip->proto == IPPROTO_FRAGMENT)
		return classify_fragment(packet, data, RTE_MIN(payload, there), reason);

	packet->source = (struct endpoint){.family = 6};
	memcpy(packet->source.ip, ip->src_addr, 16);
	enum packet_fate fate = classify_udp(packet, data, payload, there, reason);
	if (fate != PACKET_MEDIA)
		return fate;
	return classify_media(packet, (unsigned)sizeof(*ip) + payload, reason);
}

/* Reads the Ethernet header and a tag; *vlan is 0 without one, or for a priority tag (IEEE 802.1Q
 * 9.6). A tag that was taken off already, by the port or by strip_tag() before the frame went by a
 * ring to another worker, is in the mbuf. */
static enum relay_drop
read_ether(const struct rte_mbuf *mbuf, struct layer3 *layer3, uint16_t *vlan)
{
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	const struct rte_ether_hdr *ether = (const struct rte_ether_hdr *)data;
	const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(ether + 1);
	bool stripped = (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
	unsigned length = rte_pktmbuf_data_len(mbuf), header = sizeof(*ether);

	*vlan = stripped ? mbuf->vlan_tci & RTE_VLAN_ID_MASK : 0;
	if (length < header)
		return RELAY_DROP_ETHER_TRUNCATED;
	uint16_t type = rte_be_to_cpu_16(ether->ether_type);
	if (type == RTE_ETHER_TYPE_VLAN && !stripped) {
		header += (unsigned)sizeof(*tag);
		if (length < header)
			return RELAY_DROP_ETHER_TRUNCATED;
		*vlan = rte_be_to_cpu_16(tag->vlan_tci) & RTE_VLAN_ID_MASK;
		type = rte_be_to_cpu_16(tag->eth_proto);
	}
	if (type == RTE_ETHER_TYPE_VLAN || type == ETHER_TYPE_QINQ)
		return RELAY_DROP_VLAN_UNKNOWN; /* one tag more than we know */
	layer3->data = data + header;
	layer3->length = length - header;
	layer3->whole = rte_pktmbuf_pkt_len(mbuf) - header;
	layer3->type = type;
	return RELAY_DROP_NONE;
}

/* The kernel's TAP is of one VLAN, so the tag goes; the mbuf keeps it for read_ether(). */
static void
strip_tag(struct rte_mbuf *mbuf)
{
	/* it does nothing where there is none */
	rte_vlan_strip(mbuf);
}

#define PLAIN_ETHER 14 /* bytes: no tag */
#define PLAIN_IP 20    /* no options */

/* Nearly all media: IPv4 without options, in one piece, untagged, to a media port; said by a few
 * comparisons of whole words, which a CPU foresees. False: anything else, a fault among it, which
 * the steps above tell by name. What is asked here is what they ask. */
static inline bool
is_plain(struct packet *packet, const struct device *device)
{
	const struct rte_mbuf *mbuf = packet->mbuf;
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	const unsigned udp_at = PLAIN_ETHER + PLAIN_IP;
	uint64_t first, second, udp;
	uint32_t from, to, type;

	if (mbuf->data_len < udp_at + sizeof(udp) || mbuf->nb_segs != 1 ||
		(mbuf->ol_flags & (RTE_MBUF_F_RX_VLAN_STRIPPED | RTE_MBUF_F_RX_IP_CKSUM_MASK |
					  RTE_MBUF_F_RX_L4_CKSUM_MASK)) != 0 ||
		device->untagged == NULL)
		return false;
	memcpy(&type, frame + PLAIN_ETHER - 2, sizeof(type));
	memcpy(&first, frame + PLAIN_ETHER, sizeof(first));
	memcpy(&second, frame + PLAIN_ETHER + 8, sizeof(second));
	memcpy(&from, frame + PLAIN_ETHER + 12, sizeof(from));
	memcpy(&to, frame + PLAIN_ETHER + 16, sizeof(to));
	memcpy(&udp, frame + udp_at, sizeof(udp));
	unsigned total = rte_be_to_cpu_16((uint16_t)(first >> 16));
	unsigned length = rte_be_to_cpu_16((uint16_t)(udp >> 32));
	/* EtherType, version and header length; no fragment; UDP */
	if ((type & 0xffffff) != (RTE_IPV4_VHL_DEF << 16 | rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4)) ||
		(first >> 48 & rte_cpu_to_be_16(RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) !=
			0 ||
		(second >> 8 & 0xff) != IPPROTO_UDP || total + PLAIN_ETHER > mbuf->data_len ||
		total > device->untagged->mtu || length < sizeof(udp) ||
		length + PLAIN_IP > total ||
		checksum_fold(checksum_word(first) + checksum_word(second) + to) != 0xffff)
		return false;
	const struct iface_slot *slot = iface_slot_ipv4(device->untagged, to);
	uint16_t port = rte_be_to_cpu_16((uint16_t)(udp >> 16));
	if (slot == NULL || (uint16_t)(port - slot->ports_first) >= slot->ports)
		return false;
	packet->iface = device->untagged;
	packet->address = slot->address;
	packet->entry = &slot->entries[port / 2];
	endpoint_set_ipv4(&packet->source, from, rte_be_to_cpu_16((uint16_t)udp));
	packet->local_port = port;
	packet->payload = (uint8_t *)(uintptr_t)(frame + udp_at + sizeof(udp));
	packet->length = (uint16_t)(length - sizeof(udp));
	packet->udp_unchecked = udp >> 48 != 0;
	return true;
}
_Static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "a word's first byte is its lowest");

enum packet_fate
packet_classify(struct packet *packet, const struct device *device, enum relay_drop *reason)
{
	return is_plain(packet, device) ? PACKET_MEDIA
	                                : packet_classify_any(packet, device, reason);
}

enum packet_fate
packet_classify_any(struct packet *packet, const struct device *device, enum relay_drop *reason)
{
	enum packet_fate fate = PACKET_KERNEL;
	struct layer3 layer3 = {.data = NULL};
	uint16_t vlan;

	packet->iface = NULL;
	packet->address = NULL;
	enum relay_drop why = read_ether(packet->mbuf, &layer3, &vlan);
	if (why != RELAY_DROP_VLAN_UNKNOWN)
		packet->iface = device_iface(device, vlan);
	if (why != RELAY_DROP_NONE)
		return drop(reason, why);
	if (packet->iface == NULL)
		return drop(reason, RELAY_DROP_VLAN_UNKNOWN);
	if (layer3.type == RTE_ETHER_TYPE_IPV4)
		fate = classify_ipv4(packet, &layer3, reason);
	else if (layer3.type == RTE_ETHER_TYPE_IPV6)
		fate = classify_ipv6(packet, &layer3, reason);
	if (fate == PACKET_KERNEL)
		strip_tag(packet->mbuf);
	return fate;
}

/* Both adders and the sum are in network order, which a one's complement sum does not mind. */
static uint16_t
add_folded(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

bool
packet_udp_checksum_good(const struct packet *packet)
{
	const struct rte_udp_hdr *udp = (const struct rte_udp_hdr *)(packet->payload - 8);
	size_t size = packet->source.family == 4 ? 4 : 16;

	if (udp->dgram_cksum == 0)
		return packet->source.family == 4;
	/* the pseudo header: addresses, protocol and UDP's own length (RFC 768; RFC 8200 8.1),
	 * which may be less than IP's */
	uint16_t pseudo = add_folded((uint32_t)rte_raw_cksum(packet->source.ip, size) +
				     rte_raw_cksum(packet->address->ip.ip, size) + udp->dgram_len +
				     rte_cpu_to_be_16(IPPROTO_UDP));
	/* A datagram that never left this machine (from a veth, say) may hold what the kernel
	 * leaves a NIC to complete: the pseudo header's sum. */
	if (udp->dgram_cksum == pseudo)
		return true;
	uint32_t data = rte_raw_cksum(udp, rte_be_to_cpu_16(udp->dgram_len));
	return add_folded(data + pseudo) == 0xffff;
}
