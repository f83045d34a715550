/* SPDX-License-Identifier: BSD-3-Clause */
/* What is said, answered and counted of each verdict. */
#include "counters.h"
#include "sdp_media.h"

static const struct {
	int status;
	enum counter counter;
	const char *text;
} verdicts[SDP_VERDICT_COUNT] = {
	[SDP_OK] = {200, COUNTER_COUNT, "OK"},
	[SDP_TOO_LARGE] = {413, COUNTER_SDP_BROKEN, "SDP too large"},
	[SDP_BAD_CHARACTER] = {400, COUNTER_SDP_BROKEN, "Control character in SDP"},
	[SDP_SYNTAX] = {400, COUNTER_SDP_BROKEN, "SDP can't be read"},
	[SDP_TOO_MANY_STREAMS] = {488, COUNTER_SDP_BROKEN, "Too many media streams"},
	[SDP_NO_STREAMS] = {488, COUNTER_SDP_BROKEN, "No media stream"},
	[SDP_FEWER_STREAMS] = {488, COUNTER_SDP_BROKEN, "Fewer media streams than before"},
	[SDP_OTHER_STREAMS] = {488, COUNTER_SDP_ANSWER,
		"Answer's media streams are not the offer's"},
	[SDP_OTHER_PROFILE] = {488, COUNTER_SDP_POLICY,
		"Answer's media protocol is not the offer's"},
	[SDP_OLD_KEY] = {488, COUNTER_SDP_CRYPTO, "New media address with the old key"},
	[SDP_NO_MEMORY] = {500, COUNTER_SDP_MEMORY, "Out of memory"},
	[SDP_BAD_PORT] = {488, COUNTER_SDP_ADDRESS, "Media port out of range"},
	[SDP_NO_ADDRESS] = {400, COUNTER_SDP_BROKEN, "No connection address in SDP"},
	[SDP_BAD_ADDRESS] = {488, COUNTER_SDP_ADDRESS,
		"Connection address is not one numeric IP address"},
	[SDP_FORBIDDEN_ADDRESS] = {488, COUNTER_SDP_ADDRESS,
		"Connection address that media may not be sent to"},
	[SDP_OWN_ADDRESS] = {488, COUNTER_SDP_ADDRESS, "Connection address is the relay's own"},
	[SDP_BAD_RTCP] = {488, COUNTER_SDP_ADDRESS, "RTCP port or address not usable"},
	[SDP_NO_FORMAT] = {400, COUNTER_SDP_BROKEN, "No payload type"},
	[SDP_DUPLICATE_TAG] = {400, COUNTER_SDP_CRYPTO, "Two a=crypto with one tag"},
	[SDP_REJECTED] = {488, COUNTER_SDP_BROKEN, "Media stream refused: port 0"},
	[SDP_NOT_SRTP] = {488, COUNTER_SDP_POLICY, "SRTP required: RTP/SAVP with a=crypto"},
	[SDP_NOT_CLEAR] = {488, COUNTER_SDP_POLICY, "Plain RTP required: RTP/AVP"},
	[SDP_PROTOCOL] = {488, COUNTER_SDP_POLICY,
		"Media protocol not supported: RTP/SAVP with a=crypto needed"},
	[SDP_NO_CRYPTO] = {488, COUNTER_SDP_POLICY, "SRTP required: no a=crypto"},
	[SDP_UNUSABLE_CRYPTO] = {488, COUNTER_SDP_CRYPTO, "No usable a=crypto"},
	[SDP_NO_SUITE] = {488, COUNTER_SDP_CRYPTO, "None of the crypto suites is allowed"},
};

const char *
sdp_verdict_text(enum sdp_verdict verdict)
{
	return (unsigned)verdict < SDP_VERDICT_COUNT ? verdicts[verdict].text : "none";
}

int
sdp_verdict_status(enum sdp_verdict verdict)
{
	return (unsigned)verdict < SDP_VERDICT_COUNT ? verdicts[verdict].status : 500;
}

void
sdp_verdict_count(enum sdp_verdict verdict)
{
	if (verdict != SDP_OK && (unsigned)verdict < SDP_VERDICT_COUNT)
		counters_add(verdicts[verdict].counter);
}
