/* SPDX-License-Identifier: BSD-3-Clause */
/* A controller of the relay API in miniature: see usage below. */
#include "relay/client.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
	"Usage: relay_session SOCKET ID LEG LEG\n"
	"       relay_session --update SOCKET ID LEGINDEX LEG WORDS\n"
	"       relay_session --export SOCKET ID\n"
	"\n"
	"Creates a session, or changes a leg (WORDS: remote, receive, transmit, transport, joined "
	"by\n"
	"+), and prints the relay's ports and transmit keys as JSON. --export prints what it "
	"tells\n"
	"of a session's legs to those whom it tells keys.\n"
	"\n"
	"LEG is INTERFACE,SUITE,KEY,REMOTE[,FLAG...]: KEY what the far end sends with (base64 of\n"
	"master key and salt); SUITE may be RTP or UDPTL, with - for KEY; REMOTE its address\n"
	"(IPv4:PORT, [IPv6]:PORT, or - for not known). FLAG: mux, latch, hold (send nothing),\n"
	"silent (expect nothing), dscp=N, clock=HZ, mki=HEX, tx=SUITE, local=IP, timeout=MS.\n"
	"\n"
	"Exit status: 0 done; 1 refused, with the relay's sentence; 2 wrong usage.\n";

static int
read_key(const char *suite, const char *text, struct relay_crypto *out)
{
	unsigned char binary[64];
	const struct relay_suite_info *info;
	size_t length = strlen(text);

	out->suite = (uint8_t)relay_suite_by_name(suite, strlen(suite));
	info = relay_suite_info(out->suite);
	if (info == NULL || length == 0 || length > 64 || length % 4 != 0)
		return -1;
	/* OpenSSL counts the padding's zeros as bytes, too */
	int read = EVP_DecodeBlock(binary, (const unsigned char *)text, (int)length);
	unsigned wanted = (unsigned)info->key_length + info->salt_length;
	if (read < 0 || (wanted + 2) / 3 * 3 != (unsigned)read)
		return -1;
	memcpy(out->key, binary, info->key_length);
	memcpy(out->salt, binary + info->key_length, info->salt_length);
	return 0;
}

static int
read_address(const char *text, struct relay_addr *out)
{
	const char *colon = strrchr(text, ':');
	size_t bracket = text[0] == '[' ? 1 : 0;

	if (strcmp(text, "-") == 0)
		return 0;
	if (colon == NULL ||
		relay_ip_parse(text + bracket, (size_t)(colon - text) - 2 * bracket, &out->ip) != 0)
		return -1;
	out->port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return 0;
}

static void
read_mki(const char *hex, struct relay_leg_spec *leg)
{
	unsigned byte, length = 0;

	while (length < RELAY_MKI_MAX && sscanf(hex + 2 * length, "%2x", &byte) == 1) {
		leg->receive.mki[length] = leg->transmit.mki[length] = (uint8_t)byte;
		length++;
	}
	leg->receive.mki_length = leg->transmit.mki_length = (uint8_t)length;
}

static int
read_flag(const char *flag, struct relay_leg_spec *leg, uint32_t *timeout_ms)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} bits[] = {{"mux", RELAY_LEG_RTCP_MUX}, {"latch", RELAY_LEG_LATCH},
		{"hold", RELAY_LEG_NO_SEND}, {"silent", RELAY_LEG_NO_RECEIVE}};
	const char *value = strchr(flag, '=');

	for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		if (strcmp(flag, bits[i].name) == 0) {
			leg->flags |= bits[i].bit;
			return 0;
		}
	if (value == NULL)
		return -1;
	value++;
	if (strncmp(flag, "timeout=", 8) == 0)
		*timeout_ms = (uint32_t)strtoul(value, NULL, 10);
	else if (strncmp(flag, "clock=", 6) == 0)
		leg->clock_rate = (uint32_t)strtoul(value, NULL, 10);
	else if (strncmp(flag, "mki=", 4) == 0)
		read_mki(value, leg);
	else if (strncmp(flag, "tx=", 3) == 0)
		leg->transmit.suite = (uint8_t)relay_suite_by_name(value, strlen(value));
	else if (strncmp(flag, "local=", 6) == 0)
		return relay_ip_parse(value, strlen(value), &leg->local_rtp.ip);
	else if (strncmp(flag, "dscp=", 5) != 0)
		return -1;
	if (strncmp(flag, "dscp=", 5) == 0) {
		leg->dscp = (uint8_t)strtoul(value, NULL, 10);
		leg->flags |= RELAY_LEG_DSCP;
	}
	return 0;
}

static int
make_transmit(struct relay_leg_spec *leg)
{
	const struct relay_suite_info *info = relay_suite_info(leg->transmit.suite);

	return info != NULL && RAND_bytes(leg->transmit.key, info->key_length) == 1 &&
	                       RAND_bytes(leg->transmit.salt, info->salt_length) == 1
	               ? 0
	               : -1;
}

static int
read_leg(char *text, struct relay_leg_spec *leg, uint32_t *timeout_ms)
{
	char *interface = strsep(&text, ","), *suite = strsep(&text, ",");
	char *key = strsep(&text, ","), *remote = strsep(&text, ","), *flag;

	if (remote == NULL || strlen(interface) >= sizeof(leg->interface) ||
		read_address(remote, &leg->remote_rtp) != 0)
		return -1;
	strcpy(leg->interface, interface);
	leg->transport = RELAY_TRANSPORT_SRTP;
	if (strcmp(suite, "RTP") == 0)
		leg->transport = RELAY_TRANSPORT_RTP;
	else if (strcmp(suite, "UDPTL") == 0)
		leg->transport = RELAY_TRANSPORT_UDPTL;
	else if (read_key(suite, key, &leg->receive) != 0)
		return -1;
	leg->transmit.suite = leg->receive.suite;
	while ((flag = strsep(&text, ",")) != NULL)
		if (read_flag(flag, leg, timeout_ms) != 0)
			return -1;
	return leg->transport == RELAY_TRANSPORT_SRTP ? make_transmit(leg) : 0;
}

static uint32_t
read_mask(char *text)
{
	static const char *const words[] = {"remote", "receive", "transmit", "transport"};
	uint32_t mask = 0;
	char *word;

	while ((word = strsep(&text, "+")) != NULL)
		for (unsigned i = 0; i < 4; i++)
			if (strcmp(word, words[i]) == 0)
				mask |= 1u << i;
	return mask;
}

static void
print_leg(const struct relay_leg_info *info, const struct relay_leg_spec *spec, const char *end)
{
	const struct relay_suite_info *suite = relay_suite_info(spec->transmit.suite);
	unsigned char master[64], text[96] = "";
	char local[RELAY_ADDR_TEXT];

	if (suite != NULL) {
		memcpy(master, spec->transmit.key, suite->key_length);
		memcpy(master + suite->key_length, spec->transmit.salt, suite->salt_length);
		EVP_EncodeBlock(text, master, suite->key_length + suite->salt_length);
	}
	printf("  {\"local\": \"%s\", \"port\": %u, \"suite\": \"%s\", \"key\": \"%s\"}%s\n",
		relay_addr_format(&info->local_rtp, local), info->local_rtp.port,
		suite != NULL ? suite->name : "", text, end);
}

static int
call(const char *path, void *request, size_t length, struct relay_session *session)
{
	struct relay_client *client;
	union {
		struct relay_header header;
		struct relay_session session;
	} reply;

	if (relay_client_connect(path, &client) != 0 ||
		relay_client_call(client, request, length, &reply, sizeof(reply), 5000) != 0) {
		fprintf(stderr, "relay_session: no relay answers at %s\n", path);
		return 1;
	}
	relay_client_close(client);
	if (reply.header.code != RELAY_OK) {
		fprintf(stderr, "relay_session: %s\n", relay_reply_reason(&reply.header));
		return 1;
	}
	*session = reply.session;
	return 0;
}

static int
create(char **argv)
{
	struct relay_create request = {.header = {.op = RELAY_OP_CREATE}};
	struct relay_session session;

	if (strlen(argv[1]) >= sizeof(request.id))
		return 2;
	strcpy(request.id, argv[1]);
	for (unsigned i = 0; i < 2; i++)
		if (read_leg(argv[2 + i], &request.leg[i], &request.timeout_ms) != 0) {
			fprintf(stderr, "relay_session: leg %u makes no sense\n", i);
			return 2;
		}
	/* the client wipes what it has sent, so the keys are printed from a copy */
	struct relay_create copy = request;
	if (call(argv[0], &request, sizeof(request), &session) != 0)
		return 1;
	printf("[\n");
	print_leg(&session.leg[0], &copy.leg[0], ",");
	print_leg(&session.leg[1], &copy.leg[1], "");
	printf("]\n");
	return 0;
}

static int
update(char **argv)
{
	struct relay_update request = {.header = {.op = RELAY_OP_UPDATE}};
	struct relay_session session;
	uint32_t timeout_ms;

	if (strlen(argv[1]) >= sizeof(request.id))
		return 2;
	strcpy(request.id, argv[1]);
	request.leg = (uint32_t)strtoul(argv[2], NULL, 10);
	request.mask = read_mask(argv[4]);
	if (read_leg(argv[3], &request.spec, &timeout_ms) != 0) {
		fprintf(stderr, "relay_session: the leg makes no sense\n");
		return 2;
	}
	struct relay_update copy = request;
	if (call(argv[0], &request, sizeof(request), &session) != 0)
		return 1;
	print_leg(&session.leg[copy.leg % 2], &copy.spec, "");
	return 0;
}

static int export(char **argv)
{
	struct relay_by_id request = {.header = {.op = RELAY_OP_EXPORT}};
	struct relay_client *client;
	struct relay_session session = {.age_ms = 0};
	union {
		struct relay_header header;
		struct relay_create create;
	} reply;

	if (strlen(argv[1]) >= sizeof(request.id))
		return 2;
	strcpy(request.id, argv[1]);
	if (relay_client_connect(argv[0], &client) != 0 ||
		relay_client_call(client, &request, sizeof(request), &reply, sizeof(reply), 5000) !=
			0) {
		fprintf(stderr, "relay_session: no relay answers at %s\n", argv[0]);
		return 1;
	}
	relay_client_close(client);
	if (reply.header.code != RELAY_OK) {
		fprintf(stderr, "relay_session: %s\n", relay_reply_reason(&reply.header));
		return 1;
	}
	for (unsigned i = 0; i < 2; i++)
		session.leg[i].local_rtp = reply.create.leg[i].local_rtp;
	printf("[\n");
	print_leg(&session.leg[0], &reply.create.leg[0], ",");
	print_leg(&session.leg[1], &reply.create.leg[1], "");
	printf("]\n");
	return 0;
}

int
main(int argc, char **argv)
{
	int result = 2;

	if (argc == 5)
		result = create(argv + 1);
	else if (argc == 7 && strcmp(argv[1], "--update") == 0)
		result = update(argv + 2);
	else if (argc == 4 && strcmp(argv[1], "--export") == 0)
		result = export(argv + 2);
	else
		fputs(usage, stderr);
	return result;
}
