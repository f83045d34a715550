/* SPDX-License-Identifier: BSD-3-Clause */
#include "relay_end.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

void
relay_end_open(struct relay_end *end)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	memset(end, 0, sizeof(*end));
	strcpy(end->folder, "/tmp/sallyport-client-XXXXXX");
	assert_non_null(mkdtemp(end->folder));
	snprintf(end->path, sizeof(end->path), "%s/relay.sock", end->folder);
	strcpy(address.sun_path, end->path);
	end->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	assert_true(end->listener >= 0);
	assert_int_equal(0, bind(end->listener, (const void *)&address, sizeof(address)));
	assert_int_equal(0, listen(end->listener, 4));
	assert_int_equal(0, relay_client_connect(end->path, &end->client));
	end->fd = accept4(end->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(end->fd >= 0);
}

void
relay_end_hang_up(struct relay_end *end)
{
	if (end->fd >= 0)
		close(end->fd);
	end->fd = -1;
}

void
relay_end_close(struct relay_end *end)
{
	relay_client_close(end->client);
	relay_end_hang_up(end);
	close(end->listener);
	unlink(end->path);
	rmdir(end->folder);
}

void
relay_end_receive(struct relay_end *end, void *request, size_t length)
{
	static uint8_t datagram[RELAY_DATAGRAM_MAX];
	struct pollfd poll_fd = {.fd = end->fd, .events = POLLIN};

	assert_int_equal(1, poll(&poll_fd, 1, 5000));
	assert_int_equal(length, recv(end->fd, datagram, sizeof(datagram), MSG_TRUNC));
	memcpy(request, datagram, length);
}

void
relay_end_send(struct relay_end *end, const void *datagram, size_t length)
{
	assert_int_equal(length, send(end->fd, datagram, length, MSG_NOSIGNAL));
}

struct relay_header
relay_end_header(const struct relay_header *request, uint32_t code, size_t length)
{
	return (struct relay_header){
		.version = RELAY_API_VERSION,
		.op = request->op,
		.length = (uint32_t)length,
		.request_id = request->request_id,
		.code = code,
	};
}
