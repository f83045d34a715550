/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire.h"

#include <errno.h>
#include <rte_arp.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(WIRE_HEADERS == sizeof(struct rte_ether_hdr) + sizeof(struct rte_ipv4_hdr) +
				       sizeof(struct rte_udp_hdr),
	"what wire_write_headers() writes");

static bool
open_queues(uint16_t id, unsigned queues, unsigned ring, struct rte_mempool *pool)
{
	struct rte_eth_conf conf = {0};
	uint16_t slots = (uint16_t)(1u << ring);

	if (rte_eth_dev_configure(id, (uint16_t)queues, (uint16_t)queues, &conf) != 0)
		return false;
	for (uint16_t i = 0; i < queues; i++)
		if (rte_eth_tx_queue_setup(id, i, slots, 0, NULL) != 0 ||
			rte_eth_rx_queue_setup(id, i, slots, 0, NULL, pool) != 0)
			return false;
	return rte_eth_dev_start(id) == 0;
}

uint16_t
wire_open(const char *memif, unsigned ring, unsigned queues, struct rte_mempool *pool)
{
	static unsigned opened;
	char arguments[256], name[32];
	uint16_t id;

	snprintf(name, sizeof(name), "net_memif%u", opened++);
	snprintf(arguments, sizeof(arguments),
		"role=client,id=0,socket=%s,socket-abstract=no,rsize=%u,bsize=2048", memif, ring);
	if (rte_eal_hotplug_add("vdev", name, arguments) != 0 ||
		rte_eth_dev_get_port_by_name(name, &id) != 0 ||
		!open_queues(id, queues, ring, pool)) {
		fprintf(stderr, "%s: the memif port %s can't be opened: is its server there?\n",
			program_invocation_short_name, memif);
		exit(1);
	}
	return id;
}

bool
wire_answer_arp(
	struct rte_mbuf *mbuf, const struct rte_ether_addr *own, struct rte_ether_addr *relay)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ether + 1);

	if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) ||
		rte_pktmbuf_data_len(mbuf) < sizeof(*ether) + sizeof(*arp) ||
		arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		return false;
	uint32_t target = arp->arp_data.arp_tip;
	*relay = arp->arp_data.arp_sha;
	ether->dst_addr = *relay;
	ether->src_addr = *own;
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = *own;
	arp->arp_data.arp_sip = target;
	return true;
}

void
wire_write_headers(uint8_t frame[WIRE_HEADERS], const struct rte_ether_addr *own,
	const struct rte_ether_addr *relay, const struct relay_addr *from,
	const struct relay_addr *to, unsigned length)
{
	struct rte_ether_hdr *ether = (struct rte_ether_hdr *)frame;
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(ether + 1);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(ip + 1);

	ether->dst_addr = *relay;
	ether->src_addr = *own;
	ether->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	memset(ip, 0, sizeof(*ip));
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + sizeof(*udp) + length));
	ip->time_to_live = 64;
	ip->next_proto_id = IPPROTO_UDP;
	memcpy(&ip->src_addr, from->ip.ip, 4);
	memcpy(&ip->dst_addr, to->ip.ip, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = rte_cpu_to_be_16(from->port);
	udp->dst_port = rte_cpu_to_be_16(to->port);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + length));
	udp->dgram_cksum = 0;
}
