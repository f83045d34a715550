/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest.h"

#include "nonce.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NC_DIGITS 8 /* RFC 7616 3.4: 8LHEX */

static const struct {
	const char *name;    /* RFC 7616 6.1 */
	const char *fetched; /* as OpenSSL calls it */
	size_t hex_length;
} algorithms[DIGEST_ALGORITHM_COUNT] = {
	[DIGEST_MD5] = {"MD5", "MD5", 32},
	[DIGEST_SHA_256] = {"SHA-256", "SHA256", 64},
	[DIGEST_SHA_512_256] = {"SHA-512-256", "SHA512-256", 64},
};

static const char *const verdict_names[DIGEST_VERDICT_COUNT] = {
	[DIGEST_OK] = "ok",
	[DIGEST_NOT_DIGEST] = "not digest",
	[DIGEST_MALFORMED] = "malformed",
	[DIGEST_WRONG_REALM] = "wrong realm",
	[DIGEST_UNKNOWN_ALGORITHM] = "unknown algorithm",
	[DIGEST_WRONG_QOP] = "wrong qop",
	[DIGEST_WRONG_URI] = "wrong uri",
	[DIGEST_WRONG_OPAQUE] = "wrong opaque",
	[DIGEST_WRONG_RESPONSE] = "wrong response",
	[DIGEST_STALE] = "stale",
	[DIGEST_BAD_NONCE] = "bad nonce",
	[DIGEST_REPLAYED] = "replayed",
	[DIGEST_ERROR] = "error",
};

const char *
digest_algorithm_name(enum digest_algorithm algorithm)
{
	return (unsigned)algorithm < DIGEST_ALGORITHM_COUNT ? algorithms[algorithm].name : "none";
}

size_t
digest_hex_length(enum digest_algorithm algorithm)
{
	return (unsigned)algorithm < DIGEST_ALGORITHM_COUNT ? algorithms[algorithm].hex_length : 0;
}

const char *
digest_verdict_name(enum digest_verdict verdict)
{
	return (unsigned)verdict < DIGEST_VERDICT_COUNT ? verdict_names[verdict] : "none";
}

bool
digest_verdict_is_stale(enum digest_verdict verdict)
{
	return verdict == DIGEST_STALE || verdict == DIGEST_BAD_NONCE || verdict == DIGEST_REPLAYED;
}

/* The hash of the parts with ":" between them, in hex. */
static int
hash_parts(enum digest_algorithm algorithm, const char *const *parts, unsigned count,
	char hex[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[EVP_MAX_MD_SIZE];
	unsigned length = 0;
	bool ok;
	EVP_MD *md = EVP_MD_fetch(NULL, algorithms[algorithm].fetched, NULL);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	hex[0] = '\0';
	ok = md != NULL && context != NULL && EVP_DigestInit_ex2(context, md, NULL) == 1;
	for (unsigned i = 0; ok && i < count; i++)
		ok = (i == 0 || EVP_DigestUpdate(context, ":", 1) == 1) &&
		     EVP_DigestUpdate(context, parts[i], strlen(parts[i])) == 1;
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
	EVP_MD_free(md);
	return ok ? 0 : -EIO;
}

int
digest_ha1(enum digest_algorithm algorithm, const char *user, const char *realm,
	const char *password, char hex[DIGEST_HEX_SIZE])
{
	return hash_parts(algorithm, (const char *const[]){user, realm, password}, 3, hex);
}

int
digest_response(enum digest_algorithm algorithm, const char *ha1, const char *method,
	const char *uri, const char *nonce, const char *nc, const char *cnonce,
	char hex[DIGEST_HEX_SIZE])
{
	char ha2[DIGEST_HEX_SIZE];

	hex[0] = '\0';
	if (hash_parts(algorithm, (const char *const[]){method, uri}, 2, ha2) != 0)
		return -EIO;
	return hash_parts(
		algorithm, (const char *const[]){ha1, nonce, nc, cnonce, "auth", ha2}, 6, hex);
}

/* Copies a parameter's value without its quotes (RFC 7230 3.2.6) to *at, which moves on. NULL: it
 * is neither a token nor one quoted string, or there is no room. */
static const char *
unquote(const char *value, char **at, const char *end)
{
	const char *text = *at;
	char *to = *at;
	bool quoted = *value == '"';

	if (quoted)
		value++;
	for (; *value != '\0' && !(quoted && *value == '"'); value++) {
		if (quoted && *value == '\\')
			value++;
		else if (!quoted && strchr("\"\\ \t,", *value) != NULL)
			return NULL;
		if ((uint8_t)*value < 0x20 || *value == 0x7f || to + 1 >= end)
			return NULL;
		*to++ = *value;
	}
	if (quoted && (value[0] != '"' || value[1] != '\0'))
		return NULL;
	if ((!quoted && to == text) || to >= end)
		return NULL;
	*to++ = '\0';
	*at = to;
	return text;
}

enum parameter {
	USERNAME,
	REALM,
	NONCE,
	URI,
	RESPONSE,
	CNONCE,
	NC,
	QOP,
	OPAQUE,
	ALGORITHM,
	USERHASH,
	PARAMETER_COUNT
};

static const char *const parameter_names[PARAMETER_COUNT] = {
	"username",
	"realm",
	"nonce",
	"uri",
	"response",
	"cnonce",
	"nc",
	"qop",
	"opaque",
	"algorithm",
	"userhash",
};

/* Every known parameter at most once; others are passed over (RFC 7616 3.4: auth-param). */
static bool
split(const msg_param_t *params, const char *values[PARAMETER_COUNT], char *text, size_t size)
{
	const char *end = text + size;

	for (; *params != NULL; params++) {
		const char *equals = strchr(*params, '=');
		if (equals == NULL || equals == *params)
			return false;
		size_t length = (size_t)(equals - *params);
		for (unsigned i = 0; i < PARAMETER_COUNT; i++) {
			if (strlen(parameter_names[i]) != length ||
				strncasecmp(parameter_names[i], *params, length) != 0)
				continue;
			if (values[i] != NULL)
				return false;
			values[i] = unquote(equals + 1, &text, end);
			if (values[i] == NULL)
				return false;
		}
	}
	for (unsigned i = USERNAME; i <= NC; i++) /* with qop, all of these */
		if (values[i] == NULL || values[i][0] == '\0')
			return false;
	/* RFC 7616 3.4.4: userhash was not offered */
	return values[USERHASH] == NULL || strcasecmp(values[USERHASH], "true") != 0;
}

static bool
read_nc(const char *text, uint32_t *nc)
{
	if (strlen(text) != NC_DIGITS)
		return false;
	*nc = 0;
	for (; *text != '\0'; text++) {
		if (!isxdigit((uint8_t)*text))
			return false;
		*nc = *nc << 4 | (uint32_t)OPENSSL_hexchar2int((uint8_t)*text);
	}
	return *nc > 0;
}

/* None given means MD5 (RFC 7616 3.4). "-sess" is none of ours. */
static bool
read_algorithm(const char *name, enum digest_algorithm *out)
{
	if (name == NULL)
		name = "MD5";
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		*out = (enum digest_algorithm)i;
		if (strcasecmp(algorithms[i].name, name) == 0)
			return true;
	}
	return false;
}

/* In lower case, so that both writings of hex compare equal. `text` is our own copy. */
static bool
read_response(char *text, size_t length)
{
	if (strlen(text) != length)
		return false;
	for (; *text != '\0'; text++) {
		if (!isxdigit((uint8_t)*text))
			return false;
		*text = (char)tolower((uint8_t)*text);
	}
	return true;
}

enum digest_verdict
digest_parse(const msg_auth_t *header, struct digest_credentials *out)
{
	const char *values[PARAMETER_COUNT] = {NULL};

	memset(out, 0, sizeof(*out));
	if (header == NULL || header->au_scheme == NULL ||
		strcasecmp(header->au_scheme, "Digest") != 0)
		return DIGEST_NOT_DIGEST;
	if (header->au_params == NULL ||
		!split(header->au_params, values, out->text, sizeof(out->text)) ||
		!read_nc(values[NC], &out->nc))
		return DIGEST_MALFORMED;
	if (!read_algorithm(values[ALGORITHM], &out->algorithm))
		return DIGEST_UNKNOWN_ALGORITHM;
	/* RFC 2069's response without qop is open to replay: it is as wrong as another qop */
	if (values[QOP] == NULL || strcasecmp(values[QOP], "auth") != 0)
		return DIGEST_WRONG_QOP;
	if (!read_response(
		    out->text + (values[RESPONSE] - out->text), digest_hex_length(out->algorithm)))
		return DIGEST_MALFORMED;
	out->username = values[USERNAME];
	out->realm = values[REALM];
	out->nonce = values[NONCE];
	out->uri = values[URI];
	out->response = values[RESPONSE];
	out->cnonce = values[CNONCE];
	out->nc_text = values[NC];
	out->opaque = values[OPAQUE];
	return DIGEST_OK;
}

/* RFC 3261 22.4: the digest's uri and the request-URI are the same, or equivalent in writing. */
static bool
same_uri(const char *a, const char *b)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	bool same = strcmp(a, b) == 0;

	if (same)
		return true;
	if (su_home_init(home) != 0)
		return false;
	url_t *first = url_make(home, a), *second = url_make(home, b);
	same = first != NULL && second != NULL && url_cmp_all(first, second) == 0;
	su_home_deinit(home);
	return same;
}

enum digest_verdict
digest_check(const struct digest_credentials *credentials, const struct digest_request *request,
	const char *ha1)
{
	char expected[DIGEST_HEX_SIZE];
	size_t length = digest_hex_length(credentials->algorithm);

	if (strcmp(credentials->realm, request->realm) != 0)
		return DIGEST_WRONG_REALM;
	if ((request->algorithms & 1u << credentials->algorithm) == 0)
		return DIGEST_UNKNOWN_ALGORITHM;
	if (!same_uri(credentials->uri, request->uri))
		return DIGEST_WRONG_URI;
	/* The response comes before the nonce: who is told that a nonce is stale knew the password,
	 * and only a right response may use up an nc. */
	if (digest_response(credentials->algorithm, ha1, request->method, credentials->uri,
		    credentials->nonce, credentials->nc_text, credentials->cnonce, expected) != 0)
		return DIGEST_ERROR;
	int difference = CRYPTO_memcmp(expected, credentials->response, length);
	OPENSSL_cleanse(expected, sizeof(expected));
	if (difference != 0)
		return DIGEST_WRONG_RESPONSE;
	/* Before the opaque: after a restart that is another, too, and the nonce tells why. */
	switch (nonce_check(request->nonces, credentials->nonce, request->now_ms)) {
	case NONCE_FORGED:
		return DIGEST_BAD_NONCE;
	case NONCE_STALE:
		return DIGEST_STALE;
	default:
		break;
	}
	if (credentials->opaque == NULL ||
		strcmp(credentials->opaque, nonces_opaque(request->nonces)) != 0)
		return DIGEST_WRONG_OPAQUE;
	switch (nonce_use(request->nonces, credentials->nonce, credentials->nc, request->now_ms)) {
	case NONCE_VALID:
		return DIGEST_OK;
	case NONCE_REPLAYED:
		return DIGEST_REPLAYED;
	case NONCE_STALE:
		return DIGEST_STALE;
	default:
		return DIGEST_BAD_NONCE;
	}
}

int
digest_challenge(struct nonces *nonces, const char *realm, enum digest_algorithm algorithm,
	bool stale, uint64_t now_ms, char *text, size_t size)
{
	char nonce[NONCE_TEXT_SIZE];
	int length;

	if (size == 0)
		return -ENOSPC;
	text[0] = '\0';
	if (nonce_make(nonces, now_ms, nonce) != 0)
		return -EIO;
	length = snprintf(text, size,
		"Digest realm=\"%s\", nonce=\"%s\", opaque=\"%s\", algorithm=%s, qop=\"auth\"%s",
		realm, nonce, nonces_opaque(nonces), digest_algorithm_name(algorithm),
		stale ? ", stale=true" : "");
	if (length < 0 || (size_t)length >= size) {
		text[0] = '\0';
		return -ENOSPC;
	}
	return 0;
}
