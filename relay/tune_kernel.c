/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings of the kernel that slow a worker down or disturb it. */
#include "tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long
tune_process_find(const struct tune *tune, const char *name)
{
	DIR *folder = tune_folder(&tune->root, "/proc");
	unsigned count = 0;
	const char *entry;
	char comm[32];
	long pid = 0;

	if (folder == NULL)
		return 0;
	while (pid == 0 && (entry = tune_next(folder, &count)) != NULL)
		if (strspn(entry, "0123456789") == strlen(entry) &&
			tune_read(&tune->root, comm, sizeof(comm), "/proc/%s/comm", entry) > 0 &&
			strcmp(comm, name) == 0)
			pid = strtol(entry, NULL, 10);
	closedir(folder);
	return pid;
}

static void
judge_governor(struct tune *tune)
{
	const struct tune_cpus *cpus = tune->workers_named ? &tune->workers : &tune->online;
	struct tune_cpus slow = {0};
	char text[64], other[64] = "", list[96];
	unsigned known = 0;

	for (int cpu = tune_cpus_next(cpus, 0); cpu >= 0;
		cpu = tune_cpus_next(cpus, (unsigned)cpu + 1)) {
		if (tune_read(&tune->root, text, sizeof(text),
			    "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu) <= 0)
			continue;
		known++;
		if (strcmp(text, "performance") == 0)
			continue;
		snprintf(other, sizeof(other), "%.*s", (int)strcspn(text, "\n"), text);
		tune_cpus_add(&slow, (unsigned)cpu);
	}
	bool good = tune_cpus_count(&slow) == 0;
	struct tune_line *line =
		tune_line(&tune->report, good ? TUNE_GOOD : TUNE_BETTER, "frequency governor");
	if (known == 0) {
		tune_found(line, "none");
		tune_reason(line, "%s",
			tune->virtual_machine ? "the host decides on the frequency"
					      : "the firmware decides on the frequency: set it "
						"to maximum performance there");
		return;
	}
	tune_found(line, "%s", good ? "performance" : other);
	tune_reason(line, "%s%s", good ? "cores keep their speed" : "not performance on CPU ",
		good ? "" : tune_cpus_format(&slow, list, sizeof(list)));
	if (!good)
		tune_cure(line, "sallyctl tune --apply; to last: cpupower frequency-set -g "
				"performance in a unit of yours, or the firmware's setting");
}

static void
judge_watchdog(struct tune *tune)
{
	long on = 0;
	bool known = tune_read_number(&tune->root, &on, "/proc/sys/kernel/nmi_watchdog") && on != 0;
	struct tune_line *line =
		tune_line(&tune->report, known ? TUNE_BETTER : TUNE_GOOD, "NMI watchdog");

	tune_found(line, "%s", known ? "on" : "off");
	if (!known)
		return;
	tune_reason(line, "it interrupts each core every few seconds, and takes a counter");
	tune_cure(line, "sysctl kernel.nmi_watchdog=0; to last: in /etc/sysctl.d");
}

static void
judge_irqbalance(struct tune *tune)
{
	bool runs = tune_process_find(tune, "irqbalance") > 0;
	struct tune_cpus open = tune_cpus_minus(&tune->workers, &tune->isolated);
	bool harms = runs && tune_cpus_count(&open) > 0;
	struct tune_line *line =
		tune_line(&tune->report, harms ? TUNE_BETTER : TUNE_GOOD, "irqbalance");

	tune_found(line, "%s", runs ? "running" : "not running");
	if (!runs)
		tune_reason(line, "interrupts stay where the kernel put them");
	else if (!harms)
		tune_reason(line, "it leaves isolated CPUs alone, and the workers' are");
	if (!harms)
		return;
	tune_reason(line, "it moves interrupts to CPUs that are not isolated, the workers', too");
	tune_cure(line, "isolate the workers' CPUs, or name them in IRQBALANCE_BANNED_CPULIST "
			"(/etc/default/irqbalance), or: systemctl disable --now irqbalance");
}

static void
judge_mitigations(struct tune *tune)
{
	char value[64];
	bool off = tune_cmdline_get(tune->cmdline, "mitigations", value, sizeof(value)) &&
	           strcmp(value, "off") == 0;
	struct tune_line *line =
		tune_line(&tune->report, off ? TUNE_BETTER : TUNE_GOOD, "CPU mitigations");

	tune_found(line, "%s", off ? "off" : "as the kernel chooses");
	tune_reason(line, "%s",
		off ? "a worker makes no system calls, so that wins nothing; keys lie bare to "
		      "other programs"
		    : "they cost a worker, which makes no system calls, next to nothing");
	if (off)
		tune_cure(line, "take mitigations=off from the kernel's command line (reboot)");
}

void
tune_judge_kernel(struct tune *tune)
{
	judge_governor(tune);
	judge_watchdog(tune);
	judge_irqbalance(tune);
	judge_mitigations(tune);
}
