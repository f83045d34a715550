/* SPDX-License-Identifier: BSD-3-Clause */
/* Nonces of digest challenges (RFC 7616 3.3, 5.4). A nonce is a time, 64 random bits and a
 * truncated HMAC-SHA256 over both, under a key that is replaced each lifetime (the one before is
 * known until its nonces are old): making one costs no memory, so a flood of requests that are
 * answered 401 fills nothing. Only a nonce that came back with a right
 * response is remembered, with its highest nc, in a table of fixed size; when there is no room, the
 * oldest is forgotten, and what is forgotten is stale, never fresh. One thread. */
#ifndef CONTROL_NONCE_H
#define CONTROL_NONCE_H

#include <stdint.h>

#define NONCE_TEXT_SIZE 65 /* 64 hex digits and a NUL */
#define NONCE_OPAQUE_SIZE 33
#define NONCE_TABLE_DEFAULT 65536 /* nonces remembered: 2 MiB */

enum nonce_verdict {
	NONCE_VALID,
	NONCE_STALE,    /* ours, but too old, from the future (clock), or forgotten */
	NONCE_FORGED,   /* not made under our key */
	NONCE_REPLAYED, /* nc did not rise */
};

struct nonces;

/* lifetime_ms: how long a nonce is good after it was made. remembered: how many nonces in use at a
 * time are known (rounded up to a multiple of 8). 0, -ENOMEM, or -EIO if there is no randomness. */
int nonces_create(uint64_t lifetime_ms, unsigned remembered, struct nonces **out);

/* Wipes the key and frees. NULL is fine. */
/* What is made from now on is good for so long; what was made before is judged by it, too, but no
 * longer than the key lives that it was made with. */
void nonces_set_lifetime(struct nonces *nonces, uint64_t lifetime_ms);
void nonces_destroy(struct nonces *nonces);

/* A new nonce. now_ms: any clock that only goes up while the process lives. 0 or -EIO. */
int nonce_make(struct nonces *nonces, uint64_t now_ms, char text[NONCE_TEXT_SIZE]);

/* Is it ours and fresh? Changes nothing: VALID, STALE or FORGED. Any text may be given. */
enum nonce_verdict nonce_check(const struct nonces *nonces, const char *text, uint64_t now_ms);

/* As nonce_check(), and nc must be above all that were used with this nonce; then it is used up.
 * Call it only for a request whose response was right. */
enum nonce_verdict nonce_use(struct nonces *nonces, const char *text, uint32_t nc, uint64_t now_ms);

/* The opaque value of all challenges of this process: NONCE_OPAQUE_SIZE - 1 hex digits. */
const char *nonces_opaque(const struct nonces *nonces);

#endif
