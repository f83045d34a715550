/* SPDX-License-Identifier: BSD-3-Clause */
/* Vectors give session keys, not master keys: this puts one into the form that engines take. */
#ifndef TESTS_SESSION_KEY_H
#define TESTS_SESSION_KEY_H

#include "dataplane/srtp_key.h"

#include <assert.h>
#define NO_COMPAT_IMB_API_053 /* its short names are those of OpenSSL */
#include <intel-ipsec-mb.h>
#include <stdio.h>
#include <string.h>

/* Reads hexadecimal digits, as the RFCs print them; returns the bytes' number. */
static inline unsigned
from_hex(const char *text, uint8_t *out)
{
	unsigned length = 0, byte;

	while (sscanf(text + 2 * length, "%2x", &byte) == 1)
		out[length++] = (uint8_t)byte;
	return length;
}

static inline void
hmac_pad(IMB_MGR *manager, const uint8_t *auth, size_t length, uint8_t pad, uint8_t state[20])
{
	uint8_t block[64];

	memset(block, pad, sizeof(block));
	for (size_t i = 0; i < length; i++)
		block[i] ^= auth[i];
	IMB_SHA1_ONE_BLOCK(manager, block, state);
}

/* The keys in bytes, of the suite's lengths; `auth` up to 64 bytes, as HMAC takes them. A tag of
 * all 20 bytes is compared and made for HMAC, of 16 for AEAD. */
static inline union srtp_key_room
session_key(enum relay_suite suite, const void *encryption, const void *salt, size_t salt_length,
	const void *auth, size_t auth_length)
{
	static IMB_MGR *manager;
	union srtp_key_room room;
	uint8_t unused[240] __attribute__((aligned(16)));
	unsigned length = relay_suite_info(suite)->key_length;

	if (manager == NULL) {
		manager = alloc_mb_mgr(0);
		init_mb_mgr_auto(manager, NULL);
	}
	memset(&room, 0, sizeof(room));
	room.key.suite = (uint8_t)suite;
	memcpy(room.key.salt, salt, salt_length);
	if (relay_suite_info(suite)->aead) {
		struct gcm_key_data *gcm =
			(struct gcm_key_data *)(room.bytes + SRTP_KEY_GCM_OFFSET);
		room.key.tag_length = 16;
		if (length == 16)
			IMB_AES128_GCM_PRE(manager, encryption, gcm);
		else
			IMB_AES256_GCM_PRE(manager, encryption, gcm);
		return room;
	}
	room.key.tag_length = SRTP_TAG_MAX;
	hmac_pad(manager, auth, auth_length, 0x36, room.key.hmac_inner);
	hmac_pad(manager, auth, auth_length, 0x5c, room.key.hmac_outer);
	if (length == 16)
		IMB_AES_KEYEXP_128(manager, encryption, room.key.schedule, unused);
	else if (length == 24)
		IMB_AES_KEYEXP_192(manager, encryption, room.key.schedule, unused);
	else
		IMB_AES_KEYEXP_256(manager, encryption, room.key.schedule, unused);
	return room;
}

#endif
