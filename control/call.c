/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of calls, and a call's making and end. */
#include "call.h"
#include "call_digest.h"

#include "generation.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t
call_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int
call_random_hex(char *text, unsigned bytes)
{
	uint8_t random[32];

	if (bytes > sizeof(random) || RAND_bytes(random, (int)bytes) != 1)
		return -EIO;
	for (unsigned i = 0; i < bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	return 0;
}

struct b2bua *
b2bua_create(struct agent *agent)
{
	struct b2bua *b2bua = calloc(1, sizeof(*b2bua));

	if (b2bua == NULL)
		return NULL;
	b2bua->agent = agent;
	b2bua->keep = call_keep_create(b2bua);
	if (b2bua->keep == NULL || call_watch_start(b2bua) != 0) {
		call_keep_destroy(b2bua->keep);
		free(b2bua);
		return NULL;
	}
	return b2bua;
}

unsigned
b2bua_count(const struct b2bua *b2bua)
{
	return b2bua->count;
}

/* An id is random hex: its first digits are as good as a hash. */
static struct call **
bucket_of(struct b2bua *b2bua, const char *id)
{
	char digits[5] = {0};

	memcpy(digits, id, 4);
	return &b2bua->bucket[strtoul(digits, NULL, 16) % CALL_BUCKETS];
}

struct call *
call_new(struct b2bua *b2bua)
{
	char id[CALL_ID_DIGITS + 1];

	if (call_random_hex(id, CALL_ID_DIGITS / 2) != 0)
		return NULL;
	struct call *call = call_again(b2bua, id);
	if (call != NULL)
		call->record = record_begin(call->agent->records, call->id);
	return call;
}

struct call *
call_again(struct b2bua *b2bua, const char *id)
{
	struct call *call = calloc(1, sizeof(*call));

	if (call == NULL)
		return NULL;
	snprintf(call->id, sizeof(call->id), "%s", id);
	call->timer = su_timer_create(su_root_task(b2bua->agent->root),
		(su_duration_t)b2bua->agent->config->sip.no_answer_s * 1000);
	call->setup_timer = su_timer_create(su_root_task(b2bua->agent->root), 1000);
	if (call->timer == NULL || call->setup_timer == NULL)
		goto fail;
	su_home_init(call->home);
	call->b2bua = b2bua;
	call->agent = b2bua->agent;
	call->generation = generation_hold();
	call->started_ms = call_now_ms();
	for (unsigned i = 0; i < 2; i++) {
		call->side[i].call = call;
		call->side[i].index = i;
	}
	struct call **bucket = bucket_of(b2bua, call->id);
	call->next = *bucket;
	call->prev = bucket;
	if (call->next != NULL)
		call->next->prev = &call->next;
	*bucket = call;
	b2bua->count++;
	return call;

fail:
	su_timer_destroy(call->timer);
	su_timer_destroy(call->setup_timer);
	free(call);
	return NULL;
}

struct call *
call_find(struct b2bua *b2bua, const char *id)
{
	struct call *call = *bucket_of(b2bua, id);

	while (call != NULL && strncmp(call->id, id, RELAY_ID_SIZE) != 0)
		call = call->next;
	return call;
}

static void
call_free(struct call *call)
{
	*call->prev = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	call->b2bua->count--;
	su_timer_destroy(call->timer);
	su_timer_destroy(call->setup_timer);
	call_limits_give(&call->limits);
	nta_incoming_destroy(call->invite_in);
	call_exchange_free(call);
	call_transfer_free_all(call);
	call_forward_free_all(call);
	call_digest_free_all(call);
	call_branch_free_all(call);
	call_dialog_free_all(call);
	call_target_free_all(call);
	call_sdp_wipe(&call->sdp);
	for (unsigned i = 0; i < 2; i++)
		msg_destroy(call->side[i].said);
	record_end(call->record);
	su_home_deinit(call->home);
	generation_release(call->generation);
	free(call);
}

static void
on_free(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct call *call = (struct call *)arg;
	struct b2bua *b2bua = call->b2bua;

	call_free(call);
	if (b2bua->count == 0)
		agent_emptied(b2bua->agent);
}

void
call_done_waiting(struct call *call)
{
	/* not here and now: Sofia may be in a callback of one of the call's transactions */
	if (call->state == CALL_ENDED && call->waiting == 0)
		su_timer_set_interval(call->timer, on_free, (su_timer_arg_t *)call, 1);
}

void
b2bua_leave(struct b2bua *b2bua)
{
	if (b2bua == NULL || b2bua->store == NULL)
		return;
	call_store_close(b2bua->store);
	b2bua->store = NULL;
	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (struct call *call = b2bua->bucket[i]; call != NULL; call = call->next) {
			if (call->state != CALL_UP)
				continue;
			call->state = CALL_ENDED; /* for us: nothing is said, or asked, any more */
			record_leave(call->record);
			call->record = NULL;
		}
}

bool
b2bua_is_idle(const struct b2bua *b2bua)
{
	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (const struct call *call = b2bua->bucket[i]; call != NULL; call = call->next)
			if (call->state != CALL_UP || b2bua->store == NULL ||
				call->exchange.stage != EXCHANGE_NONE)
				return false;
	return true;
}

void
b2bua_destroy(struct b2bua *b2bua)
{
	if (b2bua == NULL)
		return;
	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		while (b2bua->bucket[i] != NULL)
			call_free(b2bua->bucket[i]);
	su_timer_destroy(b2bua->timer);
	call_keep_destroy(b2bua->keep);
	free(b2bua);
}
