/* SPDX-License-Identifier: BSD-3-Clause */
/* The load's controller: a client of the relay API in a thread of its own. */
#include "load.h"
#include "relay/client.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHURN_HELD 50 /* sessions that the churn keeps */

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

/* One more session beside, and the oldest of those away. */
static bool
churn_once(struct load *load, struct relay_client *client, unsigned number)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};

	snprintf(request.id, sizeof(request.id), "churn-%u", number);
	for (unsigned leg = 0; leg < 2; leg++) {
		struct relay_leg_spec *spec = &request.leg[leg];
		fill_leg(load, &load->stream[0], spec);
		RAND_bytes(spec->receive.key, 16);
		RAND_bytes(spec->transmit.key, 16);
	}
	if (!call(client, &request, sizeof(request), NULL))
		return false;
	atomic_fetch_add(&load->installed, 1);
	if (number >= CHURN_HELD) {
		if (!delete (client, "churn", number - CHURN_HELD))
			return false;
		atomic_fetch_add(&load->deleted, 1);
	}
	return true;
}

static bool
churn(struct load *load, struct relay_client *client, unsigned *made)
{
	struct timespec next;

	clock_gettime(CLOCK_MONOTONIC, &next);
	while (!atomic_load(&load->stop)) {
		if (load->options.churn == 0) {
			usleep(100000);
			continue;
		}
		if (!churn_once(load, client, (*made)++))
			return false;
		next.tv_nsec += 1000000000L / load->options.churn;
		if (next.tv_nsec >= 1000000000L) {
			next.tv_nsec -= 1000000000L;
			next.tv_sec++;
		}
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
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
	for (unsigned i = made > CHURN_HELD ? made - CHURN_HELD : 0; good && i < made; i++)
		delete (client, "churn", i);
	relay_client_close(client);
	return NULL;
}
