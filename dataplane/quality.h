/* SPDX-License-Identifier: BSD-3-Clause */
/* How well a leg's far end is heard: loss and jitter of its RTP (RFC 3550 6.4.1, A.3, A.8), what
 * its RTCP reports say (6.4), and an estimate of what a listener makes of it (ITU-T G.107). */
#ifndef DATAPLANE_QUALITY_H
#define DATAPLANE_QUALITY_H

#include "flow.h"

/* The clock rate of a static payload type (RFC 3551 6) in BRIDGE_CLOCK_UNIT, 0: dynamic. */
uint16_t quality_static_clock(unsigned payload_type);

/* Notes a genuine RTP packet that has just been accepted: of a new SSRC, all begins anew. So where
 * SSRCs alternate, the caller passes those of one of them. `index` is its packet index, `timestamp`
 * that of RTP, `now` tick_now(), `clock` in BRIDGE_CLOCK_UNIT (0: jitter stays unknown). An index
 * or timestamp that leaps (a far end that starts anew with its SSRC) counts neither as loss nor as
 * jitter. Owning worker. No system call. */
void quality_note_rtp(struct flow_quality *quality, uint32_t ssrc, uint64_t index,
	uint32_t timestamp, uint64_t now, uint16_t clock);

/* Reads a compound or reduced-size RTCP packet in clear (RFC 3550 6.1, RFC 5506), `length` bytes
 * from its first header on, never past it; what is malformed ends the reading, and is no error: the
 * far end reads it, too. `from` is the state of the flow that it came in by, `back` that of the
 * other direction. `clock`: of the RTP that the sender of the reports receives from us, in which it
 * measures jitter. Owning worker of both. */
void quality_note_rtcp(struct flow_quality *from, struct flow_quality *back, const uint8_t *data,
	unsigned length, uint64_t now, uint16_t clock);

/* What the relay API tells of a flow; all but `roc` and `ssrcs`, which are left as they are. Any
 * thread. */
void quality_describe(const struct flow_quality *quality, struct relay_quality *out);

/* The E-model's rating R turned into MOS, times 100 (ITU-T G.107 annex B), for G.711 with packet
 * loss concealment (G.113 appendix I): `loss` 0 to 1, one-way delay and jitter in milliseconds. A
 * jitter buffer is taken to hold back packets for twice the jitter. */
unsigned quality_mos_100(double loss, double delay_ms, double jitter_ms);

#endif
