/* SPDX-License-Identifier: BSD-3-Clause */
/* Passwords of the page, stored as scrypt hashes (RFC 7914):
 *
 *	scrypt$LOG2N$R$P$SALT$HASH	salt and hash in base64
 */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define PASSWORD_HASH_SIZE 160 /* bytes of its text, with the NUL */
#define PASSWORD_MAX 1024      /* bytes of a password */

/* The hash of a password, with a fresh salt. 0, or -EIO without randomness, -ENOMEM. */
int password_hash(const char *password, char hash[PASSWORD_HASH_SIZE]);

/* Can it be a hash of ours, with costs that we would pay? */
bool password_is_hash(const char *hash);

/* Is it this password's? Takes as long whatever the answer: about 60 ms and 32 MiB. */
bool password_matches(const char *password, const char *hash);

#endif
