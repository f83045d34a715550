/* SPDX-License-Identifier: BSD-3-Clause */
/* What of one leg's headers is seen on the other: little. A B2BUA makes each message anew, so that
 * Via, Route, Contact, Call-ID, User-Agent, Server and Warning of one side never reach the other
 * (topology hiding); this is the list of what passes all the same, and who is said to speak.
 *
 * Trust (RFC 3325 3): a trunk whose entry says `trust_identity` is in our trust domain; users are
 * not, but we know them by digest.
 *
 * Event-loop thread alone. What is returned lies on `home`. */
#ifndef CONTROL_CALL_HEADERS_H
#define CONTROL_CALL_HEADERS_H

#include "relay/config.h"

#include <sofia-sip/sip.h>
#include <sofia-sip/su_alloc.h>

struct party; /* party.h */

/* The lines that go along with a request or response to `to`, made because `in` came from `from`:
 * headers of the pass list; P-Asserted-Identity and Privacy by RFC 3325 and 3323; Reason (RFC
 * 3326); Identity with its Date (RFC 8224), byte for byte. For SIPTAG_HEADER_STR(); "" for none,
 * NULL without memory. `in` must be whole (not NULL). */
const char *call_headers_pass(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to);

/* The same for an INVITE of ours by which `from`, who said `in` a while ago, gets to know `to`: of
 * a request what passes, without the Identity, which was signed for then and another callee (RFC
 * 8224 6.2.2); of a response only who speaks. */
const char *call_headers_introduce(su_home_t *home, const struct config_sip *config,
	const sip_t *in, const struct party *from, const struct party *to);

/* The reasons (RFC 3326) of a BYE, CANCEL or response that came, as the one value of a Reason
 * header: for SIPTAG_REASON_STR(). NULL: it has none. */
const char *call_headers_reason(su_home_t *home, const sip_t *in);

/* The From of a request to `to`, without a tag. A user's is the address of record that digest
 * proved, with the display name given; a trunk's the URI that came, its host replaced by our
 * domain. Anonymous (RFC 3323 4.1.1.3) where the sender asked for it and `to` is not trusted.
 * NULL without memory. */
sip_from_t *call_headers_from(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to);

#endif
