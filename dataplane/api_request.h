/* SPDX-License-Identifier: BSD-3-Clause */
/* One request of the relay API, carried out. Control thread. */
#ifndef DATAPLANE_API_REQUEST_H
#define DATAPLANE_API_REQUEST_H

#include "relay/api.h"

#include <stdbool.h>
#include <stddef.h>

/* What a request may do to its client beside the reply. */
struct api_client {
	bool subscribed; /* set when the client asked for events */
	bool trusted;    /* may be told keys */
	int fd;          /* that came with the datagram, -1: none; taken by CAPTURE, then -1 */
};

/* Carries out the request in the `length` bytes at `request`, which are exactly header.length, and
 * writes the reply, a whole message, into `reply` (RELAY_DATAGRAM_MAX bytes). Returns the reply's
 * length. */
size_t api_request_handle(
	const struct relay_header *request, size_t length, void *reply, struct api_client *client);

/* Writes an error reply; the same return. */
size_t api_request_refuse(
	const struct relay_header *request, enum relay_code code, const char *reason, void *reply);

#endif
