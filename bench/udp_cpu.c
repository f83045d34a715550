/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_load.h"

#include <dirent.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* schedstat: ns on a CPU, ns of waiting for one. The time on a CPU holds the network's soft
 * interrupts that the task raised by itself, unless the kernel counts these apart
 * (CONFIG_IRQ_TIME_ACCOUNTING), to the relay's advantage. */
static void
add_task(const char *folder, const char *task, struct cpu *cpu)
{
	char name[512];
	unsigned long long on_cpu = 0, waited = 0;

	snprintf(name, sizeof(name), "%s/%s/schedstat", folder, task);
	FILE *file = fopen(name, "r");
	if (file == NULL)
		return; /* it has ended */
	if (fscanf(file, "%llu %llu", &on_cpu, &waited) != 2)
		fail("%s has no numbers: is the kernel built without CONFIG_SCHED_INFO?", name);
	fclose(file);
	cpu->process += on_cpu;
	cpu->waited += waited;
}

static void
process_time(int pid, struct cpu *cpu)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "/proc/%d/task", pid);
	DIR *tasks = opendir(folder);
	if (tasks == NULL)
		fail("process %d is gone: see its log", pid);
	for (const struct dirent *entry; (entry = readdir(tasks)) != NULL;)
		if (entry->d_name[0] != '.')
			add_task(folder, entry->d_name, cpu);
	closedir(tasks);
}

/* proc(5): cpuN user nice system idle iowait irq softirq steal ... in clock ticks */
static uint64_t
stolen_time(unsigned core)
{
	unsigned long long stolen = 0;
	char line[512], wanted[16];
	bool found = false;
	FILE *file = fopen("/proc/stat", "r");

	snprintf(wanted, sizeof(wanted), "cpu%u ", core);
	while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
		found = strncmp(line, wanted, strlen(wanted)) == 0 &&
		        sscanf(line, "%*s %*u %*u %*u %*u %*u %*u %*u %llu", &stolen) == 1;
	if (file != NULL)
		fclose(file);
	if (!found)
		fail("/proc/stat tells nothing of core %u: name one that is there", core);
	return stolen * (SECOND / (uint64_t)sysconf(_SC_CLK_TCK));
}

void
cpu_read(int pid, unsigned core, struct cpu *cpu)
{
	*cpu = (struct cpu){.stolen = stolen_time(core)};
	process_time(pid, cpu);
	cpu->wall = now_ns();
}

double
cpu_share(const struct cpu *before, const struct cpu *after)
{
	double wall = (double)(after->wall - before->wall);
	double waited = (double)(after->waited - before->waited);
	double stolen = (double)(after->stolen - before->stolen);
	double share = 1 - (waited + stolen) / wall;

	return share > 0 ? share : 0;
}
