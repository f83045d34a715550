/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcores.h"

#include <errno.h>
#include <pthread.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define CPU_MAX CPU_SETSIZE

/* "0-3,8" of a set. */
static void
format_cpus(const cpu_set_t *set, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (int cpu = 0; cpu < CPU_MAX; cpu++) {
		int last = cpu;
		if (!CPU_ISSET(cpu, set))
			continue;
		while (last + 1 < CPU_MAX && CPU_ISSET(last + 1, set))
			last++;
		int length = last == cpu ? snprintf(text + used, size - used, "%s%d",
						   used > 0 ? "," : "", cpu)
		                         : snprintf(text + used, size - used, "%s%d-%d",
						   used > 0 ? "," : "", cpu, last);
		if (length < 0 || (size_t)length >= size - used)
			return;
		used += (size_t)length;
		cpu = last;
	}
}

/* The CPU of each worker: as configured, else those allowed from the last to the first, so that the
 * first, where the kernel does most of its own work, is taken last; then around again. */
static int
choose_cpus(const struct config_media *config, const cpu_set_t *allowed, int *cpus, char *error,
	size_t error_size)
{
	int cpu = 0;

	for (unsigned i = 0; i < config->workers; i++) {
		if (config->cpus_count > 0) {
			char text[128];
			uint32_t wanted = config->cpus[i % config->cpus_count];
			if (wanted < CPU_MAX && CPU_ISSET(wanted, allowed)) {
				cpus[i] = (int)wanted;
				continue;
			}
			format_cpus(allowed, text, sizeof(text));
			snprintf(error, error_size,
				"media.cpus: CPU %u is not one that this process may run on (%s)",
				wanted, text);
			return -EINVAL;
		}
		do {
			cpu = (cpu + CPU_MAX - 1) % CPU_MAX;
		} while (!CPU_ISSET(cpu, allowed));
		cpus[i] = cpu;
	}
	return 0;
}

int
lcores_map(
	const struct config_media *config, char *text, size_t size, char *error, size_t error_size)
{
	cpu_set_t allowed, rest;
	int cpus[RTE_MAX_LCORE];
	size_t used;

	if (config->workers >= RTE_MAX_LCORE) {
		snprintf(error, error_size, "media.workers: at most %d", RTE_MAX_LCORE - 1);
		return -EINVAL;
	}
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) {
		int cause = errno;
		snprintf(error, error_size, "the CPUs of this process can't be read: %s",
			strerror(cause));
		return -cause;
	}
	int result = choose_cpus(config, &allowed, cpus, error, error_size);
	if (result != 0)
		return result;

	rest = allowed;
	for (unsigned i = 0; i < config->workers; i++)
		CPU_CLR(cpus[i], &rest);
	if (CPU_COUNT(&rest) == 0)
		rest = allowed;
	snprintf(text, size, "0@(");
	format_cpus(&rest, text + 3, size / 2);
	used = strlen(text);
	used += (size_t)snprintf(text + used, size - used, ")");
	for (unsigned i = 0; i < config->workers && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, ",%u@%d", i + 1, cpus[i]);
	return used < size ? 0 : -ENOSPC;
}

/* On the worker's own thread. */
static int
prefer_this_thread(void *unused)
{
	const struct sched_param lowest = {.sched_priority = sched_get_priority_min(SCHED_RR)};

	(void)unused;
	return -pthread_setschedparam(pthread_self(), SCHED_RR, &lowest);
}

int
lcores_prefer_workers(void)
{
	unsigned lcore;
	int result = 0;

	RTE_LCORE_FOREACH_WORKER (lcore) {
		int launched = rte_eal_remote_launch(prefer_this_thread, NULL, lcore);
		if (launched == 0)
			launched = rte_eal_wait_lcore(lcore);
		if (launched != 0)
			result = launched;
	}
	return result;
}
