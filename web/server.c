/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include "certificate.h"
#include "password.h"
#include "relay/log.h"
#include "relay/service.h"
#include "web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64
#define MEMORY_OF_CONNECTION 32768 /* bytes: of a request's headers, and what is being sent */
#define SWEEP_MS 500
/* AEAD alone, TLS 1.2 and 1.3: as sallyport-sip's */
#define PRIORITIES                                                                \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-GCM:" \
	"+AES-128-GCM:+CHACHA20-POLY1305:-RSA"

int
server_check(const struct config_web *config, char *error, size_t error_size)
{
	struct certificate certificate;
	int result = certificate_read(config, &certificate, error, error_size);

	certificate_wipe(&certificate);
	if (result == 0 && config->login.hash != NULL && !password_is_hash(config->login.hash)) {
		snprintf(error, error_size,
			"web.login.hash: is no hash of a password: make one by \"sallyctl "
			"web-password\"");
		result = -EINVAL;
	}
	return result;
}

static void
note_address(const struct sockaddr *from, struct relay_ip *out)
{
	*out = (struct relay_ip){.family = 0};
	if (from->sa_family == AF_INET) {
		out->family = 4;
		memcpy(out->ip, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
	} else if (from->sa_family == AF_INET6) {
		out->family = 6;
		memcpy(out->ip, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
	}
}

/* A connection begins or ends. */
static void
on_connection(void *mine, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct listener *listener = mine;
	struct web *web = listener->web;
	struct peer *peer = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		peer = calloc(1, sizeof(*peer));
		*context = peer;
		if (peer == NULL)
			return; /* each request on it is refused */
		peer->listener = listener;
		peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		                   ->connect_fd;
		note_address(MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)
				     ->client_addr,
			&peer->ip);
		peer->since_ms = snapshot_now_ms();
		peer->next = web->peers;
		peer->prev = &web->peers;
		if (peer->next != NULL)
			peer->next->prev = &peer->next;
		web->peers = peer;
	} else if (peer != NULL) {
		*peer->prev = peer->next;
		if (peer->next != NULL)
			peer->next->prev = peer->prev;
		free(peer);
		*context = NULL;
	}
}

static void
on_completed(void *mine, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode why)
{
	struct peer *peer = *request;

	if (peer != NULL) {
		peer->busy = false;
		peer->since_ms = snapshot_now_ms();
	}
}

/* Its own words may quote what a stranger sent. */
static void __attribute__((format(printf, 2, 0)))
on_words(void *mine, const char *format, va_list args)
{
	char text[160];

	vsnprintf(text, sizeof(text), format, args);
	for (char *at = text; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			*at = ' ';
	log_debug("libmicrohttpd: %s", text);
}

static int
listen_at(const char *address, uint16_t port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = {.v4 = {.sin_family = AF_UNSPEC}};
	socklen_t length = sizeof(at.v4);
	int yes = 1;

	if (inet_pton(AF_INET, address, &at.v4.sin_addr) == 1) {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, address, &at.v6.sin6_addr) == 1) {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons(port);
		length = sizeof(at.v6);
	}
	int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, &at.any, length) != 0 || listen(fd, BACKLOG) != 0) {
		int result = -errno;
		close(fd);
		return result;
	}
	return fd;
}

static struct MHD_Daemon *
start_daemon(struct listener *listener, int fd, const struct certificate *certificate)
{
	const struct config_web *config = &listener->web->config->web;
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_MEM_CERT, 0, certificate->chain},
		{MHD_OPTION_HTTPS_MEM_KEY, 0, certificate->key},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem *more = certificate->chain != NULL ? tls : &tls[3];
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

	return MHD_start_daemon(flags | (certificate->chain != NULL ? MHD_USE_TLS : 0), 0, NULL,
		NULL, request_on, listener, MHD_OPTION_EXTERNAL_LOGGER, on_words, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, config->connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, config->connections_per_source,
		MHD_OPTION_CONNECTION_TIMEOUT, config->timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_OF_CONNECTION,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, listener, MHD_OPTION_NOTIFY_COMPLETED,
		on_completed, listener, MHD_OPTION_ARRAY, more, MHD_OPTION_END);
}

static int
open_listener(struct web *web, enum listener_kind kind, int kept,
	const struct certificate *certificate, char *error, size_t error_size)
{
	const struct config_web *config = &web->config->web;
	const char *address = kind == LISTENER_METRICS ? config->metrics.address : config->address;
	uint16_t port = kind == LISTENER_METRICS ? config->metrics.port : config->port;
	struct listener *listener = &web->listeners[web->listeners_count];
	const char *field = kind == LISTENER_METRICS ? "web.metrics" : "web";
	struct relay_ip ip;
	int fd = kept >= 0 ? kept : listen_at(address, port);

	if (fd < 0) {
		snprintf(error, error_size, "%s: %s port %u can't be listened at: %s", field,
			address, port, strerror(-fd));
		return fd;
	}
	*listener = (struct listener){.web = web, .kind = kind};
	listener->local =
		relay_ip_parse(address, strlen(address), &ip) == 0 && relay_ip_is_loopback(&ip);
	listener->daemon = start_daemon(listener, fd, certificate);
	if (listener->daemon == NULL) {
		close(fd);
		snprintf(error, error_size, "%s: no HTTP%s server can be started: %s", field,
			certificate->chain != NULL ? "S" : "",
			certificate->chain != NULL ? "is the key one that GnuTLS can use?"
						   : "is there memory?");
		return -EINVAL;
	}
	web->listeners_count++;
	listener->epoll_fd =
		MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	log_info("http%s://%s%s%s:%u/%s", certificate->chain != NULL ? "s" : "",
		strchr(address, ':') != NULL ? "[" : "", address,
		strchr(address, ':') != NULL ? "]" : "", port,
		kind == LISTENER_METRICS ? "metrics" : "");
	return 0;
}

int
server_open(const struct config *config, struct server_kept *kept, struct web **out, char *error,
	size_t error_size)
{
	const struct config_web *at = &config->web;
	bool apart = at->metrics.address != NULL;
	struct web *web = calloc(1, sizeof(*web));
	struct certificate certificate;
	struct timespec now;
	int result;

	snprintf(error, error_size, "out of memory");
	if (web == NULL)
		return -ENOMEM;
	web->config = config;
	clock_gettime(CLOCK_REALTIME, &now);
	web->counters = kept->counters;
	if (web->counters.started_ms == 0)
		web->counters.started_ms = (uint64_t)now.tv_sec * 1000;
	result = server_check(at, error, error_size);
	if (result == 0)
		result = certificate_read(at, &certificate, error, error_size);
	if (result != 0) {
		free(web);
		return result;
	}
	web->counters.certificate_expires = certificate.expires;
	if (at->login.user != NULL && (web->login = login_create(&at->login)) == NULL)
		result = -ENOMEM;
	if (result == 0)
		result = open_listener(web, apart ? LISTENER_PAGE : LISTENER_ALL, kept->fd[0],
			&certificate, error, error_size);
	if (result == 0 && apart)
		result = open_listener(
			web, LISTENER_METRICS, kept->fd[1], &certificate, error, error_size);
	certificate_wipe(&certificate);
	if (result != 0) {
		server_close(web, NULL);
		return result;
	}
	*out = web;
	return 0;
}

int
server_start(struct web *web)
{
	return snapshots_start(web->config, &web->snapshots);
}

/* Who waits for a snapshot goes on; who has taken too long over a request is cut off: a byte now
 * and then would keep it alive otherwise. */
static void
look_at_peers(struct web *web, bool resume)
{
	uint64_t now = snapshot_now_ms(), most = (uint64_t)web->config->web.timeout_s * 1000;

	for (struct peer *peer = web->peers; peer != NULL; peer = peer->next) {
		bool late = peer->waiting_ms != 0 && now - peer->waiting_ms > WEB_WAIT_MS;
		if (peer->waiting != NULL && (resume || late)) {
			struct MHD_Connection *connection = peer->waiting;
			peer->waiting = NULL;
			MHD_resume_connection(connection);
		} else if (!peer->busy && peer->fd >= 0 && now - peer->since_ms > most) {
			shutdown(peer->fd, SHUT_RDWR);
			peer->since_ms = now;
			web->counters.cut++;
		}
	}
}

static void
run_daemons(struct web *web)
{
	for (unsigned i = 0; i < web->listeners_count; i++)
		MHD_run(web->listeners[i].daemon);
}

/* Milliseconds until something may have to be done. */
static int
patience(const struct web *web)
{
	MHD_UNSIGNED_LONG_LONG most = SWEEP_MS, at;

	for (unsigned i = 0; i < web->listeners_count; i++)
		if (MHD_get_timeout(web->listeners[i].daemon, &at) == MHD_YES && at < most)
			most = at;
	return (int)most;
}

void
server_run(struct web *web, int signals, uint32_t beat_ms)
{
	uint64_t beaten_ms = 0;
	struct pollfd at[4] = {{.fd = signals, .events = POLLIN},
		{.fd = snapshots_fd(web->snapshots), .events = POLLIN}};
	unsigned count = 2;

	for (unsigned i = 0; i < web->listeners_count; i++)
		at[count++] = (struct pollfd){.fd = web->listeners[i].epoll_fd, .events = POLLIN};
	while (true) {
		if (poll(at, count, patience(web)) < 0 && errno != EINTR)
			return;
		if ((at[0].revents & POLLIN) != 0)
			return;
		bool news = (at[1].revents & POLLIN) != 0;
		if (news)
			snapshots_noticed(web->snapshots);
		look_at_peers(web, news);
		run_daemons(web);
		log_tick(snapshot_now_ms());
		if (beat_ms != 0 && snapshot_now_ms() - beaten_ms >= beat_ms) {
			beaten_ms = snapshot_now_ms();
			service_alive();
		}
	}
}

void
server_close(struct web *web, struct server_kept *kept)
{
	if (web == NULL)
		return;
	web->ending = true;
	for (unsigned i = 0; kept != NULL && i < web->listeners_count; i++)
		kept->fd[i] = MHD_quiesce_daemon(web->listeners[i].daemon);
	look_at_peers(web, true);
	run_daemons(web);
	for (unsigned i = 0; i < web->listeners_count; i++)
		MHD_stop_daemon(web->listeners[i].daemon);
	snapshots_stop(web->snapshots);
	if (kept != NULL)
		kept->counters = web->counters;
	login_free(web->login);
	free(web->view);
	free(web);
}
