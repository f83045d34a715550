/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be done while the box runs: hugepages, the governor, vfio-pci and NICs bound to it. */
#include "tune.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE_MB 2

static void
reserve(struct tune *tune, unsigned at)
{
	long wanted = (long)tune_memory_wanted(tune), total, free, pages, now;
	int node = tune->node[at], result;
	char where[96], text[32];

	tune_hugepages(tune, node, &total, &free);
	/* a relay that runs has taken what it wants already */
	if (free >= wanted || (total >= wanted && tune_process_find(tune, "sallyport-media") > 0))
		return;
	if (node < 0)
		snprintf(where, sizeof(where), "/sys/kernel/mm/hugepages/hugepages-2048kB");
	else
		snprintf(where, sizeof(where),
			"/sys/devices/system/node/node%d/hugepages/hugepages-2048kB", node);
	if (!tune_read_number(&tune->root, &pages, "%s/nr_hugepages", where) || pages < 0) {
		tune_deed(&tune->report, false, "hugepages: %s/nr_hugepages can't be read", where);
		return;
	}
	pages += (wanted - free + PAGE_MB - 1) / PAGE_MB;
	snprintf(text, sizeof(text), "%ld\n", pages);
	result = tune_write(&tune->root, text, "%s/nr_hugepages", where);
	if (result != 0)
		tune_deed(&tune->report, false, "hugepages: %ld into %s/nr_hugepages: %s", pages,
			where, strerror(-result));
	else if (tune_read_number(&tune->root, &now, "%s/nr_hugepages", where) && now < pages)
		tune_deed(&tune->report, false,
			"hugepages: the kernel gave %ld of %ld in %s: its memory is in pieces; "
			"reserve them on its command line",
			now, pages, where);
	else
		tune_deed(&tune->report, true, "hugepages: %ld of 2 MiB in %s", pages, where);
}

static void
set_governor(struct tune *tune)
{
	const struct tune_cpus *cpus = tune->workers_named ? &tune->workers : &tune->online;
	struct tune_cpus set = {0};
	char text[64];
	int result, worst = 0;

	for (int cpu = tune_cpus_next(cpus, 0); cpu >= 0;
		cpu = tune_cpus_next(cpus, (unsigned)cpu + 1)) {
		if (tune_read(&tune->root, text, sizeof(text),
			    "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu) <= 0 ||
			strcmp(text, "performance") == 0)
			continue;
		result = tune_write(&tune->root, "performance\n",
			"/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
		if (result == 0)
			tune_cpus_add(&set, (unsigned)cpu);
		else
			worst = result;
	}
	if (tune_cpus_count(&set) > 0)
		tune_deed(&tune->report, true, "frequency governor: performance on CPU %s",
			tune_cpus_format(&set, text, sizeof(text)));
	if (worst != 0)
		tune_deed(&tune->report, false, "frequency governor: scaling_governor: %s",
			strerror(-worst));
}

/* True: NICs can be bound now. */
static bool
load_module(struct tune *tune)
{
	static char *const args[] = {"modprobe", "vfio-pci", NULL};
	extern char **environ;
	int status = -1;
	pid_t pid;

	if (tune_exists(&tune->root, "/sys/bus/pci/drivers/vfio-pci"))
		return true;
	if (!tune->root.real) {
		tune_deed(&tune->report, false, "vfio-pci: modules are loaded in / alone");
		return false;
	}
	if (posix_spawnp(&pid, args[0], NULL, NULL, args, environ) == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	if (status == 0 && tune_exists(&tune->root, "/sys/bus/pci/drivers/vfio-pci")) {
		tune_deed(&tune->report, true, "vfio-pci: loaded");
		return true;
	}
	tune_deed(&tune->report, false,
		"vfio-pci: modprobe can't load it: has this kernel the module?");
	return false;
}

/* Gives the device back to the driver that it had, or another that wants it. */
static void
unbind(struct tune *tune, const char *pci)
{
	tune_write(&tune->root, "\n", "/sys/bus/pci/devices/%s/driver_override", pci);
	tune_write(&tune->root, pci, "/sys/bus/pci/drivers_probe");
}

static void
bind_nic(struct tune *tune, const struct tune_nic *nic)
{
	char driver[512], line[32];
	int result;

	snprintf(line, sizeof(line), "%s\n", nic->pci);
	result = tune_write(
		&tune->root, "vfio-pci\n", "/sys/bus/pci/devices/%s/driver_override", nic->pci);
	if (result == 0 && nic->driver[0] != '\0')
		result = tune_write(
			&tune->root, line, "/sys/bus/pci/devices/%s/driver/unbind", nic->pci);
	if (result == 0)
		result = tune_write(&tune->root, line, "/sys/bus/pci/drivers_probe");
	if (result == 0 && tune->root.real &&
		(!tune_read_link(&tune->root, driver, sizeof(driver),
			 "/sys/bus/pci/devices/%s/driver", nic->pci) ||
			strstr(driver, "/vfio-pci") == NULL))
		result = -ENODEV;
	if (result == 0) {
		tune_deed(&tune->report, true, "%s: bound to vfio-pci", nic->pci);
		return;
	}
	tune_deed(&tune->report, false,
		"%s: vfio-pci did not take it (%s): see dmesg; its old driver was asked to take it "
		"back",
		nic->pci, strerror(-result));
	unbind(tune, nic->pci);
}

static bool
is_forced(const struct tune_nic *nic, const char *const binds[], unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (strcasecmp(nic->pci, binds[i]) == 0)
			return true;
	return false;
}

/* Does another port of the same PCI function carry what the box lives on? All go together. */
static bool
function_is_own(const struct tune *tune, const struct tune_nic *nic)
{
	bool own = false;

	for (unsigned i = 0; i < tune->nics; i++)
		own = own || (tune->nic[i].own && strcmp(tune->nic[i].pci, nic->pci) == 0);
	return own;
}

static void
consider(struct tune *tune, const struct tune_nic *nic, bool forced)
{
	bool named = tune->config != NULL && nic->media && !nic->by_kernel;

	if (nic->pci[0] == '\0' || (!named && !forced) || strcmp(nic->driver, "vfio-pci") == 0)
		return;
	if (tune_nic_bifurcated(nic))
		tune_deed(&tune->report, false,
			"%s: not bound: DPDK's driver works beside the kernel's", nic->pci);
	else if (function_is_own(tune, nic) && !forced)
		tune_deed(&tune->report, false,
			"%s (%s): not bound: it carries the box's own addresses or routes; "
			"--bind %s does it all the same, and cuts them off",
			nic->pci, nic->netdev, nic->pci);
	else if (load_module(tune))
		bind_nic(tune, nic);
	else
		tune_deed(&tune->report, false, "%s: not bound: there is no vfio-pci", nic->pci);
}

void
tune_apply(struct tune *tune, const char *const binds[], unsigned count)
{
	if (tune->config == NULL || tune->config->media.memory != CONFIG_MEMORY_ORDINARY)
		for (unsigned i = 0; i < tune->nodes; i++)
			if (tune->node_media[i])
				reserve(tune, i);
	set_governor(tune);
	for (unsigned i = 0; i < tune->nics; i++) {
		/* several ports of one function are bound once */
		if (i > 0 && strcmp(tune->nic[i].pci, tune->nic[i - 1].pci) == 0)
			continue;
		consider(tune, &tune->nic[i], is_forced(&tune->nic[i], binds, count));
	}
	for (unsigned b = 0; b < count; b++) {
		bool there = false;
		for (unsigned i = 0; i < tune->nics; i++)
			there = there || strcasecmp(tune->nic[i].pci, binds[b]) == 0;
		if (!there)
			tune_deed(&tune->report, false, "%s: not bound: there is no such NIC",
				binds[b]);
	}
	if (tune->report.deeds == 0)
		tune_deed(&tune->report, false, "nothing: all that can be set at run time is");
}
