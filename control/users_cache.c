/* SPDX-License-Identifier: BSD-3-Clause */
#include "users_cache.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 4
#define SETS 32768 /* 131072 users: 36 MiB once all are there */

struct entry {
	uint64_t put_ms;
	char name[USER_NAME_SIZE]; /* empty: this place is free */
	char ha1[DIGEST_ALGORITHM_COUNT][DIGEST_HEX_SIZE];
};

struct users_cache {
	uint64_t keep_ms;
	char realm[USER_REALM_SIZE]; /* of all that are in it: that of the first */
	struct entry (*sets)[WAYS];
};

struct users_cache *
users_cache_create(uint64_t keep_ms)
{
	struct users_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	cache->keep_ms = keep_ms;
	cache->sets = calloc(SETS, sizeof(*cache->sets)); /* taken as it is used */
	if (cache->sets == NULL) {
		free(cache);
		return NULL;
	}
	return cache;
}

void
users_cache_destroy(struct users_cache *cache)
{
	if (cache == NULL)
		return;
	for (unsigned i = 0; i < SETS; i++)
		for (unsigned k = 0; k < WAYS; k++)
			if (cache->sets[i][k].name[0] != '\0')
				OPENSSL_cleanse(&cache->sets[i][k], sizeof(struct entry));
	free(cache->sets);
	free(cache);
}

/* Names in it are those of real users: nobody else chooses who shares a place with whom. */
static struct entry *
set_of(struct users_cache *cache, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return cache->sets[hash % SETS];
}

static struct entry *
find(struct users_cache *cache, const struct user *user)
{
	struct entry *set = set_of(cache, user->name);

	if (strcmp(cache->realm, user->realm) != 0)
		return NULL;
	for (unsigned i = 0; i < WAYS; i++)
		if (strcmp(set[i].name, user->name) == 0)
			return &set[i];
	return NULL;
}

void
users_cache_put(struct users_cache *cache, const struct user *user, uint64_t now_ms)
{
	struct entry *set = set_of(cache, user->name), *place = &set[0];

	if (cache->keep_ms == 0)
		return;
	if (cache->realm[0] == '\0')
		memcpy(cache->realm, user->realm, sizeof(cache->realm));
	if (strcmp(cache->realm, user->realm) != 0)
		return;
	for (unsigned i = 0; i < WAYS; i++) {
		if (strcmp(set[i].name, user->name) == 0) {
			place = &set[i];
			break;
		}
		if (set[i].put_ms < place->put_ms)
			place = &set[i];
	}
	place->put_ms = now_ms;
	memcpy(place->name, user->name, sizeof(place->name));
	memcpy(place->ha1, user->ha1, sizeof(place->ha1));
}

void
users_cache_forget(struct users_cache *cache, const struct user *user)
{
	struct entry *entry = find(cache, user);

	if (entry != NULL)
		OPENSSL_cleanse(entry, sizeof(*entry));
}

bool
users_cache_get(struct users_cache *cache, struct user *user, uint64_t now_ms)
{
	struct entry *entry = user->name[0] != '\0' ? find(cache, user) : NULL;

	if (entry == NULL)
		return false;
	if (now_ms - entry->put_ms > cache->keep_ms) {
		OPENSSL_cleanse(entry, sizeof(*entry));
		return false;
	}
	memcpy(user->ha1, entry->ha1, sizeof(user->ha1));
	return true;
}
