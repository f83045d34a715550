/* SPDX-License-Identifier: BSD-3-Clause */
#include "control_socket.h"

#include "control_show.h"
#include "relay/log.h"
#include "trace.h"

#include <errno.h>
#include <jansson.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 8
#define REQUEST_SIZE 1024
#define BACKLOG 8

struct client {
	struct control_socket *control;
	int fd; /* -1: free */
	int index;
};

struct control_socket {
	struct agent *agent;
	int fd;
	int index;
	char *path;
	unsigned next; /* client to give way, when all are taken */
	struct client clients[CLIENTS_MAX];
};

union address {
	struct sockaddr any;
	struct sockaddr_un unix_;
};

static void
close_client(struct client *client)
{
	if (client->fd < 0)
		return;
	su_root_deregister(client->control->agent->root, client->index);
	close(client->fd);
	client->fd = -1;
}

/* The answer to a request that may be anything. */
static json_t *
answer(struct control_socket *control, const char *text, size_t length)
{
	json_t *request = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);
	const char *what = json_string_value(json_object_get(request, "show"));
	json_int_t from = json_integer_value(json_object_get(request, "from"));
	const json_t *on = json_object_get(request, "on");
	json_t *reply;

	if (json_is_boolean(json_object_get(request, "reload"))) {
		reply = control_reload(
			control->agent, json_is_true(json_object_get(request, "reload")));
		json_decref(request);
		return reply;
	}
	if (what != NULL && strcmp(what, "trace") == 0 && json_is_boolean(on))
		trace_set(control->agent->trace, json_is_true(on));
	if (what != NULL && strcmp(what, "drain") == 0 && json_is_boolean(on))
		agent_drain(control->agent, json_is_true(on));
	if (what == NULL || from < 0)
		reply = json_pack("{s:s}", "error", "that is no request");
	else
		reply = control_show(control->agent, what, (size_t)from);
	json_decref(request);
	return reply;
}

static int
on_client(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct client *client = (struct client *)arg;
	char request[REQUEST_SIZE];
	ssize_t length = recv(client->fd, request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length <= 0 || (size_t)length > sizeof(request)) {
		close_client(client);
		return 0;
	}
	json_t *reply = answer(client->control, request, (size_t)length);
	char *text = json_dumps(reply, JSON_COMPACT);
	/* one that asks and does not read is not waited for */
	if (text == NULL || send(client->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		close_client(client);
	free(text);
	json_decref(reply);
	return 0;
}

static int
on_listener(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct control_socket *control = (struct control_socket *)arg;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	su_wait_t client_wait[1];
	struct client *client = NULL;

	if (fd < 0)
		return 0;
	for (unsigned i = 0; i < CLIENTS_MAX && client == NULL; i++)
		if (control->clients[i].fd < 0)
			client = &control->clients[i];
	if (client == NULL) {
		client = &control->clients[control->next++ % CLIENTS_MAX];
		close_client(client);
	}
	su_wait_create(client_wait, fd, SU_WAIT_IN);
	client->index = su_root_register(
		control->agent->root, client_wait, on_client, (su_wakeup_arg_t *)client, 0);
	if (client->index < 0)
		close(fd);
	else
		client->fd = fd;
	return 0;
}

/* An earlier life's socket is in the way; a living one's is not taken from it. */
static int
remove_stale(const union address *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int result = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, &address->any, sizeof(address->unix_)) == 0)
		result = -EADDRINUSE;
	else if (errno == ECONNREFUSED)
		unlink(address->unix_.sun_path);
	close(fd);
	return result;
}

static int
listen_at(const char *path, const char *user)
{
	union address address = {.unix_ = {.sun_family = AF_UNIX}};
	struct passwd *entry = user != NULL ? getpwnam(user) : NULL;
	int result;

	memcpy(address.unix_.sun_path, path, strlen(path)); /* its length has been checked */
	result = remove_stale(&address);
	if (result != 0)
		return result;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mode_t old = umask(0117);
	if (bind(fd, &address.any, sizeof(address.unix_)) != 0)
		result = -errno;
	umask(old);
	if (result == 0 && geteuid() == 0 && entry != NULL &&
		chown(path, entry->pw_uid, entry->pw_gid) != 0)
		result = -errno;
	if (result == 0 && listen(fd, BACKLOG) != 0)
		result = -errno;
	if (result != 0)
		close(fd);
	return result != 0 ? result : fd;
}

int
control_socket_open(struct agent *agent, struct control_socket **out)
{
	const char *path = agent->config->sip.control_socket;
	struct control_socket *control;
	su_wait_t wait[1];
	int fd = listen_at(path, agent->config->sip.user);

	*out = NULL;
	if (fd < 0) {
		log_warning(
			"sip.control_socket: %s can't be listened at: %s: \"sallyctl sip\" will "
			"find nobody",
			path, strerror(-fd));
		return 0;
	}
	control = calloc(1, sizeof(*control));
	if (control != NULL)
		control->path = strdup(path);
	if (control == NULL || control->path == NULL) {
		close(fd);
		free(control);
		return -ENOMEM;
	}
	control->agent = agent;
	control->fd = fd;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		control->clients[i] = (struct client){.control = control, .fd = -1};
	su_wait_create(wait, fd, SU_WAIT_ACCEPT);
	control->index =
		su_root_register(agent->root, wait, on_listener, (su_wakeup_arg_t *)control, 0);
	*out = control;
	return 0;
}

void
control_socket_close(struct control_socket *control)
{
	if (control == NULL)
		return;
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		close_client(&control->clients[i]);
	su_root_deregister(control->agent->root, control->index);
	close(control->fd);
	unlink(control->path);
	free(control->path);
	free(control);
}
