/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The keys of SRTP: session keys derived from a master key once, at install (RFC 3711 4.3).
 *
 * A key is made and freed by the control thread, and read only while workers see it. Hot and cold
 * parts lie apart, each packed with its like (slab.h): what every RTP packet needs in whole cache
 * lines; the master key, from which SRTCP's keys are derived at each of its rare packets, in the
 * other.
 */
#ifndef DATAPLANE_SRTP_KEY_H
#define DATAPLANE_SRTP_KEY_H

#include "relay/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SRTP_TAG_MAX 20 /* bytes: a whole HMAC-SHA1, which some engines write whatever is asked */

/* What only SRTCP, an MKI or a comparison needs: salt_length is 14 or 12, key and MKI follow. */
struct srtp_cold {
	uint8_t salt[14];
	uint8_t key[]; /* the suite's key_length bytes of the master key, then mki_length of MKI */
};

/* Session keys for the RTP packets of one direction of one leg, as the engines want them, in the
 * order they are read. For SRTCP the same struct holds its session keys (srtp_key_derive_rtcp()),
 * where `cold` is NULL. */
struct srtp_key {
	/* HMAC-SHA1 suites only */
	uint8_t hmac_inner[20]; /* SHA-1 state after the ipad block, as ipsec-mb keeps it */
	uint8_t hmac_outer[20]; /* SHA-1 state after the opad block */
	uint8_t salt[14];       /* k_s: 14 bytes; AEAD: 12 bytes, then two of zero */
	uint8_t suite;          /* enum relay_suite */
	uint8_t tag_length;     /* bytes */
	const struct srtp_cold *cold;
	uint64_t lifetime;   /* packets that this key may protect (RFC 3711 9.2) */
	uint32_t references; /* control thread only */
	uint8_t flags;       /* RELAY_CRYPTO_* */
	uint8_t mki_length;
	uint8_t reserved[2];
	/* AES-CM: the encryption round keys of k_e, 11, 13 or 15 of 16 bytes. AEAD: see
	 * srtp_key_gcm(). */
	uint8_t schedule[] __attribute__((aligned(16)));
} __attribute__((aligned(64)));
_Static_assert(__builtin_offsetof(struct srtp_key, schedule) == 80, "AES-128: 256 bytes in all");

struct gcm_key_data; /* ipsec-mb's */
#define SRTP_KEY_GCM_OFFSET 128

static inline bool
srtp_key_is_aead(const struct srtp_key *key)
{
	return key->suite >= RELAY_SUITE_AEAD_AES_128_GCM;
}

/* The GCM state of a key whose suite is AEAD. */
static inline const struct gcm_key_data *
srtp_key_gcm(const struct srtp_key *key)
{
	return (const struct gcm_key_data *)((const uint8_t *)key + SRTP_KEY_GCM_OFFSET);
}

/* Room for the session keys of any suite, where SRTCP's are derived into. */
#define SRTP_KEY_SIZE_MAX 1280 /* bytes */
union srtp_key_room {
	struct srtp_key key;
	uint8_t bytes[SRTP_KEY_SIZE_MAX];
} __attribute__((aligned(64)));

/* Readies what key derivation needs. Any thread, any number of times; srtp_key_create() calls it.
 * Returns 0 or -ENOMEM. */
int srtp_key_init(void);

/* Derives the RTP session keys from master key and salt (RFC 3711 4.3, key derivation rate 0; RFC
 * 6188 2 and 7714 11 for the other suites), with one reference. Control thread. Returns 0 and *out;
 * -EINVAL for a suite that is none of ours or an MKI that is too long; -ENOMEM; -EIO if the library
 * fails. Nothing is left behind on error. */
int srtp_key_create(const struct relay_crypto *master, struct srtp_key **out);

/* One more user of a key, and one less: the last one wipes and frees it. Control thread. NULL is
 * allowed. No worker sees the key any more when the last one lets go. */
struct srtp_key *srtp_key_ref(struct srtp_key *key);
void srtp_key_unref(struct srtp_key *key);

/* Gives the memory of all keys back: none is in use any more. */
void srtp_keys_fini(void);

/* The master key that it was made of; the caller wipes *out. Control thread. */
void srtp_key_master(const struct srtp_key *key, struct relay_crypto *out);

/* Is it the same suite, master key and salt? Constant time. Control thread. */
bool srtp_key_is(const struct srtp_key *key, const struct relay_crypto *master);

/* Are these two the same master key? NULL equals nothing. Constant time. Control thread. */
bool srtp_key_same(const struct srtp_key *a, const struct srtp_key *b);

/* Derives SRTCP's session keys (labels 3, 4, 5) from the master key of `key`. Any thread; no system
 * call, no allocation. The caller wipes *out when done with it. */
void srtp_key_derive_rtcp(const struct srtp_key *key, union srtp_key_room *out);

/* The key's master key identifier, mki_length bytes. */
const uint8_t *srtp_key_mki(const struct srtp_key *key);

/* Memory of a key of this suite without MKI, hot and cold, in bytes. */
size_t srtp_key_bytes(enum relay_suite suite);

#endif
