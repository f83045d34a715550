/* SPDX-License-Identifier: BSD-3-Clause */
/* What differs between two configurations, and what of it a running daemon takes over: by a table
 * that knows every field of the schema. */
#include "config_file.h"

#include "relay/config_private.h"
#include "relay/config_reload.h"

#define MEDIA                                                                              \
	"media:\n  interfaces:\n    - name: access\n      device: 'net_af_xdp0,iface=x'\n" \
	"      address: 192.0.2.1/24\n"
#define SIP                                                                    \
	"sip:\n  address: 192.0.2.2\n  domain: a.example\n  certificate: /c\n" \
	"  private_key: /k\n  ca: /ca\n  peering: {address: 192.0.2.2}\n"

static struct config *
load_good(const char *text)
{
	struct config_file file;

	config_file_load(&file, text, strlen(text));
	if (file.result != 0)
		fail_msg("%s", file.error);
	return file.config;
}

/* Counts the fields of the schema under `path`; each must be in the table. */
static size_t
count_fields(const char *path, const cyaml_schema_field_t *fields)
{
	size_t count = 0;

	for (; fields->key != NULL; fields++) {
		char name[256];
		snprintf(name, sizeof(name), "%s%s%s", path, path[0] != '\0' ? "." : "",
			fields->key);
		const cyaml_schema_value_t *value = &fields->value;
		if (value->type == CYAML_MAPPING) {
			count += count_fields(name, value->mapping.fields);
			continue;
		}
		bool is_list = value->type == CYAML_SEQUENCE &&
		               value->sequence.entry->type == CYAML_MAPPING;
		if (is_list)
			strcat(name, "[]");
		if (config_field_find(name) == NULL)
			fail_msg("%s is not in the table of relay/config_fields.c: may it "
				 "change while the daemon runs?",
				name);
		count++;
		if (is_list)
			count += count_fields(name, value->sequence.entry->mapping.fields);
	}
	return count;
}

static void
test_every_field(void **state)
{
	size_t count = 0;

	while (config_field_at(count) != NULL)
		count++;
	assert_int_equal(count, count_fields("", config_schema.mapping.fields));
}

static const struct config_value *
find(const struct config_values *values, const char *field)
{
	for (size_t i = 0; i < values->count; i++)
		if (strcmp(values->at[i].field, field) == 0)
			return &values->at[i];
	fail_msg("%s is not among the values", field);
	return NULL;
}

static void
assert_value(const struct config_values *values, const char *field, const char *text, bool is_set)
{
	const struct config_value *value = find(values, field);

	assert_string_equal(text, value->text);
	if (value->is_set != is_set)
		fail_msg("%s is %sin the file", field, is_set ? "" : "not ");
}

static void
test_values(void **state)
{
	struct config *config =
		load_good(MEDIA "      ports: {first: 30000, last: 30099}\n" SIP
				"  suites: [AEAD_AES_256_GCM, AES_CM_128_HMAC_SHA1_80]\n"
				"  unencrypted_srtcp: true\n"
				"  trunks: [{name: carrier, address: b.example}]\n"
				"  routes: [{to: [carrier, users]}]\n");
	struct config_values values;

	assert_int_equal(
		0, config_values_read(config, CONFIG_READER_MEDIA | CONFIG_READER_SIP, &values));
	assert_value(&values, "media.interfaces[access].addresses[192.0.2.1/24].ports.first",
		"30000", true);
	assert_value(&values, "media.interfaces[access].dscp", "46", false);
	assert_value(&values, "media.memory", "auto", false);
	assert_value(&values, "media.user", "-", false);
	assert_value(&values, "media.cpus", "-", false);
	assert_value(&values, "sip.suites", "AEAD_AES_256_GCM, AES_CM_128_HMAC_SHA1_80", true);
	assert_value(&values, "sip.unencrypted_srtcp", "true", true);
	assert_value(&values, "sip.port", "5061", false);
	assert_value(&values, "sip.srtp", "required", false);
	assert_value(&values, "sip.trunks[carrier].tls_name", "b.example", false);
	assert_value(&values, "sip.routes[0].to", "carrier, users", true);
	assert_value(&values, "log.level", "info", false);
	config_values_free(&values);

	assert_int_equal(0, config_values_read(config, CONFIG_READER_MEDIA, &values));
	for (size_t i = 0; i < values.count; i++)
		assert_int_not_equal(0, strncmp(values.at[i].field, "sip.", 4));
	config_values_free(&values);
	config_free(config);
}

static void
test_urls_are_blanked(void **state)
{
	static const char *const urls[][2] = {
		{"/var/lib/users.db", "/var/lib/users.db"},
		{"postgresql://h/db", "postgresql://h/db"},
		{"postgresql://u@h/db?sslmode=require", "postgresql://u@h/db?sslmode=require"},
		{"postgresql://u:pw@h:5/db", "postgresql://u:***@h:5/db"},
		{"postgresql://u:p@w:x@h/db", "postgresql://u:***@h/db"},
		{"postgresql://u:p?w@h/db?host=x", "postgresql://u:***@h/db?host=x"},
		{"postgresql://h/db?password=pw&host=x", "postgresql://h/db?password=***&host=x"},
		{"postgresql://h/db?p%61ssword=pw", "postgresql://h/db?p%61ssword=***"},
		{"postgresql://h/db?sslpassword=pw", "postgresql://h/db?sslpassword=***"},
	};

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		char *text = config_blank("sip.users", urls[i][0]);
		assert_string_equal(urls[i][1], text);
		free(text);
	}
}

static struct config_changes
diff(const char *before, const char *after, unsigned readers)
{
	struct config *old = load_good(before), *fresh = load_good(after);
	struct config_changes changes;

	assert_int_equal(0, config_diff(old, fresh, readers, &changes));
	config_free(old);
	config_free(fresh);
	return changes;
}

static void
assert_change(const struct config_changes *changes, size_t i, const char *field, const char *before,
	const char *after, enum config_reload reload)
{
	assert_true(i < changes->count);
	assert_string_equal(field, changes->at[i].field);
	assert_string_equal(before, changes->at[i].before);
	assert_string_equal(after, changes->at[i].after);
	assert_int_equal(reload, changes->at[i].reload);
}

static void
test_nothing_differs(void **state)
{
	struct config_changes changes =
		diff(MEDIA SIP, MEDIA "      dscp: 46\n" SIP "  port: 5061\n",
			CONFIG_READER_MEDIA | CONFIG_READER_SIP);

	assert_int_equal(0, changes.count);
	config_changes_free(&changes);
}

static void
test_entries(void **state)
{
	struct config_changes changes =
		diff(SIP "  trunks: [{name: a, address: a.b}, {name: a-b, address: c.d}]\n"
			 "  routes: [{to: [a]}]\n",
			SIP "  trunks: [{name: a-b, address: c.d, weight: 7}, {name: z, address: "
			    "z.z}]\n"
			    "  routes: [{to: [z]}, {prefix: '+', to: [z]}]\n",
			CONFIG_READER_SIP);

	assert_int_equal(5, changes.count);
	assert_int_equal(0, changes.restarts);
	assert_change(&changes, 0, "sip.routes[0].to", "a", "z", CONFIG_LIVE);
	assert_change(&changes, 1, "sip.routes[1]", "-", "there", CONFIG_LIVE);
	assert_change(&changes, 2, "sip.trunks[a-b].weight", "1", "7", CONFIG_LIVE);
	assert_change(&changes, 3, "sip.trunks[a]", "there", "-", CONFIG_LIVE);
	assert_change(&changes, 4, "sip.trunks[z]", "-", "there", CONFIG_LIVE);
	config_changes_free(&changes);
}

static void
test_refusal(void **state)
{
	struct config_changes changes = diff(MEDIA,
		"media:\n  workers: 2\n  engine: avx2\n  one_way_s: 3\n  interfaces:\n"
		"    - {name: core, device: d, address: 192.0.2.1/24}\n",
		CONFIG_READER_MEDIA);
	char text[512];

	assert_change(&changes, 0, "media.engine", "auto", "avx2", CONFIG_RESTART);
	assert_change(&changes, 1, "media.interfaces[access]", "there", "-", CONFIG_RESTART);
	assert_change(&changes, 2, "media.interfaces[core]", "-", "there", CONFIG_RESTART);
	assert_change(&changes, 3, "media.one_way_s", "15", "3", CONFIG_LIVE);
	assert_change(&changes, 4, "media.workers", "1", "2", CONFIG_RESTART);
	assert_int_equal(4, changes.restarts);
	config_changes_refusal(&changes, "/f", "sallyport-media", text, sizeof(text));
	assert_string_equal("/f: media.engine: auto -> avx2; media.interfaces[access]: there -> -; "
			    "media.interfaces[core]: - -> there; and 1 more: takes a restart of "
			    "sallyport-media, so nothing is changed",
		text);
	config_changes_refusal(&changes, "/f", "sallyport-media", text, 20);
	assert_int_equal(19, strlen(text));
	config_changes_free(&changes);
	/* the other daemon does not read what is between the device and the wire */
	changes = diff(MEDIA, MEDIA "      vlan: 7\n      ports: {first: 30000, last: 30001}\n",
		CONFIG_READER_SIP);
	assert_int_equal(0, changes.count);
	config_changes_free(&changes);
}

static void
test_passwords_are_not_told(void **state)
{
	struct config_changes changes = diff(SIP "  users: 'postgresql://u:one@h/db'\n",
		SIP "  users: 'postgresql://u:two@h/db'\n", CONFIG_READER_SIP);

	assert_int_equal(1, changes.count);
	assert_change(&changes, 0, "sip.users", "postgresql://u:***@h/db", "another password",
		CONFIG_LIVE);
	config_changes_free(&changes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_urls_are_blanked),
		cmocka_unit_test(test_nothing_differs),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_refusal),
		cmocka_unit_test(test_passwords_are_not_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
