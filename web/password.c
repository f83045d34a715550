/* SPDX-License-Identifier: BSD-3-Clause */
#include "password.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* 32 MiB and some 60 ms a guess: RFC 7914 2 */
#define LOG2N 15
#define R 8
#define P 1
#define SALT_BYTES 16
#define HASH_BYTES 32
#define MEMORY_MAX (72ul << 20)

#define SALT_TEXT 24 /* base64 of 16 bytes */
#define HASH_TEXT 44 /* base64 of 32 bytes */

struct hash {
	unsigned log2n;
	uint8_t salt[SALT_BYTES];
	uint8_t key[HASH_BYTES];
};

/* Exactly `want` bytes of base64; EVP_DecodeBlock() counts the padding's zeros, too. */
static bool
decode(const char *text, size_t text_length, uint8_t *out, size_t want)
{
	uint8_t bytes[HASH_TEXT];

	if (text_length > HASH_TEXT ||
		EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)text_length) < (int)want)
		return false;
	memcpy(out, bytes, want);
	return true;
}

static bool
parse(const char *text, struct hash *out)
{
	char salt[SALT_TEXT + 2], key[HASH_TEXT + 2], end;
	unsigned r, p;

	if (sscanf(text, "scrypt$%2u$%2u$%2u$%25[A-Za-z0-9+/=]$%45[A-Za-z0-9+/=]%c", &out->log2n,
		    &r, &p, salt, key, &end) != 5)
		return false;
	return out->log2n >= 14 && out->log2n <= 16 && r == R && p == P &&
	       strlen(salt) == SALT_TEXT && strlen(key) == HASH_TEXT &&
	       decode(salt, SALT_TEXT, out->salt, SALT_BYTES) &&
	       decode(key, HASH_TEXT, out->key, HASH_BYTES);
}

static int
derive(const char *password, const struct hash *from, uint8_t key[HASH_BYTES])
{
	return EVP_PBE_scrypt(password, strlen(password), from->salt, SALT_BYTES,
		       1ull << from->log2n, R, P, MEMORY_MAX, key, HASH_BYTES) == 1
	               ? 0
	               : -ENOMEM;
}

int
password_hash(const char *password, char hash[PASSWORD_HASH_SIZE])
{
	struct hash made = {.log2n = LOG2N};
	char salt[SALT_TEXT + 1], key[HASH_TEXT + 1];

	if (RAND_bytes(made.salt, SALT_BYTES) != 1)
		return -EIO;
	if (derive(password, &made, made.key) != 0)
		return -ENOMEM;
	EVP_EncodeBlock((unsigned char *)salt, made.salt, SALT_BYTES);
	EVP_EncodeBlock((unsigned char *)key, made.key, HASH_BYTES);
	snprintf(hash, PASSWORD_HASH_SIZE, "scrypt$%u$%u$%u$%s$%s", LOG2N, R, P, salt, key);
	OPENSSL_cleanse(&made, sizeof(made));
	return 0;
}

bool
password_is_hash(const char *hash)
{
	struct hash parsed;

	return parse(hash, &parsed);
}

bool
password_matches(const char *password, const char *hash)
{
	struct hash parsed;
	uint8_t key[HASH_BYTES];

	if (!parse(hash, &parsed) || derive(password, &parsed, key) != 0)
		return false;
	bool same = CRYPTO_memcmp(key, parsed.key, HASH_BYTES) == 0;
	OPENSSL_cleanse(key, sizeof(key));
	return same;
}
