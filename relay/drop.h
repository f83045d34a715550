/* SPDX-License-Identifier: BSD-3-Clause */
/* Every reason for which the relay drops a packet. Part of the relay API: the numbers are stable,
 * new ones are added at the end. The sentence is what sallyctl and the manual print. */
#ifndef RELAY_DROP_H
#define RELAY_DROP_H

#define RELAY_DROP_REASONS(X)                                                                      \
	X(NONE, "none", "not a drop: the packet was relayed")                                      \
	X(ETHER_TRUNCATED, "ether_truncated", "frame shorter than its headers")                    \
	X(IP_BAD_HEADER, "ip_bad_header", "IP version or header length is wrong (RFC 1812 5.2.2)") \
	X(IP_BAD_LENGTH, "ip_bad_length", "IP total length is more than the frame holds")          \
	X(IP_BAD_CHECKSUM, "ip_bad_checksum", "IP header checksum is wrong")                       \
	X(IP_FRAGMENT, "ip_fragment", "a fragment for a media port: media is not fragmented")      \
	X(UDP_BAD_LENGTH, "udp_bad_length", "UDP length disagrees with the IP length")             \
	X(PORT_UNKNOWN, "port_unknown", "no session on this media port (scan, or late packet)")    \
	X(LEG_NOT_READY, "leg_not_ready", "the leg or its peer has no keys or address yet")        \
	X(RTP_TRUNCATED, "rtp_truncated", "shorter than its RTP header, MKI and tag")              \
	X(RTP_BAD_VERSION, "rtp_bad_version", "RTP version is not 2 (RFC 3550 5.1)")               \
	X(RTP_BAD_CSRC, "rtp_bad_csrc", "the CSRC count lies about the length")                    \
	X(RTP_BAD_EXTENSION, "rtp_bad_extension", "the header extension's length lies")            \
	X(RTCP_TRUNCATED, "rtcp_truncated", "shorter than SRTCP header, index, MKI and tag")       \
	X(RTCP_BAD_HEADER, "rtcp_bad_header", "RTCP version or type is wrong (RFC 3550 6.4)")      \
	X(RTCP_NOT_MUXED, "rtcp_not_muxed", "RTCP on the RTP port without a=rtcp-mux (RFC 5761)")  \
	X(RTCP_UNENCRYPTED, "rtcp_unencrypted", "SRTCP with E=0, which was not negotiated")        \
	X(RTP_ON_RTCP_PORT, "rtp_on_rtcp_port", "RTP on the RTCP port")                            \
	X(NOT_RTP, "not_rtp", "STUN, DTLS or other by its first byte (RFC 7983)")                  \
	X(MKI_MISMATCH, "mki_mismatch", "the master key identifier is not the negotiated one")     \
	X(AUTH_FAILED, "auth_failed", "the authentication tag does not verify")                    \
	X(AUTH_THROTTLED, "auth_throttled", "over the leg's budget of failed verifications")       \
	X(REPLAYED, "replayed", "this packet index was received before")                           \
	X(TOO_OLD, "too_old", "older than the replay window")                                      \
	X(SSRC_LIMIT, "ssrc_limit", "more SSRCs than a leg may have")                              \
	X(KEY_EXPIRED, "key_expired", "the key's lifetime is used up (RFC 3711 9.2)")              \
	X(SOURCE_MISMATCH, "source_mismatch", "from an address this leg does not accept")          \
	X(NEXT_HOP_UNRESOLVED, "next_hop_unresolved", "no link address for the next hop yet")      \
	X(MTU_EXCEEDED, "mtu_exceeded", "longer than the outgoing interface carries")              \
	X(TX_FULL, "tx_full", "the outgoing queue was full")                                       \
	X(HANDOVER_FULL, "handover_full", "the ring to the owning worker was full")                \
	X(EXCEPTION_FULL, "exception_full", "the queue to the kernel was full")                    \
	X(NO_MEMORY, "no_memory", "a bounded pool was empty")                                      \
	X(VLAN_UNKNOWN, "vlan_unknown", "tagged for a VLAN that no interface here has")            \
	X(FRAME_TOO_LONG, "frame_too_long", "a jumbo frame, longer than the interface's MTU")      \
	X(UDP_BAD_CHECKSUM, "udp_bad_checksum", "the UDP checksum is wrong (RFC 768)")             \
	X(UDP_NO_CHECKSUM, "udp_no_checksum", "IPv6 without a UDP checksum (RFC 8200 8.1)")        \
	X(RTP_BAD_PADDING, "rtp_bad_padding", "the padding count lies about the length")           \
	X(LEG_ON_HOLD, "leg_on_hold", "the other far end is on hold: nothing is sent to it")

enum relay_drop {
#define RELAY_DROP_ENUM(symbol, name, help) RELAY_DROP_##symbol,
	RELAY_DROP_REASONS(RELAY_DROP_ENUM)
#undef RELAY_DROP_ENUM
		RELAY_DROP_COUNT
};

/* The counter's name ("auth_failed") and its sentence; "unknown" for a number out of range. */
const char *relay_drop_name(unsigned reason);
const char *relay_drop_help(unsigned reason);

#endif
