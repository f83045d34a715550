/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wire_check CAPTURE KEYS: who can read the media in a capture?
 *
 * KEYS has one key a line: NAME SUITE BASE64 (master key and salt, as in a=crypto). Each RTP flow
 * of the capture is tried with each key, by libsrtp2, which shares no code with Sallyport; and it
 * is listened to without any key, as plain G.711: music would have a waveform, ciphertext is noise.
 * Prints JSON: for each flow its addresses and packets, how many each key decrypts, and how smooth
 * the payload is without.
 */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <pcap/pcap.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS_MAX 16
#define FLOWS_MAX 64
#define MASTER_LENGTH 30 /* bytes: AES-128 key and salt */
#define PLAIN_LIMIT 0.5  /* of the sound's energy: noise changes by more from sample to sample */

struct key {
	char name[32];
	bool short_tag; /* _32 */
	uint8_t master[MASTER_LENGTH];
};

struct flow {
	uint32_t source, destination; /* IPv4, network order */
	uint16_t source_port, destination_port;
	uint32_t ssrc;
	unsigned packets;
	unsigned decrypted[KEYS_MAX];
	srtp_t session[KEYS_MAX];
	double difference, energy; /* of the payload, listened to as G.711 */
};

static struct key keys[KEYS_MAX];
static unsigned keys_count;
static struct flow flows[FLOWS_MAX];
static unsigned flows_count;

static int
read_keys(const char *path)
{
	char suite[64], text[128];
	uint8_t binary[128];
	FILE *file = fopen(path, "r");

	if (file == NULL)
		return -1;
	while (keys_count < KEYS_MAX &&
		fscanf(file, "%31s %63s %127s", keys[keys_count].name, suite, text) == 3) {
		struct key *key = &keys[keys_count];
		size_t length = strlen(text);
		if (length % 4 != 0 ||
			EVP_DecodeBlock(binary, (unsigned char *)text, (int)length) < MASTER_LENGTH)
			continue;
		memcpy(key->master, binary, MASTER_LENGTH);
		key->short_tag = strstr(suite, "_32") != NULL;
		keys_count++;
	}
	fclose(file);
	return keys_count > 0 ? 0 : -1;
}

static srtp_t
open_session(const struct key *key, uint32_t ssrc)
{
	srtp_policy_t policy;
	srtp_t session = NULL;

	memset(&policy, 0, sizeof(policy));
	if (key->short_tag)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
	else
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = ssrc;
	policy.key = (uint8_t *)(uintptr_t)key->master;
	policy.window_size = 1024;
	return srtp_create(&session, &policy) == srtp_err_status_ok ? session : NULL;
}

static struct flow *
find_flow(const struct flow *like)
{
	for (unsigned i = 0; i < flows_count; i++)
		if (flows[i].source == like->source && flows[i].destination == like->destination &&
			flows[i].source_port == like->source_port &&
			flows[i].destination_port == like->destination_port &&
			flows[i].ssrc == like->ssrc)
			return &flows[i];
	if (flows_count == FLOWS_MAX)
		return NULL;
	struct flow *flow = &flows[flows_count++];
	*flow = *like;
	for (unsigned k = 0; k < keys_count; k++)
		flow->session[k] = open_session(&keys[k], flow->ssrc);
	return flow;
}

/* G.711 mu-law, ITU-T G.711: sign, exponent, mantissa, all inverted. */
static double
ulaw(uint8_t byte)
{
	byte = (uint8_t)~byte;
	int value = (((byte & 0x0f) << 3) + 0x84) << ((byte & 0x70) >> 4);

	return (byte & 0x80) ? 0x84 - value : value - 0x84;
}

static void
listen_plain(struct flow *flow, const uint8_t *payload, unsigned length)
{
	for (unsigned i = 1; i < length; i++) {
		double now = ulaw(payload[i]), before = ulaw(payload[i - 1]);
		flow->difference += (now - before) * (now - before);
		flow->energy += 2 * now * now;
	}
}

static void
try_packet(const struct flow *like, const uint8_t *rtp, unsigned length)
{
	struct flow *flow = find_flow(like);

	if (flow == NULL)
		return;
	flow->packets++;
	for (unsigned k = 0; k < keys_count; k++) {
		uint8_t copy[2048];
		int size = (int)length;
		memcpy(copy, rtp, length);
		if (flow->session[k] != NULL &&
			srtp_unprotect(flow->session[k], copy, &size) == srtp_err_status_ok)
			flow->decrypted[k]++;
	}
	if (length > 12 + 10)
		listen_plain(flow, rtp + 12, length - 12 - 10);
}

/* Ethernet, IPv4, UDP, and RTP by its version and payload type (RFC 5761). */
static void
on_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *frame)
{
	unsigned length = header->caplen;

	(void)user;
	if (length < 14 + 20 + 8 + 12 || frame[12] != 8 || frame[13] != 0 || frame[23] != 17)
		return;
	unsigned ip = (frame[14] & 0x0fu) * 4;
	const u_char *udp = frame + 14 + ip, *rtp = udp + 8;
	if (14 + ip + 8 + 12 > length || length - 14 - ip - 8 > 2000)
		return;
	if (rtp[0] >> 6 != 2 || (rtp[1] >= 192 && rtp[1] <= 223))
		return;
	struct flow like = {.ssrc = (uint32_t)rtp[8] << 24 | (uint32_t)rtp[9] << 16 |
	                            (uint32_t)rtp[10] << 8 | rtp[11],
		.source_port = (uint16_t)(udp[0] << 8 | udp[1]),
		.destination_port = (uint16_t)(udp[2] << 8 | udp[3])};
	memcpy(&like.source, frame + 26, 4);
	memcpy(&like.destination, frame + 30, 4);
	unsigned datagram = (unsigned)(udp[4] << 8 | udp[5]);
	if (datagram < 8 + 12 || datagram > length - 14 - ip)
		return;
	try_packet(&like, rtp, datagram - 8);
}

static void
print_flow(const struct flow *flow, bool last)
{
	char source[INET_ADDRSTRLEN], destination[INET_ADDRSTRLEN];
	double roughness = flow->energy > 0 ? flow->difference / flow->energy : 1;

	inet_ntop(AF_INET, &flow->source, source, sizeof(source));
	inet_ntop(AF_INET, &flow->destination, destination, sizeof(destination));
	printf("  {\"source\": \"%s:%u\", \"destination\": \"%s:%u\", \"ssrc\": %u, "
	       "\"packets\": %u, \"plain\": %s, \"roughness\": %.3f, \"decrypted\": {",
		source, flow->source_port, destination, flow->destination_port, flow->ssrc,
		flow->packets, roughness < PLAIN_LIMIT ? "true" : "false", roughness);
	for (unsigned k = 0; k < keys_count; k++)
		printf("%s\"%s\": %u", k > 0 ? ", " : "", keys[k].name, flow->decrypted[k]);
	printf("}}%s\n", last ? "" : ",");
}

int
main(int argc, char **argv)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *capture;

	if (argc != 3) {
		fprintf(stderr, "Usage: wire_check CAPTURE KEYS (lines of: NAME SUITE BASE64)\n");
		return 2;
	}
	if (srtp_init() != srtp_err_status_ok || read_keys(argv[2]) != 0) {
		fprintf(stderr, "wire_check: %s holds no key\n", argv[2]);
		return 1;
	}
	capture = pcap_open_offline(argv[1], error);
	if (capture == NULL) {
		fprintf(stderr, "wire_check: %s\n", error);
		return 1;
	}
	if (pcap_datalink(capture) != DLT_EN10MB) {
		fprintf(stderr, "wire_check: %s is no capture of Ethernet\n", argv[1]);
		return 1;
	}
	pcap_loop(capture, -1, on_frame, NULL);
	pcap_close(capture);
	puts("[");
	for (unsigned i = 0; i < flows_count; i++)
		print_flow(&flows[i], i + 1 == flows_count);
	puts("]");
	for (unsigned i = 0; i < flows_count; i++)
		for (unsigned k = 0; k < keys_count; k++)
			if (flows[i].session[k] != NULL)
				srtp_dealloc(flows[i].session[k]);
	srtp_shutdown();
	memset(keys, 0, sizeof(keys));
	return 0;
}
