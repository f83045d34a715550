/* SPDX-License-Identifier: BSD-3-Clause */
/* Which headers pass from leg to leg, in the configuration: shape and checks. */
#include "config_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const cyaml_schema_value_t name_value = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CONFIG_HEADER_NAME_MAX)};

const cyaml_schema_field_t config_headers_fields[] = {
	CYAML_FIELD_SEQUENCE("pass", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_headers, pass, &name_value, 0, CONFIG_HEADERS_MAX),
	CYAML_FIELD_SEQUENCE("strip", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
		struct config_headers, strip, &name_value, 0, CONFIG_HEADERS_MAX),
	CYAML_FIELD_END,
};

/* What each leg has of its own, and we write ourselves; short forms too (RFC 3261 7.3.3). */
static const char *const own[] = {
	"Accept",
	"Accept-Encoding",
	"Allow",
	"Allow-Events",
	"Authentication-Info",
	"Authorization",
	"Call-ID",
	"Contact",
	"Content-Disposition",
	"Content-Encoding",
	"Content-Language",
	"Content-Length",
	"Content-Type",
	"CSeq",
	"Date",
	"Event",
	"Expires",
	"From",
	"Max-Forwards",
	"MIME-Version",
	"Min-Expires",
	"Min-SE",
	"P-Asserted-Identity",
	"P-Preferred-Identity",
	"Path",
	"Privacy",
	"Proxy-Authenticate",
	"Proxy-Authorization",
	"Proxy-Require",
	"RAck",
	"Record-Route",
	"Refer-To",
	"Referred-By",
	"Replaces",
	"Require",
	"Retry-After",
	"Route",
	"RSeq",
	"Server",
	"Service-Route",
	"Session-Expires",
	"Subscription-State",
	"Supported",
	"Timestamp",
	"To",
	"Unsupported",
	"User-Agent",
	"Via",
	"Warning",
	"WWW-Authenticate",
};

static int
check_name(const struct config_complaint *to, const char *list, unsigned index, const char *name)
{
	char field[CONFIG_FIELD_TEXT];

	snprintf(field, sizeof(field), "sip.headers.%s[%u]", list, index);
	/* RFC 3261 25.1, token; a single letter is a short form */
	if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			 "-.!%*_+`'~") != strlen(name) ||
		name[1] == '\0')
		return config_complain_of(to, field, "\"%s\" is no header's name", name);
	return 0;
}

int
config_headers_check(const struct config_complaint *to, const struct config_sip *sip)
{
	const struct config_headers *headers = &sip->headers;
	char field[CONFIG_FIELD_TEXT];

	for (unsigned i = 0; i < headers->strip_count; i++)
		if (check_name(to, "strip", i, headers->strip[i]) != 0)
			return -EINVAL;
	for (unsigned i = 0; i < headers->pass_count; i++) {
		if (check_name(to, "pass", i, headers->pass[i]) != 0)
			return -EINVAL;
		for (unsigned k = 0; k < sizeof(own) / sizeof(own[0]); k++) {
			if (strcasecmp(own[k], headers->pass[i]) != 0)
				continue;
			snprintf(field, sizeof(field), "sip.headers.pass[%u]", i);
			return config_complain_of(to, field,
				"%s is each leg's own: Sallyport writes it itself", own[k]);
		}
	}
	return 0;
}
