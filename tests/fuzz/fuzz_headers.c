/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as a SIP message whose headers are to pass: what comes of it is whole lines of names
 * that are on the list, and an address that the stack can read. */
#include "control/call_headers.h"
#include "control/party.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *pass[] = {"Subject", "Reason", "Identity", "Alert-Info", "History-Info", "X-Any"};
static const char *const lines[] = {"Subject", "Reason", "Identity", "Date", "Alert-Info",
	"History-Info", "X-Any", "P-Asserted-Identity", "Privacy"};
static struct config_sip config = {
	.domain = "home.example", .headers = {.pass = pass, .pass_count = 6}};
static struct config_trunk trunks[] = {
	{.name = "a", .tls_name = "a.example", .from_domain = "us.example", .trust_identity = true},
	{.name = "b", .tls_name = "b.example", .from_domain = "us.example"},
};

static void
require(bool truth)
{
	if (!truth)
		abort();
}

static void
check_line(const char *line, size_t length)
{
	bool known = false;

	for (size_t i = 0; i < length; i++)
		require((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		size_t name = strlen(lines[i]);
		known |= length > name + 2 && strncasecmp(line, lines[i], name) == 0 &&
		         strncmp(line + name, ": ", 2) == 0;
	}
	require(known);
}

static void
check_all(su_home_t *home, const sip_t *sip, const struct party *from, const struct party *to)
{
	const char *text = call_headers_pass(home, &config, sip, from, to), *end;

	require(text != NULL);
	for (; *text != '\0'; text = end + 2) {
		end = strstr(text, "\r\n");
		require(end != NULL);
		check_line(text, (size_t)(end - text));
	}
	const char *reason = call_headers_reason(home, sip);
	require(reason == NULL || strpbrk(reason, "\r\n") == NULL);
	sip_from_t *made = call_headers_from(home, &config, sip, from, to);
	require(made != NULL && made->a_tag == NULL && made->a_url->url_host != NULL);
	const char *said = sip_header_as_string(home, (const sip_header_t *)made);
	require(said != NULL && strpbrk(said, "\r\n") == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct party parties[4];
	/* as the wire gives it: whole */
	char *text = malloc(size + 4);
	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	memcpy(text + size, "\r\n\r\n", 4);
	msg_t *message = msg_make(sip_default_mclass(), 0, text, (ssize_t)size + 4);
	const sip_t *sip = message != NULL ? sip_object(message) : NULL;

	party_set_user(&parties[0], "alice");
	party_set_user(&parties[1], "b@\"<>\r\nb");
	party_set_trunk(&parties[2], &trunks[0]);
	party_set_trunk(&parties[3], &trunks[1]);
	if (sip != NULL && sip->sip_from != NULL &&
		(sip->sip_request != NULL || sip->sip_status != NULL)) {
		su_home_t *home = su_home_new(sizeof(su_home_t));
		for (unsigned i = 0; i < 4; i++)
			for (unsigned k = 0; k < 4; k++)
				check_all(home, sip, &parties[i], &parties[k]);
		su_home_unref(home);
	}
	msg_destroy(message);
	free(text);
	return 0;
}
