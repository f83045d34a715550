/* SPDX-License-Identifier: BSD-3-Clause */
/* IOMMU and vfio, by which a process gets a NIC for itself. */
#include "tune.h"

#include <stdio.h>
#include <string.h>

static unsigned
count_groups(const struct tune *tune)
{
	DIR *folder = tune_folder(&tune->root, "/sys/kernel/iommu_groups");
	unsigned count = 0, groups = 0;

	if (folder == NULL)
		return 0;
	while (tune_next(folder, &count) != NULL)
		groups++;
	closedir(folder);
	return groups;
}

/* Does any NIC for media have to be bound? Without a configuration: perhaps. */
static bool
is_needed(const struct tune *tune)
{
	if (tune->config == NULL)
		return true;
	for (unsigned i = 0; i < tune->nics; i++)
		if (tune->nic[i].media && !tune->nic[i].by_kernel &&
			!tune_nic_bifurcated(&tune->nic[i]))
			return true;
	return false;
}

/* The kernel's own devices reach memory untranslated. */
static bool
is_passthrough(const struct tune *tune)
{
	char value[64];

	return (tune_cmdline_get(tune->cmdline, "iommu", value, sizeof(value)) &&
		       strcmp(value, "pt") == 0) ||
	       (tune_cmdline_get(tune->cmdline, "iommu.passthrough", value, sizeof(value)) &&
		       strcmp(value, "1") == 0) ||
	       (tune_read(&tune->root, value, sizeof(value), "/sys/kernel/iommu_groups/0/type") >
			       0 &&
		       strcmp(value, "identity") == 0);
}

static void
judge_no_iommu(struct tune *tune, struct tune_line *line)
{
	char unsafe[8];

	tune_read(&tune->root, unsafe, sizeof(unsafe),
		"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
	tune_found(line, "none");
	if (!is_needed(tune)) {
		tune_reason(line, "no interface of the configuration needs one");
		return;
	}
	if (unsafe[0] == 'Y' || unsafe[0] == '1') {
		line->verdict = TUNE_BETTER;
		tune_reason(line, "vfio runs without one: a NIC may write to any memory, and "
				  "sallyport-media must stay root");
	} else {
		line->verdict = TUNE_MISSING;
		tune_reason(line, "vfio gives a NIC to a process only behind an IOMMU");
	}
	if (tune->virtual_machine)
		tune_cure(line, "give the virtual machine an IOMMU; or use a NIC through the "
				"kernel's driver: net_af_xdp0,iface=NAME");
	else
		tune_cure(line,
			"switch it on in the firmware (%s), then boot with %siommu=pt "
			"(reboot)",
			tune->intel ? "VT-d" : "AMD-Vi, IOMMU",
			tune->intel ? "intel_iommu=on " : "");
}

static void
judge_iommu(struct tune *tune)
{
	unsigned groups = count_groups(tune);
	struct tune_line *line = tune_line(&tune->report, TUNE_GOOD, "IOMMU");

	if (groups == 0) {
		judge_no_iommu(tune, line);
		return;
	}
	tune_found(line, "on, %u groups", groups);
	if (is_passthrough(tune)) {
		tune_reason(line, "passthrough: only what vfio holds is translated");
		return;
	}
	line->verdict = TUNE_BETTER;
	tune_reason(line, "the kernel's own devices are translated, too, which costs them speed");
	tune_cure(line, "boot with iommu=pt (reboot)");
}

/* Has the kernel that runs a module of this name, loaded or not? */
static bool
has_module(const struct tune *tune, const char *file)
{
	static const char *const lists[] = {"modules.builtin", "modules.dep"};
	static char text[2 << 20]; /* modules.dep has some 700 kB */
	char release[128];

	if (tune_read(&tune->root, release, sizeof(release), "/proc/sys/kernel/osrelease") <= 0 ||
		strchr(release, '/') != NULL)
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (tune_read(&tune->root, text, sizeof(text), "/lib/modules/%s/%s", release,
			    lists[i]) > 0 &&
			strstr(text, file) != NULL)
			return true;
	return false;
}

static void
judge_module(struct tune *tune)
{
	bool loaded = tune_exists(&tune->root, "/sys/module/vfio_pci") ||
	              tune_exists(&tune->root, "/sys/bus/pci/drivers/vfio-pci");
	bool there = loaded || has_module(tune, "/vfio-pci.ko");
	struct tune_line *line = tune_line(&tune->report, TUNE_GOOD, "vfio-pci");

	tune_found(line, "%s", loaded ? "loaded" : there ? "not loaded" : "not in this kernel");
	if (loaded) {
		tune_reason(line, "NICs can be bound to it");
	} else if (!is_needed(tune)) {
		tune_reason(line, "no interface of the configuration needs it");
	} else {
		line->verdict = there ? TUNE_BETTER : TUNE_MISSING;
		tune_reason(line, "without it no process gets a NIC for itself");
		tune_cure(line, "%s",
			there ? "sallyctl tune --apply; to last: echo vfio-pci "
				">/etc/modules-load.d/vfio-pci.conf"
			      : "boot a kernel that has it, as Debian's does");
	}
}

void
tune_judge_vfio(struct tune *tune)
{
	judge_iommu(tune);
	judge_module(tune);
}
