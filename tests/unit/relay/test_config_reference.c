/* SPDX-License-Identifier: BSD-3-Clause */
/* What the reference says of a setting is what config_load() does. */
#include "config_file.h"

#include "relay/config_reference.h"

#include <inttypes.h>

/* "sip.limits.queue" and 7: "sip: {limits: {queue: 7}}" */
static void
write_setting(char *text, size_t size, const char *name, uint64_t number)
{
	size_t used = 0, depth = 0;

	for (; *name != '\0'; name += strcspn(name, ".") + 1) {
		size_t length = strcspn(name, ".");
		used += (size_t)snprintf(text + used, size - used,
			"%s%.*s: ", depth++ > 0 ? "{" : "", (int)length, name);
		if (name[length] == '\0')
			break;
	}
	used += (size_t)snprintf(text + used, size - used, "%" PRIu64, number);
	while (--depth > 0)
		used += (size_t)snprintf(text + used, size - used, "}");
	snprintf(text + used, size - used, "\n");
}

static void
assert_refused(const struct config_field *field, uint64_t number)
{
	struct config_file file;
	char text[256];

	write_setting(text, sizeof(text), field->name, number);
	config_file_load(&file, text, strlen(text));
	if (file.result == 0) {
		config_free(file.config);
		fail_msg("taken: %s", text);
	}
	if (strstr(file.error, field->name) == NULL ||
		(strstr(file.error, "is not between") == NULL &&
			strstr(file.error, "must be a whole number") == NULL))
		fail_msg("%s: %s", text, file.error);
}

/* The limits that are told are those that hold. */
static void
test_limits(void **state)
{
	const struct config_field *field;
	unsigned tried = 0;

	for (size_t i = 0; (field = config_field_at(i)) != NULL; i++) {
		struct config_reference reference;
		assert_int_equal(0, config_reference_read(field, &reference));
		if (reference.most == 0 || strchr(field->name, '[') != NULL)
			continue;
		assert_string_equal("number", reference.type);
		assert_refused(field, reference.most + 1);
		if (reference.least > 0)
			assert_refused(field, reference.least - 1);
		tried++;
	}
	assert_in_range(tried, 50, 1000);
}

/* The defaults that are told are those that hold where the file says nothing. */
static void
test_defaults(void **state)
{
	const struct config_field *field;
	struct config_values values;
	struct config_file file;
	unsigned compared = 0;

	config_file_load(&file, "media: {}\n", 10);
	assert_int_equal(0, file.result);
	assert_int_equal(0, config_values_read(file.config, UINT32_MAX, &values));
	for (size_t i = 0; i < values.count; i++) {
		field = values.at[i].kind;
		assert_false(values.at[i].is_set);
		if (field->value == NULL)
			continue;
		if (strcmp(field->value, values.at[i].exact) != 0)
			fail_msg("%s: %s, not %s", field->name, values.at[i].exact, field->value);
		compared++;
	}
	assert_in_range(compared, 70, 1000);
	config_values_free(&values);
	config_free(file.config);
}

/* Nothing is left open: each setting has a sentence, and a default or words for its lack. */
static void
test_whole(void **state)
{
	const struct config_field *field;

	for (size_t i = 0; (field = config_field_at(i)) != NULL; i++) {
		struct config_reference reference;
		assert_int_equal(0, config_reference_read(field, &reference));
		if (field->meaning == NULL || (field->value == NULL) == (field->without == NULL))
			fail_msg("%s is not explained", field->name);
		if (strcmp(reference.type, "number") == 0 && !reference.is_list)
			assert_true(field->most > field->least);
		if (strcmp(reference.type, "choice") == 0)
			assert_non_null(reference.choices[1]);
	}
}

static void
assert_unit(const char *name, const char *unit)
{
	struct config_reference reference;

	assert_int_equal(0, config_reference_read(config_field_find(name), &reference));
	if (unit == NULL)
		assert_null(reference.unit);
	else
		assert_string_equal(unit, reference.unit);
}

static void
test_units(void **state)
{
	const struct config_field unknown = {.name = "sip.nothing"};
	struct config_reference reference;

	assert_unit("media.timeout_s", "seconds");
	assert_unit("sip.limits.load_ms", "milliseconds");
	assert_unit("sip.records.rotate_mb", "MiB");
	assert_unit("sip.limits.body_size", "bytes");
	assert_unit("sip.trunks[].calls_per_second", "a second");
	assert_unit("media.workers", NULL);
	assert_int_equal(-ENOENT, config_reference_read(&unknown, &reference));
	assert_int_equal(
		0, config_reference_read(config_field_find("sip.trunks[].name"), &reference));
	assert_true(reference.is_required);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
