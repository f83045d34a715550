/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The relay API: the only thing between the planes.
 *
 * A client (sallyport-sip, sallyctl, any other controller) speaks to sallyport-media over a
 * SOCK_SEQPACKET unix socket. A datagram holds one or more whole messages, each starting with a
 * relay_header and each padded to 8 bytes: so a controller installs hundreds of sessions with one
 * system call. Every request is answered, in order, with the request's op and request_id; a wrong
 * one gets a code and a sentence (relay_reply_error) and changes nothing. Numbers are in host byte
 * order: both ends are on one machine. Reserved fields are zero.
 *
 * Requests are idempotent: the client names the session, so a CREATE repeated with the same body
 * answers as the first did, and a DELETE of a session that is gone answers RELAY_E_NO_SESSION.
 *
 * A session is one media stream: two legs, and re-encryption from each to the other. A call with
 * audio and video is two sessions. It lives until it is deleted or its media times out, never
 * because the client went away.
 */
#ifndef RELAY_API_H
#define RELAY_API_H

#include "addr.h"
#include "drop.h"
#include "suite.h"

#include <stdint.h>

#define RELAY_API_VERSION 4
#define RELAY_DATAGRAM_MAX 65536 /* bytes: the most that either side sends at once */
#define RELAY_ID_SIZE 48         /* bytes of a session's name, NUL-padded, at least one NUL */
#define RELAY_NAME_SIZE 16       /* bytes of an interface's name, NUL-padded */
#define RELAY_MKI_MAX 128        /* bytes, RFC 4568 6.1 */
#define RELAY_DROP_MAX 48     /* room for drop reasons: more can be added without a new version */
#define RELAY_REASON_SIZE 232 /* bytes of an error's sentence, with its NUL */

enum relay_op {
	RELAY_OP_CREATE = 1,    /* relay_create         -> relay_session */
	RELAY_OP_UPDATE = 2,    /* relay_update         -> relay_session */
	RELAY_OP_DELETE = 3,    /* relay_by_id          -> relay_session: the final counters */
	RELAY_OP_QUERY = 4,     /* relay_by_id          -> relay_session */
	RELAY_OP_LIST = 5,      /* relay_list           -> relay_list_reply */
	RELAY_OP_STATS = 6,     /* relay_header         -> relay_stats_reply */
	RELAY_OP_STATUS = 7,    /* relay_header         -> relay_status_reply */
	RELAY_OP_SUBSCRIBE = 8, /* relay_header         -> relay_header, then events */
	RELAY_OP_EVENT = 9,     /* from the relay only: relay_event, request_id 0 */
	RELAY_OP_CAPTURE = 10,  /* relay_capture        -> relay_header, with a descriptor */
	RELAY_OP_EXPORT = 11,   /* relay_by_id          -> relay_create, keys and all */
	RELAY_OP_STATE = 12,    /* relay_list           -> relay_state_reply */
	RELAY_OP_RESTORE = 13,  /* relay_restore        -> relay_session */
	RELAY_OP_DRAIN = 14,    /* relay_drain          -> relay_header */
	RELAY_OP_RELOAD = 15,   /* relay_reload         -> relay_config_reply */
	RELAY_OP_CONFIG = 16,   /* relay_list           -> relay_config_reply */
};

enum relay_code {
	RELAY_OK = 0,
	RELAY_E_VERSION = 1,      /* header.version is not ours */
	RELAY_E_MALFORMED = 2,    /* length, op or a field out of range */
	RELAY_E_NO_SESSION = 3,   /* no session of that name */
	RELAY_E_CONFLICT = 4,     /* the name is taken by a session created with another body */
	RELAY_E_NO_INTERFACE = 5, /* no media interface of that name or address */
	RELAY_E_NO_PORTS = 6,     /* the port range is used up, or the wanted port is taken */
	RELAY_E_NO_MEMORY = 7,    /* the limit of sessions is reached */
	RELAY_E_KEY = 8,          /* unknown suite, missing key, or a key used in two places */
	RELAY_E_ADDRESS = 9,      /* a remote address that media may not be sent to */
	RELAY_E_DRAINING = 10,    /* no new sessions: the relay is being stopped */
	RELAY_E_FORBIDDEN = 11,   /* not for a client of that user */
	RELAY_E_CONFIG = 12,      /* the configuration file can't be put in force */
};

struct relay_header {
	uint16_t version;    /* RELAY_API_VERSION */
	uint16_t op;         /* enum relay_op */
	uint32_t length;     /* bytes of the whole message, header included, a multiple of 8 */
	uint64_t request_id; /* the client's; comes back in the reply */
	uint32_t code;       /* 0 in a request; enum relay_code in a reply */
	uint32_t reserved;
};
_Static_assert(sizeof(struct relay_header) == 24, "relay API layout");

/* Any reply whose code is not RELAY_OK. */
struct relay_reply_error {
	struct relay_header header;
	char reason[RELAY_REASON_SIZE]; /* a sentence: the object, the cause, the cure */
};

#define RELAY_CRYPTO_UNENCRYPTED_SRTCP 0x1u /* RFC 4568 6.3.2: SRTCP with E = 0 */

/* One direction's master key, RFC 3711 8.2, as SDES negotiated it. */
struct relay_crypto {
	uint8_t suite;      /* enum relay_suite; NONE: this direction has no key (yet) */
	uint8_t mki_length; /* 0: no MKI in the packets */
	uint8_t flags;      /* RELAY_CRYPTO_* */
	uint8_t reserved;
	uint32_t roc; /* receive: the ROC that a new SSRC starts with; 0 but for a stream that the
			 relay joins late (RFC 3711 3.3.1) */
	uint64_t lifetime; /* packets; 0: the suite's own */
	uint8_t key[32];   /* the suite's key_length bytes */
	uint8_t salt[16];  /* the suite's salt_length bytes */
	uint8_t mki[RELAY_MKI_MAX];
};
_Static_assert(sizeof(struct relay_crypto) == 192, "relay API layout");

enum relay_transport {
	RELAY_TRANSPORT_NONE = 0,  /* ports are reserved, no packet passes yet */
	RELAY_TRANSPORT_SRTP = 1,  /* RTP/SAVP, RTP/SAVPF */
	RELAY_TRANSPORT_RTP = 2,   /* RTP/AVP, RTP/AVPF: in clear */
	RELAY_TRANSPORT_UDPTL = 3, /* T.38: datagrams pass untouched; both legs have it */
};

#define RELAY_LEG_RTCP_MUX 0x1u /* RTP and RTCP on one port, RFC 5761 */
#define RELAY_LEG_LATCH \
	0x2u /* SRTP: the remote address may follow a packet whose tag verifies.
				   RTP, UDPTL: its port is learnt once, from the first packet that
				   comes from remote_rtp.ip within RELAY_LEARN_MS */
#define RELAY_LEG_NO_SEND \
	0x4u                      /* nothing but RTCP is sent to the far end: it said a=sendonly,
				     a=inactive or c=0.0.0.0 */
#define RELAY_LEG_NO_RECEIVE 0x8u /* its silence is no fault: a=recvonly, a=inactive */
#define RELAY_LEG_DSCP 0x10u      /* `dscp` counts; else the interface's */
#define RELAY_LEG_FLAGS 0x1fu     /* all there are */

#define RELAY_LEARN_MS 5000 /* after the request that set the address */

/* What a client says of a leg. "Receive" is from the leg's far end towards the relay. */
struct relay_leg_spec {
	char interface[RELAY_NAME_SIZE]; /* media interface; empty: the one that has local_rtp.ip,
					    or the first */
	uint8_t transport;               /* enum relay_transport */
	uint8_t dscp;                    /* 0 to 63, with RELAY_LEG_DSCP */
	uint8_t reserved[2];
	uint32_t flags;      /* RELAY_LEG_* */
	uint32_t clock_rate; /* Hz of its RTP timestamps, for jitter, a multiple of 25; 0: by its
				static payload type (RFC 3551), else jitter is not known */
	uint32_t reserved2;
	struct relay_addr local_rtp;   /* wanted: all zero: the relay chooses; family alone: one of
					that family; ip alone: on that address; ip and even port:
					exactly that (re-install). RTCP is always port + 1 where it
					is not muxed */
	struct relay_addr remote_rtp;  /* from SDP; none: wait for the first genuine packet */
	struct relay_addr remote_rtcp; /* none: remote_rtp.port + 1 (RFC 3605), or muxed */
	struct relay_crypto receive;   /* the far end's key */
	struct relay_crypto transmit;  /* the relay's own, fresh from a CSPRNG for this leg alone */
};
_Static_assert(sizeof(struct relay_leg_spec) == 488, "relay API layout");

struct relay_create {
	struct relay_header header;
	char id[RELAY_ID_SIZE];
	uint32_t timeout_ms; /* end the session after so long without genuine media; 0: default */
	uint32_t reserved;
	struct relay_leg_spec leg[2];
};

#define RELAY_STREAMS_MAX 16 /* SSRCs of a flow that its state tells of */

#define RELAY_STREAM_RTP 0x1u  /* an RTP packet has been received: rtp_highest counts */
#define RELAY_STREAM_RTCP 0x2u /* SRTCP has been received: rtcp_highest counts */
#define RELAY_STREAM_EARLIER \
	0x4u /* it was heard under an earlier receive key, not yet under this */

/* One SSRC that comes in on a leg, and is sent on. */
struct relay_stream_state {
	uint32_t ssrc;
	uint32_t flags;        /* RELAY_STREAM_* */
	uint64_t rtp_highest;  /* packet index received, RFC 3711 3.3.1: ROC || sequence */
	uint64_t tx_base;      /* what is added to it to send with, modulo 2^64 */
	uint32_t rtcp_highest; /* SRTCP index received */
	uint32_t reserved;
};
_Static_assert(sizeof(struct relay_stream_state) == 32, "relay API layout");

#define RELAY_FLOW_SETTLED \
	0x1u /* the state is whole: a relay that goes on with it uses no packet index twice. Not
		settled: a key or address has changed, and no packet has come since */

/* A flow: what comes in on a leg, and is sent on to the other. */
struct relay_flow_state {
	uint32_t flags;     /* RELAY_FLOW_* */
	uint32_t streams;   /* how many relay_stream_state there are */
	uint32_t rtcp_sent; /* the last SRTCP index, under the other leg's transmit key */
	uint32_t reserved;
	uint64_t rx_key_packets; /* under this leg's receive key, for its lifetime */
	uint64_t tx_key_packets; /* under the other leg's transmit key */
};
_Static_assert(sizeof(struct relay_flow_state) == 32, "relay API layout");

/* What a session needs to go on in another life of the relay, beside its keys. */
struct relay_state_entry {
	char id[RELAY_ID_SIZE];
	uint32_t length; /* bytes, with the streams, a multiple of 8 */
	uint32_t reserved;
	struct relay_addr remote[2][2]; /* of each leg: RTP, RTCP; in force now */
	struct relay_flow_state flow[2];
	struct relay_stream_state stream[]; /* those of flow 0, then those of flow 1 */
};

struct relay_state_reply {
	struct relay_header header;
	uint64_t cursor; /* as in relay_list_reply */
	uint32_t count;
	uint32_t reserved;
	uint8_t entries[]; /* relay_state_entry, one behind the other */
};

/* Installs a session again that an earlier life of the relay had: `create` names both legs' keys,
 * addresses and exact local ports; flow and stream are what STATE told last, at most some seconds
 * before that life's end. Where a key or an address has changed since, or the flow comes in in
 * clear, give it a transmit key that was never used, or none yet. A session that exists stays as it
 * is, and is told of. */
struct relay_restore {
	struct relay_create create; /* header.op is RELAY_OP_RESTORE */
	struct relay_flow_state flow[2];
	struct relay_stream_state stream[2][RELAY_STREAMS_MAX];
};

#define RELAY_DRAIN_ON 0x1u  /* CREATE is refused with RELAY_E_DRAINING; sessions go on */
#define RELAY_DRAIN_END 0x2u /* and the relay ends when the last one has */

struct relay_drain {
	struct relay_header header;
	uint32_t flags; /* RELAY_DRAIN_*; 0: no longer */
	uint32_t reserved;
};

struct relay_reload {
	struct relay_header header;
	uint32_t apply; /* 1: reads the file and puts it in force; 0: says whether it could */
	uint32_t reserved;
};

#define RELAY_CONFIG_DEFAULT 0x1u /* not in the file */
#define RELAY_CONFIG_RESTART 0x2u /* changes with a restart alone */

/* A setting in force, or one that a reload changes; long texts are cut. Never a secret. */
struct relay_config_row {
	char field[128];
	char before[64]; /* RELOAD: what it was */
	char value[128];
	uint32_t flags; /* RELAY_CONFIG_* */
	uint32_t reserved;
};

struct relay_config_reply {
	struct relay_header header;
	uint64_t cursor; /* CONFIG: 0: this was the last page. RELOAD: how many changes there are */
	uint32_t count;
	uint32_t reserved;
	struct relay_config_row row[];
};

#define RELAY_UPDATE_REMOTE 0x1u    /* remote_rtp, remote_rtcp, flags, dscp, clock_rate */
#define RELAY_UPDATE_RECEIVE 0x2u   /* receive (a new key starts with ROC 0, RFC 4568 7.1.4) */
#define RELAY_UPDATE_TRANSMIT 0x4u  /* transmit */
#define RELAY_UPDATE_TRANSPORT 0x8u /* transport */

struct relay_update {
	struct relay_header header;
	char id[RELAY_ID_SIZE];
	uint32_t leg;  /* 0 or 1 */
	uint32_t mask; /* RELAY_UPDATE_*: which fields of spec count */
	struct relay_leg_spec spec;
};

struct relay_by_id {
	struct relay_header header;
	char id[RELAY_ID_SIZE];
};

/* The reply to EXPORT is a relay_create that would make the session as it is now: addresses, flags
 * and master keys; `roc` is 0, and a key before the present one is not told. So a controller that
 * was restarted goes on with its calls, and has no key on disk. Only a client whose user (by
 * SO_PEERCRED) is root, the relay's own or sip.user gets one; it wipes what it got. */

#define RELAY_UNKNOWN UINT32_MAX

/* How well a leg's far end is heard, and how well it hears us. */
struct relay_quality {
	uint32_t ssrc; /* of the stream that the rest is about: the leg's first, or newest */
	uint32_t roc;
	uint32_t ssrcs;            /* contexts in use */
	uint32_t expected;         /* packets, RFC 3550 A.3 */
	uint32_t lost;             /* of those, on the way to us */
	uint32_t jitter_us;        /* RFC 3550 6.4.1, on the way to us; RELAY_UNKNOWN */
	uint32_t round_trip_us;    /* between us and the far end, from its reports; RELAY_UNKNOWN */
	uint32_t remote_lost;      /* of what we sent, by its last report; RELAY_UNKNOWN: none */
	uint32_t remote_jitter_us; /* RELAY_UNKNOWN */
	uint16_t remote_lost_256;  /* lost since the report before, in 1/256 */
	uint16_t mos_100;          /* of what comes in here, ITU-T G.107, times 100; 0: none */
};
_Static_assert(sizeof(struct relay_quality) == 40, "relay API layout");

/* What the relay tells of a leg. Never a key. Counters since the session's creation. */
struct relay_leg_info {
	char interface[RELAY_NAME_SIZE];
	uint8_t transport;
	uint8_t receive_suite;
	uint8_t transmit_suite;
	uint8_t latched; /* the remote address was moved by a genuine packet */
	uint32_t flags;
	struct relay_addr local_rtp;
	struct relay_addr local_rtcp; /* equals local_rtp where muxed */
	struct relay_addr remote_rtp; /* in force now */
	struct relay_addr remote_rtcp;
	uint64_t packets_in; /* genuine RTP from the far end */
	uint64_t bytes_in;   /* RTP payload and header, without tag */
	uint64_t packets_out;
	uint64_t bytes_out;
	uint64_t rtcp_in;
	uint64_t rtcp_out;
	uint64_t last_packet_ms;        /* ago; UINT64_MAX: never */
	uint64_t drops[RELAY_DROP_MAX]; /* by enum relay_drop: packets that came in here */
	struct relay_quality quality;
};

struct relay_session {
	struct relay_header header;
	char id[RELAY_ID_SIZE];
	uint64_t age_ms;
	uint32_t timeout_ms;
	uint32_t worker; /* index of the worker that owns the session */
	struct relay_leg_info leg[2];
};

struct relay_list {
	struct relay_header header;
	uint64_t cursor; /* 0 to start; then relay_list_reply.cursor */
};

struct relay_list_entry {
	char id[RELAY_ID_SIZE];
	uint64_t age_ms;
	uint8_t suite[2]; /* enum relay_suite of what each leg receives */
	uint8_t reserved[6];
	uint64_t packets_in[2];
	struct relay_addr remote_rtp[2];
};

struct relay_list_reply {
	struct relay_header header;
	uint64_t cursor; /* 0: this was the last page */
	uint32_t count;
	uint32_t reserved;
	struct relay_list_entry entry[];
};

/* Counters name themselves ("drop.auth_failed", "worker.0.packets"), so that a client needs no
 * table of its own. */
struct relay_counter {
	char name[56];
	uint64_t value;
};

struct relay_stats_reply {
	struct relay_header header;
	uint32_t count;
	uint32_t reserved;
	struct relay_counter counter[];
};

struct relay_status_interface {
	char name[RELAY_NAME_SIZE];
	char device[64];
	struct relay_ip address; /* the first one */
	uint16_t port_first;     /* of the first address */
	uint16_t port_last;
	uint32_t ports_used; /* of all addresses */
	uint32_t ports;      /* of all addresses */
	uint8_t link_up;
	uint8_t mac[6];
	uint8_t dscp;
	uint16_t vlan; /* 0: untagged */
	uint16_t addresses;
};

#define RELAY_STATUS_INTERFACES 16

struct relay_status_reply {
	struct relay_header header;
	char release[32];     /* "0.1.0" */
	char engine[64];      /* the crypto engine in use, and what it chose: "avx512 (...)" */
	char engine_why[128]; /* why this one: a trial's figures, or "as configured" */
	char memory[64];      /* "hugepages, 512 MiB" or "ordinary pages, 512 MiB" */
	uint64_t uptime_ms;
	uint64_t sessions;
	uint64_t sessions_max;
	uint64_t session_bytes; /* memory of one session */
	uint64_t mbufs_in_use;
	uint64_t mbufs;
	uint32_t pid;
	uint32_t workers;
	uint32_t interfaces;
	uint32_t draining; /* RELAY_DRAIN_* */
	struct relay_status_interface interface[RELAY_STATUS_INTERFACES];
};

enum relay_event_kind {
	RELAY_EVENT_TIMEOUT = 1,   /* no genuine media for timeout_ms: the session has been ended */
	RELAY_EVENT_LATCHED = 2,   /* a leg's remote address followed a genuine packet */
	RELAY_EVENT_DELETED = 3,   /* some client deleted the session */
	RELAY_EVENT_ONE_WAY = 4,   /* nothing genuine from this leg for media.one_way_s, while the
				    other one sends */
	RELAY_EVENT_BOTH_WAYS = 5, /* and here it is again */
	RELAY_EVENT_KEY_EXPIRING = 6, /* 7/8 of the lifetime of one of the leg's keys are used up */
	RELAY_EVENT_CAPTURE_END = 7,  /* a capture is complete; id: its session, or empty */
};

struct relay_event {
	struct relay_header header;
	char id[RELAY_ID_SIZE];
	uint32_t kind;            /* enum relay_event_kind */
	uint32_t leg;             /* 0 or 1, where it matters */
	struct relay_addr remote; /* LATCHED: the new address */
};

/* Asks for packets in a pcapng file. The request carries the file's descriptor (SCM_RIGHTS), which
 * the relay writes to and closes. One capture at a time. Packets are as on the wire: no key is in
 * them, and nothing is decrypted. */
struct relay_capture {
	struct relay_header header;
	char id[RELAY_ID_SIZE];          /* of a session; empty: a whole interface */
	char interface[RELAY_NAME_SIZE]; /* where there is no id; empty: the first */
	uint32_t packets;                /* end after so many; 0: no limit but time */
	uint32_t seconds;                /* end after so long, 1 to RELAY_CAPTURE_SECONDS_MAX; 0
					    ends the capture that runs */
	uint32_t snap;                   /* bytes of each packet; 0: whole */
	uint32_t reserved;
};

#define RELAY_CAPTURE_SECONDS_MAX 3600

_Static_assert(RELAY_DROP_COUNT <= RELAY_DROP_MAX, "a drop reason has a place in every leg");
_Static_assert(sizeof(struct relay_create) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_update) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_session) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_list_entry) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_status_reply) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_event) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_state_entry) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_restore) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_drain) % 8 == 0, "padded to 8");
_Static_assert(sizeof(struct relay_reply_error) % 8 == 0, "padded to 8");

#endif
