/* SPDX-License-Identifier: BSD-3-Clause */
/* The kernel's lists of CPUs ("0-3,8"), and its command line. */
#ifndef RELAY_TUNE_LIST_H
#define RELAY_TUNE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNE_CPUS_MAX 4096

struct tune_cpus {
	uint64_t bits[TUNE_CPUS_MAX / 64];
};

/* Reads "0-3,8", the kernel's way: blanks at the ends and an empty list are well. 0; -EINVAL: that
 * is no such list, -ERANGE: a CPU of TUNE_CPUS_MAX or above; *cpus is empty then. */
int tune_cpus_parse(const char *text, struct tune_cpus *cpus);
/* Writes it the same way, "none" for an empty one; ends in "..." where it is cut. */
const char *tune_cpus_format(const struct tune_cpus *cpus, char *text, size_t size);

bool tune_cpus_has(const struct tune_cpus *cpus, unsigned cpu);
void tune_cpus_add(struct tune_cpus *cpus, unsigned cpu);
unsigned tune_cpus_count(const struct tune_cpus *cpus);
/* The least CPU that is at least `from`, or -1. */
int tune_cpus_next(const struct tune_cpus *cpus, unsigned from);
/* Those of a that are not in b. */
struct tune_cpus tune_cpus_minus(const struct tune_cpus *a, const struct tune_cpus *b);

/* The value of a parameter on the kernel's command line, its last one if there are several; "" if
 * it stands there alone. In names, - and _ are the same; a value may be in double quotes. False:
 * it is not there, or does not fit; value is "" then. */
bool tune_cmdline_get(const char *cmdline, const char *name, char *value, size_t size);
/* The same for a list of CPUs, which flags may precede ("isolcpus=managed_irq,domain,2-5"). */
bool tune_cmdline_cpus(const char *cmdline, const char *name, struct tune_cpus *cpus);

#endif
