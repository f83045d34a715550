/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is said to speak: privacy (RFC 3323), asserted identity (RFC 3325), and texts of others made
 * fit to stand in a header. For call_headers.c; any thread, one home at a time. */
#ifndef CONTROL_CALL_IDENTITY_H
#define CONTROL_CALL_IDENTITY_H

#include "party.h"

#include <sofia-sip/sip.h>
#include <sofia-sip/su_alloc.h>

/* Is the party in our trust domain? */
bool identity_is_trusted(const struct party *party);

/* Did the sender ask not to be known (Privacy: id, user or header, and not none)? */
bool identity_is_hidden(const sip_t *in);

/* The values of the Privacy header that are known, "id;user"; NULL: none. */
char *identity_privacy(su_home_t *home, const sip_t *in);

/* The value of P-Asserted-Identity for `to`; NULL: none. */
char *identity_asserted(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to);

/* The message's headers, each in turn by sh_succ: its first; a header's name as it came (NULL: it
 * has none), and its value without the name (NULL without memory). */
static inline const sip_header_t *
identity_first_header(const sip_t *in)
{
	return in->sip_request != NULL ? (const sip_header_t *)in->sip_request
	                               : (const sip_header_t *)in->sip_status;
}
const char *identity_header_name(const sip_header_t *header);
const char *identity_header_value(su_home_t *home, const sip_header_t *header);

/* A value of a header on one line: folds (RFC 3261 7.3.1) become a space, other control characters
 * go. */
char *identity_one_line(su_home_t *home, const char *value);

/* A display name as a quoted string (RFC 3261 25.1), whatever it held; NULL: there is none. */
char *identity_display(su_home_t *home, const char *display);

#endif
