/* SPDX-License-Identifier: BSD-3-Clause */
/* One received frame on its way through a worker: what it is, and where its RTP lies. */
#ifndef DATAPLANE_PACKET_H
#define DATAPLANE_PACKET_H

#include "bridge.h"
#include "engine.h"
#include "iface.h"
#include "srtp_stream.h"

#include <rte_mbuf.h>

struct packet {
	struct rte_mbuf *mbuf;
	struct iface *iface;                 /* it came in by; NULL: none has its VLAN */
	const struct media_address *address; /* it was sent to */
	const _Atomic uintptr_t *entry;      /* of the port table: what lies under local_port */
	const struct bridge *bridge;
	uint8_t *payload; /* of UDP */
	uint16_t length;  /* of the payload */
	uint16_t local_port;
	uint8_t leg;           /* 0 or 1: it came in on */
	uint8_t rtcp;          /* it is RTCP */
	uint8_t kind;          /* enum media_kind */
	uint8_t udp_unchecked; /* neither the port nor we have checked its UDP checksum yet */
	struct endpoint source;
	/* the rest is srtp_flow.h's */
	uint16_t wire_length;  /* of the payload as received */
	uint16_t clear_length; /* of the payload without the new trailer */
	uint8_t rx_epoch;      /* of the key that it is tried with */
	uint8_t attempt;       /* what has been tried, after a first failure */
	uint8_t recovered;     /* it verified with a ROC that was not the estimated one */
	uint8_t from_source;   /* it came from where this leg's far end is known to be */
	uint8_t uncertain;     /* its SSRC's ROC may be out of step */
	uint8_t payload_type;  /* RTP */
	uint8_t plain;         /* it was opened by srtp_plain_open() */
	uint8_t trailer_length;
	uint32_t timestamp;            /* RTP */
	const struct srtp_key *key;    /* that it is tried with; NULL: in clear */
	union srtp_key_room *room;     /* for RTCP's keys; the worker wipes it */
	struct srtp_stream *stream;    /* NULL: an SSRC not met before */
	uint8_t trailer[SRTP_TAG_MAX]; /* what the engine may overwrite, where it may be needed */
	struct crypto_op op;
};

enum packet_fate {
	PACKET_MEDIA,  /* UDP to a media port of ours: payload, length, local_port, entry, source,
	                 address and udp_unchecked are set */
	PACKET_KERNEL, /* not media: the exception path takes it, without its VLAN tag */
	PACKET_DROP,   /* malformed; *reason says how */
};

/* Reads Ethernet with at most one VLAN tag (which is taken off, or sets packet->iface to none), IP
 * (RFC 1812 5.2.2; RFC 8200 3) and UDP (RFC 768) of packet->mbuf, which came in by `device`, never
 * past the end of the frame; sets packet->iface. Any worker. */
enum packet_fate
packet_classify(struct packet *packet, const struct device *device, enum relay_drop *reason);

/* The same, without the short way that it has for most packets: for tests. */
enum packet_fate
packet_classify_any(struct packet *packet, const struct device *device, enum relay_drop *reason);

/* Is the UDP checksum of a PACKET_MEDIA right? Reads the whole packet: only where no tag vouches
 * for it and udp_unchecked is set. Any worker. */
bool packet_udp_checksum_good(const struct packet *packet);

#endif
