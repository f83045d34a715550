/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay's end of a connection, in the hands of a test: a real seqpacket socket in a folder of
 * its own. The client under test connects to it; the test reads what came and sends what it likes.
 */
#ifndef TEST_RELAY_END_H
#define TEST_RELAY_END_H

#include "relay/client.h"

struct relay_end {
	char folder[64];
	char path[96];
	int listener;
	int fd; /* the accepted connection; -1: closed */
	struct relay_client *client;
};

/* Opens both ends; a failure fails the test. */
void relay_end_open(struct relay_end *end);
/* Closes both ends and removes the folder. */
void relay_end_close(struct relay_end *end);

/* The relay goes away. */
void relay_end_hang_up(struct relay_end *end);

/* Receives one request of exactly `length` bytes, waiting for it up to 5 s. */
void relay_end_receive(struct relay_end *end, void *request, size_t length);
/* Sends one datagram. */
void relay_end_send(struct relay_end *end, const void *datagram, size_t length);

/* The header of a reply to `request`. */
struct relay_header
relay_end_header(const struct relay_header *request, uint32_t code, size_t length);

#endif
