/* SPDX-License-Identifier: BSD-3-Clause */
#include "api_server.h"

#include "api_request.h"
#include "relay/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define EVENTS_MAX 1024         /* datagrams that may wait for a slow subscriber */
#define DESCRIPTORS_MAX 4       /* that come with a datagram; the kernel closes the rest */
#define TRUSTED_MAX 4           /* users that may be told keys, beside root and ours */
#define SOCKET_BUFFER (1 << 20) /* bytes: a full datagram of requests, and its replies */

/* A datagram that the client's socket did not take yet. */
struct pending {
	struct pending *next;
	size_t length;
	uint8_t data[];
};

/* While replies wait, no request of that client is read: so what waits is bounded by the replies to
 * one datagram, and EVENTS_MAX. */
struct client {
	int fd; /* -1: free */
	struct api_client asked;
	struct pending *first;
	struct pending **last;
	unsigned waiting;
};

static struct {
	int epoll;
	int listener;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client client[CLIENTS_MAX];
	uint64_t lost_events;
	uid_t trusted[TRUSTED_MAX];
	unsigned trusted_count;
	/* one request datagram, and the replies collected for it */
	uint8_t request[RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
	uint8_t reply[2 * RELAY_DATAGRAM_MAX] __attribute__((aligned(8)));
} server = {.listener = -1};

static void
watch(struct client *client)
{
	struct epoll_event event = {
		.events = client->first != NULL ? EPOLLOUT : EPOLLIN,
		.data.ptr = client,
	};

	epoll_ctl(server.epoll, EPOLL_CTL_MOD, client->fd, &event);
}

/* A reply may have held keys. */
static void
free_pending(struct pending *pending)
{
	OPENSSL_cleanse(pending->data, pending->length);
	free(pending);
}

static void
close_client(struct client *client)
{
	while (client->first != NULL) {
		struct pending *next = client->first->next;
		free_pending(client->first);
		client->first = next;
	}
	close(client->fd); /* leaves epoll, too */
	*client = (struct client){.fd = -1};
}

/* Sends a datagram, or keeps it until the socket takes it. False: the client is gone. */
static bool
send_datagram(struct client *client, const void *data, size_t length)
{
	if (client->first == NULL) {
		if (send(client->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
		if (errno != EAGAIN && errno != ENOBUFS)
			return false;
	}
	struct pending *pending = malloc(sizeof(*pending) + length);
	if (pending == NULL)
		return false;
	pending->next = NULL;
	pending->length = length;
	memcpy(pending->data, data, length);
	if (client->first == NULL)
		client->last = &client->first;
	*client->last = pending;
	client->last = &pending->next;
	client->waiting++;
	watch(client);
	return true;
}

static bool
send_pending(struct client *client)
{
	while (client->first != NULL) {
		struct pending *pending = client->first;
		if (send(client->fd, pending->data, pending->length, MSG_DONTWAIT | MSG_NOSIGNAL) <
			0)
			return errno == EAGAIN || errno == ENOBUFS;
		client->first = pending->next;
		client->waiting--;
		free_pending(pending);
	}
	watch(client);
	return true;
}

/* Carries out every message of a datagram; replies go out packed as full as they fit. */
static bool
handle_datagram(struct client *client, size_t length)
{
	size_t offset = 0, filled = 0;
	bool alive = true;

	while (offset < length && alive) {
		const struct relay_header *request =
			(const struct relay_header *)(server.request + offset);
		size_t left = length - offset;
		uint8_t *reply = server.reply + filled;

		if (left < sizeof(*request) || request->length < sizeof(*request) ||
			request->length > left || request->length % 8 != 0) {
			/* where one message's end is not known, nor is the next one's start */
			static const struct relay_header unknown = {.op = 0};
			filled += api_request_refuse(left < sizeof(*request) ? &unknown : request,
				RELAY_E_MALFORMED,
				"a message's length is wrong: it and the rest of its datagram "
				"were ignored",
				reply);
			offset = length;
		} else {
			filled +=
				api_request_handle(request, request->length, reply, &client->asked);
			offset += request->length;
		}
		if (filled > RELAY_DATAGRAM_MAX) {
			/* this reply goes into the next datagram */
			size_t before = (size_t)(reply - server.reply);
			alive = send_datagram(client, server.reply, before);
			memmove(server.reply, reply, filled - before);
			OPENSSL_cleanse(server.reply + filled - before, before);
			filled -= before;
		}
	}
	OPENSSL_cleanse(server.request, length);
	alive = alive && send_datagram(client, server.reply, filled);
	OPENSSL_cleanse(server.reply, filled);
	return alive;
}

/* The one descriptor that a request may bring along; any more are closed. */
static int
take_descriptor(struct msghdr *message)
{
	int taken = -1;

	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL;
		part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(part) + i * sizeof(fd), sizeof(fd));
			if (taken < 0)
				taken = fd;
			else
				close(fd);
		}
	}
	return taken;
}

static void
read_client(struct client *client)
{
	char control[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int))]
		__attribute__((aligned(__alignof__(struct cmsghdr))));
	struct iovec iov = {server.request, sizeof(server.request)};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(client->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int fd = length >= 0 ? take_descriptor(&message) : -1;
	if (length <= 0 || (message.msg_flags & MSG_TRUNC) != 0) {
		if (fd >= 0)
			close(fd);
	}
	if (length <= 0) {
		close_client(client);
		return;
	}
	if ((message.msg_flags & MSG_TRUNC) != 0) {
		log_warning("relay API: a client sent more than %d bytes at once: closed",
			RELAY_DATAGRAM_MAX);
		close_client(client);
		return;
	}
	client->asked.fd = fd;
	bool alive = handle_datagram(client, (size_t)length);
	if (client->asked.fd >= 0)
		close(client->asked.fd);
	client->asked.fd = -1;
	if (!alive)
		close_client(client);
}

void
api_server_trust(uid_t user)
{
	if (server.trusted_count < TRUSTED_MAX)
		server.trusted[server.trusted_count++] = user;
}

/* Root, our own user, and who else is trusted. */
static bool
is_trusted(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return false;
	bool trusted = peer.uid == 0 || peer.uid == geteuid();
	for (unsigned i = 0; i < server.trusted_count; i++)
		trusted |= peer.uid == server.trusted[i];
	return trusted;
}

static void
accept_client(void)
{
	int size = SOCKET_BUFFER;
	int fd = accept4(server.listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &server.client[i];
		if (client->fd >= 0)
			continue;
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
		*client = (struct client){.fd = fd, .asked = {.fd = -1, .trusted = is_trusted(fd)}};
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
		if (epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			close_client(client);
		return;
	}
	log_warning("relay API: refused a client: %d are connected already", CLIENTS_MAX);
	close(fd);
}

int
api_server_event(void *ptr, unsigned events)
{
	if (ptr == &server.listener) {
		accept_client();
		return 0;
	}
	struct client *client = ptr;
	if (client < server.client || client >= server.client + CLIENTS_MAX)
		return -ENOENT;
	if (client->fd < 0)
		return 0; /* closed by an earlier event of this round */
	if (events & EPOLLOUT) {
		if (!send_pending(client))
			close_client(client);
	} else {
		read_client(client);
	}
	return 0;
}

void
api_server_emit(const struct relay_event *event)
{
	struct relay_event message = *event;

	message.header = (struct relay_header){
		.version = RELAY_API_VERSION, .op = RELAY_OP_EVENT, .length = sizeof(message)};
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &server.client[i];
		if (client->fd < 0 || !client->asked.subscribed)
			continue;
		if (client->waiting >= EVENTS_MAX)
			server.lost_events++;
		else
			send_datagram(client, &message, sizeof(message));
		/* a client that is gone is found by its own epoll event */
	}
}

/* A socket file that nobody listens on is left from a crash. */
static bool
is_stale(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
	        errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int
bind_listener(const struct sockaddr_un *address, uid_t owner, gid_t group)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t before;
	int result;

	if (fd < 0)
		return -errno;
	before = umask(0117);
	result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	if (result != 0 && errno == EADDRINUSE && is_stale(address) &&
		unlink(address->sun_path) == 0)
		result = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	result = result == 0 ? 0 : -errno;
	umask(before);
	if (result == 0 && geteuid() == 0 && chown(address->sun_path, owner, group) != 0)
		result = -errno;
	if (result == 0 && listen(fd, CLIENTS_MAX) != 0)
		result = -errno;
	if (result != 0) {
		close(fd);
		return result;
	}
	return fd;
}

int
api_server_open(
	const char *path, uid_t owner, gid_t group, int epoll, char *error, size_t error_size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &server.listener};

	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		server.client[i].fd = -1;
	if (strlen(path) >= sizeof(address.sun_path)) {
		snprintf(error, error_size, "media.socket: %s is longer than %zu bytes", path,
			sizeof(address.sun_path) - 1);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	int fd = bind_listener(&address, owner, group);
	if (fd < 0) {
		snprintf(error, error_size, "media.socket: %s can't be opened: %s%s", path,
			strerror(-fd),
			fd == -EADDRINUSE ? ": another sallyport-media answers on it"
			: fd == -ENOENT   ? ": make its folder first"
					  : "");
		return fd;
	}
	server.listener = fd;
	server.epoll = epoll;
	strcpy(server.path, path);
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	return 0;
}

void
api_server_close(void)
{
	if (server.listener < 0)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		if (server.client[i].fd >= 0)
			close_client(&server.client[i]);
	close(server.listener);
	server.listener = -1;
	unlink(server.path);
}
