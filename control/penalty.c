/* SPDX-License-Identifier: BSD-3-Clause */
#include "penalty.h"

#include "mac.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE MAC_SIZE
#define WAYS 8                /* entries that share one place in a table */
#define FRIENDS 131072        /* users and where they logged in: 3 MiB */
#define FRIEND_MS 86400000ull /* for how long that counts */
#define DOUBLINGS_MAX 20

enum kind { KIND_SOURCE, KIND_USER, KIND_PAIR };

/* Failures are kept as the time at which the last of them will be forgotten: each adds forget_s. */
struct entry {
	uint8_t key[KEY_SIZE];
	uint64_t forgotten_ms; /* 0: this place is free */
	uint64_t locked_ms;    /* until then */
};

/* A pair that logged in. */
struct friend
{
	uint64_t key; /* the begin of the pair's */
	uint64_t seen_ms;
};

struct penalties {
	const struct config_penalties *config;
	struct mac *mac; /* nobody can choose whom he shares a place with */
	struct friend *friends;
	uint64_t sets_count;
	struct entry entries[][WAYS];
};

int
penalties_create(const struct config_penalties *config, struct penalties **out)
{
	uint64_t sets_count = ((uint64_t)config->entries + WAYS - 1) / WAYS;
	struct penalties *penalties =
		calloc(1, sizeof(*penalties) + sets_count * sizeof(penalties->entries[0]));
	int result = -ENOMEM;

	*out = NULL;
	if (penalties == NULL)
		return result;
	penalties->config = config;
	penalties->sets_count = sets_count;
	penalties->friends = calloc(FRIENDS, sizeof(*penalties->friends));
	if (penalties->friends != NULL)
		result = mac_create(&penalties->mac);
	if (result != 0) {
		penalties_destroy(penalties);
		return result;
	}
	*out = penalties;
	return 0;
}

void
penalties_configure(struct penalties *penalties, const struct config_penalties *config)
{
	penalties->config = config;
}

void
penalties_destroy(struct penalties *penalties)
{
	if (penalties == NULL)
		return;
	free(penalties->friends);
	mac_destroy(penalties->mac);
	free(penalties);
}

/* Names are kept by their hash: they may be of any length, and are personal. */
static void
make_key(const struct penalties *penalties, enum kind kind, const struct relay_ip *source,
	const char *user, uint8_t key[KEY_SIZE])
{
	uint8_t text[2 + 16 + 256] = {(uint8_t)kind};
	size_t length = sizeof(text) - 256, user_length = strnlen(user, 256);

	if (kind != KIND_USER) {
		text[1] = source->family;
		memcpy(text + 2, source->ip, source->family == 4 ? 4 : 8);
	}
	if (kind != KIND_SOURCE) {
		memcpy(text + length, user, user_length);
		length += user_length;
	}
	if (mac_run(penalties->mac, text, length, key) != 0)
		memset(key, 0,
			KEY_SIZE); /* OpenSSL is broken: then all are one, and no login works */
}

static uint64_t
number_of(const uint8_t key[KEY_SIZE])
{
	uint64_t number;

	memcpy(&number, key, sizeof(number));
	return number;
}

static struct entry *
find(struct penalties *penalties, const uint8_t key[KEY_SIZE])
{
	struct entry *set = penalties->entries[number_of(key) % penalties->sets_count];

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].forgotten_ms != 0 && memcmp(set[i].key, key, KEY_SIZE) == 0)
			return &set[i];
	return NULL;
}

/* The key's entry, or a free one, or that of the least guilty. */
static struct entry *
find_or_make(struct penalties *penalties, const uint8_t key[KEY_SIZE])
{
	struct entry *set = penalties->entries[number_of(key) % penalties->sets_count];
	struct entry *entry = find(penalties, key);

	if (entry != NULL)
		return entry;
	entry = &set[0];
	for (unsigned i = 1; i < WAYS; i++)
		if (set[i].forgotten_ms < entry->forgotten_ms)
			entry = &set[i];
	memset(entry, 0, sizeof(*entry));
	memcpy(entry->key, key, KEY_SIZE);
	return entry;
}

static struct friend *
friends_of(struct penalties *penalties, uint64_t key)
{
	return &penalties->friends[key % (FRIENDS / WAYS) * WAYS];
}

static bool
is_friend(struct penalties *penalties, const uint8_t pair[KEY_SIZE], uint64_t now_ms)
{
	uint64_t key = number_of(pair);
	const struct friend *set = friends_of(penalties, key);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].key == key && set[i].seen_ms != 0 &&
			now_ms - set[i].seen_ms <= FRIEND_MS)
			return true;
	return false;
}

static uint64_t
locked_for(struct penalties *penalties, const uint8_t key[KEY_SIZE], uint64_t now_ms)
{
	const struct entry *entry = find(penalties, key);

	return entry != NULL && entry->locked_ms > now_ms ? entry->locked_ms - now_ms : 0;
}

uint64_t
penalties_check(struct penalties *penalties, const struct relay_ip *source, const char *user,
	uint64_t now_ms)
{
	uint8_t key[KEY_SIZE];

	if (penalties->config->max_s == 0)
		return 0;
	make_key(penalties, KIND_PAIR, source, user, key);
	if (is_friend(penalties, key, now_ms))
		return locked_for(penalties, key, now_ms);
	make_key(penalties, KIND_SOURCE, source, user, key);
	uint64_t by_source = locked_for(penalties, key, now_ms);
	make_key(penalties, KIND_USER, source, user, key);
	uint64_t by_user = locked_for(penalties, key, now_ms);
	return by_source > by_user ? by_source : by_user;
}

static void
count(struct penalties *penalties, const uint8_t key[KEY_SIZE], unsigned free_failures,
	uint64_t now_ms)
{
	const struct config_penalties *config = penalties->config;
	uint64_t forget_ms = (uint64_t)config->forget_s * 1000;
	uint64_t most_ms = (uint64_t)config->max_s * 1000;
	struct entry *entry = find_or_make(penalties, key);

	if (entry->forgotten_ms < now_ms)
		entry->forgotten_ms = now_ms;
	entry->forgotten_ms += forget_ms;
	uint64_t failures = (entry->forgotten_ms - now_ms + forget_ms - 1) / forget_ms;
	if (failures <= free_failures)
		return;
	uint64_t over = failures - free_failures - 1;
	if (over > DOUBLINGS_MAX) {
		over = DOUBLINGS_MAX;
		entry->forgotten_ms -= forget_ms; /* as bad as it gets */
	}
	uint64_t delay_ms = ((uint64_t)config->first_s * 1000) << over;
	entry->locked_ms = now_ms + (delay_ms < most_ms ? delay_ms : most_ms);
}

void
penalties_failed(struct penalties *penalties, const struct relay_ip *source, const char *user,
	uint64_t now_ms)
{
	const struct config_penalties *config = penalties->config;
	uint8_t key[KEY_SIZE];

	if (config->max_s == 0)
		return;
	make_key(penalties, KIND_PAIR, source, user, key);
	if (is_friend(penalties, key, now_ms)) {
		count(penalties, key, config->user_free, now_ms);
		return;
	}
	make_key(penalties, KIND_SOURCE, source, user, key);
	count(penalties, key, config->source_free, now_ms);
	make_key(penalties, KIND_USER, source, user, key);
	count(penalties, key, config->user_free, now_ms);
}

void
penalties_succeeded(struct penalties *penalties, const struct relay_ip *source, const char *user,
	uint64_t now_ms)
{
	uint8_t pair[KEY_SIZE];

	if (penalties->config->max_s == 0)
		return;
	make_key(penalties, KIND_PAIR, source, user, pair);
	uint64_t key = number_of(pair);
	struct friend *set = friends_of(penalties, key), *place = &set[0];
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].key == key) {
			place = &set[i];
			break;
		}
		if (set[i].seen_ms < place->seen_ms)
			place = &set[i];
	}
	*place = (struct friend){key, now_ms};
	struct entry *entry = find(penalties, pair);
	if (entry != NULL)
		memset(entry, 0, sizeof(*entry));
}
