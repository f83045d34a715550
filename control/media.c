/* SPDX-License-Identifier: BSD-3-Clause */
#include "media.h"

#include "relay/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_FIRST_MS 20 /* after it went away; then twice as long each time */
#define RETRY_MS 1000

struct media {
	su_root_t *root;
	su_timer_t *timer;
	char *path;
	struct media_callbacks cbs;
	struct relay_client *client; /* NULL: no relay */
	int wait_index;
	su_duration_t retry_ms; /* till the next try */
	bool complained;        /* about there being no relay */
};

static void
watch_writes(struct media *media)
{
	int events = SU_WAIT_IN;

	if (relay_client_wants_write(media->client))
		events |= SU_WAIT_OUT;
	su_root_eventmask(media->root, media->wait_index, relay_client_fd(media->client), events);
}

static void on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg);

static void
disconnect(struct media *media)
{
	struct relay_client *client = media->client;

	media->client = NULL;
	su_root_deregister(media->root, media->wait_index);
	relay_client_close(client);
	log_error("the relay at %s went away: new calls are refused until it is back", media->path);
	media->retry_ms = RETRY_FIRST_MS;
	su_timer_set_interval(media->timer, on_timer, (su_timer_arg_t *)media, media->retry_ms);
	media->cbs.lost(media->cbs.arg);
}

static int
on_ready(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct media *media = (struct media *)arg;

	su_wait_events(wait, relay_client_fd(media->client));
	if (relay_client_process(media->client) != 0)
		disconnect(media);
	else
		watch_writes(media);
	return 0;
}

static void
greet(struct media *media)
{
	struct relay_header subscribe = {.op = RELAY_OP_SUBSCRIBE};

	relay_client_send(media->client, &subscribe, sizeof(subscribe), NULL, NULL);
}

static void
try_connect(struct media *media)
{
	su_wait_t wait[1];
	int result = relay_client_connect(media->path, &media->client);

	if (result != 0) {
		if (!media->complained)
			log_warning(
				"no relay answers at %s (%s): is sallyport-media running? Calls "
				"are refused until it is",
				media->path, strerror(-result));
		media->complained = true;
		media->client = NULL;
		return;
	}
	media->complained = false;
	relay_client_on_event(media->client, media->cbs.event, media->cbs.arg);
	su_wait_create(wait, relay_client_fd(media->client), SU_WAIT_IN);
	media->wait_index =
		su_root_register(media->root, wait, on_ready, (su_wakeup_arg_t *)media, 0);
	log_info("connected to the relay at %s", media->path);
	greet(media);
	watch_writes(media);
	media->cbs.found(media->cbs.arg);
}

static void
on_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct media *media = (struct media *)arg;

	if (media->client == NULL)
		try_connect(media);
	if (media->client != NULL)
		return;
	media->retry_ms = media->retry_ms < RETRY_MS / 2 ? 2 * media->retry_ms : RETRY_MS;
	su_timer_set_interval(media->timer, on_timer, (su_timer_arg_t *)media, media->retry_ms);
}

struct media *
media_create(su_root_t *root, const char *path, const struct media_callbacks *cbs)
{
	struct media *media = calloc(1, sizeof(*media));

	if (media == NULL)
		return NULL;
	media->root = root;
	media->cbs = *cbs;
	media->path = strdup(path);
	media->timer = su_timer_create(su_root_task(root), RETRY_MS);
	if (media->path == NULL || media->timer == NULL) {
		media_destroy(media);
		return NULL;
	}
	media->retry_ms = RETRY_MS;
	try_connect(media);
	if (media->client == NULL)
		su_timer_set(media->timer, on_timer, (su_timer_arg_t *)media);
	return media;
}

void
media_destroy(struct media *media)
{
	if (media == NULL)
		return;
	if (media->client != NULL) {
		struct relay_client *client = media->client;
		media->client = NULL;
		su_root_deregister(media->root, media->wait_index);
		relay_client_close(client);
	}
	su_timer_destroy(media->timer);
	free(media->path);
	free(media);
}

bool
media_is_connected(const struct media *media)
{
	return media->client != NULL;
}

int
media_request(struct media *media, void *request, size_t length, relay_reply_cb *cb, void *arg)
{
	int result;

	if (media->client == NULL)
		return -ENOTCONN;
	result = relay_client_send(media->client, request, length, cb, arg);
	/* a relay that went away is noticed by on_ready(), in a moment */
	if (result == 0)
		watch_writes(media);
	return result;
}
