/* SPDX-License-Identifier: BSD-3-Clause */
/* Defaults and limits of the registrar's settings. */
#include "config_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
default_uint(const struct config_lines *lines, const char *path, uint32_t *field, uint32_t value)
{
	if (!config_lines_has(lines, path))
		*field = value;
}

int
config_registrar_default(struct config_sip *sip, const struct config_lines *lines)
{
	default_uint(lines, "sip.contacts_max", &sip->contacts_max, 10);
	default_uint(lines, "sip.bindings_max", &sip->bindings_max, 200000);
	default_uint(lines, "sip.flow_timer_s", &sip->flow_timer_s, 120);
	if (sip->bindings == NULL)
		sip->bindings = strdup("/var/lib/sallyport-sip/bindings.db");
	return sip->bindings != NULL ? 0 : -ENOMEM;
}

int
config_registrar_check(const struct config_complaint *to, const struct config_sip *sip)
{
	if (config_check_range(to, "sip.contacts_max", sip->contacts_max, 1, 100) != 0 ||
		config_check_range(to, "sip.bindings_max", sip->bindings_max, 1, 10000000) != 0 ||
		config_check_range(to, "sip.flow_timer_s", sip->flow_timer_s, 0, 3600) != 0)
		return -EINVAL;
	return 0;
}
