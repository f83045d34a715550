/* SPDX-License-Identifier: BSD-3-Clause */
/* What is asked of a description's text before the SIP stack's parser gets it. */
#include "sdp_text.h"

#include <stdio.h>
#include <string.h>

/* RFC 8866 9: lines end in CRLF, or LF from the careless; no other control character but the tab.
 * */
bool
sdp_is_clean(const char *body, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)body[i];
		if (c == '\r' ? i + 1 == length || body[i + 1] != '\n'
			      : (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

/* RFC 8866 9: token-char */
static const char token_chars[] = "!#$%&'*+-.^_`{|}~0123456789"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* How many of the characters stand at text[at], up to the end of the line. */
static size_t
span(const char *text, size_t at, size_t end, const char *characters)
{
	size_t count = 0;

	while (at + count < end && strchr(characters, text[at + count]) != NULL)
		count++;
	return count;
}

size_t
sdp_token_length(const char *text, size_t length)
{
	return span(text, 0, length, token_chars);
}

/* RFC 8866 5.14: media SP port ["/" integer] SP proto *(SP fmt). Sofia-SIP 1.12.11 loops without
 * end and eats all memory on a format that starts with another character than a token's, a tab
 * before the first of them included, so nothing else may reach it. */
static bool
is_media_line(const char *text, size_t at, size_t end)
{
	static const char digits[] = "0123456789";
	char proto_chars[sizeof(token_chars) + 1];
	size_t count;

	snprintf(proto_chars, sizeof(proto_chars), "%s/", token_chars);
	for (unsigned field = 0; field < 3 || at < end; field++) {
		count = span(text, at, end,
			field == 1   ? digits
			: field == 2 ? proto_chars
				     : token_chars);
		if (count == 0)
			return false;
		at += count;
		if (field == 1 && at < end && text[at] == '/') {
			count = span(text, ++at, end, digits);
			if (count == 0)
				return false;
			at += count;
		}
		count = span(text, at, end, " ");
		if (at < end && count == 0)
			return false;
		at += count;
	}
	return true;
}

bool
sdp_has_lines(const char *body, size_t length)
{
	for (size_t at = 0; at < length;) {
		const char *newline = memchr(body + at, '\n', length - at);
		size_t end = newline != NULL ? (size_t)(newline - body) : length;
		size_t next = end + 1;
		if (end > at && body[end - 1] == '\r')
			end--;
		if (end > at &&
			(end - at < 2 || body[at] < 'a' || body[at] > 'z' || body[at + 1] != '='))
			return false;
		if (end > at && body[at] == 'm' && !is_media_line(body, at + 2, end))
			return false;
		at = next;
	}
	return true;
}
