/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl drain: no new calls, and both daemons end after the last one. sallyport-sip is told
 * first: it then tells phones to come back later, where a drained relay alone would only refuse. */
#include "control_client.h"
#include "sallyctl.h"

#include <jansson.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MS 5000
#define LOOK_MS 100
#define GONE (-1) /* nobody answers there */

enum order { LOOK, BEGIN, CANCEL };

/* Gives sallyport-sip an order. How many calls it has, or GONE. */
static long
ask_sip(const char *path, enum order order)
{
	static const char *const set[] = {[LOOK] = NULL, [BEGIN] = "on", [CANCEL] = "off"};
	long calls = GONE;
	int fd = control_client_connect(path, ANSWER_MS);

	if (fd < 0)
		return GONE;
	json_t *reply = control_client_ask(fd, "drain", set[order], 0);
	json_t *row = json_array_get(json_object_get(reply, "rows"), 0);
	if (row != NULL)
		calls = (long)json_integer_value(json_object_get(row, "calls"));
	json_decref(reply);
	close(fd);
	return calls;
}

static bool
is_done(struct relay_client *client, void *request, size_t length, void *reply, size_t room)
{
	return relay_client_call(client, request, length, reply, room, ANSWER_MS) == 0 &&
	       ((const struct relay_header *)reply)->code == RELAY_OK;
}

/* Gives the relay an order. How many sessions it has, or GONE. */
static long
ask_relay(const char *path, enum order order)
{
	struct relay_drain drain = {.header.op = RELAY_OP_DRAIN};
	struct relay_header look = {.op = RELAY_OP_STATUS};
	struct relay_status_reply status;
	struct relay_client *client;
	long sessions = GONE;

	if (relay_client_connect(path, &client) != 0)
		return GONE;
	/* how many there are first: an empty one ends at once */
	if (is_done(client, &look, sizeof(look), &status, sizeof(status)))
		sessions = (long)status.sessions;
	drain.flags = order == BEGIN ? RELAY_DRAIN_ON | RELAY_DRAIN_END : 0;
	if (sessions >= 0 && order != LOOK &&
		!is_done(client, &drain, sizeof(drain), &status, sizeof(status)))
		sessions = GONE;
	relay_client_close(client);
	return sessions;
}

static void
ask_both(const struct sallyctl_drain *how, enum order order, long *calls, long *sessions)
{
	*calls = how->sip != NULL ? ask_sip(how->sip, order) : GONE;
	*sessions = how->relay != NULL ? ask_relay(how->relay, order) : GONE;
}

/* For people as it goes; as JSON once, at the end. */
static void
say(const struct sallyctl_drain *how, long calls, long sessions)
{
	if (how->json)
		return;
	if (calls >= 0)
		printf("sallyport-sip: %ld call(s)%s", calls, sessions >= 0 ? "; " : "\n");
	if (sessions >= 0)
		printf("sallyport-media: %ld session(s)\n", sessions);
	fflush(stdout);
}

/* What has become of it. The return is `result`, or why the output can't be written. */
static int
end_with(const struct sallyctl_drain *how, const char *state, long calls, long sessions, int result)
{
	if (!how->json)
		return result;
	json_t *out = json_pack("{s:s,s:o,s:o}", "state", state, "calls",
		calls >= 0 ? json_integer(calls) : json_null(), "sessions",
		sessions >= 0 ? json_integer(sessions) : json_null());
	int printed = sallyctl_print_json(out);
	return result != SALLYCTL_OK ? result : printed;
}

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
wait_for_both(const struct sallyctl_drain *how, long calls, long sessions)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	double until = now_s() + how->deadline_s;

	while (calls >= 0 || sessions >= 0) {
		long calls_before = calls, sessions_before = sessions;
		if (how->deadline_s != 0 && now_s() >= until) {
			fprintf(stderr,
				"sallyctl drain: not empty after %u s: %ld call(s), %ld session(s) "
				"go on. Wait for longer, stop the daemons all the same, or: "
				"sallyctl drain --cancel\n",
				how->deadline_s, calls > 0 ? calls : 0,
				sessions > 0 ? sessions : 0);
			return end_with(how, "late", calls, sessions, SALLYCTL_REFUSED);
		}
		nanosleep(&pause, NULL);
		ask_both(how, LOOK, &calls, &sessions);
		if (calls != calls_before || sessions != sessions_before)
			say(how, calls, sessions);
	}
	if (!how->json)
		puts("drained: the last call is over");
	return end_with(how, "drained", calls, sessions, SALLYCTL_OK);
}

int
sallyctl_drain(const struct sallyctl_drain *how)
{
	long calls, sessions;

	ask_both(how, how->cancel ? CANCEL : BEGIN, &calls, &sessions);
	if (calls < 0 && sessions < 0) {
		fprintf(stderr,
			"sallyctl drain: nobody answers at %s%s%s. Are the daemons running, and "
			"may you use their sockets?\n",
			how->sip != NULL ? how->sip : "",
			how->sip != NULL && how->relay != NULL ? ", nor at " : "",
			how->relay != NULL ? how->relay : "");
		return SALLYCTL_UNREACHABLE;
	}
	say(how, calls, sessions);
	if (how->cancel || !how->wait)
		return end_with(
			how, how->cancel ? "cancelled" : "draining", calls, sessions, SALLYCTL_OK);
	return wait_for_both(how, calls, sessions);
}
