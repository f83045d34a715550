/* SPDX-License-Identifier: BSD-3-Clause */
/* Two phones and a session between them, in the box: phone 0 on the access side, phone 1 on the
 * core. What a phone knows of SRTP it has from OpenSSL alone (tests/evp_srtp.h). */
#ifndef TESTS_CALL_H
#define TESTS_CALL_H

#include "box.h"
#include "tests/evp_srtp.h"

#define CALL_PAYLOAD 160
#define CALL_PORT 40000 /* a phone's; RTCP one above */

struct phone {
	enum box_side side;
	struct relay_addr address;
	struct evp_srtp *out; /* what it sends with: the relay's receive key */
	struct evp_srtp *in;  /* what it hears with: the relay's transmit key */
	uint32_t ssrc;
	uint64_t index; /* of its next packet: ROC || sequence */
	uint64_t heard; /* highest index of what it heard, and one; 0: nothing yet */
	uint32_t rtcp_index;
	uint32_t timestamp;
	uint8_t csrcs;
	bool extension;
	uint8_t padding; /* bytes, 0: none */
};

struct call {
	char id[RELAY_ID_SIZE];
	struct relay_leg_spec leg[2];
	struct relay_session info;
	struct phone phone[2];
	bool renumbered; /* sequence numbers may come out changed */
};

/* Readies legs and phones; change call->leg before call_open() where a test wants other than that.
 * RELAY_SUITE_NONE: a leg in clear. */
void call_plan(struct call *call, const char *id, enum relay_suite a, enum relay_suite b);
/* Creates the session. */
void call_open(struct call *call);
/* Plans and opens. */
void call_start(struct call *call, const char *id, enum relay_suite a, enum relay_suite b);
/* Deletes the session, and frees what the phones have. */
void call_end(struct call *call);

/* Takes over the keys in call->leg[leg]: after an update. */
void call_rekey(struct call *call, unsigned leg);

/* Makes a phone's next RTP packet, protected, addressed to the relay; it is sent by box_send(). The
 * packet in clear goes to `clear`, if not NULL. */
void phone_rtp(struct call *call, unsigned leg, struct datagram *out, struct datagram *clear);
void phone_rtcp(struct call *call, unsigned leg, struct datagram *out, struct datagram *clear);

/* What the other phone makes of a datagram from the relay: true if it is genuine RTP, now in
 * clear. */
bool phone_hear(struct call *call, unsigned leg, struct datagram *datagram);
bool phone_hear_rtcp(struct call *call, unsigned leg, struct datagram *datagram);

/* One packet from phone `leg`: does it come out at the other, byte for byte? Another difference
 * than silence ends the test. */
bool call_carries(struct call *call, unsigned leg);
bool call_carries_rtcp(struct call *call, unsigned leg);

/* Drops of a leg by reason, as the relay API tells them. */
uint64_t call_drops(const struct call *call, unsigned leg, enum relay_drop reason);

#endif
