/* SPDX-License-Identifier: BSD-3-Clause */
#include "login.h"

#include "password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define KEY_BYTES 32
#define V6_PREFIX 64 /* of one source */

struct source {
	struct relay_ip ip; /* family 0: free */
	unsigned wrong;
	uint64_t last_ms; /* wrong one */
};

struct login {
	const struct config_web_login *config;
	uint8_t key[KEY_BYTES];   /* of the MAC, new with each process */
	uint8_t right[KEY_BYTES]; /* MAC of the last right user and password */
	bool known;               /* there is one */
	uint64_t second;          /* in which `hashes` were made */
	unsigned hashes;
	struct source sources[LOGIN_SOURCES];
};

struct login *
login_create(const struct config_web_login *config)
{
	struct login *login = calloc(1, sizeof(*login));

	if (login == NULL)
		return NULL;
	login->config = config;
	if (RAND_bytes(login->key, KEY_BYTES) != 1) {
		free(login);
		return NULL;
	}
	return login;
}

void
login_free(struct login *login)
{
	if (login == NULL)
		return;
	OPENSSL_cleanse(login, sizeof(*login));
	free(login);
}

static bool
same_source(const struct relay_ip *a, const struct relay_ip *b)
{
	return a->family == 6 ? relay_ip_in_prefix(b, a, V6_PREFIX) : relay_ip_equal(a, b);
}

/* The source's place: its own, else the one that was wrong longest ago. */
static struct source *
source_of(struct login *login, const struct relay_ip *ip, uint64_t now_ms)
{
	struct source *oldest = &login->sources[0];

	for (unsigned i = 0; i < LOGIN_SOURCES; i++) {
		struct source *at = &login->sources[i];
		if (at->ip.family != 0 && same_source(&at->ip, ip)) {
			if (now_ms - at->last_ms > LOGIN_LOCK_S * 1000)
				at->wrong = 0;
			return at;
		}
		if (at->last_ms < oldest->last_ms)
			oldest = at;
	}
	*oldest = (struct source){.ip = *ip, .last_ms = now_ms};
	return oldest;
}

/* MAC of both, with their lengths, so that neither can run into the other. */
static void
mac_of(const struct login *login, const char *user, const char *password, uint8_t mac[KEY_BYTES])
{
	uint8_t part[2][KEY_BYTES];
	unsigned length = KEY_BYTES;

	HMAC(EVP_sha256(), login->key, KEY_BYTES, (const uint8_t *)user, strlen(user), part[0],
		&length);
	HMAC(EVP_sha256(), login->key, KEY_BYTES, (const uint8_t *)password, strlen(password),
		part[1], &length);
	HMAC(EVP_sha256(), login->key, KEY_BYTES, part[0], sizeof(part), mac, &length);
	OPENSSL_cleanse(part, sizeof(part));
}

static bool
may_hash(struct login *login, uint64_t now_ms)
{
	if (login->second != now_ms / 1000) {
		login->second = now_ms / 1000;
		login->hashes = 0;
	}
	return login->hashes++ < LOGIN_HASHES;
}

/* Costs the same, whichever of the two is wrong. */
static bool
is_right(const struct login *login, const char *user, const char *password)
{
	const char *wanted = login->config->user;
	uint8_t mac[2][KEY_BYTES];

	mac_of(login, user, "", mac[0]);
	mac_of(login, wanted, "", mac[1]);
	bool name = CRYPTO_memcmp(mac[0], mac[1], KEY_BYTES) == 0;
	bool word = password_matches(password, login->config->hash);
	return name && word;
}

enum login_result
login_check(struct login *login, const struct relay_ip *source, const char *user,
	const char *password, uint64_t now_ms)
{
	struct source *at = source_of(login, source, now_ms);
	uint8_t mac[KEY_BYTES];

	mac_of(login, user, password, mac);
	if (login->known && CRYPTO_memcmp(mac, login->right, KEY_BYTES) == 0)
		return LOGIN_RIGHT; /* also from where others guess */
	if (at->wrong >= LOGIN_FREE)
		return LOGIN_LOCKED;
	if (!may_hash(login, now_ms))
		return LOGIN_BUSY;
	if (strlen(password) <= PASSWORD_MAX && is_right(login, user, password)) {
		memcpy(login->right, mac, KEY_BYTES);
		login->known = true;
		at->wrong = 0;
		return LOGIN_RIGHT;
	}
	at->wrong++;
	at->last_ms = now_ms;
	return LOGIN_WRONG;
}
