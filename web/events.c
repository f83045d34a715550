/* SPDX-License-Identifier: BSD-3-Clause */
/* Server-sent events: each snapshot, to each reader, once. A reader that is slow misses those that
 * came meanwhile; it never holds more than one. */
#include "text.h"
#include "view.h"
#include "web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16384 /* bytes handed over at once */

struct reader {
	struct web *web; /* outlives the peer, which may have gone when the reader is freed */
	struct peer *peer;
	struct MHD_Connection *connection;
	char call[RELAY_ID_SIZE]; /* empty: all */
	uint64_t seen;            /* taken_ms of the last snapshot that it got */
	char *event;
	size_t length;
	size_t sent;
};

/* The view of all, for all readers of one snapshot. */
static const char *
shared_view(struct web *web, const struct snapshot *snapshot, size_t *length)
{
	if (web->view == NULL || web->view_of != snapshot->taken_ms) {
		json_t *json = view_part(snapshot, "");
		free(web->view);
		web->view = json_dumps(json, JSON_COMPACT);
		web->view_of = snapshot->taken_ms;
		web->view_length = web->view != NULL ? strlen(web->view) : 0;
		json_decref(json);
	}
	*length = web->view_length;
	return web->view;
}

/* "event: ...", "data: ..." and an empty line. JSON has no line feed in it. */
static bool
make_event(struct reader *reader, const struct snapshot *snapshot)
{
	struct text event = {.bytes = NULL};

	if (reader->call[0] == '\0') {
		size_t length;
		const char *view = shared_view(reader->web, snapshot, &length);
		text_add(&event, "event: view\ndata: ");
		if (view == NULL)
			return false;
		text_add_bytes(&event, view, length);
	} else {
		json_t *json = view_call(snapshot, reader->call);
		char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
		text_add(&event, "event: %s\ndata: %s", text != NULL ? "call" : "gone",
			text != NULL ? text : "{}");
		free(text);
		json_decref(json);
	}
	text_add(&event, "\n\n");
	if (text_failed(&event)) {
		text_free(&event);
		return false;
	}
	free(reader->event);
	reader->event = event.bytes;
	reader->length = event.length;
	reader->sent = 0;
	return true;
}

static ssize_t
on_room(void *mine, uint64_t position, char *buffer, size_t room)
{
	struct reader *reader = mine;
	struct web *web = reader->web;

	if (web->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (reader->sent == reader->length) {
		struct snapshot *snapshot = snapshots_get(web->snapshots);
		bool fresh = snapshot != NULL && snapshot->taken_ms != reader->seen;
		if (fresh) {
			reader->seen = snapshot->taken_ms;
			fresh = make_event(reader, snapshot);
		}
		snapshots_put(web->snapshots, snapshot);
		if (!fresh) {
			reader->peer->waiting = reader->connection;
			MHD_suspend_connection(reader->connection);
			return 0;
		}
	}
	size_t length = reader->length - reader->sent;
	if (length > room)
		length = room;
	memcpy(buffer, reader->event + reader->sent, length);
	reader->sent += length;
	return (ssize_t)length;
}

static void
free_reader(void *mine)
{
	struct reader *reader = mine;
	struct web *web = reader->web;

	web->counters.readers--;
	snapshots_readers(web->snapshots, -1);
	free(reader->event);
	free(reader);
}

enum MHD_Result
events_answer(struct peer *peer, struct MHD_Connection *connection, const char *call)
{
	struct web *web = peer->listener->web;
	struct reader *reader;

	if (web->counters.readers >= WEB_READERS_MAX)
		return request_refuse(peer, connection, MHD_HTTP_SERVICE_UNAVAILABLE,
			"As many pages are open as there may be.");
	reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return MHD_NO;
	reader->web = web;
	reader->peer = peer;
	reader->connection = connection;
	snprintf(reader->call, sizeof(reader->call), "%s", call != NULL ? call : "");
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, BLOCK, on_room, reader, free_reader);
	if (response == NULL) {
		free(reader);
		return MHD_NO;
	}
	web->counters.readers++;
	snapshots_readers(web->snapshots, 1);
	return request_answer(peer, connection, MHD_HTTP_OK, response, "text/event-stream");
}
