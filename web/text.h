/* SPDX-License-Identifier: BSD-3-Clause */
/* A text that grows. A plain value that begins as zeros; text_free() ends it. Once memory ran out
 * it stays as it is, and text_failed() says so: checked once, at the end. */
#ifndef WEB_TEXT_H
#define WEB_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *bytes; /* with a NUL behind; NULL: empty */
	size_t length;
	size_t room;
	bool failed;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const char *bytes, size_t length);
bool text_failed(const struct text *text);
void text_free(struct text *text);

#endif
