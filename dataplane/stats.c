/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats.h"

#include "device_watch.h"
#include "flow.h"
#include "iface.h"
#include "port_table.h"
#include "session.h"
#include "tick.h"
#include "worker.h"

#include "relay/log.h"

#include <rte_ethdev.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAGES_EACH 32 /* workers whose stages are told one by one */

static struct {
	struct rte_mempool *mbufs;
	const char *memory;
	char engine_why[128];
} process;

void
stats_init(struct rte_mempool *mbufs, const char *memory, const char *engine_why)
{
	process.mbufs = mbufs;
	process.memory = memory;
	snprintf(process.engine_why, sizeof(process.engine_why), "%s", engine_why);
}

struct list {
	struct relay_counter *out;
	unsigned count;
	unsigned room;
};

static void __attribute__((format(printf, 3, 4)))
add(struct list *list, uint64_t value, const char *format, ...)
{
	va_list args;

	if (list->count == list->room)
		return;
	struct relay_counter *counter = &list->out[list->count++];
	memset(counter, 0, sizeof(*counter));
	va_start(args, format);
	vsnprintf(counter->name, sizeof(counter->name), format, args);
	va_end(args);
	counter->value = value;
}

static uint64_t
drops_on(unsigned iface, unsigned reason)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < workers_count(); i++)
		sum += counter_read(&worker_counters(i)->iface[iface].drops[reason]);
	return sum;
}

static void
add_drops(struct list *list)
{
	for (unsigned reason = 1; reason < RELAY_DROP_COUNT; reason++) {
		uint64_t sum = 0;
		for (unsigned i = 0; i < workers_count(); i++)
			sum += counter_read(&worker_counters(i)->drops[reason]);
		for (unsigned k = 0; k < ifaces_count; k++)
			sum += drops_on(k, reason);
		add(list, sum, "drop.%s", relay_drop_name(reason));
	}
}

/* Cycles of each stage, a media packet, times 100, of the bursts that were sampled: of workers
 * first to last together. */
static void
add_stages(struct list *list, const char *whose, unsigned first, unsigned last)
{
	static const char *const names[] = {
#define STAGE_NAME(symbol, name) [STAGE_##symbol] = name,
		WORKER_STAGES(STAGE_NAME)
#undef STAGE_NAME
	};
	uint64_t packets = 0;

	for (unsigned i = first; i <= last; i++)
		packets += counter_read(&worker_counters(i)->sampled);
	add(list, packets, "%s.sampled", whose);
	for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
		uint64_t cycles = 0;
		for (unsigned i = first; i <= last; i++)
			cycles += counter_read(&worker_counters(i)->stage_cycles[stage]);
		add(list, packets > 0 ? cycles * 100 / packets : 0, "%s.cycles_100_%s", whose,
			names[stage]);
	}
}

static void
add_workers(struct list *list)
{
	for (unsigned i = 0; i < workers_count(); i++) {
		const struct worker_counters *counters = worker_counters(i);
		uint64_t busy = counter_read(&counters->busy_cycles);
		uint64_t whole = busy + counter_read(&counters->idle_cycles);
		uint64_t packets = counter_read(&counters->packets);
		uint64_t bursts = counter_read(&counters->bursts);
		add(list, packets, "worker.%u.packets", i);
		add(list, counter_read(&counters->relayed), "worker.%u.relayed", i);
		add(list, bursts, "worker.%u.bursts", i);
		add(list, bursts > 0 ? packets * 100 / bursts : 0, "worker.%u.burst_size_100", i);
		add(list, counter_read(&counters->idle), "worker.%u.idle_turns", i);
		add(list, busy, "worker.%u.busy_cycles", i);
		add(list, whole, "worker.%u.cycles", i);
		add(list, whole > 0 ? (uint64_t)(10000.0 * (double)busy / (double)whole) : 0,
			"worker.%u.busy_10000", i);
		add(list, counter_read(&counters->handed_over), "worker.%u.handed_over", i);
		add(list, counter_read(&counters->to_kernel), "worker.%u.to_kernel", i);
		add(list, counter_read(&counters->from_kernel), "worker.%u.from_kernel", i);
		/* of very many workers a reply does not hold them all: those together do */
		char name[32];
		snprintf(name, sizeof(name), "worker.%u", i);
		if (workers_count() <= STAGES_EACH)
			add_stages(list, name, i, i);
	}
	add_stages(list, "workers", 0, workers_count() - 1);
}

static void
add_interfaces(struct list *list)
{
	for (unsigned k = 0; k < ifaces_count; k++) {
		const char *name = ifaces[k]->config->name;
		uint64_t sum[4] = {0};
		for (unsigned i = 0; i < workers_count(); i++) {
			const struct worker_counters *counters = worker_counters(i);
			sum[0] += counter_read(&counters->iface[k].rx_packets);
			sum[1] += counter_read(&counters->iface[k].rx_bytes);
			sum[2] += counter_read(&counters->iface[k].tx_packets);
			sum[3] += counter_read(&counters->iface[k].tx_bytes);
		}
		add(list, sum[0], "interface.%s.rx_packets", name);
		add(list, sum[1], "interface.%s.rx_bytes", name);
		add(list, sum[2], "interface.%s.media_tx_packets", name);
		add(list, sum[3], "interface.%s.media_tx_bytes", name);
		for (unsigned reason = 1; reason < RELAY_DROP_COUNT; reason++)
			if (drops_on(k, reason) > 0)
				add(list, drops_on(k, reason), "interface.%s.drop.%s", name,
					relay_drop_name(reason));
		struct rte_eth_stats device;
		if (rte_eth_stats_get(ifaces[k]->port_id, &device) == 0) {
			add(list, device.imissed, "interface.%s.device_missed", name);
			add(list, device.ierrors, "interface.%s.device_rx_errors", name);
			add(list, device.oerrors, "interface.%s.device_tx_errors", name);
			add(list, device.rx_nombuf, "interface.%s.device_no_mbuf", name);
		}
	}
}

unsigned
stats_collect(struct relay_counter *out, unsigned room)
{
	struct list list = {.out = out, .room = room};
	uint64_t received = 0, relayed = 0;

	for (unsigned i = 0; i < workers_count(); i++) {
		received += counter_read(&worker_counters(i)->packets);
		relayed += counter_read(&worker_counters(i)->relayed);
	}
	add(&list, sessions_count(), "sessions");
	add(&list, received, "packets.received");
	add(&list, relayed, "packets.relayed");
	add(&list, log_held_back(), "log.held_back");
	add_drops(&list);
	add_workers(&list);
	add_interfaces(&list);
	return list.count;
}

static void
describe_interface(const struct iface *iface, struct relay_status_interface *out)
{
	const struct media_address *first = iface->addresses[0];

	snprintf(out->name, sizeof(out->name), "%s", iface->config->name);
	snprintf(out->device, sizeof(out->device), "%s", iface->config->device);
	out->address = first->ip;
	out->port_first = first->config->port_first;
	out->port_last = first->config->port_last;
	for (unsigned i = 0; i < iface->addresses_count; i++) {
		out->ports_used += 2 * iface->addresses[i]->table->used;
		out->ports += 2u * iface->addresses[i]->table->offered;
	}
	out->link_up = device_watch_link_up(iface);
	memcpy(out->mac, iface->mac.addr_bytes, sizeof(out->mac));
	out->dscp = iface->dscp;
	out->vlan = iface->vlan;
	out->addresses = (uint16_t)iface->addresses_count;
}

void
stats_status(struct relay_status_reply *out)
{
	snprintf(out->release, sizeof(out->release), "%s", SALLYPORT_VERSION);
	snprintf(out->engine, sizeof(out->engine), "%s (%s)", workers_shared()->engine->name,
		workers_engine_variant());
	snprintf(out->engine_why, sizeof(out->engine_why), "%s", process.engine_why);
	snprintf(out->memory, sizeof(out->memory), "%s", process.memory);
	out->uptime_ms = (uint64_t)tick_s() * 1000;
	out->sessions = sessions_count();
	out->sessions_max = sessions_max();
	out->session_bytes = session_bytes();
	out->mbufs = process.mbufs->size;
	out->mbufs_in_use = rte_mempool_in_use_count(process.mbufs);
	out->pid = (uint32_t)getpid();
	out->workers = workers_count();
	out->interfaces = ifaces_count;
	out->draining = sessions_draining();
	for (unsigned i = 0; i < ifaces_count && i < RELAY_STATUS_INTERFACES; i++)
		describe_interface(ifaces[i], &out->interface[i]);
}
