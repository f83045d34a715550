/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
media_counter(const struct media_view *media, uint64_t *value, const char *format, ...)
{
	char name[sizeof(media->counters[0].name)];
	va_list args;

	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	for (unsigned i = 0; i < media->counters_count; i++) {
		if (strcmp(media->counters[i].name, name) == 0) {
			*value = media->counters[i].value;
			return true;
		}
	}
	return false;
}

const struct relay_session *
media_session(const struct media_view *media, const char *id)
{
	for (unsigned i = 0; i < media->sessions_count; i++)
		if (strcmp(media->sessions[i].id, id) == 0)
			return &media->sessions[i];
	return NULL;
}
