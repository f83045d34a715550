/* SPDX-License-Identifier: BSD-3-Clause */
/* Session descriptions as phones write them. */
#ifndef TESTS_SDP_SAMPLES_H
#define TESTS_SDP_SAMPLES_H

#include "control/sdp_media.h"

static const enum relay_suite sample_suites[] = {RELAY_SUITE_AES_CM_128_HMAC_SHA1_80,
	RELAY_SUITE_AES_CM_128_HMAC_SHA1_32, RELAY_SUITE_AEAD_AES_256_GCM};
static const struct sdp_policy sample_required = {CONFIG_SRTP_REQUIRED, sample_suites, 3, false};

#define KEY_A "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
#define KEY_B "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
#define S80 "AES_CM_128_HMAC_SHA1_80"
#define S32 "AES_CM_128_HMAC_SHA1_32"
#define CRYPTO "a=crypto:1 " S80 " inline:" KEY_A "\r\n"

#define HEAD(address) \
	"v=0\r\no=alice 4321 1 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n"

/* The least that is taken: `lines` follow the m= line. */
#define LEAST(port, protocol, lines) HEAD("192.0.2.7") "m=audio " port " " protocol " 0 8\r\n" lines

/* In the manner of baresip with srtp-mand */
#define BARESIP                                                         \
	"v=0\r\no=- 2890844526 3517 IN IP4 192.0.2.7\r\ns=-\r\n"        \
	"c=IN IP4 192.0.2.7\r\nt=0 0\r\na=tool:baresip 1.0.0\r\n"       \
	"m=audio 10290 RTP/SAVP 96 0 8 101\r\nb=AS:125\r\n"             \
	"a=rtpmap:96 opus/48000/2\r\n"                                  \
	"a=fmtp:96 stereo=1;sprop-stereo=1;maxaveragebitrate=28000\r\n" \
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"              \
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"      \
	"a=rtcp:10291\r\na=sendrecv\r\na=label:1\r\na=rtcp-mux\r\n"     \
	"a=ssrc:1234 cname:sip:alice@192.0.2.7\r\na=ptime:20\r\n"       \
	"a=crypto:1 " S32 " inline:" KEY_A "\r\n"                       \
	"a=crypto:2 " S80 " inline:" KEY_B "\r\n"

/* In the manner of linphone: AVPF, ICE, many suites, video behind */
#define LINPHONE                                                                      \
	"v=0\r\no=alice 2155 3312 IN IP4 198.51.100.4\r\ns=Talk\r\n"                  \
	"c=IN IP4 198.51.100.4\r\nt=0 0\r\n"                                          \
	"a=ice-pwd:9a8b7c6d5e4f3a2b1c0d9e8f\r\na=ice-ufrag:8f3c91aa\r\n"              \
	"a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL\r\n"             \
	"m=audio 7078 RTP/SAVPF 96 97 98 0 8 18 101\r\n"                              \
	"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n"                    \
	"a=rtpmap:97 speex/16000\r\na=fmtp:97 vbr=on\r\n"                             \
	"a=rtpmap:98 speex/8000\r\na=fmtp:98 vbr=on\r\n"                              \
	"a=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/48000\r\n"              \
	"a=rtcp:7079 IN IP4 198.51.100.4\r\n"                                         \
	"a=crypto:1 " S80 " inline:" KEY_A "\r\n"                                     \
	"a=crypto:2 " S32 " inline:" KEY_B "\r\n"                                     \
	"a=crypto:3 AES_256_CM_HMAC_SHA1_80 "                                         \
	"inline:N9k4NFkHfI9U3M0wdwfvPcTvLOGRLTx7kjS4fRMRjfSU3P1sEbDPTCHo/m/k4w==\r\n" \
	"a=candidate:1 1 UDP 2130706431 198.51.100.4 7078 typ host\r\n"               \
	"a=candidate:1 2 UDP 2130706430 198.51.100.4 7079 typ host\r\n"               \
	"a=rtcp-fb:* trr-int 5000\r\na=rtcp-fb:* ccm tmmbr\r\n"                       \
	"m=video 9078 RTP/SAVPF 99\r\na=rtpmap:99 VP8/90000\r\n"                      \
	"a=crypto:1 " S80 " inline:" KEY_B "\r\n"                                     \
	"a=rtcp-fb:* nack pli\r\n"

#endif
