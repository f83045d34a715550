/* SPDX-License-Identifier: BSD-3-Clause */
/* The SSRC contexts of a flow (RFC 3711 3.2.3): found, made, and followed through changes of keys.
 * Owning worker. */
#ifndef DATAPLANE_SRTP_CONTEXT_H
#define DATAPLANE_SRTP_CONTEXT_H

#include "flow.h"
#include "packet.h"

#include <rte_mempool.h>

/* The context of an SSRC under the receive key with that epoch, or NULL. */
struct srtp_stream *srtp_context_find(const struct flow_state *state, uint32_t ssrc, uint8_t epoch);

/* The context of any earlier key, or NULL. */
struct srtp_stream *
srtp_context_find_earlier(const struct flow_state *state, uint32_t ssrc, uint8_t epoch);

/* Notes that the bridge's keys, or what was signalled, are no longer those that the state goes
 * by. */
void srtp_context_follow(const struct bridge *bridge, unsigned leg, struct flow_state *state);

/* The context of a genuine packet, made if its SSRC is new under its key, from `streams` where the
 * state's own place is taken. NULL: *reason says why not. */
struct srtp_stream *
srtp_context_take(struct packet *packet, struct rte_mempool *streams, enum relay_drop *reason);

/* Begins a context anew at the packet's index, which an earlier one may lie above: after a ROC that
 * was out of step. */
void srtp_context_restart(struct srtp_stream *stream);

/* Chooses packet->op.tx_index: the receive index, shifted by whole ROCs where the two legs' keys
 * began at different times, and by any number where the receive index has run back. Never one that
 * was sent under the same key. After it, the packet is accepted. */
enum relay_drop srtp_context_choose_tx(struct packet *packet);

/* Gives every further context back to `streams` when the session has ended. Control thread, after a
 * grace period. */
void srtp_context_release(struct flow_state *state, struct rte_mempool *streams);

/* Drops the contexts of earlier keys whose SSRC has one of the present key. */
void srtp_context_purge(struct flow_state *state, struct rte_mempool *streams);

#endif
