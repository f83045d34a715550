/* SPDX-License-Identifier: BSD-3-Clause */
/* The load's controller: a client of the relay API in a thread of its own. */
#include "load.h"
#include "relay/client.h"

#include <openssl/rand.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHURN_BATCH 50 /* installs in one go */
#define CHURN_PAUSE_US 1000

static bool
call(struct relay_client *client, void *request, size_t length, struct relay_session *reply)
{
	union {
		struct relay_header header;
		struct relay_session session;
		struct relay_reply_error error;
	} answer;

	if (relay_client_call(client, request, length, &answer, sizeof(answer), 5000) != 0) {
		fprintf(stderr, "load: the relay does not answer\n");
		return false;
	}
	if (answer.header.code != RELAY_OK) {
		fprintf(stderr, "load: the relay refuses: %s\n",
			relay_reply_reason(&answer.header));
		return false;
	}
	if (reply != NULL)
		*reply = answer.session;
	return true;
}

static void
fill_leg(const struct load *load, const struct stream *stream, struct relay_leg_spec *leg)
{
	snprintf(leg->interface, sizeof(leg->interface), "%s", load->options.interface);
	leg->transport = RELAY_TRANSPORT_SRTP;
	leg->remote_rtp = stream->far;
	leg->receive = stream->keys[0];
	leg->transmit = stream->keys[1];
}

static bool
install(struct load *load, struct relay_client *client, unsigned number)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}, .timeout_ms = 600000};
	struct relay_session session;
	struct stream *streams = &load->stream[2 * number];

	snprintf(request.id, sizeof(request.id), "load-%u", number);
	for (unsigned leg = 0; leg < 2; leg++)
		fill_leg(load, &streams[leg], &request.leg[leg]);
	if (!call(client, &request, sizeof(request), &session))
		return false;
	for (unsigned leg = 0; leg < 2; leg++)
		streams[leg].relay = session.leg[leg].local_rtp;
	return true;
}

static bool delete (struct relay_client *client, const char *prefix, unsigned number)
{
	struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};

	snprintf(request.id, sizeof(request.id), "%s-%u", prefix, number);
	return call(client, &request, sizeof(request), NULL);
}

/* Replies to what was sent in one go. */
struct batch {
	struct load *load;
	unsigned waiting;
	unsigned refused;
	_Atomic uint64_t *counter;
};

static void
on_reply(void *arg, const struct relay_header *reply)
{
	struct batch *batch = arg;

	batch->waiting--;
	if (reply != NULL && reply->code == RELAY_OK) {
		atomic_fetch_add(batch->counter, 1);
		return;
	}
	if (batch->refused++ == 0)
		fprintf(stderr, "load: the relay refuses: %s\n",
			reply != NULL ? relay_reply_reason(reply) : "it has gone");
}

static bool
await(struct relay_client *client, const struct batch *batch)
{
	while (batch->waiting > 0) {
		struct pollfd poll_fd = {.fd = relay_client_fd(client),
			.events =
				(short)(POLLIN | (relay_client_wants_write(client) ? POLLOUT : 0))};
		if (poll(&poll_fd, 1, 5000) <= 0 || relay_client_process(client) != 0)
			return false;
	}
	return batch->refused == 0;
}

/* Some more sessions beside, and as many of the oldest away: each kind in one go. */
static bool
churn_some(struct load *load, struct relay_client *client, unsigned first, unsigned count)
{
	struct batch installs = {.load = load, .counter = &load->installed};
	struct batch deletes = {.load = load, .counter = &load->deleted};

	for (unsigned i = first; i < first + count; i++) {
		struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};
		snprintf(request.id, sizeof(request.id), "churn-%u", i);
		for (unsigned leg = 0; leg < 2; leg++) {
			struct relay_leg_spec *spec = &request.leg[leg];
			fill_leg(load, &load->stream[0], spec);
			RAND_bytes(spec->receive.key, 16);
			RAND_bytes(spec->transmit.key, 16);
		}
		if (relay_client_send(client, &request, sizeof(request), on_reply, &installs) != 0)
			return false;
		installs.waiting++;
	}
	for (unsigned i = first; i < first + count; i++) {
		struct relay_by_id request = {.header = {.op = RELAY_OP_DELETE}};
		if (i < load->options.held)
			continue;
		snprintf(request.id, sizeof(request.id), "churn-%u", i - load->options.held);
		if (relay_client_send(client, &request, sizeof(request), on_reply, &deletes) != 0)
			return false;
		deletes.waiting++;
	}
	return await(client, &installs) && await(client, &deletes);
}

static double
seconds_since(const struct timespec *begun)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - begun->tv_sec) + (double)(now.tv_nsec - begun->tv_nsec) * 1e-9;
}

static bool
churn(struct load *load, struct relay_client *client, unsigned *made)
{
	struct timespec begun;

	clock_gettime(CLOCK_MONOTONIC, &begun);
	while (!atomic_load(&load->stop)) {
		unsigned due = (unsigned)(seconds_since(&begun) * load->options.churn);
		unsigned count = due - *made < CHURN_BATCH ? due - *made : CHURN_BATCH;
		if (count > 0 && !churn_some(load, client, *made, count))
			return false;
		*made += count;
		if (count < CHURN_BATCH)
			usleep(CHURN_PAUSE_US);
	}
	return true;
}

void *
control_main(void *arg)
{
	struct load *load = arg;
	struct relay_client *client = NULL;
	unsigned made = 0, done = 0;
	bool good = relay_client_connect(load->options.socket, &client) == 0;

	if (!good)
		fprintf(stderr, "load: no relay answers at %s\n", load->options.socket);
	while (good && done < load->options.sessions && (good = install(load, client, done)))
		done++;
	atomic_store(good ? &load->ready : &load->failed, true);
	if (good && !churn(load, client, &made))
		atomic_store(&load->failed, true);
	for (unsigned i = 0; good && i < done; i++)
		delete (client, "load", i);
	unsigned held = load->options.held;
	for (unsigned i = made > held ? made - held : 0; good && i < made; i++)
		delete (client, "churn", i);
	relay_client_close(client);
	return NULL;
}
