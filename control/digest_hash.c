/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest_hash.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

static struct {
	const char *name;         /* RFC 7616 6.1 */
	const char *name_session; /* the same with "-sess" */
	const char *openssl;      /* as OpenSSL calls it */
	size_t hex_length;
	EVP_MD *md; /* NULL: OpenSSL will not have it */
} algorithms[DIGEST_ALGORITHM_COUNT] = {
	[DIGEST_MD5] = {"MD5", "MD5-sess", "MD5", 32, NULL},
	[DIGEST_SHA_256] = {"SHA-256", "SHA-256-sess", "SHA256", 64, NULL},
	[DIGEST_SHA_512_256] = {"SHA-512-256", "SHA-512-256-sess", "SHA512-256", 64, NULL},
};

/* Once for the process: to fetch an algorithm costs more than to hash with it. */
static void
fetch(void)
{
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		algorithms[i].md = EVP_MD_fetch(NULL, algorithms[i].openssl, NULL);
}

const char *
digest_algorithm_name(enum digest_algorithm algorithm)
{
	return (unsigned)algorithm < DIGEST_ALGORITHM_COUNT ? algorithms[algorithm].name : "none";
}

bool
digest_algorithm_read(const char *name, enum digest_algorithm *out, bool *session)
{
	*session = false;
	*out = DIGEST_MD5;
	if (name == NULL)
		return true;
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		*out = (enum digest_algorithm)i;
		*session = strcasecmp(algorithms[i].name_session, name) == 0;
		if (*session || strcasecmp(algorithms[i].name, name) == 0)
			return true;
	}
	return false;
}

size_t
digest_hex_length(enum digest_algorithm algorithm)
{
	return (unsigned)algorithm < DIGEST_ALGORITHM_COUNT ? algorithms[algorithm].hex_length : 0;
}

const char *
digest_qop_name(enum digest_qop qop)
{
	switch (qop) {
	case DIGEST_QOP_AUTH:
		return "auth";
	case DIGEST_QOP_AUTH_INT:
		return "auth-int";
	default:
		return "";
	}
}

struct part {
	const void *bytes;
	size_t size;
};

static struct part
text(const char *string)
{
	return (struct part){string, strlen(string)};
}

/* The hash of the parts with ":" between them, in hex. */
static int
hash_parts(enum digest_algorithm algorithm, const struct part *parts, unsigned count,
	char hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok;

	hex[0] = '\0';
	pthread_once(&once, fetch);
	ok = context != NULL && algorithms[algorithm].md != NULL &&
	     EVP_DigestInit_ex2(context, algorithms[algorithm].md, NULL) == 1;
	for (unsigned i = 0; ok && i < count; i++)
		ok = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
		     EVP_DigestUpdate(context, parts[i].bytes, parts[i].size) == 1;
	ok = ok && EVP_DigestFinal_ex(context, hash, &length) == 1 &&
	     2 * length == algorithms[algorithm].hex_length;
	if (ok) {
		for (unsigned i = 0; i < length; i++) {
			hex[2 * i] = digits[hash[i] >> 4];
			hex[2 * i + 1] = digits[hash[i] & 15];
		}
		hex[2 * length] = '\0';
	}
	OPENSSL_cleanse(hash, sizeof(hash));
	EVP_MD_CTX_free(context); /* wipes its state */
	return ok ? 0 : -EIO;
}

int
digest_ha1(enum digest_algorithm algorithm, const char *user, const char *realm,
	const char *password, char hex[DIGEST_HEX_SIZE])
{
	const struct part parts[] = {text(user), text(realm), text(password)};

	return hash_parts(algorithm, parts, 3, hex);
}

int
digest_session_ha1(enum digest_algorithm algorithm, const char *ha1, const char *nonce,
	const char *cnonce, char hex[DIGEST_HEX_SIZE])
{
	const struct part parts[] = {text(ha1), text(nonce), text(cnonce)};

	return hash_parts(algorithm, parts, 3, hex);
}

/* RFC 7616 3.4.3 */
static int
hash_request(enum digest_algorithm algorithm, const struct digest_input *input,
	char hex[DIGEST_HEX_SIZE])
{
	char body[DIGEST_HEX_SIZE];
	struct part parts[] = {text(input->method), text(input->uri), {body, 0}};
	const struct part whole = {input->body_size > 0 ? input->body : "", input->body_size};

	if (input->qop != DIGEST_QOP_AUTH_INT)
		return hash_parts(algorithm, parts, 2, hex);
	if (hash_parts(algorithm, &whole, 1, body) != 0)
		return -EIO;
	parts[2].size = strlen(body);
	return hash_parts(algorithm, parts, 3, hex);
}

int
digest_response(enum digest_algorithm algorithm, const struct digest_input *input,
	char hex[DIGEST_HEX_SIZE])
{
	char ha2[DIGEST_HEX_SIZE];

	hex[0] = '\0';
	if (hash_request(algorithm, input, ha2) != 0)
		return -EIO;
	if (input->qop == DIGEST_QOP_NONE) {
		const struct part parts[] = {text(input->ha1), text(input->nonce), text(ha2)};
		return hash_parts(algorithm, parts, 3, hex);
	}
	const struct part parts[] = {text(input->ha1), text(input->nonce), text(input->nc),
		text(input->cnonce), text(digest_qop_name(input->qop)), text(ha2)};
	return hash_parts(algorithm, parts, 6, hex);
}
