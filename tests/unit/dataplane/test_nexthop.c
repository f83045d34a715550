/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops against the real kernel: a TAP in a network namespace of the test's own, whose wire is
 * the test itself. It reads the kernel's ARP and ND requests there and answers them. */
#include "dataplane/iface.h"
#include "dataplane/netdev.h"
#include "dataplane/nexthop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <rte_arp.h>
#include <rte_ether.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define TAP "sp-test"
#define WAIT_MS 5000
#define SKIPPED 77

static int wire = -1;
static struct iface iface;
static struct media_address local = {.iface = &iface};
static const struct rte_ether_addr first_mac = {{0x02, 0, 0, 0, 0, 1}};
static const struct rte_ether_addr second_mac = {{0x02, 0, 0, 0, 0, 2}};

static struct relay_ip
ip(const char *text)
{
	struct relay_ip out;

	assert_int_equal(relay_ip_parse(text, strlen(text), &out), 0);
	return out;
}

static uint64_t
link_of(const struct rte_ether_addr *mac)
{
	uint64_t link = 0;

	memcpy(&link, mac, sizeof(*mac));
	return link;
}

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* 14 and 28 bytes; ARP is 2-byte aligned like everything behind an Ethernet header. */
struct arp_frame {
	struct rte_ether_hdr ether;
	struct rte_arp_hdr arp;
} __attribute__((packed, aligned(2)));
_Static_assert(sizeof(struct arp_frame) == 42, "as on the wire");

/* The next ARP request that asks for `target` on the wire; false when none comes in time. */
static bool
await_arp_request(const struct relay_ip *target, struct arp_frame *request)
{
	uint64_t deadline = now_ms() + WAIT_MS;

	while (now_ms() < deadline) {
		struct pollfd ready = {.fd = wire, .events = POLLIN};
		uint8_t frame[2048];
		if (poll(&ready, 1, (int)(deadline - now_ms())) <= 0)
			continue;
		ssize_t length = read(wire, frame, sizeof(frame));
		if (length < (ssize_t)sizeof(*request))
			continue;
		memcpy(request, frame, sizeof(*request));
		if (request->ether.ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP) &&
			request->arp.arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REQUEST) &&
			memcmp(&request->arp.arp_data.arp_tip, target->ip, 4) == 0)
			return true;
	}
	return false;
}

/* An ARP reply from `sender` at `mac`; to all, if there is no request: gratuitous (RFC 5227 3). */
static void
send_arp_reply(const struct relay_ip *sender, const struct rte_ether_addr *mac,
	const struct arp_frame *request)
{
	struct arp_frame frame = {0};

	memset(&frame.ether.dst_addr, 0xff, sizeof(frame.ether.dst_addr));
	if (request != NULL)
		frame.ether.dst_addr = request->ether.src_addr;
	frame.ether.src_addr = *mac;
	frame.ether.ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_ARP);
	frame.arp.arp_hardware = rte_cpu_to_be_16(RTE_ARP_HRD_ETHER);
	frame.arp.arp_protocol = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	frame.arp.arp_hlen = 6;
	frame.arp.arp_plen = 4;
	frame.arp.arp_opcode = rte_cpu_to_be_16(RTE_ARP_OP_REPLY);
	frame.arp.arp_data.arp_sha = *mac;
	memcpy(&frame.arp.arp_data.arp_sip, sender->ip, 4);
	frame.arp.arp_data.arp_tha = request != NULL ? frame.ether.dst_addr : *mac;
	memcpy(&frame.arp.arp_data.arp_tip, request != NULL ? local.ip.ip : sender->ip, 4);
	assert_int_equal(write(wire, &frame, sizeof(frame)), sizeof(frame));
}

/* Handles what the kernel says until the link is as wanted. */
static bool
await_link(const struct nexthop *nexthop, uint64_t wanted)
{
	uint64_t deadline = now_ms() + WAIT_MS;

	while (atomic_load(&nexthop->link) != wanted && now_ms() < deadline) {
		struct pollfd ready = {.fd = nexthop_fd(), .events = POLLIN};
		if (poll(&ready, 1, (int)(deadline - now_ms())) > 0)
			nexthop_process();
	}
	return atomic_load(&nexthop->link) == wanted;
}

static struct nexthop *
resolved(const char *address, const struct rte_ether_addr *mac)
{
	struct relay_ip target = ip(address);
	struct nexthop *nexthop = nexthop_get(&local, &target);
	struct arp_frame request;

	assert_non_null(nexthop);
	assert_int_equal(atomic_load(&nexthop->link), 0);
	assert_true(await_arp_request(&target, &request));
	send_arp_reply(&target, mac, &request);
	assert_true(await_link(nexthop, link_of(mac)));
	return nexthop;
}

static void
test_resolves_on_link(void **state)
{
	(void)state;
	nexthop_put(resolved("192.0.2.10", &first_mac));
}

static void
test_off_link_goes_by_the_gateway(void **state)
{
	struct relay_ip far = ip("198.51.100.7"), gateway = ip("192.0.2.254");
	struct nexthop *nexthop, *direct;

	(void)state;
	assert_null(nexthop_get(&local, &far));
	local.gateway = gateway;
	nexthop = resolved("192.0.2.254", &first_mac);
	direct = nexthop_get(&local, &far);
	assert_ptr_equal(direct, nexthop);
	nexthop_put(direct);
	nexthop_put(nexthop);
	local.gateway = (struct relay_ip){0};
}

static void
test_one_entry_for_one_address(void **state)
{
	struct relay_ip target = ip("192.0.2.11");
	struct nexthop *a = resolved("192.0.2.11", &first_mac);
	struct nexthop *b = nexthop_get(&local, &target);

	(void)state;
	assert_ptr_equal(a, b);
	nexthop_put(a);
	assert_int_equal(atomic_load(&b->link), link_of(&first_mac));
	nexthop_put(b);
}

static void
test_known_neighbour_is_there_at_once(void **state)
{
	struct relay_ip target = ip("192.0.2.12");
	struct nexthop *nexthop = resolved("192.0.2.12", &first_mac);

	(void)state;
	nexthop_put(nexthop);
	nexthop = nexthop_get(&local, &target);
	assert_int_equal(atomic_load(&nexthop->link), link_of(&first_mac));
	nexthop_put(nexthop);
}

static void
test_follows_a_new_link_address(void **state)
{
	struct relay_ip target = ip("192.0.2.13");
	struct nexthop *nexthop = resolved("192.0.2.13", &first_mac);

	(void)state;
	send_arp_reply(&target, &second_mac, NULL);
	assert_true(await_link(nexthop, link_of(&second_mac)));
	nexthop_put(nexthop);
}

static void
test_forgets_one_that_is_gone(void **state)
{
	struct nexthop *nexthop = resolved("192.0.2.14", &first_mac);
	struct relay_ip target = ip("192.0.2.14");
	struct arp_frame request;

	(void)state;
	assert_int_equal(system("ip neigh del 192.0.2.14 dev " TAP), 0);
	assert_true(await_link(nexthop, 0));
	/* and it is asked for again at the next tick */
	nexthop_tick();
	assert_true(await_arp_request(&target, &request));
	send_arp_reply(&target, &second_mac, &request);
	assert_true(await_link(nexthop, link_of(&second_mac)));
	nexthop_put(nexthop);
}

static void
test_refreshes_what_is_stale(void **state)
{
	struct nexthop *nexthop = resolved("192.0.2.15", &first_mac);
	struct relay_ip target = ip("192.0.2.15");
	struct arp_frame request;

	(void)state;
	/* delay_first_probe_time is 0 here, so the tick's use is probed at once */
	assert_int_equal(system("ip neigh change 192.0.2.15 lladdr 02:00:00:00:00:01 nud stale "
				"dev " TAP),
		0);
	nexthop_process();
	assert_int_equal(atomic_load(&nexthop->link), link_of(&first_mac));
	nexthop_tick();
	assert_true(await_arp_request(&target, &request));
	/* a probe of what is known goes to it alone, RFC 1122 2.3.2.1 (2) */
	assert_memory_equal(&request.ether.dst_addr, &first_mac, sizeof(first_mac));
	nexthop_put(nexthop);
}

static void
test_silence_leaves_it_unresolved(void **state)
{
	struct relay_ip target = ip("192.0.2.16");
	struct nexthop *nexthop = nexthop_get(&local, &target);
	struct arp_frame request;

	(void)state;
	assert_true(await_arp_request(&target, &request));
	assert_true(await_arp_request(&target, &request));
	nexthop_process();
	assert_int_equal(atomic_load(&nexthop->link), 0);
	nexthop_put(nexthop);
}

static void
test_on_link_to_the_last_bit_of_the_prefix(void **state)
{
	struct relay_ip inside = ip("192.0.2.14"), outside = ip("192.0.2.16");
	struct nexthop *nexthop;

	(void)state;
	local.prefix_length = 28;
	nexthop = nexthop_get(&local, &inside);
	assert_non_null(nexthop);
	nexthop_put(nexthop);
	assert_null(nexthop_get(&local, &outside));
	local.prefix_length = 24;
}

static void
test_other_family_has_none(void **state)
{
	struct relay_ip target = ip("2001:db8::1");

	(void)state;
	assert_null(nexthop_get(&local, &target));
}

static void
test_static_ipv6_neighbour(void **state)
{
	struct relay_ip target = ip("2001:db8::10"), before = local.ip;
	uint8_t length = local.prefix_length;

	(void)state;
	local.ip = ip("2001:db8::1");
	local.prefix_length = 64;
	assert_int_equal(netdev_add_address(iface.tap_ifindex, &local.ip, 64), 0);
	struct nexthop *nexthop = nexthop_get(&local, &target);
	assert_non_null(nexthop);
	assert_int_equal(
		system("ip neigh replace 2001:db8::10 lladdr 02:00:00:00:00:02 dev " TAP), 0);
	assert_true(await_link(nexthop, link_of(&second_mac)));
	nexthop_put(nexthop);
	local.ip = before;
	local.prefix_length = length;
}

/* The TAP of the exception path, with the test at its other end. */
static int
make_tap(void **state)
{
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = TAP};

	(void)state;
	wire = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (wire < 0 || ioctl(wire, TUNSETIFF, &ifr) != 0)
		return -1;
	local.ip = ip("192.0.2.1");
	local.prefix_length = 24;
	iface.tap_ifindex = netdev_index(TAP);
	if (netdev_bring_up(TAP) != 0 ||
		netdev_add_address(iface.tap_ifindex, &local.ip, local.prefix_length) != 0 ||
		system("echo 0 >/proc/sys/net/ipv4/neigh/" TAP "/delay_first_probe_time") != 0 ||
		system("echo 0 >/proc/sys/net/ipv4/neigh/" TAP "/locktime") != 0)
		return -1;
	return nexthop_init();
}

static int
remove_tap(void **state)
{
	(void)state;
	nexthop_fini();
	return close(wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resolves_on_link),
		cmocka_unit_test(test_off_link_goes_by_the_gateway),
		cmocka_unit_test(test_one_entry_for_one_address),
		cmocka_unit_test(test_known_neighbour_is_there_at_once),
		cmocka_unit_test(test_follows_a_new_link_address),
		cmocka_unit_test(test_forgets_one_that_is_gone),
		cmocka_unit_test(test_refreshes_what_is_stale),
		cmocka_unit_test(test_silence_leaves_it_unresolved),
		cmocka_unit_test(test_on_link_to_the_last_bit_of_the_prefix),
		cmocka_unit_test(test_other_family_has_none),
		cmocka_unit_test(test_static_ipv6_neighbour),
	};

	if (unshare(CLONE_NEWNET) != 0) {
		fprintf(stderr, "needs root, for a network namespace: %s\n", strerror(errno));
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, make_tap, remove_tap);
}
