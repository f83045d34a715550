/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace_blank.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* A part of the message: from `at` up to, not including, `end`. */
struct part {
	char *at;
	char *end;
};

static bool
is_line_end(char c)
{
	return c == '\r' || c == '\n';
}

static void
blank(char *at, const char *end)
{
	for (; at < end; at++)
		if (!is_line_end(*at))
			*at = '*';
}

static bool
begins(const struct part *part, const char *word)
{
	size_t length = strlen(word);

	return (size_t)(part->end - part->at) >= length && strncasecmp(part->at, word, length) == 0;
}

/* Where the word begins, whatever its case; end: nowhere. */
static char *
find(const struct part *part, const char *word)
{
	struct part rest = *part;

	while (rest.at < rest.end && !begins(&rest, word))
		rest.at++;
	return rest.at;
}

/* Takes a line, with its end, off the rest. */
static struct part
take_line(struct part *rest)
{
	struct part line = {rest->at, rest->at};

	while (line.end < rest->end && !is_line_end(*line.end))
		line.end++;
	rest->at = line.end;
	if (rest->at < rest->end && *rest->at == '\r')
		rest->at++;
	if (rest->at < rest->end && *rest->at == '\n')
		rest->at++;
	return line;
}

/* The same, with the lines that continue it (RFC 3261 7.3.1). */
static struct part
take_header(struct part *rest)
{
	struct part header = take_line(rest);

	while (header.at < header.end && rest->at < rest->end &&
		(*rest->at == ' ' || *rest->at == '\t'))
		header.end = take_line(rest).end;
	return header;
}

/* Is this the header of that name? Its value is what stands behind the colon. */
static bool
is_header(const struct part *header, const char *name, struct part *value)
{
	struct part rest = *header;

	if (!begins(&rest, name))
		return false;
	rest.at += strlen(name);
	while (rest.at < rest.end && (*rest.at == ' ' || *rest.at == '\t'))
		rest.at++;
	if (rest.at == rest.end || *rest.at != ':')
		return false;
	rest.at++;
	while (rest.at < rest.end && (*rest.at == ' ' || *rest.at == '\t' || is_line_end(*rest.at)))
		rest.at++;
	*value = rest;
	return true;
}

/* Each parameter named response, up to its comma. */
static void
blank_credentials(struct part value)
{
	bool found = false;

	if (!begins(&value, "Digest")) {
		blank(value.at, value.end);
		return;
	}
	for (struct part rest = value;; rest.at++) {
		rest.at = find(&rest, "response");
		if (rest.at == rest.end)
			break;
		rest.at += strlen("response");
		char *end = memchr(rest.at, ',', (size_t)(rest.end - rest.at));
		blank(rest.at, end != NULL ? end : rest.end);
		found = true;
		if (end == NULL)
			break;
		rest.at = end;
	}
	if (!found)
		blank(value.at, value.end);
}

/* Blanks in the headers, and says whether the body is one that may be seen. */
static bool
blank_headers(struct part *rest)
{
	static const char *const proofs[] = {"Authorization", "Proxy-Authorization"};
	static const char *const all[] = {"Authentication-Info", "Proxy-Authentication-Info"};
	bool plain = false, encoded = false;
	struct part value;

	while (rest->at < rest->end) {
		struct part header = take_header(rest);
		if (header.at == header.end)
			break;
		for (unsigned i = 0; i < 2; i++) {
			if (is_header(&header, proofs[i], &value))
				blank_credentials(value);
			if (is_header(&header, all[i], &value))
				blank(value.at, value.end);
		}
		if (is_header(&header, "Content-Type", &value) || is_header(&header, "c", &value))
			plain = begins(&value, "application/sdp");
		if (is_header(&header, "Content-Encoding", &value) ||
			is_header(&header, "e", &value) ||
			is_header(&header, "Content-Transfer-Encoding", &value))
			encoded = true;
	}
	return plain && !encoded;
}

static void
blank_sdp(struct part rest)
{
	while (rest.at < rest.end) {
		struct part line = take_line(&rest);
		if (begins(&line, "k=") || begins(&line, "a=key-mgmt"))
			blank(line.at + 2, line.end);
		else if (begins(&line, "a=crypto") && find(&line, "inline:") == line.end)
			blank(line.at + strlen("a=crypto"), line.end);
	}
}

/* Up to what may follow a key: its lifetime, its MKI, another key, or the line's end. */
static void
blank_keys(struct part rest)
{
	static const char ends[] = {'|', ';', ' ', '\t', '\r', '\n'}; /* not NUL */

	for (;;) {
		rest.at = find(&rest, "inline:");
		if (rest.at == rest.end)
			return;
		rest.at += strlen("inline:");
		while (rest.at < rest.end && memchr(ends, *rest.at, sizeof(ends)) == NULL)
			*rest.at++ = '*';
	}
}

void
trace_blank(char *text, size_t length)
{
	struct part rest = {text, text + length};

	if (blank_headers(&rest))
		blank_sdp(rest);
	else
		blank(rest.at, rest.end);
	blank_keys((struct part){text, text + length});
}
