/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_line.h"

#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUM_BYTES 8 /* against damage, not against people: the file is ours alone */
#define SUM_SIZE (SUM_BYTES * 2 + 1)
#define STREAMS_MOST 16

static void
sum(const char *text, char out[SUM_SIZE])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = {0};

	EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
	for (unsigned i = 0; i < SUM_BYTES; i++)
		snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

char *
call_line_make(const char *id, json_t *call)
{
	char *text = json_dumps(call, JSON_COMPACT), *line = NULL, digits[SUM_SIZE];

	json_decref(call);
	if (text == NULL)
		return NULL;
	sum(text, digits);
	if (asprintf(&line, "{\"id\":\"%s\",\"sum\":\"%s\",\"call\":%s}\n", id, digits, text) < 0)
		line = NULL;
	free(text);
	return line;
}

char *
call_line_make_setup(const char *id, unsigned streams)
{
	char *line;

	return asprintf(&line, "{\"id\":\"%s\",\"setup\":%u}\n", id, streams) < 0 ? NULL : line;
}

json_t *
call_line_read(const json_t *line, unsigned *streams)
{
	const char *said = json_string_value(json_object_get(line, "sum"));
	json_int_t setup = json_integer_value(json_object_get(line, "setup"));
	json_t *call = json_object_get(line, "call");
	char *text, is[SUM_SIZE] = "";

	*streams = setup > 0 && setup <= STREAMS_MOST ? (unsigned)setup : 0;
	if (said == NULL || !json_is_object(call))
		return NULL;
	/* what was written in this manner is written so again */
	text = json_dumps(call, JSON_COMPACT);
	if (text != NULL)
		sum(text, is);
	free(text);
	return strcmp(is, said) == 0 ? call : NULL;
}
