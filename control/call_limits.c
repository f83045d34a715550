/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_limits.h"

#include "counters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024 /* a power of two */

/* Tokens in thousandths, so that a millisecond's share is whole. */
struct bucket {
	uint64_t tokens;
	uint64_t at_ms; /* of the last fill; 0: never, and full */
};

/* A user with calls. */
struct holder {
	struct holder *next;
	unsigned count;
	char name[USER_NAME_SIZE];
};

/* A trunk, by its name: calls of before a reload count on. */
struct trunk_calls {
	struct trunk_calls *next;
	char name[USER_NAME_SIZE]; /* as in struct party */
	unsigned count;
	struct bucket bucket;
};

struct call_limits {
	const struct config_sip *config;
	unsigned count;
	struct bucket bucket;
	struct holder *users[BUCKETS];
	struct trunk_calls *trunks; /* that had calls */
};

struct call_limits *
call_limits_create(const struct config_sip *config)
{
	struct call_limits *limits = calloc(1, sizeof(*limits));

	if (limits != NULL)
		limits->config = config;
	return limits;
}

void
call_limits_configure(struct call_limits *limits, const struct config_sip *config)
{
	struct trunk_calls **at = &limits->trunks;

	limits->config = config;
	/* trunks that are gone must not pile up */
	while (*at != NULL) {
		struct trunk_calls *calls = *at;
		if (calls->count > 0) {
			at = &calls->next;
			continue;
		}
		*at = calls->next;
		free(calls);
	}
}

void
call_limits_destroy(struct call_limits *limits)
{
	if (limits == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while (limits->users[i] != NULL) {
			struct holder *next = limits->users[i]->next;
			free(limits->users[i]);
			limits->users[i] = next;
		}
	while (limits->trunks != NULL) {
		struct trunk_calls *next = limits->trunks->next;
		free(limits->trunks);
		limits->trunks = next;
	}
	free(limits);
}

static struct holder **
find_holder(const struct call_limits *limits, const char *name)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (const char *at = name; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * 16777619u;
	struct holder **at = (struct holder **)(uintptr_t)&limits->users[hash % BUCKETS];
	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

/* Is there a token? A second's worth fits in. */
static bool
has_token(struct bucket *bucket, uint32_t per_second, uint64_t now_ms)
{
	uint64_t most = (uint64_t)per_second * 1000;

	if (per_second == 0)
		return true;
	if (bucket->at_ms == 0 || now_ms < bucket->at_ms || now_ms - bucket->at_ms >= 1000)
		bucket->tokens = most;
	else
		bucket->tokens += (now_ms - bucket->at_ms) * per_second;
	if (bucket->tokens > most)
		bucket->tokens = most;
	bucket->at_ms = now_ms;
	return bucket->tokens >= 1000;
}

static void
take_token(struct bucket *bucket, uint32_t per_second)
{
	if (per_second != 0)
		bucket->tokens -= 1000;
}

/* NULL: it has had no call. */
static struct trunk_calls *
find_trunk(const struct call_limits *limits, const char *name)
{
	struct trunk_calls *at = limits->trunks;

	while (at != NULL && strcmp(at->name, name) != 0)
		at = at->next;
	return at;
}

/* NULL: no memory. */
static struct trunk_calls *
find_or_make_trunk(struct call_limits *limits, const char *name)
{
	struct trunk_calls *calls = find_trunk(limits, name);

	if (calls != NULL || (calls = calloc(1, sizeof(*calls))) == NULL)
		return calls;
	snprintf(calls->name, sizeof(calls->name), "%s", name);
	calls->next = limits->trunks;
	limits->trunks = calls;
	return calls;
}

/* May this party have one more? Takes nothing. */
static enum call_limit
check_party(struct call_limits *limits, const struct party *party, uint64_t now_ms)
{
	if (party->kind == PARTY_USER) {
		const struct holder *holder = *find_holder(limits, party->name);
		uint32_t most = limits->config->calls.per_user;
		return most != 0 && holder != NULL && holder->count >= most ? CALL_LIMIT_USER
		                                                            : CALL_LIMIT_NONE;
	}
	struct trunk_calls *calls = find_or_make_trunk(limits, party->name);
	if (calls == NULL)
		return CALL_LIMIT_NO_MEMORY;
	if (party->trunk->calls_max != 0 && calls->count >= party->trunk->calls_max)
		return CALL_LIMIT_TRUNK;
	return has_token(&calls->bucket, party->trunk->calls_per_second, now_ms)
	               ? CALL_LIMIT_NONE
	               : CALL_LIMIT_TRUNK_RATE;
}

/* One more of this party's, whatever its limit. */
static enum call_limit
count_party(struct call_limits *limits, const struct party *party)
{
	struct holder **at;

	if (party->kind == PARTY_TRUNK) {
		struct trunk_calls *calls = find_or_make_trunk(limits, party->name);
		if (calls == NULL)
			return CALL_LIMIT_NO_MEMORY;
		calls->count++;
		return CALL_LIMIT_NONE;
	}
	at = find_holder(limits, party->name);
	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL)
			return CALL_LIMIT_NO_MEMORY;
		memcpy((*at)->name, party->name, sizeof((*at)->name));
	}
	(*at)->count++;
	return CALL_LIMIT_NONE;
}

static enum call_limit
take_party(struct call_limits *limits, const struct party *party)
{
	if (party->kind == PARTY_TRUNK)
		take_token(&find_trunk(limits, party->name)->bucket,
			party->trunk->calls_per_second); /* it was checked before */
	return count_party(limits, party);
}

static bool
is_same(const struct party *a, const struct party *b)
{
	return a->kind == b->kind && strcmp(a->name, b->name) == 0;
}

static void
give_party(struct call_limits *limits, const struct party *party)
{
	if (party->kind == PARTY_TRUNK) {
		struct trunk_calls *calls = find_trunk(limits, party->name);
		if (calls != NULL) /* one that no memory was left to count */
			calls->count--;
		return;
	}
	struct holder **at = find_holder(limits, party->name), *holder = *at;
	if (--holder->count > 0)
		return;
	*at = holder->next;
	free(holder);
}

static enum call_limit
refuse(enum call_limit limit)
{
	switch (limit) {
	case CALL_LIMIT_CALLS:
		counters_add(COUNTER_LIMIT_CALLS);
		break;
	case CALL_LIMIT_RATE:
		counters_add(COUNTER_LIMIT_RATE);
		break;
	case CALL_LIMIT_USER:
		counters_add(COUNTER_LIMIT_USER);
		break;
	case CALL_LIMIT_TRUNK:
		counters_add(COUNTER_LIMIT_TRUNK);
		break;
	case CALL_LIMIT_TRUNK_RATE:
		counters_add(COUNTER_LIMIT_TRUNK_RATE);
		break;
	default:
		break;
	}
	return limit;
}

enum call_limit
call_limits_take(struct call_limits *limits, struct call_limits_hold *hold,
	const struct party *from, uint64_t now_ms)
{
	const struct config_calls *calls = &limits->config->calls;
	enum call_limit limit = CALL_LIMIT_NONE;

	if (calls->max != 0 && limits->count >= calls->max)
		limit = CALL_LIMIT_CALLS;
	if (limit == CALL_LIMIT_NONE)
		limit = check_party(limits, from, now_ms);
	/* last: what is refused for another reason costs the others no token */
	if (limit == CALL_LIMIT_NONE && !has_token(&limits->bucket, calls->per_second, now_ms))
		limit = CALL_LIMIT_RATE;
	if (limit == CALL_LIMIT_NONE)
		limit = take_party(limits, from);
	if (limit != CALL_LIMIT_NONE)
		return refuse(limit);
	take_token(&limits->bucket, calls->per_second);
	limits->count++;
	*hold = (struct call_limits_hold){.limits = limits, .from = *from};
	return CALL_LIMIT_NONE;
}

enum call_limit
call_limits_take_to(struct call_limits_hold *hold, const struct party *to, uint64_t now_ms)
{
	if (hold->to_held && is_same(&hold->to, to))
		return CALL_LIMIT_NONE;
	if (hold->to_held)
		give_party(hold->limits, &hold->to);
	hold->to_held = false;
	enum call_limit limit = check_party(hold->limits, to, now_ms);
	if (limit == CALL_LIMIT_NONE)
		limit = take_party(hold->limits, to);
	if (limit != CALL_LIMIT_NONE)
		return refuse(limit);
	hold->to = *to;
	hold->to_held = true;
	return CALL_LIMIT_NONE;
}

enum call_limit
call_limits_take_guest(struct call_limits *limits, struct call_limits_guest *guest,
	const struct party *party, uint64_t now_ms)
{
	if (guest->limits != NULL && is_same(&guest->party, party))
		return CALL_LIMIT_NONE;
	call_limits_give_guest(guest);
	enum call_limit limit = check_party(limits, party, now_ms);
	if (limit == CALL_LIMIT_NONE)
		limit = take_party(limits, party);
	if (limit != CALL_LIMIT_NONE)
		return refuse(limit);
	*guest = (struct call_limits_guest){limits, *party};
	return CALL_LIMIT_NONE;
}

void
call_limits_give_guest(struct call_limits_guest *guest)
{
	if (guest->limits != NULL)
		give_party(guest->limits, &guest->party);
	memset(guest, 0, sizeof(*guest));
}

void
call_limits_replace(struct call_limits_hold *hold, unsigned side, const struct party *party)
{
	struct party *held = side == 0 ? &hold->from : &hold->to;

	if (hold->limits == NULL || count_party(hold->limits, party) != CALL_LIMIT_NONE)
		return; /* who was there goes on to count */
	if (side == 0 || hold->to_held)
		give_party(hold->limits, held);
	*held = *party;
	hold->to_held |= side == 1;
}

void
call_limits_resume(struct call_limits *limits, struct call_limits_hold *hold,
	const struct party *from, const struct party *to)
{
	if (count_party(limits, from) != CALL_LIMIT_NONE)
		return;
	limits->count++;
	*hold = (struct call_limits_hold){.limits = limits, .from = *from};
	hold->to_held = count_party(limits, to) == CALL_LIMIT_NONE;
	if (hold->to_held)
		hold->to = *to;
}

void
call_limits_give(struct call_limits_hold *hold)
{
	if (hold->limits == NULL)
		return;
	hold->limits->count--;
	give_party(hold->limits, &hold->from);
	if (hold->to_held)
		give_party(hold->limits, &hold->to);
	memset(hold, 0, sizeof(*hold));
}

int
call_limits_status(
	enum call_limit limit, bool is_callee, const char **phrase, unsigned *retry_after_s)
{
	*phrase = NULL;
	*retry_after_s = 0;
	switch (limit) {
	case CALL_LIMIT_USER:
		if (is_callee)
			return 486;
		*phrase = "Too Many Calls of This User";
		*retry_after_s = 10;
		return 503;
	case CALL_LIMIT_RATE:
	case CALL_LIMIT_TRUNK_RATE:
		*phrase = "Too Many Calls a Second";
		*retry_after_s = 1;
		return 503;
	case CALL_LIMIT_NO_MEMORY:
		return 500;
	default:
		*phrase = "Too Many Calls";
		*retry_after_s = 10;
		return 503;
	}
}

unsigned
call_limits_count(const struct call_limits *limits)
{
	return limits->count;
}

unsigned
call_limits_count_of(const struct call_limits *limits, const struct party *party)
{
	if (party->kind == PARTY_TRUNK) {
		const struct trunk_calls *calls = find_trunk(limits, party->name);
		return calls != NULL ? calls->count : 0;
	}
	const struct holder *holder = *find_holder(limits, party->name);
	return holder != NULL ? holder->count : 0;
}
