/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_stack.h"

#include "admission.h"
#include "tls_connection.h"
#include "tls_gather.h"
#include "tls_peer.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_buffer.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_MAX 64    /* refused in one go */
#define KEEPALIVES_MAX 16 /* records of nothing but CRLF in one go */

/* Bytes read in one go. Where a message is too large for its first piece, the stack makes room for
 * so many, and ends the process if more have come. */
#define PIECE 4096

/* of a connection where nothing is heard: three minutes until it is found dead */
#define PROBE_IDLE_S 120
#define PROBE_INTERVAL_S 15
#define PROBES 4

static const struct config_limits *limits;
static uintptr_t code_begin, code_end; /* the stack's */

static struct {
	int (*accept)(int, struct sockaddr *, socklen_t *);
	int (*ssl_accept)(SSL *);
	int (*ssl_connect)(SSL *);
	int (*ssl_read)(SSL *, void *, int);
	int (*ssl_write)(SSL *, const void *, int);
	int (*msg_extract)(msg_t *);
} real;

bool
tls_stack_contains(const void *address)
{
	return (uintptr_t)address >= code_begin && (uintptr_t)address < code_end;
}

/* C has no cast from data to function; POSIX says that the bits are the same. */
void
tls_stack_real(const char *name, void *function, size_t size)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	memcpy(function, &symbol, size);
}

#define REAL(member, name) tls_stack_real(name, &real.member, sizeof(real.member))

static int
find_code(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t within = *(uintptr_t *)arg;

	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + header->p_vaddr;
		if (header->p_type != PT_LOAD || (header->p_flags & PF_X) == 0 || within < begin ||
			within >= begin + header->p_memsz)
			continue;
		code_begin = begin;
		code_end = begin + header->p_memsz;
		return 1;
	}
	return 0;
}

int
tls_stack_install(const struct config_limits *config, char *error, size_t error_size)
{
	/* looked up, not named: the linker might give us an address of our own for it */
	uintptr_t function = (uintptr_t)dlsym(RTLD_DEFAULT, "nta_agent_create");

	limits = config;
	REAL(accept, "accept");
	REAL(ssl_accept, "SSL_accept");
	REAL(ssl_connect, "SSL_connect");
	REAL(ssl_read, "SSL_read");
	REAL(ssl_write, "SSL_write");
	REAL(msg_extract, "msg_extract");
	tls_gather_install(real.ssl_write);
	dl_iterate_phdr(find_code, &function);
	if (code_begin != 0 && real.accept != NULL && real.ssl_accept != NULL &&
		real.ssl_connect != NULL && real.ssl_read != NULL && real.ssl_write != NULL &&
		real.msg_extract != NULL)
		return 0;
	snprintf(error, error_size,
		"TLS: the SIP stack can't be watched over: is libsofia-sip-ua linked statically?");
	return -ENOTSUP;
}

void
tls_stack_configure(const struct config_limits *config)
{
	limits = config;
}

static void
set_socket(int fd)
{
	int on = 1, idle = PROBE_IDLE_S, interval = PROBE_INTERVAL_S, probes = PROBES;
	unsigned unacknowledged = limits->write_s * 1000;

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged, sizeof(unacknowledged));
}

int
accept(int listener, __SOCKADDR_ARG address, socklen_t *restrict length)
{
	if (!tls_stack_contains(__builtin_return_address(0)))
		return real.accept != NULL ? real.accept(listener, address.__sockaddr__, length)
		                           : accept4(listener, address, length, 0);
	socklen_t room = *length;
	/* one that has gone again must not have us wait for the next */
	fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
	for (unsigned i = 0; i < ACCEPTS_MAX; i++) {
		*length = room;
		int fd = real.accept(listener, address.__sockaddr__, length);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE)
				admission_out_of_descriptors(listener);
			break;
		}
		if (admission_accept(address.__sockaddr__)) {
			set_socket(fd);
			return fd;
		}
		close(fd);
	}
	errno = 0; /* not a fault of the listener's */
	return -1;
}

/* Sees what became of it; the stack asks OpenSSL the same again. */
static int
note_handshake(struct tls_connection *connection, SSL *ssl, int result, enum counter done)
{
	int status = SSL_get_error(ssl, result);

	if (result == 1 && !connection->finished) {
		connection->finished = true;
		counters_add(done);
		if (SSL_session_reused(ssl))
			counters_add(COUNTER_TLS_RESUMED);
		else
			connection->verified_ms = tls_connection_now_ms();
		/* its certificate has been verified */
		if (connection->role == TLS_PEERING || connection->source == NULL)
			connection->known = true;
		tls_peer_note_session(connection);
	} else if (result != 1 && status == SSL_ERROR_SSL) {
		tls_peer_note_failure(connection);
	}
	return result;
}

int
SSL_accept(SSL *ssl)
{
	struct tls_connection *connection = tls_connection_of(ssl);

	if (real.ssl_accept == NULL)
		REAL(ssl_accept, "SSL_accept");
	if (connection == NULL)
		return real.ssl_accept(ssl);
	tls_connection_join(connection);
	ERR_clear_error();
	return note_handshake(connection, ssl, real.ssl_accept(ssl), COUNTER_TLS_ACCEPTED);
}

int
SSL_connect(SSL *ssl)
{
	struct tls_connection *connection = tls_connection_of(ssl);

	if (real.ssl_connect == NULL)
		REAL(ssl_connect, "SSL_connect");
	if (connection == NULL)
		return real.ssl_connect(ssl);
	tls_connection_join(connection);
	ERR_clear_error();
	if (SSL_in_before(ssl) && tls_peer_prepare(connection) != 0) {
		tls_connection_cut(connection, COUNTER_TLS_UNEXPECTED,
			"nobody is expected there, so nothing is sent");
		errno = EACCES;
		return -1;
	}
	return note_handshake(connection, ssl, real.ssl_connect(ssl), COUNTER_TLS_CONNECTED);
}

/* RFC 5626 4.4.1: the answer to CRLF CRLF. */
static void
send_pong(struct tls_connection *connection)
{
	/* a record of the stack's that is half out must come first; then it sees us alive anyway */
	if (connection->blocked)
		return;
	counters_add(COUNTER_KEEPALIVES);
	if (tls_gather_write(connection, "\r\n", 2) != 2)
		tls_connection_cut(connection, COUNTER_CUT_WRITE, "it does not read");
}

/* Bytes of CR and LF at the beginning. */
static size_t
blank(const char *bytes, size_t length)
{
	size_t count = 0;

	while (count < length && (bytes[count] == '\r' || bytes[count] == '\n'))
		count++;
	return count;
}

/* Counts what is blank between two messages. False: there is more than that. */
static bool
take_keepalive(struct tls_connection *connection, const char *bytes, size_t length)
{
	size_t count = blank(bytes, length);

	connection->keepalive += (unsigned)count;
	if (connection->keepalive >= 4)
		send_pong(connection);
	if (count == length) {
		connection->keepalive %= 4;
		return true;
	}
	connection->keepalive = 0;
	return false;
}

/* More of a message that is not whole. */
static void
note_bytes(struct tls_connection *connection, uint32_t count)
{
	connection->message_bytes += count;
	if (connection->message_bytes > limits->message_size)
		tls_connection_cut(connection, COUNTER_MESSAGE_SIZE, "a message is too large");
}

/* The next piece of a message. */
static int
read_piece(struct tls_connection *connection, void *buffer, int size)
{
	int result = 0;

	for (unsigned i = 0; i < KEEPALIVES_MAX; i++) {
		result = real.ssl_read(connection->ssl, buffer, size < PIECE ? size : PIECE);
		if (result <= 0)
			return result;
		connection->heard_ms = tls_connection_now_ms();
		if (connection->message_ms != 0) {
			note_bytes(connection, (uint32_t)result);
			return result;
		}
		if (!take_keepalive(connection, buffer, (size_t)result))
			return result;
	}
	/* the stack skips these */
	tls_connection_cut(connection, COUNTER_CUT_KEEPALIVES, "it sends nothing but CRLF");
	return result;
}

int
SSL_read(SSL *ssl, void *buffer, int size)
{
	struct tls_connection *connection = tls_connection_of(ssl);

	if (real.ssl_read == NULL)
		REAL(ssl_read, "SSL_read");
	if (connection == NULL)
		return real.ssl_read(ssl, buffer, size);
	tls_connection_set_current(connection);
	ERR_clear_error();
	int result = read_piece(connection, buffer, size);
	tls_peer_note_session(connection); /* a ticket may have come: RFC 8446 4.6.1 */
	return result;
}

int
SSL_write(SSL *ssl, const void *bytes, int size)
{
	struct tls_connection *connection = tls_connection_of(ssl);

	if (real.ssl_write == NULL)
		REAL(ssl_write, "SSL_write");
	if (connection == NULL)
		return real.ssl_write(ssl, bytes, size);
	return tls_gather_write(connection, bytes, size);
}

/* RFC 5853 has no numbers for it: ours are in the configuration. */
static bool
is_too_large(msg_t *message)
{
	const sip_t *sip = sip_object(message);
	uint32_t headers = 0;

	for (const msg_header_t *at = *msg_chain_head(message); at != NULL; at = at->sh_succ)
		headers++;
	if (headers > limits->headers) {
		counters_add(COUNTER_MESSAGE_HEADERS);
		return true;
	}
	if (sip != NULL && sip->sip_payload != NULL &&
		sip->sip_payload->pl_len > limits->body_size) {
		counters_add(COUNTER_MESSAGE_BODY);
		return true;
	}
	return false;
}

/* What the stack's parser said of what was read: 1: a whole message; 0: not whole; -1: none. */
static void
note_message(struct tls_connection *connection, msg_t *message, int result)
{
	uint64_t now = tls_connection_now_ms();

	if (connection->cut)
		return;
	if (result < 0) {
		connection->broken_ms = now;
		counters_add(msg_get_flags(message, MSG_FLG_TOOLARGE) ? COUNTER_MESSAGE_SIZE
								      : COUNTER_MESSAGE_BROKEN);
	} else if (result > 0) {
		connection->message_ms = 0;
		connection->message_bytes = 0;
		if (is_too_large(message)) {
			msg_set_flags(message, MSG_FLG_TOOLARGE);
			connection->broken_ms = now;
		}
	} else if (connection->message_ms == 0 &&
		   (msg_get_flags(message, MSG_FLG_HEADERS) || msg_buf_committed(message) > 0)) {
		connection->message_ms = now;
		connection->message_bytes = (uint32_t)msg_buf_committed(message);
	}
}

int
msg_extract(msg_t *message)
{
	struct tls_connection *connection = tls_connection_current();

	if (real.msg_extract == NULL)
		REAL(msg_extract, "msg_extract");
	/* messages are made from texts, too: those have no address */
	if (connection == NULL || msg_addr(message)->su_family == AF_UNSPEC)
		return real.msg_extract(message);
	if (connection->message_ms == 0 && !msg_get_flags(message, MSG_FLG_HEADERS)) {
		/* what keeps a connection alive, and came in one record with the message before */
		const char *bytes = msg_buf_committed_data(message);
		size_t length = msg_buf_committed(message);
		if (bytes != NULL && blank(bytes, length) == length && length >= 4)
			send_pong(connection);
	}
	int result = real.msg_extract(message);
	note_message(connection, message, result);
	return result;
}
