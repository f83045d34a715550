/* SPDX-License-Identifier: BSD-3-Clause */
/* Settings that are numbers: default and limits, from a table. */
#include "config_private.h"

#include <errno.h>

static uint32_t *
value_of(void *base, const struct config_number *number)
{
	return (uint32_t *)(void *)((char *)base + number->offset);
}

void
config_numbers_default(void *base, const struct config_number numbers[], size_t count,
	const struct config_lines *lines)
{
	for (size_t i = 0; i < count; i++)
		if (!config_lines_has(lines, numbers[i].field))
			*value_of(base, &numbers[i]) = numbers[i].value;
}

int
config_numbers_check(const struct config_complaint *to, void *base,
	const struct config_number numbers[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (config_check_range(to, numbers[i].field, *value_of(base, &numbers[i]),
			    numbers[i].least, numbers[i].most) != 0)
			return -EINVAL;
	return 0;
}
