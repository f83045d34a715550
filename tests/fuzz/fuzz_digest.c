/* SPDX-License-Identifier: BSD-3-Clause */
/* Digest headers: any text as credentials that a phone sends, and as the challenge of a trunk; what
 * the client makes of that must be a header which the server can read. The first byte chooses. */
#include "control/digest.h"
#include "control/digest_client.h"
#include "control/nonce.h"
#include "relay/config.h"

#include <sofia-sip/sip_header.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URI "sip:alice@example.com"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct nonces *nonces;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return nonces_create(1000, 8, &nonces);
}

static void
demand(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "%s\n", what);
	abort();
}

/* Does the text lie in the credentials' own room? */
static bool
is_inside(const struct digest_credentials *credentials, const char *text)
{
	return text >= credentials->text && text < credentials->text + DIGEST_TEXT_MAX &&
	       memchr(text, '\0', (size_t)(credentials->text + DIGEST_TEXT_MAX - text)) != NULL;
}

static void
as_server(su_home_t *home, const char *text)
{
	static const char ha1[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	const struct digest_request request = {.realm = "example.com",
		.method = "REGISTER",
		.uri = URI,
		.algorithms = DIGEST_ALL,
		.nonces = nonces,
		.now_ms = 5};
	struct digest_credentials credentials;
	const sip_authorization_t *header = sip_authorization_make(home, text);

	if (header == NULL || digest_parse(header, &credentials) != DIGEST_OK)
		return;
	demand(is_inside(&credentials, credentials.username) &&
			is_inside(&credentials, credentials.realm) &&
			is_inside(&credentials, credentials.nonce) &&
			is_inside(&credentials, credentials.uri) &&
			is_inside(&credentials, credentials.cnonce) &&
			is_inside(&credentials, credentials.response) &&
			(credentials.opaque == NULL || is_inside(&credentials, credentials.opaque)),
		"a text of the credentials lies elsewhere");
	demand(strlen(credentials.response) == digest_hex_length(credentials.algorithm),
		"a response of another length was taken");
	demand(credentials.qop != DIGEST_QOP_NONE && credentials.nc > 0, "no qop, or no count");
	demand(digest_check(&credentials, &request, ha1) != DIGEST_OK,
		"a login without a password");
}

static void
as_client(su_home_t *home, const char *text)
{
	static const struct config_credentials account = {
		.user = "re\\l\"ay", .password = "secret"};
	struct digest_client *client = digest_client_create();
	struct digest_credentials parsed;
	sip_t response = {.sip_size = sizeof(response)};
	sip_authorization_t *header = NULL;
	sip_proxy_authorization_t *proxy = NULL;

	response.sip_www_authenticate = sip_www_authenticate_make(home, text);
	demand(client != NULL, "out of memory");
	if (response.sip_www_authenticate != NULL &&
		digest_client_take(client, &response, &account, 1) == 0) {
		demand(digest_client_add(client, home, "INVITE", URI, "v=0", 3, &account, 1,
			       &header, &proxy) == 0 &&
				header != NULL && proxy == NULL,
			"a challenge was taken, and not answered");
		enum digest_verdict verdict = digest_parse(header, &parsed);
		/* without qop, or of a session, is what the server does not take */
		demand(verdict == DIGEST_OK || verdict == DIGEST_SESSION_ALGORITHM ||
				msg_params_find(header->au_params, "qop=") == NULL ||
				strlen(text) > 400,
			"the server can't read the client's header");
		demand(verdict != DIGEST_OK || strcmp(parsed.username, account.user) == 0,
			"the user's name came out otherwise");
	}
	digest_client_destroy(client);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	su_home_t *home;
	char *text;

	if (size < 1 || size > 4096 || (home = su_home_new(sizeof(*home))) == NULL)
		return 0;
	text = su_strndup(home, (const char *)data + 1, size - 1);
	if (text != NULL && data[0] % 2 == 0)
		as_server(home, text);
	else if (text != NULL)
		as_client(home, text);
	su_home_unref(home);
	return 0;
}
