/* SPDX-License-Identifier: BSD-3-Clause */
/* SRTP on a flow: what a worker does to a packet around the crypto engine. */
#ifndef DATAPLANE_SRTP_FLOW_H
#define DATAPLANE_SRTP_FLOW_H

#include "packet.h"

#include <rte_mempool.h>

/* Before verify(): tells RTP from RTCP, reads the headers, takes off tag and MKI, estimates the
 * packet index (RFC 3711 3.3 steps 1 to 4, 3.4), refuses what was received before, and fills in
 * packet->op. `rtcp_keys` has room for two keys, used (and then to be wiped by the caller) only
 * where packet->rtcp is set. Owning worker. Returns RELAY_DROP_NONE or the reason to drop. */
enum relay_drop srtp_flow_open(struct packet *packet, struct srtp_key rtcp_keys[2]);

/* After verify(), for a genuine packet: notes it in its stream's replay window, making the stream
 * if the SSRC is new (from `streams`), and chooses the index to transmit with, which never goes
 * back under one key. Packets of one batch are accepted in their order. Owning worker. */
enum relay_drop srtp_flow_accept(struct packet *packet, struct rte_mempool *streams);

/* After accept, for a packet that did not verify: was its SSRC new when it was opened, but is known
 * since an earlier packet of the batch, so that its index is now estimated otherwise? Then it is to
 * be verified once more. Owning worker. */
bool srtp_flow_retry(struct packet *packet);

/* After transcrypt(): puts MKI and tag at the packet's end; packet->length is then the new one. */
void srtp_flow_seal(struct packet *packet);

/* Gives every further stream back to `streams` when the session has ended. Control thread, after a
 * grace period. */
void srtp_flow_state_release(struct flow_state *state, struct rte_mempool *streams);

#endif
