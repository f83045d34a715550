/* SPDX-License-Identifier: BSD-3-Clause */
/* Blanks what a trace must not hold: keys, proofs of passwords, and what people say. Any thread. */
#ifndef CONTROL_TRACE_BLANK_H
#define CONTROL_TRACE_BLANK_H

#include <stddef.h>

/* Overwrites secrets of a SIP message with asterisks, in place; its length and lines stay:
 *
 * - all that follows "inline:" (RFC 4568 9.1), up to its lifetime, wherever it stands; k= and
 *   a=key-mgmt lines; a=crypto lines of another key method
 * - the response of Authorization and Proxy-Authorization, all of them where they are not Digest's;
 *   all of Authentication-Info
 * - bodies that are not plain application/sdp: messages (RFC 3428), DTMF, whatever is encoded */
void trace_blank(char *text, size_t length);

#endif
