/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What did the wire say? Deciphers the SRTP that a capture (Ethernet, IPv4) has from a UDP port,
 * by an SRTP that is not the relay's (tests/evp_srtp.h), and writes its PCMU as 16-bit PCM.
 *
 *	srtp_hear FILE.pcap PORT SUITE KEY FILE.wav	KEY as in a=crypto: base64
 *
 * The ROC is found by trying. Exit status 0 if there was anything and all of it verified.
 */
#include "relay/suite.h"
#include "tests/evp_srtp.h"

#include <openssl/evp.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROC_MAX 3
#define PACKET_MAX 1500
#define RTP_HEADER 12
#define PCMU 0
#define RATE 8000 /* Hz */

struct listener {
	unsigned port;
	struct evp_srtp *in;
	FILE *wav;
	unsigned heard;
	unsigned bad;
	uint32_t bytes; /* of PCM */
};

/* G.711, table 2b */
static int16_t
sample_of(uint8_t code)
{
	int bits = (uint8_t)~code;
	int size = (((bits & 0x0f) << 3) + 0x84) << (bits >> 4 & 7);

	return (int16_t)((bits & 0x80) != 0 ? 0x84 - size : size - 0x84);
}

static void
put(FILE *out, uint32_t value, unsigned bytes)
{
	for (; bytes > 0; bytes--, value >>= 8)
		putc((int)(value & 0xff), out);
}

static void
write_header(FILE *out, uint32_t bytes)
{
	rewind(out);
	fputs("RIFF", out);
	put(out, 36 + bytes, 4);
	fputs("WAVEfmt ", out);
	put(out, 16, 4);
	put(out, 1, 2); /* PCM */
	put(out, 1, 2); /* one channel */
	put(out, RATE, 4);
	put(out, RATE * 2, 4);
	put(out, 2, 2);
	put(out, 16, 2);
	fputs("data", out);
	put(out, bytes, 4);
}

static void
hear(struct listener *listener, const uint8_t *packet, unsigned size)
{
	uint8_t clear[PACKET_MAX];
	unsigned length = 0;
	bool good = false;

	for (uint32_t roc = 0; roc < ROC_MAX && !good; roc++) {
		length = size;
		memcpy(clear, packet, size);
		good = evp_srtp_unprotect(listener->in, roc, clear, &length);
	}
	if (!good || length < RTP_HEADER) {
		listener->bad++;
		return;
	}
	listener->heard++;
	if ((clear[1] & 0x7f) != PCMU || (clear[0] & 0x1f) != 0)
		return;
	for (unsigned i = RTP_HEADER; i < length; i++)
		put(listener->wav, (uint16_t)sample_of(clear[i]), 2);
	listener->bytes += 2 * (length - RTP_HEADER);
}

static void
on_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
	struct listener *listener = (struct listener *)user;
	const u_char *ip = frame + 14;

	if (header->caplen < 14 + 20 + 8 + RTP_HEADER || frame[12] != 8 || frame[13] != 0)
		return;
	const u_char *udp = ip + (ip[0] & 0x0f) * 4;
	unsigned left = header->caplen - (unsigned)(udp - frame);
	if (ip[9] != 17 || left < 8 + RTP_HEADER ||
		(unsigned)(udp[0] << 8 | udp[1]) != listener->port)
		return;
	unsigned size = (unsigned)(udp[4] << 8 | udp[5]) - 8;
	if (size >= RTP_HEADER && size <= left - 8 && size <= PACKET_MAX)
		hear(listener, udp + 8, size);
}

static struct evp_srtp *
open_key(const char *suite, const char *text)
{
	struct relay_crypto crypto = {.suite = relay_suite_by_name(suite, strlen(suite))};
	const struct relay_suite_info *info = relay_suite_info(crypto.suite);
	uint8_t key[66];
	size_t length = strlen(text);

	if (info == NULL || length > 84 ||
		EVP_DecodeBlock(key, (const uint8_t *)text, (int)length) <
			(int)(info->key_length + info->salt_length))
		return NULL;
	memcpy(crypto.key, key, info->key_length);
	memcpy(crypto.salt, key + info->key_length, info->salt_length);
	return evp_srtp_create(&crypto);
}

int
main(int argc, char **argv)
{
	struct listener listener = {0};
	char error[PCAP_ERRBUF_SIZE];

	if (argc != 6) {
		fprintf(stderr, "usage: srtp_hear FILE.pcap PORT SUITE KEY FILE.wav\n");
		return 2;
	}
	pcap_t *capture = pcap_open_offline(argv[1], error);
	if (capture == NULL) {
		fprintf(stderr, "srtp_hear: %s: %s\n", argv[1], error);
		return 2;
	}
	listener.port = (unsigned)atoi(argv[2]);
	listener.in = open_key(argv[3], argv[4]);
	listener.wav = fopen(argv[5], "wb");
	if (listener.in == NULL || listener.wav == NULL) {
		fprintf(stderr,
			"srtp_hear: no such suite, a key that does not fit it, or %s can't be "
			"written\n",
			argv[5]);
		return 2;
	}
	write_header(listener.wav, 0);
	pcap_loop(capture, -1, on_frame, (u_char *)&listener);
	pcap_close(capture);
	write_header(listener.wav, listener.bytes);
	fclose(listener.wav);
	evp_srtp_destroy(listener.in);
	printf("{\"heard\": %u, \"bad\": %u}\n", listener.heard, listener.bad);
	return listener.heard > 0 && listener.bad == 0 ? 0 : 1;
}
