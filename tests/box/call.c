/* SPDX-License-Identifier: BSD-3-Clause */
#include "call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAIL(...) (fprintf(stderr, "call: " __VA_ARGS__), fputc('\n', stderr), abort())

static const char *const far[2] = {"198.51.100.50", "203.0.113.60"};

void
call_plan(struct call *call, const char *id, enum relay_suite a, enum relay_suite b)
{
	const enum relay_suite suites[2] = {a, b};
	static unsigned seed = 1;

	memset(call, 0, sizeof(*call));
	strcpy(call->id, id);
	for (unsigned i = 0; i < 2; i++) {
		struct phone *phone = &call->phone[i];
		phone->side = i == 0 ? BOX_ACCESS : BOX_CORE;
		phone->address = box_address(far[i], CALL_PORT);
		phone->ssrc = 0x1000 * seed + i;
		phone->index = 1000;
		call->leg[i] = box_leg(phone->side, far[i], CALL_PORT);
		if (suites[i] != RELAY_SUITE_NONE)
			box_srtp(&call->leg[i], suites[i], seed * 2 + i);
	}
	seed++;
}

static void
replace(struct evp_srtp **place, const struct relay_crypto *key)
{
	if (*place != NULL)
		evp_srtp_destroy(*place);
	*place = evp_srtp_create(key);
}

void
call_rekey(struct call *call, unsigned leg)
{
	replace(&call->phone[leg].out, &call->leg[leg].receive);
	replace(&call->phone[leg].in, &call->leg[leg].transmit);
}

void
call_open(struct call *call)
{
	call_rekey(call, 0);
	call_rekey(call, 1);
	call->info = box_create(call->id, &call->leg[0], &call->leg[1]);
}

void
call_start(struct call *call, const char *id, enum relay_suite a, enum relay_suite b)
{
	call_plan(call, id, a, b);
	call_open(call);
}

void
call_end(struct call *call)
{
	struct relay_session info = box_query(call->id);

	if (info.id[0] != '\0')
		box_delete(call->id);
	box_run();
	for (unsigned i = 0; i < 2; i++) {
		evp_srtp_destroy(call->phone[i].out);
		evp_srtp_destroy(call->phone[i].in);
	}
}

static void
put_be(uint8_t *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static void
write_rtp(struct phone *phone, struct datagram *out)
{
	uint8_t *at = out->data;
	unsigned length = 12 + 4u * phone->csrcs;

	at[0] = (uint8_t)(0x80 | phone->csrcs | (phone->extension ? 0x10 : 0) |
			  (phone->padding > 0 ? 0x20 : 0));
	at[1] = 0;
	put_be(at + 2, phone->index & 0xffff, 2);
	put_be(at + 4, phone->timestamp, 4);
	put_be(at + 8, phone->ssrc, 4);
	for (unsigned i = 0; i < phone->csrcs; i++)
		put_be(at + 12 + 4 * i, 0xc5c50000 + i, 4);
	if (phone->extension) {
		put_be(at + length, 0xbede0002, 4);
		put_be(at + length + 4, 0x10aa0000, 4);
		put_be(at + length + 8, 0, 4);
		length += 12;
	}
	for (unsigned i = 0; i < CALL_PAYLOAD; i++)
		at[length++] = (uint8_t)(phone->index * 7 + i);
	if (phone->padding > 0) {
		memset(at + length, 0, phone->padding);
		length += phone->padding;
		at[length - 1] = phone->padding;
	}
	out->length = length;
}

void
phone_rtp(struct call *call, unsigned leg, struct datagram *out, struct datagram *clear)
{
	struct phone *phone = &call->phone[leg];

	memset(out, 0, sizeof(*out));
	out->from = phone->address;
	out->to = call->info.leg[leg].local_rtp;
	write_rtp(phone, out);
	if (clear != NULL)
		*clear = *out;
	evp_srtp_protect(phone->out, (uint32_t)(phone->index >> 16), out->data, &out->length);
	phone->index++;
	phone->timestamp += CALL_PAYLOAD;
}

void
phone_rtcp(struct call *call, unsigned leg, struct datagram *out, struct datagram *clear)
{
	/* a sender report without blocks, and a CNAME: RFC 3550 6.1 */
	struct phone *phone = &call->phone[leg];
	bool mux = (call->leg[leg].flags & RELAY_LEG_RTCP_MUX) != 0;
	uint8_t *at = out->data;

	memset(out, 0, sizeof(*out));
	out->from = phone->address;
	out->from.port = (uint16_t)(out->from.port + (mux ? 0 : 1));
	out->to = call->info.leg[leg].local_rtcp;
	at[0] = 0x80;
	at[1] = 200;
	put_be(at + 2, 6, 2);
	put_be(at + 4, phone->ssrc, 4);
	put_be(at + 8, 0xe0000000 + phone->rtcp_index, 4);
	at[28] = 0x81;
	at[29] = 202;
	put_be(at + 30, 2, 2);
	put_be(at + 32, phone->ssrc, 4);
	at[36] = 1;
	at[37] = 1;
	at[38] = 'x';
	out->length = 40;
	if (clear != NULL)
		*clear = *out;
	evp_srtp_protect_rtcp(phone->out, ++phone->rtcp_index, out->data, &out->length);
}

/* RFC 3711 3.3.1, by distance: the index with this sequence nearest to the highest one heard. */
static uint64_t
nearest(uint64_t heard, uint16_t sequence)
{
	uint64_t best = sequence;

	for (uint64_t roc = 0; heard > 0 && roc <= (heard >> 16) + 1; roc++) {
		uint64_t index = roc << 16 | sequence;
		uint64_t old = best > heard ? best - heard : heard - best;
		uint64_t distance = index > heard ? index - heard : heard - index;
		if (distance < old)
			best = index;
	}
	return best;
}

bool
phone_hear(struct call *call, unsigned leg, struct datagram *datagram)
{
	struct phone *phone = &call->phone[leg];
	uint16_t sequence = (uint16_t)(datagram->data[2] << 8 | datagram->data[3]);
	uint64_t index = nearest(phone->heard > 0 ? phone->heard - 1 : 0, sequence);

	if (phone->heard == 0)
		index = sequence;
	if (!evp_srtp_unprotect(
		    phone->in, (uint32_t)(index >> 16), datagram->data, &datagram->length))
		return false;
	if (index >= phone->heard)
		phone->heard = index + 1;
	return true;
}

bool
phone_hear_rtcp(struct call *call, unsigned leg, struct datagram *datagram)
{
	uint32_t index;

	return evp_srtp_unprotect_rtcp(
		call->phone[leg].in, datagram->data, &datagram->length, &index);
}

static bool
comes_out(struct call *call, unsigned leg, const struct datagram *sent,
	const struct datagram *clear, bool rtcp)
{
	unsigned other = 1 - leg;
	struct datagram heard;

	box_send(call->phone[leg].side, sent);
	box_run();
	if (!box_receive(call->phone[other].side, &heard))
		return false;
	if (rtcp ? !phone_hear_rtcp(call, other, &heard) : !phone_hear(call, other, &heard))
		FAIL("phone %u can't verify what it was sent", other);
	/* the sequence number may be the relay's own, after a far end has run back */
	if (!rtcp && call->renumbered)
		memcpy(heard.data + 2, clear->data + 2, 2);
	if (heard.length != clear->length || memcmp(heard.data, clear->data, clear->length) != 0)
		FAIL("phone %u hears something else than phone %u said", other, leg);
	return true;
}

bool
call_carries(struct call *call, unsigned leg)
{
	struct datagram sent, clear;

	phone_rtp(call, leg, &sent, &clear);
	return comes_out(call, leg, &sent, &clear, false);
}

bool
call_carries_rtcp(struct call *call, unsigned leg)
{
	struct datagram sent, clear;

	phone_rtcp(call, leg, &sent, &clear);
	return comes_out(call, leg, &sent, &clear, true);
}

uint64_t
call_drops(const struct call *call, unsigned leg, enum relay_drop reason)
{
	return box_query(call->id).leg[leg].drops[reason];
}
