/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <rte_arp.h>
#include <rte_dev.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <stdlib.h>

void
feed_port_open(struct feed *feed, const char *memif, unsigned ring)
{
	char arguments[256];
	struct rte_eth_conf conf = {0};
	uint16_t slots = (uint16_t)(1u << ring);

	snprintf(arguments, sizeof(arguments),
		"role=client,id=0,socket=%s,socket-abstract=no,rsize=%u,bsize=2048", memif, ring);
	if (rte_eal_hotplug_add("vdev", "net_memif0", arguments) != 0 ||
		rte_eth_dev_get_port_by_name("net_memif0", &feed->port) != 0 ||
		rte_eth_dev_configure(feed->port, 1, 1, &conf) != 0 ||
		rte_eth_tx_queue_setup(feed->port, 0, slots, 0, NULL) != 0 ||
		rte_eth_rx_queue_setup(feed->port, 0, slots, 0, NULL, feed->pool) != 0 ||
		rte_eth_dev_start(feed->port) != 0) {
		fprintf(stderr, "feed: the memif port %s can't be opened: is its server there?\n",
			memif);
		exit(1);
	}
	rte_eth_macaddr_get(feed->port, &feed->mac);
}

bool
feed_answer_arp(struct feed *feed, struct rte_mbuf *mbuf)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ether + 1);

	if (ether->ether_type != rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) ||
		rte_pktmbuf_data_len(mbuf) < sizeof(*ether) + sizeof(*arp) ||
		arp->arp_opcode != rte_cpu_to_be_16(RTE_ARP_OP_REQUEST))
		return false;
	uint32_t target = arp->arp_data.arp_tip;
	feed->relay_mac = arp->arp_data.arp_sha;
	feed->relay_known = true;
	ether->dst_addr = feed->relay_mac;
	ether->src_addr = feed->mac;
	arp->arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = feed->mac;
	arp->arp_data.arp_sip = target;
	return rte_eth_tx_burst(feed->port, 0, &mbuf, 1) == 1;
}

void
feed_port_idle(struct feed *feed)
{
	struct rte_mbuf *mbufs[FEED_BURST];
	uint16_t count = rte_eth_rx_burst(feed->port, 0, mbufs, FEED_BURST);

	for (uint16_t i = 0; i < count; i++)
		if (!feed_answer_arp(feed, mbufs[i]))
			rte_pktmbuf_free(mbufs[i]);
}
