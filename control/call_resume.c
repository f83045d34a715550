/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls of an earlier life of this process, at the start of the next: those whose sessions the
 * relay has still go on, with the keys that it has; the others end. Before the event loop runs, so
 * that no request finds a call half made. */
#include "call.h"
#include "call_line.h"
#include "call_save.h"
#include "counters.h"
#include "journal.h"
#include "records.h"

#include "relay/client.h"
#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WAIT_MS 5000 /* for the relay, which answers thousands in a second */

struct restore {
	struct b2bua *b2bua;
	struct relay_client *client; /* of its own, for this time; NULL: there is no relay */
	unsigned waiting;            /* replies */
	unsigned kept;
	unsigned ended;  /* calls whose sessions are gone */
	unsigned setups; /* calls that were not up yet */
	unsigned damaged;
};

/* One stream's keys are asked for. */
struct question {
	struct restore *restore;
	struct call *call;
	unsigned stream;
};

static void
take_leg(struct call_stream *stream, unsigned side, const struct relay_leg_spec *spec, bool open)
{
	struct call_leg *agreed = &stream->agreed[side], *told = &stream->told[side];

	stream->local[side] = spec->local_rtp;
	agreed->receive = spec->receive;
	agreed->transmit = spec->transmit;
	*told = *agreed;
	if (!open)
		return;
	/* of an exchange that was cut off, this is what the relay knows */
	told->transport = spec->transport;
	told->remote_rtp = spec->remote_rtp;
	told->remote_rtcp = spec->remote_rtcp;
}

/* Does the relay have what was agreed? In the middle of an exchange it may have more. */
static bool
fits(const struct call_leg *leg, const struct relay_leg_spec *spec)
{
	return leg->transport == spec->transport &&
	       (leg->transport != RELAY_TRANSPORT_SRTP ||
		       (spec->receive.suite != RELAY_SUITE_NONE &&
			       spec->transmit.suite != RELAY_SUITE_NONE));
}

static void
on_export(void *arg, const struct relay_header *reply)
{
	struct question *question = arg;
	struct call *call = question->call;
	struct call_stream *stream = &call->sdp.stream[question->stream];
	const struct relay_create *session = (const struct relay_create *)reply;
	bool open = call->side[0].keys.expiring;

	question->restore->waiting--;
	free(question);
	stream->in_relay = reply != NULL && reply->code == RELAY_OK;
	if (reply != NULL && reply->code != RELAY_OK && reply->code != RELAY_E_NO_SESSION)
		log_error("call %s: the relay does not tell its keys: %s", call->id,
			relay_reply_reason(reply));
	if (!stream->in_relay)
		return;
	for (unsigned i = 0; i < 2; i++)
		stream->in_relay &= open || fits(&stream->agreed[i], &session->leg[i]);
	for (unsigned i = 0; i < 2 && stream->in_relay; i++)
		take_leg(stream, i, &session->leg[i], open);
}

static void
ask_keys(struct restore *restore, struct call *call)
{
	for (unsigned i = 0; i < call->sdp.streams; i++) {
		struct call_stream *stream = &call->sdp.stream[i];
		struct relay_by_id request = {.header = {.op = RELAY_OP_EXPORT}};
		struct question *question = stream->in_relay ? malloc(sizeof(*question)) : NULL;
		stream->in_relay = false;
		if (question == NULL)
			continue;
		*question = (struct question){restore, call, i};
		memcpy(request.id, stream->id, sizeof(request.id));
		if (restore->client == NULL || relay_client_send(restore->client, &request,
						       sizeof(request), on_export, question) != 0)
			free(question);
		else
			restore->waiting++;
	}
}

/* The sessions of a call that nobody can go on with. */
static void
drop_sessions(struct restore *restore, const char *id, unsigned streams)
{
	for (unsigned i = 0; i < streams && restore->client != NULL; i++) {
		struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};
		if (i == 0)
			snprintf(request.id, sizeof(request.id), "%.32s", id);
		else
			snprintf(request.id, sizeof(request.id), "%.32s/%u", id, i);
		relay_client_send(restore->client, &request, sizeof(request), NULL, NULL);
	}
}

static void
take_up(struct restore *restore, struct journal_entry *entry, const json_t *line)
{
	const char *id = json_string_value(json_object_get(line, "id")), *why = NULL;
	struct journal *journal = call_store_journal(restore->b2bua->store);
	unsigned streams;
	const json_t *saved = call_line_read(line, &streams);
	struct call *call = NULL;

	if (strlen(id) == CALL_ID_DIGITS && strspn(id, "0123456789abcdef") == CALL_ID_DIGITS) {
		if (saved != NULL)
			call = call_load(restore->b2bua, id, saved, &why);
		if (call == NULL)
			drop_sessions(restore, id, streams > 0 ? streams : SDP_STREAMS_MAX);
	}
	if (call != NULL) {
		call->stored.entry = entry;
		ask_keys(restore, call);
		return;
	}
	if (streams > 0) {
		restore->setups++;
	} else {
		restore->damaged++;
		log_warning("call %.32s: it does not go on: %s", id,
			why != NULL ? why : "its line in sip.dialogs is damaged");
	}
	journal_over(journal, entry);
}

static void
wait_for_relay(struct restore *restore)
{
	uint64_t until = call_now_ms() + WAIT_MS;

	while (restore->client != NULL && restore->waiting > 0 && call_now_ms() < until) {
		struct pollfd fd = {
			.fd = relay_client_fd(restore->client),
			.events =
				(short)(POLLIN |
					(relay_client_wants_write(restore->client) ? POLLOUT : 0)),
		};
		poll(&fd, 1, (int)(until - call_now_ms()));
		if (relay_client_process(restore->client) != 0)
			break;
	}
	relay_client_close(restore->client); /* who waits still hears that there is none */
	restore->client = NULL;
}

static void
settle(struct restore *restore, struct call *call)
{
	struct timespec start;
	uint64_t wall_ms = call_wall_ms(call->started_ms);
	unsigned left = 0;

	start = (struct timespec){(time_t)(wall_ms / 1000), (long)(wall_ms % 1000) * 1000000};
	call->record = record_resume(call->agent->records, call->id, &start);
	for (unsigned i = 0; i < call->sdp.streams; i++)
		left += call->sdp.stream[i].in_relay;
	if (left > 0) {
		restore->kept++;
		counters_add(COUNTER_CALLS_KEPT);
		call_changed(call); /* for what is new of it: CSeq */
		return;
	}
	restore->ended++;
	counters_add(COUNTER_CALLS_NOT_KEPT);
	call_end(call, "its media session is gone", NULL, 503, NULL);
}

static void
settle_all(struct restore *restore)
{
	struct b2bua *b2bua = restore->b2bua;

	for (unsigned i = 0; i < CALL_BUCKETS; i++)
		for (struct call *call = b2bua->bucket[i]; call != NULL; call = call->next)
			if (call->state == CALL_UP)
				settle(restore, call);
	if (restore->kept > 0)
		log_info("%u call(s) of an earlier life go on", restore->kept);
	if (restore->ended + restore->setups + restore->damaged > 0)
		log_warning("%u call(s) of an earlier life have ended: of %u the media session is "
			    "gone, %u were not up yet, of %u too little is known",
			restore->ended + restore->setups + restore->damaged, restore->ended,
			restore->setups, restore->damaged);
}

int
b2bua_restore(struct b2bua *b2bua)
{
	struct restore restore = {.b2bua = b2bua};
	struct journal_entry *entry;
	json_t *line;
	int result = call_store_open(b2bua, &b2bua->store);

	if (b2bua->store == NULL)
		return result;
	while ((entry = journal_take(call_store_journal(b2bua->store), NULL, &line)) != NULL) {
		if (restore.client == NULL &&
			relay_client_connect(b2bua->agent->config->media.socket, &restore.client) !=
				0)
			restore.client = NULL;
		take_up(&restore, entry, line);
		json_decref(line);
	}
	wait_for_relay(&restore);
	settle_all(&restore);
	return 0;
}
