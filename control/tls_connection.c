/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_connection.h"

#include "admission.h"
#include "relay/log.h"
#include "tls_gather.h"

#include <errno.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define BUCKETS 8192 /* a power of two */

static int ex_index = -1;
static struct tls_connection *all;
static struct tls_connection *bound[BUCKETS];
static struct tls_connection *current;
static unsigned accepted; /* that live */
uint64_t
tls_connection_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct tls_connection **
bucket_of(const tport_t *transport)
{
	return &bound[((uintptr_t)transport >> 6) % BUCKETS];
}

static void
unbind(struct tls_connection *connection)
{
	if (connection->transport == NULL)
		return;
	*connection->prev_bound = connection->next_bound;
	if (connection->next_bound != NULL)
		connection->next_bound->prev_bound = connection->prev_bound;
	connection->transport = NULL;
}

static void
on_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	SSL *ssl = parent;
	/* the program's own objects have no listener */
	enum tls_role role = tls_context_role(ssl);
	struct tls_connection *connection =
		role != TLS_ROLES ? calloc(1, sizeof(*connection)) : NULL;

	if (connection == NULL)
		return;
	connection->ssl = ssl;
	connection->role = role;
	connection->since_ms = connection->heard_ms = tls_connection_now_ms();
	/* the stack makes it at once when it has accepted one, and before anything else */
	connection->source = admission_take_accepted(&connection->peer);
	if (connection->source != NULL)
		accepted++;
	connection->next = all;
	connection->prev = &all;
	if (all != NULL)
		all->prev = &connection->next;
	all = connection;
	CRYPTO_set_ex_data(ad, index, connection);
}

static void
on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
	struct tls_connection *connection = ptr;

	if (connection == NULL)
		return;
	if (current == connection)
		current = NULL;
	if (!connection->finished && !connection->cut)
		counters_add(COUNTER_TLS_FAILED);
	if (connection->source != NULL) {
		admission_disconnected(connection->source);
		accepted--;
	}
	unbind(connection);
	tls_gather_drop(connection);
	*connection->prev = connection->next;
	if (connection->next != NULL)
		connection->next->prev = connection->prev;
	free(connection);
}

int
tls_connection_start(void)
{
	if (ex_index < 0)
		ex_index = SSL_get_ex_new_index(0, NULL, on_new, NULL, on_free);
	return ex_index < 0 ? -ENOMEM : 0;
}

struct tls_connection *
tls_connection_of(const SSL *ssl)
{
	return ex_index < 0 ? NULL : SSL_get_ex_data(ssl, ex_index);
}

void
tls_connection_join(struct tls_connection *connection)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} from;
	socklen_t length = sizeof(from);

	if (connection->peer.ip.family != 0 ||
		getpeername(SSL_get_fd(connection->ssl), &from.any, &length) != 0)
		return;
	if (from.any.sa_family == AF_INET) {
		connection->peer.ip.family = 4;
		connection->peer.port = ntohs(from.v4.sin_port);
		memcpy(connection->peer.ip.ip, &from.v4.sin_addr, 4);
	} else if (from.any.sa_family == AF_INET6) {
		connection->peer.ip.family = 6;
		connection->peer.port = ntohs(from.v6.sin6_port);
		memcpy(connection->peer.ip.ip, &from.v6.sin6_addr, 16);
	}
}

void
tls_connection_set_current(struct tls_connection *connection)
{
	current = connection;
}

struct tls_connection *
tls_connection_current(void)
{
	return current;
}

struct tls_connection *
tls_connection_find(const tport_t *transport)
{
	struct tls_connection *at = *bucket_of(transport);

	while (at != NULL && at->transport != transport)
		at = at->next_bound;
	return at;
}

struct tls_connection *
tls_connection_bind(const tport_t *transport, const struct relay_addr *peer)
{
	struct tls_connection **bucket = bucket_of(transport);

	if (current == NULL || !relay_addr_equal(&current->peer, peer))
		return tls_connection_find(transport);
	if (current->transport == transport)
		return current;
	unbind(current);
	current->transport = transport;
	current->next_bound = *bucket;
	current->prev_bound = bucket;
	if (current->next_bound != NULL)
		current->next_bound->prev_bound = &current->next_bound;
	*bucket = current;
	return current;
}

void
tls_connection_cut(struct tls_connection *connection, enum counter counter, const char *why)
{
	char text[RELAY_ADDR_TEXT];

	if (connection->cut)
		return;
	connection->cut = true;
	counters_add(counter);
	log_stranger(LOG_LEVEL_INFO,
		LOG_ABOUT({LOG_PEER, relay_addr_format(&connection->peer, text)},
			{LOG_REASON, counters_name(counter)}),
		"%s is cut off: %s", relay_addr_format(&connection->peer, text), why);
	shutdown(SSL_get_fd(connection->ssl), SHUT_RDWR);
}

void
tls_connection_each(tls_connection_each_cb *each, void *arg)
{
	for (struct tls_connection *at = all; at != NULL; at = at->next)
		each(at, arg);
}

unsigned
tls_connection_count(void)
{
	return accepted;
}
