/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text in the files that sallyctl tune reads: a report whose lines are whole, can be shown, and
 * have a cure where there is something to cure. The input is texts, each up to its NUL: a letter
 * for the file, and what stands in it. All of it is read as a list of CPUs, too. */
#include "fuzz.h"
#include "relay/sallyctl.h"
#include "relay/tune.h"

#include <jansson.h>

#define PCI "/sys/bus/pci/devices/0000:3b:00.0"
#define NODE "/sys/devices/system/node"

/* The box as it is without an input: what it says, by letters from "a" on. */
static const struct file {
	const char *path;
	const char *text;
} files[] = {
	{"/proc/cpuinfo", "vendor_id\t: GenuineIntel\nflags\t\t: sse4_2 aes avx2\n"},
	{"/proc/cmdline", "isolcpus=managed_irq,2-3 default_hugepagesz=1G iommu=pt\n"},
	{"/sys/devices/system/cpu/online", "0-3\n"},
	{"/sys/devices/system/cpu/isolated", "2-3\n"},
	{"/sys/devices/system/cpu/nohz_full", "2\n"},
	{"/sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0,2\n"},
	{"/sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "powersave\n"},
	{NODE "/online", "0-1\n"},
	{NODE "/node0/cpulist", "0-1\n"},
	{NODE "/node1/cpulist", "2-3\n"},
	{NODE "/node0/hugepages/hugepages-2048kB/nr_hugepages", "512\n"},
	{NODE "/node0/hugepages/hugepages-2048kB/free_hugepages", "500\n"},
	{"/proc/net/route", "Iface\tDestination\neth1\t00000000\n"},
	{"/proc/net/if_inet6", "fe80000000000000 02 40 20 80 eth0\n"},
	{"/proc/77/comm", "irqbalance\n"},
	{"/proc/self/limits", "Max locked memory         65536   65536    bytes\n"},
	{"/proc/sys/kernel/nmi_watchdog", "1\n"},
	{"/proc/sys/kernel/osrelease", "6.1.0-13-amd64\n"},
	{"/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n"},
	{"/sys/kernel/iommu_groups/0/type", "DMA\n"},
	{"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n"},
	{PCI "/class", "0x020000\n"},
	{PCI "/vendor", "0x8086\n"},
	{PCI "/device", "0x1592\n"},
	{PCI "/numa_node", "0\n"},
	{PCI "/net/eth0/speed", "100000\n"},
	{PCI "/net/eth0/carrier", "1\n"},
	{"/ethtool/eth0.json", "{\"queues\": 8, \"rss_udp4\": \"sdfn\", \"tx_checksum\": true}\n"},
	{"/etc/sallyport/sallyport.yaml",
		"media:\n  workers: 2\n  cpus: [2, 3]\n  interfaces:\n    - name: access\n"
		"      device: 0000:3b:00.0\n      address: 192.0.2.1/24\n"},
};
#define FILES (sizeof(files) / sizeof(files[0]))

static char top[] = "/dev/shm/sallyport-fuzz-XXXXXX";

int sallyctl_print_json(json_t *json);

/* In the place of sallyctl.c's. */
int
sallyctl_print_json(json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	demand(text != NULL, "a report that is no JSON");
	free(text);
	json_decref(json);
	return SALLYCTL_OK;
}

static const char *
place(const char *path)
{
	static char whole[256];

	snprintf(whole, sizeof(whole), "%s%s", top, path);
	return whole;
}

static void
make_folders(char *path)
{
	for (char *at = path + strlen(top) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
}

static void
put(const struct file *file)
{
	fuzz_write(place(file->path), file->text, strlen(file->text));
}

static void
remove_all(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", top);
	demand(system(command) == 0, "the folder stays");
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char path[256];

	demand(mkdtemp(top) != NULL, "no folder in /dev/shm");
	atexit(remove_all);
	for (size_t i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s", place(files[i].path));
		make_folders(path);
		put(&files[i]);
	}
	snprintf(path, sizeof(path), "%s", place("/sys/class/net/eth0"));
	make_folders(path);
	demand(symlink("../../bus/pci/devices/0000:3b:00.0/net/eth0", path) == 0, "no link");
	snprintf(path, sizeof(path), "%s", place(PCI "/driver"));
	demand(symlink("../../../../bus/pci/drivers/ice", path) == 0, "no link");
	demand(freopen("/dev/null", "w", stdout) != NULL, "no /dev/null");
	return 0;
}

static void
check(const struct tune *tune)
{
	const struct tune_report *report = &tune->report;

	demand(report->lines > 0 && report->lines <= TUNE_LINES_MAX && tune->nics <= TUNE_NICS_MAX,
		"no line, or too many");
	demand(tune->nodes > 0 && tune->nodes <= TUNE_NODES_MAX, "no node, or too many");
	for (unsigned i = 0; i < report->lines; i++) {
		const struct tune_line *line = &report->line[i];
		demand(!has_control(line->item) && !has_control(line->found) &&
				!has_control(line->reason) && !has_control(line->cure),
			"a line that paints or breaks");
		demand(line->item[0] != '\0' && line->found[0] != '\0', "a line of nothing");
		demand(line->verdict == TUNE_GOOD || line->reason[0] != '\0',
			"a verdict without a reason");
		demand(line->verdict == TUNE_GOOD || line->cure[0] != '\0',
			"a verdict without a cure");
	}
	demand(!has_control(report->boot), "parameters of two lines");
	tune_print(report, false);
	tune_print_json(report);
}

static void
look(const struct config *config)
{
	struct tune *tune = calloc(1, sizeof(*tune));

	demand(tune != NULL && tune_root_open(&tune->root, top) == 0, "the root can't be opened");
	tune->config = config;
	tune_find_cpus(tune);
	tune_find_nics(tune);
	tune_choose_workers(tune);
	tune_judge_cpus(tune);
	tune_judge_workers(tune);
	tune_judge_kernel(tune);
	tune_judge_memory(tune);
	tune_judge_vfio(tune);
	tune_judge_nics(tune);
	tune_boot_parameters(tune, tune->report.boot, sizeof(tune->report.boot));
	check(tune);
	tune_root_close(&tune->root);
	free(tune);
}

/* What is written of a list is the same list; one that is refused is empty. */
static void
check_list(const char *text)
{
	struct tune_cpus cpus, again;
	char written[16384], part[32];

	if (tune_cpus_parse(text, &cpus) != 0) {
		demand(tune_cpus_count(&cpus) == 0, "refused, and not empty");
		return;
	}
	tune_cpus_format(&cpus, written, sizeof(written));
	if (tune_cpus_count(&cpus) == 0)
		demand(strcmp(written, "none") == 0, "none has another name");
	else
		demand(tune_cpus_parse(written, &again) == 0 &&
				memcmp(&cpus, &again, sizeof(cpus)) == 0,
			"what is written of it is another list");
	demand(strlen(tune_cpus_format(&cpus, part, sizeof(part))) < sizeof(part), "too long");
	tune_cmdline_cpus(text, "isolcpus", &cpus);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = text_of(data, size), *rest = text, error[512];
	bool changed[FILES] = {false};
	struct config *config = NULL;

	check_list(text);
	while (rest < text + size) {
		const char *one = take_text(&rest, text + size);
		size_t which = (size_t)(unsigned char)one[0] - 'a';
		if (one[0] == '\0' || which >= FILES)
			continue;
		changed[which] = true;
		fuzz_write(place(files[which].path), one + 1, strlen(one + 1));
	}
	if (config_load(place("/etc/sallyport/sallyport.yaml"), &config, error, sizeof(error)) != 0)
		config = NULL;
	look(config);
	config_free(config);
	for (size_t i = 0; i < FILES; i++)
		if (changed[i])
			put(&files[i]);
	free(text);
	return 0;
}
