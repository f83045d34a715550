/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_store.h"

#include "bindings.h"
#include "call.h"
#include "call_line.h"
#include "call_save.h"
#include "journal.h"

#include "relay/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct call_store {
	struct journal *journal;
	char *path;
	su_timer_t *timer; /* soon: writes what waits */
	struct call *first, **last;
	bool failing; /* it has been said that the file takes nothing */
};

static void
note(struct call_store *store, int result)
{
	if (result != 0 && !store->failing)
		log_error("sip.dialogs: %s can't be written: %s: calls that are new or change now "
			  "would not outlive a restart; make room",
			store->path, strerror(-result));
	else if (result == 0 && store->failing)
		log_info("sip.dialogs: %s is written again", store->path);
	store->failing = result != 0;
}

static void
write_call(struct call_store *store, struct call *call)
{
	char *line = NULL;

	if (call->state == CALL_UP) {
		json_t *json = call_save(call);
		if (json != NULL)
			line = call_line_make(call->id, json);
	} else if (call->state != CALL_ENDED && call->stored.streams > 0) {
		line = call_line_make_setup(call->id, call->stored.streams);
	} else {
		return;
	}
	note(store, line != NULL ? journal_put(store->journal, &call->stored.entry, call->id, line)
				 : -ENOMEM);
	free(line);
}

static void
write_all(struct call_store *store)
{
	struct call *call = store->first;

	store->first = NULL;
	store->last = &store->first;
	while (call != NULL) {
		struct call *next = call->stored.next;
		call->stored.waiting = false;
		call->stored.next = NULL;
		write_call(store, call);
		call = next;
	}
}

static void
on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	write_all((struct call_store *)arg);
}

void
call_changed(struct call *call)
{
	struct call_store *store = call->b2bua->store;

	if (store == NULL || call->stored.waiting || call->state == CALL_ENDED)
		return;
	if (store->first == NULL)
		su_timer_set_interval(store->timer, on_timer, (su_timer_arg_t *)store, 0);
	call->stored.waiting = true;
	*store->last = call;
	store->last = &call->stored.next;
}

void
call_store_setup(struct call *call, unsigned streams)
{
	call->stored.streams = streams;
	call_changed(call);
}

static void
take_out(struct call_store *store, struct call *call)
{
	struct call **at = &store->first;

	while (*at != call)
		at = &(*at)->stored.next;
	*at = call->stored.next;
	if (*at == NULL)
		store->last = at;
	call->stored.waiting = false;
	call->stored.next = NULL;
}

void
call_store_over(struct call *call)
{
	struct call_store *store = call->b2bua->store;

	if (store == NULL)
		return;
	if (call->stored.waiting)
		take_out(store, call);
	journal_over(store->journal, call->stored.entry);
	call->stored.entry = NULL;
}

int
call_store_open(struct b2bua *b2bua, struct call_store **out)
{
	const struct config_sip *config = &b2bua->agent->config->sip;
	struct call_store *store;

	*out = NULL;
	if (config->dialogs.store == NULL)
		return 0;
	store = calloc(1, sizeof(*store));
	if (store == NULL)
		return -ENOMEM;
	store->path = strdup(config->dialogs.store); /* a reload changes the configuration */
	store->last = &store->first;
	store->timer = su_timer_create(su_root_task(b2bua->agent->root), 0);
	if (store->timer == NULL || store->path == NULL) {
		call_store_close(store);
		return -ENOMEM;
	}
	int result = journal_open(store->path, 0600, &store->journal);
	if (result != 0) {
		log_error("sip.dialogs: %s can't be opened: %s: a restart ends the calls; its "
			  "folder must be there, and be writable for sip.user",
			store->path,
			result == -EBUSY ? "another sallyport-sip has it" : strerror(-result));
		call_store_close(store);
		return 0;
	}
	*out = store;
	return 0;
}

void
call_store_close(struct call_store *store)
{
	if (store == NULL)
		return;
	if (store->journal != NULL)
		write_all(store);
	journal_close(store->journal);
	su_timer_destroy(store->timer);
	free(store->path);
	free(store);
}

struct journal *
call_store_journal(struct call_store *store)
{
	return store->journal;
}
