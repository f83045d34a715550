/* SPDX-License-Identifier: BSD-3-Clause */
/* The section of sallyport-web: shape and checks. */
#include "config_private.h"

#include <errno.h>
#include <string.h>

#define HASH_BEGIN "scrypt$"
#define USER_MAX 64

#define OPT CYAML_FLAG_OPTIONAL
#define OPT_STRING(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | OPT, type, member, 1, 4096)

static const cyaml_schema_field_t login_fields[] = {
	OPT_STRING("user", struct config_web_login, user),
	OPT_STRING("hash", struct config_web_login, hash),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	OPT_STRING("address", struct config_web_metrics, address),
	CYAML_FIELD_UINT("port", OPT, struct config_web_metrics, port),
	CYAML_FIELD_END,
};

const cyaml_schema_field_t config_web_fields[] = {
	OPT_STRING("address", struct config_web, address),
	CYAML_FIELD_UINT("port", OPT, struct config_web, port),
	OPT_STRING("certificate", struct config_web, certificate),
	OPT_STRING("private_key", struct config_web, private_key),
	OPT_STRING("user", struct config_web, user),
	CYAML_FIELD_MAPPING("login", OPT, struct config_web, login, login_fields),
	CYAML_FIELD_MAPPING("metrics", OPT, struct config_web, metrics, metrics_fields),
	CYAML_FIELD_UINT("connections", OPT, struct config_web, connections),
	CYAML_FIELD_UINT("connections_per_source", OPT, struct config_web, connections_per_source),
	CYAML_FIELD_UINT("timeout_s", OPT, struct config_web, timeout_s),
	CYAML_FIELD_END,
};

/* Who is not on this machine gets nothing in clear, and nothing without a login. */
static int
check_listener(const struct config_complaint *to, const struct config_web *web, const char *field,
	const char *address)
{
	struct relay_ip ip;

	if (relay_ip_parse(address, strlen(address), &ip) != 0)
		return config_complain_of(to, field, "\"%s\" is no numeric IP address", address);
	if (relay_ip_is_loopback(&ip))
		return 0;
	if (web->certificate == NULL)
		return config_complain_of(to, field,
			"%s can be reached from other machines: set web.certificate and "
			"web.private_key, or listen on 127.0.0.1",
			address);
	if (web->login.user == NULL)
		return config_complain_of(to, field,
			"%s can be reached from other machines: set web.login (sallyctl "
			"web-password), or listen on 127.0.0.1",
			address);
	return 0;
}

static int
check_login(const struct config_complaint *to, const struct config_web_login *login)
{
	if ((login->user == NULL) != (login->hash == NULL))
		return config_complain_of(to,
			login->user == NULL ? "web.login.user" : "web.login.hash",
			"is missing: a login is a user and a hash");
	if (login->user == NULL)
		return 0;
	/* RFC 7617 2: a colon ends the user's name */
	if (strlen(login->user) > USER_MAX || strchr(login->user, ':') != NULL)
		return config_complain_of(to, "web.login.user",
			"\"%s\": at most %d characters, and no colon", login->user, USER_MAX);
	if (strncmp(login->hash, HASH_BEGIN, strlen(HASH_BEGIN)) != 0)
		return config_complain_of(to, "web.login.hash",
			"is no hash of a password: make one by \"sallyctl web-password\"");
	return 0;
}

int
config_web_check(const struct config_complaint *to, struct config_web *web)
{
	if ((web->certificate == NULL) != (web->private_key == NULL))
		return config_complain_of(to,
			web->certificate == NULL ? "web.certificate" : "web.private_key",
			"is missing: certificate and private_key belong together");
	if (check_login(to, &web->login) != 0 ||
		check_listener(to, web, "web.address", web->address) != 0)
		return -EINVAL;
	if (web->metrics.address == NULL)
		return 0;
	if (strcmp(web->metrics.address, web->address) == 0 && web->metrics.port == web->port)
		return config_complain_of(to, "web.metrics.port",
			"%u is where the page is: give metrics another, or leave web.metrics out",
			web->port);
	return check_listener(to, web, "web.metrics.address", web->metrics.address);
}
