/* SPDX-License-Identifier: BSD-3-Clause */
/* The process's inside: what its parts share. Main thread alone. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "login.h"
#include "metrics.h"
#include "snapshot.h"

#include "relay/config.h"

#include <microhttpd.h>
#include <time.h>

#define WEB_READERS_MAX 32 /* of /events */
#define WEB_WAIT_MS 5000   /* for a snapshot */

struct listener;

/* A connection, from its first byte to its last. */
struct peer {
	struct peer *next;
	struct peer **prev;
	struct listener *listener;
	int fd;
	struct relay_ip ip;
	bool busy;                      /* a whole request has come, and is being answered */
	uint64_t since_ms;              /* when it became what it is */
	struct MHD_Connection *waiting; /* suspended for a snapshot; NULL: it is not */
	uint64_t waiting_ms;            /* since when this request waits; 0: it does not */
};

/* What may be asked for at it. */
enum listener_kind {
	LISTENER_ALL,     /* page and metrics */
	LISTENER_PAGE,    /* metrics have their own */
	LISTENER_METRICS, /* nothing else */
};

struct listener {
	struct web *web;
	enum listener_kind kind;
	bool local; /* of loopback: nobody else can reach it */
	struct MHD_Daemon *daemon;
	int epoll_fd;
};

struct web {
	const struct config *config;
	struct snapshots *snapshots;
	struct login *login; /* NULL: none is asked for */
	struct web_counters counters;
	struct listener listeners[2];
	unsigned listeners_count;
	struct peer *peers;
	bool ending;
	/* the view of one snapshot, made once for all who read it */
	uint64_t view_of; /* its taken_ms */
	char *view;       /* NULL: none yet */
	size_t view_length;
};

/* request.c: answers a request. */
enum MHD_Result request_on(void *listener, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *body, size_t *body_size, void **mine);
/* Suspends it until there is a snapshot: it is called again then. */
enum MHD_Result request_wait(struct peer *peer, struct MHD_Connection *connection);
/* Answers with that, and gives `response` back. */
enum MHD_Result request_answer(struct peer *peer, struct MHD_Connection *connection,
	unsigned status, struct MHD_Response *response, const char *type);
enum MHD_Result request_refuse(struct peer *peer, struct MHD_Connection *connection,
	unsigned status, const char *sentence);

/* events.c: /events, a snapshot each second as long as the reader stays. `call`: of that one alone;
 * NULL: of all. */
enum MHD_Result
events_answer(struct peer *peer, struct MHD_Connection *connection, const char *call);

#endif
