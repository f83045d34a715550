/* SPDX-License-Identifier: BSD-3-Clause */
#include "udp_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <srtp2/srtp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKET_BUFFER (64 << 20) /* bytes: what comes out must not be lost here */
#define STREAMS_MAX 65536
#define SSRC_FIRST 0x5a110000u

/* --- far ends --- */

static int
open_far(const struct sockaddr_in *far)
{
	int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = SOCKET_BUFFER;

	if (made < 0 || bind(made, (const struct sockaddr *)far, sizeof(*far)) != 0)
		fail("far end %s:%u: %s: is the address there, and free?", inet_ntoa(far->sin_addr),
			ntohs(far->sin_port), strerror(errno));
	if (setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
		setsockopt(made, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		fail("far end %s:%u: no large buffer: %s: run it as root", inet_ntoa(far->sin_addr),
			ntohs(far->sin_port), strerror(errno));
	return made;
}

static int
far_socket(struct traffic *traffic, const struct sockaddr_in *far)
{
	for (unsigned i = 0; i < traffic->sockets; i++)
		if (memcmp(&traffic->far[i], far, sizeof(*far)) == 0)
			return traffic->socket[i];
	if (traffic->sockets == 2)
		fail("the calls have more than two far ends: udp_load takes two");
	traffic->far[traffic->sockets] = *far;
	traffic->socket[traffic->sockets] = open_far(far);
	return traffic->socket[traffic->sockets++];
}

static void
read_key(const char *suite, const char *text, struct relay_crypto *crypto)
{
	enum relay_suite number = relay_suite_by_name(suite, strlen(suite));
	const struct relay_suite_info *info = relay_suite_info(number);
	uint8_t master[64];
	size_t length = strlen(text);

	memset(crypto, 0, sizeof(*crypto));
	if (info == NULL || info->aead || length > 64 || length % 4 != 0)
		fail("suite %s with key %s: udp_load takes AES-CM only", suite, text);
	int got = EVP_DecodeBlock(master, (const uint8_t *)text, (int)length);
	if (got < info->key_length + info->salt_length)
		fail("a key of %s is too short: %s", suite, text);
	crypto->suite = (uint8_t)number;
	memcpy(crypto->key, master, info->key_length);
	memcpy(crypto->salt, master + info->key_length, info->salt_length);
}

static struct sockaddr_in
read_address(const char *address, unsigned port)
{
	struct sockaddr_in made = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	if (inet_pton(AF_INET, address, &made.sin_addr) != 1)
		fail("%s is no IPv4 address", address);
	return made;
}

/* False at the end of the file. */
static bool
read_stream(struct traffic *traffic, FILE *file)
{
	char from[64], relay[64], to[64], suite[2][64], key[2][128];
	unsigned port[3];
	struct stream *stream = &traffic->stream[traffic->streams];
	int got = fscanf(file, "%63s %u %63s %u %63s %127s %63s %u %63s %127s", from, &port[0],
		relay, &port[1], suite[0], key[0], to, &port[2], suite[1], key[1]);

	if (got == EOF)
		return false;
	if (got != 10 || traffic->streams == STREAMS_MAX)
		fail("line %u is none of ng.py's, or one too many", traffic->streams + 1);
	struct sockaddr_in ends[] = {read_address(from, port[0]), read_address(to, port[2])};
	stream->relay = read_address(relay, port[1]);
	stream->from = far_socket(traffic, &ends[0]);
	stream->to = far_socket(traffic, &ends[1]);
	read_key(suite[0], key[0], &stream->send);
	read_key(suite[1], key[1], &stream->hear);
	if (srtp_key_create(&stream->send, &stream->send_key) != 0)
		fail("no SRTP key for stream %u: out of memory", traffic->streams);
	traffic->streams++;
	return true;
}

void
traffic_start(struct traffic *traffic)
{
	memset(traffic, 0, sizeof(*traffic));
	traffic->engine = engine_ipsec_mb.create();
	traffic->stream = calloc(STREAMS_MAX, sizeof(*traffic->stream));
	if (traffic->engine == NULL || traffic->stream == NULL)
		fail("out of memory");
	if (srtp_init() != srtp_err_status_ok)
		fail("libsrtp2 can't be started: nothing can be verified");
}

static void
drop_streams(struct traffic *traffic)
{
	for (unsigned i = 0; i < traffic->streams; i++)
		srtp_key_unref(traffic->stream[i].send_key);
	OPENSSL_cleanse(traffic->stream, STREAMS_MAX * sizeof(*traffic->stream));
	traffic->streams = 0;
}

void
traffic_call(struct traffic *traffic, const char *command)
{
	drop_streams(traffic);
	FILE *lines = popen(command, "r");
	if (lines == NULL)
		fail("%s: %s", command, strerror(errno));
	while (read_stream(traffic, lines))
		;
	if (pclose(lines) != 0 || traffic->streams == 0)
		fail("no calls: \"%s\" failed: see its message", command);
	/* new streams begin with ROC 0, and number by number in turn */
	traffic->next += traffic->streams - 1;
	traffic->next -= traffic->next % traffic->streams;
	traffic->base = traffic->next;
}

void
traffic_stop(struct traffic *traffic)
{
	drop_streams(traffic);
	for (unsigned i = 0; i < traffic->sockets; i++)
		close(traffic->socket[i]);
	engine_ipsec_mb.destroy(traffic->engine);
	free(traffic->stream);
	free(traffic->packets);
	srtp_shutdown();
}

/* --- packets --- */

static void
put_32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t
read_32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return ntohl(value);
}

/* Another one for each packet: splitmix64. */
static void
write_payload(uint64_t number, uint8_t *payload)
{
	for (unsigned at = 0; at < PAYLOAD_LENGTH; at += 8) {
		uint64_t mixed = (number * (PAYLOAD_LENGTH / 8) + at / 8) * 0x9e3779b97f4a7c15u;
		mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
		mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
		mixed ^= mixed >> 31;
		memcpy(payload + at, &mixed, sizeof(mixed));
	}
}

/* The number goes in the timestamp, which stays in clear. */
static void
write_packet(uint8_t *at, uint64_t number, uint32_t ssrc, uint64_t index)
{
	at[0] = 0x80;
	at[1] = 0;
	at[2] = (uint8_t)(index >> 8);
	at[3] = (uint8_t)index;
	put_32(at + 4, (uint32_t)number);
	put_32(at + 8, ssrc);
	write_payload(number, at + HEADER_LENGTH);
}

static uint64_t
index_of(const struct traffic *traffic, uint64_t number)
{
	return (number - traffic->base) / traffic->streams + 1;
}

static void
make_batch(struct traffic *traffic, uint64_t begin, unsigned count)
{
	struct crypto_op ops[ENGINE_BATCH_MAX], *pointers[ENGINE_BATCH_MAX] = {NULL};

	for (unsigned i = 0; i < count; i++) {
		uint64_t number = traffic->first + begin + i;
		unsigned place = (unsigned)(number % traffic->streams);
		uint8_t *data = traffic->packets + (begin + i) * PACKET_ROOM;
		write_packet(data, number, SSRC_FIRST + place, index_of(traffic, number));
		ops[i] = (struct crypto_op){.data = data,
			.length = HEADER_LENGTH + PAYLOAD_LENGTH,
			.cipher_offset = HEADER_LENGTH,
			.cipher_length = PAYLOAD_LENGTH,
			.kind = CRYPTO_RTP,
			.ssrc = SSRC_FIRST + place,
			.tx_index = index_of(traffic, number),
			.tx = traffic->stream[place].send_key};
		pointers[i] = &ops[i];
	}
	engine_ipsec_mb.transcrypt(traffic->engine, pointers, count);
	for (unsigned i = 0; i < count; i++)
		memcpy(ops[i].data + ops[i].length, ops[i].tag, ops[i].tx->tag_length);
}

void
traffic_make(struct traffic *traffic, uint64_t count)
{
	if (count > traffic->room) {
		free(traffic->packets);
		traffic->room = count;
		traffic->packets = calloc(count, PACKET_ROOM);
		if (traffic->packets == NULL)
			fail("no memory for %lu packets", (unsigned long)count);
	}
	traffic->first = traffic->next;
	traffic->count = count;
	traffic->next += count;
	for (uint64_t done = 0; done < count; done += ENGINE_BATCH_MAX)
		make_batch(traffic, done,
			(unsigned)(count - done < ENGINE_BATCH_MAX ? count - done
								   : ENGINE_BATCH_MAX));
}

uint8_t *
traffic_packet(const struct traffic *traffic, uint64_t i, size_t *length, struct stream **stream)
{
	*stream = &traffic->stream[(traffic->first + i) % traffic->streams];
	*length = HEADER_LENGTH + PAYLOAD_LENGTH + (size_t)(*stream)->send_key->tag_length;
	return traffic->packets + i * PACKET_ROOM;
}

bool
traffic_place(
	const struct traffic *traffic, const uint8_t *data, size_t length, int socket, uint64_t *i)
{
	if (length < HEADER_LENGTH + PAYLOAD_LENGTH)
		return false;
	*i = (uint32_t)(read_32(data + 4) - (uint32_t)traffic->first);
	if (*i >= traffic->count)
		return false;
	unsigned place = (unsigned)((traffic->first + *i) % traffic->streams);
	return read_32(data + 8) == SSRC_FIRST + place && traffic->stream[place].to == socket;
}

bool
traffic_verify(const struct traffic *traffic, const struct sample *sample)
{
	unsigned place = (unsigned)(sample->number % traffic->streams);
	const struct relay_crypto *master = &traffic->stream[place].hear;
	const struct relay_suite_info *info = relay_suite_info(master->suite);
	uint32_t ssrc = SSRC_FIRST + place;
	uint64_t index = index_of(traffic, sample->number);
	uint8_t key[64], data[sizeof(sample->data)], wanted[HEADER_LENGTH + PAYLOAD_LENGTH];
	srtp_policy_t policy = {.ssrc = {.type = ssrc_specific, .value = ssrc}, .key = key};
	int length = sample->length;
	srtp_t session;

	memcpy(key, master->key, info->key_length);
	memcpy(key + info->key_length, master->salt, info->salt_length);
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
	if (master->suite == RELAY_SUITE_AES_CM_128_HMAC_SHA1_32)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&policy.rtp);
	else if (master->suite == RELAY_SUITE_AES_CM_128_HMAC_SHA1_80)
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
	else
		fail("%s can't be verified: use AES_CM_128_HMAC_SHA1_80 or _32", info->name);
	if (srtp_create(&session, &policy) != srtp_err_status_ok ||
		srtp_set_stream_roc(session, ssrc, (uint32_t)(index >> 16)) != srtp_err_status_ok)
		fail("libsrtp2 can't take stream %u: nothing can be verified", place);
	memcpy(data, sample->data, sample->length);
	bool good = srtp_unprotect(session, data, &length) == srtp_err_status_ok;
	srtp_dealloc(session);
	write_packet(wanted, sample->number, ssrc, index);
	/* the marker bit apart, which a relay may set at the start of a stream */
	return good && length == (int)sizeof(wanted) &&
	       memcmp(data + HEADER_LENGTH, wanted + HEADER_LENGTH, PAYLOAD_LENGTH) == 0;
}
