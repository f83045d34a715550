/* SPDX-License-Identifier: BSD-3-Clause */
/* What a worker does to a media packet around the crypto engine. */
#ifndef DATAPLANE_SRTP_FLOW_H
#define DATAPLANE_SRTP_FLOW_H

#include "flow.h"
#include "packet.h"

#include <rte_mempool.h>

/* Before verify(): tells RTP from RTCP, reads the headers, takes off tag and MKI, estimates the
 * packet index (RFC 3711 3.3 steps 1 to 4, 3.4), refuses what was received before and what is over
 * the leg's budget, and fills in packet->op. packet->room is for SRTCP keys, used (and then to be
 * wiped by the caller) only where packet->rtcp is set. `now` is tick_ms(). Owning worker. Returns
 * RELAY_DROP_NONE or the reason to drop. */
enum relay_drop srtp_flow_open(struct packet *packet, uint32_t now);

/* For a packet that did not verify: is there anything else to try? In order: the index anew, where
 * an earlier packet of the batch has made its SSRC known; the key before, while it counts; and
 * while the ROC may be out of step, other ROCs. If so, sets the op and is true: verify again, and
 * ask again if that fails. Each failure but that of the first kind costs budget. Owning worker. */
bool srtp_flow_retry(struct packet *packet, uint32_t now);

/* After verify(), for a genuine packet: notes it in its context's replay window, making the context
 * if the SSRC is new (from `streams`), and chooses the index to transmit with, which never goes
 * back under one key. Packets of one batch are accepted in their order. Owning worker. */
enum relay_drop
srtp_flow_accept(struct packet *packet, struct rte_mempool *streams, uint64_t now_tsc);

/* Is an accepted packet not to be sent on, since the other far end holds? RTCP always is. */
bool srtp_flow_on_hold(const struct packet *packet);

/* For RTCP, after transcrypt() has put it in clear: reads its reports, and sets the op for the
 * transmit key, with a new index. Then transcrypt() again. Owning worker. */
void srtp_flow_turn_rtcp(struct packet *packet, uint64_t now_tsc);

/* After transcrypt(): puts tag, MKI and SRTCP index at the packet's end; packet->length is then
 * the new one. */
void srtp_flow_seal(struct packet *packet);

/* Bytes that srtp_flow_seal() and the engine may write behind the payload as it is opened. */
unsigned srtp_flow_growth(const struct packet *packet);

#endif
