/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace_message.h"

#include <stdbool.h>
#include <string.h>

#define IPV4_SIZE 20
#define IPV6_SIZE 40
#define UDP_SIZE 8
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define HOPS 64

/* HEP3: the types of the chunks of vendor 0, "generic". */
enum hep_chunk {
	HEP_FAMILY = 1,
	HEP_PROTOCOL = 2,
	HEP_FROM_IPV4 = 3,
	HEP_TO_IPV4 = 4,
	HEP_FROM_IPV6 = 5,
	HEP_TO_IPV6 = 6,
	HEP_FROM_PORT = 7,
	HEP_TO_PORT = 8,
	HEP_SECONDS = 9,
	HEP_MICROSECONDS = 10,
	HEP_KIND = 11,
	HEP_AGENT = 12,
	HEP_PAYLOAD = 15,
};

#define HEP_HEADER_SIZE 6 /* "HEP3", length */
#define HEP_CHUNK_SIZE 6  /* vendor, type, length: of the chunk with this header */
#define HEP_FAMILY_IPV4 2
#define HEP_FAMILY_IPV6 10
#define HEP_KIND_SIP 1

/* Bytes being written. */
struct writer {
	uint8_t *at;
	uint8_t *end;
	bool full;
};

static void
put_bytes(struct writer *to, const void *bytes, size_t count)
{
	if ((size_t)(to->end - to->at) < count) {
		to->full = true;
		return;
	}
	memcpy(to->at, bytes, count);
	to->at += count;
}

static void
put_16(struct writer *to, unsigned value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put_bytes(to, bytes, sizeof(bytes));
}

static void
put_chunk(struct writer *to, enum hep_chunk type, const void *bytes, size_t count)
{
	put_16(to, 0);
	put_16(to, type);
	put_16(to, (unsigned)(HEP_CHUNK_SIZE + count));
	put_bytes(to, bytes, count);
}

static void
put_chunk_8(struct writer *to, enum hep_chunk type, uint8_t value)
{
	put_chunk(to, type, &value, 1);
}

static void
put_chunk_16(struct writer *to, enum hep_chunk type, uint16_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};

	put_chunk(to, type, bytes, sizeof(bytes));
}

static void
put_chunk_32(struct writer *to, enum hep_chunk type, uint32_t value)
{
	const uint8_t bytes[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16),
		(uint8_t)(value >> 8), (uint8_t)value};

	put_chunk(to, type, bytes, sizeof(bytes));
}

size_t
trace_hep_encode(const struct trace_message *message, uint32_t agent, uint8_t *out, size_t room)
{
	struct writer to = {
		out, out + (room < TRACE_DATAGRAM_MAX ? room : TRACE_DATAGRAM_MAX), false};
	bool v6 = message->from.ip.family == 6;
	size_t size = v6 ? 16 : 4;

	if (message->from.ip.family != message->to.ip.family || message->from.ip.family == 0)
		return 0;
	put_bytes(&to, "HEP3\0\0", HEP_HEADER_SIZE);
	put_chunk_8(&to, HEP_FAMILY, v6 ? HEP_FAMILY_IPV6 : HEP_FAMILY_IPV4);
	put_chunk_8(&to, HEP_PROTOCOL, PROTOCOL_TCP);
	put_chunk(&to, v6 ? HEP_FROM_IPV6 : HEP_FROM_IPV4, message->from.ip.ip, size);
	put_chunk(&to, v6 ? HEP_TO_IPV6 : HEP_TO_IPV4, message->to.ip.ip, size);
	put_chunk_16(&to, HEP_FROM_PORT, message->from.port);
	put_chunk_16(&to, HEP_TO_PORT, message->to.port);
	put_chunk_32(&to, HEP_SECONDS, (uint32_t)message->at.tv_sec);
	put_chunk_32(&to, HEP_MICROSECONDS, (uint32_t)(message->at.tv_nsec / 1000));
	put_chunk_8(&to, HEP_KIND, HEP_KIND_SIP);
	put_chunk_32(&to, HEP_AGENT, agent);
	if (to.full || (size_t)(to.end - to.at) < HEP_CHUNK_SIZE)
		return 0;
	size_t left = (size_t)(to.end - to.at) - HEP_CHUNK_SIZE;
	put_chunk(&to, HEP_PAYLOAD, message->text, message->length < left ? message->length : left);
	size_t length = (size_t)(to.at - out);
	out[4] = (uint8_t)(length >> 8);
	out[5] = (uint8_t)length;
	return length;
}

/* RFC 1071, of an even count of bytes but at the end. */
static uint32_t
sum_bytes(uint32_t sum, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i + 1 < count; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	if (count % 2 != 0)
		sum += (uint32_t)bytes[count - 1] << 8;
	return sum;
}

static uint16_t
fold(uint32_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Over the pseudo header, too: RFC 768, RFC 8200 8.1. */
static void
set_udp_checksum(const struct trace_message *message, size_t size, uint8_t *udp, size_t count)
{
	uint32_t sum = PROTOCOL_UDP + (uint32_t)count;

	sum = sum_bytes(sum, message->from.ip.ip, size);
	sum = sum_bytes(sum, message->to.ip.ip, size);
	uint16_t check = fold(sum_bytes(sum, udp, count));
	if (check == 0)
		check = 0xffff;
	udp[6] = (uint8_t)(check >> 8);
	udp[7] = (uint8_t)check;
}

static void
put_ipv4(struct writer *to, const struct trace_message *message, size_t payload)
{
	uint8_t *start = to->at;

	put_bytes(to, "\x45\0", 2);
	put_16(to, (unsigned)(IPV4_SIZE + payload));
	put_bytes(to, "\0\0\0\0", 4);
	put_bytes(to, (const uint8_t[]){HOPS, PROTOCOL_UDP, 0, 0}, 4);
	put_bytes(to, message->from.ip.ip, 4);
	put_bytes(to, message->to.ip.ip, 4);
	uint16_t check = fold(sum_bytes(0, start, IPV4_SIZE));
	start[10] = (uint8_t)(check >> 8);
	start[11] = (uint8_t)check;
}

static void
put_ipv6(struct writer *to, const struct trace_message *message, size_t payload)
{
	put_bytes(to, "\x60\0\0\0", 4);
	put_16(to, (unsigned)payload);
	put_bytes(to, (const uint8_t[]){PROTOCOL_UDP, HOPS}, 2);
	put_bytes(to, message->from.ip.ip, 16);
	put_bytes(to, message->to.ip.ip, 16);
}

size_t
trace_ip_encode(const struct trace_message *message, uint8_t *out, size_t room)
{
	struct writer to = {out, out + room, false};
	bool v6 = message->from.ip.family == 6;
	size_t headers = (v6 ? IPV6_SIZE : IPV4_SIZE) + UDP_SIZE, length = message->length;

	if (message->from.ip.family != message->to.ip.family || message->from.ip.family == 0 ||
		room < headers)
		return 0;
	if (length > TRACE_DATAGRAM_MAX)
		length = TRACE_DATAGRAM_MAX;
	if (length > room - headers)
		length = room - headers;
	if (v6)
		put_ipv6(&to, message, UDP_SIZE + length);
	else
		put_ipv4(&to, message, UDP_SIZE + length);
	uint8_t *udp = to.at;
	put_16(&to, message->from.port);
	put_16(&to, message->to.port);
	put_16(&to, (unsigned)(UDP_SIZE + length));
	put_16(&to, 0);
	put_bytes(&to, message->text, length);
	set_udp_checksum(message, v6 ? 16 : 4, udp, UDP_SIZE + length);
	return (size_t)(to.at - out);
}
