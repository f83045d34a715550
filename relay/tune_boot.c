/* SPDX-License-Identifier: BSD-3-Clause */
/* What only the kernel's command line can set. */
#include "tune.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LIST_TEXT 256

__attribute__((format(printf, 3, 4))) static void
add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	if (used > 0)
		snprintf(text + used, size - used, " ");
	used = strlen(text);
	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static void
add_cpus(const struct tune *tune, char *text, size_t size)
{
	static const struct {
		const char *name, *flags;
	} wants[] = {{"isolcpus", "managed_irq,domain,"}, {"nohz_full", ""}, {"rcu_nocbs", ""}};
	char list[LIST_TEXT];

	if (tune_cpus_count(&tune->workers) == 0)
		return;
	tune_cpus_format(&tune->workers, list, sizeof(list));
	if (strstr(list, "...") != NULL)
		return;
	for (unsigned i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		struct tune_cpus has, open;
		tune_cmdline_cpus(tune->cmdline, wants[i].name, &has);
		open = tune_cpus_minus(&tune->workers, &has);
		if (tune_cpus_count(&open) > 0)
			add(text, size, "%s=%s%s", wants[i].name, wants[i].flags, list);
	}
}

/* Pages of 1 GiB where a GiB and more is wanted: two of them, instead of 1024, to walk. */
static void
add_hugepages(const struct tune *tune, char *text, size_t size)
{
	uint32_t mb = tune_memory_wanted(tune);
	bool large = mb >= 1024 && tune_has_flag(tune, "pdpe1gb");
	unsigned pages = large ? (mb + 1023) / 1024 : (mb + 1) / 2;
	char value[64], list[LIST_TEXT] = "";

	if (tune->config != NULL && tune->config->media.memory == CONFIG_MEMORY_ORDINARY)
		return;
	if (tune_cmdline_get(tune->cmdline, "hugepages", value, sizeof(value)))
		return;
	for (unsigned i = 0; i < tune->nodes; i++)
		if (tune->node_media[i] && tune->nodes > 1) {
			size_t used = strlen(list);
			snprintf(list + used, sizeof(list) - used, "%s%d:%u", used > 0 ? "," : "",
				tune->node[i], pages);
		}
	if (list[0] == '\0')
		snprintf(list, sizeof(list), "%u", pages);
	const char *page = large ? "1G" : "2M";
	add(text, size, "default_hugepagesz=%s hugepagesz=%s hugepages=%s", page, page, list);
}

static void
add_iommu(const struct tune *tune, char *text, size_t size)
{
	char value[64];
	bool needed = tune->config == NULL;

	for (unsigned i = 0; i < tune->nics; i++)
		needed = needed || (tune->nic[i].media && !tune->nic[i].by_kernel &&
					   !tune_nic_bifurcated(&tune->nic[i]));
	if (!needed || tune->virtual_machine)
		return;
	if (tune->intel && !tune_cmdline_get(tune->cmdline, "intel_iommu", value, sizeof(value)) &&
		!tune_exists(&tune->root, "/sys/kernel/iommu_groups/0"))
		add(text, size, "intel_iommu=on");
	if (!tune_cmdline_get(tune->cmdline, "iommu", value, sizeof(value)) &&
		!tune_cmdline_get(tune->cmdline, "iommu.passthrough", value, sizeof(value)))
		add(text, size, "iommu=pt");
}

void
tune_boot_parameters(const struct tune *tune, char *text, size_t size)
{
	text[0] = '\0';
	add_cpus(tune, text, size);
	add_hugepages(tune, text, size);
	add_iommu(tune, text, size);
}
