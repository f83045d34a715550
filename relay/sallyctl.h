/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of sallyctl: each shows one reply, as a table or as JSON. */
#ifndef RELAY_SALLYCTL_H
#define RELAY_SALLYCTL_H

#include "client.h"

#include <stdbool.h>

/* Exit status of sallyctl. */
enum sallyctl_exit {
	SALLYCTL_OK = 0,
	SALLYCTL_REFUSED = 1,     /* the relay said no, and why */
	SALLYCTL_USAGE = 2,       /* the command line is wrong */
	SALLYCTL_UNREACHABLE = 3, /* no relay answers */
};

struct json_t; /* of jansson */

struct sallyctl {
	struct relay_client *client;
	const char *socket;
	bool json;
	bool all; /* counters and drops at zero, too */
	/* of a capture */
	const char *session;   /* NULL: an interface */
	const char *interface; /* NULL: the first */
	unsigned seconds;
	unsigned packets; /* 0: no limit */
	unsigned snap;    /* 0: whole packets */
	bool force;       /* overwrite */
};

/* Asks the relay and shows what it answered. The return is an enum sallyctl_exit. */
int sallyctl_status(const struct sallyctl *ctl);
int sallyctl_stats(const struct sallyctl *ctl);
int sallyctl_sessions(const struct sallyctl *ctl);
int sallyctl_session(const struct sallyctl *ctl, const char *id);
int sallyctl_end(const struct sallyctl *ctl, const char *id);

/* For whom the configuration is, and where sallyport-sip answers. */
struct sallyctl_config {
	bool has_media;
	bool has_sip;
	char sip_socket[256];
};

/* The configuration of both daemons: they open the sockets themselves. */
int sallyctl_reload(const struct sallyctl *ctl, const struct sallyctl_config *where);
int sallyctl_config_show(const struct sallyctl *ctl, const struct sallyctl_config *where);
int sallyctl_config_check(const char *file, bool json);
/* Asks nobody. */
int sallyctl_config_reference(bool json);

int sallyctl_capture(const struct sallyctl *ctl, const char *file);

/* Drains both daemons. `relay` and `sip` are their sockets; NULL: that one is left alone. */
struct sallyctl_drain {
	const char *relay;
	const char *sip;
	bool cancel;
	bool wait;
	unsigned deadline_s; /* 0: wait without end */
	/* {"state": "draining", "cancelled", "drained" or "late" (after the deadline), "calls": of
	 * sallyport-sip, "sessions": of sallyport-media; null: it is not asked, or is gone} */
	bool json;
};
int sallyctl_drain(const struct sallyctl_drain *how);

/* Prints a JSON value and gives it back. The return is an enum sallyctl_exit. */
int sallyctl_print_json(struct json_t *json);

/* Rows of the table of a session's two legs, and one leg's as JSON. */
void sallyctl_print_quality(const struct relay_quality *a, const struct relay_quality *b);
struct json_t *sallyctl_quality_json(const struct relay_quality *quality);

/* One round trip; a refusal or a silent relay is said on stderr. */
int
sallyctl_ask(const struct sallyctl *ctl, void *request, size_t length, void *reply, size_t room);

#endif
