/* SPDX-License-Identifier: BSD-3-Clause */
/* The far ends' side of a net_memif pair that a relay serves, for load and feed. */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include "relay/api.h"

#include <rte_ether.h>
#include <rte_mbuf.h>

#define WIRE_HEADERS 42 /* bytes of Ethernet, IPv4 and UDP */

/* Opens the port, with so many queues each way and rings of 2^ring slots, or ends the program with
 * a sentence. */
uint16_t wire_open(const char *memif, unsigned ring, unsigned queues, struct rte_mempool *pool);

/* Is the frame the relay's ARP request? Then it is now the answer of whoever was asked for, to be
 * sent, and *relay is the relay's link address. */
bool wire_answer_arp(
	struct rte_mbuf *mbuf, const struct rte_ether_addr *own, struct rte_ether_addr *relay);

/* The headers of a datagram of `length` bytes of payload, over IPv4, without UDP's checksum. */
void wire_write_headers(uint8_t frame[WIRE_HEADERS], const struct rte_ether_addr *own,
	const struct rte_ether_addr *relay, const struct relay_addr *from,
	const struct relay_addr *to, unsigned length);

#endif
