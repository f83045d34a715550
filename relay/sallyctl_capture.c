/* SPDX-License-Identifier: BSD-3-Clause */
/* sallyctl capture: asks the relay for packets, and waits until it has them. The file is ours, made
 * with our rights; the relay gets its descriptor. */
#include "sallyctl.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 2000 /* beyond the capture's time, for its end to be told */

static volatile sig_atomic_t interrupted;

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void
on_event(void *arg, const struct relay_event *event)
{
	bool *ended = arg;

	if (event->kind == RELAY_EVENT_CAPTURE_END)
		*ended = true;
}

static int
open_file(const struct sallyctl *ctl, const char *file)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC | (ctl->force ? O_TRUNC : O_EXCL), 0640);

	if (fd < 0)
		fprintf(stderr, "sallyctl: %s can't be made: %s%s\n", file, strerror(errno),
			errno == EEXIST ? ": name another, or overwrite it with --force" : "");
	return fd;
}

/* Events first, so that the end can't be missed. */
static int
begin(const struct sallyctl *ctl, int fd)
{
	struct relay_header subscribe = {.op = RELAY_OP_SUBSCRIBE}, reply;
	struct relay_capture request = {.header = {.op = RELAY_OP_CAPTURE},
		.seconds = ctl->seconds,
		.packets = ctl->packets,
		.snap = ctl->snap};
	union {
		struct relay_header header;
		struct relay_reply_error error;
	} answer;

	if (ctl->session != NULL)
		snprintf(request.id, sizeof(request.id), "%s", ctl->session);
	if (ctl->interface != NULL)
		snprintf(request.interface, sizeof(request.interface), "%s", ctl->interface);
	int result = sallyctl_ask(ctl, &subscribe, sizeof(subscribe), &reply, sizeof(reply));
	if (result != SALLYCTL_OK)
		return result;
	relay_client_attach(ctl->client, fd);
	return sallyctl_ask(ctl, &request, sizeof(request), &answer, sizeof(answer));
}

static void
stop(const struct sallyctl *ctl)
{
	struct relay_capture request = {.header = {.op = RELAY_OP_CAPTURE}};

	relay_client_send(ctl->client, &request, sizeof(request), NULL, NULL);
}

static long
size_of(int fd)
{
	struct stat facts;

	return fstat(fd, &facts) == 0 ? (long)facts.st_size : 0;
}

/* Until the relay says that it is complete, or has gone. */
static bool
wait_for_end(const struct sallyctl *ctl, int fd, const bool *ended)
{
	int left = (int)ctl->seconds * 1000 + PATIENCE_MS;
	bool told = isatty(STDERR_FILENO), stopped = false;

	while (!*ended && left > 0) {
		struct pollfd poll_fd = {.fd = relay_client_fd(ctl->client), .events = POLLIN};
		if (interrupted && !stopped) {
			stop(ctl);
			stopped = true;
			left = PATIENCE_MS;
		}
		poll(&poll_fd, 1, 500);
		left -= 500;
		if (relay_client_process(ctl->client) != 0)
			return false;
		if (told)
			fprintf(stderr, "\rcapturing: %ld bytes", size_of(fd));
	}
	if (told)
		fputc('\n', stderr);
	return *ended;
}

int
sallyctl_capture(const struct sallyctl *ctl, const char *file)
{
	struct sigaction action = {.sa_handler = on_signal};
	bool ended = false;
	int fd = open_file(ctl, file);

	if (fd < 0)
		return SALLYCTL_REFUSED;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	relay_client_on_event(ctl->client, on_event, &ended);
	int result = begin(ctl, fd);
	if (result != SALLYCTL_OK) {
		close(fd);
		unlink(file);
		return result;
	}
	bool whole = wait_for_end(ctl, fd, &ended);
	long size = size_of(fd);
	close(fd);
	if (!whole) {
		fprintf(stderr, "sallyctl: the relay at %s has gone; %s may be cut short\n",
			ctl->socket, file);
		return SALLYCTL_UNREACHABLE;
	}
	if (ctl->json)
		return sallyctl_print_json(
			json_pack("{s:s, s:I}", "file", file, "bytes", (json_int_t)size));
	printf("%s: %ld bytes\n", file, size);
	return SALLYCTL_OK;
}
