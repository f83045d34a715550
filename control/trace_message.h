/* SPDX-License-Identifier: BSD-3-Clause */
/* One SIP message of a trace, blanked (trace_blank.h), and the two forms that it is written in.
 * Any thread. */
#ifndef CONTROL_TRACE_MESSAGE_H
#define CONTROL_TRACE_MESSAGE_H

#include "relay/addr.h"

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define TRACE_DATAGRAM_MAX 65507 /* bytes that fit into UDP over IPv4 */

struct trace_message {
	struct trace_message *next;
	struct timespec at; /* wall clock */
	struct relay_addr from;
	struct relay_addr to;
	size_t length;
	char text[];
};

/* HEP version 3, the "Generic Encapsulation Protocol" of Homer: a datagram of chunks. Writes at
 * most `room` bytes, and returns how many; a text that does not fit is cut. `agent` is the capture
 * agent's id. 0: both addresses have to be of one family. */
size_t
trace_hep_encode(const struct trace_message *message, uint32_t agent, uint8_t *out, size_t room);

/* An IP packet with the message as one UDP datagram between the two ends: what tools that know
 * nothing of TLS can read. As above. */
size_t trace_ip_encode(const struct trace_message *message, uint8_t *out, size_t room);

#endif
