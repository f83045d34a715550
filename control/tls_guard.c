/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_guard.h"

#include "relay/log.h"
#include "tls_release.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define LOOK_MS 1000
#define HANDSHAKE_S 10 /* from the TCP connection to the end of the handshake */
#define LOGIN_S 60     /* to the first request whose digest was right */
#define BUCKETS 4096   /* a power of two */

/* A connection without trust. It is forgotten when it is trusted, or freed. */
struct stranger {
	struct stranger *next;
	struct stranger **prev;
	SSL *ssl;
	time_t since; /* monotonic seconds */
	bool cut;
	struct relay_addr peer;
};

static int ex_index = -1;
static su_timer_t *timer;
static struct stranger *fresh; /* made a moment ago: the stack has not said yet which socket */
static struct stranger *bucket[BUCKETS]; /* by the peer's port */

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void
put(struct stranger **list, struct stranger *stranger)
{
	stranger->next = *list;
	stranger->prev = list;
	if (stranger->next != NULL)
		stranger->next->prev = &stranger->next;
	*list = stranger;
}

static void
take(struct stranger *stranger)
{
	*stranger->prev = stranger->next;
	if (stranger->next != NULL)
		stranger->next->prev = stranger->prev;
}

static void
on_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct stranger *stranger = timer != NULL ? calloc(1, sizeof(*stranger)) : NULL;

	/* out of memory: then this one has no deadline */
	if (stranger == NULL)
		return;
	stranger->ssl = parent;
	stranger->since = now_s();
	put(&fresh, stranger);
	CRYPTO_set_ex_data(ad, index, stranger);
}

static void
on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct stranger *stranger = ptr;

	if (stranger == NULL)
		return;
	take(stranger);
	free(stranger);
}

static bool
read_peer(const SSL *ssl, struct relay_addr *out)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from;
	socklen_t length = sizeof(from);

	if (getpeername(SSL_get_fd(ssl), &from.any, &length) != 0)
		return false;
	memset(out, 0, sizeof(*out));
	if (from.any.sa_family == AF_INET) {
		out->ip.family = 4;
		out->port = ntohs(from.v4.sin_port);
		memcpy(out->ip.ip, &from.v4.sin_addr, 4);
	} else {
		out->ip.family = 6;
		out->port = ntohs(from.v6.sin6_port);
		memcpy(out->ip.ip, &from.v6.sin6_addr, 16);
	}
	return true;
}

/* By now the stack has joined each with its socket. */
static void
sort_fresh(void)
{
	struct stranger *stranger;

	/* one that was shut down may have a number that is another's socket now */
	tls_release_flush();
	while ((stranger = fresh) != NULL) {
		take(stranger);
		/* without a peer it has gone already; the stack will notice, and free it */
		read_peer(stranger->ssl, &stranger->peer);
		put(&bucket[stranger->peer.port % BUCKETS], stranger);
	}
}

static void
judge(struct stranger *stranger, time_t now)
{
	bool finished = SSL_is_init_finished(stranger->ssl);
	char text[RELAY_ADDR_TEXT];

	if (stranger->cut || now < stranger->since + (finished ? LOGIN_S : HANDSHAKE_S))
		return;
	stranger->cut = true;
	log_info("%s is cut off: %s", relay_addr_format(&stranger->peer, text),
		finished ? "no user proved to be there" : "its TLS handshake took too long");
	/* the stack sees the end of the stream, and closes */
	shutdown(SSL_get_fd(stranger->ssl), SHUT_RDWR);
}

static void
look(su_root_magic_t *magic, su_timer_t *which, su_timer_arg_t *arg)
{
	time_t now = now_s();

	sort_fresh();
	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct stranger *at = bucket[i]; at != NULL; at = at->next)
			judge(at, now);
}

void
tls_guard_trust(const struct relay_addr *peer)
{
	sort_fresh();
	for (struct stranger *at = bucket[peer->port % BUCKETS]; at != NULL; at = at->next) {
		if (!relay_addr_equal(&at->peer, peer))
			continue;
		SSL_set_ex_data(at->ssl, ex_index, NULL);
		take(at);
		free(at);
		return;
	}
}

int
tls_guard_start(su_root_t *root)
{
	timer = su_timer_create(su_root_task(root), LOOK_MS);
	if (timer == NULL)
		return -ENOMEM;
	ex_index = SSL_get_ex_new_index(0, NULL, on_new, NULL, on_free);
	if (ex_index < 0 || su_timer_set_for_ever(timer, look, NULL) != 0)
		return -ENOMEM;
	return 0;
}

void
tls_guard_stop(void)
{
	su_timer_destroy(timer);
	timer = NULL;
}
