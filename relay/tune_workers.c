/* SPDX-License-Identifier: BSD-3-Clause */
/* The CPUs that workers have, or should have: alone on their cores, and near their NIC. */
#include "tune.h"

#include <stdio.h>
#include <string.h>

#define LIST_TEXT 96

unsigned
tune_workers_wanted(const struct tune *tune)
{
	return tune->config != NULL ? tune->config->media.workers : 1;
}

static bool
is_media_node(const struct tune *tune, int node)
{
	for (unsigned i = 0; i < tune->nodes; i++)
		if (tune->node[i] == node)
			return tune->node_media[i];
	return false;
}

/* One CPU of each core, isolated ones if there are any, else without the first core, which the
 * kernel's own work likes best. */
static void
propose(struct tune *tune, bool near)
{
	struct tune_cpus taken = tune_siblings(tune, 0);
	bool isolated = tune_cpus_count(&tune->isolated) > 0;
	const struct tune_cpus *from = isolated ? &tune->isolated : &tune->online;
	unsigned wanted = tune_workers_wanted(tune);

	for (int cpu = tune_cpus_next(from, 0);
		cpu >= 0 && tune_cpus_count(&tune->workers) < wanted;
		cpu = tune_cpus_next(from, (unsigned)cpu + 1)) {
		struct tune_cpus core = tune_siblings(tune, (unsigned)cpu);
		if (!tune_cpus_has(&tune->online, (unsigned)cpu) ||
			tune_cpus_has(&taken, (unsigned)cpu) ||
			(near && !is_media_node(tune, tune_node_of(tune, (unsigned)cpu))))
			continue;
		tune_cpus_add(&tune->workers, (unsigned)cpu);
		for (unsigned i = 0; i < TUNE_CPUS_MAX / 64; i++)
			taken.bits[i] |= core.bits[i];
	}
	if (tune_cpus_count(&tune->workers) < wanted)
		tune->workers = (struct tune_cpus){0};
}

/* Packets live on the nodes of the NICs; where those are not known, on the workers'. */
static void
find_media_nodes(struct tune *tune)
{
	bool any = false;

	for (unsigned n = 0; n < tune->nics; n++)
		for (unsigned i = 0; i < tune->nodes; i++)
			if (tune->nic[n].media && tune->nic[n].node == tune->node[i] &&
				tune->config != NULL)
				any = tune->node_media[i] = true;
	for (int cpu = tune_cpus_next(&tune->workers, 0); !any && cpu >= 0;
		cpu = tune_cpus_next(&tune->workers, (unsigned)cpu + 1))
		for (unsigned i = 0; i < tune->nodes; i++)
			if (tune_cpus_has(&tune->node_cpus[i], (unsigned)cpu))
				tune->node_media[i] = true;
	for (unsigned i = 0; i < tune->nodes; i++)
		any = any || tune->node_media[i];
	if (!any)
		tune->node_media[0] = true;
}

void
tune_choose_workers(struct tune *tune)
{
	tune->workers_named = tune->config != NULL && tune->config->media.cpus_count > 0;
	if (tune->workers_named)
		for (unsigned i = 0; i < tune->config->media.cpus_count; i++)
			tune_cpus_add(&tune->workers, tune->config->media.cpus[i]);
	find_media_nodes(tune);
	if (tune->workers_named)
		return;
	propose(tune, true);
	if (tune_cpus_count(&tune->workers) == 0)
		propose(tune, false);
}

static void
judge_named(struct tune *tune, const char *cpus)
{
	struct tune_cpus gone = tune_cpus_minus(&tune->workers, &tune->online);
	unsigned wanted = tune_workers_wanted(tune), most = tune_cpus_count(&tune->online);
	char text[LIST_TEXT];
	struct tune_line *line = tune_line(&tune->report, TUNE_GOOD, "workers");

	if (!tune->workers_named) {
		line->verdict = TUNE_BETTER;
		tune_found(line, "%u, media.cpus not set", wanted);
		tune_reason(line, "they run on any CPU that the process may use, beside others");
		if (tune_cpus_count(&tune->workers) > 0)
			tune_cure(line, "set media.cpus: [%s]", cpus);
		else
			tune_cure(line,
				"set media.cpus; the box has %u CPUs: lower media.workers, "
				"or take a bigger one",
				most);
		return;
	}
	tune_found(line, "%u on CPUs %s", wanted, cpus);
	if (tune_cpus_count(&gone) > 0) {
		line->verdict = TUNE_MISSING;
		tune_reason(line, "no CPU %s is online: sallyport-media refuses to start",
			tune_cpus_format(&gone, text, sizeof(text)));
		tune_cure(line, "name CPUs of this box in media.cpus");
	}
}

/* Takes the kernel what belongs to the workers? `is` are the CPUs that it leaves alone. */
static void
judge_left_alone(struct tune *tune, const char *item, const char *parameter,
	const struct tune_cpus *is, const char *why)
{
	struct tune_cpus open = tune_cpus_minus(&tune->workers, is);
	char text[LIST_TEXT], has[LIST_TEXT];
	bool none = tune_cpus_count(&tune->workers) == 0;
	bool good = !none && tune_cpus_count(&open) == 0;
	struct tune_line *line =
		tune_line(&tune->report, good ? TUNE_GOOD : TUNE_BETTER, "%s", item);

	tune_found(line, "%s", tune_cpus_format(is, has, sizeof(has)));
	if (good) {
		tune_reason(line, "all of the workers' CPUs (%s)",
			tune_cpus_format(&tune->workers, text, sizeof(text)));
	} else if (none) {
		tune_reason(line, "with so few CPUs none can be set apart: %s", why);
		tune_cure(line, "take a box with more cores than workers");
	} else {
		tune_cpus_format(&open, text, sizeof(text));
		tune_reason(line, "on CPU %s %s", text, why);
		tune_cure(line, "boot with %s%s (reboot)", parameter,
			tune_cpus_format(&tune->workers, text, sizeof(text)));
	}
}

static void
judge_siblings(struct tune *tune)
{
	struct tune_cpus shared = {0};
	char text[LIST_TEXT];
	bool any = false;

	for (int cpu = tune_cpus_next(&tune->workers, 0); cpu >= 0;
		cpu = tune_cpus_next(&tune->workers, (unsigned)cpu + 1)) {
		struct tune_cpus core = tune_siblings(tune, (unsigned)cpu);
		for (int other = tune_cpus_next(&core, 0); other >= 0;
			other = tune_cpus_next(&core, (unsigned)other + 1)) {
			any = any || other != cpu;
			if (other != cpu && tune_cpus_has(&tune->online, (unsigned)other) &&
				(tune_cpus_has(&tune->workers, (unsigned)other) ||
					!tune_cpus_has(&tune->isolated, (unsigned)other)))
				tune_cpus_add(&shared, (unsigned)cpu);
		}
	}
	bool good = tune_cpus_count(&shared) == 0;
	struct tune_line *line = tune_line(&tune->report, good ? TUNE_GOOD : TUNE_BETTER, "SMT");
	tune_found(line, "%s", any ? "cores run two threads or more" : "one thread a core");
	if (good) {
		tune_reason(line, "no worker shares its core");
		return;
	}
	tune_reason(line, "workers on CPU %s share their core with others: it is half theirs",
		tune_cpus_format(&shared, text, sizeof(text)));
	tune_cure(line, "a worker on one thread of each core, and the other one isolated or off "
			"(echo 0 >/sys/devices/system/cpu/cpuN/online, or nosmt)");
}

static void
judge_distance(struct tune *tune)
{
	struct tune_cpus far = {0};
	char text[LIST_TEXT];

	for (int cpu = tune_cpus_next(&tune->workers, 0); cpu >= 0;
		cpu = tune_cpus_next(&tune->workers, (unsigned)cpu + 1))
		if (!is_media_node(tune, tune_node_of(tune, (unsigned)cpu)))
			tune_cpus_add(&far, (unsigned)cpu);
	bool good = tune_cpus_count(&far) == 0;
	struct tune_line *line =
		tune_line(&tune->report, good ? TUNE_GOOD : TUNE_BETTER, "NUMA nodes");
	tune_found(line, "%u", tune->nodes);
	if (good) {
		tune_reason(line, "%s",
			tune->nodes == 1 ? "all memory is near"
					 : "workers are on the nodes of their NICs");
		return;
	}
	tune_reason(line, "CPU %s is on another node than every NIC: each packet crosses over",
		tune_cpus_format(&far, text, sizeof(text)));
	for (unsigned i = 0; i < tune->nodes; i++)
		if (tune->node_media[i])
			tune_cure(line, "choose media.cpus of node %d: %s", tune->node[i],
				tune_cpus_format(&tune->node_cpus[i], text, sizeof(text)));
}

void
tune_judge_workers(struct tune *tune)
{
	char text[4096];
	struct tune_cpus ticks = {0}, callbacks = {0};

	if (tune->config != NULL)
		judge_named(tune, tune_cpus_format(&tune->workers, text, LIST_TEXT));
	judge_left_alone(tune, "isolated cores", "isolcpus=managed_irq,domain,", &tune->isolated,
		"other programs and interrupts take a worker's time");
	if (tune_read(&tune->root, text, sizeof(text), "/sys/devices/system/cpu/nohz_full") < 0 ||
		tune_cpus_parse(text, &ticks) != 0)
		tune_cmdline_cpus(tune->cmdline, "nohz_full", &ticks);
	judge_left_alone(tune, "no timer ticks", "nohz_full=", &ticks,
		"the timer interrupts a worker up to 1000 times a second");
	tune_cmdline_cpus(tune->cmdline, "rcu_nocbs", &callbacks);
	/* nohz_full brings it along */
	for (unsigned i = 0; i < TUNE_CPUS_MAX / 64; i++)
		callbacks.bits[i] |= ticks.bits[i];
	judge_left_alone(tune, "no RCU callbacks", "rcu_nocbs=", &callbacks,
		"the kernel's deferred work runs, too");
	judge_siblings(tune);
	judge_distance(tune);
}
