/* SPDX-License-Identifier: BSD-3-Clause */
#include "drop.h"

static const struct {
	const char *name;
	const char *help;
} reasons[RELAY_DROP_COUNT] = {
#define RELAY_DROP_ROW(symbol, name, help) [RELAY_DROP_##symbol] = {name, help},
	RELAY_DROP_REASONS(RELAY_DROP_ROW)
#undef RELAY_DROP_ROW
};

const char *
relay_drop_name(unsigned reason)
{
	return reason < RELAY_DROP_COUNT ? reasons[reason].name : "unknown";
}

const char *
relay_drop_help(unsigned reason)
{
	return reason < RELAY_DROP_COUNT ? reasons[reason].help : "unknown";
}
