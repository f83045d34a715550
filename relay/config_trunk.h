/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of peers: trunks, the dial plan, and limits on calls. Part of config.h. */
#ifndef RELAY_CONFIG_TRUNK_H
#define RELAY_CONFIG_TRUNK_H

#include "suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_srtp {
	CONFIG_SRTP_REQUIRED,  /* RTP/AVP is answered 488 */
	CONFIG_SRTP_PREFERRED, /* SRTP is offered, and plain RTP taken (RFC 8643) */
	CONFIG_SRTP_OFF,       /* plain RTP only */
};

/* Who may begin calls. */
enum config_direction {
	CONFIG_DIRECTION_BOTH,
	CONFIG_DIRECTION_IN,  /* the trunk calls us */
	CONFIG_DIRECTION_OUT, /* we call it */
};

#define CONFIG_TRUNKS_MAX 256
#define CONFIG_ROUTES_MAX 1024
#define CONFIG_TRUNK_NAME_MAX 31 /* characters, of a trunk's or group's name */
#define CONFIG_NUMBER_MAX 32     /* characters, of a prefix */
#define CONFIG_HOST_MAX 253      /* characters, RFC 1035 2.3.4 */

/* Reserved names of the dial plan. */
#define CONFIG_USERS "users" /* our own users, as callers or as called */
#define CONFIG_ANYBODY "any"

/* What a trunk's challenge is answered with (RFC 7616). */
struct config_credentials {
	char *realm; /* NULL: for every realm that no other entry names */
	char *user;
	char *password_file; /* its first line is the password */
	char *password;      /* read by config_read_secrets(), wiped by config_free(); else NULL */
};

struct config_trunk {
	char *name;
	char *group;       /* optional: the dial plan may name several trunks by it */
	char *address;     /* "HOST", "HOST:PORT": numeric, a name, or (without a port) of SRV */
	char *tls_name;    /* in the peer's certificate, and SNI; set in any case */
	char *certificate; /* PEM: ours towards this trunk; NULL: that of the listener */
	char *private_key;
	struct config_credentials *credentials;
	unsigned credentials_count;
	uint32_t priority; /* lower ones are tried first */
	uint32_t weight;   /* share of the calls, among those of one priority */
	enum config_srtp srtp;
	enum relay_suite *suites; /* in order of preference; set in any case */
	unsigned suites_count;
	uint32_t calls_max;        /* at a time; 0: no limit */
	uint32_t calls_per_second; /* 0: no limit */
	uint32_t ping_s;           /* seconds between OPTIONS; 0: none */
	uint32_t ping_failures;    /* so many in a row take it out */
	char *from_domain;         /* of our users, as this trunk sees them; set in any case */
	bool trust_identity;       /* its P-Asserted-Identity is believed, and it is told ours */
	enum config_direction direction;
	/* filled in by config_load() from the address */
	char host[CONFIG_HOST_MAX + 1]; /* without brackets */
	uint16_t port;                  /* 0: not said */
};

/* One entry of the dial plan. */
struct config_route {
	char *prefix; /* digits, maybe after a "+"; NULL: every number */
	char *from;   /* CONFIG_USERS, CONFIG_ANYBODY, a trunk, or a group; set in any case */
	char **to;    /* trunks, groups, or CONFIG_USERS: one after the other */
	unsigned to_count;
	uint32_t strip;    /* characters taken from the number's begin */
	char *prepend;     /* then put before it; NULL: nothing */
	uint32_t priority; /* among entries of one prefix: lower ones are tried first */
};

/* Limits on calls; 0 is none. */
struct config_calls {
	uint32_t max;
	uint32_t per_user; /* a user's, as caller and as called */
	uint32_t per_second;
};

#endif
