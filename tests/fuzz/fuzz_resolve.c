/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as what a DNS server answers, through the stack's own resolver: a look-up ends with
 * addresses that can be connected to, or with a sentence, or goes on waiting; it ends once. The
 * input is answers, one for each question: a length, the flags, how many records, and the records'
 * bytes, which may point back to the question's name by c00c. */
#include "control/resolve.h"
#include "fuzz.h"

#include <arpa/inet.h>
#include <sofia-resolv/sres.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/su.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/su_wait.h>
#include <sys/socket.h>

#define DNS_HEADER 12
#define DNS_MAX 1400
#define STEPS_MAX 80

static int server;
static su_root_t *root;
static const char *conf;
static unsigned ended;

static void
silence(void *stream, char const *format, va_list args)
{
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
	} address = {.v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
	socklen_t length = sizeof(address);
	char text[64];

	server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	demand(server >= 0 && bind(server, &address.any, sizeof(address.v4)) == 0 &&
			getsockname(server, &address.any, &length) == 0,
		"no socket");
	conf = fuzz_path("resolv.conf");
	int used = snprintf(
		text, sizeof(text), "nameserver 127.0.0.1\nport %u\n", ntohs(address.v4.sin_port));
	fuzz_write(conf, text, (size_t)used);
	su_init();
	su_log_redirect(NULL, silence, NULL);
	root = su_root_create(NULL);
	su_root_threading(root, 0);
	return 0;
}

static void
on_resolved(
	void *arg, const struct resolved *list, unsigned count, uint32_t ttl_s, const char *fault)
{
	ended++;
	demand(count <= RESOLVE_MAX && (count == 0) == (fault != NULL),
		"addresses and a fault, or neither");
	demand(ttl_s <= 86400, "it is good for too long");
	for (unsigned i = 0; i < count; i++) {
		demand(list[i].address.port != 0, "port 0");
		demand(list[i].address.ip.family == 4 || list[i].address.ip.family == 6,
			"an address of no family");
		for (unsigned k = 0; k < i; k++)
			demand(!relay_addr_equal(&list[i].address, &list[k].address),
				"one address twice");
	}
}

/* The length of the question behind the header; 0: there is none. */
static size_t
question_length(const uint8_t *query, size_t size)
{
	size_t at = DNS_HEADER;

	while (at < size && query[at] != 0)
		at += (size_t)query[at] + 1;
	return at + 5 <= size ? at + 5 - DNS_HEADER : 0;
}

/* Answers a question, if there is one, with the next of the input's answers. */
static bool
answer(const uint8_t **data, size_t *size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
	} from;
	socklen_t from_size = sizeof(from);
	uint8_t query[512], reply[DNS_MAX] = {0};
	ssize_t got = recvfrom(server, query, sizeof(query), 0, &from.any, &from_size);

	if (got < DNS_HEADER || *size < 3)
		return false;
	size_t question = question_length(query, (size_t)got);
	size_t length = (*data)[0] < *size - 3 ? (*data)[0] : *size - 3;
	memcpy(reply, query, DNS_HEADER + question);
	reply[2] = 0x80 | ((*data)[1] & 0x7f);
	reply[3] = (*data)[1] >> 4 & 0x0f;
	memset(reply + 6, 0, 6);
	reply[7] = (*data)[2] & 15;
	reply[9] = (*data)[2] >> 6;
	reply[11] = (*data)[2] >> 4 & 3;
	memcpy(reply + DNS_HEADER + question, *data + 3, length);
	*data += 3 + length;
	*size -= 3 + length;
	sendto(server, reply, DNS_HEADER + question + length, 0, &from.any, from_size);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t late[512];
	struct resolve *resolve = NULL;
	/* of its own: what another look-up learnt is not known */
	sres_resolver_t *resolver = sres_resolver_create(root, conf, TAG_END());

	demand(resolver != NULL, "no resolver");
	ended = 0;
	demand(resolve_start(resolver, "trunk.example", 0, RESOLVE_IPV4 | RESOLVE_IPV6, on_resolved,
		       NULL, &resolve) == 0,
		"out of memory");
	for (unsigned i = 0; i < STEPS_MAX && ended == 0; i++) {
		bool answered = answer(&data, &size);
		while (su_root_step(root, 0) == 0)
			;
		if (!answered && i > 0)
			break;
	}
	demand(ended <= 1, "it ended twice");
	if (ended == 0)
		resolve_cancel(resolve);
	sres_resolver_destroy(resolver);
	while (recv(server, late, sizeof(late), 0) >= 0)
		;
	return 0;
}
