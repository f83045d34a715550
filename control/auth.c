/* SPDX-License-Identifier: BSD-3-Clause */
#include "auth.h"

#include "counters.h"
#include "digest.h"
#include "nonce.h"
#include "penalty.h"
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
#define AWAY_RETRY_S 10 /* what a phone is told when the users' store is away */

struct auth {
	const struct config_sip *config;
	struct users *users;
	struct nonces *nonces;
	struct penalties *penalties;
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

static void
set_config(struct auth *auth, const struct config_sip *config, struct users *users)
{
	auth->config = config;
	auth->users = users;
	auth->algorithms = 0;
	for (unsigned i = 0; i < config->digests_count; i++)
		auth->algorithms |= 1u << algorithm_of(config->digests[i]);
}

struct auth *
auth_create(const struct config_sip *config, struct users *users)
{
	struct auth *auth = calloc(1, sizeof(*auth));

	if (auth == NULL)
		return NULL;
	set_config(auth, config, users);
	if (nonces_create((uint64_t)config->nonce_lifetime_s * 1000, NONCE_TABLE_DEFAULT,
		    &auth->nonces) != 0 ||
		penalties_create(&config->penalties, &auth->penalties) != 0) {
		auth_destroy(auth);
		return NULL;
	}
	return auth;
}

void
auth_configure(struct auth *auth, const struct config_sip *config, struct users *users)
{
	set_config(auth, config, users);
	nonces_set_lifetime(auth->nonces, (uint64_t)config->nonce_lifetime_s * 1000);
	penalties_configure(auth->penalties, &config->penalties);
}

void
auth_destroy(struct auth *auth)
{
	if (auth == NULL)
		return;
	nonces_destroy(auth->nonces);
	penalties_destroy(auth->penalties);
	free(auth);
}

/* Is who sends this asked as a proxy asks? A registrar never is one: RFC 3261 22.2. */
static bool
asks_as_proxy(const struct auth *auth, sip_method_t method)
{
	return auth->config->challenge == CONFIG_CHALLENGE_PROXY && method != sip_method_register;
}

/* 401 or 407 with one challenge for each algorithm, in our order: RFC 8760 2.3. */
static void
challenge(struct auth *auth, nta_incoming_t *request, bool stale)
{
	bool proxy = asks_as_proxy(auth, nta_incoming_method(request));
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
	tag_type_t header = proxy ? siptag_proxy_authenticate_str : siptag_www_authenticate_str;
	const tagi_t challenges[] = {
		{header, (tag_value_t)text[0]},
		{count > 1 ? header : tag_skip, (tag_value_t)text[1]},
		{count > 2 ? header : tag_skip, (tag_value_t)text[2]},
		{NULL, 0},
	};
	if (proxy)
		nta_incoming_treply(request, SIP_407_PROXY_AUTH_REQUIRED, TAG_NEXT(challenges));
	else
		nta_incoming_treply(request, SIP_401_UNAUTHORIZED, TAG_NEXT(challenges));
}

/* What has been found of a request. */
struct login {
	char user[USER_NAME_SIZE]; /* who it claims to be from; "-" if that can be no user's name */
	enum digest_verdict verdict;
	uint64_t locked_ms; /* not looked at, for so long */
	bool away;          /* the users' store is: nothing is known */
};

/* The credentials for our realm among those that came. DIGEST_NOT_DIGEST: there are none. */
static enum digest_verdict
read_credentials(const struct auth *auth, const sip_t *sip, struct digest_credentials *credentials)
{
	enum digest_verdict verdict = DIGEST_NOT_DIGEST;
	const msg_auth_t *first = asks_as_proxy(auth, sip->sip_request->rq_method)
	                                  ? sip->sip_proxy_authorization
	                                  : sip->sip_authorization;

	for (const msg_auth_t *at = first; at != NULL; at = at->au_next) {
		verdict = digest_parse(at, credentials);
		if (verdict == DIGEST_OK && strcmp(credentials->realm, auth->config->domain) != 0)
			verdict = DIGEST_WRONG_REALM;
		if (verdict != DIGEST_NOT_DIGEST && verdict != DIGEST_WRONG_REALM)
			break;
	}
	return verdict;
}

/* Measures them against the user's hash, or a dummy's, at the same cost. */
static void
measure(struct auth *auth, const sip_t *sip, const struct digest_credentials *credentials,
	struct login *login)
{
	struct user known;
	char uri[1024];

	if (url_e(uri, sizeof(uri), sip->sip_request->rq_url) >= (issize_t)sizeof(uri)) {
		login->verdict = DIGEST_MALFORMED;
		return;
	}
	const struct digest_request against = {
		.realm = auth->config->domain,
		.method = sip->sip_request->rq_method_name,
		.uri = uri,
		.body = sip->sip_payload != NULL ? sip->sip_payload->pl_data : NULL,
		.body_size = sip->sip_payload != NULL ? sip->sip_payload->pl_len : 0,
		.algorithms = auth->algorithms,
		.nonces = auth->nonces,
		.now_ms = now_ms(),
	};
	int found = users_find(auth->users, credentials->username, auth->config->domain, &known);
	if (found != 0 && found != -ENOENT) {
		login->away = true;
		login->verdict = DIGEST_ERROR;
		return;
	}
	login->verdict = digest_check(credentials, &against, known.ha1[credentials->algorithm]);
	if (login->verdict == DIGEST_OK && found != 0)
		login->verdict = DIGEST_WRONG_RESPONSE; /* a dummy that matched: never */
	user_wipe(&known);
}

static void
judge(struct auth *auth, const sip_t *sip, const struct source *source, struct login *login)
{
	struct digest_credentials credentials;

	*login = (struct login){.user = "-"};
	login->verdict = read_credentials(auth, sip, &credentials);
	if (login->verdict != DIGEST_OK)
		return;
	if (user_name_fault(credentials.username) == NULL)
		snprintf(login->user, USER_NAME_SIZE, "%s", credentials.username);
	login->locked_ms =
		penalties_check(auth->penalties, &source->peer.ip, credentials.username, now_ms());
	if (login->locked_ms == 0) {
		measure(auth, sip, &credentials, login);
		if (login->verdict == DIGEST_OK)
			penalties_succeeded(
				auth->penalties, &source->peer.ip, credentials.username, now_ms());
		else if (login->verdict == DIGEST_WRONG_RESPONSE)
			penalties_failed(
				auth->penalties, &source->peer.ip, credentials.username, now_ms());
	}
	OPENSSL_cleanse(&credentials, sizeof(credentials));
}

/* The one line that says so, always of this shape: deploy/fail2ban reads it. */
static void
log_failure(const char *method, const struct source *source, const char *user, const char *reason)
{
	/* fail2ban counts them; sip.penalties bounds how many one source can cause */
	log_audit(LOG_LEVEL_WARNING,
		LOG_ABOUT({LOG_PEER, source->text}, {LOG_USER, user}, {LOG_REASON, reason}),
		"authentication failed: %s from %s: user %s: %s", method, source->text, user,
		reason);
}

static void
refuse_for(nta_incoming_t *request, uint64_t seconds)
{
	char retry_after[24];

	snprintf(retry_after, sizeof(retry_after), "%llu", (unsigned long long)seconds);
	nta_incoming_treply(request, SIP_503_SERVICE_UNAVAILABLE,
		SIPTAG_RETRY_AFTER_STR(retry_after), TAG_END());
}

/* Answers a request that did not log in. */
static void
refuse(struct auth *auth, nta_incoming_t *request, const struct login *login)
{
	if (login->locked_ms > 0) {
		counters_add(COUNTER_LOGINS_LOCKED);
		refuse_for(request, (login->locked_ms + 999) / 1000);
		return;
	}
	switch (login->verdict) {
	case DIGEST_MALFORMED:
		counters_add(COUNTER_LOGINS_BROKEN);
		nta_incoming_treply(request, SIP_400_BAD_REQUEST, TAG_END());
		return;
	case DIGEST_ERROR:
		if (login->away) {
			counters_add(COUNTER_LOGINS_AWAY);
			refuse_for(request, AWAY_RETRY_S);
		} else {
			nta_incoming_treply(request, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
		}
		return;
	case DIGEST_NOT_DIGEST:
	case DIGEST_WRONG_REALM:
		counters_add(COUNTER_LOGINS_CHALLENGED);
		break;
	case DIGEST_STALE:
	case DIGEST_BAD_NONCE:
		counters_add(COUNTER_LOGINS_STALE);
		break;
	case DIGEST_REPLAYED:
		counters_add(COUNTER_LOGINS_REPLAYED);
		break;
	case DIGEST_WRONG_RESPONSE:
		counters_add(COUNTER_LOGINS_WRONG);
		break;
	default:
		counters_add(COUNTER_LOGINS_BROKEN);
		break;
	}
	challenge(auth, request, digest_verdict_is_stale(login->verdict));
}

/* Is the URI the address of record of this user? */
static bool
owns_uri(const struct auth *auth, const url_t *url, const char *user)
{
	char name[AGENT_USER_SIZE];

	if ((url->url_type != url_sip && url->url_type != url_sips) || url->url_user == NULL ||
		url->url_host == NULL || strcasecmp(url->url_host, auth->config->domain) != 0 ||
		strlen(url->url_user) >= sizeof(name))
		return false;
	url_unescape(name, url->url_user);
	return strcmp(name, user) == 0;
}

/* RFC 3323 4.1.1.3: a caller that wishes to stay unknown to the callee; we know it by digest. */
static bool
is_anonymous(const url_t *url)
{
	return url->url_user != NULL && url->url_host != NULL &&
	       strcasecmp(url->url_user, "anonymous") == 0 &&
	       strcasecmp(url->url_host, "anonymous.invalid") == 0;
}

/* Does the sender speak for itself alone? RFC 3261 10.3: a REGISTER binds the To's address. */
static bool
speaks_for_itself(const struct auth *auth, const sip_t *sip, const char *user)
{
	const url_t *from = sip->sip_from->a_url;

	if (sip->sip_request->rq_method == sip_method_register)
		return owns_uri(auth, from, user) && owns_uri(auth, sip->sip_to->a_url, user);
	return owns_uri(auth, from, user) || is_anonymous(from);
}

/* Has the sender logged in, as the user written into `user`? If not, it has been answered. */
static bool
log_in(struct auth *auth, nta_incoming_t *request, const sip_t *sip, const struct source *source,
	char user[USER_NAME_SIZE])
{
	const char *method = sip->sip_request->rq_method_name;
	struct login login;

	judge(auth, sip, source, &login);
	memcpy(user, login.user, USER_NAME_SIZE);
	if (login.locked_ms > 0)
		log_failure(method, source, user, "locked after failures");
	else if (login.verdict != DIGEST_OK && login.verdict != DIGEST_NOT_DIGEST &&
		 login.verdict != DIGEST_WRONG_REALM && !login.away &&
		 !digest_verdict_is_stale(login.verdict))
		log_failure(method, source, user, digest_verdict_name(login.verdict));
	if (login.locked_ms > 0 || login.verdict != DIGEST_OK) {
		refuse(auth, request, &login);
		return false;
	}
	return true;
}

/* Who has logged in may say this, or may not: then it has been answered. */
static bool
permit(nta_incoming_t *request, const sip_t *sip, const struct source *source, const char *user,
	bool permitted)
{
	if (permitted) {
		counters_add(COUNTER_LOGINS_RIGHT);
		return true;
	}
	counters_add(COUNTER_LOGINS_SPOOFED);
	log_failure(sip->sip_request->rq_method_name, source, user, "spoke for somebody else");
	nta_incoming_treply(request, SIP_403_FORBIDDEN, TAG_END());
	return false;
}

bool
auth_request(struct auth *auth, nta_incoming_t *request, const sip_t *sip,
	const struct source *source, char user[USER_NAME_SIZE])
{
	return log_in(auth, request, sip, source, user) &&
	       permit(request, sip, source, user, speaks_for_itself(auth, sip, user));
}

bool
auth_in_dialog(struct auth *auth, nta_incoming_t *request, const sip_t *sip,
	const struct source *source, const char *expected)
{
	char user[USER_NAME_SIZE];

	return log_in(auth, request, sip, source, user) &&
	       permit(request, sip, source, user, strcmp(user, expected) == 0);
}
