/* SPDX-License-Identifier: BSD-3-Clause */
#include "tune_report.h"

#include "sallyctl.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const verdicts[] = {
	[TUNE_GOOD] = "good",
	[TUNE_BETTER] = "could be better",
	[TUNE_MISSING] = "missing",
};

struct tune_line *
tune_line(struct tune_report *report, enum tune_verdict verdict, const char *item, ...)
{
	unsigned last = report->lines < TUNE_LINES_MAX ? report->lines++ : TUNE_LINES_MAX - 1;
	struct tune_line *line = &report->line[last];
	va_list args;

	*line = (struct tune_line){.verdict = verdict};
	va_start(args, item);
	vsnprintf(line->item, sizeof(line->item), item, args);
	va_end(args);
	return line;
}

void
tune_found(struct tune_line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(line->found, sizeof(line->found), format, args);
	va_end(args);
}

void
tune_reason(struct tune_line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(line->reason, sizeof(line->reason), format, args);
	va_end(args);
}

void
tune_cure(struct tune_line *line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(line->cure, sizeof(line->cure), format, args);
	va_end(args);
}

void
tune_deed(struct tune_report *report, bool done, const char *format, ...)
{
	struct tune_deed *deed = &report->deed[report->deeds];
	va_list args;

	if (report->deeds == TUNE_DEEDS_MAX)
		return;
	report->deeds++;
	deed->done = done;
	va_start(args, format);
	vsnprintf(deed->text, sizeof(deed->text), format, args);
	va_end(args);
}

enum tune_verdict
tune_worst(const struct tune_report *report)
{
	enum tune_verdict worst = TUNE_GOOD;

	for (unsigned i = 0; i < report->lines; i++)
		if (report->line[i].verdict > worst)
			worst = report->line[i].verdict;
	return worst;
}

static unsigned
count_of(const struct tune_report *report, enum tune_verdict verdict)
{
	unsigned count = 0;

	for (unsigned i = 0; i < report->lines; i++)
		count += report->line[i].verdict == verdict;
	return count;
}

static void
print_deeds(const struct tune_report *report, bool done, const char *title)
{
	bool any = false;

	for (unsigned i = 0; i < report->deeds; i++) {
		if (report->deed[i].done != done)
			continue;
		if (!any)
			printf("\n%s\n", title);
		any = true;
		printf("  %s\n", report->deed[i].text);
	}
}

void
tune_print(const struct tune_report *report, bool applied)
{
	int width = 4;

	for (unsigned i = 0; i < report->lines; i++) {
		int length = (int)strlen(report->line[i].item);
		if (length > width)
			width = length;
	}
	printf("%-15s  %-*s  %s\n", "VERDICT", width, "ITEM", "FOUND, WHY, AND WHAT TO DO");
	for (unsigned i = 0; i < report->lines; i++) {
		const struct tune_line *line = &report->line[i];
		printf("%-15s  %-*s  %s\n", verdicts[line->verdict], width, line->item,
			line->found);
		if (line->reason[0] != '\0')
			printf("%-15s  %-*s    why: %s\n", "", width, "", line->reason);
		if (line->cure[0] != '\0')
			printf("%-15s  %-*s    do:  %s\n", "", width, "", line->cure);
	}
	printf("\n%u good, %u could be better, %u missing\n", count_of(report, TUNE_GOOD),
		count_of(report, TUNE_BETTER), count_of(report, TUNE_MISSING));
	print_deeds(report, true, "Done:");
	print_deeds(report, false, "Not done:");
	if (report->boot[0] != '\0')
		printf("\nThe kernel's command line lacks, and gets with a reboot (in "
		       "/etc/default/grub, GRUB_CMDLINE_LINUX; then update-grub):\n  %s\n",
			report->boot);
	if (!applied && tune_worst(report) != TUNE_GOOD)
		printf("\nsallyctl tune --apply does what is safe while the box runs.\n");
}

int
tune_print_json(const struct tune_report *report)
{
	json_t *lines = json_array(), *done = json_array(), *not_done = json_array();

	for (unsigned i = 0; i < report->lines; i++) {
		const struct tune_line *line = &report->line[i];
		json_array_append_new(
			lines, json_pack("{s:s, s:s, s:s, s:s, s:s}", "item", line->item, "verdict",
				       verdicts[line->verdict], "found", line->found, "reason",
				       line->reason, "cure", line->cure));
	}
	for (unsigned i = 0; i < report->deeds; i++)
		json_array_append_new(
			report->deed[i].done ? done : not_done, json_string(report->deed[i].text));
	return sallyctl_print_json(json_pack("{s:s, s:o, s:s, s:o, s:o}", "verdict",
		verdicts[tune_worst(report)], "lines", lines, "boot_parameters", report->boot,
		"done", done, "not_done", not_done));
}
