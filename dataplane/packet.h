/* SPDX-License-Identifier: BSD-3-Clause */
/* One received frame on its way through a worker: what it is, and where its RTP lies. */
#ifndef DATAPLANE_PACKET_H
#define DATAPLANE_PACKET_H

#include "engine.h"
#include "flow.h"

#include <rte_mbuf.h>

struct packet {
	struct rte_mbuf *mbuf;
	const struct iface *iface; /* it came in by */
	const struct flow *flow;
	uint8_t *payload; /* of UDP */
	uint16_t length;  /* of the payload */
	uint16_t local_port;
	uint8_t rtcp; /* it is RTCP */
	uint8_t kind; /* enum media_kind */
	struct relay_addr source;
	struct srtp_stream *stream; /* NULL: an SSRC not met before */
	struct crypto_op op;
};

enum packet_fate {
	PACKET_MEDIA, /* UDP to a media port of ours: payload, length, local_port, source are set */
	PACKET_KERNEL, /* not media: the exception path takes it as it is */
	PACKET_DROP,   /* malformed; *reason says how */
};

/* Reads Ethernet, IP (RFC 1812 5.2.2; RFC 8200 3) and UDP (RFC 768) of packet->mbuf, which came in
 * by packet->iface, never past the end of the frame. Any worker. */
enum packet_fate packet_classify(struct packet *packet, enum relay_drop *reason);

#endif
