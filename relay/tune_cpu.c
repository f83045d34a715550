/* SPDX-License-Identifier: BSD-3-Clause */
/* The CPUs: what they are, and which crypto engine runs on them. */
#include "tune.h"

#include <stdio.h>
#include <string.h>

#define CPUINFO_SIZE 16384 /* the first CPU's paragraph is a quarter of that */

/* The value of the first line "name : value", after a blank. False: there is none. */
static bool
find_value(const char *info, const char *name, char *value, size_t size)
{
	size_t length = strlen(name);

	value[0] = '\0';
	for (const char *at = info; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, name, length) != 0)
			continue;
		const char *colon = at + length + strspn(at + length, " ");
		if (*colon != ':')
			continue;
		snprintf(value, size, "%.*s", (int)strcspn(colon + 1, "\n"), colon + 1);
		return true;
	}
	return false;
}

static void
find_nodes(struct tune *tune)
{
	char text[4096];
	struct tune_cpus nodes;

	if (tune_read(&tune->root, text, sizeof(text), "/sys/devices/system/node/online") > 0 &&
		tune_cpus_parse(text, &nodes) == 0)
		for (int node = tune_cpus_next(&nodes, 0);
			node >= 0 && tune->nodes < TUNE_NODES_MAX;
			node = tune_cpus_next(&nodes, (unsigned)node + 1))
			tune->node[tune->nodes++] = node;
	for (unsigned i = 0; i < tune->nodes; i++)
		if (tune_read(&tune->root, text, sizeof(text),
			    "/sys/devices/system/node/node%d/cpulist", tune->node[i]) > 0)
			tune_cpus_parse(text, &tune->node_cpus[i]);
	if (tune->nodes == 0) { /* a kernel without NUMA: all of it is one node */
		tune->nodes = 1;
		tune->node[0] = -1;
		tune->node_cpus[0] = tune->online;
	}
}

void
tune_find_cpus(struct tune *tune)
{
	char info[CPUINFO_SIZE], text[4096], vendor[64];

	tune_read(&tune->root, info, sizeof(info), "/proc/cpuinfo");
	if (find_value(info, "flags", tune->flags, sizeof(tune->flags) - 1))
		strcat(tune->flags, " ");
	find_value(info, "vendor_id", vendor, sizeof(vendor));
	tune->intel = strstr(vendor, "GenuineIntel") != NULL;
	tune->virtual_machine = tune_has_flag(tune, "hypervisor");
	tune_read(&tune->root, tune->cmdline, sizeof(tune->cmdline), "/proc/cmdline");
	if (tune_read(&tune->root, text, sizeof(text), "/sys/devices/system/cpu/online") > 0)
		tune_cpus_parse(text, &tune->online);
	if (tune_read(&tune->root, text, sizeof(text), "/sys/devices/system/cpu/isolated") < 0)
		tune_cmdline_cpus(tune->cmdline, "isolcpus", &tune->isolated);
	else
		tune_cpus_parse(text, &tune->isolated);
	find_nodes(tune);
}

bool
tune_has_flag(const struct tune *tune, const char *flag)
{
	char word[64];

	snprintf(word, sizeof(word), " %s ", flag);
	return strstr(tune->flags, word) != NULL;
}

int
tune_node_of(const struct tune *tune, unsigned cpu)
{
	for (unsigned i = 0; i < tune->nodes; i++)
		if (tune_cpus_has(&tune->node_cpus[i], cpu))
			return tune->node[i];
	return -1;
}

struct tune_cpus
tune_siblings(const struct tune *tune, unsigned cpu)
{
	struct tune_cpus siblings;
	char text[1024];

	if (tune_read(&tune->root, text, sizeof(text),
		    "/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu) <= 0 ||
		tune_cpus_parse(text, &siblings) != 0)
		siblings = (struct tune_cpus){0};
	tune_cpus_add(&siblings, cpu);
	return siblings;
}

/* The engines of sallyport-media, best first, and the flags that each asks for: the same as its own
 * code looks for by CPUID. */
static const struct engine {
	const char *name;
	const char *flags[8];
	const char *is;
} engines[] = {
	{"avx512",
		{"avx512f", "avx512bw", "avx512vl", "avx512_vbmi2", "vaes", "sse4_2", "aes", NULL},
		"AVX-512 with VAES: HMACs of 16 packets side by side"},
	{"avx2", {"avx2", "sse4_2", "aes", NULL}, "AVX2: HMACs of 8 packets side by side"},
	{"ipsec-mb", {"sse4_2", "aes", NULL}, "Intel's library alone, on SSE4.2 and AES-NI"},
};
#define ENGINES (sizeof(engines) / sizeof(engines[0]))

/* The first flag that the CPU lacks for the engine, or NULL. */
static const char *
lacks(const struct tune *tune, const struct engine *engine)
{
	for (const char *const *flag = engine->flags; *flag != NULL; flag++)
		if (!tune_has_flag(tune, *flag))
			return *flag;
	return NULL;
}

/* The same for a sentence. */
static const char *
lacks_what(const struct tune *tune, const struct engine *engine)
{
	const char *flag = lacks(tune, engine);

	return flag != NULL ? flag : "nothing";
}

static void
judge_best(struct tune *tune, unsigned best, const char *model)
{
	enum tune_verdict verdict = best == ENGINES ? TUNE_MISSING
	                            : best == 0     ? TUNE_GOOD
	                                            : TUNE_BETTER;
	struct tune_line *line = tune_line(&tune->report, verdict, "crypto engine");

	if (best == ENGINES) {
		tune_found(line, "none%s", model);
		tune_reason(line, "every engine needs SSE4.2 and AES-NI, and the CPU shows no %s",
			lacks_what(tune, &engines[ENGINES - 1]));
	} else {
		tune_found(line, "%s%s", engines[best].name, model);
		tune_reason(line, "%s%s%s", engines[best].is,
			best > 0 ? "; for the next better one the CPU lacks " : "",
			best > 0 ? lacks_what(tune, &engines[best - 1]) : "");
	}
	if (best > 0)
		tune_cure(line, "%s",
			tune->virtual_machine ? "let the hypervisor pass the host's CPU on (model "
						"\"host\"), or move to a newer host"
					      : "use a CPU with AVX-512 and VAES: Ice Lake, Zen 4 "
						"or later");
}

static void
judge_configured(struct tune *tune, unsigned best)
{
	const char *name = tune->config->media.engine;
	unsigned at = 0;

	while (at < ENGINES && strcmp(engines[at].name, name) != 0)
		at++;
	if (at == ENGINES) /* auto */
		return;
	struct tune_line *line = tune_line(&tune->report,
		at < best   ? TUNE_MISSING
		: at > best ? TUNE_BETTER
			    : TUNE_GOOD,
		"media.engine");
	tune_found(line, "%s", name);
	if (at < best) {
		tune_reason(line,
			"the CPU lacks %s: sallyport-media refuses to start with this engine",
			lacks_what(tune, &engines[at]));
		tune_cure(line, "set media.engine: auto");
	} else if (at > best) {
		tune_reason(line, "the CPU runs %s, too", engines[best].name);
		tune_cure(line, "set media.engine: auto; it takes what is fastest here");
	}
}

static void
judge_flags(struct tune *tune)
{
	bool sha = tune_has_flag(tune, "sha_ni") && tune_has_flag(tune, "ssse3") &&
	           tune_has_flag(tune, "sse4_1");
	bool steady = tune_has_flag(tune, "constant_tsc") && tune_has_flag(tune, "nonstop_tsc");
	struct tune_line *line =
		tune_line(&tune->report, sha ? TUNE_GOOD : TUNE_BETTER, "SHA extensions");

	tune_found(line, "%s", sha ? "sha_ni" : "none");
	tune_reason(line, "%s",
		sha ? "the few packets that fill no wide register are fast, too"
		    : "the few packets that fill no wide register take longer");
	if (!sha)
		tune_cure(line, "nothing on this CPU: Ice Lake, Zen and later have them");
	line = tune_line(&tune->report, steady ? TUNE_GOOD : TUNE_BETTER, "clock");
	tune_found(line, "%s", steady ? "steady TSC" : "no steady TSC");
	tune_reason(line, "%s",
		steady ? "workers tell time without a system call"
		       : "a worker's clock runs with the CPU's frequency, or stops");
	if (!steady)
		tune_cure(line, "keep the frequency fixed and deep sleep off in the firmware%s",
			tune->virtual_machine ? " of the host" : "");
}

void
tune_judge_cpus(struct tune *tune)
{
	char info[CPUINFO_SIZE], name[96], model[112] = "";
	unsigned best = 0;

	tune_read(&tune->root, info, sizeof(info), "/proc/cpuinfo");
	if (find_value(info, "model name", name, sizeof(name)))
		snprintf(model, sizeof(model), ", on%s", name);
	while (best < ENGINES && lacks(tune, &engines[best]) != NULL)
		best++;
	judge_best(tune, best, model);
	if (tune->config != NULL)
		judge_configured(tune, best);
	judge_flags(tune);
}
