/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest_params.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Copies a parameter's value without its quotes (RFC 7230 3.2.6) to *at, which moves on. NULL: it
 * is neither a token nor one quoted string, or there is no room. */
static const char *
unquote(const char *value, char **at, const char *end)
{
	const char *text = *at;
	char *to = *at;
	bool quoted = *value == '"';

	if (quoted)
		value++;
	for (; *value != '\0' && !(quoted && *value == '"'); value++) {
		if (quoted && *value == '\\')
			value++;
		else if (!quoted && strchr("\"\\ \t,", *value) != NULL)
			return NULL;
		if ((uint8_t)*value < 0x20 || *value == 0x7f || to + 1 >= end)
			return NULL;
		*to++ = *value;
	}
	if (quoted && (value[0] != '"' || value[1] != '\0'))
		return NULL;
	if ((!quoted && to == text) || to >= end)
		return NULL;
	*to++ = '\0';
	*at = to;
	return text;
}

bool
digest_params_split(const msg_param_t *params, const char *const *names, unsigned count,
	const char **values, char *text, size_t size)
{
	const char *end = text + size;

	for (unsigned i = 0; i < count; i++)
		values[i] = NULL;
	for (; *params != NULL; params++) {
		const char *equals = strchr(*params, '=');
		if (equals == NULL || equals == *params)
			return false;
		size_t length = (size_t)(equals - *params);
		for (unsigned i = 0; i < count; i++) {
			if (strlen(names[i]) != length ||
				strncasecmp(names[i], *params, length) != 0)
				continue;
			if (values[i] != NULL)
				return false;
			values[i] = unquote(equals + 1, &text, end);
			if (values[i] == NULL)
				return false;
		}
	}
	return true;
}

char *
digest_params_quote(su_home_t *home, const char *text)
{
	char *quoted = su_alloc(home, 2 * strlen(text) + 3), *to = quoted;

	if (quoted == NULL)
		return NULL;
	*to++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*to++ = '\\';
		*to++ = *text;
	}
	strcpy(to, "\"");
	return quoted;
}
