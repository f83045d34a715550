/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket's words about the configuration. */
#include "control_show.h"

#include "reload.h"

#define CHANGES_MAX 500 /* that are told; the rest is counted */

json_t *
control_reload(struct agent *agent, bool apply)
{
	struct config_changes changes;
	char error[RELOAD_ERROR_SIZE];

	if (reload(agent, apply, &changes, error) != 0)
		return json_pack("{s:s}", "error", error);
	json_t *rows = json_array();
	for (size_t i = 0; i < changes.count && i < CHANGES_MAX; i++)
		json_array_append_new(
			rows, json_pack("{s:s,s:s,s:s}", "field", changes.at[i].field, "before",
				      changes.at[i].before, "after", changes.at[i].after));
	json_t *reply = json_pack("{s:o,s:I,s:s}", "changes", rows, "count",
		(json_int_t)changes.count, "path", agent->config->path);
	config_changes_free(&changes);
	return reply;
}

json_t *
control_config(struct agent *agent)
{
	struct config_values values;
	json_t *rows = json_array();

	if (rows == NULL || config_values_read(agent->config, CONFIG_READER_SIP, &values) != 0)
		return rows;
	for (size_t i = 0; i < values.count; i++)
		if (values.at[i].text[0] != '\0') /* an entry as such has no value */
			json_array_append_new(rows,
				json_pack("{s:s,s:s,s:b,s:b}", "field", values.at[i].field, "value",
					values.at[i].text, "default", !values.at[i].is_set,
					"restart", values.at[i].kind->reload == CONFIG_RESTART));
	config_values_free(&values);
	return rows;
}
