/* SPDX-License-Identifier: BSD-3-Clause */
/* Traces: no secret stays in them, all else does, and both forms are what others read. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/trace_blank.h"
#include "control/trace_message.h"
#include "control/trace_writer.h"

#include <arpa/inet.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "INVITE sip:b@c SIP/2.0\r\nVia: SIP/2.0/TLS 192.0.2.1\r\n"
#define SDP "Content-Type: application/sdp\r\n\r\nv=0\r\n"

/* In memory that ends with the text: AddressSanitizer sees a step too far. */
static void
check(const char *before, const char *after)
{
	size_t length = strlen(before);
	char *text = malloc(length + 1);

	memcpy(text, before, length);
	trace_blank(text, length);
	text[length] = '\0';
	assert_string_equal(after, text);
	free(text);
}

static void
unchanged(const char *text)
{
	check(text, text);
}

static void
test_keys(void **state)
{
	check(HEAD SDP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRETsecret+/=\r\na=x\r\n",
		HEAD SDP "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:***************\r\na=x\r\n");
	check(HEAD SDP "a=crypto:1 S inline:KEY1|2^20|1:4;INLINE:KEY2|2^20 KDR=1\na=x\n",
		HEAD SDP "a=crypto:1 S inline:****|2^20|1:4;INLINE:****|2^20 KDR=1\na=x\n");
	check(HEAD SDP "a=crypto:1 S inline:KEY", HEAD SDP "a=crypto:1 S inline:***");
	check(HEAD SDP "A=CRYPTO:1 S other:KEY\r\n", HEAD SDP "A=CRYPTO**************\r\n");
	check(HEAD SDP "k=base64:KEY\r\na=key-mgmt:mikey KEY\r\n",
		HEAD SDP "k=**********\r\na=******************\r\n");
	/* wherever it stands */
	check(HEAD "Subject: inline:KEY\r\n\r\n", HEAD "Subject: inline:***\r\n\r\n");
	check("inline:KEY", "inline:***");
	check("inline:", "inline:");
	/* a NUL ends nothing */
	char text[] = "inline:KEY\0KEY|1";
	trace_blank(text, sizeof(text) - 1);
	assert_memory_equal("inline:*******|1", text, sizeof(text) - 1);
}

static void
test_bodies(void **state)
{
	unchanged(HEAD "c: application/sdp\r\n\r\nv=0\r\na=rtpmap:0 PCMU/8000\r\n");
	check(HEAD "Content-Type: text/plain\r\n\r\nmeet me\r\nat 8",
		HEAD "Content-Type: text/plain\r\n\r\n*******\r\n****");
	check(HEAD "Content-Type: application/dtmf-relay\r\n\r\nSignal=5\r\n",
		HEAD "Content-Type: application/dtmf-relay\r\n\r\n********\r\n");
	check(HEAD "Content-Encoding: gzip\r\n" SDP,
		HEAD "Content-Encoding: gzip\r\n"
		     "Content-Type: application/sdp\r\n\r\n***\r\n");
	check(HEAD "Content-Type:\r\n multipart/mixed\r\n\r\nv=0",
		HEAD "Content-Type:\r\n multipart/mixed\r\n\r\n***");
	check(HEAD "\r\nno type", HEAD "\r\n*******");
}

static void
test_proofs(void **state)
{
	check(HEAD "Authorization: Digest username=\"a\", response=\"1234\", nc=1\r\n\r\n",
		HEAD "Authorization: Digest username=\"a\", response*******, nc=1\r\n\r\n");
	check(HEAD
		"proxy-authorization :\r\n Digest nonce=\"n\",\r\n\tRESPONSE = \"12\"\r\nX: y\r\n",
		HEAD
		"proxy-authorization :\r\n Digest nonce=\"n\",\r\n\tRESPONSE*******\r\nX: y\r\n");
	check(HEAD "Authorization: Basic abcd\r\n\r\n", HEAD "Authorization: **********\r\n\r\n");
	check(HEAD "Authorization: Digest abcd\r\n\r\n", HEAD "Authorization: ***********\r\n\r\n");
	check(HEAD "Authentication-Info: rspauth=\"1\", nc=1\r\n\r\n",
		HEAD "Authentication-Info: *****************\r\n\r\n");
	unchanged(HEAD "WWW-Authenticate: Digest nonce=\"n\", opaque=\"o\"\r\n\r\n");
	unchanged(HEAD "Identity: a.b.c;info=<https://x>\r\nAuthorizations: Basic x\r\n\r\n");
}

static void
test_odd_messages(void **state)
{
	unchanged("");
	unchanged("\r\n\r\n");
	unchanged(HEAD);
	check("x\n\ny", "x\n\n*");
	unchanged(":\r\n \r\n");
	unchanged("Authorization");
	unchanged("Authorization:");
	check("Authorization:\r\n x", "Authorization:\r\n *");
}

static struct trace_message *
message_new(const char *from, const char *to, const char *text, size_t length)
{
	struct trace_message *message = calloc(1, sizeof(*message) + length);

	message->at = (struct timespec){.tv_sec = 1700000000, .tv_nsec = 123456789};
	assert_int_equal(0, relay_ip_parse(from, strlen(from), &message->from.ip));
	assert_int_equal(0, relay_ip_parse(to, strlen(to), &message->to.ip));
	message->from.port = 5061;
	message->to.port = 40000;
	message->length = length;
	memcpy(message->text, text, length);
	return message;
}

/* The bytes of a chunk, found by walking all of them by their lengths. */
static const uint8_t *
chunk(const uint8_t *packet, size_t length, unsigned type, size_t expected)
{
	const uint8_t *found = NULL;
	size_t at = 6;

	assert_memory_equal("HEP3", packet, 4);
	assert_int_equal(length, packet[4] << 8 | packet[5]);
	while (at < length) {
		assert_in_range(length - at, 6, SIZE_MAX);
		assert_int_equal(0, packet[at] << 8 | packet[at + 1]);
		size_t size = (size_t)packet[at + 4] << 8 | packet[at + 5];
		assert_in_range(size, 6, length - at);
		if ((unsigned)(packet[at + 2] << 8 | packet[at + 3]) == type) {
			assert_int_equal(expected, size - 6);
			found = packet + at + 6;
		}
		at += size;
	}
	assert_int_equal(length, at);
	return found;
}

static void
test_hep(void **state)
{
	static uint8_t packet[66000];
	struct trace_message *message = message_new("192.0.2.1", "198.51.100.7", "hello", 5);
	size_t length = trace_hep_encode(message, 2001, packet, sizeof(packet));

	assert_memory_equal("\x02", chunk(packet, length, 1, 1), 1);
	assert_memory_equal("\x06", chunk(packet, length, 2, 1), 1);
	assert_memory_equal("\xc0\x00\x02\x01", chunk(packet, length, 3, 4), 4);
	assert_memory_equal("\xc6\x33\x64\x07", chunk(packet, length, 4, 4), 4);
	assert_memory_equal("\x13\xc5", chunk(packet, length, 7, 2), 2);
	assert_memory_equal("\x9c\x40", chunk(packet, length, 8, 2), 2);
	assert_memory_equal("\x65\x53\xf1\x00", chunk(packet, length, 9, 4), 4);
	assert_memory_equal("\x00\x01\xe2\x40", chunk(packet, length, 10, 4), 4);
	assert_memory_equal("\x01", chunk(packet, length, 11, 1), 1);
	assert_memory_equal("\x00\x00\x07\xd1", chunk(packet, length, 12, 4), 4);
	assert_memory_equal("hello", chunk(packet, length, 15, 5), 5);
	/* what does not fit is cut, or not sent at all */
	size_t less = trace_hep_encode(message, 2001, packet, length - 2);
	assert_memory_equal("hello", chunk(packet, less, 15, 3), 3);
	for (size_t room = 0; room < length - 5; room++)
		assert_int_equal(0, trace_hep_encode(message, 2001, packet, room));
	free(message);
	message = message_new("2001:db8::1", "2001:db8::2", "hi", 2);
	length = trace_hep_encode(message, 7, packet, sizeof(packet));
	assert_memory_equal("\x0a", chunk(packet, length, 1, 1), 1);
	assert_int_equal(1, chunk(packet, length, 5, 16)[15]);
	assert_int_equal(2, chunk(packet, length, 6, 16)[15]);
	free(message);
	message = message_new("2001:db8::1", "192.0.2.1", "hi", 2);
	assert_int_equal(0, trace_hep_encode(message, 7, packet, sizeof(packet)));
	free(message);
}

static void
test_huge(void **state)
{
	static uint8_t packet[70000];
	static char text[66000];
	struct trace_message *message = message_new("192.0.2.1", "192.0.2.2", text, sizeof(text));
	size_t length = trace_hep_encode(message, 1, packet, sizeof(packet));

	assert_int_equal(TRACE_DATAGRAM_MAX, length);
	assert_non_null(chunk(packet, length, 12, 4));
	assert_int_equal(TRACE_DATAGRAM_MAX + 28, trace_ip_encode(message, packet, sizeof(packet)));
	assert_int_equal(0xffff, packet[2] << 8 | packet[3]);
	free(message);
}

/* RFC 1071: right checksums make all ones. */
static unsigned
sum(const uint8_t *bytes, size_t count, unsigned start)
{
	for (size_t i = 0; i < count; i++)
		start += i % 2 == 0 ? (unsigned)bytes[i] << 8 : bytes[i];
	while (start > 0xffff)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static void
test_ip(void **state)
{
	uint8_t packet[200];
	struct trace_message *message = message_new("192.0.2.1", "198.51.100.7", "hello", 5);

	assert_int_equal(33, trace_ip_encode(message, packet, sizeof(packet)));
	assert_int_equal(0xffff, sum(packet, 20, 0));
	assert_int_equal(0xffff, sum(packet + 12, 21, 17 + 13));
	assert_memory_equal("hello", packet + 28, 5);
	assert_int_equal(30, trace_ip_encode(message, packet, 30));
	assert_int_equal(0, trace_ip_encode(message, packet, 27));
	free(message);
	message = message_new("2001:db8::1", "2001:db8::2", "hello", 5);
	assert_int_equal(53, trace_ip_encode(message, packet, sizeof(packet)));
	assert_int_equal(0xffff, sum(packet + 8, 45, 17 + 13));
	free(message);
}

static void
test_writer(void **state)
{
	char path[] = "/tmp/sallyport-trace-XXXXXX", error[256];
	int fd = mkstemp(path), receiver = socket(AF_INET, SOCK_DGRAM, 0);
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
	} at = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
	struct config_trace config = {
		.hep = (char *)"udp:127.0.0.1", .hep_id = 1, .pcap = path, .pcap_mb = 1};
	socklen_t length = sizeof(at);
	uint8_t packet[200];
	struct trace_writer *writer;

	close(fd);
	assert_int_equal(0, bind(receiver, &at.any, sizeof(at)));
	assert_int_equal(0, getsockname(receiver, &at.any, &length));
	assert_int_equal(0, relay_ip_parse("127.0.0.1", 9, &config.hep_address.ip));
	config.hep_address.port = ntohs(at.v4.sin_port);
	/* two lives go on with one file */
	for (unsigned life = 0; life < 2; life++) {
		assert_int_equal(0, trace_writer_create(&config, &writer, error, sizeof(error)));
		assert_true(trace_writer_put(
			writer, message_new("192.0.2.1", "192.0.2.2", "hello", 5)));
		ssize_t got = recv(receiver, packet, sizeof(packet), 0);
		assert_memory_equal("hello", chunk(packet, (size_t)got, 15, 5), 5);
		assert_int_equal(0, trace_writer_lost(writer));
		trace_writer_destroy(writer);
	}
	pcap_t *read = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const unsigned char *data;
	assert_non_null(read);
	assert_int_equal(DLT_RAW, pcap_datalink(read));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(1, pcap_next_ex(read, &header, &data));
		assert_int_equal(33, header->caplen);
		assert_memory_equal("hello", data + 28, 5);
	}
	assert_int_equal(PCAP_ERROR_BREAK, pcap_next_ex(read, &header, &data));
	pcap_close(read);
	close(receiver);
	unlink(path);
}

/* A file has an end, and so has the queue. */
static void
test_writer_bounds(void **state)
{
	char path[] = "/tmp/sallyport-trace-XXXXXX", error[256];
	struct config_trace config = {.pcap = path, .pcap_mb = 1};
	static char text[60000];
	struct trace_writer *writer;
	struct stat facts;

	close(mkstemp(path));
	assert_int_equal(0, trace_writer_create(&config, &writer, error, sizeof(error)));
	for (unsigned i = 0; i < 2000; i++)
		trace_writer_put(writer, message_new("192.0.2.1", "192.0.2.2", text, sizeof(text)));
	trace_writer_destroy(writer);
	assert_int_equal(0, stat(path, &facts));
	assert_in_range(facts.st_size, 1024 * 1024, 1024 * 1024 + 70000);
	unlink(path);
	FILE *file = fopen(path, "w");
	fputs("no capture, but a text of somebody's", file);
	fclose(file);
	assert_int_not_equal(0, trace_writer_create(&config, &writer, error, sizeof(error)));
	assert_non_null(strstr(error, "is no capture that can be continued"));
	assert_int_equal(0, stat(path, &facts));
	assert_int_equal(36, facts.st_size);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_proofs),
		cmocka_unit_test(test_odd_messages),
		cmocka_unit_test(test_hep),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_ip),
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_writer_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
