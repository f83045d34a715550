/* SPDX-License-Identifier: BSD-3-Clause */
#include "mac.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 32
#define WHOLE_SIZE 32

struct mac {
	EVP_MAC_CTX *context; /* keeps the key, and wipes it */
};

/* NULL: OpenSSL has none. */
static EVP_MAC_CTX *
new_context(void)
{
	EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *context = algorithm != NULL ? EVP_MAC_CTX_new(algorithm) : NULL;

	EVP_MAC_free(algorithm); /* the context has its own */
	return context;
}

int
mac_create(struct mac **out)
{
	char sha256[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end()};
	struct mac *mac = calloc(1, sizeof(*mac));
	uint8_t key[KEY_SIZE];
	int result = -EIO;

	*out = NULL;
	if (mac == NULL)
		return -ENOMEM;
	mac->context = new_context();
	if (mac->context != NULL && RAND_priv_bytes(key, sizeof(key)) == 1 &&
		EVP_MAC_init(mac->context, key, sizeof(key), params) == 1)
		result = 0;
	OPENSSL_cleanse(key, sizeof(key));
	if (result != 0)
		mac_destroy(mac);
	else
		*out = mac;
	return result;
}

void
mac_destroy(struct mac *mac)
{
	if (mac == NULL)
		return;
	EVP_MAC_CTX_free(mac->context);
	free(mac);
}

int
mac_run(struct mac *mac, const void *bytes, size_t size, uint8_t out[MAC_SIZE])
{
	uint8_t whole[WHOLE_SIZE];
	size_t length = 0;

	/* without a key: the one that it has */
	if (EVP_MAC_init(mac->context, NULL, 0, NULL) != 1 ||
		EVP_MAC_update(mac->context, bytes, size) != 1 ||
		EVP_MAC_final(mac->context, whole, &length, sizeof(whole)) != 1 ||
		length != sizeof(whole))
		return -EIO;
	memcpy(out, whole, MAC_SIZE);
	OPENSSL_cleanse(whole, sizeof(whole));
	return 0;
}
