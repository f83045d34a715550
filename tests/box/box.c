/* SPDX-License-Identifier: BSD-3-Clause */
#include "box.h"

#include "box_private.h"
#include "dataplane/capture.h"
#include "dataplane/iface.h"
#include "dataplane/port_table.h"
#include "dataplane/stats.h"
#include "dataplane/tick.h"
#include "dataplane/worker_private.h"
#include "tests/test_engine.h"

#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ip.h>
#include <rte_udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING 1024
#define PORTS_FIRST 20000
#define PORTS_LAST 29999
#define FAIL(...) (fprintf(stderr, "box: " __VA_ARGS__), fputc('\n', stderr), abort())

bool box_resolved = true;

/* A device, or a TAP: what the relay receives from it, and what it sends to it. */
struct wire {
	struct rte_ring *rx[BOX_WORKERS_MAX]; /* a queue for each worker */
	struct rte_ring *tx[BOX_WORKERS_MAX];
	uint16_t port_id;
};

unsigned box_workers = 1;
unsigned box_queue;

static struct {
	char folder[64];
	struct rte_mempool *mbufs;
	struct wire device[2];
	struct wire tap[BOX_SIDES];
	struct iface iface[BOX_SIDES];
	struct config_interface config[BOX_SIDES];
	struct config_address address_config[BOX_SIDES][2];
	struct media_address address[BOX_SIDES][2];
	struct media_address *addresses[BOX_SIDES][2];
	unsigned events[16];
} box = {.folder = "/tmp/test-box-XXXXXX"};

static struct wire *
wire_of(enum box_side side)
{
	return &box.device[side == BOX_ACCESS ? 0 : 1];
}

static struct wire
make_wire(const char *name)
{
	struct wire wire;
	struct rte_eth_conf conf = {0};
	char text[32];

	for (unsigned i = 0; i < box_workers; i++) {
		snprintf(text, sizeof(text), "%s-rx-%u", name, i);
		wire.rx[i] = rte_ring_create(text, RING, 0, 0);
		snprintf(text, sizeof(text), "%s-tx-%u", name, i);
		wire.tx[i] = rte_ring_create(text, RING, 0, 0);
		if (wire.rx[i] == NULL || wire.tx[i] == NULL)
			FAIL("no ring");
	}
	int port = rte_eth_from_rings(name, wire.rx, box_workers, wire.tx, box_workers, 0);
	if (port < 0 || rte_eth_dev_configure((uint16_t)port, (uint16_t)box_workers,
				(uint16_t)box_workers, &conf) != 0)
		FAIL("no port");
	for (uint16_t i = 0; i < box_workers; i++)
		if (rte_eth_rx_queue_setup((uint16_t)port, i, RING, 0, NULL, box.mbufs) != 0 ||
			rte_eth_tx_queue_setup((uint16_t)port, i, RING, 0, NULL) != 0)
			FAIL("no queue");
	if (rte_eth_dev_start((uint16_t)port) != 0)
		FAIL("no start");
	wire.port_id = (uint16_t)port;
	return wire;
}

struct relay_addr
box_address(const char *ip, uint16_t port)
{
	struct relay_addr address = {.port = port};

	if (relay_ip_parse(ip, strlen(ip), &address.ip) != 0)
		FAIL("what is the address %s?", ip);
	return address;
}

static void
make_iface(enum box_side side, const char *name, const char *ip4, const char *ip6, uint16_t vlan)
{
	struct iface *iface = &box.iface[side];
	const char *ips[2] = {ip4, ip6};
	char tap[32];

	snprintf(tap, sizeof(tap), "tap-%s", name);
	box.tap[side] = make_wire(tap);
	box.config[side] = (struct config_interface){.name = (char *)(uintptr_t)name,
		.device = (char *)(uintptr_t) "ring",
		.vlan = vlan};
	iface->config = &box.config[side];
	iface->port_id = wire_of(side)->port_id;
	iface->tap_port_id = box.tap[side].port_id;
	iface->tap_queues = (uint8_t)box_workers;
	iface->mtu = 1500;
	iface->vlan = vlan;
	iface->dscp = 46;
	iface->mac.addr_bytes[0] = 2;
	iface->mac.addr_bytes[5] = (uint8_t)(1 + side);
	iface->addresses = box.addresses[side];
	for (unsigned i = 0; i < 2 && ips[i] != NULL; i++) {
		struct media_address *address = &box.address[side][i];
		box.address_config[side][i] =
			(struct config_address){.port_first = PORTS_FIRST, .port_last = PORTS_LAST};
		address->config = &box.address_config[side][i];
		address->ip = box_address(ips[i], 0).ip;
		address->iface = iface;
		box.addresses[side][iface->addresses_count++] = address;
	}
	if (iface_register(iface) != 0)
		FAIL("interface %s can't be registered", name);
}

static void
on_event(const struct relay_event *event)
{
	box.events[event->kind % 16]++;
}

static void
start_eal(void)
{
	char *args[] = {(char *)(uintptr_t) "box", (char *)(uintptr_t) "--no-huge",
		(char *)(uintptr_t) "-m", (char *)(uintptr_t) "256", (char *)(uintptr_t) "--no-pci",
		(char *)(uintptr_t) "--no-telemetry", (char *)(uintptr_t) "--no-shconf",
		(char *)(uintptr_t) "--log-level=error", (char *)(uintptr_t) "--file-prefix=box",
		(char *)(uintptr_t) "--lcores=0@0,1@0,2@0"};

	/* what DPDK leaves behind goes with the folder */
	if (mkdtemp(box.folder) == NULL || setenv("RUNTIME_DIRECTORY", box.folder, 1) != 0 ||
		rte_eal_init(10, args) < 0)
		FAIL("EAL can't be started");
	tick_init();
}

int
box_start(void **state)
{
	struct config_media media = {.sessions = 5000,
		.memory_mb = 256,
		.workers = box_workers,
		.poll = CONFIG_POLL_BUSY,
		.timeout_s = 60,
		.hold_timeout_s = 7200,
		.one_way_s = 15};
	char error[512];

	(void)state;
	start_eal();
	box.mbufs = rte_pktmbuf_pool_create("box", 4095, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (box.mbufs == NULL)
		FAIL("no packet buffers");
	box.device[0] = make_wire("access");
	box.device[1] = make_wire("core");
	make_iface(BOX_ACCESS, "access", BOX_ACCESS_4, BOX_ACCESS_6, 0);
	make_iface(BOX_CORE, "core", BOX_CORE_4, BOX_CORE_6, 0);
	make_iface(BOX_TAGGED, "tagged", BOX_TAGGED_4, NULL, BOX_VLAN);
	const struct crypto_engine *engine = test_engine();
	if (workers_create(&media, engine, error, sizeof(error)) != 0 ||
		sessions_init(&media, error, sizeof(error)) != 0)
		FAIL("%s", error);
	if (capture_init() != 0)
		FAIL("no captures");
	stats_init(box.mbufs, "a test's", "the test's");
	sessions_on_event(on_event);
	capture_on_end(on_event);
	for (unsigned i = 0; i < box_workers; i++)
		rte_rcu_qsbr_thread_online(workers_shared()->qsbr, i);
	return 0;
}

int
box_end(void **state)
{
	char command[128];

	(void)state;
	for (unsigned i = 0; i < box_workers; i++)
		rte_rcu_qsbr_thread_offline(workers_shared()->qsbr, i);
	capture_fini();
	sessions_fini();
	workers_destroy();
	unsigned left = box_buffers() + box_nexthop_references();
	for (unsigned i = BOX_SIDES; i-- > 0;)
		iface_unregister(&box.iface[i]);
	rte_eal_cleanup();
	snprintf(command, sizeof(command), "rm -r %s", box.folder);
	if (system(command) != 0)
		return -1;
	if (left != 0)
		fprintf(stderr, "box: %u packet buffers or next hops were never given back\n",
			left);
	return left == 0 ? 0 : -1;
}

struct relay_leg_spec
box_leg(enum box_side side, const char *far, uint16_t port)
{
	struct relay_leg_spec leg = {.transport = RELAY_TRANSPORT_RTP};

	strcpy(leg.interface, box.config[side].name);
	if (far != NULL)
		leg.remote_rtp = box_address(far, port);
	return leg;
}

void
box_srtp(struct relay_leg_spec *leg, enum relay_suite suite, unsigned seed)
{
	struct relay_crypto *keys[2] = {&leg->receive, &leg->transmit};
	uint32_t lcg = seed * 2654435761u + 12345;

	leg->transport = RELAY_TRANSPORT_SRTP;
	for (unsigned k = 0; k < 2; k++) {
		const struct relay_suite_info *info = relay_suite_info(suite);
		keys[k]->suite = (uint8_t)suite;
		for (unsigned i = 0; i < info->key_length; i++)
			keys[k]->key[i] = (uint8_t)((lcg = lcg * 1103515245 + 12345) >> 16);
		for (unsigned i = 0; i < info->salt_length; i++)
			keys[k]->salt[i] = (uint8_t)((lcg = lcg * 1103515245 + 12345) >> 16);
	}
}

struct relay_session
box_create(const char *id, const struct relay_leg_spec *a, const struct relay_leg_spec *b)
{
	struct relay_create request = {.leg = {*a, *b}};
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session;
	struct relay_session info = {.id = ""};

	strcpy(request.id, id);
	if (session_create(&request, &session, reason) != RELAY_OK)
		FAIL("%s", reason);
	session_describe(session, &info);
	return info;
}

enum relay_code
box_update(const char *id, unsigned leg, const struct relay_leg_spec *spec, uint32_t mask)
{
	struct relay_update request = {.leg = leg, .mask = mask, .spec = *spec};
	char reason[RELAY_REASON_SIZE] = "";
	struct session *session;

	strcpy(request.id, id);
	return session_update(&request, &session, reason);
}

void
box_delete(const char *id)
{
	char padded[RELAY_ID_SIZE] = "", reason[RELAY_REASON_SIZE] = "";
	struct relay_session final;

	strcpy(padded, id);
	if (session_delete(padded, &final, reason) != RELAY_OK)
		FAIL("%s", reason);
}

struct relay_session
box_query(const char *id)
{
	char padded[RELAY_ID_SIZE] = "", reason[RELAY_REASON_SIZE] = "";
	struct relay_session info = {.id = ""};
	struct session *session;

	strcpy(padded, id);
	if (session_find(padded, &session, reason) == RELAY_OK)
		session_describe(session, &info);
	return info;
}

void
box_send_frame(enum box_side side, const uint8_t *frame, unsigned length)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(box.mbufs);

	if (mbuf == NULL || rte_pktmbuf_append(mbuf, (uint16_t)length) == NULL)
		FAIL("no packet buffer for %u bytes", length);
	memcpy(rte_pktmbuf_mtod(mbuf, void *), frame, length);
	mbuf->port = wire_of(side)->port_id;
	if (rte_ring_enqueue(wire_of(side)->rx[box_queue], mbuf) != 0)
		FAIL("more packets at once than a wire holds");
}

static unsigned
write_ip(uint8_t *at, const struct datagram *datagram)
{
	uint16_t udp_length = (uint16_t)(sizeof(struct rte_udp_hdr) + datagram->length);

	if (datagram->to.ip.family == 4) {
		struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)at;
		*ip = (struct rte_ipv4_hdr){.version_ihl = RTE_IPV4_VHL_DEF,
			.type_of_service = (uint8_t)(datagram->dscp << 2),
			.total_length = rte_cpu_to_be_16((uint16_t)(sizeof(*ip) + udp_length)),
			.time_to_live = 60,
			.next_proto_id = IPPROTO_UDP};
		memcpy(&ip->src_addr, datagram->from.ip.ip, 4);
		memcpy(&ip->dst_addr, datagram->to.ip.ip, 4);
		ip->hdr_checksum = rte_ipv4_cksum(ip);
		return sizeof(*ip);
	}
	struct rte_ipv6_hdr *ip = (struct rte_ipv6_hdr *)at;
	*ip = (struct rte_ipv6_hdr){.vtc_flow = rte_cpu_to_be_32(6u << 28),
		.payload_len = rte_cpu_to_be_16(udp_length),
		.proto = IPPROTO_UDP,
		.hop_limits = 60};
	memcpy(ip->src_addr, datagram->from.ip.ip, 16);
	memcpy(ip->dst_addr, datagram->to.ip.ip, 16);
	return sizeof(*ip);
}

void
box_send(enum box_side side, const struct datagram *datagram)
{
	uint8_t frame[BOX_ROOM + 128] = {0};
	uint8_t *at = frame;
	static const uint8_t far[6] = BOX_MAC;

	memcpy(at, box.iface[side].mac.addr_bytes, 6);
	memcpy(at + 6, far, 6);
	at += 12;
	if (box.iface[side].vlan != 0) {
		at[0] = 0x81;
		at[3] = (uint8_t)box.iface[side].vlan;
		at += 4;
	}
	bool ipv4 = datagram->to.ip.family == 4;
	at[0] = ipv4 ? 0x08 : 0x86;
	at[1] = ipv4 ? 0x00 : 0xdd;
	at += 2;
	uint8_t *ip = at;
	at += write_ip(at, datagram);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)at;
	udp->src_port = rte_cpu_to_be_16(datagram->from.port);
	udp->dst_port = rte_cpu_to_be_16(datagram->to.port);
	udp->dgram_len = rte_cpu_to_be_16((uint16_t)(sizeof(*udp) + datagram->length));
	memcpy(udp + 1, datagram->data, datagram->length);
	udp->dgram_cksum = ipv4 ? rte_ipv4_udptcp_cksum((struct rte_ipv4_hdr *)ip, udp)
	                        : rte_ipv6_udptcp_cksum((struct rte_ipv6_hdr *)ip, udp);
	box_send_frame(side, frame, (unsigned)(at - frame) + 8 + datagram->length);
}

static bool
waiting(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < box_workers; i++)
		count += rte_ring_count(box.device[0].rx[i]) + rte_ring_count(box.device[1].rx[i]) +
		         rte_ring_count(worker_by_index(i)->handover);
	return count > 0;
}

static void
turn_all(void)
{
	for (unsigned i = 0; i < box_workers; i++)
		worker_turn(worker_by_index(i));
}

void
box_run(void)
{
	do {
		turn_all();
	} while (waiting());
	sessions_poll();
	capture_poll();
	turn_all(); /* a grace period for what that has replaced */
	sessions_poll();
}

static void
read_udp(const struct rte_udp_hdr *udp, struct datagram *out)
{
	out->from.port = rte_be_to_cpu_16(udp->src_port);
	out->to.port = rte_be_to_cpu_16(udp->dst_port);
	out->length = rte_be_to_cpu_16(udp->dgram_len) - (unsigned)sizeof(*udp);
	memcpy(out->data, udp + 1, out->length);
}

/* Reads a frame that the relay made, checking its checksums. */
static void
read_frame(const uint8_t *at, struct datagram *out)
{
	memset(out, 0, sizeof(*out));
	at += 12;
	if (at[0] == 0x81) {
		out->vlan = (uint16_t)((at[2] & 0x0f) << 8 | at[3]);
		at += 4;
	}
	bool ipv4 = at[0] == 0x08;
	at += 2;
	if (ipv4) {
		const struct rte_ipv4_hdr *ip = (const struct rte_ipv4_hdr *)at;
		out->from.ip.family = out->to.ip.family = 4;
		memcpy(out->from.ip.ip, &ip->src_addr, 4);
		memcpy(out->to.ip.ip, &ip->dst_addr, 4);
		out->dscp = ip->type_of_service >> 2;
		if (rte_raw_cksum(ip, sizeof(*ip)) != 0xffff ||
			rte_ipv4_udptcp_cksum(ip, ip + 1) != 0xffff)
			FAIL("a checksum is wrong");
		read_udp((const struct rte_udp_hdr *)(ip + 1), out);
	} else {
		const struct rte_ipv6_hdr *ip = (const struct rte_ipv6_hdr *)at;
		out->from.ip.family = out->to.ip.family = 6;
		memcpy(out->from.ip.ip, ip->src_addr, 16);
		memcpy(out->to.ip.ip, ip->dst_addr, 16);
		out->dscp = (uint8_t)(rte_be_to_cpu_32(ip->vtc_flow) >> 22 & 63);
		if (rte_ipv6_udptcp_cksum(ip, ip + 1) != 0xffff)
			FAIL("a checksum is wrong");
		read_udp((const struct rte_udp_hdr *)(ip + 1), out);
	}
}

static bool
take(const struct wire *wire, void **object)
{
	for (unsigned i = 0; i < box_workers; i++)
		if (rte_ring_dequeue(wire->tx[i], object) == 0)
			return true;
	return false;
}

bool
box_receive(enum box_side side, struct datagram *out)
{
	void *object;

	if (!take(wire_of(side), &object))
		return false;
	struct rte_mbuf *mbuf = object;
	read_frame(rte_pktmbuf_mtod(mbuf, const uint8_t *), out);
	rte_pktmbuf_free(mbuf);
	return true;
}

unsigned
box_to_kernel(enum box_side side, uint8_t *frame, unsigned room)
{
	void *object;

	if (!take(&box.tap[side], &object))
		return 0;
	struct rte_mbuf *mbuf = object;
	unsigned length = rte_pktmbuf_pkt_len(mbuf);
	memcpy(frame, rte_pktmbuf_mtod(mbuf, void *), length < room ? length : room);
	rte_pktmbuf_free(mbuf);
	return length;
}

void
box_leap(uint32_t ms)
{
	tick_advance(ms);
}

void
box_pass(uint32_t seconds)
{
	for (uint32_t i = 0; i < seconds; i++) {
		box_leap(1000);
		for (unsigned k = 0; k < 10; k++)
			sessions_expire();
		box_run();
	}
}

uint64_t
box_drops(enum relay_drop reason)
{
	uint64_t sum = 0;

	for (unsigned w = 0; w < box_workers; w++) {
		const struct worker_counters *counters = worker_counters(w);
		sum += counter_read(&counters->drops[reason]);
		for (unsigned i = 0; i < BOX_SIDES; i++)
			sum += counter_read(&counters->iface[i].drops[reason]);
	}
	return sum;
}

unsigned
box_events(enum relay_event_kind kind)
{
	unsigned count = box.events[kind % 16];

	box.events[kind % 16] = 0;
	return count;
}

unsigned
box_buffers(void)
{
	return rte_mempool_in_use_count(box.mbufs);
}
