/* SPDX-License-Identifier: BSD-3-Clause */
/* The relay API's socket: clients, datagrams of several messages, replies, events. Control thread.
 */
#ifndef DATAPLANE_API_SERVER_H
#define DATAPLANE_API_SERVER_H

#include "relay/api.h"

#include <stddef.h>
#include <sys/types.h>

/* Binds `path` (a socket that nobody answers on is replaced; a live one is -EADDRINUSE), readable
 * and writable for `owner` and its group only. Registers with the epoll descriptor, each event's
 * data.ptr being what api_server_event() wants. 0, or -errno after a sentence. */
int api_server_open(
	const char *path, uid_t owner, gid_t group, int epoll, char *error, size_t error_size);

/* Clients of this user, too, may be told keys (EXPORT): beside root's and our own. Before the first
 * client comes; four at most. */
void api_server_trust(uid_t user);

/* Closes all clients and removes the socket. */
void api_server_close(void);

/* Handles one epoll event of ours; -ENOENT when `ptr` is not ours. */
int api_server_event(void *ptr, unsigned events);

/* Sends an event to each subscriber. One that does not read loses events, never others' replies.
 */
void api_server_emit(const struct relay_event *event);

#endif
