/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of a session description, line by line. No state, any thread. */
#ifndef CONTROL_SDP_TEXT_H
#define CONTROL_SDP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* True if no control character stands in the body but tabs, CRLF and LF. */
bool sdp_is_clean(const char *body, size_t length);

/* Every line is empty or a lower-case letter, "=" and a value; every m= line is one that the SIP
 * stack's parser comes to an end with. */
bool sdp_has_lines(const char *body, size_t length);

/* How many characters of a token (RFC 8866 9) the text begins with. */
size_t sdp_token_length(const char *text, size_t length);

#endif
