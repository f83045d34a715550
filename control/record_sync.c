/* SPDX-License-Identifier: BSD-3-Clause */
#include "record_sync.h"

#include "relay/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct record_sync {
	pthread_t thread;
	pthread_mutex_t mutex; /* guards all below */
	pthread_cond_t changed;
	int fd[2]; /* duplicates, the thread's to close; -1: none */
	bool busy;
	bool ending;
};

static void
sync_one(int fd)
{
	if (fd < 0)
		return;
	if (fdatasync(fd) != 0)
		log_error(
			"sip.records: the disk did not take what was written: %s", strerror(errno));
	close(fd);
}

static void *
run(void *arg)
{
	struct record_sync *sync = arg;

	pthread_mutex_lock(&sync->mutex);
	for (;;) {
		while (!sync->busy && !sync->ending)
			pthread_cond_wait(&sync->changed, &sync->mutex);
		if (!sync->busy)
			break;
		int first = sync->fd[0], second = sync->fd[1];
		pthread_mutex_unlock(&sync->mutex);
		sync_one(first);
		sync_one(second);
		pthread_mutex_lock(&sync->mutex);
		sync->busy = false;
	}
	pthread_mutex_unlock(&sync->mutex);
	return NULL;
}

struct record_sync *
record_sync_create(void)
{
	struct record_sync *sync = calloc(1, sizeof(*sync));

	if (sync == NULL)
		return NULL;
	pthread_mutex_init(&sync->mutex, NULL);
	pthread_cond_init(&sync->changed, NULL);
	if (pthread_create(&sync->thread, NULL, run, sync) != 0) {
		pthread_cond_destroy(&sync->changed);
		pthread_mutex_destroy(&sync->mutex);
		free(sync);
		return NULL;
	}
	return sync;
}

void
record_sync_destroy(struct record_sync *sync)
{
	if (sync == NULL)
		return;
	pthread_mutex_lock(&sync->mutex);
	sync->ending = true;
	pthread_cond_signal(&sync->changed);
	pthread_mutex_unlock(&sync->mutex);
	pthread_join(sync->thread, NULL);
	pthread_cond_destroy(&sync->changed);
	pthread_mutex_destroy(&sync->mutex);
	free(sync);
}

bool
record_sync_ask(struct record_sync *sync, int first, int second)
{
	pthread_mutex_lock(&sync->mutex);
	bool taken = !sync->busy;
	if (taken) {
		sync->fd[0] = first >= 0 ? fcntl(first, F_DUPFD_CLOEXEC, 0) : -1;
		sync->fd[1] = second >= 0 ? fcntl(second, F_DUPFD_CLOEXEC, 0) : -1;
		sync->busy = true;
		pthread_cond_signal(&sync->changed);
	}
	pthread_mutex_unlock(&sync->mutex);
	return taken;
}
