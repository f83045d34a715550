/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue before the store of bindings, and the thread that empties it. */
#include "bindings.h"

#include "bindings_private.h"
#include "relay/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GATHER_MS 200    /* changes of so long go into one transaction */
#define QUEUE_MAX 100000 /* changes that wait; beyond that they are dropped: stale */
#define AWAY_FIRST_MS 1000
#define AWAY_MOST_MS 30000

struct bindings {
	const struct bindings_kind *kind;
	char *where;
	char label[BINDINGS_LABEL_SIZE];
	pthread_t thread;
	pthread_cond_t wake;  /* of the thread; monotonic clock */
	pthread_mutex_t lock; /* for what follows */
	struct bindings_op *first, **last;
	unsigned queued;
	bool stale; /* changes were lost */
	bool away;  /* the store can't be written */
	bool ending;
	/* the thread's alone, once it runs */
	void *store; /* NULL: not open */
	unsigned away_ms;
};

static void
free_ops(struct bindings_op *op)
{
	for (struct bindings_op *next; op != NULL; op = next) {
		next = op->next;
		free(op);
	}
}

/* What waits is lost. With the lock. */
static void
become_stale(struct bindings *bindings)
{
	free_ops(bindings->first);
	bindings->first = NULL;
	bindings->last = &bindings->first;
	bindings->queued = 0;
	bindings->stale = true;
}

/* Sleeps until told to end, or `ms` are over. With the lock. */
static void
pause_thread(struct bindings *bindings, unsigned ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += (long)(ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	while (!bindings->ending &&
		pthread_cond_timedwait(&bindings->wake, &bindings->lock, &until) == 0)
		;
}

/* Opens the store; a damaged one is put aside for a new one. */
static int
open_store(struct bindings *bindings, char *error)
{
	int result = bindings->kind->open(bindings->where, &bindings->store, error);

	if (result != -EBADMSG)
		return result;
	log_error("%s", error);
	result = bindings->kind->set_aside(bindings->where, error);
	if (result == 0)
		result = bindings->kind->open(bindings->where, &bindings->store, error);
	return result;
}

/* It is tried again, later and later, and then wants everything anew: what it has may be old, or of
 * another day. */
static void
give_up(struct bindings *bindings, const char *error)
{
	if (bindings->away_ms == 0)
		log_error("%s (until then, a restart would lose bindings)", error);
	bindings->away_ms = bindings->away_ms == 0 ? AWAY_FIRST_MS : bindings->away_ms * 2;
	if (bindings->away_ms > AWAY_MOST_MS)
		bindings->away_ms = AWAY_MOST_MS;
	bindings->kind->close(bindings->store);
	bindings->store = NULL;
	pthread_mutex_lock(&bindings->lock);
	bindings->away = true;
	become_stale(bindings);
	pthread_mutex_unlock(&bindings->lock);
}

static void
write_batch(struct bindings *bindings, const struct bindings_op *batch)
{
	char error[BINDINGS_ERROR_SIZE];
	unsigned count = 0;
	int result = bindings->store == NULL ? open_store(bindings, error) : 0;

	if (result == 0)
		result = bindings->kind->write(bindings->store, batch, error);
	if (result != 0) {
		give_up(bindings, error);
		return;
	}
	for (const struct bindings_op *op = batch; op != NULL; op = op->next)
		count++;
	log_debug("%s: %u change(s) of bindings written", bindings->label, count);
	if (bindings->away_ms == 0)
		return;
	log_info("%s: bindings can be written again", bindings->label);
	bindings->away_ms = 0;
	pthread_mutex_lock(&bindings->lock);
	bindings->away = false;
	pthread_mutex_unlock(&bindings->lock);
}

/* Waits for changes, and a little for more of them. False: there will be none. */
static bool
await_batch(struct bindings *bindings, struct bindings_op **batch)
{
	pthread_mutex_lock(&bindings->lock);
	/* a store that is away is tried even if there is nothing to write */
	while (bindings->first == NULL && !bindings->ending && !bindings->away)
		pthread_cond_wait(&bindings->wake, &bindings->lock);
	pause_thread(bindings, bindings->away_ms != 0 ? bindings->away_ms : GATHER_MS);
	*batch = bindings->first;
	bindings->first = NULL;
	bindings->last = &bindings->first;
	bindings->queued = 0;
	bool more = *batch != NULL || !bindings->ending;
	pthread_mutex_unlock(&bindings->lock);
	return more;
}

static void *
run(void *arg)
{
	struct bindings *bindings = arg;
	struct bindings_op *batch;

	while (await_batch(bindings, &batch)) {
		write_batch(bindings, batch);
		free_ops(batch);
	}
	return NULL;
}

static int
init_lock(struct bindings *bindings)
{
	pthread_condattr_t clock;
	int result = pthread_condattr_init(&clock);

	if (result != 0)
		return -result;
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	result = pthread_cond_init(&bindings->wake, &clock);
	pthread_condattr_destroy(&clock);
	if (result == 0)
		result = pthread_mutex_init(&bindings->lock, NULL);
	return -result;
}

bool
bindings_is_url(const char *where)
{
	return strncmp(where, "postgresql://", 13) == 0 || strncmp(where, "postgres://", 11) == 0;
}

/* What is there at the start; a store that can't be read is away, and no more. */
static void
load(struct bindings *bindings, bindings_load_cb *cb, void *arg)
{
	char error[BINDINGS_ERROR_SIZE];
	int result = open_store(bindings, error);

	if (result == 0)
		result = bindings->kind->load(bindings->store, cb, arg, error);
	if (result != 0)
		give_up(bindings, error);
}

int
bindings_open(const char *where, bindings_load_cb *cb, void *arg, struct bindings **out)
{
	struct bindings *bindings = calloc(1, sizeof(*bindings));
	int result = -ENOMEM;

	if (bindings == NULL)
		return result;
	bindings->kind = bindings_is_url(where) ? &bindings_postgres : &bindings_file;
	bindings->kind->label(where, bindings->label);
	bindings->last = &bindings->first;
	bindings->where = strdup(where);
	if (bindings->where != NULL && init_lock(bindings) == 0) {
		load(bindings, cb, arg);
		result = -pthread_create(&bindings->thread, NULL, run, bindings);
		if (result == 0) {
			*out = bindings;
			return 0;
		}
		bindings->kind->close(bindings->store);
	}
	free(bindings->where);
	free(bindings);
	return result;
}

void
bindings_close(struct bindings *bindings)
{
	if (bindings == NULL)
		return;
	pthread_mutex_lock(&bindings->lock);
	bindings->ending = true;
	pthread_cond_signal(&bindings->wake);
	pthread_mutex_unlock(&bindings->lock);
	pthread_join(bindings->thread, NULL);
	bindings->kind->close(bindings->store);
	pthread_cond_destroy(&bindings->wake);
	pthread_mutex_destroy(&bindings->lock);
	free(bindings->where);
	free(bindings);
}

bool
bindings_is_stale(struct bindings *bindings)
{
	pthread_mutex_lock(&bindings->lock);
	bool stale = bindings->stale && !bindings->away;
	pthread_mutex_unlock(&bindings->lock);
	return stale;
}

bool
bindings_has_room(struct bindings *bindings)
{
	pthread_mutex_lock(&bindings->lock);
	bool room = bindings->queued < QUEUE_MAX / 2;
	pthread_mutex_unlock(&bindings->lock);
	return room;
}

static char *
copy(char **to, const char *text)
{
	char *at = *to;

	if (text == NULL)
		return NULL;
	*to = stpcpy(at, text) + 1;
	return at;
}

static struct bindings_op *
make_op(enum bindings_op_kind kind, const struct bindings_record *record)
{
	const char *const texts[] = {
		record->user, record->contact, record->instance, record->path, record->call_id};
	size_t size = 0;

	for (unsigned i = 0; i < 5; i++)
		size += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
	struct bindings_op *op = malloc(sizeof(*op) + size);
	if (op == NULL)
		return NULL;
	char *to = op->text;
	op->next = NULL;
	op->kind = kind;
	op->record = *record;
	op->record.user = copy(&to, record->user);
	op->record.contact = copy(&to, record->contact);
	op->record.instance = copy(&to, record->instance);
	op->record.path = copy(&to, record->path);
	op->record.call_id = copy(&to, record->call_id);
	return op;
}

static void
queue(struct bindings *bindings, enum bindings_op_kind kind, const struct bindings_record *record)
{
	struct bindings_op *op = make_op(kind, record);

	pthread_mutex_lock(&bindings->lock);
	if (kind == BINDINGS_RENEW)
		bindings->stale = false;
	if (op == NULL || bindings->queued == QUEUE_MAX)
		become_stale(bindings);
	if (bindings->stale) { /* it will be told everything anyhow */
		free(op);
	} else {
		*bindings->last = op;
		bindings->last = &op->next;
		if (bindings->queued++ == 0)
			pthread_cond_signal(&bindings->wake);
	}
	pthread_mutex_unlock(&bindings->lock);
}

void
bindings_renew(struct bindings *bindings)
{
	queue(bindings, BINDINGS_RENEW, &(struct bindings_record){.id = 0});
}

void
bindings_renewed(struct bindings *bindings)
{
	queue(bindings, BINDINGS_RENEWED, &(struct bindings_record){.id = 0});
}

void
bindings_put(struct bindings *bindings, const struct bindings_record *record)
{
	queue(bindings, BINDINGS_PUT, record);
}

void
bindings_remove(struct bindings *bindings, uint64_t id)
{
	queue(bindings, BINDINGS_REMOVE, &(struct bindings_record){.id = id});
}
