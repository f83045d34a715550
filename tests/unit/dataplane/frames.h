/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames for tests, from recipes: right to the last checksum, then spoilt in one or two places. */
#ifndef TESTS_FRAMES_H
#define TESTS_FRAMES_H

#include "dataplane/packet.h"

#include <rte_common.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_PAYLOAD 20 /* bytes of UDP's */
#define FRAME_MAX 2304
#define FRAME_SOURCE_PORT 5004

/* A frame to be built, and how to spoil it. The rest is right. */
enum layer { NOTHING, ETHER, TAG, IP, EXTENSION, UDP };

struct recipe {
	const char *name;
	const char *to; /* NULL: 192.0.2.1 */
	uint16_t port;  /* 0: 20000 */
	uint8_t device;
	uint8_t options;  /* bytes of IPv4 options */
	uint8_t fragment; /* a Fragment header lies behind IPv6's */
	uint8_t tagged;   /* with `tci` */
	uint16_t tci;
	struct {
		enum layer layer;
		uint8_t offset, size;
		uint32_t value;
	} patch[2];
	uint8_t stale;   /* IPv4's checksum is of before the patches */
	int grow;        /* bytes more at the end of the frame, or fewer */
	unsigned length; /* of the frame, in place of that */
	uint64_t flags;  /* of the mbuf */
	enum packet_fate fate;
	enum relay_drop reason;
	uint8_t unchecked;
	uint16_t payload; /* expected; 0: FRAME_PAYLOAD */
	int iface;        /* expected; -1: none */
};

struct frame {
	uint8_t bytes[FRAME_MAX];
	unsigned length;
	unsigned at[UDP + 1]; /* where each layer begins */
	uint8_t family;
};

static inline void
frame_put(uint8_t *at, unsigned size, uint32_t value)
{
	for (unsigned i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
}

static inline void
frame_build_ip(const struct recipe *recipe, struct frame *frame, unsigned *used)
{
	struct relay_ip to, from;
	const char *text = recipe->to != NULL ? recipe->to : "192.0.2.1";
	unsigned behind = 8 + FRAME_PAYLOAD;

	assert_int_equal(relay_ip_parse(text, strlen(text), &to), 0);
	frame->family = to.family;
	text = to.family == 4 ? "192.0.2.77" : "2001:db8::77";
	assert_int_equal(relay_ip_parse(text, strlen(text), &from), 0);
	frame->at[IP] = *used;
	if (to.family == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame->bytes + *used);
		ip->version_ihl = (uint8_t)(0x45 + recipe->options / 4);
		ip->total_length =
			rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + recipe->options + behind));
		ip->time_to_live = 64;
		ip->next_proto_id = IPPROTO_UDP;
		memcpy(&ip->src_addr, from.ip, 4);
		memcpy(&ip->dst_addr, to.ip, 4);
		*used += (unsigned)sizeof(*ip);
		memset(frame->bytes + *used, 1, recipe->options); /* no operation */
		*used += recipe->options;
		return;
	}
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)(frame->bytes + *used);
	ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
	ip->payload_len = rte_cpu_to_be_16((uint16_t)(behind + (recipe->fragment ? 8 : 0)));
	ip->proto = recipe->fragment ? IPPROTO_FRAGMENT : IPPROTO_UDP;
	ip->hop_limits = 64;
	memcpy(ip->src_addr, from.ip, 16);
	memcpy(ip->dst_addr, to.ip, 16);
	*used += (unsigned)sizeof(*ip);
	frame->at[EXTENSION] = *used;
	if (recipe->fragment) {
		frame_put(
			frame->bytes + *used, 4, (uint32_t)IPPROTO_UDP << 24 | 1); /* offset 0, M */
		*used += 8;
	}
}

static inline void
frame_sum_ipv4(struct frame *frame)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame->bytes + frame->at[IP]);

	if (frame->family == 4) {
		ip->hdr_checksum = 0;
		ip->hdr_checksum = (uint16_t)~rte_raw_cksum(ip, rte_ipv4_hdr_len(ip));
	}
}

static inline void
frame_build(const struct recipe *recipe, struct frame *frame)
{
	unsigned used = 2 * RTE_ETHER_ADDR_LEN;

	memset(frame, 0, sizeof(*frame));
	for (unsigned i = 0; i < used; i++)
		frame->bytes[i] = (uint8_t)(2 + 2 * i);
	frame->at[TAG] = used;
	if (recipe->tagged) {
		frame_put(
			frame->bytes + used, 4, (uint32_t)RTE_ETHER_TYPE_VLAN << 16 | recipe->tci);
		used += 4;
	}
	unsigned type = used;
	used += 2;
	frame_build_ip(recipe, frame, &used);
	frame_put(frame->bytes + type, 2,
		frame->family == 4 ? RTE_ETHER_TYPE_IPV4 : RTE_ETHER_TYPE_IPV6);

	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame->bytes + used);
	frame->at[UDP] = used;
	udp->src_port = rte_cpu_to_be_16(FRAME_SOURCE_PORT);
	udp->dst_port = rte_cpu_to_be_16(recipe->port != 0 ? recipe->port : 20000);
	udp->dgram_len = rte_cpu_to_be_16(8 + FRAME_PAYLOAD);
	used += 8;
	for (unsigned i = 0; i < FRAME_PAYLOAD; i++)
		frame->bytes[used + i] = (uint8_t)(0x80 + 3 * i);
	void *ip = frame->bytes + frame->at[IP];
	if (!recipe->fragment)
		udp->dgram_cksum = frame->family == 4 ? rte_ipv4_udptcp_cksum(ip, udp)
		                                      : rte_ipv6_udptcp_cksum(ip, udp);
	frame->length = used + FRAME_PAYLOAD;

	frame_sum_ipv4(frame);
	for (unsigned i = 0; i < RTE_DIM(recipe->patch); i++)
		if (recipe->patch[i].layer != NOTHING)
			frame_put(frame->bytes + frame->at[recipe->patch[i].layer] +
					  recipe->patch[i].offset,
				recipe->patch[i].size, recipe->patch[i].value);
	if (!recipe->stale)
		frame_sum_ipv4(frame);
	if (recipe->length != 0)
		frame->length = recipe->length;
	frame->length = (unsigned)((int)frame->length + recipe->grow);
}

#endif
