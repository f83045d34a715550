/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks one plane everything that a snapshot holds of it. For snapshot.c's thread alone: each keeps
 * its connection from one time to the next, and waits at most FETCH_MS for an answer. */
#ifndef WEB_FETCH_H
#define WEB_FETCH_H

#include "snapshot.h"

#define FETCH_MS 1000

struct media_fetch; /* the connection to sallyport-media */

struct media_fetch *media_fetch_create(const char *path); /* NULL: out of memory */
void media_fetch_free(struct media_fetch *fetch);
/* Fills in `out`, whatever happens. */
void media_fetch(struct media_fetch *fetch, struct media_view *out);

/* The same for sallyport-sip, at config->sip.control_socket. *fd is the connection; -1: none. */
void sip_fetch(const struct config *config, int *fd, struct sip_view *out);

void media_view_free(struct media_view *view);
void sip_view_free(struct sip_view *view);

#endif
