/* SPDX-License-Identifier: BSD-3-Clause */
/* What sallyport-web reads of the configuration. */
#ifndef RELAY_CONFIG_WEB_H
#define RELAY_CONFIG_WEB_H

#include <stdbool.h>
#include <stdint.h>

/* Who may look, by HTTP's Basic authentication over TLS. */
struct config_web_login {
	char *user; /* NULL: no login is asked for */
	char *hash; /* as "sallyctl web-password" makes it */
};

/* Metrics on a listener of their own. */
struct config_web_metrics {
	char *address; /* numeric; NULL: on the page's listener */
	uint16_t port;
};

struct config_web {
	char *address; /* numeric; not of loopback: only with certificate and login */
	uint16_t port;
	char *certificate; /* PEM, chain; NULL: no TLS */
	char *private_key; /* PEM */
	char *user;        /* drop to this user after start; NULL: stay */
	struct config_web_login login;
	struct config_web_metrics metrics;
	uint32_t connections;            /* at a time, in all */
	uint32_t connections_per_source; /* at a time */
	uint32_t timeout_s;              /* for a handshake, a request, or a reader that is slow */
};

#endif
