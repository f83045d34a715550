/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth.h"

#include "digest.h"
#include "nonce.h"
#include "relay/log.h"

#include <openssl/crypto.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_tag.h>
#include <sofia-sip/url.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CHALLENGE_SIZE 640

struct auth {
	const struct config_sip *config;
	struct users *users;
	struct nonces *nonces;
	unsigned algorithms; /* set of enum digest_algorithm */
};

static uint64_t
now_ms(void)
{
	struct timespec now;

	/* does not jump when somebody sets the clock */
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum digest_algorithm
algorithm_of(enum config_digest digest)
{
	switch (digest) {
	case CONFIG_DIGEST_SHA_512_256:
		return DIGEST_SHA_512_256;
	case CONFIG_DIGEST_SHA_256:
		return DIGEST_SHA_256;
	default:
		return DIGEST_MD5;
	}
}

struct auth *
auth_create(const struct config_sip *config, struct users *users)
{
	struct auth *auth = calloc(1, sizeof(*auth));

	if (auth == NULL)
		return NULL;
	auth->config = config;
	auth->users = users;
	for (unsigned i = 0; i < config->digests_count; i++)
		auth->algorithms |= 1u << algorithm_of(config->digests[i]);
	if (nonces_create((uint64_t)config->nonce_lifetime_s * 1000, NONCE_TABLE_DEFAULT,
		    &auth->nonces) != 0) {
		free(auth);
		return NULL;
	}
	return auth;
}

void
auth_destroy(struct auth *auth)
{
	if (auth == NULL)
		return;
	nonces_destroy(auth->nonces);
	free(auth);
}

/* 401 with one challenge for each algorithm, in our order: RFC 8760 2.3. */
static void
challenge(struct auth *auth, nta_incoming_t *request, bool stale)
{
	char text[DIGEST_ALGORITHM_COUNT][CHALLENGE_SIZE];
	unsigned count = 0;

	for (unsigned i = 0; i < auth->config->digests_count && count < DIGEST_ALGORITHM_COUNT; i++)
		if (digest_challenge(auth->nonces, auth->config->domain,
			    algorithm_of(auth->config->digests[i]), stale, now_ms(), text[count],
			    sizeof(text[0])) == 0)
			count++;
	if (count == 0) {
		nta_incoming_treply(request, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
		return;
	}
	nta_incoming_treply(request, SIP_401_UNAUTHORIZED, SIPTAG_WWW_AUTHENTICATE_STR(text[0]),
		TAG_IF(count > 1, SIPTAG_WWW_AUTHENTICATE_STR(text[1])),
		TAG_IF(count > 2, SIPTAG_WWW_AUTHENTICATE_STR(text[2])), TAG_END());
}

/* Judges the credentials for our realm among those that came. DIGEST_NOT_DIGEST: there are none.
 * `user` is who they claim to be from, if that can be a user's name at all. */
static enum digest_verdict
judge(struct auth *auth, const sip_t *sip, char user[USER_NAME_SIZE], bool *away)
{
	enum digest_verdict verdict = DIGEST_NOT_DIGEST;
	struct digest_credentials credentials;
	struct user known;
	char uri[1024];

	for (const sip_authorization_t *at = sip->sip_authorization; at != NULL; at = at->au_next) {
		enum digest_verdict parsed = digest_parse(at, &credentials);
		if (parsed == DIGEST_OK && strcmp(credentials.realm, auth->config->domain) != 0)
			parsed = DIGEST_WRONG_REALM;
		verdict = parsed;
		if (parsed != DIGEST_NOT_DIGEST && parsed != DIGEST_WRONG_REALM)
			break;
	}
	if (verdict != DIGEST_OK)
		return verdict;
	if (url_e(uri, sizeof(uri), sip->sip_request->rq_url) >= (issize_t)sizeof(uri))
		return DIGEST_MALFORMED;
	if (user_name_fault(credentials.username) == NULL)
		snprintf(user, USER_NAME_SIZE, "%s", credentials.username);
	int found = users_find(auth->users, credentials.username, auth->config->domain, &known);
	if (found != 0 && found != -ENOENT) {
		log_error("%s", users_error(auth->users));
		*away = true;
		return DIGEST_ERROR;
	}
	struct digest_request against = {
		.realm = auth->config->domain,
		.method = sip->sip_request->rq_method_name,
		.uri = uri,
		.body = sip->sip_payload != NULL ? sip->sip_payload->pl_data : NULL,
		.body_size = sip->sip_payload != NULL ? sip->sip_payload->pl_len : 0,
		.algorithms = auth->algorithms,
		.nonces = auth->nonces,
		.now_ms = now_ms(),
	};
	verdict = digest_check(&credentials, &against, known.ha1[credentials.algorithm]);
	if (verdict == DIGEST_OK && found != 0)
		verdict = DIGEST_WRONG_RESPONSE; /* a dummy that matched: never */
	user_wipe(&known);
	OPENSSL_cleanse(&credentials, sizeof(credentials));
	return verdict;
}

/* Is the URI the address of record of this user? */
static bool
is_own(const struct auth *auth, const url_t *url, const char *user)
{
	char name[AGENT_USER_SIZE];

	if ((url->url_type != url_sip && url->url_type != url_sips) || url->url_user == NULL ||
		url->url_host == NULL || strcasecmp(url->url_host, auth->config->domain) != 0 ||
		strlen(url->url_user) >= sizeof(name))
		return false;
	url_unescape(name, url->url_user);
	return strcmp(name, user) == 0;
}

bool
auth_request(struct auth *auth, nta_incoming_t *request, const sip_t *sip,
	const struct source *source, char user[USER_NAME_SIZE])
{
	const char *method = sip->sip_request->rq_method_name;
	bool away = false;
	snprintf(user, USER_NAME_SIZE, "-");
	enum digest_verdict verdict = judge(auth, sip, user, &away);

	if (verdict != DIGEST_OK && verdict != DIGEST_NOT_DIGEST && verdict != DIGEST_WRONG_REALM &&
		!digest_verdict_is_stale(verdict))
		log_warning("authentication failed: %s from %s: user %s: %s", method, source->text,
			user, digest_verdict_name(verdict));
	switch (verdict) {
	case DIGEST_OK:
		break;
	case DIGEST_MALFORMED:
		nta_incoming_treply(request, SIP_400_BAD_REQUEST, TAG_END());
		return false;
	case DIGEST_ERROR:
		nta_incoming_treply(request, away ? 503 : 500, NULL,
			TAG_IF(away, SIPTAG_RETRY_AFTER_STR("10")), TAG_END());
		return false;
	default:
		challenge(auth, request, digest_verdict_is_stale(verdict));
		return false;
	}
	if (is_own(auth, sip->sip_from->a_url, user) &&
		(sip->sip_request->rq_method != sip_method_register ||
			is_own(auth, sip->sip_to->a_url, user)))
		return true;
	log_warning("authentication failed: %s from %s: user %s: spoke for somebody else", method,
		source->text, user);
	nta_incoming_treply(request, SIP_403_FORBIDDEN, TAG_END());
	return false;
}
