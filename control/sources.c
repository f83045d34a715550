/* SPDX-License-Identifier: BSD-3-Clause */
#include "sources.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

struct sources {
	uint64_t seed; /* so that nobody can choose whom he shares a bucket with */
	uint32_t most;
	uint32_t count;
	uint32_t mask;
	struct source_record *oldest, *newest;
	struct source_record *bucket[];
};

bool
bucket_take(struct bucket *bucket, uint32_t rate, uint32_t burst, uint64_t now_ms)
{
	uint64_t full = (uint64_t)burst * 1000;

	if (bucket->last_ms == 0) {
		bucket->level = full;
	} else if (now_ms > bucket->last_ms) {
		uint64_t gained = now_ms - bucket->last_ms;
		/* beyond this it is full anyway: the product can't overflow */
		bucket->level = gained > full ? full : bucket->level + gained * rate;
		if (bucket->level > full)
			bucket->level = full;
	}
	bucket->last_ms = now_ms;
	if (bucket->level < 1000)
		return false;
	bucket->level -= 1000;
	return true;
}

int
sources_create(uint32_t most, struct sources **out)
{
	uint32_t buckets = 16;

	while (buckets < most && buckets < (1u << 20))
		buckets *= 2;
	struct sources *sources = calloc(1, sizeof(*sources) + buckets * sizeof(void *));
	if (sources == NULL)
		return -ENOMEM;
	if (RAND_bytes((unsigned char *)&sources->seed, sizeof(sources->seed)) != 1) {
		free(sources);
		return -EIO;
	}
	sources->most = most;
	sources->mask = buckets - 1;
	*out = sources;
	return 0;
}

void
sources_destroy(struct sources *sources)
{
	if (sources == NULL)
		return;
	while (sources->oldest != NULL) {
		struct source_record *record = sources->oldest;
		sources->oldest = record->newer;
		free(record);
	}
	free(sources);
}

static struct relay_ip
mask(const struct relay_ip *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct relay_ip out = {.family = ip->family};

	if (ip->family == 6 && memcmp(ip->ip, mapped, sizeof(mapped)) == 0) {
		out.family = 4;
		memcpy(out.ip, ip->ip + 12, 4);
	} else {
		memcpy(out.ip, ip->ip, ip->family == 4 ? 4 : 8);
	}
	return out;
}

static struct source_record **
bucket_of(struct sources *sources, const struct relay_ip *ip)
{
	uint64_t part, hash = sources->seed ^ ip->family;

	/* 4 or 8 bytes are all there is after masking */
	memcpy(&part, ip->ip, sizeof(part));
	hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
	hash = (hash ^ (hash >> 29) ^ sources->seed) * 0xbf58476d1ce4e5b9u;
	return &sources->bucket[(hash ^ (hash >> 32)) & sources->mask];
}

static void
unlink_by_use(struct sources *sources, struct source_record *record)
{
	*(record->older != NULL ? &record->older->newer : &sources->oldest) = record->newer;
	*(record->newer != NULL ? &record->newer->older : &sources->newest) = record->older;
}

static void
link_newest(struct sources *sources, struct source_record *record)
{
	record->newer = NULL;
	record->older = sources->newest;
	*(sources->newest != NULL ? &sources->newest->newer : &sources->oldest) = record;
	sources->newest = record;
}

/* Makes room. One that has connections moves to the end: each at most once for each that comes. */
static void
forget_oldest(struct sources *sources)
{
	struct source_record *record = sources->oldest;

	for (uint32_t i = 0; i < sources->count && record->connections > 0; i++) {
		unlink_by_use(sources, record);
		link_newest(sources, record);
		record = sources->oldest;
	}
	if (record->connections > 0)
		return; /* as many as there are connections, which are limited, too */
	unlink_by_use(sources, record);
	*record->prev = record->next;
	if (record->next != NULL)
		record->next->prev = record->prev;
	free(record);
	sources->count--;
}

struct source_record *
sources_get(struct sources *sources, const struct relay_ip *ip)
{
	struct relay_ip key = mask(ip);
	struct source_record **bucket = bucket_of(sources, &key), *record = *bucket;

	while (record != NULL && !relay_ip_equal(&record->ip, &key))
		record = record->next;
	if (record != NULL) {
		unlink_by_use(sources, record);
		link_newest(sources, record);
		return record;
	}
	/* two, as long as there are more than there may be */
	for (unsigned i = 0; i < 2 && sources->count >= sources->most; i++)
		forget_oldest(sources);
	record = calloc(1, sizeof(*record));
	if (record == NULL)
		return NULL;
	record->ip = key;
	record->next = *bucket;
	record->prev = bucket;
	if (record->next != NULL)
		record->next->prev = &record->next;
	*bucket = record;
	link_newest(sources, record);
	sources->count++;
	return record;
}

void
sources_set_most(struct sources *sources, uint32_t most)
{
	sources->most = most;
}

uint32_t
sources_count(const struct sources *sources)
{
	return sources->count;
}
