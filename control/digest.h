/* SPDX-License-Identifier: BSD-3-Clause */
/* Digest authentication, the server's side: RFC 7616 and RFC 8760 (SHA-256, SHA-512-256), and RFC
 * 2617's MD5 with qop. Only qop=auth is offered, so only it is taken; "-sess" is refused. The SIP
 * stack's parser splits the header; this judges the parts. No state, any thread. */
#ifndef CONTROL_DIGEST_H
#define CONTROL_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sofia-sip/msg_types.h>

struct nonces;

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA_256, DIGEST_SHA_512_256, DIGEST_ALGORITHM_COUNT };

#define DIGEST_ALL ((1u << DIGEST_ALGORITHM_COUNT) - 1) /* a set of algorithms: 1u << each */
#define DIGEST_HEX_SIZE 65   /* a hash in hex, with its NUL: 32 digits (MD5) or 64 */
#define DIGEST_TEXT_MAX 1024 /* bytes of all parameters together; longer is malformed */

enum digest_verdict {
	DIGEST_OK,
	DIGEST_NOT_DIGEST,        /* another scheme: RFC 7235 2.1; look at the next header */
	DIGEST_MALFORMED,         /* a parameter is missing, doubled, too long or no such thing */
	DIGEST_WRONG_REALM,       /* meant for another server; look at the next header */
	DIGEST_UNKNOWN_ALGORITHM, /* not one of those offered, or "-sess" */
	DIGEST_WRONG_QOP,         /* not "auth" */
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
	const char *method;    /* of the request: "REGISTER" */
	const char *uri;       /* the request-URI as text */
	unsigned algorithms;   /* the set that was offered */
	struct nonces *nonces; /* that made the challenge's nonce and opaque */
	uint64_t now_ms;       /* on the clock that nonce_make() was given */
};

/* "MD5", "SHA-256", "SHA-512-256": as in the algorithm parameter. */
const char *digest_algorithm_name(enum digest_algorithm algorithm);

/* Hex digits of a hash: 32 or 64. */
size_t digest_hex_length(enum digest_algorithm algorithm);

/* A word for logs: "stale". */
const char *digest_verdict_name(enum digest_verdict verdict);

/* Should the new challenge carry stale=true (RFC 7616 3.3)? Yes if the response was right. */
bool digest_verdict_is_stale(enum digest_verdict verdict);

/* HA1 = H(user ":" realm ":" password) in hex (RFC 7616 3.4.2). The caller wipes it. 0, or -EIO if
 * OpenSSL refuses the algorithm, and *hex is empty. */
int digest_ha1(enum digest_algorithm algorithm, const char *user, const char *realm,
	const char *password, char hex[DIGEST_HEX_SIZE]);

/* The response that knows HA1 (RFC 7616 3.4.1, qop=auth), in hex. 0 or -EIO. */
int digest_response(enum digest_algorithm algorithm, const char *ha1, const char *method,
	const char *uri, const char *nonce, const char *nc, const char *cnonce,
	char hex[DIGEST_HEX_SIZE]);

/* Reads one Authorization or Proxy-Authorization header. OK, NOT_DIGEST, MALFORMED,
 * UNKNOWN_ALGORITHM or WRONG_QOP. `out` holds copies: the message may go. */
enum digest_verdict digest_parse(const msg_auth_t *header, struct digest_credentials *out);

/* Judges parsed credentials. ha1 is the user's for credentials->algorithm, or a dummy for an
 * unknown user (users_find() gives one), so that both cost the same. nc is used up only by a right
 * response. Compares in constant time. */
enum digest_verdict digest_check(const struct digest_credentials *credentials,
	const struct digest_request *request, const char *ha1);

/* Writes the parameters of one challenge: Digest realm="...", nonce="...", opaque="...",
 * algorithm=..., qop="auth"[, stale=true]; a fresh nonce each. The value of a WWW-Authenticate
 * header. 0, -ENOSPC if text is too small (512 suffices for a realm of 253), -EIO. */
int digest_challenge(struct nonces *nonces, const char *realm, enum digest_algorithm algorithm,
	bool stale, uint64_t now_ms, char *text, size_t size);

#endif
