/* SPDX-License-Identifier: BSD-3-Clause */
/* Digest authentication, the server's side: RFC 7616 and RFC 8760 (SHA-256, SHA-512-256), and RFC
 * 2617's MD5 with qop. qop is auth or auth-int, and never missing; "-sess" is refused by name. No
 * state, any thread. */
#ifndef CONTROL_DIGEST_H
#define CONTROL_DIGEST_H

#include "digest_hash.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sofia-sip/msg_types.h>

struct nonces;

#define DIGEST_TEXT_MAX 1024 /* bytes of all parameters together; longer is malformed */

enum digest_verdict {
	DIGEST_OK,
	DIGEST_NOT_DIGEST,        /* another scheme: RFC 7235 2.1; look at the next header */
	DIGEST_MALFORMED,         /* a parameter is missing, doubled, too long or no such thing */
	DIGEST_WRONG_REALM,       /* meant for another server; look at the next header */
	DIGEST_UNKNOWN_ALGORITHM, /* not one of those offered */
	DIGEST_SESSION_ALGORITHM, /* "-sess": not offered. Whose HA1 is kept, the session's or the
	                             user's, a client may get wrong; it makes nothing safer here */
	DIGEST_WRONG_QOP,         /* neither "auth" nor "auth-int" */
	DIGEST_WRONG_URI,         /* the uri is not the request's */
	DIGEST_WRONG_OPAQUE,      /* not the one of our challenge */
	DIGEST_WRONG_RESPONSE,    /* wrong password, or unknown user */
	/* From here on the response was right, and nothing but the nonce is wrong: */
	DIGEST_STALE,     /* our nonce, but too old, or forgotten */
	DIGEST_BAD_NONCE, /* not made by this process (it was restarted, maybe) */
	DIGEST_REPLAYED,  /* nc did not rise */
	DIGEST_ERROR,     /* no memory, or OpenSSL failed: answer 500 */
	DIGEST_VERDICT_COUNT
};

/* The parameters of an Authorization header, unquoted; the texts lie in `text`. */
struct digest_credentials {
	enum digest_algorithm algorithm;
	enum digest_qop qop;
	uint32_t nc;
	const char *username;
	const char *realm;
	const char *nonce;
	const char *uri;
	const char *response; /* as many hex digits as the algorithm has, in lower case */
	const char *cnonce;
	const char *nc_text; /* the 8 hex digits as sent: they are hashed */
	const char *opaque;  /* NULL: none */
	char text[DIGEST_TEXT_MAX];
};

/* What the credentials are measured against. */
struct digest_request {
	const char *realm;
	const char *method; /* of the request: "REGISTER" */
	const char *uri;    /* the request-URI as text */
	const void *body;   /* as it came, for auth-int */
	size_t body_size;
	unsigned algorithms;   /* the set that was offered */
	struct nonces *nonces; /* that made the challenge's nonce and opaque */
	uint64_t now_ms;       /* on the clock that nonce_make() was given */
};

/* A word for logs: "stale". */
const char *digest_verdict_name(enum digest_verdict verdict);

/* Should the new challenge carry stale=true (RFC 7616 3.3)? Yes if the response was right. */
bool digest_verdict_is_stale(enum digest_verdict verdict);

/* Reads one Authorization or Proxy-Authorization header. OK, NOT_DIGEST, MALFORMED,
 * UNKNOWN_ALGORITHM, SESSION_ALGORITHM or WRONG_QOP. `out` holds copies: the message may go. */
enum digest_verdict digest_parse(const msg_auth_t *header, struct digest_credentials *out);

/* Judges parsed credentials. ha1 is the user's for credentials->algorithm, or a dummy for an
 * unknown user (users_find() gives one), so that both cost the same. nc is used up only by a right
 * response. Compares in constant time. */
enum digest_verdict digest_check(const struct digest_credentials *credentials,
	const struct digest_request *request, const char *ha1);

/* Writes the value of a WWW-Authenticate header: Digest realm="...", nonce="...", opaque="...",
 * algorithm=..., qop="auth,auth-int"[, stale=true]; a fresh nonce each. 0, -ENOSPC if text is too
 * small (512 suffices for a realm of 253), -EIO. */
int digest_challenge(struct nonces *nonces, const char *realm, enum digest_algorithm algorithm,
	bool stale, uint64_t now_ms, char *text, size_t size);

#endif
