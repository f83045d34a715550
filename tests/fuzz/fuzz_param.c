/* SPDX-License-Identifier: BSD-3-Clause */
/* The parameters of a URI, as url_mend.c finds them in place of the SIP stack: the same as a plain
 * look from semicolon to semicolon. The input: a tag, a NUL, the parameters. */
#include "fuzz.h"

#include <sofia-sip/url.h>
#include <strings.h>

/* The value of the first parameter of that name; its length and 1, or 0. */
static size_t
look(const char *params, const char *tag, const char **value)
{
	size_t name = strlen(tag);

	if (name > 0 && tag[name - 1] == '=')
		name--;
	while (*params != '\0') {
		size_t length = strcspn(params, ";"), equals = 0;
		while (equals < length && params[equals] != '=')
			equals++;
		/* a tag with a "=" inside is the beginning of the whole parameter */
		size_t own = memchr(tag, '=', name) != NULL && name <= length &&
		                             (name == length || params[name] == '=')
		                     ? name
		                     : equals;
		if (own == name && strncasecmp(params, tag, name) == 0) {
			*value = params + own + (own < length);
			return (size_t)(params + length - *value) + 1;
		}
		params += length + (params[length] == ';');
	}
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *tag = text_of(data, size), value[16];
	const char *expected = NULL;
	size_t used = strlen(tag) + 1;

	if (used == 1 || used > size) {
		free(tag);
		return 0;
	}
	char *params = text_of(data + used, size - used);
	memset(value, '#', sizeof(value));
	size_t wanted = look(params, tag, &expected);
	size_t found = (size_t)url_param(params, tag, value, sizeof(value));
	demand(found == wanted, "another parameter, or another length");
	demand(url_has_param(&(url_t){.url_params = params}, tag) == (int)(wanted > 0),
		"the stack itself finds something else");
	if (found > 0 && found <= sizeof(value))
		demand(memcmp(value, expected, found - 1) == 0 && value[found - 1] == '\0',
			"another value");
	else
		demand(value[0] == '#', "written, though there was nothing to write, or no room");
	free(params);
	free(tag);
	return 0;
}
