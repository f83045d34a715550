/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include "fetch.h"
#include "quality.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct snapshots {
	const struct config *config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	/* under the lock */
	struct snapshot *latest;
	unsigned readers;
	bool wanted;
	bool stop;
	/* the thread's own */
	struct media_fetch *media;
	int sip_fd;
	int event_fd;
};

static uint64_t
clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t
snapshot_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

double
snapshot_now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
free_snapshot(struct snapshot *snapshot)
{
	media_view_free(&snapshot->media);
	sip_view_free(&snapshot->sip);
	free(snapshot);
}

/* The sum of all counters of that beginning and end. */
static uint64_t
sum_of(const struct media_view *media, const char *begin, const char *end)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < media->counters_count; i++) {
		const char *name = media->counters[i].name;
		size_t length = strlen(name), tail = strlen(end);
		if (strncmp(name, begin, strlen(begin)) == 0 && length >= tail &&
			strcmp(name + length - tail, end) == 0)
			sum += media->counters[i].value;
	}
	return sum;
}

static double
rate_of(uint64_t before, uint64_t now, double seconds)
{
	return now < before ? 0 : (double)(now - before) / seconds;
}

/* What has happened since the snapshot before; nothing is known where one of the two has no
 * sallyport-media, or that was started anew between them. */
static void
compare(struct snapshot *now, const struct snapshot *before, struct trend *trend)
{
	const struct media_view *a = before != NULL ? &before->media : NULL, *b = &now->media;

	for (unsigned i = 0; i < SNAPSHOT_WORKERS; i++)
		now->busy[i] = -1;
	if (a == NULL || !a->up || !b->up || b->status.pid != a->status.pid ||
		now->taken_ms <= before->taken_ms)
		return;
	double seconds = (double)(now->taken_ms - before->taken_ms) / 1000;
	uint64_t old = 0, new = 0;
	if (media_counter(a, &old, "packets.relayed") && media_counter(b, &new, "packets.relayed"))
		trend->packets_s = rate_of(old, new, seconds);
	trend->bits_s = 8 * rate_of(sum_of(a, "interface.", ".media_tx_bytes"),
				    sum_of(b, "interface.", ".media_tx_bytes"), seconds);
	trend->drops_s = rate_of(sum_of(a, "drop.", ""), sum_of(b, "drop.", ""), seconds);
	for (unsigned i = 0; i < b->status.workers && i < SNAPSHOT_WORKERS; i++) {
		uint64_t busy[2], whole[2];
		if (!media_counter(a, &busy[0], "worker.%u.busy_cycles", i) ||
			!media_counter(b, &busy[1], "worker.%u.busy_cycles", i) ||
			!media_counter(a, &whole[0], "worker.%u.cycles", i) ||
			!media_counter(b, &whole[1], "worker.%u.cycles", i) ||
			whole[1] <= whole[0] || busy[1] < busy[0])
			continue;
		now->busy[i] = (double)(busy[1] - busy[0]) / (double)(whole[1] - whole[0]);
		if (now->busy[i] > trend->busy)
			trend->busy = now->busy[i];
	}
}

/* The trends of the snapshot before, and one more point. */
static void
add_trend(struct snapshot *now, const struct snapshot *before)
{
	struct trend trend = {.at_ms = now->at_ms,
		.packets_s = -1,
		.bits_s = -1,
		.drops_s = -1,
		.sessions = -1,
		.calls = -1,
		.busy = -1};
	unsigned keep = before != NULL ? before->trend_count : 0;

	if (keep == SNAPSHOT_TREND)
		keep--;
	if (keep > 0)
		memcpy(now->trend, &before->trend[before->trend_count - keep],
			keep * sizeof(trend));
	compare(now, before, &trend);
	if (now->media.up)
		trend.sessions = (double)now->media.status.sessions;
	if (now->sip.up)
		trend.calls = (double)json_integer_value(json_object_get(now->sip.stats, "calls"));
	now->trend[keep] = trend;
	now->trend_count = keep + 1;
}

static struct snapshot *
take(struct snapshots *snapshots, const struct snapshot *before)
{
	struct snapshot *now = calloc(1, sizeof(*now));

	if (now == NULL)
		return NULL;
	now->references = 1;
	now->taken_ms = snapshot_now_ms();
	now->at_ms = clock_ms(CLOCK_REALTIME);
	media_fetch(snapshots->media, &now->media);
	sip_fetch(snapshots->config, &snapshots->sip_fd, &now->sip);
	quality_observe(&now->media, now->taken_ms);
	add_trend(now, before);
	now->done_ms = snapshot_now_ms();
	return now;
}

/* When the next one is due, by the reader that is most in a hurry. Called with the lock. */
static uint64_t
due(const struct snapshots *snapshots)
{
	if (snapshots->latest == NULL)
		return 0;
	return snapshots->latest->done_ms +
	       (snapshots->readers > 0 || snapshots->wanted ? SNAPSHOT_FRESH_MS : SNAPSHOT_IDLE_MS);
}

static void *
run(void *arg)
{
	struct snapshots *snapshots = arg;

	pthread_mutex_lock(&snapshots->lock);
	while (!snapshots->stop) {
		uint64_t at = due(snapshots);
		if (snapshot_now_ms() < at) {
			struct timespec until = {.tv_sec = (time_t)(at / 1000),
				.tv_nsec = (long)(at % 1000) * 1000000};
			pthread_cond_timedwait(&snapshots->wake, &snapshots->lock, &until);
			continue;
		}
		const struct snapshot *before = snapshots->latest; /* only we replace it */
		snapshots->wanted = false;
		pthread_mutex_unlock(&snapshots->lock);
		struct snapshot *now = take(snapshots, before);
		pthread_mutex_lock(&snapshots->lock);
		if (now == NULL)
			continue; /* out of memory: who waits gives up by itself */
		struct snapshot *old = snapshots->latest;
		snapshots->latest = now;
		if (old != NULL && --old->references == 0)
			free_snapshot(old);
		eventfd_write(snapshots->event_fd, 1);
	}
	pthread_mutex_unlock(&snapshots->lock);
	return NULL;
}

int
snapshots_start(const struct config *config, struct snapshots **out)
{
	struct snapshots *snapshots = calloc(1, sizeof(*snapshots));
	pthread_condattr_t attributes;
	int result = -ENOMEM;

	if (snapshots == NULL)
		return -ENOMEM;
	snapshots->config = config;
	snapshots->sip_fd = -1;
	snapshots->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	snapshots->media = media_fetch_create(config->media.socket);
	pthread_mutex_init(&snapshots->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&snapshots->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	if (snapshots->event_fd >= 0 && snapshots->media != NULL)
		result = -pthread_create(&snapshots->thread, NULL, run, snapshots);
	if (result != 0) {
		if (snapshots->event_fd >= 0)
			close(snapshots->event_fd);
		media_fetch_free(snapshots->media);
		free(snapshots);
		return result;
	}
	*out = snapshots;
	return 0;
}

void
snapshots_stop(struct snapshots *snapshots)
{
	if (snapshots == NULL)
		return;
	pthread_mutex_lock(&snapshots->lock);
	snapshots->stop = true;
	pthread_cond_signal(&snapshots->wake);
	pthread_mutex_unlock(&snapshots->lock);
	pthread_join(snapshots->thread, NULL);
	if (snapshots->latest != NULL)
		snapshots_put(snapshots, snapshots->latest);
	media_fetch_free(snapshots->media);
	if (snapshots->sip_fd >= 0)
		close(snapshots->sip_fd);
	close(snapshots->event_fd);
	pthread_cond_destroy(&snapshots->wake);
	pthread_mutex_destroy(&snapshots->lock);
	free(snapshots);
}

int
snapshots_fd(const struct snapshots *snapshots)
{
	return snapshots->event_fd;
}

void
snapshots_noticed(struct snapshots *snapshots)
{
	eventfd_t count;

	eventfd_read(snapshots->event_fd, &count);
}

struct snapshot *
snapshots_get(struct snapshots *snapshots)
{
	pthread_mutex_lock(&snapshots->lock);
	struct snapshot *latest = snapshots->latest;
	if (latest != NULL)
		latest->references++;
	pthread_mutex_unlock(&snapshots->lock);
	return latest;
}

void
snapshots_put(struct snapshots *snapshots, struct snapshot *snapshot)
{
	if (snapshot == NULL)
		return;
	pthread_mutex_lock(&snapshots->lock);
	bool last = --snapshot->references == 0;
	pthread_mutex_unlock(&snapshots->lock);
	if (last)
		free_snapshot(snapshot);
}

struct snapshot *
snapshots_get_fresh(struct snapshots *snapshots)
{
	struct snapshot *latest = NULL;

	pthread_mutex_lock(&snapshots->lock);
	if (snapshots->latest != NULL &&
		snapshot_now_ms() - snapshots->latest->done_ms <= SNAPSHOT_FRESH_MS) {
		latest = snapshots->latest;
		latest->references++;
	} else {
		snapshots->wanted = true;
		pthread_cond_signal(&snapshots->wake);
	}
	pthread_mutex_unlock(&snapshots->lock);
	return latest;
}

void
snapshots_readers(struct snapshots *snapshots, int more)
{
	pthread_mutex_lock(&snapshots->lock);
	snapshots->readers = (unsigned)((int)snapshots->readers + more);
	pthread_cond_signal(&snapshots->wake);
	pthread_mutex_unlock(&snapshots->lock);
}
