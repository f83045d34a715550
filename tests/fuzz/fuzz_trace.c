/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a message to be traced: no key stays behind its "inline:", no line is added or lost,
 * and nothing is written but asterisks. */
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
	char *text = malloc(size); /* and not a byte more: AddressSanitizer looks */

	if (text == NULL && size > 0)
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
	free(text);
	return 0;
}
