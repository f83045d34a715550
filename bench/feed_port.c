/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <rte_ethdev.h>

void
feed_port_open(struct feed *feed, const char *memif, unsigned ring)
{
	feed->port = wire_open(memif, ring, feed->pool);
	rte_eth_macaddr_get(feed->port, &feed->mac);
}

bool
feed_answer_arp(struct feed *feed, struct rte_mbuf *mbuf)
{
	if (!wire_answer_arp(mbuf, &feed->mac, &feed->relay_mac))
		return false;
	feed->relay_known = true;
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
