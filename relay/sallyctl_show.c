/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl status and stats. */
#include "sallyctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
format_mac(const uint8_t mac[6], char text[18])
{
	snprintf(text, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

int
sallyctl_print_json(json_t *json)
{
	if (json == NULL) { /* out of memory, or a text of the relay's that is no UTF-8 */
		fputs("sallyctl: what the relay said can't be written as JSON: try without "
		      "--json\n",
			stderr);
		return SALLYCTL_REFUSED;
	}
	json_dumpf(json, stdout, JSON_INDENT(2)); /* main() sees whether it got out */
	putchar('\n');
	json_decref(json);
	return SALLYCTL_OK;
}

static json_t *
interface_json(const struct relay_status_interface *at)
{
	char address[RELAY_ADDR_TEXT], mac[18];

	format_mac(at->mac, mac);
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:b, s:s, s:I, s:i, s:i, s:i}", "name",
		at->name, "device", at->device, "address", relay_ip_format(&at->address, address),
		"port_first", (int)at->port_first, "port_last", (int)at->port_last, "ports_used",
		(int)at->ports_used, "link_up", at->link_up != 0, "mac", mac, "ports",
		(json_int_t)at->ports, "vlan", (int)at->vlan, "dscp", (int)at->dscp, "addresses",
		(int)at->addresses);
}

static int
status_json(const struct relay_status_reply *status)
{
	json_t *interfaces = json_array();

	for (unsigned i = 0; i < status->interfaces; i++)
		json_array_append_new(interfaces, interface_json(&status->interface[i]));
	return sallyctl_print_json(json_pack(
		"{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}", "release",
		status->release, "engine", status->engine, "engine_why", status->engine_why,
		"memory", status->memory, "pid", (json_int_t)status->pid, "uptime_ms",
		(json_int_t)status->uptime_ms, "workers", (json_int_t)status->workers, "sessions",
		(json_int_t)status->sessions, "sessions_max", (json_int_t)status->sessions_max,
		"session_bytes", (json_int_t)status->session_bytes, "mbufs_in_use",
		(json_int_t)status->mbufs_in_use, "mbufs", (json_int_t)status->mbufs, "draining",
		(status->draining & RELAY_DRAIN_ON) != 0, "interfaces", interfaces));
}

static void
print_interfaces(const struct relay_status_reply *status)
{
	char address[RELAY_ADDR_TEXT], mac[18], ports[16];
	int width = 15; /* an IPv4 address; more where there is an IPv6 one */

	for (unsigned i = 0; i < status->interfaces; i++) {
		int length = (int)strlen(relay_ip_format(&status->interface[i].address, address));
		if (length > width)
			width = length;
	}
	printf("\n%-15s  %-*s  %5s  %-11s  %7s  %8s  %4s  %4s  %-4s  %-17s  %s\n", "INTERFACE",
		width, "ADDRESS", "ADDRS", "PORTS", "USED", "OF", "VLAN", "DSCP", "LINK", "MAC",
		"DEVICE");
	for (unsigned i = 0; i < status->interfaces; i++) {
		const struct relay_status_interface *at = &status->interface[i];
		format_mac(at->mac, mac);
		snprintf(ports, sizeof(ports), "%u-%u", at->port_first, at->port_last);
		printf("%-15s  %-*s  %5u  %-11s  %7u  %8u  %4u  %4u  %-4s  %-17s  %s\n", at->name,
			width, relay_ip_format(&at->address, address), at->addresses, ports,
			at->ports_used, at->ports, at->vlan, at->dscp, at->link_up ? "up" : "down",
			mac, at->device);
	}
}

int
sallyctl_status(const struct sallyctl *ctl)
{
	struct relay_header request = {.op = RELAY_OP_STATUS};
	struct relay_status_reply status;
	int result = sallyctl_ask(ctl, &request, sizeof(request), &status, sizeof(status));

	if (result != SALLYCTL_OK)
		return result;
	if (ctl->json)
		return status_json(&status);
	printf("release    %s\n", status.release);
	if (status.draining & RELAY_DRAIN_ON)
		printf("draining   no new sessions%s\n",
			status.draining & RELAY_DRAIN_END ? "; it ends after the last one" : "");
	printf("process    %u, up %" PRIu64 " s\n", status.pid, status.uptime_ms / 1000);
	printf("engine     %s\n           %s\n", status.engine, status.engine_why);
	printf("memory     %s\n", status.memory);
	printf("buffers    %" PRIu64 " of %" PRIu64 " in use\n", status.mbufs_in_use, status.mbufs);
	printf("workers    %u\n", status.workers);
	printf("sessions   %" PRIu64 " of %" PRIu64 ", %" PRIu64
	       " bytes each (two legs of AES_CM_128): %.1f MiB for all\n",
		status.sessions, status.sessions_max, status.session_bytes,
		(double)(status.sessions_max * status.session_bytes) / (1 << 20));
	print_interfaces(&status);
	return SALLYCTL_OK;
}

/* What the names of workers' counters do not say. */
static const char *
help_of_worker(const char *name)
{
	static const struct {
		const char *part, *help;
	} helps[] = {
		{".burst_size_100", "packets a burst, in hundredths"},
		{".busy_10000", "share of the time with packets, in 1/10000"},
		{".cycles_100_", "CPU cycles a packet in this stage, in hundredths, sampled"},
		{".handed_over", "reached this worker, but belong to another"},
		{".idle_turns", "polls that found nothing"},
	};

	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++)
		if (strstr(name, helps[i].part) != NULL)
			return helps[i].help;
	return "";
}

/* The sentence of a "drop.NAME" counter, or "". */
static const char *
help_of(const char *name)
{
	if (strncmp(name, "worker", 6) == 0)
		return help_of_worker(name);
	if (strncmp(name, "drop.", 5) != 0)
		return "";
	for (unsigned i = 0; i < RELAY_DROP_COUNT; i++)
		if (strcmp(relay_drop_name(i), name + 5) == 0)
			return relay_drop_help(i);
	return "";
}

static void
print_stats(const struct sallyctl *ctl, const struct relay_stats_reply *stats)
{
	printf("%-36s %16s  %s\n", "COUNTER", "VALUE", "MEANING");
	for (unsigned i = 0; i < stats->count; i++) {
		const struct relay_counter *counter = &stats->counter[i];
		if (counter->value == 0 && !ctl->all)
			continue;
		const char *help = help_of(counter->name);
		printf("%-36s %16" PRIu64 "%s%s\n", counter->name, counter->value,
			help[0] != '\0' ? "  " : "", help);
	}
	if (!ctl->all)
		puts("(counters at zero are not shown: --all shows them)");
}

int
sallyctl_stats(const struct sallyctl *ctl)
{
	struct relay_header request = {.op = RELAY_OP_STATS};
	struct relay_stats_reply *stats = malloc(RELAY_DATAGRAM_MAX);

	if (stats == NULL)
		return SALLYCTL_REFUSED;
	int result = sallyctl_ask(ctl, &request, sizeof(request), stats, RELAY_DATAGRAM_MAX);
	if (result == SALLYCTL_OK && ctl->json) {
		json_t *json = json_object();
		for (unsigned i = 0; i < stats->count; i++)
			json_object_set_new(json, stats->counter[i].name,
				json_integer((json_int_t)stats->counter[i].value));
		result = sallyctl_print_json(json);
	} else if (result == SALLYCTL_OK) {
		print_stats(ctl, stats);
	}
	free(stats);
	return result;
}
