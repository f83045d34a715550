/* SPDX-License-Identifier: BSD-3-Clause */
/* Mends a fault in Sofia-SIP 1.12.11: its parser forgets the name of every bandwidth but AS and CT,
 * and its printer then says AS. So TIAS (RFC 3890: bits, not kilobits) would be a thousand times as
 * much, and RS and RR (RFC 3556), which are often 0, would forbid all media. The text has the
 * names, line for line. */
#ifndef CONTROL_SDP_MEND_H
#define CONTROL_SDP_MEND_H

#include <stddef.h>

struct sdp_parser_s; /* Sofia-SIP's */

/* Puts them back into what the parser made of this text, which sdp_has_lines(). 0 or -ENOMEM. Any
 * thread, one at a time for each parser. */
int sdp_mend_bandwidths(struct sdp_parser_s *parser, const char *body, size_t length);

#endif
