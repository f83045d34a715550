/* SPDX-License-Identifier: BSD-3-Clause */
/* Watches how long our certificates are good, and says so in time: 30, 7 and 1 day(s) before, once
 * for each. Event-loop thread alone. */
#ifndef CONTROL_CERTIFICATES_H
#define CONTROL_CERTIFICATES_H

#include <jansson.h>
#include <sofia-sip/su_wait.h>

/* Looks now, and every hour. After tls_context_start(). 0 or -ENOMEM. */
int certificates_start(su_root_t *root);
void certificates_stop(void);

/* Looks at once: they have been read anew. */
void certificates_look(void);

/* Appends a row for each: where it is, whose, until when. */
void certificates_list(json_t *rows);

#endif
