/* SPDX-License-Identifier: BSD-3-Clause */
/* What a received frame is: good ones, and hostile ones. Each frame ends where its memory ends, so
 * that a build with ASan sees each byte read past the end. */
#include "dataplane/packet.h"
#include "dataplane/port_table.h"
#include "frames.h"
#include "random.h"

#include <rte_eal.h>
#include <rte_mbuf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/test-packet-XXXXXX";
static struct rte_mempool *pool;
static struct rte_mbuf_ext_shared_info shared;

/* Device 0 has an untagged interface and VLAN 7, device 1 VLAN 20 alone. */
enum { PLAIN, TAGGED, ALONE, INTERFACES };
static const struct {
	uint16_t port_id, vlan;
	const char *address[4];
} wanted[INTERFACES] = {
	[PLAIN] = {0, 0, {"192.0.2.1", "2001:db8::1", "192.0.2.9"}},
	[TAGGED] = {0, 7, {"198.51.100.1", "2001:db8:7::1"}},
	[ALONE] = {1, 20, {"203.0.113.1"}},
};
static struct iface interfaces[INTERFACES];
static struct media_address addresses[INTERFACES][4];
static struct media_address *pointers[INTERFACES][4];

/* The memory goes back when the frame ends, with the test's own free(). */
static void
keep(void *memory, void *arg)
{
	(void)memory;
	(void)arg;
}

/* An mbuf around a copy of the bytes in memory that is exactly theirs. */
static struct rte_mbuf *
receive(const uint8_t *bytes, unsigned length, uint64_t flags, uint8_t **memory)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	*memory = malloc(length);
	assert_non_null(mbuf);
	assert_non_null(*memory);
	memcpy(*memory, bytes, length);
	shared.free_cb = keep;
	rte_mbuf_ext_refcnt_set(&shared, 1);
	rte_pktmbuf_attach_extbuf(mbuf, *memory, 0, (uint16_t)length, &shared);
	mbuf->data_off = 0;
	mbuf->data_len = (uint16_t)length;
	mbuf->pkt_len = length;
	mbuf->ol_flags |= flags;
	return mbuf;
}

static void
give_back(struct rte_mbuf *mbuf, uint8_t *memory)
{
	rte_pktmbuf_free(mbuf);
	free(memory);
}

#define V6 .to = "2001:db8::1"
#define DROP(why) .fate = PACKET_DROP, .reason = RELAY_DROP_##why
#define KERNEL .fate = PACKET_KERNEL
#define MEDIA .fate = PACKET_MEDIA, .unchecked = 1
#define GOOD_UDP RTE_MBUF_F_RX_L4_CKSUM_GOOD
#define BAD_UDP RTE_MBUF_F_RX_L4_CKSUM_BAD

static const struct recipe recipes[] = {
	{"media", MEDIA},
	{"media, IPv6", V6, MEDIA},
	{"media to another address", .to = "192.0.2.9", MEDIA},
	{"first port", .port = 20000, MEDIA},
	{"last port", .port = 20099, MEDIA},
	{"port below", .port = 19999, KERNEL},
	{"port above", .port = 20100, KERNEL},
	{"port above, IPv6", V6, .port = 20100, KERNEL},
	{"somebody else's address", .to = "192.0.2.2", KERNEL},
	{"somebody else's address, IPv6", .to = "2001:db8::2", KERNEL},
	{"an address of another interface", .to = "198.51.100.1", KERNEL},
	{"padding behind IP", .grow = 18, MEDIA},

	{"no bytes", .grow = -62, DROP(ETHER_TRUNCATED)},
	{"13 bytes", .length = 13, DROP(ETHER_TRUNCATED)},
	{"Ethernet alone", .length = 14, DROP(ETHER_TRUNCATED)},
	{"19 bytes of IPv4", .length = 14 + 19, DROP(ETHER_TRUNCATED)},
	{"39 bytes of IPv6", V6, .length = 14 + 39, DROP(ETHER_TRUNCATED)},
	{"ARP", .patch = {{TAG, 0, 2, 0x0806}}, KERNEL},
	{"ARP of no bytes", .patch = {{TAG, 0, 2, 0x0806}}, .length = 14, KERNEL},
	{"IPv6 in an IPv4 frame", .patch = {{IP, 0, 1, 0x65}}, DROP(IP_BAD_HEADER)},
	{"IPv4 in an IPv6 frame", V6, .patch = {{IP, 0, 1, 0x45}}, DROP(IP_BAD_HEADER)},
	{"header of 16 bytes", .patch = {{IP, 0, 1, 0x44}}, .stale = 1, DROP(IP_BAD_HEADER)},
	{"header of 60 bytes in 48", .patch = {{IP, 0, 1, 0x4f}}, .stale = 1, DROP(IP_BAD_LENGTH)},
	{"total below the header", .patch = {{IP, 2, 2, 19}}, DROP(IP_BAD_LENGTH)},
	{"total beyond the frame", .patch = {{IP, 2, 2, 49}}, DROP(IP_BAD_LENGTH)},
	{"total of 65535", .patch = {{IP, 2, 2, 65535}}, DROP(IP_BAD_LENGTH)},
	{"a byte lost", .grow = -1, DROP(IP_BAD_LENGTH)},
	{"payload beyond the frame, IPv6", V6, .patch = {{IP, 4, 2, 29}}, DROP(IP_BAD_LENGTH)},
	{"a byte lost, IPv6", V6, .grow = -1, DROP(IP_BAD_LENGTH)},
	{"wrong checksum", .patch = {{IP, 10, 2, 0x1234}}, .stale = 1, DROP(IP_BAD_CHECKSUM)},
	{"wrong checksum, not media", .port = 53, .patch = {{IP, 10, 2, 0x1234}}, .stale = 1,
		KERNEL},
	{"wrong checksum, by the port", .flags = RTE_MBUF_F_RX_IP_CKSUM_BAD, DROP(IP_BAD_CHECKSUM)},
	{"checksum that the port vouches for", .patch = {{IP, 10, 2, 0x1234}}, .stale = 1,
		.flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD, MEDIA},
	{"options", .options = 12, MEDIA},
	{"all options", .options = 40, MEDIA},
	{"options with a wrong checksum", .options = 4, .patch = {{IP, 20, 1, 7}}, .stale = 1,
		DROP(IP_BAD_CHECKSUM)},
	{"TCP", .patch = {{IP, 9, 1, IPPROTO_TCP}}, KERNEL},
	{"ICMPv6", V6, .patch = {{IP, 6, 1, IPPROTO_ICMPV6}}, KERNEL},
	{"hop-by-hop options", V6, .patch = {{IP, 6, 1, 0}}, KERNEL},
	{"first fragment", .patch = {{IP, 6, 2, 0x2000}}, DROP(IP_FRAGMENT)},
	{"first fragment, not media", .port = 53, .patch = {{IP, 6, 2, 0x2000}}, KERNEL},
	{"later fragment", .patch = {{IP, 6, 2, 0x2001}}, KERNEL},
	{"last fragment", .patch = {{IP, 6, 2, 0x1fff}}, KERNEL},
	{"don't fragment", .patch = {{IP, 6, 2, 0x4000}}, MEDIA},
	{"first fragment, IPv6", V6, .fragment = 1, DROP(IP_FRAGMENT)},
	{"first fragment, not media, IPv6", V6, .fragment = 1, .port = 53, KERNEL},
	{"later fragment, IPv6", V6, .fragment = 1, .patch = {{EXTENSION, 2, 2, 0x0009}}, KERNEL},
	{"fragment of TCP, IPv6", V6, .fragment = 1, .patch = {{EXTENSION, 0, 1, IPPROTO_TCP}},
		KERNEL},
	{"fragment of 15 bytes, IPv6", V6, .fragment = 1, .patch = {{IP, 4, 2, 15}}, KERNEL},
	{"fragment that ends in its header", V6, .fragment = 1, .patch = {{IP, 4, 2, 3}},
		.length = 14 + 40 + 3, KERNEL},

	{"UDP of 7 bytes by IP", .patch = {{IP, 2, 2, 27}}, DROP(UDP_BAD_LENGTH)},
	{"UDP of no bytes by IP, IPv6", V6, .patch = {{IP, 4, 2, 0}}, DROP(UDP_BAD_LENGTH)},
	{"UDP of 7 bytes", .patch = {{UDP, 4, 2, 7}}, DROP(UDP_BAD_LENGTH)},
	{"UDP of no bytes", .patch = {{UDP, 4, 2, 0}}, DROP(UDP_BAD_LENGTH)},
	{"UDP longer than IP", .patch = {{UDP, 4, 2, 29}}, DROP(UDP_BAD_LENGTH)},
	{"UDP longer than IP, IPv6", V6, .patch = {{UDP, 4, 2, 29}}, DROP(UDP_BAD_LENGTH)},
	{"UDP longer than IP, in the padding", .patch = {{UDP, 4, 2, 40}}, .grow = 40,
		DROP(UDP_BAD_LENGTH)},
	{"UDP shorter than IP", .patch = {{UDP, 4, 2, 9}}, .payload = 1, MEDIA},
	{"UDP checksum good by the port", .flags = GOOD_UDP, .fate = PACKET_MEDIA},
	{"UDP checksum bad by the port", .flags = BAD_UDP, DROP(UDP_BAD_CHECKSUM)},
	{"UDP checksum bad by the port, not media", .port = 53, .flags = BAD_UDP, KERNEL},
	{"UDP checksum none, but vouched for", V6, .patch = {{UDP, 6, 2, 0}},
		.flags = RTE_MBUF_F_RX_L4_CKSUM_NONE, .fate = PACKET_MEDIA},
	{"no UDP checksum", .patch = {{UDP, 6, 2, 0}}, .fate = PACKET_MEDIA},
	{"no UDP checksum, bad by the port", .patch = {{UDP, 6, 2, 0}}, .flags = BAD_UDP,
		.fate = PACKET_MEDIA},
	{"no UDP checksum, IPv6", V6, .patch = {{UDP, 6, 2, 0}}, DROP(UDP_NO_CHECKSUM)},
	{"no UDP checksum, not media, IPv6", V6, .port = 53, .patch = {{UDP, 6, 2, 0}}, KERNEL},

	{"VLAN 7", .to = "198.51.100.1", .tagged = 1, .tci = 7, .iface = TAGGED, MEDIA},
	{"VLAN 7 with priority 5", .to = "2001:db8:7::1", .tagged = 1, .tci = 0xb007,
		.iface = TAGGED, MEDIA},
	{"VLAN 7, not media", .to = "198.51.100.1", .port = 53, .tagged = 1, .tci = 7,
		.iface = TAGGED, KERNEL},
	{"VLAN 7, an address without VLAN", .tagged = 1, .tci = 7, .iface = TAGGED, KERNEL},
	{"VLAN 8", .tagged = 1, .tci = 8, .iface = -1, DROP(VLAN_UNKNOWN)},
	{"VLAN 4095", .tagged = 1, .tci = 4095, .iface = -1, DROP(VLAN_UNKNOWN)},
	{"a VLAN of another device", .tagged = 1, .tci = 20, .iface = -1, DROP(VLAN_UNKNOWN)},
	{"priority tag", .tagged = 1, .tci = 0xe000, MEDIA},
	{"priority tag, not media", .port = 53, .tagged = 1, .tci = 0xe000, KERNEL},
	{"17 bytes with a tag", .tagged = 1, .tci = 7, .length = 17, DROP(ETHER_TRUNCATED)},
	{"18 bytes with a tag", .tagged = 1, .tci = 7, .length = 18, .iface = TAGGED,
		DROP(ETHER_TRUNCATED)},
	{"two tags", .tagged = 1, .tci = 7, .patch = {{TAG, 4, 2, 0x8100}}, .iface = -1,
		DROP(VLAN_UNKNOWN)},
	{"a service tag in a tag", .tagged = 1, .tci = 7, .patch = {{TAG, 4, 2, 0x88a8}},
		.iface = -1, DROP(VLAN_UNKNOWN)},
	{"a service tag", .tagged = 1, .tci = 7, .patch = {{TAG, 0, 2, 0x88a8}}, .iface = -1,
		DROP(VLAN_UNKNOWN)},
	{"a tag that ends the frame", .patch = {{TAG, 0, 2, 0x8100}}, .length = 14,
		DROP(ETHER_TRUNCATED)},
	{"untagged where none is", .to = "203.0.113.1", .device = 1, .iface = -1,
		DROP(VLAN_UNKNOWN)},
	{"the only VLAN", .to = "203.0.113.1", .device = 1, .tagged = 1, .tci = 20, .iface = ALONE,
		MEDIA},
	{"ARP in the only VLAN", .device = 1, .tagged = 1, .tci = 20,
		.patch = {{TAG, 4, 2, 0x0806}}, .iface = ALONE, KERNEL},
};

static void
check_media(const struct recipe *recipe, const struct frame *frame, const struct packet *packet)
{
	static const struct endpoint sources[2] = {
		{.ip = {192, 0, 2, 77}, .port = FRAME_SOURCE_PORT, .family = 4},
		{.ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x77},
			.port = FRAME_SOURCE_PORT,
			.family = 6},
	};
	const char *to = recipe->to != NULL ? recipe->to : "192.0.2.1";
	const uint8_t *data = rte_pktmbuf_mtod(packet->mbuf, uint8_t *);
	char text[RELAY_ADDR_TEXT];

	assert_ptr_equal(packet->payload, data + frame->at[UDP] + 8);
	assert_int_equal(packet->length, recipe->payload != 0 ? recipe->payload : FRAME_PAYLOAD);
	assert_int_equal(packet->local_port, recipe->port != 0 ? recipe->port : 20000);
	assert_int_equal(packet->udp_unchecked, recipe->unchecked);
	assert_string_equal(relay_ip_format(&packet->address->ip, text), to);
	assert_ptr_equal(packet->address->iface, packet->iface);
	assert_memory_equal(&packet->source, &sources[frame->family == 6], sizeof(packet->source));
	/* another worker may have to read it again */
	assert_int_equal(packet->mbuf->data_len, frame->length);
	assert_memory_equal(data, frame->bytes, frame->length);
}

/* The kernel gets the frame without its tag, and a worker that has it by a ring still knows it. */
static void
check_kernel(const struct recipe *recipe, const struct frame *frame, struct packet *packet)
{
	const uint8_t *data = rte_pktmbuf_mtod(packet->mbuf, uint8_t *);
	unsigned tag = recipe->tagged ? 4 : 0;
	const struct iface *iface = packet->iface;
	enum relay_drop reason = RELAY_DROP_NONE;

	for (unsigned again = 0; again < 2; again++) {
		assert_int_equal(packet->mbuf->data_len, frame->length - tag);
		assert_int_equal(packet->mbuf->pkt_len, frame->length - tag);
		assert_memory_equal(data, frame->bytes, 12);
		assert_memory_equal(data + 12, frame->bytes + 12 + tag, frame->length - tag - 12);
		assert_int_equal(
			packet_classify(packet, &devices[recipe->device], &reason), PACKET_KERNEL);
		assert_ptr_equal(packet->iface, iface);
	}
}

static void
sorts_every_frame(void **state)
{
	(void)state;
	for (size_t i = 0; i < RTE_DIM(recipes); i++) {
		const struct recipe *recipe = &recipes[i];
		struct packet packet;
		struct frame frame;
		uint8_t *memory;
		enum relay_drop reason = RELAY_DROP_NONE;

		memset(&packet, 0xee, sizeof(packet));
		frame_build(recipe, &frame);
		packet.mbuf = receive(frame.bytes, frame.length, recipe->flags, &memory);
		enum packet_fate fate = packet_classify(&packet, &devices[recipe->device], &reason);
		if (fate != recipe->fate || reason != recipe->reason)
			fail_msg("%s: fate %d, %s, instead of %d, %s", recipe->name, fate,
				relay_drop_name(reason), recipe->fate,
				relay_drop_name(recipe->reason));
		if (packet.iface != (recipe->iface < 0 ? NULL : &interfaces[recipe->iface]))
			fail_msg("%s: it came in by another interface", recipe->name);
		if (fate == PACKET_MEDIA)
			check_media(recipe, &frame, &packet);
		else if (fate == PACKET_KERNEL)
			check_kernel(recipe, &frame, &packet);
		give_back(packet.mbuf, memory);
	}
}

/* A frame of `payload` bytes of media behind `options` of IPv4, whole or in two segments. */
static enum packet_fate
classify_long(
	uint16_t port, uint8_t options, unsigned payload, unsigned first, enum relay_drop *reason)
{
	const struct recipe recipe = {.name = "long",
		.port = port,
		.options = options,
		.patch = {{IP, 2, 2, 28 + options + payload}, {UDP, 4, 2, 8 + payload}}};
	struct packet packet = {.mbuf = NULL};
	struct frame frame;
	uint8_t *memory, *rest = NULL;

	frame_build(&recipe, &frame);
	frame.length = 42 + options + payload;
	if (first == 0)
		first = frame.length;
	packet.mbuf = receive(frame.bytes, first, 0, &memory);
	if (first < frame.length) {
		struct rte_mbuf *second =
			receive(frame.bytes + first, frame.length - first, 0, &rest);
		/* both are of the one `shared`, whose free is no free */
		rte_mbuf_ext_refcnt_set(&shared, 2);
		assert_int_equal(rte_pktmbuf_chain(packet.mbuf, second), 0);
	}
	*reason = RELAY_DROP_NONE;
	enum packet_fate fate = packet_classify(&packet, &devices[0], reason);
	give_back(packet.mbuf, memory);
	free(rest);
	return fate;
}

static void
refuses_long_frames(void **state)
{
	enum relay_drop reason;

	(void)state;
	assert_int_equal(classify_long(20000, 0, 1500 - 28, 0, &reason), PACKET_MEDIA);
	assert_int_equal(classify_long(20000, 0, 1500 - 27, 0, &reason), PACKET_DROP);
	assert_int_equal(reason, RELAY_DROP_FRAME_TOO_LONG);
	assert_int_equal(classify_long(53, 0, 1500 - 27, 0, &reason), PACKET_KERNEL);
	/* in segments */
	assert_int_equal(classify_long(20000, 0, 2000, 1000, &reason), PACKET_DROP);
	assert_int_equal(reason, RELAY_DROP_FRAME_TOO_LONG);
	assert_int_equal(classify_long(20000, 0, 100, 42, &reason), PACKET_DROP);
	assert_int_equal(reason, RELAY_DROP_FRAME_TOO_LONG);
	assert_int_equal(classify_long(53, 0, 2000, 42, &reason), PACKET_KERNEL);
	/* which must hold all headers */
	for (unsigned first = 1; first < 42 + 40; first++) {
		assert_int_equal(classify_long(20000, 40, 100, first, &reason), PACKET_DROP);
		assert_int_equal(reason, RELAY_DROP_ETHER_TRUNCATED);
	}
}

static bool
checksum_good(const struct recipe *recipe)
{
	struct packet packet = {.mbuf = NULL};
	struct frame frame;
	uint8_t *memory;
	enum relay_drop reason;

	frame_build(recipe, &frame);
	packet.mbuf = receive(frame.bytes, frame.length, 0, &memory);
	assert_int_equal(packet_classify(&packet, &devices[recipe->device], &reason), PACKET_MEDIA);
	bool good = packet_udp_checksum_good(&packet);
	give_back(packet.mbuf, memory);
	return good;
}

/* RFC 768: 28 bytes of UDP with the checksum of a datagram of 9, or of odd length. */
static void
checks_shorter_datagrams(uint8_t length, bool spoilt)
{
	struct recipe recipe = {.name = "short", .patch = {{UDP, 4, 2, length}, {UDP, 6, 2, 0}}};
	struct frame frame;

	frame_build(&recipe, &frame);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame.bytes + frame.at[IP]);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame.bytes + frame.at[UDP]);
	ip->total_length = rte_cpu_to_be_16((uint16_t)(20 + length));
	recipe.patch[1].value = rte_be_to_cpu_16(rte_ipv4_udptcp_cksum(ip, udp)) ^ spoilt;
	assert_int_equal(checksum_good(&recipe), !spoilt);
}

static void
checks_udp_checksums(void **state)
{
	static const struct recipe good[] = {
		{.name = "v4"},
		{"v6", V6},
		{"odd address", .to = "192.0.2.9"},
		{"options", .options = 20},
		{"none", .patch = {{UDP, 6, 2, 0}}},
		{"tag", .to = "198.51.100.1", .tagged = 1, .tci = 7},
	};
	static const struct recipe bad[] = {
		{"v4", .patch = {{UDP, 8, 1, 0x7f}}},
		{"v4, the last byte", .patch = {{UDP, 8 + FRAME_PAYLOAD - 1, 1, 0x55}}},
		{"v6", V6, .patch = {{UDP, 8, 1, 0x7f}}},
		{"v6, another source", V6, .patch = {{IP, 23, 1, 0x78}}},
		{"v4, another source", .patch = {{IP, 15, 1, 78}}},
		{"v4, another source port", .patch = {{UDP, 0, 2, FRAME_SOURCE_PORT + 2}}},
		{"v4, all ones", .patch = {{UDP, 6, 2, 0xffff}}},
	};

	(void)state;
	for (unsigned i = 0; i < RTE_DIM(good); i++)
		if (!checksum_good(&good[i]))
			fail_msg("%s: its checksum is right", good[i].name);
	for (unsigned i = 0; i < RTE_DIM(bad); i++)
		if (checksum_good(&bad[i]))
			fail_msg("%s: its checksum is wrong", bad[i].name);
	for (uint8_t length = 8; length <= 8 + FRAME_PAYLOAD; length++) {
		checks_shorter_datagrams(length, false);
		checks_shorter_datagrams(length, true);
	}
}

/* What the kernel leaves to a NIC that is none: the sum of the pseudo header. */
static void
takes_what_never_was_on_a_wire(void **state)
{
	struct recipe recipe = {.name = "partial"};
	struct frame frame;

	(void)state;
	frame_build(&recipe, &frame);
	const struct rte_ipv4_hdr *ip4 = (struct rte_ipv4_hdr *)(frame.bytes + frame.at[IP]);
	recipe.patch[0].layer = UDP;
	recipe.patch[0].offset = 6;
	recipe.patch[0].size = 2;
	recipe.patch[0].value = rte_be_to_cpu_16(rte_ipv4_phdr_cksum(ip4, 0));
	assert_true(checksum_good(&recipe));
	recipe.to = "2001:db8::1";
	recipe.patch[0].layer = NOTHING;
	frame_build(&recipe, &frame);
	const struct rte_ipv6_hdr *ip6 = (struct rte_ipv6_hdr *)(frame.bytes + frame.at[IP]);
	recipe.patch[0].layer = UDP;
	recipe.patch[0].value = rte_be_to_cpu_16(rte_ipv6_phdr_cksum(ip6, 0));
	assert_true(checksum_good(&recipe));
}

/* What the short way takes for media is media by the long one, and all that is said of it is the
 * same. */
static void
check_short_way(const struct packet *packet, const struct device *device)
{
	struct packet same = {.mbuf = packet->mbuf};
	enum relay_drop reason = RELAY_DROP_NONE;

	assert_int_equal(packet_classify_any(&same, device, &reason), PACKET_MEDIA);
	assert_ptr_equal(same.iface, packet->iface);
	assert_ptr_equal(same.address, packet->address);
	assert_ptr_equal(same.payload, packet->payload);
	assert_int_equal(same.length, packet->length);
	assert_int_equal(same.local_port, packet->local_port);
	assert_int_equal(same.udp_unchecked, packet->udp_unchecked);
	assert_memory_equal(&same.source, &packet->source, sizeof(same.source));
}

/* Whatever the bytes: what is said of them is true of the frame. */
static void
check_invariants(struct packet *packet, const struct device *device, unsigned length,
	unsigned fates[3], bool *good)
{
	enum relay_drop reason = RELAY_DROP_NONE;
	enum packet_fate fate = packet_classify(packet, device, &reason);
	const uint8_t *data = rte_pktmbuf_mtod(packet->mbuf, uint8_t *);

	fates[fate]++;
	switch (fate) {
	case PACKET_MEDIA:
		assert_int_equal(packet->mbuf->data_len, length);
		assert_non_null(packet->iface);
		assert_ptr_equal(packet->address->iface, packet->iface);
		assert_true(port_table_covers(packet->address->table, packet->local_port));
		assert_true(packet->payload >= data + 14 + 20 + 8);
		assert_true(packet->payload + packet->length <= data + length);
		assert_int_equal(
			packet->payload[-4] << 8 | packet->payload[-3], packet->length + 8);
		assert_true(packet->source.family == packet->address->ip.family);
		if (packet->iface->vlan == 0)
			check_short_way(packet, device);
		*good |= packet_udp_checksum_good(packet);
		break;
	case PACKET_KERNEL:
		assert_non_null(packet->iface);
		assert_true(
			packet->mbuf->data_len == length || packet->mbuf->data_len + 4u == length);
		break;
	case PACKET_DROP:
		assert_in_range(reason, RELAY_DROP_NONE + 1, RELAY_DROP_COUNT - 1);
		break;
	}
}

static void
mutate(struct test_random *random, struct frame *frame)
{
	unsigned changes = random_below(random, 4);

	for (unsigned i = 0; i < changes; i++) {
		/* headers, mostly */
		unsigned at =
			random_below(random, random_percent(random, 80) ? 58 : frame->length + 1);
		frame->bytes[at] =
			random_percent(random, 50)
				? (uint8_t)random_next(random)
				: frame->bytes[at] ^ (uint8_t)(1u << random_below(random, 8));
	}
	if (random_percent(random, 25))
		frame->length = random_below(random, frame->length + 1);
	else if (random_percent(random, 10))
		frame->length += random_below(random, 1600);
	if (random_percent(random, 50))
		frame_sum_ipv4(frame);
}

static void
never_reads_past_the_end(void **state)
{
	struct test_random random = random_seeded("packet");
	unsigned fates[3] = {0};
	bool good = false;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		const struct recipe *recipe =
			&recipes[random_below(&random, (unsigned)RTE_DIM(recipes))];
		struct packet packet = {.mbuf = NULL};
		struct frame frame;
		uint8_t *memory;
		frame_build(recipe, &frame);
		mutate(&random, &frame);
		packet.mbuf = receive(frame.bytes, frame.length, 0, &memory);
		check_invariants(&packet, &devices[recipe->device], frame.length, fates, &good);
		give_back(packet.mbuf, memory);
	}
	/* else the mutation is none, or too much of it */
	assert_true(fates[PACKET_MEDIA] > 5000 && fates[PACKET_KERNEL] > 5000 &&
		    fates[PACKET_DROP] > 5000);
	assert_true(good);
}

static int
start(void **state)
{
	char *args[] = {(char *)(uintptr_t) "test", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "64", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", (char *)(uintptr_t) "--file-prefix=test"};

	(void)state;
	/* what DPDK leaves behind goes with the folder */
	if (mkdtemp(folder) == NULL || setenv("RUNTIME_DIRECTORY", folder, 1) != 0)
		return -1;
	if (rte_eal_init(9, args) < 0)
		return -1;
	pool = rte_pktmbuf_pool_create("mbufs", 255, 0, 0, 0, SOCKET_ID_ANY);
	for (unsigned i = 0; i < INTERFACES; i++) {
		struct iface *iface = &interfaces[i];
		iface->port_id = wanted[i].port_id;
		iface->vlan = wanted[i].vlan;
		iface->mtu = 1500;
		iface->addresses = pointers[i];
		for (unsigned k = 0; wanted[i].address[k] != NULL; k++) {
			const char *text = wanted[i].address[k];
			struct media_address *address = &addresses[i][k];
			relay_ip_parse(text, strlen(text), &address->ip);
			pointers[i][iface->addresses_count++] = address;
		}
		if (iface_register(iface) != 0)
			return -1;
		for (unsigned k = 0; k < iface->addresses_count; k++)
			media_address_set_table(pointers[i][k], port_table_create(20000, 20099));
	}
	return pool != NULL && devices_count == 2 ? 0 : -1;
}

static int
end(void **state)
{
	char command[128];

	(void)state;
	for (unsigned i = INTERFACES; i-- > 0;) {
		iface_unregister(&interfaces[i]);
		for (unsigned k = 0; k < interfaces[i].addresses_count; k++)
			port_table_destroy(addresses[i][k].table);
	}
	bool empty = ifaces_count == 0 && devices_count == 0 && media_addresses_count == 0;
	rte_mempool_free(pool);
	int result = rte_eal_cleanup();
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command) == 0 && empty ? result : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_every_frame),
		cmocka_unit_test(refuses_long_frames),
		cmocka_unit_test(checks_udp_checksums),
		cmocka_unit_test(takes_what_never_was_on_a_wire),
		cmocka_unit_test(never_reads_past_the_end),
	};

	return cmocka_run_group_tests(tests, start, end);
}
