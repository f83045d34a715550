/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a message to be traced: no key stays behind its "inline:", no line is added or lost,
 * and nothing is blanked that was blank. */
#include "control/trace_blank.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool truth)
{
	if (!truth)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "inline:", ends[] = "|; \t\r\n";
	char *text = malloc(size + 1), *again = malloc(size + 1);

	if (text == NULL || again == NULL)
		abort();
	memcpy(text, data, size);
	trace_blank(text, size);
	for (size_t i = 0; i < size; i++) {
		bool line_end = data[i] == '\r' || data[i] == '\n';
		require(text[i] == (char)data[i] || (!line_end && text[i] == '*'));
		if (i < strlen(mark) ||
			strncasecmp(text + i - strlen(mark), mark, strlen(mark)) != 0)
			continue;
		require(text[i] == '*' || memchr(ends, text[i], sizeof(ends) - 1) != NULL);
	}
	memcpy(again, text, size);
	trace_blank(again, size);
	require(memcmp(again, text, size) == 0);
	free(text);
	free(again);
	return 0;
}
