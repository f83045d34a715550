/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's own files, compiled in (embed.py). */
#ifndef WEB_PAGES_H
#define WEB_PAGES_H

#include <stddef.h>

struct page {
	const char *path;
	const char *type;
	const char *bytes;
	size_t length;
};

/* What is at a path; NULL: nothing. A call's own page is at /calls/ID, whatever the ID. */
const struct page *pages_find(const char *path);

/* Made by embed.py. */
extern const struct page pages[];
extern const size_t pages_count;

#endif
