/* SPDX-License-Identifier: BSD-3-Clause */
#include "counters.h"

static const struct {
	const char *name;
	const char *help;
} rows[COUNTER_COUNT] = {
#define COUNTER_ROW(symbol, name, help) [COUNTER_##symbol] = {name, help},
	COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};

static uint64_t counts[COUNTER_COUNT];

void
counters_add(enum counter counter)
{
	counts[counter]++;
}

void
counters_set(enum counter counter, uint64_t value)
{
	counts[counter] = value;
}

uint64_t
counters_get(enum counter counter)
{
	return counts[counter];
}

const char *
counters_name(enum counter counter)
{
	return rows[counter].name;
}

const char *
counters_help(enum counter counter)
{
	return rows[counter].help;
}
