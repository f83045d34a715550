/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_gather.h"

#include "turn.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GATHER_SIZE 16384 /* what one TLS record holds: RFC 8446 5.1 */
#define RETRY_MS 20       /* the stack waits for room only when we are full */

static int (*ssl_write)(SSL *, const void *, int);

/* Those that have something: `blocked` ones last, and tried now and then. */
static struct tls_connection *gathering;
static struct tls_connection *waiting;
static uint64_t retried_ms;

static void end_turn(void *arg);
static struct turn_end turn = {.run = end_turn};

void
tls_gather_install(int (*write)(SSL *, const void *, int))
{
	ssl_write = write;
}

static void
list(struct tls_connection **head, struct tls_connection *connection)
{
	connection->next_gathering = *head;
	connection->prev_gathering = head;
	if (*head != NULL)
		(*head)->prev_gathering = &connection->next_gathering;
	*head = connection;
	turn_end_want(&turn);
}

static void
unlist(struct tls_connection *connection)
{
	*connection->prev_gathering = connection->next_gathering;
	if (connection->next_gathering != NULL)
		connection->next_gathering->prev_gathering = connection->prev_gathering;
}

void
tls_gather_drop(struct tls_connection *connection)
{
	if (connection->gathered == NULL)
		return;
	unlist(connection);
	OPENSSL_clear_free(connection->gathered, GATHER_SIZE);
	connection->gathered = NULL;
	connection->gathered_size = 0;
}

/* SSL_write(), noting whether the peer keeps up. */
static int
write_now(struct tls_connection *connection, const void *bytes, int size)
{
	ERR_clear_error();
	int result = ssl_write(connection->ssl, bytes, size);
	connection->blocked =
		result <= 0 && SSL_get_error(connection->ssl, result) == SSL_ERROR_WANT_WRITE;
	if (connection->blocked)
		connection->blocked_ms = tls_connection_now_ms();
	return result;
}

/* As SSL_write() returns. Takes the connection off its list: what can't be sent any more is
 * dropped, and who has no room is put on the list of those who wait. */
static int
send_gathered(struct tls_connection *connection)
{
	if (connection->gathered == NULL)
		return 1;
	int result = write_now(connection, connection->gathered, (int)connection->gathered_size);
	if (connection->blocked) {
		unlist(connection);
		list(&waiting, connection);
	} else {
		tls_gather_drop(connection);
	}
	return result;
}

void
tls_gather_flush(struct tls_connection *connection)
{
	(void)send_gathered(connection);
}

void
tls_gather_flush_socket(int fd)
{
	struct tls_connection *const heads[] = {gathering, waiting};

	for (unsigned i = 0; i < 2; i++)
		for (struct tls_connection *at = heads[i]; at != NULL; at = at->next_gathering)
			if (SSL_get_fd(at->ssl) == fd) {
				(void)send_gathered(at);
				return;
			}
}

/* The stack believes that all has been sent: it has to see that the connection is of no use. */
static void
send_or_end(struct tls_connection *connection)
{
	if (send_gathered(connection) <= 0 && !connection->blocked)
		shutdown(SSL_get_fd(connection->ssl), SHUT_RDWR);
}

static void
end_turn(void *arg)
{
	while (gathering != NULL)
		send_or_end(gathering);
	if (waiting == NULL)
		return;
	turn_end_want(&turn);
	uint64_t now = tls_connection_now_ms();
	if (now < retried_ms + RETRY_MS)
		return;
	retried_ms = now;
	struct tls_connection *again = waiting;
	waiting = NULL;
	if (again != NULL)
		again->prev_gathering = &again;
	while (again != NULL)
		send_or_end(again);
}

int
tls_gather_write(struct tls_connection *connection, const void *bytes, int size)
{
	if (size <= 0)
		return ssl_write(connection->ssl, bytes, size);
	if (connection->gathered_size + (uint64_t)size > GATHER_SIZE) {
		int result = send_gathered(connection);
		if (result <= 0)
			return result;
	}
	if (connection->gathered == NULL && size < GATHER_SIZE) {
		connection->gathered = OPENSSL_malloc(GATHER_SIZE);
		if (connection->gathered != NULL)
			list(&gathering, connection);
	}
	if (connection->gathered == NULL)
		return write_now(connection, bytes, size);
	memcpy(connection->gathered + connection->gathered_size, bytes, (size_t)size);
	connection->gathered_size += (uint32_t)size;
	return size;
}
