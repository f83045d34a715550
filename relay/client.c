/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include "client_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define SOCKET_BUFFER (1 << 20) /* bytes */

/* A request on its way: until it is sent it holds the message, until it is answered the callback.
 */
struct request {
	struct request *next;
	uint64_t id;
	uint16_t op;
	relay_reply_cb *cb;
	void *arg;
	int fd; /* that goes along; -1: none */
	size_t length;
	uint8_t *message; /* NULL once sent */
};

/* Requests in the order they were made, which is that of the replies: those at the front have been
 * sent, from `unsent` on they wait for the socket. */
struct relay_client {
	int fd;
	bool gone; /* nothing more is sent: the relay went away, or the client is being closed */
	uint64_t next_id;
	struct request *first;
	struct request **last;
	struct request *unsent;
	int attached; /* descriptor for the next request; -1: none */
	relay_event_cb *on_event;
	void *on_event_arg;
	uint8_t datagram[RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
};

int
relay_client_connect(const char *path, struct relay_client **out)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct relay_client *client;
	int size = SOCKET_BUFFER;
	int result;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	client = calloc(1, sizeof(*client));
	if (client == NULL)
		return -ENOMEM;
	client->next_id = 1;
	client->attached = -1;
	client->last = &client->first;
	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (client->fd < 0 || connect(client->fd, (const void *)&address, sizeof(address)) != 0) {
		result = -errno;
		if (client->fd >= 0)
			close(client->fd);
		free(client);
		return result;
	}
	setsockopt(client->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*out = client;
	return 0;
}

static void
forget_message(struct request *request)
{
	if (request->message == NULL)
		return;
	OPENSSL_cleanse(request->message, request->length);
	free(request->message);
	request->message = NULL;
}

/* Takes the oldest request off and answers it. */
static void
answer_first(struct relay_client *client, const struct relay_header *reply)
{
	struct request *request = client->first;

	client->first = request->next;
	if (client->first == NULL)
		client->last = &client->first;
	if (client->unsent == request)
		client->unsent = request->next;
	forget_message(request);
	if (request->cb != NULL)
		request->cb(request->arg, reply);
	free(request);
}

static void
answer_all_with_nothing(struct relay_client *client)
{
	client->gone = true; /* a callback that asks again would never come to an end */
	while (client->first != NULL)
		answer_first(client, NULL);
}

void
relay_client_close(struct relay_client *client)
{
	if (client == NULL)
		return;
	answer_all_with_nothing(client);
	close(client->fd);
	OPENSSL_cleanse(client->datagram, sizeof(client->datagram));
	free(client);
}

int
relay_client_fd(const struct relay_client *client)
{
	return client->fd;
}

bool
relay_client_wants_write(const struct relay_client *client)
{
	return client->unsent != NULL;
}

void
relay_client_on_event(struct relay_client *client, relay_event_cb *cb, void *arg)
{
	client->on_event = cb;
	client->on_event_arg = arg;
}

static ssize_t
send_request(struct relay_client *client, const struct request *request)
{
	char control[CMSG_SPACE(sizeof(int))]
		__attribute__((aligned(__alignof__(struct cmsghdr)))) = {0};
	struct iovec iov = {request->message, request->length};
	struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1};

	if (request->fd >= 0) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *part = CMSG_FIRSTHDR(&message);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(part), &request->fd, sizeof(int));
	}
	return sendmsg(client->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
relay_client_attach(struct relay_client *client, int fd)
{
	client->attached = fd;
}

/* Sends what the socket takes. 0, or -EPIPE. */
static int
flush(struct relay_client *client)
{
	while (client->unsent != NULL) {
		struct request *request = client->unsent;
		if (send_request(client, request) < 0)
			return errno == EAGAIN || errno == ENOBUFS || errno == EINTR ? 0 : -EPIPE;
		forget_message(request);
		client->unsent = request->next;
	}
	return 0;
}

int
relay_client_send(
	struct relay_client *client, void *message, size_t length, relay_reply_cb *cb, void *arg)
{
	struct relay_header *header = message;
	struct request *request;

	if (length < sizeof(*header) || length > RELAY_DATAGRAM_MAX || length % 8 != 0)
		return -EINVAL;
	if (client->gone)
		return -EPIPE;
	request = calloc(1, sizeof(*request));
	if (request == NULL || (request->message = malloc(length)) == NULL) {
		free(request);
		return -ENOMEM;
	}
	header->version = RELAY_API_VERSION;
	header->length = (uint32_t)length;
	header->request_id = client->next_id++;
	header->code = 0;
	header->reserved = 0;
	memcpy(request->message, message, length);
	request->length = length;
	request->id = header->request_id;
	request->op = header->op;
	request->cb = cb;
	request->arg = arg;
	request->fd = client->attached;
	client->attached = -1;
	*client->last = request;
	client->last = &request->next;
	if (client->unsent == NULL)
		client->unsent = request;
	if (flush(client) == 0)
		return 0;

	/* Gone. The caller hears it from us; those who asked before, from
	 * relay_client_process(). */
	struct request **at = &client->first;
	while (*at != request)
		at = &(*at)->next;
	*at = NULL;
	client->last = at;
	if (client->unsent == request)
		client->unsent = NULL;
	forget_message(request);
	free(request);
	return -EPIPE;
}

/* Answers the messages of one datagram. 0, or -EPIPE for a relay that makes no sense. */
static int
dispatch(struct relay_client *client, size_t length)
{
	size_t offset = 0;

	while (offset < length) {
		struct relay_header *header = (struct relay_header *)(client->datagram + offset);
		if (!client_check_message(header, length - offset))
			return -EPIPE;
		offset += header->length;
		if (header->op == RELAY_OP_EVENT) {
			if (client->on_event != NULL)
				client->on_event(
					client->on_event_arg, (const struct relay_event *)header);
			continue;
		}
		const struct request *request = client->first;
		if (request == NULL || request == client->unsent ||
			request->id != header->request_id || request->op != header->op)
			return -EPIPE;
		answer_first(client, header);
	}
	return 0;
}

int
relay_client_process(struct relay_client *client)
{
	/* a relay that takes no more may have answered before: read that first */
	int sent = client->gone ? -EPIPE : flush(client);
	int result = 0;

	while (result == 0) {
		ssize_t length = recv(client->fd, client->datagram, sizeof(client->datagram),
			MSG_DONTWAIT | MSG_TRUNC);
		/* ECONNRESET is told once, where the relay went without reading all; what it
		 * answered before comes after, and then the end */
		if (length < 0 && (errno == EINTR || errno == ECONNRESET))
			continue;
		if (length < 0 && errno == EAGAIN && sent == 0)
			return 0;
		if (length <= 0 || (size_t)length > sizeof(client->datagram)) {
			result = -EPIPE;
		} else {
			result = dispatch(client, (size_t)length);
			OPENSSL_cleanse(client->datagram, (size_t)length); /* of keys: EXPORT */
		}
	}
	answer_all_with_nothing(client);
	return -EPIPE;
}

/* Where relay_client_call() waits for its reply. */
struct call {
	void *reply;
	size_t room;
	bool done;
	int result;
};

static void
finish_call(void *arg, const struct relay_header *reply)
{
	struct call *call = arg;

	call->done = true;
	if (reply == NULL) {
		call->result = -EPIPE;
		return;
	}
	call->result = reply->length > call->room ? -EMSGSIZE : 0;
	memcpy(call->reply, reply, reply->length > call->room ? call->room : reply->length);
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The call is given up: whoever answers later, answers nobody. */
static void
forget_call(struct relay_client *client, const struct call *call)
{
	for (struct request *request = client->first; request != NULL; request = request->next)
		if (request->arg == call)
			request->cb = NULL;
}

int
relay_client_call(struct relay_client *client, void *request, size_t length, void *reply,
	size_t room, int timeout_ms)
{
	struct call call = {.reply = reply, .room = room};
	int64_t deadline = now_ms() + timeout_ms;
	int result = relay_client_send(client, request, length, finish_call, &call);

	while (result == 0 && !call.done) {
		struct pollfd poll_fd = {.fd = client->fd,
			.events = (short)(POLLIN | (client->unsent != NULL ? POLLOUT : 0))};
		int64_t left = deadline - now_ms();
		if (left <= 0)
			result = -ETIMEDOUT;
		else if (poll(&poll_fd, 1, (int)left) < 0 && errno != EINTR)
			result = -errno;
		else
			relay_client_process(client); /* its failure answers the call */
	}
	if (call.done)
		return call.result;
	forget_call(client, &call);
	return result;
}

const char *
relay_reply_reason(const struct relay_header *reply)
{
	if (reply->code == RELAY_OK)
		return "";
	return ((const struct relay_reply_error *)reply)->reason;
}
