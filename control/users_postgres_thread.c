/* SPDX-License-Identifier: BSD-3-Clause */
/* The thread that asks PostgreSQL for sallyport-sip: the event loop must not wait for a host's
 * name, a login or a server that hangs. One question at a time, for the event loop waits for its
 * answer; but only so long, and where the thread is known to be without a server, not at all. */
#include "users_postgres.h"

#include "relay/log.h"
#include "users_cache.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define BACKOFF_FIRST_MS 250
#define BACKOFF_MOST_MS 8000

enum link { LINK_NEW, LINK_UP, LINK_AWAY };

struct postgres_thread {
	/* of the event loop alone */
	struct users_cache *cache;
	uint32_t wait_ms;
	uint32_t cache_s;
	/* of the thread alone */
	PGconn *connection;
	struct users users; /* for its sentences */
	/* never changed while the thread runs */
	const char *url;
	const char *label;
	int stop_fd; /* readable: end */
	pthread_t thread;
	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t asked;    /* the thread waits for it */
	pthread_cond_t answered; /* the event loop does */
	bool stop;
	enum link link;
	uint64_t question;   /* its number; 0: none yet */
	uint64_t taken;      /* the last that the thread took up */
	uint64_t answer;     /* the number of the question that `user` and `result` answer */
	struct user user;    /* in: name and realm; out: the hashes */
	struct user working; /* the thread's copy */
	int result;
	char error[USERS_ERROR_SIZE]; /* why: also why the link is away */
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Waits on a condition of CLOCK_MONOTONIC. False: the time is over. */
static bool
wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t until_ms)
{
	struct timespec until = {
		.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000};

	return pthread_cond_timedwait(condition, lock, &until) == 0;
}

/* Tells the event loop, and once the log, how things are. Under the lock. */
static void
set_link(struct postgres_thread *thread, enum link link, const char *why)
{
	if (link == LINK_UP && thread->link == LINK_AWAY)
		log_info("%s: the users are back", thread->label);
	else if (link == LINK_UP && thread->link == LINK_NEW)
		log_info("%s: users are looked up there", thread->label);
	else if (link == LINK_AWAY && thread->link != LINK_AWAY)
		log_error(
			"%s: users who were here in the last %u s still log in, new ones are told "
			"to come back",
			why, thread->cache_s);
	thread->link = link;
	if (link == LINK_AWAY)
		snprintf(thread->error, sizeof(thread->error), "%s", why);
	pthread_cond_broadcast(&thread->answered);
}

/* A connection that is ready, or NULL and a sentence. Without the lock. */
static PGconn *
connect_ready(struct postgres_thread *thread)
{
	char *error = thread->users.error;
	PGconn *connection =
		pq_connect(thread->url, thread->label, thread->stop_fd, error, USERS_ERROR_SIZE);

	if (connection == NULL)
		return NULL;
	if (users_postgres_prepare(
		    connection, thread->label, thread->stop_fd, error, USERS_ERROR_SIZE) == 0)
		return connection;
	PQfinish(connection);
	return NULL;
}

/* Until there is a connection, or it is to stop. Under the lock but while it connects. */
static void
connect_again(struct postgres_thread *thread)
{
	uint64_t backoff_ms = BACKOFF_FIRST_MS;

	while (!thread->stop && thread->connection == NULL) {
		pthread_mutex_unlock(&thread->lock);
		thread->connection = connect_ready(thread);
		pthread_mutex_lock(&thread->lock);
		if (thread->connection != NULL || thread->stop)
			break;
		set_link(thread, LINK_AWAY, thread->users.error);
		uint64_t until_ms = now_ms() + backoff_ms;
		while (!thread->stop && wait_until(&thread->asked, &thread->lock, until_ms))
			;
		backoff_ms = 2 * backoff_ms < BACKOFF_MOST_MS ? 2 * backoff_ms : BACKOFF_MOST_MS;
	}
	if (thread->connection != NULL)
		set_link(thread, LINK_UP, NULL);
}

/* Asks, and a second time where the connection turns out to be dead: the server may have been
 * started anew since the last question. Without the lock. */
static int
ask(struct postgres_thread *thread)
{
	int result = -EAGAIN;

	for (unsigned tries = 0; tries < 2; tries++) {
		bool lost = false;
		if (thread->connection == NULL)
			thread->connection = connect_ready(thread);
		if (thread->connection == NULL)
			return -EAGAIN;
		result = users_postgres_find_by(&thread->users, thread->connection, thread->label,
			thread->stop_fd, &thread->working, &lost);
		if (!lost)
			break;
		PQfinish(thread->connection);
		thread->connection = NULL;
	}
	return result;
}

/* Takes up the question that waits. Under the lock but while it asks. */
static void
answer(struct postgres_thread *thread)
{
	uint64_t number = thread->question;

	thread->taken = number;
	thread->working = thread->user;
	pthread_mutex_unlock(&thread->lock);
	int result = ask(thread);
	pthread_mutex_lock(&thread->lock);
	if (number == thread->question) { /* and nobody has given up on it */
		thread->answer = number;
		thread->result = result;
		thread->user = thread->working;
		snprintf(thread->error, sizeof(thread->error), "%s", thread->users.error);
	}
	user_wipe(&thread->working);
	set_link(thread, thread->connection != NULL ? LINK_UP : LINK_AWAY, thread->users.error);
}

static void *
run(void *arg)
{
	struct postgres_thread *thread = arg;

	pthread_mutex_lock(&thread->lock);
	while (!thread->stop) {
		if (thread->connection == NULL)
			connect_again(thread);
		else if (thread->taken != thread->question)
			answer(thread);
		else
			pthread_cond_wait(&thread->asked, &thread->lock);
	}
	pthread_mutex_unlock(&thread->lock);
	PQfinish(thread->connection);
	return NULL;
}

/* From memory, where the server can't tell. */
static int
fall_back(struct postgres_thread *thread, struct users *users, struct user *user, int result)
{
	if (users_cache_get(thread->cache, user, now_ms()))
		return 0;
	return users_fail(users, result, "%s", thread->error);
}

/* Waits for the answer, or gives up. Under the lock. */
static int
await_answer(struct postgres_thread *thread, uint64_t number, struct user *user)
{
	uint64_t until_ms = now_ms() + thread->wait_ms;
	char why[USERS_POSTGRES_LABEL + 64];

	/* a new link is waited for, too: the first phone after a start */
	while (thread->answer != number && thread->link != LINK_AWAY)
		if (!wait_until(&thread->answered, &thread->lock, until_ms))
			break;
	if (thread->answer == number) {
		memcpy(user->ha1, thread->user.ha1, sizeof(user->ha1));
		user->created = thread->user.created;
		user_wipe(&thread->user);
		return thread->result;
	}
	thread->taken = ++thread->question; /* its answer is not waited for any more */
	if (thread->link != LINK_AWAY) {
		snprintf(why, sizeof(why), "%s: no answer within %u ms", thread->label,
			thread->wait_ms);
		set_link(thread, LINK_AWAY, why);
	}
	return -EAGAIN;
}

int
postgres_thread_find(struct postgres_thread *thread, struct users *users, struct user *user)
{
	int result = -EAGAIN;

	pthread_mutex_lock(&thread->lock);
	if (thread->link != LINK_AWAY) {
		uint64_t number = ++thread->question;
		thread->user = *user;
		pthread_cond_signal(&thread->asked);
		result = await_answer(thread, number, user);
	}
	if (result == 0)
		users_cache_put(thread->cache, user, now_ms());
	else if (result == -ENOENT)
		users_cache_forget(thread->cache, user);
	else
		result = fall_back(thread, users, user, result);
	pthread_mutex_unlock(&thread->lock);
	return result;
}

static int
init(struct postgres_thread *thread)
{
	pthread_condattr_t monotonic;

	pthread_mutex_init(&thread->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->asked, &monotonic);
	pthread_cond_init(&thread->answered, &monotonic);
	pthread_condattr_destroy(&monotonic);
	thread->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return thread->stop_fd >= 0 ? 0 : -errno;
}

static void
release(struct postgres_thread *thread)
{
	if (thread->stop_fd >= 0)
		close(thread->stop_fd);
	users_cache_destroy(thread->cache);
	pthread_cond_destroy(&thread->asked);
	pthread_cond_destroy(&thread->answered);
	pthread_mutex_destroy(&thread->lock);
	OPENSSL_cleanse(thread, sizeof(*thread));
	free(thread);
}

int
postgres_thread_start(const char *url, const char *label, const struct config_store *config,
	struct postgres_thread **out)
{
	struct postgres_thread *thread = calloc(1, sizeof(*thread));
	sigset_t all, before;

	*out = NULL;
	if (thread == NULL)
		return -ENOMEM;
	thread->url = url;
	thread->label = label;
	thread->wait_ms = config->wait_ms;
	thread->cache_s = config->cache_s;
	thread->cache = users_cache_create((uint64_t)config->cache_s * 1000);
	int result = init(thread);
	if (result == 0 && thread->cache == NULL)
		result = -ENOMEM;
	if (result == 0) {
		/* signals are the event loop's */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		result = -pthread_create(&thread->thread, NULL, run, thread);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	if (result != 0) {
		release(thread);
		return result;
	}
	*out = thread;
	return 0;
}

void
postgres_thread_stop(struct postgres_thread *thread)
{
	uint64_t one = 1;

	if (thread == NULL)
		return;
	pthread_mutex_lock(&thread->lock);
	thread->stop = true;
	pthread_cond_signal(&thread->asked);
	pthread_mutex_unlock(&thread->lock);
	if (write(thread->stop_fd, &one, sizeof(one)) != sizeof(one))
		log_warning("%s: its thread could not be woken", thread->label);
	pthread_join(thread->thread, NULL);
	release(thread);
}
