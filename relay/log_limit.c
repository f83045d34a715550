/* SPDX-License-Identifier: BSD-3-Clause */
#include "log_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define KINDS 512 /* a power of two, several times as many as a program has */
#define TELL_MS 10000
#define TOKEN 1000 /* of a bucket: a line; so many a second are a line's each millisecond */

struct kind {
	const char *name; /* NULL: free */
	uint64_t tokens;
	uint64_t seen_ms;
	uint64_t first_ms; /* of what was held back */
	unsigned held_back;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kind kinds[KINDS];
static struct kind others = {.name = "others"}; /* there is no room for */
static _Atomic uint64_t total;
/* When there is something to tell; UINT64_MAX: nothing. Written under the lock, read without. */
static _Atomic uint64_t tell_ms = UINT64_MAX;

static struct kind *
find(const char *name, uint64_t full, uint64_t now_ms)
{
	size_t at = ((uintptr_t)name >> 3) * 0x9e3779b1u % KINDS;

	for (size_t i = 0; i < KINDS; i++, at = (at + 1) % KINDS) {
		if (kinds[at].name == name)
			return &kinds[at];
		if (kinds[at].name != NULL)
			continue;
		kinds[at] = (struct kind){.name = name, .tokens = full, .seen_ms = now_ms};
		return &kinds[at];
	}
	return &others;
}

bool
log_limit_take(const char *name, unsigned burst, unsigned per_second, uint64_t now_ms)
{
	uint64_t full = (uint64_t)burst * TOKEN;

	pthread_mutex_lock(&lock);
	struct kind *kind = find(name, full, now_ms);
	/* another thread may have looked at the clock later, and come here before */
	if (now_ms > kind->seen_ms) {
		uint64_t gone_ms = now_ms - kind->seen_ms;
		kind->tokens += gone_ms < full ? gone_ms * per_second : full;
		kind->seen_ms = now_ms;
	}
	if (kind->tokens > full)
		kind->tokens = full;
	bool passes = kind->tokens >= TOKEN;
	if (passes) {
		kind->tokens -= TOKEN;
	} else {
		if (kind->held_back++ == 0) {
			kind->first_ms = now_ms;
			if (now_ms + TELL_MS < tell_ms)
				tell_ms = now_ms + TELL_MS;
		}
		total++;
	}
	pthread_mutex_unlock(&lock);
	return passes;
}

/* True: *out is of it. */
static bool
tell(struct kind *kind, uint64_t now_ms, struct log_limit_told *out)
{
	if (kind->held_back == 0 || kind->first_ms + TELL_MS > now_ms)
		return false;
	*out = (struct log_limit_told){
		kind->name, kind->held_back, (unsigned)((now_ms - kind->first_ms) / 1000)};
	kind->held_back = 0;
	return true;
}

bool
log_limit_tell(uint64_t now_ms, struct log_limit_told *out)
{
	uint64_t next_ms = UINT64_MAX;
	bool told = false;

	if (now_ms < tell_ms)
		return false;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i <= KINDS; i++) {
		struct kind *kind = i < KINDS ? &kinds[i] : &others;
		if (!told)
			told = tell(kind, now_ms, out);
		if (kind->held_back > 0 && kind->first_ms + TELL_MS < next_ms)
			next_ms = kind->first_ms + TELL_MS;
	}
	tell_ms = next_ms;
	pthread_mutex_unlock(&lock);
	return told;
}

uint64_t
log_limit_count(void)
{
	return total;
}
