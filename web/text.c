/* SPDX-License-Identifier: BSD-3-Clause */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096

/* Makes room for `more` bytes and a NUL. */
static bool
grow(struct text *text, size_t more)
{
	size_t room = text->room != 0 ? text->room : FIRST_ROOM;

	while (room < text->length + more + 1)
		room *= 2;
	if (room == text->room)
		return true;
	char *bytes = realloc(text->bytes, room);
	if (bytes == NULL) {
		text->failed = true;
		return false;
	}
	text->bytes = bytes;
	text->room = room;
	return true;
}

void
text_add_bytes(struct text *text, const char *bytes, size_t length)
{
	if (text->failed || !grow(text, length))
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void
text_add(struct text *text, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || text->failed || !grow(text, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args);
	va_end(args);
	text->length += (size_t)length;
}

bool
text_failed(const struct text *text)
{
	return text->failed;
}

void
text_free(struct text *text)
{
	free(text->bytes);
	*text = (struct text){.bytes = NULL};
}
