/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest.h"

#include "digest_params.h"
#include "nonce.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NC_DIGITS 8 /* RFC 7616 3.4: 8LHEX */

static const char *const verdict_names[DIGEST_VERDICT_COUNT] = {
	[DIGEST_OK] = "ok",
	[DIGEST_NOT_DIGEST] = "not digest",
	[DIGEST_MALFORMED] = "malformed",
	[DIGEST_WRONG_REALM] = "wrong realm",
	[DIGEST_UNKNOWN_ALGORITHM] = "unknown algorithm",
	[DIGEST_SESSION_ALGORITHM] = "session algorithm",
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
digest_verdict_name(enum digest_verdict verdict)
{
	return (unsigned)verdict < DIGEST_VERDICT_COUNT ? verdict_names[verdict] : "none";
}

bool
digest_verdict_is_stale(enum digest_verdict verdict)
{
	return verdict == DIGEST_STALE || verdict == DIGEST_BAD_NONCE || verdict == DIGEST_REPLAYED;
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

/* Is all there that a response with qop has? */
static bool
is_whole(const char *const values[PARAMETER_COUNT])
{
	for (unsigned i = USERNAME; i <= NC; i++)
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

/* RFC 2069's response without qop is open to replay: it is as wrong as another qop. */
static bool
read_qop(const char *name, enum digest_qop *qop)
{
	*qop = DIGEST_QOP_NONE;
	if (name != NULL && strcasecmp(name, "auth") == 0)
		*qop = DIGEST_QOP_AUTH;
	else if (name != NULL && strcasecmp(name, "auth-int") == 0)
		*qop = DIGEST_QOP_AUTH_INT;
	return *qop != DIGEST_QOP_NONE;
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
	const char *values[PARAMETER_COUNT];
	bool session;

	memset(out, 0, sizeof(*out));
	if (header == NULL || header->au_scheme == NULL ||
		strcasecmp(header->au_scheme, "Digest") != 0)
		return DIGEST_NOT_DIGEST;
	if (header->au_params == NULL ||
		!digest_params_split(header->au_params, parameter_names, PARAMETER_COUNT, values,
			out->text, sizeof(out->text)) ||
		!is_whole(values) || !read_nc(values[NC], &out->nc))
		return DIGEST_MALFORMED;
	if (!digest_algorithm_read(values[ALGORITHM], &out->algorithm, &session))
		return DIGEST_UNKNOWN_ALGORITHM;
	if (session)
		return DIGEST_SESSION_ALGORITHM;
	if (!read_qop(values[QOP], &out->qop))
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
	const struct digest_input input = {.ha1 = ha1,
		.method = request->method,
		.uri = credentials->uri,
		.nonce = credentials->nonce,
		.nc = credentials->nc_text,
		.cnonce = credentials->cnonce,
		.qop = credentials->qop,
		.body = request->body,
		.body_size = request->body_size};
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
	if (digest_response(credentials->algorithm, &input, expected) != 0)
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
		"Digest realm=\"%s\", nonce=\"%s\", opaque=\"%s\", algorithm=%s, "
		"qop=\"auth,auth-int\"%s",
		realm, nonce, nonces_opaque(nonces), digest_algorithm_name(algorithm),
		stale ? ", stale=true" : "");
	if (length < 0 || (size_t)length >= size) {
		text[0] = '\0';
		return -ENOSPC;
	}
	return 0;
}
