/* SPDX-License-Identifier: BSD-3-Clause */
/* Logins in the configuration: their shape. */
#include "config_private.h"

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
