/* SPDX-License-Identifier: BSD-3-Clause */
/* The one configuration file (YAML, read by libcyaml) that both daemons and sallyctl share.
 * docs/config.md explains each field; deploy/sallyport.yaml is an example with the defaults. */
#ifndef RELAY_CONFIG_H
#define RELAY_CONFIG_H

#include "addr.h"
#include "config_auth.h"
#include "config_records.h"
#include "config_trunk.h"
#include "config_web.h"
#include "log.h"
#include "suite.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum config_memory {
	CONFIG_MEMORY_AUTO, /* hugepages if there are enough, else ordinary pages, and say so */
	CONFIG_MEMORY_HUGEPAGES, /* refuse to start without */
	CONFIG_MEMORY_ORDINARY,
};

enum config_poll {
	CONFIG_POLL_ADAPTIVE, /* an idle worker sleeps a little */
	CONFIG_POLL_BUSY,     /* a worker takes its whole core */
};

enum config_digest {
	CONFIG_DIGEST_MD5,         /* RFC 7616, last resort */
	CONFIG_DIGEST_SHA_256,     /* RFC 8760 */
	CONFIG_DIGEST_SHA_512_256, /* RFC 8760 */
};

struct config_ports {
	uint16_t first; /* even */
	uint16_t last;  /* odd */
};

#define CONFIG_ADDRESSES_MAX 64 /* of an interface */

/* One of an interface's media addresses. */
struct config_address {
	char *address;             /* "192.0.2.1/24": held by the exception TAP */
	char *gateway;             /* optional next hop for what is not on link */
	struct config_ports ports; /* of media */
	/* filled in by config_load() from the above */
	struct relay_ip ip;
	uint8_t prefix_length;
	struct relay_ip gateway_ip; /* family 0: none */
	uint16_t port_first;
	uint16_t port_last;
};

struct config_interface {
	char *name;    /* at most 15 characters */
	char *device;  /* DPDK device: PCI address or "net_af_xdp0,iface=veth0" */
	uint32_t vlan; /* 1 to 4094; 0: untagged */
	uint32_t dscp; /* 0 to 63, of what is sent to legs that have none of their own */
	struct config_address *addresses; /* at least one */
	unsigned addresses_count;
	/* The short form of a single address, as the file has it: config_load() makes it the one
	 * entry of addresses, and empties this. */
	struct config_address single;
};

struct config_log {
	enum log_level level;
};

struct config_media {
	char *socket; /* of the relay API */
	char *user;   /* drop to this user after start; NULL: stay */
	enum config_memory memory;
	uint32_t memory_mb;
	uint32_t workers;
	uint32_t *cpus; /* a CPU for each worker; none: chosen from those allowed */
	unsigned cpus_count;
	enum config_poll poll;
	char *engine;            /* "auto" or an engine's name */
	uint32_t sessions;       /* the most at a time */
	uint32_t timeout_s;      /* media inactivity */
	uint32_t hold_timeout_s; /* the same while a far end is on hold */
	bool telemetry;          /* DPDK's telemetry socket */
	char *shared_memory;     /* DPDK processes of this name may map all memory; NULL: none */
	uint32_t one_way_s; /* a leg is silent for so long and the other is not: an event; 0: off */
	struct config_interface *interfaces;
	unsigned interfaces_count;
};

/* Where trunks connect to us: mutual TLS. */
struct config_peering {
	char *address; /* numeric; NULL: no such listener */
	uint16_t port;
	char *certificate; /* PEM, chain; NULL: as sip.certificate, with its key */
	char *private_key; /* PEM */
	char *ca;          /* PEM: whose certificates trunks may have; NULL: as sip.ca */
};

/* What strangers and peers may cost us. config_limits.c has the defaults. */
struct config_limits {
	uint32_t connections;               /* at a time, in all */
	uint32_t connections_per_source;    /* at a time; IPv6: of a /64 */
	uint32_t connects_per_second;       /* of one source; in a burst, ten times as many */
	uint32_t requests_per_second;       /* of one source, from strangers */
	uint32_t known_requests_per_second; /* of one source, by users that have logged in */
	uint32_t sources;                   /* that are remembered */
	uint32_t handshake_s;               /* from the TCP connection to the end of TLS's */
	uint32_t login_s;                   /* to the first right login */
	uint32_t message_s;                 /* from a message's first byte to its last */
	uint32_t write_s;                   /* in which a peer must take what we have for it */
	uint32_t idle_s;                    /* without a byte of a peer's that is known */
	uint32_t queue;                     /* messages that wait for one peer */
	uint32_t message_size;              /* bytes */
	uint32_t body_size;                 /* bytes */
	uint32_t headers;                   /* of a message */
	uint32_t load_ms;                   /* of delay in our loop, above which we refuse */
};

/* How requests other than REGISTER are asked who they are from. */
enum config_challenge {
	CONFIG_CHALLENGE_WWW,   /* 401, as a user agent server asks: RFC 3261 22.2 */
	CONFIG_CHALLENGE_PROXY, /* 407, as a proxy asks: RFC 3261 22.3 */
};

enum config_redirects {
	CONFIG_REDIRECTS_FOLLOW, /* a 3xx of a callee: to our own users and trunks */
	CONFIG_REDIRECTS_REFUSE,
};

enum config_transfers {
	CONFIG_TRANSFERS_ALLOW, /* REFER inside a call */
	CONFIG_TRANSFERS_REFUSE,
};

struct config_dialogs {
	uint32_t session_expires_s; /* RFC 4028; 0: no session timer of our own accord */
	uint32_t session_min_s;     /* shorter ones are answered 422 */
	uint32_t rekey_hours;       /* fresh keys on both legs; 0: never */
	uint32_t relay_wait_s;      /* calls wait so long for a relay that went away; 0: not */
	enum config_redirects redirects;
	enum config_transfers transfers;
	char *store;       /* file of the calls, so that they outlive a restart; NULL: they don't */
	uint32_t return_s; /* that a phone has to come back after a restart */
};

struct config_sip {
	char *address; /* of the TLS listener, IPv4 or IPv6, numeric */
	uint16_t port;
	char *domain;      /* realm, and the host part of our users' addresses of record */
	char *certificate; /* PEM, chain */
	char *private_key; /* PEM */
	char *ca;          /* PEM; optional: whom peers are verified against */
	char *users;       /* SQLite file, or postgresql://... */
	char *user;        /* drop to this user after start; NULL: stay */
	enum config_srtp srtp;
	bool unencrypted_srtcp;   /* a phone that wants SRTCP in clear gets it (RFC 4568 6.3.2) */
	enum relay_suite *suites; /* in order of preference */
	unsigned suites_count;
	enum config_digest *digests; /* in the order of the challenges */
	unsigned digests_count;
	enum config_challenge challenge;
	uint32_t nonce_lifetime_s;
	uint32_t expires_min_s;
	uint32_t expires_default_s;
	uint32_t expires_max_s;
	uint32_t no_answer_s;
	uint32_t contacts_max; /* bindings of one user */
	uint32_t bindings_max; /* of all users */
	uint32_t flow_timer_s; /* RFC 5626 4.4.1; 0: none is named */
	char *bindings;        /* SQLite file */
	struct config_trunk *trunks;
	unsigned trunks_count;
	struct config_route *routes; /* the dial plan */
	unsigned routes_count;
	struct config_calls calls;
	char *control_socket; /* of "sallyctl sip" */
	struct config_peering peering;
	struct config_limits limits;
	struct config_records records;
	struct config_headers headers;
	struct config_penalties penalties;
	struct config_store users_store;
	struct config_trace trace;
	struct config_dialogs dialogs;
	uint32_t instant_message_bytes; /* the longest text of a MESSAGE; 0: none is taken */
};

struct config_lines;

struct config {
	char *path;
	struct config_lines *lines; /* which fields the file sets */
	enum log_level log_level;
	struct config_media media;
	struct config_sip sip;
	struct config_web web;
	struct config_log log;
};

/* Reads and checks the file. Returns 0 and *out (free with config_free()), or -errno after writing
 * one sentence with file, line and reason into error (error_size bytes). Defaults are filled in. */
int config_load(const char *path, struct config **out, char *error, size_t error_size);
void config_free(struct config *config);

/* Reads the passwords of the trunks from their files: for sallyport-sip alone. 0, or -errno after
 * a sentence. */
int config_read_secrets(struct config *config, char *error, size_t error_size);

#endif
