/* SPDX-License-Identifier: BSD-3-Clause */
/* The headers of what is sent: by DPDK's own checks, and byte by byte. */
#define ALLOW_EXPERIMENTAL_API /* DPDK checks checksums by functions that are called so */

#include "dataplane/path.h"

#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define PAYLOAD 172

static char folder[] = "/tmp/test-path-XXXXXX";
static struct rte_mempool *pool;
static struct iface iface;
static struct media_address addresses[2];
static struct media_address *pointers[2] = {&addresses[0], &addresses[1]};
static struct nexthop nexthops[2];

static struct relay_ip
ip_of(const char *text)
{
	struct relay_ip ip;

	assert_int_equal(relay_ip_parse(text, strlen(text), &ip), 0);
	return ip;
}

static struct endpoint
endpoint_of(const char *text, uint16_t port)
{
	struct relay_ip ip = ip_of(text);
	struct endpoint endpoint = {.port = port, .family = ip.family};

	memcpy(endpoint.ip, ip.ip, sizeof(endpoint.ip));
	return endpoint;
}

/* A leg at 192.0.2.1 or 2001:db8::1, port 20000. */
static struct bridge_leg
leg_of(unsigned family)
{
	const char *remote = family == 4 ? "198.51.100.7" : "2001:db8:7::7";

	return (struct bridge_leg){.nexthop = {&nexthops[0], &nexthops[1]},
		.remote = {endpoint_of(remote, 30000), endpoint_of(remote, 30011)},
		.port = 20000,
		.address = addresses[family == 6].index};
}

/* A packet as it was received: its payload lies behind other headers. */
struct sent {
	struct rte_mbuf *mbuf;
	uint8_t *payload;
	struct rte_ether_hdr *ether;
	struct rte_vlan_hdr *tag; /* NULL: none */
	struct rte_ipv4_hdr *ip4; /* either is NULL */
	struct rte_ipv6_hdr *ip6;
	struct rte_udp_hdr *udp;
};

static void
make(struct sent *sent, unsigned length)
{
	memset(sent, 0, sizeof(*sent));
	sent->mbuf = rte_pktmbuf_alloc(pool);
	assert_non_null(sent->mbuf);
	memset(sent->mbuf->buf_addr, 0xa5, sent->mbuf->buf_len);
	sent->payload = (uint8_t *)rte_pktmbuf_append(sent->mbuf, (uint16_t)(42 + length)) + 42;
	for (unsigned i = 0; i < length; i++)
		sent->payload[i] = (uint8_t)(5 + 11 * i);
	sent->mbuf->ol_flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_VLAN;
}

static void
find_headers(struct sent *sent)
{
	uint8_t *at = rte_pktmbuf_mtod(sent->mbuf, uint8_t *);

	sent->ether = (struct rte_ether_hdr *)at;
	uint16_t type = rte_be_to_cpu_16(sent->ether->ether_type);
	at += sizeof(*sent->ether);
	if (type == RTE_ETHER_TYPE_VLAN) {
		sent->tag = (struct rte_vlan_hdr *)at;
		type = rte_be_to_cpu_16(sent->tag->eth_proto);
		at += sizeof(*sent->tag);
	}
	if (type == RTE_ETHER_TYPE_IPV4) {
		sent->ip4 = (struct rte_ipv4_hdr *)at;
		at += sizeof(*sent->ip4);
	} else {
		assert_int_equal(type, RTE_ETHER_TYPE_IPV6);
		sent->ip6 = (struct rte_ipv6_hdr *)at;
		at += sizeof(*sent->ip6);
	}
	sent->udp = (struct rte_udp_hdr *)at;
	assert_ptr_equal(at + 8, sent->payload);
}

static struct sent
send_length(const struct bridge_leg *leg, bool rtcp, uint16_t length)
{
	struct sent sent;
	uint8_t payload[2048];

	make(&sent, length);
	memcpy(payload, sent.payload, length);
	assert_int_equal(path_write(leg, rtcp, sent.mbuf, sent.payload, length), RELAY_DROP_NONE);
	assert_memory_equal(payload, sent.payload, length);
	find_headers(&sent);
	assert_int_equal(sent.mbuf->pkt_len, sent.mbuf->data_len);
	assert_ptr_equal(rte_pktmbuf_mtod_offset(sent.mbuf, uint8_t *, sent.mbuf->data_len),
		sent.payload + length);
	return sent;
}

static struct sent
send_one(const struct bridge_leg *leg, bool rtcp)
{
	return send_length(leg, rtcp, PAYLOAD);
}

static void
check_checksums(const struct sent *sent)
{
	assert_int_not_equal(sent->udp->dgram_cksum, 0);
	if (sent->ip4 != NULL) {
		assert_int_equal(rte_raw_cksum(sent->ip4, sizeof(*sent->ip4)), 0xffff);
		assert_int_equal(rte_ipv4_udptcp_cksum_verify(sent->ip4, sent->udp), 0);
	} else {
		assert_int_equal(rte_ipv6_udptcp_cksum_verify(sent->ip6, sent->udp), 0);
	}
}

static void
check_ports(const struct bridge_leg *leg, bool rtcp, uint16_t from, uint16_t to)
{
	struct sent sent = send_one(leg, rtcp);

	assert_int_equal(rte_be_to_cpu_16(sent.udp->src_port), from);
	assert_int_equal(rte_be_to_cpu_16(sent.udp->dst_port), to);
	check_checksums(&sent);
	rte_pktmbuf_free(sent.mbuf);
}

static void
writes_ipv4(void **state)
{
	struct bridge_leg leg = leg_of(4);
	struct sent sent = send_one(&leg, false);
	static const uint8_t ether[14] = {
		0x52, 0x54, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 0x99, 0x08, 0x00};
	/* 46 is EF; total 200; id 0, DF; TTL 64, UDP; the checksum apart */
	static const uint8_t ip[20] = {
		0x45, 46 << 2, 0, 200, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7};

	(void)state;
	assert_int_equal(sent.mbuf->data_len, 14 + 20 + 8 + PAYLOAD);
	assert_memory_equal(sent.ether, ether, sizeof(ether));
	check_checksums(&sent);
	assert_int_equal(rte_be_to_cpu_16(sent.udp->dgram_len), 8 + PAYLOAD);
	sent.ip4->hdr_checksum = 0;
	assert_memory_equal(sent.ip4, ip, sizeof(ip));
	/* what the port said when it was received is not said of what is sent */
	assert_int_equal(sent.mbuf->ol_flags, 0);
	rte_pktmbuf_free(sent.mbuf);
}

static void
writes_ipv6(void **state)
{
	struct bridge_leg leg = leg_of(6);
	struct sent sent = send_one(&leg, false);
	/* version 6, class 46 << 2, no flow label; payload 180; UDP, hop limit 64 */
	static const uint8_t ip[40] = {0x6b, 0x80, 0, 0, 0, 180, 17, 64, 0x20, 0x01, 0x0d, 0xb8, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 0x01, 0x0d, 0xb8, 0, 7, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 7};

	(void)state;
	assert_int_equal(sent.mbuf->data_len, 14 + 40 + 8 + PAYLOAD);
	assert_memory_equal(sent.ip6, ip, sizeof(ip));
	assert_int_equal(rte_be_to_cpu_16(sent.udp->dgram_len), 8 + PAYLOAD);
	check_checksums(&sent);
	rte_pktmbuf_free(sent.mbuf);
}

static void
chooses_ports(void **state)
{
	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		struct bridge_leg leg = leg_of(family);
		check_ports(&leg, false, 20000, 30000);
		check_ports(&leg, true, 20001, 30011);
		leg.flags = RELAY_LEG_RTCP_MUX;
		check_ports(&leg, false, 20000, 30000);
		check_ports(&leg, true, 20000, 30011);
	}
}

static void
marks_by_leg_or_interface(void **state)
{
	struct bridge_leg leg = leg_of(4);
	struct sent sent;

	(void)state;
	leg.dscp = 63;
	sent = send_one(&leg, false); /* it does not count without its flag */
	assert_int_equal(sent.ip4->type_of_service, 46 << 2);
	rte_pktmbuf_free(sent.mbuf);
	leg.flags = RELAY_LEG_DSCP;
	sent = send_one(&leg, false);
	assert_int_equal(sent.ip4->type_of_service, 63 << 2);
	rte_pktmbuf_free(sent.mbuf);
	leg = leg_of(6);
	leg.flags = RELAY_LEG_DSCP; /* 0 is best effort */
	sent = send_one(&leg, true);
	assert_int_equal(rte_be_to_cpu_32(sent.ip6->vtc_flow), 6u << 28);
	rte_pktmbuf_free(sent.mbuf);
	leg.dscp = 33;
	sent = send_one(&leg, true);
	assert_int_equal(rte_be_to_cpu_32(sent.ip6->vtc_flow), 6u << 28 | 33u << 22);
	check_checksums(&sent);
	rte_pktmbuf_free(sent.mbuf);
}

static void
tags(void **state)
{
	(void)state;
	iface.vlan = 4094;
	for (unsigned family = 4; family <= 6; family += 2) {
		struct bridge_leg leg = leg_of(family);
		struct sent sent = send_one(&leg, false);
		assert_non_null(sent.tag);
		assert_int_equal(rte_be_to_cpu_16(sent.tag->vlan_tci), 4094);
		assert_int_equal(sent.mbuf->data_len, 18u + (family == 4 ? 20 : 40) + 8 + PAYLOAD);
		check_checksums(&sent);
		rte_pktmbuf_free(sent.mbuf);
	}
	iface.vlan = 0;
}

/* What a NIC does with a packet whose checksums are left to it. */
static void
complete(struct sent *sent)
{
	unsigned l2 = sent->tag != NULL ? 18 : 14, l3 = sent->ip4 != NULL ? 20 : 40;
	uint64_t flags = RTE_MBUF_F_TX_UDP_CKSUM |
	                 (sent->ip4 != NULL ? RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM
					    : RTE_MBUF_F_TX_IPV6);

	assert_int_equal(sent->mbuf->ol_flags, flags);
	assert_int_equal(sent->mbuf->l2_len, l2);
	assert_int_equal(sent->mbuf->l3_len, l3);
	if (sent->ip4 != NULL) {
		assert_int_equal(sent->ip4->hdr_checksum, 0);
		sent->ip4->hdr_checksum = (uint16_t)~rte_raw_cksum(sent->ip4, 20);
	}
	sent->udp->dgram_cksum =
		(uint16_t)~rte_raw_cksum(sent->udp, rte_be_to_cpu_16(sent->udp->dgram_len));
}

static void
leaves_checksums_to_the_port(void **state)
{
	(void)state;
	iface.udp_checksum_offload = 1;
	for (iface.vlan = 0; iface.vlan <= 9; iface.vlan += 9)
		for (unsigned family = 4; family <= 6; family += 2) {
			struct bridge_leg leg = leg_of(family);
			struct sent sent = send_one(&leg, true);
			complete(&sent);
			check_checksums(&sent);
			rte_pktmbuf_free(sent.mbuf);
		}
	iface.vlan = 0;
	iface.udp_checksum_offload = 0;
}

/* Payloads of each length, odd ones too; and one whose checksum comes out as 0. */
static void
sums_every_length(void **state)
{
	(void)state;
	for (unsigned family = 4; family <= 6; family += 2) {
		struct bridge_leg leg = leg_of(family);
		struct sent sent;
		for (uint16_t length = 0; length < 200; length++) {
			sent = send_length(&leg, false, length);
			check_checksums(&sent);
			rte_pktmbuf_free(sent.mbuf);
		}
		make(&sent, PAYLOAD);
		uint8_t *payload = sent.payload;
		memset(payload, 0, 2);
		path_write(&leg, false, sent.mbuf, payload, PAYLOAD);
		find_headers(&sent);
		uint16_t sum = sent.udp->dgram_cksum;
		memcpy(payload, &sum, 2); /* now all words add up to 0xffff */
		path_write(&leg, false, sent.mbuf, payload, PAYLOAD);
		assert_int_equal(sent.udp->dgram_cksum, 0xffff);
		check_checksums(&sent);
		rte_pktmbuf_free(sent.mbuf);
	}
}

static enum relay_drop
refusal(const struct bridge_leg *leg, bool rtcp, uint16_t length)
{
	struct sent sent;

	make(&sent, length);
	enum relay_drop reason = path_write(leg, rtcp, sent.mbuf, sent.payload, length);
	rte_pktmbuf_free(sent.mbuf);
	return reason;
}

static void
refuses_what_cannot_go(void **state)
{
	struct bridge_leg leg = leg_of(4), leg6 = leg_of(6);
	uint64_t link = atomic_load(&nexthops[1].link);

	(void)state;
	assert_int_equal(refusal(&leg, false, 1500 - 28), RELAY_DROP_NONE);
	assert_int_equal(refusal(&leg, false, 1500 - 27), RELAY_DROP_MTU_EXCEEDED);
	assert_int_equal(refusal(&leg6, false, 1500 - 48), RELAY_DROP_NONE);
	assert_int_equal(refusal(&leg6, false, 1500 - 47), RELAY_DROP_MTU_EXCEEDED);
	/* of RTP and RTCP, each has its own next hop */
	leg.nexthop[1] = NULL;
	assert_int_equal(refusal(&leg, true, 100), RELAY_DROP_LEG_NOT_READY);
	assert_int_equal(refusal(&leg, false, 100), RELAY_DROP_NONE);
	atomic_store(&nexthops[1].link, 0);
	assert_int_equal(refusal(&leg6, true, 100), RELAY_DROP_NEXT_HOP_UNRESOLVED);
	assert_int_equal(refusal(&leg6, false, 100), RELAY_DROP_NONE);
	atomic_store(&nexthops[1].link, link);

	/* just room for the headers before the payload, and not */
	struct sent sent;
	make(&sent, 600);
	iface.vlan = 5;
	uint8_t *first = sent.mbuf->buf_addr;
	first += 18 + 40 + 8;
	assert_int_equal(path_write(&leg6, false, sent.mbuf, first - 2, 100), RELAY_DROP_NO_MEMORY);
	assert_int_equal(path_write(&leg6, false, sent.mbuf, first, 100), RELAY_DROP_NONE);
	iface.vlan = 0;
	rte_pktmbuf_free(sent.mbuf);
}

static void
tags_frames_of_the_kernel(void **state)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	uint8_t *frame = (uint8_t *)rte_pktmbuf_append(mbuf, 60), old[60];

	(void)state;
	for (unsigned i = 0; i < 60; i++)
		old[i] = frame[i] = (uint8_t)(7 * i);
	iface.vlan = 0x123;
	assert_true(path_tag(&iface, mbuf));
	static const uint8_t tag[4] = {0x81, 0x00, 0x01, 0x23};
	frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	assert_int_equal(mbuf->data_len, 64);
	assert_int_equal(mbuf->pkt_len, 64);
	assert_memory_equal(frame, old, 12);
	assert_memory_equal(frame + 12, tag, 4);
	assert_memory_equal(frame + 16, old + 12, 48);

	mbuf->data_off = 3; /* no headroom for one more */
	assert_false(path_tag(&iface, mbuf));
	assert_int_equal(mbuf->data_len, 64);
	rte_pktmbuf_reset(mbuf);
	rte_pktmbuf_append(mbuf, 13);
	assert_false(path_tag(&iface, mbuf));
	iface.vlan = 0;
	rte_pktmbuf_free(mbuf);
}

static int
start(void **state)
{
	char *args[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "64", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", (char *)(uintptr_t) "--file-prefix=test"};
	static const uint8_t link[6] = {0x52, 0x54, 0, 0, 0, 1};
	uint64_t word = 0;

	(void)state;
	/* what DPDK leaves behind goes with the folder */
	if (mkdtemp(folder) == NULL || setenv("RUNTIME_DIRECTORY", folder, 1) != 0)
		return -1;
	if (rte_eal_init(9, args) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("mbufs", 63, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	memcpy(&word, link, sizeof(link));
	atomic_store(&nexthops[0].link, word);
	atomic_store(&nexthops[1].link, word);
	addresses[0].ip = ip_of("192.0.2.1");
	addresses[1].ip = ip_of("2001:db8::1");
	iface.addresses = pointers;
	iface.addresses_count = 2;
	iface.mtu = 1500;
	iface.dscp = 46;
	iface.mac = (struct rte_ether_addr){{2, 0, 0, 0, 0, 0x99}};
	return pool == NULL ? -1 : iface_register(&iface);
}

static int
end(void **state)
{
	char command[128];

	(void)state;
	iface_unregister(&iface);
	rte_mempool_free(pool);
	int result = rte_eal_cleanup();
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 ? result : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_ipv4),
		cmocka_unit_test(writes_ipv6),
		cmocka_unit_test(chooses_ports),
		cmocka_unit_test(marks_by_leg_or_interface),
		cmocka_unit_test(tags),
		cmocka_unit_test(leaves_checksums_to_the_port),
		cmocka_unit_test(sums_every_length),
		cmocka_unit_test(refuses_what_cannot_go),
		cmocka_unit_test(tags_frames_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, start, end);
}
