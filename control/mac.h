/* SPDX-License-Identifier: BSD-3-Clause */
/* HMAC-SHA256, cut to 16 bytes (RFC 2104 5), under a random key that nobody else knows: for what
 * only this process has to know again. The key is set up once: to give it to OpenSSL costs more
 * than to hash a few bytes. One thread. */
#ifndef CONTROL_MAC_H
#define CONTROL_MAC_H

#include <stddef.h>
#include <stdint.h>

#define MAC_SIZE 16

struct mac;

/* With a new random key. 0, -ENOMEM, or -EIO if there is no randomness, or OpenSSL has no HMAC. */
int mac_create(struct mac **out);

/* Wipes the key. NULL is fine. */
void mac_destroy(struct mac *mac);

/* 0 or -EIO. */
int mac_run(struct mac *mac, const void *bytes, size_t size, uint8_t out[MAC_SIZE]);

#endif
