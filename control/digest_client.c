/* SPDX-License-Identifier: BSD-3-Clause */
#include "digest_client.h"

#include "digest_hash.h"
#include "digest_params.h"
#include "relay/config.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sofia-sip/sip_header.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 1024   /* bytes of a challenge's parameters */
#define CNONCE_BYTES 16 /* RFC 7616 5.4: unforeseeable; 128 bits of it */
#define TRIES_MAX 2     /* the first challenge, and one that says that the nonce was stale */

/* A challenge that came. The texts lie in `text`. */
struct challenge {
	bool proxy; /* Proxy-Authenticate */
	const char *realm;
	const char *nonce;
	const char *opaque;    /* NULL: none */
	const char *algorithm; /* as it was written; NULL: it was not */
	enum digest_algorithm hash;
	bool session;
	enum digest_qop qop;
	bool stale;
	bool known; /* can it be answered? */
	char text[TEXT_MAX];
};

/* What is remembered of the challenge that was taken for a realm: a protection space. */
struct space {
	bool proxy;
	char *realm; /* NULL: this place is free */
	char *nonce;
	char *opaque;
	char *algorithm;
	enum digest_algorithm hash;
	bool session;
	enum digest_qop qop;
	unsigned tries; /* challenges taken since one of our requests got through */
	uint32_t nc;
	char cnonce[2 * CNONCE_BYTES + 1]; /* one for each nonce: "-sess" wants it so */
};

struct digest_client {
	unsigned owners; /* beside the first */
	struct space space[DIGEST_CLIENT_REALMS];
};

struct digest_client *
digest_client_create(void)
{
	return calloc(1, sizeof(struct digest_client));
}

struct digest_client *
digest_client_share(struct digest_client *client)
{
	if (client != NULL)
		client->owners++;
	return client;
}

static void
forget(struct space *space)
{
	free(space->realm);
	free(space->nonce);
	free(space->opaque);
	free(space->algorithm);
	memset(space, 0, sizeof(*space));
}

void
digest_client_destroy(struct digest_client *client)
{
	if (client == NULL || client->owners-- > 0)
		return;
	for (unsigned i = 0; i < DIGEST_CLIENT_REALMS; i++)
		forget(&client->space[i]);
	free(client);
}

void
digest_client_done(struct digest_client *client)
{
	for (unsigned i = 0; i < DIGEST_CLIENT_REALMS; i++)
		client->space[i].tries = 0;
}

/* Is the word in the list with commas (RFC 7616 3.3: qop-options)? */
static bool
lists(const char *list, const char *word)
{
	size_t length = strlen(word);

	while (*list != '\0') {
		list += strspn(list, ", \t");
		size_t here = strcspn(list, ", \t");
		if (here == length && strncasecmp(list, word, length) == 0)
			return true;
		list += here;
	}
	return false;
}

/* qop=auth where it is offered: a body may be changed, rightly, by who stands between. No qop at
 * all is RFC 2617's way, which RFC 8760 2.6 leaves to MD5. */
static bool
choose_qop(struct challenge *challenge, const char *offered)
{
	challenge->qop = DIGEST_QOP_NONE;
	if (offered == NULL)
		return challenge->hash == DIGEST_MD5 && !challenge->session;
	if (lists(offered, "auth"))
		challenge->qop = DIGEST_QOP_AUTH;
	else if (lists(offered, "auth-int"))
		challenge->qop = DIGEST_QOP_AUTH_INT;
	return challenge->qop != DIGEST_QOP_NONE;
}

/* False: no digest challenge, or none that can be read. */
static bool
read_challenge(const msg_auth_t *header, bool proxy, struct challenge *out)
{
	enum { REALM, NONCE, OPAQUE, STALE, ALGORITHM, QOP, COUNT };
	static const char *const names[COUNT] = {
		"realm", "nonce", "opaque", "stale", "algorithm", "qop"};
	const char *values[COUNT];

	if (header->au_scheme == NULL || strcasecmp(header->au_scheme, "Digest") != 0 ||
		header->au_params == NULL ||
		!digest_params_split(
			header->au_params, names, COUNT, values, out->text, sizeof(out->text)) ||
		values[REALM] == NULL || values[REALM][0] == '\0' || values[NONCE] == NULL ||
		values[NONCE][0] == '\0')
		return false;
	out->proxy = proxy;
	out->realm = values[REALM];
	out->nonce = values[NONCE];
	out->opaque = values[OPAQUE];
	out->algorithm = values[ALGORITHM];
	out->stale = values[STALE] != NULL && strcasecmp(values[STALE], "true") == 0;
	out->known = digest_algorithm_read(values[ALGORITHM], &out->hash, &out->session) &&
	             choose_qop(out, values[QOP]);
	return true;
}

static bool
is_better(const struct challenge *a, const struct challenge *b)
{
	if (a->known != b->known)
		return a->known;
	return a->hash > b->hash;
}

/* The texts move along. */
static void
copy_challenge(struct challenge *to, const struct challenge *from)
{
	const char **texts[] = {&to->realm, &to->nonce, &to->opaque, &to->algorithm};

	*to = *from;
	for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (*texts[i] != NULL)
			*texts[i] = to->text + (*texts[i] - from->text);
}

/* The best challenge of each realm; their count, or -E2BIG. */
static int
sift(const msg_auth_t *header, bool proxy, struct challenge best[], unsigned count)
{
	struct challenge one;

	for (; header != NULL; header = header->au_next) {
		unsigned i = 0;
		if (!read_challenge(header, proxy, &one))
			continue;
		while (i < count &&
			(best[i].proxy != proxy || strcmp(best[i].realm, one.realm) != 0))
			i++;
		if (i == DIGEST_CLIENT_REALMS)
			return -E2BIG;
		if (i == count || is_better(&one, &best[i]))
			copy_challenge(&best[i], &one);
		if (i == count)
			count++;
	}
	return (int)count;
}

/* For this very realm, else for any. */
static const struct config_credentials *
find_credentials(const struct config_credentials *credentials, unsigned count, const char *realm)
{
	const struct config_credentials *any = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (credentials[i].user == NULL || credentials[i].password == NULL)
			continue;
		if (credentials[i].realm == NULL)
			any = any == NULL ? &credentials[i] : any;
		else if (strcmp(credentials[i].realm, realm) == 0)
			return &credentials[i];
	}
	return any;
}

/* The realm's place, or a free one, or one that has not been asked for of late, or NULL. */
static struct space *
find_space(struct digest_client *client, bool proxy, const char *realm)
{
	struct space *empty = NULL;

	for (unsigned i = 0; i < DIGEST_CLIENT_REALMS; i++) {
		struct space *space = &client->space[i];
		if (space->realm == NULL || (space->tries == 0 && empty == NULL))
			empty = space;
		if (space->realm == NULL)
			continue;
		if (space->proxy == proxy && strcmp(space->realm, realm) == 0)
			return space;
	}
	return empty;
}

static int
copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from != NULL && *to == NULL ? -ENOMEM : 0;
}

static int
make_cnonce(char text[2 * CNONCE_BYTES + 1])
{
	uint8_t random[CNONCE_BYTES];

	if (RAND_bytes(random, sizeof(random)) != 1)
		return -EIO;
	for (unsigned i = 0; i < CNONCE_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", random[i]);
	return 0;
}

static int
remember(struct digest_client *client, const struct challenge *challenge)
{
	struct space *space = find_space(client, challenge->proxy, challenge->realm);
	struct space fresh = {.proxy = challenge->proxy,
		.hash = challenge->hash,
		.session = challenge->session,
		.qop = challenge->qop};
	int result;

	if (space == NULL)
		return -E2BIG;
	fresh.tries = space->tries + 1;
	result = make_cnonce(fresh.cnonce);
	if (result == 0 && (copy_text(&fresh.realm, challenge->realm) != 0 ||
				   copy_text(&fresh.nonce, challenge->nonce) != 0 ||
				   copy_text(&fresh.opaque, challenge->opaque) != 0 ||
				   copy_text(&fresh.algorithm, challenge->algorithm) != 0))
		result = -ENOMEM;
	if (result != 0) {
		forget(&fresh);
		return result;
	}
	forget(space);
	*space = fresh;
	return 0;
}

/* May it be answered? Nothing changes yet. */
static int
check(struct digest_client *client, const struct challenge *challenge,
	const struct config_credentials *credentials, unsigned count)
{
	const struct space *space = find_space(client, challenge->proxy, challenge->realm);

	if (!challenge->known)
		return -ENOTSUP;
	if (find_credentials(credentials, count, challenge->realm) == NULL)
		return -ENOENT;
	/* RFC 3261 22.2: the same credentials are not sent to who refused them */
	if (space != NULL && space->tries > 0 && (!challenge->stale || space->tries >= TRIES_MAX))
		return -EACCES;
	return 0;
}

int
digest_client_take(struct digest_client *client, const sip_t *response,
	const struct config_credentials *credentials, unsigned count)
{
	struct challenge best[DIGEST_CLIENT_REALMS];
	int found = sift(response->sip_www_authenticate, false, best, 0);
	int result = 0;

	if (found >= 0)
		found = sift(response->sip_proxy_authenticate, true, best, (unsigned)found);
	if (found <= 0)
		return found < 0 ? found : -EBADMSG;
	for (int i = 0; i < found && result == 0; i++)
		result = check(client, &best[i], credentials, count);
	for (int i = 0; i < found && result == 0; i++)
		result = remember(client, &best[i]);
	return result;
}

/* H(user:realm:password), of the session where that is asked for. */
static int
hash_secret(const struct space *space, const struct config_credentials *credentials,
	char ha1[DIGEST_HEX_SIZE])
{
	char user[DIGEST_HEX_SIZE];
	int result = digest_ha1(
		space->hash, credentials->user, space->realm, credentials->password, user);

	if (result == 0 && space->session)
		result = digest_session_ha1(space->hash, user, space->nonce, space->cnonce, ha1);
	else if (result == 0)
		memcpy(ha1, user, sizeof(user));
	OPENSSL_cleanse(user, sizeof(user));
	return result;
}

/* The header's value: RFC 7616 3.4. NULL: out of memory. */
static char *
compose(su_home_t *home, const struct space *space, const struct digest_input *input,
	const char *user, const char *response)
{
	const char *algorithm =
		space->algorithm != NULL
			? su_sprintf(home, ", algorithm=%s%s", digest_algorithm_name(space->hash),
				  space->session ? "-sess" : "")
			: "";
	const char *opaque =
		space->opaque != NULL
			? su_sprintf(home, ", opaque=%s", digest_params_quote(home, space->opaque))
			: "";
	const char *qop = space->qop != DIGEST_QOP_NONE
	                          ? su_sprintf(home, ", qop=%s, cnonce=\"%s\", nc=%s",
					    digest_qop_name(space->qop), input->cnonce, input->nc)
	                          : "";
	const char *quoted[] = {digest_params_quote(home, user),
		digest_params_quote(home, space->realm), digest_params_quote(home, space->nonce),
		digest_params_quote(home, input->uri)};

	for (unsigned i = 0; i < sizeof(quoted) / sizeof(quoted[0]); i++)
		if (quoted[i] == NULL)
			return NULL;
	if (algorithm == NULL || opaque == NULL || qop == NULL)
		return NULL;
	return su_sprintf(home,
		"Digest username=%s, realm=%s, nonce=%s, uri=%s, response=\"%s\"%s%s%s", quoted[0],
		quoted[1], quoted[2], quoted[3], response, algorithm, opaque, qop);
}

/* The next answer to a realm's challenge. */
static int
answer(struct space *space, su_home_t *home, struct digest_input *input,
	const struct config_credentials *credentials, char **value)
{
	char ha1[DIGEST_HEX_SIZE], response[DIGEST_HEX_SIZE], nc[9];
	int result;

	if (credentials == NULL)
		return -ENOENT;
	snprintf(nc, sizeof(nc), "%08x", ++space->nc);
	input->ha1 = ha1;
	input->nonce = space->nonce;
	input->nc = nc;
	input->cnonce = space->cnonce;
	input->qop = space->qop;
	result = hash_secret(space, credentials, ha1);
	if (result == 0)
		result = digest_response(space->hash, input, response);
	OPENSSL_cleanse(ha1, sizeof(ha1));
	if (result != 0)
		return result;
	*value = compose(home, space, input, credentials->user, response);
	return *value != NULL ? 0 : -ENOMEM;
}

int
digest_client_add(struct digest_client *client, su_home_t *home, const char *method,
	const char *uri, const void *body, size_t size,
	const struct config_credentials *credentials, unsigned count,
	sip_authorization_t **authorization, sip_proxy_authorization_t **proxy_authorization)
{
	struct digest_input input = {.method = method, .uri = uri, .body = body, .body_size = size};
	int result = 0;

	*authorization = NULL;
	*proxy_authorization = NULL;
	for (unsigned i = 0; i < DIGEST_CLIENT_REALMS && result == 0; i++) {
		struct space *space = &client->space[i];
		msg_auth_t **list = space->proxy ? proxy_authorization : authorization;
		char *value;
		if (space->realm == NULL)
			continue;
		result = answer(space, home, &input,
			find_credentials(credentials, count, space->realm), &value);
		if (result != 0)
			break;
		msg_auth_t *header = space->proxy ? sip_proxy_authorization_make(home, value)
		                                  : sip_authorization_make(home, value);
		if (header == NULL)
			return -ENOMEM;
		header->au_next = *list;
		*list = header;
	}
	return result;
}
