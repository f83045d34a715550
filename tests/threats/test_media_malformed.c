/* SPDX-License-Identifier: BSD-3-Clause */
/* Truncated, oversized, fragmented packets, and every length that can lie: dropped, counted by
 * reason, and never read past their end. */
#include "tests/box/call.h"

#include <rte_ip.h>
#include <rte_udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SUITE RELAY_SUITE_AES_CM_128_HMAC_SHA1_80

struct frame {
	uint8_t data[BOX_ROOM + 64];
	unsigned length;
};

#define ETHER 14
#define IP (ETHER)
#define UDP (ETHER + 20)
#define RTP (ETHER + 28)

/* The frame of phone 0's next packet, with right checksums. */
static struct frame
frame_of(struct call *call)
{
	struct datagram sent;
	struct frame frame = {.length = 0};
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame.data + IP);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame.data + UDP);

	phone_rtp(call, 0, &sent, NULL);
	frame.data[12] = 0x08;
	*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
		.total_length = rte_cpu_to_be_16((uint16_t)(28 + sent.length)),
		.time_to_live = 9,
		.next_proto_id = IPPROTO_UDP};
	memcpy(&ip->src_addr, sent.from.ip.ip, 4);
	memcpy(&ip->dst_addr, sent.to.ip.ip, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	*udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(sent.from.port),
		.dst_port = rte_cpu_to_be_16(sent.to.port),
		.dgram_len = rte_cpu_to_be_16((uint16_t)(8 + sent.length))};
	memcpy(frame.data + RTP, sent.data, sent.length);
	frame.length = RTP + sent.length;
	return frame;
}

static void
checksum_again(struct frame *frame)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame->data + IP);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* What is done to a good frame, and what must become of it. */
struct lie {
	const char *what;
	void (*tell)(struct frame *frame);
	enum relay_drop reason;
};

static void
cut_ether(struct frame *f)
{
	f->length = 13;
}
static void
cut_ip(struct frame *f)
{
	f->length = ETHER + 19;
}
static void
cut_udp(struct frame *f)
{
	f->length = UDP + 7;
	f->data[IP + 2] = 0;
	f->data[IP + 3] = 27;
	checksum_again(f);
}
static void
long_ihl(struct frame *f)
{
	f->data[IP] = 0x4f;
	f->length = ETHER + 40;
	f->data[IP + 3] = 26;
	f->data[IP + 2] = 0;
	checksum_again(f);
}
static void
short_ihl(struct frame *f)
{
	f->data[IP] = 0x44;
}
static void
other_version(struct frame *f)
{
	f->data[IP] = 0x65;
}
static void
long_total(struct frame *f)
{
	f->data[IP + 2] = 0x06;
}
static void
zero_total(struct frame *f)
{
	f->data[IP + 2] = 0;
	f->data[IP + 3] = 0;
}
static void
bad_ip_sum(struct frame *f)
{
	f->data[IP + 10] ^= 0x10;
}
static void
more_fragments(struct frame *f)
{
	f->data[IP + 6] |= 0x20;
	checksum_again(f);
}
static void
long_udp(struct frame *f)
{
	f->data[UDP + 4] = 0x40;
}
static void
short_udp(struct frame *f)
{
	f->data[UDP + 4] = 0;
	f->data[UDP + 5] = 7;
}
static void
empty_udp(struct frame *f)
{
	f->data[UDP + 4] = 0;
	f->data[UDP + 5] = 8;
}
static void
no_rtp(struct frame *f)
{
	f->data[UDP + 4] = 0;
	f->data[UDP + 5] = 8 + 11;
}
static void
only_header(struct frame *f)
{
	f->data[UDP + 4] = 0;
	f->data[UDP + 5] = 8 + 21;
}
static void
version_1(struct frame *f)
{
	f->data[RTP] = 0x40;
}
static void
version_3(struct frame *f)
{
	f->data[RTP] = 0xc0;
}
static void
stun(struct frame *f)
{
	f->data[RTP] = 0x00;
	f->data[RTP + 1] = 1;
}
static void
dtls(struct frame *f)
{
	f->data[RTP] = 22;
}
static void
csrcs(struct frame *f)
{
	f->data[RTP] |= 0x0f;
	f->data[UDP + 4] = 0;
	f->data[UDP + 5] = 8 + 12 + 20 + 10;
}
static void
extension(struct frame *f)
{
	f->data[RTP] |= 0x10;
	f->data[RTP + 14] = 0xff;
	f->data[RTP + 15] = 0xff;
}
static void
short_extension(struct frame *f)
{
	f->data[RTP] |= 0x10;
	f->data[UDP + 4] = 0;
	f->data[UDP + 5] = 8 + 12 + 3 + 10;
}
static void
rtcp_here(struct frame *f)
{
	f->data[RTP + 1] = 200;
}
static void
no_bit_right(struct frame *f)
{
	memset(f->data + RTP + 12, 0xff, 100);
}

static const struct lie lies[] = {
	{"Ethernet is cut", cut_ether, RELAY_DROP_ETHER_TRUNCATED},
	{"IP is cut", cut_ip, RELAY_DROP_ETHER_TRUNCATED},
	{"UDP is cut", cut_udp, RELAY_DROP_UDP_BAD_LENGTH},
	{"IHL beyond the total length", long_ihl, RELAY_DROP_IP_BAD_LENGTH},
	{"IHL of 4 words", short_ihl, RELAY_DROP_IP_BAD_HEADER},
	{"IPv6 in an IPv4 frame", other_version, RELAY_DROP_IP_BAD_HEADER},
	{"total length beyond the frame", long_total, RELAY_DROP_IP_BAD_LENGTH},
	{"total length 0", zero_total, RELAY_DROP_IP_BAD_LENGTH},
	{"IP checksum", bad_ip_sum, RELAY_DROP_IP_BAD_CHECKSUM},
	{"a fragment", more_fragments, RELAY_DROP_IP_FRAGMENT},
	{"UDP longer than IP", long_udp, RELAY_DROP_UDP_BAD_LENGTH},
	{"UDP of 7 bytes", short_udp, RELAY_DROP_UDP_BAD_LENGTH},
	{"UDP of nothing", empty_udp, RELAY_DROP_NOT_RTP},
	{"11 bytes of RTP", no_rtp, RELAY_DROP_RTP_TRUNCATED},
	{"no room for a tag", only_header, RELAY_DROP_RTP_TRUNCATED},
	{"version 1", version_1, RELAY_DROP_NOT_RTP},
	{"version 3", version_3, RELAY_DROP_NOT_RTP},
	{"STUN", stun, RELAY_DROP_NOT_RTP},
	{"DTLS", dtls, RELAY_DROP_NOT_RTP},
	{"15 CSRCs in 20 bytes", csrcs, RELAY_DROP_RTP_BAD_CSRC},
	{"an extension of 65535 words", extension, RELAY_DROP_RTP_BAD_EXTENSION},
	{"an extension of 3 bytes", short_extension, RELAY_DROP_RTP_BAD_EXTENSION},
	{"RTCP on the RTP port", rtcp_here, RELAY_DROP_RTCP_NOT_MUXED},
	{"every bit wrong", no_bit_right, RELAY_DROP_AUTH_FAILED},
};

static void
each_lie_has_its_name(void **state)
{
	struct call call;
	struct datagram out;

	call_start(&call, "lies", SUITE, SUITE);
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct frame frame = frame_of(&call);
		uint64_t before = box_drops(lies[i].reason);
		lies[i].tell(&frame);
		box_send_frame(BOX_ACCESS, frame.data, frame.length);
		box_run();
		if (box_receive(BOX_CORE, &out) || box_drops(lies[i].reason) != before + 1)
			fail_msg("%s: not counted as %s", lies[i].what,
				relay_drop_name(lies[i].reason));
	}
	assert_true(call_carries(&call, 0));
	call_end(&call);
}

/* A clear leg shows more: its padding, and its checksum, which no tag stands for. */
static void
clear_rtp_is_looked_at_closer(void **state)
{
	struct call call;
	struct datagram sent, out;

	call_start(&call, "closer", RELAY_SUITE_NONE, SUITE);
	for (unsigned count = 0; count < 256; count += 5) {
		phone_rtp(&call, 0, &sent, NULL);
		sent.data[0] |= 0x20;
		sent.data[sent.length - 1] = (uint8_t)count;
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_int_equal(box_receive(BOX_CORE, &out), count > 0 && count <= CALL_PAYLOAD);
	}
	struct frame frame = frame_of(&call);
	frame.data[UDP + 6] = 0x12;
	frame.data[UDP + 7] = 0x34;
	uint64_t before = box_drops(RELAY_DROP_UDP_BAD_CHECKSUM);
	box_send_frame(BOX_ACCESS, frame.data, frame.length);
	box_run();
	assert_int_equal(box_drops(RELAY_DROP_UDP_BAD_CHECKSUM), before + 1);
	/* zero is none: RFC 768 */
	frame = frame_of(&call);
	box_send_frame(BOX_ACCESS, frame.data, frame.length);
	box_run();
	assert_true(box_receive(BOX_CORE, &out));
	call_end(&call);
}

static void
rtcp_that_lies(void **state)
{
	struct call call;
	struct datagram sent, out;

	call_start(&call, "rtcp-lies", SUITE, SUITE);
	for (unsigned i = 0; i < 6; i++) {
		phone_rtcp(&call, 0, &sent, NULL);
		switch (i) {
		case 0:
			sent.length = 7;
			break;
		case 1:
			sent.length = 8 + 4 + 9;
			break;
		case 2:
			sent.data[2] = 0xff; /* length in words */
			break;
		case 3:
			sent.data[0] = 0x40;
			break;
		case 4:
			sent.data[sent.length - 1] ^= 1;
			break;
		default:
			sent.data[1] = 0; /* RTP on the RTCP port */
		}
		box_send(BOX_ACCESS, &sent);
		box_run();
		assert_false(box_receive(BOX_CORE, &out));
	}
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_RTCP_TRUNCATED), 2);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_RTCP_BAD_HEADER), 1);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_NOT_RTP), 1);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_AUTH_FAILED), 1);
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_RTP_ON_RTCP_PORT), 1);
	assert_true(call_carries_rtcp(&call, 0));
	call_end(&call);
}

static void
oversized_packets_stay_out(void **state)
{
	struct call call;
	struct datagram sent = {.length = 1600}, out;

	call_start(&call, "large", SUITE, SUITE);
	sent.from = call.phone[0].address;
	sent.to = call.info.leg[0].local_rtp;
	sent.data[0] = 0x80;
	uint64_t before = box_drops(RELAY_DROP_FRAME_TOO_LONG);
	box_send(BOX_ACCESS, &sent);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(box_drops(RELAY_DROP_FRAME_TOO_LONG), before + 1);
	call_end(&call);
}

/* What fits here may not fit there: a tag and an MKI more. */
static void
what_grows_too_long_is_dropped(void **state)
{
	struct call call;
	struct datagram sent = {.length = 1470}, out;

	call_plan(&call, "grows", RELAY_SUITE_NONE, SUITE);
	call.leg[1].transmit.mki_length = 128;
	call_open(&call);
	sent.from = call.phone[0].address;
	sent.to = call.info.leg[0].local_rtp;
	sent.data[0] = 0x80;
	box_send(BOX_ACCESS, &sent);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(call_drops(&call, 0, RELAY_DROP_MTU_EXCEEDED), 1);
	call_end(&call);
}

static void
a_foreign_vlan_is_dropped(void **state)
{
	struct call call;
	struct datagram out;
	uint64_t before = box_drops(RELAY_DROP_VLAN_UNKNOWN);

	call_start(&call, "vlans", SUITE, SUITE);
	struct frame frame = frame_of(&call);
	memmove(frame.data + 16, frame.data + 12, frame.length - 12);
	memcpy(frame.data + 12, "\x81\x00\x00\x09", 4);
	box_send_frame(BOX_ACCESS, frame.data, frame.length + 4);
	/* one within another */
	memmove(frame.data + 16, frame.data + 12, frame.length - 8);
	memcpy(frame.data + 12, "\x81\x00\x00\x00", 4);
	box_send_frame(BOX_ACCESS, frame.data, frame.length + 8);
	box_run();
	assert_false(box_receive(BOX_CORE, &out));
	assert_int_equal(box_drops(RELAY_DROP_VLAN_UNKNOWN), before + 2);
	call_end(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_lie_has_its_name),
		cmocka_unit_test(clear_rtp_is_looked_at_closer),
		cmocka_unit_test(rtcp_that_lies),
		cmocka_unit_test(oversized_packets_stay_out),
		cmocka_unit_test(what_grows_too_long_is_dropped),
		cmocka_unit_test(a_foreign_vlan_is_dropped),
	};

	return cmocka_run_group_tests(tests, box_start, box_end);
}
