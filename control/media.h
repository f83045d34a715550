/* SPDX-License-Identifier: BSD-3-Clause */
/* The control plane's line to the relay: the relay API's client in the SIP agent's event loop. It
 * connects by itself, and again when the relay went away. Event-loop thread alone. */
#ifndef CONTROL_MEDIA_H
#define CONTROL_MEDIA_H

#include "relay/client.h"

#include <sofia-sip/su_wait.h>

struct media;

/* The relay went away: every session it had is gone. */
typedef void media_lost_cb(void *arg);

struct media_callbacks {
	media_lost_cb *lost;
	relay_event_cb *event; /* a session changed by itself */
	void *arg;
};

/* Starts to connect to the socket at `path`, now and then every second. NULL: out of memory. */
struct media *media_create(su_root_t *root, const char *path, const struct media_callbacks *cbs);

/* Answers outstanding requests with NULL, and frees. */
void media_destroy(struct media *media);

bool media_is_connected(const struct media *media);

/* As relay_client_send(); -ENOTCONN while there is no relay. */
int media_request(struct media *media, void *request, size_t length, relay_reply_cb *cb, void *arg);

#endif
