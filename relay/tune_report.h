/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyctl tune says: a line for each thing that was looked at, with a verdict. */
#ifndef RELAY_TUNE_REPORT_H
#define RELAY_TUNE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

enum tune_verdict {
	TUNE_GOOD,
	TUNE_BETTER,  /* it works, and could work better */
	TUNE_MISSING, /* a relay on this box has not what it needs */
};

#define TUNE_LINES_MAX 512
#define TUNE_DEEDS_MAX 256

struct tune_line {
	enum tune_verdict verdict;
	char item[48];
	char found[160];
	char reason[320];
	char cure[400]; /* "" with TUNE_GOOD */
};

struct tune_deed {
	bool done;
	char text[400];
};

struct tune_report {
	struct tune_line line[TUNE_LINES_MAX];
	unsigned lines;
	struct tune_deed deed[TUNE_DEEDS_MAX];
	unsigned deeds;
	char boot[1024]; /* parameters for the kernel's command line */
};

/* Begins a line; its other texts are set by those below, which may be left out. Beyond the most
 * lines, the last one is written over. */
__attribute__((format(printf, 3, 4))) struct tune_line *
tune_line(struct tune_report *report, enum tune_verdict verdict, const char *item, ...);
__attribute__((format(printf, 2, 3))) void
tune_found(struct tune_line *line, const char *format, ...);
__attribute__((format(printf, 2, 3))) void
tune_reason(struct tune_line *line, const char *format, ...);
__attribute__((format(printf, 2, 3))) void
tune_cure(struct tune_line *line, const char *format, ...);

/* Notes what was done to the box, or was not. */
__attribute__((format(printf, 3, 4))) void
tune_deed(struct tune_report *report, bool done, const char *format, ...);

enum tune_verdict tune_worst(const struct tune_report *report);
/* For people, and as JSON; to standard output. */
void tune_print(const struct tune_report *report, bool applied);
/* The return is an enum sallyctl_exit. */
int tune_print_json(const struct tune_report *report);

#endif
