/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape of sip.trunks, sip.routes and sip.calls, for libcyaml. */
#include "config_private.h"

#define OPT CYAML_FLAG_OPTIONAL
#define OPT_STRING(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | OPT, type, member, 1, 4096)
#define STRING(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, 4096)

static const cyaml_strval_t srtps[] = {
	{"required", CONFIG_SRTP_REQUIRED},
	{"preferred", CONFIG_SRTP_PREFERRED},
	{"off", CONFIG_SRTP_OFF},
};

static const cyaml_strval_t directions[] = {
	{"both", CONFIG_DIRECTION_BOTH},
	{"in", CONFIG_DIRECTION_IN},
	{"out", CONFIG_DIRECTION_OUT},
};

static const cyaml_schema_field_t credentials_fields[] = {
	OPT_STRING("realm", struct config_credentials, realm),
	STRING("user", struct config_credentials, user),
	STRING("password_file", struct config_credentials, password_file),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t credentials_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_credentials, credentials_fields)};

static const cyaml_schema_field_t trunk_fields[] = {
	STRING("name", struct config_trunk, name),
	OPT_STRING("group", struct config_trunk, group),
	STRING("address", struct config_trunk, address),
	OPT_STRING("tls_name", struct config_trunk, tls_name),
	OPT_STRING("certificate", struct config_trunk, certificate),
	OPT_STRING("private_key", struct config_trunk, private_key),
	CYAML_FIELD_SEQUENCE("credentials", CYAML_FLAG_POINTER | OPT, struct config_trunk,
		credentials, &credentials_value, 1, 8),
	CYAML_FIELD_UINT("priority", OPT, struct config_trunk, priority),
	CYAML_FIELD_UINT("weight", OPT, struct config_trunk, weight),
	CYAML_FIELD_ENUM("srtp", OPT | CYAML_FLAG_STRICT, struct config_trunk, srtp, srtps,
		CYAML_ARRAY_LEN(srtps)),
	CYAML_FIELD_SEQUENCE("suites", CYAML_FLAG_POINTER | OPT, struct config_trunk, suites,
		&config_suite_value, 1, 8),
	CYAML_FIELD_UINT("calls_max", OPT, struct config_trunk, calls_max),
	CYAML_FIELD_UINT("calls_per_second", OPT, struct config_trunk, calls_per_second),
	CYAML_FIELD_UINT("ping_s", OPT, struct config_trunk, ping_s),
	CYAML_FIELD_UINT("ping_failures", OPT, struct config_trunk, ping_failures),
	OPT_STRING("from_domain", struct config_trunk, from_domain),
	CYAML_FIELD_BOOL("trust_identity", OPT, struct config_trunk, trust_identity),
	CYAML_FIELD_ENUM("direction", OPT | CYAML_FLAG_STRICT, struct config_trunk, direction,
		directions, CYAML_ARRAY_LEN(directions)),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_trunk_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_trunk, trunk_fields)};

static const cyaml_schema_value_t to_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 1, 64)};

static const cyaml_schema_field_t route_fields[] = {
	OPT_STRING("prefix", struct config_route, prefix),
	OPT_STRING("from", struct config_route, from),
	CYAML_FIELD_SEQUENCE("to", CYAML_FLAG_POINTER, struct config_route, to, &to_value, 1, 16),
	CYAML_FIELD_UINT("strip", OPT, struct config_route, strip),
	OPT_STRING("prepend", struct config_route, prepend),
	CYAML_FIELD_UINT("priority", OPT, struct config_route, priority),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_route_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_route, route_fields)};

const cyaml_schema_field_t config_calls_fields[] = {
	CYAML_FIELD_UINT("max", OPT, struct config_calls, max),
	CYAML_FIELD_UINT("per_user", OPT, struct config_calls, per_user),
	CYAML_FIELD_UINT("per_second", OPT, struct config_calls, per_second),
	CYAML_FIELD_END,
};
