/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape of the configuration file: which key is which field, for libcyaml. */
#include "config_private.h"

#define OPT CYAML_FLAG_OPTIONAL
#define OPT_STRING(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | OPT, type, member, 1, 4096)
#define STRING(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, 4096)

static const cyaml_strval_t memories[] = {
	{"auto", CONFIG_MEMORY_AUTO},
	{"hugepages", CONFIG_MEMORY_HUGEPAGES},
	{"ordinary", CONFIG_MEMORY_ORDINARY},
};

static const cyaml_strval_t polls[] = {
	{"adaptive", CONFIG_POLL_ADAPTIVE},
	{"busy", CONFIG_POLL_BUSY},
};

static const cyaml_strval_t srtps[] = {
	{"required", CONFIG_SRTP_REQUIRED},
	{"preferred", CONFIG_SRTP_PREFERRED},
	{"off", CONFIG_SRTP_OFF},
};

static const cyaml_strval_t suites[] = {
	{"AES_CM_128_HMAC_SHA1_80", RELAY_SUITE_AES_CM_128_HMAC_SHA1_80},
	{"AES_CM_128_HMAC_SHA1_32", RELAY_SUITE_AES_CM_128_HMAC_SHA1_32},
	{"AES_192_CM_HMAC_SHA1_80", RELAY_SUITE_AES_192_CM_HMAC_SHA1_80},
	{"AES_192_CM_HMAC_SHA1_32", RELAY_SUITE_AES_192_CM_HMAC_SHA1_32},
	{"AES_256_CM_HMAC_SHA1_80", RELAY_SUITE_AES_256_CM_HMAC_SHA1_80},
	{"AES_256_CM_HMAC_SHA1_32", RELAY_SUITE_AES_256_CM_HMAC_SHA1_32},
	{"AEAD_AES_128_GCM", RELAY_SUITE_AEAD_AES_128_GCM},
	{"AEAD_AES_256_GCM", RELAY_SUITE_AEAD_AES_256_GCM},
};

static const cyaml_strval_t digests[] = {
	{"MD5", CONFIG_DIGEST_MD5},
	{"SHA-256", CONFIG_DIGEST_SHA_256},
	{"SHA-512-256", CONFIG_DIGEST_SHA_512_256},
};

static const cyaml_strval_t levels[] = {
	{"error", LOG_LEVEL_ERROR},
	{"warning", LOG_LEVEL_WARNING},
	{"info", LOG_LEVEL_INFO},
	{"debug", LOG_LEVEL_DEBUG},
};

static const cyaml_schema_field_t ports_fields[] = {
	CYAML_FIELD_UINT("first", CYAML_FLAG_DEFAULT, struct config_ports, first),
	CYAML_FIELD_UINT("last", CYAML_FLAG_DEFAULT, struct config_ports, last),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t address_fields[] = {
	STRING("address", struct config_address, address),
	OPT_STRING("gateway", struct config_address, gateway),
	CYAML_FIELD_MAPPING("ports", OPT, struct config_address, ports, ports_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t address_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_address, address_fields)};

static const cyaml_schema_field_t interface_fields[] = {
	STRING("name", struct config_interface, name),
	STRING("device", struct config_interface, device),
	CYAML_FIELD_UINT("vlan", OPT, struct config_interface, vlan),
	CYAML_FIELD_UINT("dscp", OPT, struct config_interface, dscp),
	CYAML_FIELD_SEQUENCE("addresses", CYAML_FLAG_POINTER | OPT, struct config_interface,
		addresses, &address_value, 1, CONFIG_ADDRESSES_MAX),
	/* the short form of a single one */
	OPT_STRING("address", struct config_interface, single.address),
	OPT_STRING("gateway", struct config_interface, single.gateway),
	CYAML_FIELD_MAPPING("ports", OPT, struct config_interface, single.ports, ports_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t interface_value = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct config_interface, interface_fields)};

static const cyaml_schema_value_t cpu_value = {CYAML_VALUE_UINT(CYAML_FLAG_DEFAULT, uint32_t)};

static const cyaml_schema_field_t media_fields[] = {
	OPT_STRING("socket", struct config_media, socket),
	OPT_STRING("user", struct config_media, user),
	CYAML_FIELD_ENUM("memory", OPT | CYAML_FLAG_STRICT, struct config_media, memory, memories,
		CYAML_ARRAY_LEN(memories)),
	CYAML_FIELD_UINT("memory_mb", OPT, struct config_media, memory_mb),
	CYAML_FIELD_UINT("workers", OPT, struct config_media, workers),
	CYAML_FIELD_SEQUENCE(
		"cpus", CYAML_FLAG_POINTER | OPT, struct config_media, cpus, &cpu_value, 0, 64),
	CYAML_FIELD_ENUM("poll", OPT | CYAML_FLAG_STRICT, struct config_media, poll, polls,
		CYAML_ARRAY_LEN(polls)),
	OPT_STRING("engine", struct config_media, engine),
	CYAML_FIELD_UINT("sessions", OPT, struct config_media, sessions),
	CYAML_FIELD_UINT("timeout_s", OPT, struct config_media, timeout_s),
	CYAML_FIELD_UINT("hold_timeout_s", OPT, struct config_media, hold_timeout_s),
	CYAML_FIELD_BOOL("telemetry", OPT, struct config_media, telemetry),
	OPT_STRING("shared_memory", struct config_media, shared_memory),
	CYAML_FIELD_UINT("one_way_s", OPT, struct config_media, one_way_s),
	CYAML_FIELD_SEQUENCE("interfaces", CYAML_FLAG_POINTER | OPT, struct config_media,
		interfaces, &interface_value, 0, 16),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_suite_value = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum relay_suite, suites, CYAML_ARRAY_LEN(suites))};

static const cyaml_schema_value_t digest_value = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT, enum config_digest, digests, CYAML_ARRAY_LEN(digests))};

static const cyaml_schema_field_t peering_fields[] = {
	OPT_STRING("address", struct config_peering, address),
	CYAML_FIELD_UINT("port", OPT, struct config_peering, port),
	OPT_STRING("certificate", struct config_peering, certificate),
	OPT_STRING("private_key", struct config_peering, private_key),
	OPT_STRING("ca", struct config_peering, ca),
	CYAML_FIELD_END,
};

#define LIMIT(name) CYAML_FIELD_UINT(#name, OPT, struct config_limits, name)
static const cyaml_schema_field_t limits_fields[] = {
	LIMIT(connections),
	LIMIT(connections_per_source),
	LIMIT(connects_per_second),
	LIMIT(requests_per_second),
	LIMIT(known_requests_per_second),
	LIMIT(sources),
	LIMIT(handshake_s),
	LIMIT(login_s),
	LIMIT(message_s),
	LIMIT(write_s),
	LIMIT(idle_s),
	LIMIT(queue),
	LIMIT(message_size),
	LIMIT(body_size),
	LIMIT(headers),
	LIMIT(load_ms),
	CYAML_FIELD_END,
};

static const cyaml_strval_t challenges[] = {
	{"www", CONFIG_CHALLENGE_WWW},
	{"proxy", CONFIG_CHALLENGE_PROXY},
};

static const cyaml_strval_t redirects[] = {
	{"follow", CONFIG_REDIRECTS_FOLLOW},
	{"refuse", CONFIG_REDIRECTS_REFUSE},
};

static const cyaml_strval_t transfers[] = {
	{"allow", CONFIG_TRANSFERS_ALLOW},
	{"refuse", CONFIG_TRANSFERS_REFUSE},
};

static const cyaml_schema_field_t sip_fields[] = {
	OPT_STRING("address", struct config_sip, address),
	CYAML_FIELD_UINT("port", OPT, struct config_sip, port),
	OPT_STRING("domain", struct config_sip, domain),
	OPT_STRING("certificate", struct config_sip, certificate),
	OPT_STRING("private_key", struct config_sip, private_key),
	OPT_STRING("ca", struct config_sip, ca),
	OPT_STRING("users", struct config_sip, users),
	OPT_STRING("user", struct config_sip, user),
	CYAML_FIELD_ENUM("srtp", OPT | CYAML_FLAG_STRICT, struct config_sip, srtp, srtps,
		CYAML_ARRAY_LEN(srtps)),
	CYAML_FIELD_BOOL("unencrypted_srtcp", OPT, struct config_sip, unencrypted_srtcp),
	CYAML_FIELD_SEQUENCE("suites", CYAML_FLAG_POINTER | OPT, struct config_sip, suites,
		&config_suite_value, 1, 8),
	CYAML_FIELD_SEQUENCE("digests", CYAML_FLAG_POINTER | OPT, struct config_sip, digests,
		&digest_value, 1, 4),
	CYAML_FIELD_ENUM("challenge", OPT | CYAML_FLAG_STRICT, struct config_sip, challenge,
		challenges, CYAML_ARRAY_LEN(challenges)),
	CYAML_FIELD_UINT("nonce_lifetime_s", OPT, struct config_sip, nonce_lifetime_s),
	CYAML_FIELD_UINT("expires_min_s", OPT, struct config_sip, expires_min_s),
	CYAML_FIELD_UINT("expires_default_s", OPT, struct config_sip, expires_default_s),
	CYAML_FIELD_UINT("expires_max_s", OPT, struct config_sip, expires_max_s),
	CYAML_FIELD_UINT("no_answer_s", OPT, struct config_sip, no_answer_s),
	CYAML_FIELD_UINT("contacts_max", OPT, struct config_sip, contacts_max),
	CYAML_FIELD_UINT("bindings_max", OPT, struct config_sip, bindings_max),
	CYAML_FIELD_UINT("flow_timer_s", OPT, struct config_sip, flow_timer_s),
	OPT_STRING("bindings", struct config_sip, bindings),
	CYAML_FIELD_SEQUENCE("trunks", CYAML_FLAG_POINTER | OPT, struct config_sip, trunks,
		&config_trunk_value, 0, CONFIG_TRUNKS_MAX),
	CYAML_FIELD_SEQUENCE("routes", CYAML_FLAG_POINTER | OPT, struct config_sip, routes,
		&config_route_value, 0, CONFIG_ROUTES_MAX),
	CYAML_FIELD_MAPPING("calls", OPT, struct config_sip, calls, config_calls_fields),
	OPT_STRING("control_socket", struct config_sip, control_socket),
	CYAML_FIELD_MAPPING("peering", OPT, struct config_sip, peering, peering_fields),
	CYAML_FIELD_MAPPING("limits", OPT, struct config_sip, limits, limits_fields),
	CYAML_FIELD_MAPPING(
		"penalties", OPT, struct config_sip, penalties, config_penalties_fields),
	CYAML_FIELD_MAPPING(
		"users_store", OPT, struct config_sip, users_store, config_store_fields),
	CYAML_FIELD_MAPPING("records", OPT, struct config_sip, records, config_records_fields),
	CYAML_FIELD_MAPPING("headers", OPT, struct config_sip, headers, config_headers_fields),
	CYAML_FIELD_MAPPING("trace", OPT, struct config_sip, trace, config_trace_fields),
	OPT_STRING("dialogs", struct config_sip, dialogs.store),
	CYAML_FIELD_UINT("dialogs_return_s", OPT, struct config_sip, dialogs.return_s),
	CYAML_FIELD_UINT("session_expires_s", OPT, struct config_sip, dialogs.session_expires_s),
	CYAML_FIELD_UINT("session_min_s", OPT, struct config_sip, dialogs.session_min_s),
	CYAML_FIELD_UINT("rekey_hours", OPT, struct config_sip, dialogs.rekey_hours),
	CYAML_FIELD_UINT("relay_wait_s", OPT, struct config_sip, dialogs.relay_wait_s),
	CYAML_FIELD_ENUM("redirects", OPT | CYAML_FLAG_STRICT, struct config_sip, dialogs.redirects,
		redirects, CYAML_ARRAY_LEN(redirects)),
	CYAML_FIELD_ENUM("transfers", OPT | CYAML_FLAG_STRICT, struct config_sip, dialogs.transfers,
		transfers, CYAML_ARRAY_LEN(transfers)),
	CYAML_FIELD_UINT("instant_message_bytes", OPT, struct config_sip, instant_message_bytes),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t log_fields[] = {
	CYAML_FIELD_ENUM("level", OPT | CYAML_FLAG_STRICT, struct config_log, level, levels,
		CYAML_ARRAY_LEN(levels)),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t top_fields[] = {
	CYAML_FIELD_MAPPING("media", OPT, struct config, media, media_fields),
	CYAML_FIELD_MAPPING("sip", OPT, struct config, sip, sip_fields),
	CYAML_FIELD_MAPPING("web", OPT, struct config, web, config_web_fields),
	CYAML_FIELD_MAPPING("log", OPT, struct config, log, log_fields),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, top_fields)};
