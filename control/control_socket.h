/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket by which "sallyctl sip" looks into a running sallyport-sip: unix, SOCK_SEQPACKET, one
 * JSON object a datagram.
 *
 *	{"show": "calls", "from": 0}	asks
 *	{"rows": [...], "next": 100}	as many as fit; without "next" there are no more
 *	{"error": "there is no ..."}
 *
 * "stats" has one row, and the lists have one for each call, failure, binding or certificate.
 * Nothing can be changed by it but that "trace", with "on": true or false, begins or stops to trace
 * messages where the configuration says, and "drain" has no new calls taken and the process end
 * after the last one; and no answer holds a key or a password. Event-loop thread alone. */
#ifndef CONTROL_CONTROL_SOCKET_H
#define CONTROL_CONTROL_SOCKET_H

#include "agent.h"

struct control_socket;

/* Listens at sip.control_socket, for the user that the process is to become (NULL: that it is). A
 * place where it can't is said in the log, and is no reason not to serve: then *out is NULL. 0 or
 * -ENOMEM. */
int control_socket_open(struct agent *agent, struct control_socket **out);
void control_socket_close(struct control_socket *control);

#endif
