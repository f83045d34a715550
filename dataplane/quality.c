/* SPDX-License-Identifier: BSD-3-Clause */
#include "quality.h"

#include "tick.h"

#define MAX_DROPOUT 3000 /* packets, RFC 3550 A.1: a greater leap is no loss, but a new beginning */
#define LEAP_SECONDS 10  /* packets further out of time than this tell of no network's jitter */

#define MOS_PACKETS 50 /* with fewer, there is nothing to estimate from: a second of speech */

#define RTCP_SR 200
#define RTCP_RR 201
#define RTCP_COMMON 4 /* bytes of what all RTCP packets begin with, RFC 3550 6.4.1 */
#define RTCP_SR_FIXED 28
#define RTCP_RR_FIXED 8
#define RTCP_BLOCK 24

static uint32_t
read_32(const uint8_t *data)
{
	return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static uint32_t
load(const _Atomic uint32_t *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static void
store(_Atomic uint32_t *field, uint32_t value)
{
	atomic_store_explicit(field, value, memory_order_relaxed);
}

static void
store_16(_Atomic uint16_t *field, uint64_t value)
{
	atomic_store_explicit(field, (uint16_t)(value < UINT16_MAX ? value : UINT16_MAX - 1),
		memory_order_relaxed);
}

uint16_t
quality_static_clock(unsigned payload_type)
{
	/* RFC 3551 6, tables 4 and 5 */
	switch (payload_type) {
	case 0:  /* PCMU */
	case 3:  /* GSM */
	case 4:  /* G723 */
	case 5:  /* DVI4 */
	case 7:  /* LPC */
	case 8:  /* PCMA */
	case 9:  /* G722: 8000 by 4.5.2, although it samples at 16000 */
	case 12: /* QCELP */
	case 13: /* CN */
	case 15: /* G728 */
	case 18: /* G729 */
		return 8000 / BRIDGE_CLOCK_UNIT;
	case 6: /* DVI4 */
		return 16000 / BRIDGE_CLOCK_UNIT;
	case 10: /* L16, stereo */
	case 11: /* L16 */
		return 44100 / BRIDGE_CLOCK_UNIT;
	case 16: /* DVI4 */
		return 11025 / BRIDGE_CLOCK_UNIT;
	case 17: /* DVI4 */
		return 22050 / BRIDGE_CLOCK_UNIT;
	case 14: /* MPA */
	case 25: /* CelB */
	case 26: /* JPEG */
	case 28: /* nv */
	case 31: /* H261 */
	case 32: /* MPV */
	case 33: /* MP2T */
	case 34: /* H263 */
		return 90000 / BRIDGE_CLOCK_UNIT;
	default:
		return 0;
	}
}

/* The transit time of RFC 3550 A.8, modulo 2^32. The product is exact to a hundredth of a unit for
 * a year of the fastest clock: it stays below 2^53, which a double counts by ones. */
static uint32_t
transit_of(uint32_t timestamp, uint64_t now, uint16_t clock)
{
	double ms = (double)(int64_t)(now - tick.start) * tick.ms_per_cycle;

	return (uint32_t)(uint64_t)(int64_t)(ms * (clock * (BRIDGE_CLOCK_UNIT / 1000.0))) -
	       timestamp;
}

/* RFC 3550 A.3. Returns whether the packet follows those before, false: its index has leapt. */
static bool
note_index(struct flow_quality *quality, uint32_t index)
{
	uint32_t expected = load(&quality->expected);
	uint32_t newest = quality->base + expected - 1;
	int32_t ahead = (int32_t)(index - newest);
	bool follows = ahead >= -MAX_DROPOUT && ahead <= MAX_DROPOUT;

	if (!follows) {
		/* what was lost until now stays lost; this packet is taken for the next one */
		quality->base = index - expected;
		ahead = 1;
	}
	if (ahead > 0)
		store(&quality->expected, expected + (uint32_t)ahead);
	store(&quality->received, load(&quality->received) + 1);
	return follows;
}

static uint32_t
late_us(int64_t distance, uint16_t clock)
{
	/* nearly all telephony's: without a division */
	if (clock == 8000 / BRIDGE_CLOCK_UNIT)
		return (uint32_t)(distance * (1000000 / 8000));
	return (uint32_t)((uint64_t)distance * (1000000 / BRIDGE_CLOCK_UNIT) / clock);
}

/* RFC 3550 A.8, in integers, and in microseconds: what is told later knows no clock */
static void
note_transit(struct flow_quality *quality, uint32_t transit, bool follows, uint16_t clock)
{
	uint32_t jitter = load(&quality->jitter);
	int32_t moved = (int32_t)(transit - quality->transit);
	int64_t distance = moved < 0 ? -(int64_t)moved : moved;

	quality->transit = transit;
	if (jitter == UINT32_MAX) /* the first packet whose clock is known */
		jitter = 0;
	else if (follows && distance <= (int64_t)clock * BRIDGE_CLOCK_UNIT * LEAP_SECONDS)
		jitter += late_us(distance, clock) - ((jitter + 8) >> 4);
	store(&quality->jitter, jitter);
}

void
quality_note_rtp(struct flow_quality *quality, uint32_t ssrc, uint64_t index, uint32_t timestamp,
	uint64_t now, uint16_t clock)
{
	bool follows = true;

	if (load(&quality->received) == 0 || load(&quality->ssrc) != ssrc) {
		store(&quality->ssrc, ssrc);
		quality->base = (uint32_t)index;
		store(&quality->expected, 1);
		store(&quality->received, 1);
		store(&quality->jitter, UINT32_MAX);
	} else {
		follows = note_index(quality, (uint32_t)index);
	}
	if (clock != 0)
		note_transit(quality, transit_of(timestamp, now, clock), follows, clock);
	else
		store(&quality->jitter, UINT32_MAX);
}

/* The far end's round trip, RFC 3550 6.4.1: now, less when it was sent, less what it was held. */
static void
note_round_trip(struct flow_quality *from, const struct flow_quality *back, const uint8_t *block,
	uint32_t now)
{
	uint32_t last_report = read_32(block + 16);
	uint32_t delay = read_32(block + 20);
	int32_t round_trip = (int32_t)(now - back->report_at - delay); /* 1/65536 s */

	if (last_report == 0 || last_report != back->report || round_trip < 0)
		return;
	store_16(&from->round_trip_ms, (uint64_t)round_trip * 4000 / 65536);
}

/* RFC 3550 6.4.1: SSRC; fraction and cumulative lost; highest sequence number; jitter; LSR; DLSR */
static void
note_block(struct flow_quality *from, const struct flow_quality *back, const uint8_t *block,
	uint32_t now, uint16_t clock)
{
	uint32_t lost = read_32(block + 4);
	uint64_t hertz = (uint64_t)clock * BRIDGE_CLOCK_UNIT;

	if (load(&back->received) == 0 || read_32(block) != load(&back->ssrc))
		return;
	if (lost & 0x800000) /* negative: there were more duplicates than losses */
		lost &= 0xff000000;
	store(&from->remote_lost, lost);
	if (hertz != 0)
		store_16(&from->remote_jitter_ms, (uint64_t)read_32(block + 12) * 1000 / hertz);
	else
		atomic_store_explicit(&from->remote_jitter_ms, UINT16_MAX, memory_order_relaxed);
	note_round_trip(from, back, block, now);
}

/* The middle 32 bits of a sender report's NTP timestamp: what the other leg's far end will call
 * LSR. Only of the stream that the flow's numbers are about: reports will be sought for that
 * alone. */
static void
note_sender_report(struct flow_quality *from, const uint8_t *packet, uint32_t now)
{
	if (load(&from->received) != 0 && read_32(packet + 4) != load(&from->ssrc))
		return;
	from->report = read_32(packet + 10);
	from->report_at = now;
}

/* Bytes before a report's blocks, 0: not a report. */
static unsigned
fixed_length(unsigned packet_type)
{
	if (packet_type == RTCP_SR)
		return RTCP_SR_FIXED;
	return packet_type == RTCP_RR ? RTCP_RR_FIXED : 0;
}

void
quality_note_rtcp(struct flow_quality *from, struct flow_quality *back, const uint8_t *data,
	unsigned length, uint64_t now, uint16_t clock)
{
	uint32_t now_65536 = tick_65536_of(now);

	while (length >= RTCP_COMMON && data[0] >> 6 == 2) {
		unsigned size = 4u * (((unsigned)data[2] << 8 | data[3]) + 1);
		unsigned blocks = data[0] & 0x1f;
		unsigned fixed = fixed_length(data[1]);

		if (size > length)
			return;
		if (fixed != 0) {
			if (size < fixed + blocks * RTCP_BLOCK)
				return;
			if (data[1] == RTCP_SR)
				note_sender_report(from, data, now_65536);
			for (unsigned i = 0; i < blocks; i++)
				note_block(from, back, data + fixed + i * RTCP_BLOCK, now_65536,
					clock);
		}
		data += size;
		length -= size;
	}
}

static void
describe_remote(const struct flow_quality *quality, struct relay_quality *out)
{
	uint32_t lost = load(&quality->remote_lost);
	unsigned jitter_ms = atomic_load_explicit(&quality->remote_jitter_ms, memory_order_relaxed);
	unsigned quarters = atomic_load_explicit(&quality->round_trip_ms, memory_order_relaxed);

	out->remote_lost = lost != UINT32_MAX ? lost & 0xffffff : RELAY_UNKNOWN;
	out->remote_lost_256 = lost != UINT32_MAX ? (uint16_t)(lost >> 24) : 0;
	out->remote_jitter_us = jitter_ms != UINT16_MAX ? jitter_ms * 1000 : RELAY_UNKNOWN;
	out->round_trip_us = quarters != UINT16_MAX ? quarters * 250 : RELAY_UNKNOWN;
}

void
quality_describe(const struct flow_quality *quality, struct relay_quality *out)
{
	uint32_t received = load(&quality->received);
	uint32_t jitter = load(&quality->jitter);
	double delay_ms = 0, jitter_ms = 0;

	out->ssrc = load(&quality->ssrc);
	out->expected = load(&quality->expected);
	out->lost = out->expected > received ? out->expected - received : 0;
	out->jitter_us = jitter != UINT32_MAX ? jitter >> 4 : RELAY_UNKNOWN;
	describe_remote(quality, out);
	out->mos_100 = 0;
	if (received < MOS_PACKETS)
		return;
	if (out->round_trip_us != RELAY_UNKNOWN)
		delay_ms = out->round_trip_us / 2000.0;
	if (out->jitter_us != RELAY_UNKNOWN)
		jitter_ms = out->jitter_us / 1000.0;
	out->mos_100 =
		(uint16_t)quality_mos_100((double)out->lost / out->expected, delay_ms, jitter_ms);
}

unsigned
quality_mos_100(double loss, double delay_ms, double jitter_ms)
{
	double d = delay_ms + 2 * jitter_ms;
	double percent = 100 * loss;
	double r = 93.2 - 0.024 * d, mos; /* G.107's default rating, less Id for delay */

	if (d > 177.3)
		r -= 0.11 * (d - 177.3);
	r -= 95 * percent / (percent + 25.1); /* Ie_eff for Ie = 0, Bpl = 25.1: G.113 appendix I */
	if (r <= 0)
		return 100;
	if (r >= 100)
		return 450;
	mos = 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6;
	if (mos < 1) /* the polynomial sags below, for the smallest of R */
		mos = 1;
	return (unsigned)(100 * mos + 0.5);
}
