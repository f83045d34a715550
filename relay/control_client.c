/* SPDX-License-Identifier: BSD-3-Clause */
#include "control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_SIZE (256 * 1024)

int
control_client_connect(const char *path, unsigned answer_ms)
{
	union {
		struct sockaddr any;
		struct sockaddr_un unix_;
	} address = {.unix_ = {.sun_family = AF_UNIX}};
	struct timeval patience = {
		.tv_sec = answer_ms / 1000, .tv_usec = (suseconds_t)(answer_ms % 1000) * 1000};

	if (strlen(path) >= sizeof(address.unix_.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.unix_.sun_path, path, strlen(path));
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* the one for sending counts for connect(), too: a backlog may be full */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, &address.any, sizeof(address.unix_)) != 0) {
		int result = -errno;
		close(fd);
		return result;
	}
	return fd;
}

static json_t *
receive(int fd)
{
	char *text = malloc(ANSWER_SIZE);
	json_t *reply = NULL;

	if (text == NULL)
		return NULL;
	ssize_t length = recv(fd, text, ANSWER_SIZE, MSG_TRUNC);
	if (length > 0 && length <= ANSWER_SIZE)
		reply = json_loadb(text, (size_t)length, 0, NULL);
	free(text);
	return reply;
}

/* Takes the request over. */
static json_t *
ask(int fd, json_t *request)
{
	char *question = json_dumps(request, JSON_COMPACT);
	json_t *reply = NULL;

	json_decref(request);
	if (question != NULL &&
		send(fd, question, strlen(question), MSG_NOSIGNAL) == (ssize_t)strlen(question))
		reply = receive(fd);
	free(question);
	return reply;
}

json_t *
control_client_ask(int fd, const char *what, const char *set, json_int_t from)
{
	json_t *request = json_pack("{s:s,s:I}", "show", what, "from", from);

	if (set != NULL)
		json_object_set_new(request, "on", json_boolean(strcmp(set, "on") == 0));
	return ask(fd, request);
}

json_t *
control_client_reload(int fd, bool apply)
{
	return ask(fd, json_pack("{s:b}", "reload", apply));
}
