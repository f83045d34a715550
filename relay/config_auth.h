/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration of logins: the users' store, and what wrong passwords cost. Part of
 * config.h. */
#ifndef RELAY_CONFIG_AUTH_H
#define RELAY_CONFIG_AUTH_H

#include <stdint.h>

/* What a failed login costs who comes from the same address, and who claims the same name. */
struct config_penalties {
	uint32_t user_free;   /* failures of one user's name that cost nothing */
	uint32_t source_free; /* of one source; IPv6: of a /64 */
	uint32_t first_s;     /* no login is looked at for so long after the first that costs; each
	                         further one doubles it */
	uint32_t max_s;       /* up to this; 0: failures cost nothing */
	uint32_t forget_s;    /* after so long, one failure is forgotten */
	uint32_t entries;     /* sources and names that are remembered */
};

/* A store of users that is another machine's. */
struct config_store {
	uint32_t wait_ms; /* for its answer; the event loop waits */
	uint32_t cache_s; /* a user that was found is served for so long while the store is away */
};

#endif
