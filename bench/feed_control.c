/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IN_FLIGHT 200 /* requests */
#define REPLY_ROOM (256 * 1024)

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int
feed_connect(struct feed *feed, const char *socket)
{
	if (relay_client_connect(socket, &feed->client) == 0)
		return 0;
	fprintf(stderr, "feed: no relay answers at %s\n", socket);
	return -1;
}

struct batch {
	struct feed *feed;
	uint32_t waiting;
	uint32_t refused;
};

/* A session's ports are its answer's; which session it is says its id. */
static void
on_reply(void *arg, const struct relay_header *reply)
{
	struct batch *batch = arg;
	const struct relay_session *session = (const struct relay_session *)reply;

	batch->waiting--;
	if (reply == NULL || reply->code != RELAY_OK) {
		if (batch->refused++ == 0)
			fprintf(stderr, "feed: the relay refuses: %s\n",
				reply != NULL ? relay_reply_reason(reply) : "it has gone");
		return;
	}
	uint32_t number = (uint32_t)strtoul(session->id + strlen("feed-"), NULL, 10);
	for (unsigned leg = 0; leg < 2; leg++)
		batch->feed->stream[2 * number + leg].relay = session->leg[leg].local_rtp;
}

static int
wait_until(struct feed *feed, const struct batch *batch, uint32_t most)
{
	while (batch->waiting > most) {
		struct pollfd poll_fd = {.fd = relay_client_fd(feed->client),
			.events = (short)(POLLIN |
					  (relay_client_wants_write(feed->client) ? POLLOUT : 0))};
		if (poll(&poll_fd, 1, 5000) <= 0 || relay_client_process(feed->client) != 0)
			return -1;
		feed_peer_idle(feed);
	}
	return batch->refused == 0 ? 0 : -1;
}

static int
send_create(struct feed *feed, struct batch *batch, uint32_t number)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}, .timeout_ms = 3600000};

	snprintf(request.id, sizeof(request.id), "feed-%u", number);
	for (unsigned leg = 0; leg < 2; leg++) {
		struct relay_leg_spec *spec = &request.leg[leg];
		struct relay_crypto unused;
		snprintf(spec->interface, sizeof(spec->interface), "media");
		spec->transport = RELAY_TRANSPORT_SRTP;
		spec->remote_rtp = feed->stream[2 * number + leg].far;
		/* what leg 0 receives leg 1 transmits */
		feed_keys(2 * number + leg, &spec->receive, &unused);
		feed_keys(2 * number + 1 - leg, &unused, &spec->transmit);
	}
	batch->waiting++;
	return relay_client_send(feed->client, &request, sizeof(request), on_reply, batch);
}

double
feed_install(struct feed *feed, uint32_t sessions)
{
	struct batch batch = {.feed = feed};
	uint32_t first = feed->sessions;

	if (feed_streams_make(feed, first, sessions) != 0)
		return -1;
	double begun = now_s();
	for (uint32_t i = first; i < sessions; i++) {
		if (send_create(feed, &batch, i) != 0 || wait_until(feed, &batch, IN_FLIGHT) != 0)
			return -1;
		if ((i + 1) % 50000 == 0)
			fprintf(stderr, "feed: %u sessions installed\n", i + 1);
	}
	if (wait_until(feed, &batch, 0) != 0)
		return -1;
	double took = now_s() - begun;
	feed->sessions = sessions;
	/* the relay asks who its far ends are */
	double limit = now_s() + 10, settled = now_s() + 1;
	while (now_s() < limit && (!feed->relay_known || now_s() < settled))
		feed_peer_idle(feed);
	return feed->relay_known ? took : -1;
}

double
feed_delete(struct feed *feed, uint32_t first, uint32_t end)
{
	struct batch batch = {.feed = feed};
	double begun = now_s();

	for (uint32_t i = first; i < end; i++) {
		struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};
		snprintf(request.id, sizeof(request.id), "feed-%u", i);
		batch.waiting++;
		if (relay_client_send(feed->client, &request, sizeof(request), on_reply, &batch) !=
				0 ||
			wait_until(feed, &batch, IN_FLIGHT) != 0)
			return -1;
	}
	return wait_until(feed, &batch, 0) == 0 ? now_s() - begun : -1;
}

static const struct relay_header *
ask(struct feed *feed, uint16_t op)
{
	static union {
		struct relay_header header;
		uint8_t bytes[REPLY_ROOM];
	} reply;
	struct relay_header request = {.op = op};

	if (relay_client_call(
		    feed->client, &request, sizeof(request), &reply, sizeof(reply), 5000) != 0 ||
		reply.header.code != RELAY_OK) {
		fprintf(stderr, "feed: the relay does not tell its counters\n");
		return NULL;
	}
	return &reply.header;
}

/* "worker.1.packets" -> "packets"; NULL if it is none of a worker's. */
static const char *
of_worker(const char *name)
{
	unsigned worker;
	int used = 0;

	return sscanf(name, "worker.%u.%n", &worker, &used) == 1 && used > 0 ? name + used : NULL;
}

/* "workers.cycles_100_open" is the mean of all packets that were sampled, in 1/100. */
static void
take_counter(struct feed_counters *counters, const struct relay_counter *counter)
{
	static const char stage[] = "workers.cycles_100_";
	const char *name = of_worker(counter->name);

	if (name != NULL && strcmp(name, "packets") == 0)
		counters->packets += counter->value;
	else if (name != NULL && strcmp(name, "busy_cycles") == 0)
		counters->busy_cycles += counter->value;
	else if (name != NULL && strcmp(name, "bursts") == 0)
		counters->busy_turns += counter->value;
	else if (strcmp(counter->name, "workers.sampled") == 0)
		counters->sampled = counter->value;
	else if (strncmp(counter->name, stage, strlen(stage)) == 0 && counters->stages < 16) {
		snprintf(counters->stage_name[counters->stages], 16, "%.15s",
			counter->name + strlen(stage));
		counters->stage[counters->stages++] = (double)counter->value / 100;
	}
}

int
feed_read_counters(struct feed *feed, struct feed_counters *counters)
{
	const struct relay_stats_reply *reply =
		(const struct relay_stats_reply *)ask(feed, RELAY_OP_STATS);

	memset(counters, 0, sizeof(*counters));
	if (reply == NULL)
		return -1;
	for (uint32_t i = 0; i < reply->count; i++)
		take_counter(counters, &reply->counter[i]);
	for (unsigned i = 0; i < counters->stages; i++)
		counters->stage[i] *= (double)counters->sampled;
	return 0;
}

uint64_t
feed_session_bytes(struct feed *feed)
{
	const struct relay_status_reply *reply =
		(const struct relay_status_reply *)ask(feed, RELAY_OP_STATUS);

	return reply != NULL ? reply->session_bytes : 0;
}
