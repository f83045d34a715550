/* SPDX-License-Identifier: BSD-3-Clause */
/* Users that were found lately, for while their store is away. A table of fixed size, for one
 * realm; what is in it are hashes that log in: it is wiped. One thread. */
#ifndef CONTROL_USERS_CACHE_H
#define CONTROL_USERS_CACHE_H

#include "users.h"

struct users_cache;

/* keep_ms: how long a user is good for after users_cache_put(); 0: nothing is kept. NULL: out of
 * memory. */
struct users_cache *users_cache_create(uint64_t keep_ms);
void users_cache_destroy(struct users_cache *cache);

/* now_ms: any clock that only goes up. */
void users_cache_put(struct users_cache *cache, const struct user *user, uint64_t now_ms);

/* There is no such user any more. */
void users_cache_forget(struct users_cache *cache, const struct user *user);

/* Fills the hashes of the user whose name and realm stand in it. False: not known. */
bool users_cache_get(struct users_cache *cache, struct user *user, uint64_t now_ms);

#endif
