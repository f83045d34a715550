/* SPDX-License-Identifier: BSD-3-Clause */
#include "tls_ticket.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#define KEY_LIFE_S 3600
#define SESSIONS_MAX 4096 /* of those who know no tickets */

/* keys[0] is the one that new tickets get; keys[1] only opens old ones. */
static struct ticket_key {
	unsigned char name[16];
	unsigned char aes[32];
	unsigned char hmac[32];
	time_t since; /* monotonic seconds */
	bool good;
} keys[2];

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

void
tls_ticket_wipe(void)
{
	OPENSSL_cleanse(keys, sizeof(keys));
}

/* Sees that keys[0] is fresh, and keys[1] not too old. */
static bool
rotate(void)
{
	time_t now = now_s();

	if (keys[1].good && now - keys[1].since >= 2 * KEY_LIFE_S)
		OPENSSL_cleanse(&keys[1], sizeof(keys[1]));
	if (keys[0].good && now - keys[0].since < KEY_LIFE_S)
		return true;
	if (keys[0].good && now - keys[0].since < 2 * KEY_LIFE_S)
		keys[1] = keys[0];
	OPENSSL_cleanse(&keys[0], sizeof(keys[0]));
	if (RAND_bytes(keys[0].name, sizeof(keys[0].name)) != 1 ||
		RAND_priv_bytes(keys[0].aes, sizeof(keys[0].aes)) != 1 ||
		RAND_priv_bytes(keys[0].hmac, sizeof(keys[0].hmac)) != 1)
		return false;
	keys[0].since = now;
	keys[0].good = true;
	return true;
}

static bool
set_hmac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->hmac, sizeof(key->hmac)),
		OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 0: no such key; 1: good; 2: good, give a new one. */
static int
on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int encrypt)
{
	if (!rotate())
		return encrypt ? -1 : 0;
	if (encrypt) {
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1 ||
			EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys[0].aes, iv) != 1 ||
			!set_hmac(mac, &keys[0]))
			return -1;
		memcpy(name, keys[0].name, sizeof(keys[0].name));
		return 1;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (!keys[i].good || CRYPTO_memcmp(name, keys[i].name, sizeof(keys[i].name)) != 0)
			continue;
		if (!set_hmac(mac, &keys[i]) ||
			EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys[i].aes, iv) != 1)
			return -1;
		return i == 0 ? 1 : 2;
	}
	return 0;
}

int
tls_ticket_install(SSL_CTX *context)
{
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(context, SESSIONS_MAX);
	SSL_CTX_set_timeout(context, KEY_LIFE_S);
	SSL_CTX_set_num_tickets(context, 1);
	return SSL_CTX_set_tlsext_ticket_key_evp_cb(context, on_ticket) == 1 ? 0 : -ENOMEM;
}
