/* SPDX-License-Identifier: BSD-3-Clause */
/* The listeners, and the loop. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "metrics.h"
#include "relay/config.h"

struct web;

/* What a process keeps when its configuration is read anew. */
struct server_kept {
	int fd[2]; /* listening sockets; -1: to be opened */
	struct web_counters counters;
};

/* Are certificate, key and hash good? 0, or -errno after a sentence. */
int server_check(const struct config_web *config, char *error, size_t error_size);

/* Opens the listeners, or takes those of `kept` over. `config` outlives it. 0, or -errno after a
 * sentence. */
int server_open(const struct config *config, struct server_kept *kept, struct web **out,
	char *error, size_t error_size);

/* Asks the planes, from now on. As the user who may do that. 0 or -errno. */
int server_start(struct web *web);

/* Answers until `signals` can be read from, and returns. Tells the service manager that it lives
 * every beat_ms; 0: never. */
void server_run(struct web *web, int signals, uint32_t beat_ms);
/* Ends all connections. `kept`, if not NULL, gets what goes on. */
void server_close(struct web *web, struct server_kept *kept);

#endif
