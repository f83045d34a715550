/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The media of many phones, by an SRTP that is not the relay's (tests/evp_srtp.h): each sends a
 * packet every 20 ms under its own key and ROC, and hears with a ROC of its own, by RFC 3711 3.3.1.
 *
 * One line of standard input for each phone, then "go":
 *	PORT RELAY_IP RELAY_PORT SEND_KEY HEAR_KEY SSRC SEQUENCE	keys: 30 bytes in hex
 * Then, answered by a line of JSON each:
 *	mark		what is measured begins
 *	ssrc N VALUE	phone N sends with another SSRC from now on
 *	hush		nobody sends any more
 *	report		of all since the mark: packets heard; bad: unverified; again: had
 *			an index heard before; lost: indices that are missing; the longest
 *			silence and the last, in ms. sent: the index after the last sent,
 *			heard: the one after the highest heard
 * It ends with its input.
 */
#include "tests/evp_srtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PHONES_MAX 512
#define PACKET_MS 20
#define HEADER 12
#define PAYLOAD 160
#define SSRCS 4   /* that a phone can hear */
#define WINDOW 64 /* packets that may come late */

struct heard {
	uint32_t ssrc;
	uint64_t highest; /* index, and one; 0: none */
	uint64_t window;  /* bit i: highest - 1 - i was heard */
};

struct phone {
	int fd;
	struct evp_srtp *out;
	struct evp_srtp *in;
	uint32_t ssrc;
	uint64_t index;
	uint32_t timestamp;
	struct heard heard[SSRCS];
	unsigned heard_count;
	/* since the mark */
	uint64_t packets;
	uint64_t bad;
	uint64_t again;
	int64_t lost;
	double last_ms;
	double longest_ms;
};

static struct phone phones[PHONES_MAX];
static unsigned count;
static bool hushed;

static double
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void
die(const char *what)
{
	fprintf(stderr, "srtp_phones: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct evp_srtp *
read_key(const char *hex)
{
	struct relay_crypto master = {.suite = RELAY_SUITE_AES_CM_128_HMAC_SHA1_80};

	for (unsigned i = 0; i < 30; i++) {
		unsigned byte;
		if (sscanf(hex + 2 * i, "%2x", &byte) != 1)
			die("a key is 30 bytes in hex");
		*(i < 16 ? &master.key[i] : &master.salt[i - 16]) = (uint8_t)byte;
	}
	return evp_srtp_create(&master);
}

static void
add_phone(const char *line)
{
	struct phone *phone = &phones[count];
	unsigned port = 0, relay_port = 0;
	char ip[64], send_key[64], hear_key[64];
	struct sockaddr_in at = {.sin_family = AF_INET}, relay = {.sin_family = AF_INET};

	if (count == PHONES_MAX ||
		sscanf(line, "%u %63s %u %63s %63s %" SCNu32 " %" SCNu64, &port, ip, &relay_port,
			send_key, hear_key, &phone->ssrc, &phone->index) != 7)
		die("no phone");
	at.sin_port = htons((uint16_t)port);
	relay.sin_port = htons((uint16_t)relay_port);
	inet_pton(AF_INET, ip, &relay.sin_addr);
	phone->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (phone->fd < 0 || bind(phone->fd, (const void *)&at, sizeof(at)) != 0 ||
		connect(phone->fd, (const void *)&relay, sizeof(relay)) != 0)
		die("a phone's socket");
	phone->out = read_key(send_key);
	phone->in = read_key(hear_key);
	count++;
}

static void
put_be(uint8_t *at, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

static void
speak(struct phone *phone)
{
	uint8_t packet[HEADER + PAYLOAD + EVP_SRTP_GROWTH] = {0x80, 0};
	unsigned length = HEADER + PAYLOAD;

	put_be(packet + 2, phone->index & 0xffff, 2);
	put_be(packet + 4, phone->timestamp, 4);
	put_be(packet + 8, phone->ssrc, 4);
	evp_srtp_protect(phone->out, (uint32_t)(phone->index >> 16), packet, &length);
	phone->index++;
	phone->timestamp += PAYLOAD;
	/* while the relay is away the kernel may say so: all the same */
	(void)!send(phone->fd, packet, length, MSG_DONTWAIT);
}

static struct heard *
heard_of(struct phone *phone, uint32_t ssrc)
{
	for (unsigned i = 0; i < phone->heard_count; i++)
		if (phone->heard[i].ssrc == ssrc)
			return &phone->heard[i];
	if (phone->heard_count == SSRCS)
		return NULL;
	phone->heard[phone->heard_count].ssrc = ssrc;
	return &phone->heard[phone->heard_count];
}

/* RFC 3711 3.3.1: the nearest to the highest; a stream begins with ROC 0. */
static uint64_t
estimate(const struct heard *heard, uint16_t sequence)
{
	if (heard->highest == 0)
		return sequence;
	uint64_t highest = heard->highest - 1;
	int16_t step = (int16_t)(uint16_t)(sequence - (uint16_t)highest);
	return step < 0 && highest < (uint64_t)-step ? sequence : highest + (uint64_t)(int64_t)step;
}

/* Was this index heard before? Notes it, and what is missing before it; or is no more. */
static bool
note(struct phone *phone, struct heard *heard, uint64_t index)
{
	if (index >= heard->highest) {
		uint64_t by = index + 1 - heard->highest;
		if (heard->highest > 0)
			phone->lost += (int64_t)by - 1;
		heard->window = by < WINDOW ? heard->window << by | 1 : 1;
		heard->highest = index + 1;
		return false;
	}
	uint64_t age = heard->highest - 1 - index;
	bool before = age >= WINDOW || (heard->window >> age & 1) != 0;
	if (age < WINDOW)
		heard->window |= UINT64_C(1) << age;
	if (!before)
		phone->lost--;
	return before;
}

static void
hear(struct phone *phone)
{
	uint8_t packet[2048];
	ssize_t got;

	while ((got = recv(phone->fd, packet, sizeof(packet), MSG_DONTWAIT)) >= 0 ||
		errno == ECONNREFUSED) {
		if (got < HEADER)
			continue;
		unsigned length = (unsigned)got;
		uint32_t ssrc = (uint32_t)packet[8] << 24 | (uint32_t)packet[9] << 16 |
		                (uint32_t)packet[10] << 8 | packet[11];
		struct heard *heard = heard_of(phone, ssrc);
		uint64_t index = 0;
		if (heard != NULL)
			index = estimate(heard, (uint16_t)(packet[2] << 8 | packet[3]));
		if (heard == NULL ||
			!evp_srtp_unprotect(phone->in, (uint32_t)(index >> 16), packet, &length)) {
			phone->bad++;
			continue;
		}
		if (heard == &phone->heard[phone->heard_count])
			phone->heard_count++;
		if (note(phone, heard, index)) {
			phone->again++;
			continue;
		}
		double now = now_ms();
		if (now - phone->last_ms > phone->longest_ms)
			phone->longest_ms = now - phone->last_ms;
		phone->last_ms = now;
		phone->packets++;
	}
}

static void
mark(void)
{
	for (unsigned i = 0; i < count; i++) {
		struct phone *phone = &phones[i];
		phone->packets = phone->bad = phone->again = 0;
		phone->lost = 0;
		phone->last_ms = now_ms();
		phone->longest_ms = 0;
	}
	puts("{}");
}

static void
report_phone(const struct phone *phone, double now)
{
	uint64_t heard = 0;

	if (phone->heard_count > 0)
		heard = phone->heard[phone->heard_count - 1].highest;
	printf("{\"packets\": %" PRIu64 ", \"bad\": %" PRIu64 ", \"again\": %" PRIu64
	       ", \"lost\": %" PRId64 ", \"longest_ms\": %.0f, \"last_ms\": %.0f",
		phone->packets, phone->bad, phone->again, phone->lost, phone->longest_ms,
		now - phone->last_ms);
	printf(", \"roc\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"heard\": %" PRIu64 "}",
		phone->index >> 16, phone->index, heard);
}

static void
report(void)
{
	double now = now_ms();

	for (unsigned i = 0; i < count; i++) {
		fputs(i == 0 ? "[" : ", ", stdout);
		report_phone(&phones[i], now);
	}
	puts("]");
}

static void
obey(const char *line)
{
	unsigned which;
	uint32_t ssrc;

	if (strncmp(line, "mark", 4) == 0) {
		mark();
	} else if (strncmp(line, "hush", 4) == 0) {
		hushed = true;
		puts("{}");
	} else if (strncmp(line, "report", 6) == 0) {
		report();
	} else if (sscanf(line, "ssrc %u %" SCNu32, &which, &ssrc) == 2 && which < count) {
		phones[which].ssrc = ssrc;
		phones[which].index = ssrc & 0x7fff;
		puts("{}");
	} else {
		die(line);
	}
	fflush(stdout);
}

/* Commands that have come; false: no more will. */
static bool
read_commands(void)
{
	static char input[256];
	static size_t filled;
	ssize_t got = read(0, input + filled, sizeof(input) - 1 - filled);
	char *end;

	if (got <= 0)
		return got < 0 && errno == EAGAIN;
	filled += (size_t)got;
	input[filled] = '\0';
	while ((end = strchr(input, '\n')) != NULL) {
		*end = '\0';
		obey(input);
		filled -= (size_t)(end + 1 - input);
		memmove(input, end + 1, filled + 1);
	}
	return true;
}

static void
run(void)
{
	static struct pollfd wait[PHONES_MAX + 1];
	double next[PACKET_MS];
	bool going = true;

	/* not all at once: a part of them in each millisecond */
	for (unsigned i = 0; i < PACKET_MS; i++)
		next[i] = now_ms() + i;
	wait[0] = (struct pollfd){.fd = 0, .events = POLLIN};
	for (unsigned i = 0; i < count; i++)
		wait[i + 1] = (struct pollfd){.fd = phones[i].fd, .events = POLLIN};
	while (going) {
		poll(wait, count + 1, 1);
		if (wait[0].revents != 0)
			going = read_commands();
		for (unsigned i = 0; i < count; i++)
			if (wait[i + 1].revents != 0)
				hear(&phones[i]);
		for (unsigned part = 0; part < PACKET_MS; part++)
			for (; now_ms() >= next[part]; next[part] += PACKET_MS)
				for (unsigned i = part; i < count && !hushed; i += PACKET_MS)
					speak(&phones[i]);
	}
}

int
main(void)
{
	char line[512];

	/* unbuffered: what follows "go" is read by run() */
	setvbuf(stdin, NULL, _IONBF, 0);
	while (fgets(line, sizeof(line), stdin) != NULL && strncmp(line, "go", 2) != 0)
		add_phone(line);
	fcntl(0, F_SETFL, O_NONBLOCK);
	run();
	return 0;
}
