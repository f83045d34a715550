/* SPDX-License-Identifier: BSD-3-Clause */
#include "nonce.h"

#include "mac.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WAYS 8 /* nonces that share one place in the table */
#define BINARY_SIZE 32

/* A nonce, as its 64 hex digits are read. */
struct binary {
	uint8_t time[8];   /* made at, ms, big-endian */
	uint8_t random[8]; /* so that two of one millisecond differ */
	uint8_t mac[MAC_SIZE];
};
_Static_assert(sizeof(struct binary) == BINARY_SIZE, "a nonce's text is 64 digits");

struct seen {
	uint64_t time;
	uint64_t random;
	uint32_t nc; /* the highest used; 0: this place is free */
};

/* Eight places, and the time up to which nonces that belong here may have been forgotten: one of
 * that age that is not here must count as used. */
struct set {
	uint64_t forgotten;
	bool forgot;
	struct seen way[WAYS];
};

/* Nonces of one period are made under one key. A period is a nonce's lifetime, so that no nonce
 * outlives the period after its own, and the key before the last is needed by none. */
struct key {
	uint64_t since; /* ms */
	struct mac *mac;
};

struct nonces {
	struct key key;    /* to make nonces with */
	struct key before; /* to know the last period's by */
	char opaque[NONCE_OPAQUE_SIZE];
	uint64_t lifetime_ms;
	uint64_t sets_count;
	struct set sets[];
};

static uint64_t
read_be64(const uint8_t *bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

static void
write_be64(uint8_t *bytes, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(value >> (56 - 8 * i));
}

static void
to_hex(const uint8_t *bytes, size_t count, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	text[2 * count] = '\0';
}

/* Lower case alone: one nonce has one text. */
static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool
from_hex(const char *text, uint8_t *bytes, size_t count)
{
	if (strnlen(text, 2 * count + 1) != 2 * count)
		return false;
	for (size_t i = 0; i < count; i++) {
		int high = hex_value(text[2 * i]), low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int
authenticate(const struct key *key, const struct binary *nonce, uint8_t mac[MAC_SIZE])
{
	return mac_run(key->mac, nonce, BINARY_SIZE - MAC_SIZE, mac);
}

int
nonces_create(uint64_t lifetime_ms, unsigned remembered, struct nonces **out)
{
	uint64_t sets_count = ((uint64_t)remembered + WAYS - 1) / WAYS;
	uint8_t opaque[(NONCE_OPAQUE_SIZE - 1) / 2];
	struct nonces *nonces;

	*out = NULL;
	if (sets_count == 0)
		sets_count = 1;
	nonces = calloc(1, sizeof(*nonces) + sets_count * sizeof(nonces->sets[0]));
	if (nonces == NULL)
		return -ENOMEM;
	nonces->lifetime_ms = lifetime_ms;
	nonces->sets_count = sets_count;
	if (mac_create(&nonces->key.mac) != 0 || mac_create(&nonces->before.mac) != 0 ||
		RAND_bytes(opaque, sizeof(opaque)) != 1) {
		nonces_destroy(nonces);
		return -EIO;
	}
	to_hex(opaque, sizeof(opaque), nonces->opaque);
	*out = nonces;
	return 0;
}

void
nonces_set_lifetime(struct nonces *nonces, uint64_t lifetime_ms)
{
	nonces->lifetime_ms = lifetime_ms;
}

void
nonces_destroy(struct nonces *nonces)
{
	if (nonces == NULL)
		return;
	mac_destroy(nonces->key.mac);
	mac_destroy(nonces->before.mac);
	free(nonces);
}

const char *
nonces_opaque(const struct nonces *nonces)
{
	return nonces->opaque;
}

/* A new key when the period of the one in use is over. */
static int
rotate(struct nonces *nonces, uint64_t now_ms)
{
	struct key next = {.since = now_ms};

	if (now_ms <= nonces->key.since || now_ms - nonces->key.since <= nonces->lifetime_ms)
		return 0;
	if (mac_create(&next.mac) != 0)
		return -EIO;
	mac_destroy(nonces->before.mac);
	nonces->before = nonces->key;
	nonces->key = next;
	return 0;
}

int
nonce_make(struct nonces *nonces, uint64_t now_ms, char text[NONCE_TEXT_SIZE])
{
	struct binary nonce;

	text[0] = '\0';
	if (rotate(nonces, now_ms) != 0)
		return -EIO;
	write_be64(nonce.time, now_ms);
	if (RAND_bytes(nonce.random, sizeof(nonce.random)) != 1 ||
		authenticate(&nonces->key, &nonce, nonce.mac) != 0)
		return -EIO;
	to_hex((const uint8_t *)&nonce, BINARY_SIZE, text);
	return 0;
}

static enum nonce_verdict
judge(const struct nonces *nonces, const char *text, uint64_t now_ms, struct seen *out)
{
	const struct key *key = &nonces->key;
	struct binary nonce;
	uint8_t mac[MAC_SIZE];

	if (!from_hex(text, (uint8_t *)&nonce, BINARY_SIZE))
		return NONCE_FORGED;
	out->time = read_be64(nonce.time);
	if (out->time < key->since)
		key = &nonces->before;
	if (authenticate(key, &nonce, mac) != 0 || CRYPTO_memcmp(mac, nonce.mac, MAC_SIZE) != 0)
		return NONCE_FORGED;
	out->random = read_be64(nonce.random);
	out->nc = 0;
	if (out->time > now_ms || now_ms - out->time > nonces->lifetime_ms)
		return NONCE_STALE;
	return NONCE_VALID;
}

enum nonce_verdict
nonce_check(const struct nonces *nonces, const char *text, uint64_t now_ms)
{
	struct seen nonce;

	return judge(nonces, text, now_ms, &nonce);
}

/* A place for a nonce that is used for the first time: a free one, else the oldest nonce's. */
static struct seen *
make_room(struct set *set)
{
	struct seen *oldest = &set->way[0];

	for (unsigned i = 0; i < WAYS; i++) {
		if (set->way[i].nc == 0)
			return &set->way[i];
		if (set->way[i].time < oldest->time)
			oldest = &set->way[i];
	}
	if (!set->forgot || oldest->time > set->forgotten)
		set->forgotten = oldest->time;
	set->forgot = true;
	return oldest;
}

enum nonce_verdict
nonce_use(struct nonces *nonces, const char *text, uint32_t nc, uint64_t now_ms)
{
	struct seen nonce;
	enum nonce_verdict verdict = judge(nonces, text, now_ms, &nonce);

	if (verdict != NONCE_VALID)
		return verdict;
	if (nc == 0)
		return NONCE_REPLAYED;
	struct set *set = &nonces->sets[nonce.random % nonces->sets_count];
	for (unsigned i = 0; i < WAYS; i++) {
		struct seen *seen = &set->way[i];
		if (seen->nc == 0 || seen->time != nonce.time || seen->random != nonce.random)
			continue;
		if (nc <= seen->nc)
			return NONCE_REPLAYED;
		seen->nc = nc;
		return NONCE_VALID;
	}
	if (set->forgot && nonce.time <= set->forgotten)
		return NONCE_STALE;
	nonce.nc = nc;
	*make_room(set) = nonce;
	return NONCE_VALID;
}
