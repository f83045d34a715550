/* SPDX-License-Identifier: BSD-3-Clause */
#include "port.h"

#include "eal_log.h"
#include "memory.h"
#include "port_rings.h"

#include <errno.h>
#include <rte_bus.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RELEASE_TRIES 30
#define RELEASE_WAIT_US 100000
#define DESCRIPTORS 2048 /* of each ring; what the device can't is adjusted */

static bool ours[RTE_MAX_ETHPORTS]; /* ports that are open */

/* What an opening step needs to complain. */
struct complaint {
	const char *where;
	const char *device;
	char *error;
	size_t error_size;
};

/* Many drivers return -1 for any failure, which would read "Operation not permitted". */
static int
complain(const struct complaint *to, const char *step, const char *cause, int result)
{
	bool said = result != -1;

	snprintf(to->error, to->error_size, "%s: device \"%s\" can't be %s: %s%s%s%s%s", to->where,
		to->device, step, cause, said ? " (" : "", said ? strerror(-result) : "",
		said ? ")" : "", geteuid() != 0 ? "; start as root" : "");
	return said ? result : -EIO;
}

/* Is the device another port already? */
static bool
known(const char *name, uint16_t *id)
{
	return rte_eth_dev_get_port_by_name(name, id) == 0;
}

static int
probe_rings(const struct complaint *to, unsigned queues, uint16_t *id)
{
	eal_log_hold();
	int result = port_rings_open(to->device, queues, id);
	const char *cause = eal_log_release();

	return result == 0 ? 0 : complain(to, "opened", cause, result);
}

static int
probe(const struct complaint *to, unsigned queues, uint16_t *id)
{
	char name[RTE_ETH_NAME_MAX_LEN], arguments[512];
	const char *comma = strchr(to->device, ',');
	size_t length = comma != NULL ? (size_t)(comma - to->device) : strlen(to->device);

	if (port_rings_named(to->device))
		return probe_rings(to, queues, id);
	snprintf(name, sizeof(name), "%.*s", (int)length, to->device);
	if (memory_device_is_pci(to->device)) {
		char full[RTE_ETH_NAME_MAX_LEN + 8];
		snprintf(full, sizeof(full), "0000:%s", name);
		if (known(name, id) || known(full, id))
			return ours[*id] ? complain(to, "opened",
						   "another interface has it under another "
						   "spelling: write it alike in both",
						   -EEXIST)
			                 : 0;
		return complain(to, "opened",
			"no DPDK driver took it when the process started; is it bound to vfio-pci, "
			"or does its driver (mlx5) share it?",
			-ENODEV);
	}
	if (known(name, id)) {
		snprintf(to->error, to->error_size,
			"%s: another interface has the device name %s: give each its own number, "
			"as in net_af_xdp1, or one of them a vlan and both the same device",
			to->where, name);
		return -EEXIST;
	}
	/* the queue pairs, where a driver has to be told and the configuration does not */
	const char *count = "";
	if (strncmp(name, "net_af_xdp", 10) == 0 && strstr(to->device, "queue_count=") == NULL)
		count = ",queue_count=";
	else if (strncmp(name, "net_af_packet", 13) == 0 && strstr(to->device, "qpairs=") == NULL)
		count = ",qpairs=";
	if (*count != '\0' && queues > 1)
		snprintf(arguments, sizeof(arguments), "%s%s%u", comma != NULL ? comma + 1 : "",
			comma != NULL ? count : count + 1, queues);
	else
		snprintf(arguments, sizeof(arguments), "%s", comma != NULL ? comma + 1 : "");

	eal_log_hold();
	int result = rte_eal_hotplug_add("vdev", name, arguments);
	const char *cause = eal_log_release();
	if (result != 0) {
		char hint[512];
		snprintf(hint, sizeof(hint), "%s%s", cause,
			*count != '\0' && queues > 1
				? " Each of media.workers needs a queue pair: fewer workers, or "
				  "more "
				  "queues (ethtool -L); net_af_xdp has but one on a veth, "
				  "net_af_packet any number"
				: "");
		return complain(to, "opened", hint, result);
	}
	if (!known(name, id))
		return complain(to, "opened", "it made no port", -ENODEV);
	return 0;
}

/* Which packets go to which queue, where there are several. The relay chooses its own ports, so
 * their number alone ties a session to a worker; 5-tuple hashing costs a hand-over. */
static uint64_t
choose_rss(const struct rte_eth_dev_info *info)
{
	uint64_t can = info->flow_type_rss_offloads;
	uint64_t udp = can & (RTE_ETH_RSS_NONFRAG_IPV4_UDP | RTE_ETH_RSS_NONFRAG_IPV6_UDP);

	if (udp != 0 && (can & RTE_ETH_RSS_L4_DST_ONLY) != 0)
		return udp | RTE_ETH_RSS_L4_DST_ONLY;
	return udp != 0 ? udp : can & RTE_ETH_RSS_IP;
}

static int
check_queues(const struct complaint *to, const struct rte_eth_dev_info *info, unsigned queues)
{
	unsigned most = RTE_MIN(info->max_rx_queues, info->max_tx_queues);

	if (strcmp(info->driver_name, "net_tap") == 0)
		most = RTE_MIN(most, (unsigned)PORT_TAP_QUEUES_MAX);
	if (queues <= most)
		return 0;
	snprintf(to->error, to->error_size,
		"%s: device \"%s\" has %u queue pair(s), and media.workers is %u: each worker "
		"needs "
		"one. Lower media.workers, or give the device more queues",
		to->where, to->device, most, queues);
	return -ENOSPC;
}

/* The kernel gives the AF_XDP socket of a process that just ended back a moment later: a relay that
 * is restarted at once must have a little patience. */
static int
setup_receive(
	uint16_t id, uint16_t queue, uint16_t descriptors, unsigned node, struct rte_mempool *pool)
{
	int result = 0;

	for (unsigned i = 0; i < RELEASE_TRIES; i++) {
		result = rte_eth_rx_queue_setup(id, queue, descriptors, node, NULL, pool);
		if (result != -EINVAL && result != -EBUSY)
			break;
		rte_delay_us_sleep(RELEASE_WAIT_US);
	}
	return result;
}

static int
configure(const struct complaint *to, struct port *port, unsigned queues, struct rte_mempool *pool)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	uint16_t rx = DESCRIPTORS, tx = DESCRIPTORS;
	const uint64_t checksums = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	const uint64_t checks = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	int result;

	if ((result = rte_eth_dev_info_get(port->id, &info)) != 0)
		return result;
	if ((result = check_queues(to, &info, queues)) != 0)
		return result;
	if (queues > 1) {
		conf.rx_adv_conf.rss_conf.rss_hf = choose_rss(&info);
		if (conf.rx_adv_conf.rss_conf.rss_hf != 0)
			conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
	}
	port->udp_checksum_offload = (info.tx_offload_capa & checksums) == checksums;
	if (port->udp_checksum_offload)
		conf.txmode.offloads = checksums;
	/* What comes from the kernel needs no look. Not VLAN_STRIP: a tag says whose a frame is.
	 * Not SCATTER: a frame is one buffer. */
	if (strcmp(info.driver_name, "net_tap") != 0)
		conf.rxmode.offloads = info.rx_offload_capa & checks;
	if ((result = rte_eth_dev_configure(port->id, (uint16_t)queues, (uint16_t)queues, &conf)) !=
			0 ||
		(result = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx)) != 0)
		return result;
	for (uint16_t queue = 0; queue < queues; queue++) {
		int socket = rte_eth_dev_socket_id(port->id);
		unsigned node = socket < 0 ? (unsigned)SOCKET_ID_ANY : (unsigned)socket;
		if ((result = rte_eth_tx_queue_setup(port->id, queue, tx, node, NULL)) != 0 ||
			(result = setup_receive(port->id, queue, rx, node, pool)) != 0)
			return result;
	}
	result = rte_eth_macaddr_get(port->id, &port->mac);
	/* rings have no address of their own */
	if (result == 0 && rte_is_zero_ether_addr(&port->mac))
		rte_eth_random_addr(port->mac.addr_bytes);
	return result;
}

int
port_open(const char *where, const char *device, unsigned queues, struct rte_mempool *pool,
	struct port *port, char *error, size_t error_size)
{
	const struct complaint to = {where, device, error, error_size};
	int result;

	memset(port, 0, sizeof(*port));
	if ((result = probe(&to, queues, &port->id)) != 0)
		return result;
	ours[port->id] = true;
	error[0] = '\0';
	eal_log_hold();
	result = configure(&to, port, queues, pool);
	if (result == 0)
		result = rte_eth_dev_start(port->id);
	const char *cause = eal_log_release();
	if (result != 0) {
		if (error[0] == '\0')
			result = complain(&to, "configured", cause, result);
		port_close(port->id);
		return result;
	}
	/* IPv6 neighbour discovery is multicast; a device without this filter hears all */
	rte_eth_allmulticast_enable(port->id);
	return 0;
}

void
port_close(uint16_t id)
{
	/* libxdp looks for more than our program, and complains that it may not look */
	ours[id] = false;
	eal_log_hold();
	rte_eth_dev_stop(id);
	rte_eth_dev_close(id);
	port_rings_close(id);
	eal_log_release();
}
