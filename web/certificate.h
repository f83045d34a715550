/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's certificate and key, read into memory for the TLS library. */
#ifndef WEB_CERTIFICATE_H
#define WEB_CERTIFICATE_H

#include "relay/config.h"

#include <stdint.h>

struct certificate {
	char *chain;     /* PEM; NULL: no TLS */
	char *key;       /* PEM */
	int64_t expires; /* since 1970; 0: no TLS */
};

/* Reads and checks both: the key is the certificate's, which has not expired. 0 (also where none is
 * configured), or -errno after a sentence. certificate_wipe() ends it. */
int certificate_read(
	const struct config_web *config, struct certificate *out, char *error, size_t error_size);
void certificate_wipe(struct certificate *certificate);

#endif
