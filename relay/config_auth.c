/* SPDX-License-Identifier: BSD-3-Clause */
/* Logins in the configuration: their shape, defaults and checks. */
#include "config_private.h"

#include <errno.h>

#define OPTIONAL_UINT(key, type, member) CYAML_FIELD_UINT(key, CYAML_FLAG_OPTIONAL, type, member)

const cyaml_schema_field_t config_penalties_fields[] = {
	OPTIONAL_UINT("user_free", struct config_penalties, user_free),
	OPTIONAL_UINT("source_free", struct config_penalties, source_free),
	OPTIONAL_UINT("first_s", struct config_penalties, first_s),
	OPTIONAL_UINT("max_s", struct config_penalties, max_s),
	OPTIONAL_UINT("forget_s", struct config_penalties, forget_s),
	OPTIONAL_UINT("entries", struct config_penalties, entries),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t config_store_fields[] = {
	OPTIONAL_UINT("wait_ms", struct config_store, wait_ms),
	OPTIONAL_UINT("cache_s", struct config_store, cache_s),
	CYAML_FIELD_END,
};

/* Every number: its place, default and limits. */
static const struct config_number numbers[] = {
	{"sip.penalties.user_free", offsetof(struct config_sip, penalties.user_free), 5, 1, 1000},
	{"sip.penalties.source_free", offsetof(struct config_sip, penalties.source_free), 20, 1,
		100000},
	{"sip.penalties.first_s", offsetof(struct config_sip, penalties.first_s), 2, 1, 3600},
	{"sip.penalties.max_s", offsetof(struct config_sip, penalties.max_s), 900, 0, 86400},
	{"sip.penalties.forget_s", offsetof(struct config_sip, penalties.forget_s), 300, 1, 86400},
	{"sip.penalties.entries", offsetof(struct config_sip, penalties.entries), 65536, 16,
		1048576},
	{"sip.users_store.wait_ms", offsetof(struct config_sip, users_store.wait_ms), 250, 10,
		2000},
	{"sip.users_store.cache_s", offsetof(struct config_sip, users_store.cache_s), 300, 0,
		86400},
};

void
config_auth_default(struct config_sip *sip, const struct config_lines *lines)
{
	config_numbers_default(sip, numbers, sizeof(numbers) / sizeof(numbers[0]), lines);
}

int
config_auth_check(const struct config_complaint *to, struct config_sip *sip)
{
	return config_numbers_check(to, sip, numbers, sizeof(numbers) / sizeof(numbers[0]));
}
