/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * relay_session SOCKET ID LEG LEG: a controller of the relay API in miniature. Creates a session,
 * and prints the relay's ports and transmit keys as JSON.
 *
 * LEG is INTERFACE,SUITE,KEY,REMOTE[,FLAG...]: KEY what the far end sends with (base64 of master
 * key and salt), REMOTE its address (IPv4:PORT, or "-" for not known), FLAG mux, latch or
 * timeout=MS.
 *
 * Exit status: 0 created; 1 refused, with the relay's sentence on stderr; 2 wrong usage.
 */
#include "relay/client.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASTER_LENGTH 30 /* bytes: AES-128 key and salt */

static int
read_key(const char *suite, const char *text, struct relay_crypto *out)
{
	unsigned char binary[64];
	size_t length = strlen(text);

	out->suite = (uint8_t)relay_suite_by_name(suite, strlen(suite));
	if (out->suite == RELAY_SUITE_NONE || length != 40 ||
		EVP_DecodeBlock(binary, (const unsigned char *)text, (int)length) != MASTER_LENGTH)
		return -1;
	memcpy(out->key, binary, 16);
	memcpy(out->salt, binary + 16, 14);
	return 0;
}

static int
read_address(const char *text, struct relay_addr *out)
{
	const char *colon = strrchr(text, ':');

	if (strcmp(text, "-") == 0)
		return 0;
	if (colon == NULL || relay_ip_parse(text, (size_t)(colon - text), &out->ip) != 0)
		return -1;
	out->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return 0;
}

static int
read_leg(char *text, struct relay_leg_spec *leg, uint32_t *timeout_ms)
{
	char *interface = strsep(&text, ","), *suite = strsep(&text, ",");
	char *key = strsep(&text, ","), *remote = strsep(&text, ","), *flag;

	if (remote == NULL || strlen(interface) >= sizeof(leg->interface) ||
		read_key(suite, key, &leg->receive) != 0 ||
		read_address(remote, &leg->remote_rtp) != 0)
		return -1;
	strcpy(leg->interface, interface);
	while ((flag = strsep(&text, ",")) != NULL) {
		if (strcmp(flag, "mux") == 0)
			leg->flags |= RELAY_LEG_RTCP_MUX;
		else if (strcmp(flag, "latch") == 0)
			leg->flags |= RELAY_LEG_LATCH;
		else if (strncmp(flag, "timeout=", 8) == 0)
			*timeout_ms = (uint32_t)strtoul(flag + 8, NULL, 10);
		else
			return -1;
	}
	leg->transport = RELAY_TRANSPORT_SRTP;
	leg->transmit.suite = leg->receive.suite;
	return RAND_bytes(leg->transmit.key, 16) == 1 && RAND_bytes(leg->transmit.salt, 14) == 1
	               ? 0
	               : -1;
}

static void
print_leg(const struct relay_leg_info *info, const struct relay_leg_spec *spec, const char *end)
{
	unsigned char master[MASTER_LENGTH], text[64];
	char local[RELAY_ADDR_TEXT];

	memcpy(master, spec->transmit.key, 16);
	memcpy(master + 16, spec->transmit.salt, 14);
	EVP_EncodeBlock(text, master, MASTER_LENGTH);
	printf("  {\"local\": \"%s\", \"port\": %u, \"key\": \"%s\"}%s\n",
		relay_addr_format(&info->local_rtp, local), info->local_rtp.port, text, end);
}

int
main(int argc, char **argv)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};
	struct relay_client *client;
	union {
		struct relay_header header;
		struct relay_session session;
	} reply;

	if (argc != 5 || strlen(argv[2]) >= sizeof(request.id)) {
		fprintf(stderr, "Usage: relay_session SOCKET ID LEG LEG\n"
				"LEG: INTERFACE,SUITE,KEY,REMOTE[,mux][,latch][,timeout=MS]\n");
		return 2;
	}
	strcpy(request.id, argv[2]);
	for (unsigned i = 0; i < 2; i++)
		if (read_leg(argv[3 + i], &request.leg[i], &request.timeout_ms) != 0) {
			fprintf(stderr, "relay_session: leg %u makes no sense\n", i);
			return 2;
		}
	if (relay_client_connect(argv[1], &client) != 0 ||
		relay_client_call(client, &request, sizeof(request), &reply, sizeof(reply), 5000) !=
			0) {
		fprintf(stderr, "relay_session: no relay answers at %s\n", argv[1]);
		return 1;
	}
	if (reply.header.code != RELAY_OK) {
		fprintf(stderr, "relay_session: %s\n", relay_reply_reason(&reply.header));
		return 1;
	}
	printf("[\n");
	print_leg(&reply.session.leg[0], &request.leg[0], ",");
	print_leg(&reply.session.leg[1], &request.leg[1], "");
	printf("]\n");
	relay_client_close(client);
	return 0;
}
