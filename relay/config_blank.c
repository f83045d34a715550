/* SPDX-License-Identifier: BSD-3-Clause */
/* Secrets in values that are shown. */
#include "config_reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK "***"

/* Parameters that tell nothing which must be kept. */
static const char *const harmless[] = {"application_name", "connect_timeout", "dbname", "host",
	"hostaddr", "passfile", "port", "sslcert", "sslkey", "sslmode", "sslrootcert",
	"target_session_attrs", "user"};

static bool
is_harmless(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (strlen(harmless[i]) == length && strncmp(harmless[i], name, length) == 0)
			return true;
	return false;
}

/* "NAME=VALUE&...": a name that we don't know may be another spelling of "password". */
static void
write_parameters(FILE *out, const char *at)
{
	while (*at != '\0') {
		size_t length = strcspn(at, "&"), name = strcspn(at, "=&");
		if (name == length || is_harmless(at, name))
			fprintf(out, "%.*s", (int)length, at);
		else
			fprintf(out, "%.*s=" BLANK, (int)name, at);
		at += length;
		if (*at == '&')
			fputc(*at++, out);
	}
}

/* Whatever stands between the first colon and the last "@" may be the password, or part of it. */
static void
write_url(FILE *out, const char *url, const char *rest)
{
	const char *at = strrchr(rest, '@'), *colon = strchr(rest, ':');

	fprintf(out, "%.*s", (int)(rest - url), url);
	if (at != NULL) {
		if (colon != NULL && colon < at)
			fprintf(out, "%.*s:" BLANK, (int)(colon - rest), rest);
		else
			fprintf(out, "%.*s", (int)(at - rest), rest);
		rest = at;
	}
	size_t length = strcspn(rest, "?");
	fprintf(out, "%.*s", (int)length, rest);
	if (rest[length] == '?') {
		fputc('?', out);
		write_parameters(out, rest + length + 1);
	}
}

char *
config_blank(const char *field, const char *value)
{
	const char *begin = strstr(value, "://");
	char *text = NULL;
	size_t size = 0;

	if (strcmp(field, "web.login.hash") == 0)
		return strdup(strcmp(value, "-") == 0 ? "-" : BLANK);
	if (begin == NULL)
		return strdup(value);
	FILE *out = open_memstream(&text, &size);
	if (out == NULL)
		return NULL;
	write_url(out, value, begin + 3);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
