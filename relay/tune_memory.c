/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for packets and sessions: hugepages by node, and what the process may lock. */
#include "tune.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MB 256 /* of media.memory_mb */

uint32_t
tune_memory_wanted(const struct tune *tune)
{
	return tune->config != NULL ? tune->config->media.memory_mb : DEFAULT_MB;
}

static long
read_pages(const struct tune *tune, int node, unsigned kb, const char *which)
{
	long pages = 0;
	bool known = node < 0 ? tune_read_number(&tune->root, &pages,
					"/sys/kernel/mm/hugepages/hugepages-%ukB/%s", kb, which)
	                      : tune_read_number(&tune->root, &pages,
					"/sys/devices/system/node/node%d/hugepages/"
					"hugepages-%ukB/%s",
					node, kb, which);

	return known && pages > 0 && pages < 1L << 40 ? pages : 0;
}

void
tune_hugepages(const struct tune *tune, int node, long *total_mb, long *free_mb)
{
	static const unsigned sizes[] = {2048, 1048576}; /* kB, of x86 */

	*total_mb = *free_mb = 0;
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		*total_mb += read_pages(tune, node, sizes[i], "nr_hugepages") * (sizes[i] / 1024);
		*free_mb += read_pages(tune, node, sizes[i], "free_hugepages") * (sizes[i] / 1024);
	}
}

/* Ordinary pages are for trying Sallyport, not for a NIC's own driver. */
static bool
must_have(const struct tune *tune)
{
	if (tune->config == NULL || tune->config->media.memory == CONFIG_MEMORY_ORDINARY)
		return false;
	if (tune->config->media.memory == CONFIG_MEMORY_HUGEPAGES)
		return true;
	for (unsigned i = 0; i < tune->nics; i++)
		if (tune->nic[i].media && !tune->nic[i].by_kernel)
			return true;
	return false;
}

static void
judge_node(struct tune *tune, unsigned at)
{
	long wanted = (long)tune_memory_wanted(tune), total, free;
	bool used = tune->node_media[at];
	enum tune_verdict verdict = must_have(tune) ? TUNE_MISSING : TUNE_BETTER;
	struct tune_line *line;

	tune_hugepages(tune, tune->node[at], &total, &free);
	bool relay =
		total >= wanted && free < wanted && tune_process_find(tune, "sallyport-media") > 0;
	if (!used || free >= wanted || relay)
		verdict = TUNE_GOOD;
	if (tune->node[at] < 0)
		line = tune_line(&tune->report, verdict, "hugepages");
	else
		line = tune_line(&tune->report, verdict, "hugepages of node %d", tune->node[at]);
	tune_found(line, "%ld MiB, %ld MiB free", total, free);
	if (!used) {
		tune_reason(line, "no media NIC and no worker is here");
	} else if (relay) {
		tune_reason(line, "sallyport-media runs, and uses them");
	} else if (verdict == TUNE_GOOD) {
		tune_reason(line, "media.memory_mb is %ld", wanted);
	} else {
		tune_reason(line,
			"media.memory_mb is %ld; without, packets and sessions lie in pages of 4 "
			"kB, "
			"which cost speed%s",
			wanted,
			verdict == TUNE_MISSING ? ", and which a NIC's own driver can't use" : "");
		tune_cure(line, "sallyctl tune --apply (the sooner after a start, the surer); to "
				"last: on the "
				"kernel's command line, see below");
	}
}

static void
judge_transparent(struct tune *tune)
{
	char text[64];
	bool known = tune_read(&tune->root, text, sizeof(text),
			     "/sys/kernel/mm/transparent_hugepage/enabled") > 0;
	bool always = strstr(text, "[always]") != NULL;
	struct tune_line *line =
		tune_line(&tune->report, always ? TUNE_BETTER : TUNE_GOOD, "transparent hugepages");

	tune_found(line, "%s",
		!known                              ? "none"
		: always                            ? "always"
		: strstr(text, "[madvise]") != NULL ? "madvise"
						    : "never");
	tune_reason(line, "%s",
		always ? "the kernel moves pages about to make large ones, and halts "
			 "programs meanwhile"
		       : "the kernel moves no pages about unasked");
	if (always)
		tune_cure(line,
			"echo madvise >/sys/kernel/mm/transparent_hugepage/enabled; to last: "
			"transparent_hugepage=madvise on the kernel's command line");
}

/* The soft limit of "Max locked memory", in bytes; -1: none. False: it is not known. */
static bool
read_lock_limit(const struct tune *tune, long pid, long *limit)
{
	char text[4096], path[64];
	const char *name = "Max locked memory", *at;

	if (pid > 0)
		snprintf(path, sizeof(path), "/proc/%ld/limits", pid);
	else
		snprintf(path, sizeof(path), "/proc/self/limits");
	if (tune_read(&tune->root, text, sizeof(text), "%s", path) <= 0 ||
		(at = strstr(text, name)) == NULL)
		return false;
	at += strlen(name);
	at += strspn(at, " ");
	if (strncmp(at, "unlimited", 9) == 0)
		*limit = -1;
	else
		*limit = strtol(at, NULL, 10);
	return *at != '\0';
}

static void
judge_lock(struct tune *tune)
{
	long pid = tune_process_find(tune, "sallyport-media"), limit = 0;
	long wanted = (long)tune_memory_wanted(tune);
	bool known = read_lock_limit(tune, pid, &limit);
	bool good = known && (limit < 0 || limit >> 20 >= wanted);
	struct tune_line *line =
		tune_line(&tune->report, good ? TUNE_GOOD : TUNE_BETTER, "memory lock limit");

	if (!known)
		tune_found(line, "not known");
	else if (limit < 0)
		tune_found(line, "unlimited, of %s", pid > 0 ? "sallyport-media" : "this shell");
	else
		tune_found(line, "%ld MiB, of %s", limit >> 20,
			pid > 0 ? "sallyport-media" : "this shell");
	if (good) {
		tune_reason(line, "vfio may pin the packets' memory");
		return;
	}
	tune_reason(line, "vfio pins %ld MiB of packets' memory; root may, others need the limit",
		wanted);
	tune_cure(line, "start sallyport-media by its systemd unit, which has "
			"LimitMEMLOCK=infinity, or after: ulimit -l unlimited");
}

void
tune_judge_memory(struct tune *tune)
{
	for (unsigned i = 0; i < tune->nodes; i++)
		judge_node(tune, i);
	judge_transparent(tune);
	judge_lock(tune);
}
