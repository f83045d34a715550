/* SPDX-License-Identifier: BSD-3-Clause */
/* The hashes of digest authentication, as both its sides need them: RFC 7616 3.4, RFC 8760. No
 * state, any thread. */
#ifndef CONTROL_DIGEST_HASH_H
#define CONTROL_DIGEST_HASH_H

#include <stdbool.h>
#include <stddef.h>

enum digest_algorithm { /* the weakest first */
	DIGEST_MD5,
	DIGEST_SHA_256,
	DIGEST_SHA_512_256,
	DIGEST_ALGORITHM_COUNT
};

#define DIGEST_ALL ((1u << DIGEST_ALGORITHM_COUNT) - 1) /* a set of algorithms: 1u << each */
#define DIGEST_HEX_SIZE 65 /* a hash in hex, with its NUL: 32 digits (MD5) or 64 */

enum digest_qop {
	DIGEST_QOP_NONE, /* RFC 2069: a client's last resort; the server takes none such */
	DIGEST_QOP_AUTH,
	DIGEST_QOP_AUTH_INT, /* the body is hashed, too */
};

/* What a response is made of (RFC 7616 3.4.1). */
struct digest_input {
	const char *ha1;    /* digest_ha1(), or digest_session_ha1() */
	const char *method; /* "REGISTER" */
	const char *uri;    /* the parameter's text */
	const char *nonce;
	const char *nc; /* 8 hex digits */
	const char *cnonce;
	enum digest_qop qop;
	const void *body; /* looked at for auth-int alone */
	size_t body_size;
};

/* "MD5", "SHA-256", "SHA-512-256": as in the algorithm parameter. */
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/* Reads that parameter; none (NULL) means MD5 (RFC 7616 3.3). *session: with "-sess" behind it.
 * False: none of ours. */
bool digest_algorithm_read(const char *name, enum digest_algorithm *out, bool *session);

/* Hex digits of a hash: 32 or 64. */
size_t digest_hex_length(enum digest_algorithm algorithm);

/* "auth", "auth-int"; "" for none. */
const char *digest_qop_name(enum digest_qop qop);

/* HA1 = H(user ":" realm ":" password) in hex (RFC 7616 3.4.2). The caller wipes it. 0, or -EIO if
 * OpenSSL refuses the algorithm, and *hex is empty. */
int digest_ha1(enum digest_algorithm algorithm, const char *user, const char *realm,
	const char *password, char hex[DIGEST_HEX_SIZE]);

/* The same for "-sess": H(HA1 ":" nonce ":" cnonce). */
int digest_session_ha1(enum digest_algorithm algorithm, const char *ha1, const char *nonce,
	const char *cnonce, char hex[DIGEST_HEX_SIZE]);

/* The response that knows HA1, in hex (RFC 7616 3.4.1; without qop RFC 2617 3.2.2.1). The caller
 * wipes it where it is a secret still. 0 or -EIO. */
int digest_response(enum digest_algorithm algorithm, const struct digest_input *input,
	char hex[DIGEST_HEX_SIZE]);

#endif
