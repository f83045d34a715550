/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl config reference: every setting, by the table and the schema that the daemons go by. */
#include "config_reference.h"
#include "sallyctl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static const struct {
	unsigned reader;
	const char *name;
} readers[] = {
	{CONFIG_READER_MEDIA, "sallyport-media"},
	{CONFIG_READER_SIP, "sallyport-sip"},
	{CONFIG_READER_WEB, "sallyport-web"},
};

#define READERS (sizeof(readers) / sizeof(readers[0]))

static const char *const changes[] = {[CONFIG_LIVE] = "by reload",
	[CONFIG_RESTART] = "by restart",
	[CONFIG_FORM] = "as addresses[]"};

static json_t *
choices_json(const struct config_reference *reference)
{
	json_t *list = json_array();

	for (unsigned i = 0; reference->choices[i] != NULL; i++)
		json_array_append_new(list, json_string(reference->choices[i]));
	return list;
}

static json_t *
field_json(const struct config_field *field, const struct config_reference *reference)
{
	json_t *by = json_array();
	json_t *out = json_pack("{s:s,s:s,s:b,s:b,s:s?,s:s?,s:s?,s:s,s:s,s:s?,s:o}", "setting",
		field->name, "type", reference->type, "list", reference->is_list, "required",
		reference->is_required, "unit", reference->unit, "default", field->value, "else",
		field->without, "meaning", field->meaning, "changes", changes[field->reload],
		"example", field->example, "read_by", by);

	for (size_t i = 0; i < READERS; i++)
		if ((field->readers & readers[i].reader) != 0)
			json_array_append_new(by, json_string(readers[i].name));
	if (reference->most != 0)
		json_object_set_new(out, "limits",
			json_pack("[I,I]", (json_int_t)reference->least,
				(json_int_t)reference->most));
	if (reference->is_list)
		json_object_set_new(out, "entries",
			json_pack("[I,I]", (json_int_t)reference->entries_least,
				(json_int_t)reference->entries_most));
	if (reference->choices[0] != NULL)
		json_object_set_new(out, "choices", choices_json(reference));
	return out;
}

/* "number of seconds, 1 to 86400; default 60" */
static void
print_value(const struct config_field *field, const struct config_reference *reference)
{
	printf("    %s%s", reference->is_list ? "list: " : "", reference->type);
	if (reference->unit != NULL)
		printf(" (%s)", reference->unit);
	if (reference->most != 0)
		printf(", %" PRIu64 " to %" PRIu64, reference->least, reference->most);
	for (unsigned i = 0; reference->choices[i] != NULL; i++)
		printf("%s%s", i == 0 ? ": " : ", ", reference->choices[i]);
	if (reference->is_list)
		printf("; %" PRIu64 " to %" PRIu64 " entries", reference->entries_least,
			reference->entries_most);
	if (field->value != NULL)
		printf("; default %s\n", field->value);
	else
		printf("; if not set: %s\n", field->without);
}

static void
print_field(const struct config_field *field, const struct config_reference *reference)
{
	const char *between = "    read by ";

	printf("%s\n    %s\n", field->name, field->meaning);
	print_value(field, reference);
	for (size_t i = 0; i < READERS; i++)
		if ((field->readers & readers[i].reader) != 0) {
			printf("%s%s", between, readers[i].name);
			between = ", ";
		}
	printf("; changes %s\n", changes[field->reload]);
}

int
sallyctl_config_reference(bool json)
{
	const struct config_field *field;
	json_t *all = json_array();

	for (size_t i = 0; (field = config_field_at(i)) != NULL; i++) {
		struct config_reference reference;
		if (config_reference_read(field, &reference) != 0)
			continue;
		if (json)
			json_array_append_new(all, field_json(field, &reference));
		else
			print_field(field, &reference);
	}
	if (json)
		return sallyctl_print_json(all);
	json_decref(all);
	return SALLYCTL_OK;
}
