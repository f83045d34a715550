/* SPDX-License-Identifier: BSD-3-Clause */
/* The control plane's line to the relay: the relay API's client in the SIP agent's event loop. It
 * connects by itself, and again when the relay went away. Event-loop thread alone. */
#ifndef CONTROL_MEDIA_H
#define CONTROL_MEDIA_H

#include "relay/client.h"

#include <sofia-sip/su_wait.h>

struct media;

/* The relay went away, and what it was asked has been answered with NULL: every session it had may
 * be gone. Or: it is there, again or for the first time, and hears next what this asks. */
typedef void media_change_cb(void *arg);

struct media_callbacks {
	media_change_cb *lost;
	media_change_cb *found;
	relay_event_cb *event; /* a session changed by itself */
	void *arg;
};

/* Starts to connect to the socket at `path`: now, and then every second, and more often when the
 * relay has just gone away. NULL: out of memory. */
struct media *media_create(su_root_t *root, const char *path, const struct media_callbacks *cbs);

/* Answers outstanding requests with NULL, and frees. */
void media_destroy(struct media *media);

bool media_is_connected(const struct media *media);

/* As relay_client_send(); -ENOTCONN while there is no relay. */
int media_request(struct media *media, void *request, size_t length, relay_reply_cb *cb, void *arg);

#endif
