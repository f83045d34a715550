/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters of sallyport-media name themselves ("worker.0.packets"): here each gets its family. */
#include "metrics.h"

#include "exposition.h"

#include <stdio.h>
#include <string.h>

/* A counter of each worker, or of each interface: its last word, and the family it becomes. */
struct row {
	const char *end; /* of the counter's name */
	const char *name;
	const char *type;
	const char *help;
	const char *label; /* NULL: none besides the worker or interface */
	const char *value;
};

static const struct row worker_rows[] = {
	{"packets", "sallyport_worker_packets_total", "counter",
		"Packets a worker took from its interfaces.", NULL, NULL},
	{"relayed", "sallyport_worker_relayed_packets_total", "counter",
		"Packets a worker sent to the other leg.", NULL, NULL},
	{"bursts", "sallyport_worker_bursts_total", "counter",
		"Turns of a worker that found packets.", NULL, NULL},
	{"cycles", "sallyport_worker_cycles_total", "counter",
		"CPU cycles (TSC) of a worker, sleep included.", NULL, NULL},
	{"busy_cycles", "sallyport_worker_busy_cycles_total", "counter",
		"CPU cycles (TSC) of a worker in turns that found work.", NULL, NULL},
	{"handed_over", "sallyport_worker_handed_over_packets_total", "counter",
		"Packets that reached a worker and belonged to another.", NULL, NULL},
	{"to_kernel", "sallyport_worker_kernel_packets_total", "counter",
		"Packets a worker passed to the kernel's TAP, and from it.", "direction", "to"},
	{"from_kernel", "sallyport_worker_kernel_packets_total", "counter", NULL, "direction",
		"from"},
	{"sampled", "sallyport_worker_sampled_packets_total", "counter",
		"Media packets in the bursts whose stages were measured.", NULL, NULL},
};

static const struct row interface_rows[] = {
	{"rx_packets", "sallyport_interface_receive_packets_total", "counter",
		"Packets that came in by an interface.", NULL, NULL},
	{"rx_bytes", "sallyport_interface_receive_bytes_total", "counter",
		"Bytes that came in by an interface.", NULL, NULL},
	{"media_tx_packets", "sallyport_interface_transmit_packets_total", "counter",
		"Media packets sent by an interface.", NULL, NULL},
	{"media_tx_bytes", "sallyport_interface_transmit_bytes_total", "counter",
		"Bytes of media sent by an interface.", NULL, NULL},
	{"device_missed", "sallyport_interface_device_faults_total", "counter",
		"What the device of an interface counted: packets missed for a full queue, errors, "
		"no buffer.",
		"kind", "missed"},
	{"device_rx_errors", "sallyport_interface_device_faults_total", "counter", NULL, "kind",
		"receive_error"},
	{"device_tx_errors", "sallyport_interface_device_faults_total", "counter", NULL, "kind",
		"transmit_error"},
	{"device_no_mbuf", "sallyport_interface_device_faults_total", "counter", NULL, "kind",
		"no_buffer"},
};

/* "worker.", whose, "packets": the counter of that group's name and that end; whose is any. Writes
 * one sample for each. */
static void
write_row(struct text *out, const struct media_view *media, const char *group, const char *label,
	const struct row *row)
{
	if (row->help != NULL)
		exposition_family(out, row->name, row->type, row->help);
	for (unsigned i = 0; i < media->counters_count; i++) {
		const char *name = media->counters[i].name;
		char whose[sizeof(media->counters[0].name)];
		if (strncmp(name, group, strlen(group)) != 0)
			continue;
		name += strlen(group);
		size_t length = strcspn(name, ".");
		if (name[length] != '.' || strcmp(name + length + 1, row->end) != 0)
			continue;
		snprintf(whose, sizeof(whose), "%.*s", (int)length, name);
		exposition_integer(out, row->name, media->counters[i].value, label, whose,
			row->label, row->value, NULL);
	}
}

static void
write_gauge(struct text *out, const char *name, const char *help, double value)
{
	exposition_family(out, name, "gauge", help);
	exposition_number(out, name, value, NULL);
}

static void
write_totals(struct text *out, const struct media_view *media)
{
	const struct relay_status_reply *status = &media->status;
	uint64_t value = 0;

	write_gauge(out, "sallyport_media_uptime_seconds", "Since sallyport-media was started.",
		(double)status->uptime_ms / 1000);
	write_gauge(out, "sallyport_sessions", "Sessions: media streams that are relayed.",
		(double)status->sessions);
	write_gauge(out, "sallyport_sessions_limit", "As many as there may be: media.sessions.",
		(double)status->sessions_max);
	write_gauge(out, "sallyport_packet_buffers", "Packet buffers (mbufs) in all.",
		(double)status->mbufs);
	write_gauge(out, "sallyport_packet_buffers_used", "Packet buffers (mbufs) in use.",
		(double)status->mbufs_in_use);
	if (media_counter(media, &value, "packets.received")) {
		exposition_family(out, "sallyport_packets_received_total", "counter",
			"Packets received from media interfaces.");
		exposition_integer(out, "sallyport_packets_received_total", value, NULL);
	}
	if (media_counter(media, &value, "packets.relayed")) {
		exposition_family(out, "sallyport_packets_relayed_total", "counter",
			"Packets sent to the other leg.");
		exposition_integer(out, "sallyport_packets_relayed_total", value, NULL);
	}
}

static void
write_drops(struct text *out, const struct media_view *media)
{
	const char *name = "sallyport_dropped_packets_total";
	const char *by = "sallyport_interface_dropped_packets_total";

	exposition_family(out, name, "counter",
		"Packets that were not relayed, by reason: docs/drops.md explains each.");
	for (unsigned i = 0; i < media->counters_count; i++)
		if (strncmp(media->counters[i].name, "drop.", 5) == 0)
			exposition_integer(out, name, media->counters[i].value, "reason",
				media->counters[i].name + 5, NULL);
	exposition_family(out, by, "counter",
		"The same, by the interface they came in by; what never happened is left out.");
	for (unsigned i = 0; i < media->counters_count; i++) {
		char interface[RELAY_NAME_SIZE + 1], reason[40];
		if (sscanf(media->counters[i].name, "interface.%16[^.].drop.%39s", interface,
			    reason) == 2)
			exposition_integer(out, by, media->counters[i].value, "interface",
				interface, "reason", reason, NULL);
	}
}

static void
write_workers(struct text *out, const struct media_view *media, const double *busy)
{
	const char *stages = "sallyport_worker_stage_cycles";

	for (unsigned i = 0; i < sizeof(worker_rows) / sizeof(worker_rows[0]); i++)
		write_row(out, media, "worker.", "worker", &worker_rows[i]);
	exposition_family(out, "sallyport_worker_busy_ratio", "gauge",
		"Share of a worker's cycles in turns that found work, since the snapshot before.");
	for (unsigned i = 0; i < media->status.workers && i < SNAPSHOT_WORKERS; i++) {
		char worker[16];
		snprintf(worker, sizeof(worker), "%u", i);
		if (busy[i] >= 0)
			exposition_number(out, "sallyport_worker_busy_ratio", busy[i], "worker",
				worker, NULL);
	}
	exposition_family(out, stages, "gauge",
		"CPU cycles (TSC) of each stage, a media packet, on average since the start.");
	for (unsigned i = 0; i < media->counters_count; i++) {
		char worker[8], stage[32];
		if (sscanf(media->counters[i].name, "worker.%7[0-9].cycles_100_%31s", worker,
			    stage) == 2)
			exposition_number(out, stages, (double)media->counters[i].value / 100,
				"worker", worker, "stage", stage, NULL);
	}
}

static void
write_interfaces(struct text *out, const struct media_view *media)
{
	static const struct {
		const char *name;
		const char *help;
	} gauges[] = {
		{"sallyport_interface_up", "1 if the link of an interface's device is up."},
		{"sallyport_interface_ports", "Media ports of an interface's addresses."},
		{"sallyport_interface_ports_used", "Media ports that sessions have."},
	};
	unsigned count = media->status.interfaces;

	if (count > RELAY_STATUS_INTERFACES)
		count = RELAY_STATUS_INTERFACES;
	for (unsigned i = 0; i < sizeof(interface_rows) / sizeof(interface_rows[0]); i++)
		write_row(out, media, "interface.", "interface", &interface_rows[i]);
	for (unsigned k = 0; k < sizeof(gauges) / sizeof(gauges[0]); k++) {
		exposition_family(out, gauges[k].name, "gauge", gauges[k].help);
		for (unsigned i = 0; i < count; i++) {
			const struct relay_status_interface *at = &media->status.interface[i];
			uint32_t value = k == 0 ? at->link_up : k == 1 ? at->ports : at->ports_used;
			exposition_integer(out, gauges[k].name, value, "interface", at->name, NULL);
		}
	}
}

void
metrics_write_media(struct text *out, const struct media_view *media, const double *busy)
{
	write_totals(out, media);
	write_drops(out, media);
	write_workers(out, media, busy);
	write_interfaces(out, media);
}
