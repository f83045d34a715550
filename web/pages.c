/* SPDX-License-Identifier: BSD-3-Clause */
#include "pages.h"

#include <string.h>

const struct page *
pages_find(const char *path)
{
	/* both are one document: its script looks at the address */
	if (strcmp(path, "/") == 0 || strncmp(path, "/calls/", 7) == 0)
		path = "/index.html";
	for (size_t i = 0; i < pages_count; i++)
		if (strcmp(pages[i].path, path) == 0)
			return &pages[i];
	return NULL;
}
