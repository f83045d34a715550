/* SPDX-License-Identifier: BSD-3-Clause */
/* A client of the relay API (api.h): blocking for tools, event-driven for sallyport-sip.
 * One client belongs to one thread. */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include "api.h"

#include <stddef.h>

struct relay_client;

/* Called for the reply to a request. `reply` is valid during the call only; its code tells success.
 * NULL: the relay went away (or the client was closed) before it answered. */
typedef void relay_reply_cb(void *arg, const struct relay_header *reply);

/* Called for each event after a SUBSCRIBE. */
typedef void relay_event_cb(void *arg, const struct relay_event *event);

/* Connects to the socket at `path`. Returns 0 and *out, owned by the caller; or -errno
 * (-ENOENT, -ECONNREFUSED: no relay there; -EACCES; -EAGAIN: it is too busy to take one more). */
int relay_client_connect(const char *path, struct relay_client **out);

/* Closes, and answers every outstanding request with NULL: what their callbacks send is refused
 * with -EPIPE. NULL is allowed. */
void relay_client_close(struct relay_client *client);

/* The descriptor to poll for reading (and, while relay_client_wants_write(), for writing). */
int relay_client_fd(const struct relay_client *client);
bool relay_client_wants_write(const struct relay_client *client);

void relay_client_on_event(struct relay_client *client, relay_event_cb *cb, void *arg);

/* Queues a request and sends what the socket takes now. Fills in header.version, length and
 * request_id. `request` starts with a relay_header whose op is set, and is `length` bytes, a
 * multiple of 8; it is copied, and the copy is wiped once sent. Returns 0, or -errno
 * (-EPIPE: the relay went away; cb is then not called). */
int relay_client_send(
	struct relay_client *client, void *request, size_t length, relay_reply_cb *cb, void *arg);

/* The next request that is sent takes this descriptor along (SCM_RIGHTS); the caller keeps its own,
 * and leaves it open until the reply. */
void relay_client_attach(struct relay_client *client, int fd);

/* Reads what has come and calls the callbacks; writes what waits. Returns 0, or -EPIPE when the
 * relay went away: outstanding requests have been answered with NULL, and the client can only be
 * closed. A relay that answers what was not asked, or out of order, or with a length that lies,
 * counts as gone. Texts in what a callback gets end within their fields. A callback may send, but
 * must neither close the client nor call relay_client_process() or relay_client_call(). */
int relay_client_process(struct relay_client *client);

/* Sends a request and waits at most timeout_ms for its reply, which is copied to `reply` (at most
 * `room` bytes, cut there). Returns 0 (look at reply->code), -ETIMEDOUT, -EPIPE, -EMSGSIZE if it
 * did not fit. */
int relay_client_call(struct relay_client *client, void *request, size_t length, void *reply,
	size_t room, int timeout_ms);

/* The sentence of a reply whose code is not RELAY_OK; "" for one that is. */
const char *relay_reply_reason(const struct relay_header *reply);

#endif
