/* SPDX-License-Identifier: BSD-3-Clause */
#include "fetch.h"

#include "relay/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct media_fetch {
	char *path;
	struct relay_client *client; /* NULL: not connected */
	uint64_t cursor;             /* of the next page of sessions, where there are many */
	uint8_t reply[RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
};

struct media_fetch *
media_fetch_create(const char *path)
{
	struct media_fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch != NULL)
		fetch->path = strdup(path);
	if (fetch == NULL || fetch->path == NULL) {
		free(fetch);
		return NULL;
	}
	return fetch;
}

static void
hang_up(struct media_fetch *fetch)
{
	relay_client_close(fetch->client);
	fetch->client = NULL;
	fetch->cursor = 0;
}

void
media_fetch_free(struct media_fetch *fetch)
{
	if (fetch == NULL)
		return;
	hang_up(fetch);
	free(fetch->path);
	free(fetch);
}

/* One answer, in fetch->reply. 0 or -errno. */
static int
ask(struct media_fetch *fetch, void *request, size_t length)
{
	int result = relay_client_call(
		fetch->client, request, length, fetch->reply, sizeof(fetch->reply), FETCH_MS);

	if (result == 0 && ((struct relay_header *)(void *)fetch->reply)->code != RELAY_OK)
		result = -EPROTO;
	return result;
}

static int
fetch_status(struct media_fetch *fetch, struct media_view *out)
{
	struct relay_header request = {.op = RELAY_OP_STATUS};
	int result = ask(fetch, &request, sizeof(request));

	if (result == 0)
		memcpy(&out->status, fetch->reply, sizeof(out->status));
	return result;
}

static int
fetch_counters(struct media_fetch *fetch, struct media_view *out)
{
	struct relay_header request = {.op = RELAY_OP_STATS};
	const struct relay_stats_reply *reply = (const void *)fetch->reply;
	int result = ask(fetch, &request, sizeof(request));

	if (result != 0)
		return result;
	out->counters = calloc(reply->count + 1, sizeof(*out->counters));
	if (out->counters == NULL)
		return -ENOMEM;
	memcpy(out->counters, reply->counter, reply->count * sizeof(*out->counters));
	out->counters_count = reply->count;
	return 0;
}

/* Where the answers to many a QUERY go. */
struct gather {
	struct media_view *view;
	unsigned waiting;
	bool gone;
};

static void
on_session(void *arg, const struct relay_header *reply)
{
	struct gather *gather = arg;

	gather->waiting--;
	if (reply == NULL) {
		gather->gone = true;
	} else if (reply->code == RELAY_OK && gather->view != NULL &&
		   gather->view->sessions_count < SNAPSHOT_SESSIONS) {
		memcpy(&gather->view->sessions[gather->view->sessions_count++], reply,
			sizeof(struct relay_session));
	}
}

/* Asks for each session of a page, all at once. 0 or -errno. */
static int
query_page(struct media_fetch *fetch, const struct relay_list_reply *page, struct gather *gather)
{
	for (unsigned i = 0; i < page->count; i++) {
		struct relay_by_id request = {.header = {.op = RELAY_OP_QUERY}};
		memcpy(request.id, page->entry[i].id, sizeof(request.id));
		gather->waiting++;
		int result = relay_client_send(
			fetch->client, &request, sizeof(request), on_session, gather);
		if (result != 0) {
			gather->waiting--;
			return result;
		}
	}
	return 0;
}

static int
wait_for_all(struct media_fetch *fetch, struct gather *gather, uint64_t deadline)
{
	while (gather->waiting > 0 && !gather->gone) {
		struct pollfd at = {.fd = relay_client_fd(fetch->client),
			.events = (short)(POLLIN |
					  (relay_client_wants_write(fetch->client) ? POLLOUT : 0))};
		uint64_t now = snapshot_now_ms();
		if (now >= deadline)
			return -ETIMEDOUT;
		if (poll(&at, 1, (int)(deadline - now)) < 0 && errno != EINTR)
			return -errno;
		if (relay_client_process(fetch->client) != 0)
			return -EPIPE;
	}
	return gather->gone ? -EPIPE : 0;
}

/* All sessions, or as many as a snapshot holds: then the next snapshot goes on behind them. */
static int
fetch_sessions(struct media_fetch *fetch, struct media_view *out)
{
	struct relay_list request = {.header = {.op = RELAY_OP_LIST}, .cursor = fetch->cursor};
	const struct relay_list_reply *page = (const void *)fetch->reply;
	struct gather gather = {.view = out};
	uint64_t deadline = snapshot_now_ms() + FETCH_MS;
	unsigned asked = 0;
	int result;

	out->sessions = calloc(SNAPSHOT_SESSIONS, sizeof(*out->sessions));
	if (out->sessions == NULL)
		return -ENOMEM;
	do {
		result = ask(fetch, &request, sizeof(request));
		if (result == 0)
			result = query_page(fetch, page, &gather);
		if (result != 0)
			break;
		asked += page->count;
		request.cursor = page->cursor;
		result = wait_for_all(fetch, &gather, deadline);
	} while (result == 0 && request.cursor != 0 && asked < SNAPSHOT_SESSIONS);
	fetch->cursor = request.cursor;
	if (gather.waiting > 0)
		hang_up(fetch); /* answers each that waits, while `gather` is there */
	return result;
}

static void
explain(struct media_fetch *fetch, int result, struct media_view *out)
{
	const char *cure = "is it running, and is media.socket its socket?";

	if (result == -EACCES)
		cure = "sallyport-web's user may not write to the socket";
	else if (result == -ETIMEDOUT)
		cure = "it runs, and does not answer";
	snprintf(out->error, sizeof(out->error), "sallyport-media at %.80s: %s: %s", fetch->path,
		strerror(-result), cure);
}

void
media_fetch(struct media_fetch *fetch, struct media_view *out)
{
	double start_s = snapshot_now_s();
	int result = 0;

	if (fetch->client == NULL)
		result = relay_client_connect(fetch->path, &fetch->client);
	if (result == 0)
		result = fetch_status(fetch, out);
	if (result == 0)
		result = fetch_counters(fetch, out);
	if (result == 0)
		result = fetch_sessions(fetch, out);
	out->up = result == 0;
	if (result != 0) {
		explain(fetch, result, out);
		hang_up(fetch);
	}
	out->took_s = snapshot_now_s() - start_s;
}

void
media_view_free(struct media_view *view)
{
	free(view->counters);
	free(view->sessions);
}
