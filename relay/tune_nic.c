/* SPDX-License-Identifier: BSD-3-Clause */
/* Lines of each NIC, and of each interface that the configuration names. */
#include "tune.h"

#include <stdio.h>
#include <string.h>

/* A line of this NIC. One that media does not use is told, and never blamed. */
static struct tune_line *
nic_line(struct tune *tune, const struct tune_nic *nic, enum tune_verdict verdict, const char *what)
{
	return tune_line(&tune->report, nic->media ? verdict : TUNE_GOOD, "%s %s",
		nic->netdev[0] != '\0' ? nic->netdev : nic->pci, what);
}

static void
judge_by_kernel(struct tune *tune, const struct tune_nic *nic, struct tune_line *line)
{
	const char *name;
	struct tune_offers offers;

	if (tune->virtual_machine || !tune_nic_known(nic, &name, &offers)) {
		tune_reason(line, "used through the kernel's driver, as the configuration asks");
		return;
	}
	line->verdict = TUNE_BETTER;
	tune_reason(line, "used through the kernel's driver; DPDK's own for it is faster");
	tune_cure(line, "name %s as media.interfaces[].device in place of \"...iface=%s\"",
		nic->pci, nic->netdev);
}

static void
judge_driver(struct tune *tune, const struct tune_nic *nic)
{
	const char *name = "";
	struct tune_offers offers;
	bool known = tune_nic_known(nic, &name, &offers), bifurcated = tune_nic_bifurcated(nic);
	struct tune_line *line = nic_line(tune, nic, TUNE_GOOD, "driver");

	tune_found(line, "%s%s%s%s%s", nic->driver[0] != '\0' ? nic->driver : "none",
		nic->pci[0] != '\0' ? ", PCI " : "", nic->pci, known ? ", " : "",
		known ? name : "");
	if (!nic->media) {
		tune_reason(line, "%s",
			nic->own ? "it carries the box's own addresses: left to the "
				   "kernel"
				 : "no interface of the configuration names it");
	} else if (nic->by_kernel) {
		judge_by_kernel(tune, nic, line);
	} else if (bifurcated && strcmp(nic->driver, "mlx5_core") == 0) {
		tune_reason(line, "DPDK's driver works beside the kernel's: nothing to bind");
	} else if (strcmp(nic->driver, "vfio-pci") == 0) {
		tune_reason(line, "free for DPDK%s", known ? "" : ", if it has a driver for it");
	} else if (tune->config == NULL) {
		line->verdict = TUNE_BETTER;
		tune_reason(line, "it carries no address of the box: free for media");
		tune_cure(line, "name %s as media.interfaces[].device, then sallyctl tune --apply",
			nic->pci);
	} else {
		line->verdict = TUNE_MISSING;
		tune_reason(line, "DPDK can use it only bound to %s",
			bifurcated ? "mlx5_core" : "vfio-pci");
		if (bifurcated)
			tune_cure(line, "modprobe mlx5_core");
		else if (nic->own)
			tune_cure(line,
				"it carries the box's own addresses: move those to another "
				"NIC first; or sallyctl tune --apply --bind %s, which cuts them "
				"off",
				nic->pci);
		else
			tune_cure(line,
				"sallyctl tune --apply; to last: driverctl set-override %s "
				"vfio-pci",
				nic->pci);
	}
}

static void
judge_node(struct tune *tune, const struct tune_nic *nic)
{
	struct tune_line *line;
	struct tune_cpus near = {0}, far;
	char text[96];

	for (unsigned i = 0; i < tune->nodes; i++)
		if (tune->node[i] == nic->node)
			near = tune->node_cpus[i];
	far = tune_cpus_minus(&tune->workers, &near);
	bool good = nic->node < 0 || tune->nodes == 1 || !tune->workers_named ||
	            tune_cpus_count(&far) == 0;
	line = nic_line(tune, nic, good ? TUNE_GOOD : TUNE_BETTER, "node");
	if (nic->node < 0)
		tune_found(line, "not told");
	else
		tune_found(line, "%d", nic->node);
	if (!nic->media)
		return;
	if (good) {
		tune_reason(line, "%s",
			tune->nodes == 1      ? "the box has one"
			: nic->node < 0       ? "the firmware says none"
			: tune->workers_named ? "all workers are near"
					      : "choose media.cpus there");
		return;
	}
	tune_reason(line, "workers on CPU %s reach it over the link between the nodes",
		tune_cpus_format(&far, text, sizeof(text)));
	tune_cure(line, "choose media.cpus of %s, or a NIC in a slot of the workers' node",
		tune_cpus_format(&near, text, sizeof(text)));
}

static void
judge_link(struct tune *tune, const struct tune_nic *nic)
{
	long carrier = -1;
	struct tune_line *line = nic_line(tune, nic, TUNE_GOOD, "link");

	if (nic->netdev[0] == '\0') {
		tune_found(line, "not seen by the kernel");
		tune_reason(line, "sallyctl status tells it, once sallyport-media runs");
		return;
	}
	tune_read_number(&tune->root, &carrier, "/sys/class/net/%s/carrier", nic->netdev);
	if (nic->mbps > 0)
		tune_found(line, "%ld Mbit/s", nic->mbps);
	else
		tune_found(line, "%s",
			carrier == 0   ? "down"
			: carrier == 1 ? "up, speed not told"
				       : "not told");
	if (!nic->media)
		return;
	if (carrier == 0) {
		line->verdict = TUNE_BETTER;
		tune_reason(line, "no carrier");
		tune_cure(line, "look at cable, transceiver and the switch's port");
	} else if (nic->mbps > 0 && nic->mbps < 1000) {
		line->verdict = TUNE_BETTER;
		tune_reason(line, "one core relays more than that");
		tune_cure(line, "see why it is so slow: cable, switch; or take a faster NIC");
	}
}

static void
judge_queues(struct tune *tune, const struct tune_nic *nic)
{
	int workers = (int)tune_workers_wanted(tune), queues = nic->offers.queues;
	bool few = queues > 0 && queues < workers;
	struct tune_line *line = nic_line(tune, nic, few ? TUNE_MISSING : TUNE_GOOD, "queues");

	if (queues > 0)
		tune_found(line, "%d at most", queues);
	else
		tune_found(line, "not known");
	if (!nic->media)
		return;
	if (few) {
		tune_reason(line,
			"media.workers is %d, and each needs a queue pair: "
			"sallyport-media refuses to start",
			workers);
		tune_cure(line, "set media.workers: %d, or %s", queues,
			tune->virtual_machine ? "give the virtual NIC more queues on the host"
					      : "take a NIC with more queues");
	} else if (queues > 0) {
		tune_reason(line, "enough for %d worker%s", workers, workers == 1 ? "" : "s");
	} else {
		tune_reason(line, "DPDK's driver will tell: sallyport-media says so at its start");
	}
}

static const struct {
	const char *found, *reason;
} hashes[] = {
	[TUNE_RSS_UNKNOWN] = {"not known", "the driver does not tell"},
	[TUNE_RSS_NONE] = {"none", "all packets come to one queue, whose worker hands them on"},
	[TUNE_RSS_PORT] = {"by the destination port alone", ""},
	[TUNE_RSS_PORT_ADDRESSES] = {"by the destination port and both addresses",
		"the far end's address counts, too, so half of the packets or more come to "
		"another worker than their session's, which hands them over"},
	[TUNE_RSS_ADDRESSES] = {"by the addresses alone",
		"a far end's packets come to one worker, which hands over what is another's"},
	[TUNE_RSS_TUPLE] = {"by addresses and ports",
		"half of the packets or more come to another worker than their session's, which "
		"hands them over"},
};

static void
judge_rss(struct tune *tune, const struct tune_nic *nic)
{
	bool one = tune_workers_wanted(tune) == 1, good = one || nic->offers.rss == TUNE_RSS_PORT;
	struct tune_line *line = nic_line(tune, nic, good ? TUNE_GOOD : TUNE_BETTER, "RSS");

	tune_found(line, "%s", hashes[nic->offers.rss].found);
	if (!nic->media)
		return;
	if (good) {
		tune_reason(line, "%s",
			one ? "there is one worker: nothing to spread"
			    : "a session's packets come to its own worker");
		return;
	}
	tune_reason(line, "%s", hashes[nic->offers.rss].reason);
	if (nic->by_kernel && nic->offers.rss > TUNE_RSS_NONE)
		tune_cure(line, "ethtool -N %s rx-flow-hash udp4 n, and udp6, if the driver can",
			nic->netdev);
	else
		tune_cure(line, "none in the NIC; handed_over in sallyctl stats --all counts them. "
				"Fewer, faster cores hand over less");
}

static void
judge_checksums(struct tune *tune, const struct tune_nic *nic)
{
	int tx = nic->offers.tx_checksum, rx = nic->offers.rx_checksum;
	bool good = nic->by_kernel || tx != 0;
	struct tune_line *line = nic_line(tune, nic, good ? TUNE_GOOD : TUNE_BETTER, "checksums");

	if (tx < 0 && rx < 0)
		tune_found(line, "not known");
	else
		tune_found(line, "%s on sending, %s on receiving",
			tx > 0    ? "made"
			: tx == 0 ? "not made"
				  : "not known",
			rx > 0    ? "checked"
			: rx == 0 ? "not checked"
				  : "not known");
	if (!nic->media)
		return;
	if (nic->by_kernel)
		tune_reason(
			line, "the kernel's driver passes none on: the relay makes them itself");
	else if (good)
		tune_reason(line, "%s",
			tx > 0 ? "workers need not touch a packet for its sum"
			       : "sallyport-media takes what DPDK's driver has");
	else
		tune_reason(line, "workers make each UDP checksum themselves");
	if (!good)
		tune_cure(line, "ethtool -K %s tx on, or a NIC that can", nic->netdev);
}

/* What an interface of the configuration names, and whether it is here. */
static void
judge_interface(struct tune *tune, const struct config_interface *interface)
{
	const char *device = interface->device != NULL ? interface->device : "";
	const char *iface = strstr(device, ",iface=");
	struct tune_line *line =
		tune_line(&tune->report, TUNE_GOOD, "interface %s", interface->name);
	char name[64], pci[32];

	tune_found(line, "%s", device);
	if (iface != NULL) {
		iface += strlen(",iface=");
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(iface, ","), iface);
		if (name[0] != '\0' && strchr(name, '/') == NULL &&
			tune_exists(&tune->root, "/sys/class/net/%s", name))
			return;
		line->verdict = TUNE_MISSING;
		tune_reason(line, "the kernel has no interface \"%s\"", name);
		tune_cure(line, "make it, or name another one in media.interfaces");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(device, ","), device);
	snprintf(pci, sizeof(pci), "%s%.15s", strlen(name) == 7 ? "0000:" : "", name);
	if (!tune_pci_is(pci)) {
		tune_reason(line, "a virtual device: for trials, and other processes");
		return;
	}
	for (unsigned i = 0; i < tune->nics; i++)
		if (strcasecmp(tune->nic[i].pci, pci) == 0)
			return;
	line->verdict = TUNE_MISSING;
	tune_reason(line, "there is no NIC with this PCI address");
	tune_cure(line, "lspci -D -d ::0200 lists them; name one in media.interfaces");
}

/* Has the box a NIC to give? */
static void
judge_spare(struct tune *tune)
{
	unsigned spare = 0;

	for (unsigned i = 0; i < tune->nics; i++)
		spare += tune->nic[i].media;
	struct tune_line *line =
		tune_line(&tune->report, spare > 0 ? TUNE_GOOD : TUNE_MISSING, "media NIC");
	tune_found(line, "%u NIC%s, %u free", tune->nics, tune->nics == 1 ? "" : "s", spare);
	if (spare > 0)
		return;
	tune_reason(line, "%s",
		tune->nics == 0 ? "there is no NIC at all"
				: "every NIC carries the box's own addresses");
	tune_cure(line, "add a NIC for media; to try Sallyport without one: deploy/quickstart.sh");
}

void
tune_judge_nics(struct tune *tune)
{
	if (tune->config == NULL)
		judge_spare(tune);
	else
		for (unsigned i = 0; i < tune->config->media.interfaces_count; i++)
			judge_interface(tune, &tune->config->media.interfaces[i]);
	for (unsigned i = 0; i < tune->nics; i++) {
		const struct tune_nic *nic = &tune->nic[i];
		judge_driver(tune, nic);
		judge_node(tune, nic);
		judge_link(tune, nic);
		judge_queues(tune, nic);
		judge_rss(tune, nic);
		judge_checksums(tune, nic);
	}
}
