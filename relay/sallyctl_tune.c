/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl tune: its command line, and the order of its work. */
#include "sallyctl_tune.h"

#include "tune.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "etc/sallyport/sallyport.yaml"

static const char usage[] =
	"Usage: sallyctl tune [--apply [--bind PCI]...] [--config FILE] [--root DIR] [--json]\n"
	"\n"
	"Looks at what this box offers a relay and what it lacks: CPU and crypto engine,\n"
	"isolated cores, hugepages, IOMMU and vfio, each NIC. Each line has a verdict, the\n"
	"reason, and what to do. It needs no relay, and judges by the configuration, where\n"
	"there is one.\n"
	"\n"
	"  -A, --apply        do what is safe while the box runs: reserve hugepages on the\n"
	"                     nodes of the NICs, set the frequency governor to performance,\n"
	"                     load vfio-pci and bind the NICs to it that media.interfaces\n"
	"                     names. What wants a reboot is printed. A NIC with the box's own\n"
	"                     addresses is left alone.\n"
	"  -b, --bind PCI     with --apply: bind this NIC, whatever it carries (0000:3b:00.0)\n"
	"  -c, --config FILE  the configuration (default /" DEFAULT_CONFIG " below the root, if\n"
	"                     it is there)\n"
	"  -r, --root DIR     look at, and write to, /proc and /sys below DIR\n"
	"  -j, --json         JSON instead of a table\n"
	"  -h, --help         this text; docs/tuning.md explains each line\n"
	"\n"
	"Verdicts: good; could be better: it works, and would work better; missing: a relay as\n"
	"configured can't do without.\n"
	"\n"
	"Examples:\n"
	"  sallyctl tune                                what to do about this box\n"
	"  sallyctl tune --apply                        and do it\n"
	"  sallyctl tune --json | jq '.lines[] | select(.verdict != \"good\")'\n"
	"\n"
	"Exit status: 0 nothing is missing; 1 something is; 2 wrong usage, or a wrong\n"
	"configuration.\n";

struct tune_options {
	const char *root;
	const char *config;
	bool json;
	bool apply;
	const char *bind[TUNE_BINDS_MAX];
	unsigned binds;
};

static int
wrong(const char *what, const char *word)
{
	fprintf(stderr, "sallyctl tune: %s%s%s%s\nTry: sallyctl tune --help\n", what,
		word != NULL ? " \"" : "", word != NULL ? word : "", word != NULL ? "\"" : "");
	return SALLYCTL_USAGE;
}

static int
add_bind(struct tune_options *options, const char *pci)
{
	if (!tune_pci_is(pci))
		return wrong("no PCI address as 0000:3b:00.0:", pci);
	if (options->binds == TUNE_BINDS_MAX)
		return wrong("too many --bind", NULL);
	options->bind[options->binds++] = pci;
	return SALLYCTL_OK;
}

static int
parse(int argc, char **argv, struct tune_options *options)
{
	static const struct option known[] = {
		{"apply", no_argument, NULL, 'A'},
		{"bind", required_argument, NULL, 'b'},
		{"config", required_argument, NULL, 'c'},
		{"root", required_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "Ab:c:r:jh", known, NULL)) != -1) {
		switch (option) {
		case 'A':
			options->apply = true;
			break;
		case 'b':
			if (add_bind(options, optarg) != SALLYCTL_OK)
				return SALLYCTL_USAGE;
			break;
		case 'c':
			options->config = optarg;
			break;
		case 'r':
			options->root = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(SALLYCTL_OK);
		default:
			return wrong("that is no command line", NULL);
		}
	}
	if (optind < argc)
		return wrong("too many words:", argv[optind]);
	if (options->binds > 0 && !options->apply)
		return wrong("--bind wants --apply", NULL);
	return SALLYCTL_OK;
}

static int
load_config(const struct tune_options *options, struct config **config)
{
	const char *path = options->config;
	char below[PATH_MAX], error[512];

	*config = NULL;
	if (path == NULL) {
		int length = snprintf(below, sizeof(below), "%s/" DEFAULT_CONFIG, options->root);
		if (length < 0 || (size_t)length >= sizeof(below) || access(below, F_OK) != 0)
			return SALLYCTL_OK;
		path = below;
	}
	if (config_load(path, config, error, sizeof(error)) == 0)
		return SALLYCTL_OK;
	fprintf(stderr, "sallyctl tune: %s\n", error);
	return SALLYCTL_USAGE;
}

static void
judge_config(struct tune *tune)
{
	struct tune_line *line = tune_line(
		&tune->report, tune->config == NULL ? TUNE_BETTER : TUNE_GOOD, "configuration");

	if (tune->config != NULL) {
		tune_found(line, "%.150s", tune->config->path);
		tune_reason(line, "the box is judged by it");
		return;
	}
	tune_found(line, "none");
	tune_reason(line, "the box is judged for one worker and the default memory");
	tune_cure(line, "write one (docs/config.md), or name it: --config FILE");
}

static int
look_and_say(struct tune *tune, const struct tune_options *options)
{
	tune_find_cpus(tune);
	tune_find_nics(tune);
	tune_choose_workers(tune);
	if (options->apply) {
		tune_apply(tune, options->bind, options->binds);
		/* the lines tell what is now */
		tune->nics = 0;
		tune_find_nics(tune);
	}
	judge_config(tune);
	tune_judge_cpus(tune);
	tune_judge_workers(tune);
	tune_judge_kernel(tune);
	tune_judge_memory(tune);
	tune_judge_vfio(tune);
	tune_judge_nics(tune);
	tune_boot_parameters(tune, tune->report.boot, sizeof(tune->report.boot));
	if (!options->json)
		tune_print(&tune->report, options->apply);
	else if (tune_print_json(&tune->report) != SALLYCTL_OK)
		return SALLYCTL_REFUSED;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "sallyctl tune: the output can't be written: %s\n",
			strerror(errno));
		return SALLYCTL_REFUSED;
	}
	return tune_worst(&tune->report) == TUNE_MISSING ? SALLYCTL_REFUSED : SALLYCTL_OK;
}

int
sallyctl_tune(int argc, char **argv, const char *config, bool json)
{
	struct tune_options options = {.root = "/", .config = config, .json = json};
	struct config *loaded;
	int result = parse(argc, argv, &options);

	if (result == SALLYCTL_OK)
		result = load_config(&options, &loaded);
	if (result != SALLYCTL_OK)
		return result;
	struct tune *tune = calloc(1, sizeof(*tune));
	if (tune == NULL) {
		fputs("sallyctl tune: out of memory\n", stderr);
		config_free(loaded);
		return SALLYCTL_REFUSED;
	}
	tune->config = loaded;
	result = tune_root_open(&tune->root, options.root);
	if (result != 0) {
		fprintf(stderr, "sallyctl tune: --root %s: %s: name a folder with proc and sys\n",
			options.root, strerror(-result));
		result = SALLYCTL_USAGE;
	} else {
		result = look_and_say(tune, &options);
		tune_root_close(&tune->root);
	}
	free(tune);
	config_free(loaded);
	return result;
}
