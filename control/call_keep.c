/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls outlive a restart of the relay. While it is there, it is asked all the time, page by page,
 * how far each flow is (call_past.h). When it goes away, calls wait for it; when it is back, each
 * gets its sessions again (call_restore.c), before anything new is asked.
 */
#include "call.h"
#include "call_past.h"

#include "relay/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_MS 1000 /* from one round's end to the next one's begin */
#define PAGE_MS 5     /* between pages: a relay of 20,000 sessions has told all in a second */

struct call_keep {
	struct b2bua *b2bua;
	su_timer_t *timer;    /* for the next page */
	su_timer_t *deadline; /* for a relay that went away */
	uint64_t cursor;
	uint64_t lost_ms;
};

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void
ask_in(struct call_keep *keep, su_duration_t ms)
{
	su_timer_set_interval(keep->timer, on_timer, (su_timer_arg_t *)keep, ms);
}

static void
take(struct b2bua *b2bua, const struct relay_state_entry *entry)
{
	char id[RELAY_ID_SIZE];

	/* a call's second stream and the next have a number behind its name */
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(entry->id, "/"), entry->id);
	struct call *call = call_find(b2bua, id);
	if (call == NULL || call->state == CALL_ENDED)
		return;
	for (unsigned i = 0; i < call->sdp.streams; i++) {
		struct call_stream *stream = &call->sdp.stream[i];
		if (stream->in_relay && strncmp(stream->id, entry->id, sizeof(stream->id)) == 0)
			call_past_take(stream, entry);
	}
}

static void
on_page(void *arg, const struct relay_header *reply)
{
	struct call_keep *keep = arg;
	const struct relay_state_reply *page = (const struct relay_state_reply *)reply;

	if (reply == NULL)
		return; /* b2bua_relay_found() begins anew */
	if (reply->code != RELAY_OK) {
		ask_in(keep, ROUND_MS);
		return;
	}
	const uint8_t *at = page->entries;
	for (uint32_t i = 0; i < page->count; i++) {
		const struct relay_state_entry *entry = (const struct relay_state_entry *)at;
		take(keep->b2bua, entry);
		at += entry->length;
	}
	keep->cursor = page->cursor;
	ask_in(keep, keep->cursor != 0 ? PAGE_MS : ROUND_MS);
}

static void
on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call_keep *keep = (struct call_keep *)arg;
	struct relay_list request = {.header = {.op = RELAY_OP_STATE}, .cursor = keep->cursor};

	if (keep->b2bua->count == 0)
		ask_in(keep, ROUND_MS);
	else
		media_request(keep->b2bua->agent->media, &request, sizeof(request), on_page, keep);
}

static void
on_deadline(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call_keep *keep = (struct call_keep *)arg;

	b2bua_end_all(keep->b2bua, "the relay went away");
}

/* Calls that need the relay: not those that only wait for the last replies to their BYE. */
static unsigned
count_living(const struct b2bua *b2bua)
{
	unsigned living = 0;

	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (const struct call *call = b2bua->bucket[i]; call != NULL; call = call->next)
			living += call->state != CALL_ENDED;
	return living;
}

void
b2bua_relay_lost(struct b2bua *b2bua)
{
	struct call_keep *keep = b2bua->keep;
	uint32_t wait_s = b2bua->agent->config->sip.dialogs.relay_wait_s;
	unsigned living = count_living(b2bua);

	su_timer_reset(keep->timer);
	if (living == 0 || keep->lost_ms != 0)
		return;
	if (wait_s == 0) {
		b2bua_end_all(b2bua, "the relay went away");
		return;
	}
	keep->lost_ms = call_now_ms();
	log_warning("%u call(s) wait %u s for the relay to come back", living, wait_s);
	su_timer_set_interval(
		keep->deadline, on_deadline, (su_timer_arg_t *)keep, (su_duration_t)wait_s * 1000);
}

void
b2bua_relay_found(struct b2bua *b2bua)
{
	struct call_keep *keep = b2bua->keep;
	unsigned asked = 0;

	su_timer_reset(keep->deadline);
	keep->cursor = 0;
	ask_in(keep, ROUND_MS);
	if (keep->lost_ms == 0)
		return;
	/* an ended call stays in its bucket for longer than this loop: see call_done_waiting() */
	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (struct call *call = b2bua->bucket[i]; call != NULL; call = call->next)
			if (call->state != CALL_ENDED)
				asked += call_restore(call);
	log_info("the relay is back after %lu ms: %u session(s) go on there",
		(unsigned long)(call_now_ms() - keep->lost_ms), asked);
	keep->lost_ms = 0;
}

struct call_keep *
call_keep_create(struct b2bua *b2bua)
{
	struct call_keep *keep = calloc(1, sizeof(*keep));

	if (keep == NULL)
		return NULL;
	keep->b2bua = b2bua;
	keep->timer = su_timer_create(su_root_task(b2bua->agent->root), ROUND_MS);
	keep->deadline = su_timer_create(su_root_task(b2bua->agent->root), ROUND_MS);
	if (keep->timer == NULL || keep->deadline == NULL) {
		call_keep_destroy(keep);
		return NULL;
	}
	ask_in(keep, ROUND_MS);
	return keep;
}

void
call_keep_destroy(struct call_keep *keep)
{
	if (keep == NULL)
		return;
	su_timer_destroy(keep->timer);
	su_timer_destroy(keep->deadline);
	free(keep);
}
