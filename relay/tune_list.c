/* SPDX-License-Identifier: BSD-3-Clause */
#include "tune_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

bool
tune_cpus_has(const struct tune_cpus *cpus, unsigned cpu)
{
	return cpu < TUNE_CPUS_MAX && (cpus->bits[cpu / 64] >> cpu % 64 & 1) != 0;
}

void
tune_cpus_add(struct tune_cpus *cpus, unsigned cpu)
{
	if (cpu < TUNE_CPUS_MAX)
		cpus->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

unsigned
tune_cpus_count(const struct tune_cpus *cpus)
{
	unsigned count = 0;

	for (unsigned i = 0; i < TUNE_CPUS_MAX / 64; i++)
		count += (unsigned)__builtin_popcountll(cpus->bits[i]);
	return count;
}

int
tune_cpus_next(const struct tune_cpus *cpus, unsigned from)
{
	for (unsigned cpu = from; cpu < TUNE_CPUS_MAX; cpu++)
		if (tune_cpus_has(cpus, cpu))
			return (int)cpu;
	return -1;
}

struct tune_cpus
tune_cpus_minus(const struct tune_cpus *a, const struct tune_cpus *b)
{
	struct tune_cpus left;

	for (unsigned i = 0; i < TUNE_CPUS_MAX / 64; i++)
		left.bits[i] = a->bits[i] & ~b->bits[i];
	return left;
}

/* A CPU's number, at most TUNE_CPUS_MAX; advances *at. -EINVAL: there is none. */
static int
read_cpu(const char **at)
{
	unsigned value = 0;

	if (!isdigit((unsigned char)**at))
		return -EINVAL;
	for (; isdigit((unsigned char)**at); (*at)++) {
		value = value * 10 + (unsigned)(**at - '0');
		if (value > TUNE_CPUS_MAX)
			value = TUNE_CPUS_MAX;
	}
	return (int)value;
}

static int
parse_ranges(const char *at, struct tune_cpus *cpus)
{
	while (*at != '\0' && !isspace((unsigned char)*at)) {
		int first = read_cpu(&at), last = first;
		if (first >= 0 && *at == '-') {
			at++;
			last = read_cpu(&at);
		}
		if (first < 0 || last < first)
			return -EINVAL;
		if (last >= TUNE_CPUS_MAX)
			return -ERANGE;
		for (int cpu = first; cpu <= last; cpu++)
			tune_cpus_add(cpus, (unsigned)cpu);
		if (*at == ',' && isdigit((unsigned char)at[1]))
			at++;
		else if (*at != '\0' && !isspace((unsigned char)*at))
			return -EINVAL;
	}
	return at[strspn(at, " \t\r\n")] == '\0' ? 0 : -EINVAL;
}

int
tune_cpus_parse(const char *text, struct tune_cpus *cpus)
{
	*cpus = (struct tune_cpus){0};
	int result = parse_ranges(text + strspn(text, " \t\r\n"), cpus);
	if (result != 0)
		*cpus = (struct tune_cpus){0};
	return result;
}

const char *
tune_cpus_format(const struct tune_cpus *cpus, char *text, size_t size)
{
	size_t used = 0;

	snprintf(text, size, "none");
	for (int first = tune_cpus_next(cpus, 0), last; first >= 0;
		first = tune_cpus_next(cpus, (unsigned)last + 1)) {
		char range[32];
		for (last = first; tune_cpus_has(cpus, (unsigned)last + 1);)
			last++;
		if (last > first)
			snprintf(range, sizeof(range), "%s%d-%d", used > 0 ? "," : "", first, last);
		else
			snprintf(range, sizeof(range), "%s%d", used > 0 ? "," : "", first);
		if (used + strlen(range) + 4 > size) {
			snprintf(text + used, size - used, "...");
			break;
		}
		used += (size_t)snprintf(text + used, size - used, "%s", range);
	}
	return text;
}

static bool
same_name(const char *a, const char *b, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (a[i] != b[i] && !((a[i] == '-' || a[i] == '_') && (b[i] == '-' || b[i] == '_')))
			return false;
	return true;
}

/* The end of the word at `at`: a blank that is in no quotes. */
static const char *
word_end(const char *at)
{
	bool quoted = false;

	for (; *at != '\0' && (quoted || !isspace((unsigned char)*at)); at++)
		if (*at == '"')
			quoted = !quoted;
	return at;
}

bool
tune_cmdline_get(const char *cmdline, const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);
	bool found = false;
	const char *end;

	value[0] = '\0';
	for (const char *at = cmdline; *at != '\0'; at = end) {
		at += strspn(at, " \t\n\v\f\r"); /* all that word_end() ends at */
		end = word_end(at);
		size_t length = (size_t)(end - at);
		/* what follows "--" is for init */
		if (length == 2 && strncmp(at, "--", 2) == 0)
			break;
		if (length < name_length || !same_name(at, name, name_length) ||
			(length > name_length && at[name_length] != '='))
			continue;
		const char *start = at + name_length + (length > name_length);
		size_t of = (size_t)(end - start);
		if (of >= 2 && start[0] == '"' && start[of - 1] == '"') {
			start++;
			of -= 2;
		}
		found = of < size;
		snprintf(value, size, "%.*s", found ? (int)of : 0, start);
	}
	return found;
}

bool
tune_cmdline_cpus(const char *cmdline, const char *name, struct tune_cpus *cpus)
{
	char value[1024];
	const char *at = value;

	*cpus = (struct tune_cpus){0};
	if (!tune_cmdline_get(cmdline, name, value, sizeof(value)))
		return false;
	while (*at != '\0' && !isdigit((unsigned char)*at)) {
		at += strcspn(at, ",");
		at += *at == ',';
	}
	return tune_cpus_parse(at, cpus) == 0;
}
