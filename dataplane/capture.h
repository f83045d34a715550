/* SPDX-License-Identifier: BSD-3-Clause */
/* Packets of one session, or of one interface, into a pcapng file, for support. A worker copies
 * what matches into a bounded ring; the control thread writes it out. No key is in it: packets are
 * as they are on the wire. */
#ifndef DATAPLANE_CAPTURE_H
#define DATAPLANE_CAPTURE_H

#include "relay/api.h"

#include <rte_mbuf.h>
#include <rte_pcapng.h>
#include <stdatomic.h>
#include <stdbool.h>

struct session;

/* Is a capture running? Read by workers at each burst (relaxed load); written by the control
 * thread. */
extern _Atomic bool capture_running;

/* Takes the buffers and the ring of captures: nothing is allocated later. Control thread, before
 * the workers start. 0 or -errno. */
int capture_init(void);
void capture_fini(void);

/* Starts (or, with seconds 0, ends) a capture of `request` into `fd`, which is then the capture's
 * to close, on failure too. `state` is the session's, where one is named, else NULL. Control
 * thread. RELAY_OK, or a code and a sentence in `reason`. */
enum relay_code
capture_start(const struct relay_capture *request, int fd, const void *state, char *reason);

/* Copies a packet if the capture wants it: of the session with that `state` (NULL: none known), on
 * the interface with that index; `queue` is the worker's. Any worker; only while capture_running.
 * No system call: a full ring counts a loss. */
void capture_packet(struct rte_mbuf *mbuf, const void *state, unsigned iface, unsigned queue,
	enum rte_pcapng_direction direction);

/* Writes what has been copied; ends the capture when its time is up or its packets are all there.
 * Every few milliseconds, control thread. */
void capture_poll(void);

/* Whom to tell that a capture has ended: RELAY_EVENT_CAPTURE_END. Control thread. */
void capture_on_end(void (*cb)(const struct relay_event *event));

/* The session with this `state` is being ended: a capture of it ends, too. Control thread. */
void capture_session_ended(const void *state);

#endif
