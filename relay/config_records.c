/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written down of calls, in the configuration: its shape, defaults and checks. */
#include "config_private.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ROTATE_MB_MAX (1024 * 1024)
#define ROTATE_HOURS_MAX (366 * 24)
#define KEEP_MAX 10000
#define PATH_ROOM 32 /* characters, for what is put behind a path */

const cyaml_schema_field_t config_records_fields[] = {
	CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_records, path, 1, PATH_MAX),
	CYAML_FIELD_UINT("rotate_mb", CYAML_FLAG_OPTIONAL, struct config_records, rotate_mb),
	CYAML_FIELD_UINT("rotate_hours", CYAML_FLAG_OPTIONAL, struct config_records, rotate_hours),
	CYAML_FIELD_UINT("keep", CYAML_FLAG_OPTIONAL, struct config_records, keep),
	CYAML_FIELD_END,
};

void
config_records_default(struct config_sip *sip, const struct config_lines *lines)
{
	if (!config_lines_has(lines, "sip.records.rotate_mb"))
		sip->records.rotate_mb = 100;
	if (!config_lines_has(lines, "sip.records.rotate_hours"))
		sip->records.rotate_hours = 24;
	if (!config_lines_has(lines, "sip.records.keep"))
		sip->records.keep = 30;
}

static int
check_path(const struct config_complaint *to, const char *field, const char *path)
{
	if (path == NULL || (path[0] == '/' && strlen(path) < PATH_MAX - PATH_ROOM))
		return 0;
	return config_complain_of(to, field, "\"%s\" is no absolute path", path);
}

int
config_records_check(const struct config_complaint *to, const struct config_sip *sip)
{
	const struct config_records *records = &sip->records;

	if (check_path(to, "sip.records.path", records->path) != 0 ||
		config_check_range(
			to, "sip.records.rotate_mb", records->rotate_mb, 0, ROTATE_MB_MAX) != 0 ||
		config_check_range(to, "sip.records.rotate_hours", records->rotate_hours, 0,
			ROTATE_HOURS_MAX) != 0 ||
		config_check_range(to, "sip.records.keep", records->keep, 0, KEEP_MAX) != 0)
		return -EINVAL;
	return 0;
}
