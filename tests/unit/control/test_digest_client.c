/* SPDX-License-Identifier: BSD-3-Clause */
/* The digest client: our own server takes its answers; which challenges it answers, and when it
 * stops. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/digest.h"
#include "control/digest_client.h"
#include "control/nonce.h"
#include "relay/config.h"

#include <errno.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <stdio.h>
#include <string.h>

#define REALM "trunk.example"
#define URI "sip:100@trunk.example"
#define LIFETIME_MS 1000

static const struct config_credentials credentials[] = {
	{.realm = "proxy.example", .user = "relay-p", .password = "proxy's"},
	{.user = "relay", .password = "trunk's \"secret\""},
};
#define CREDENTIALS credentials, 2

struct world {
	su_home_t home[1];
	struct nonces *nonces;
	struct digest_client *client;
};

static int
setup(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.home->suh_size = sizeof(world.home);
	su_home_init(world.home);
	world.client = digest_client_create();
	*state = &world;
	return nonces_create(LIFETIME_MS, 8, &world.nonces) != 0 || world.client == NULL;
}

static int
teardown(void **state)
{
	struct world *world = *state;

	digest_client_destroy(world->client);
	nonces_destroy(world->nonces);
	su_home_deinit(world->home);
	return 0;
}

/* What a 401 with these headers (in order, "P" before one of a proxy) makes of the client. */
static int
take(struct world *world, const char *const *texts)
{
	sip_t response = {.sip_size = sizeof(response)};
	msg_auth_t **last[2] = {&response.sip_www_authenticate, &response.sip_proxy_authenticate};

	for (; *texts != NULL; texts++) {
		bool proxy = **texts == 'P';
		*last[proxy] = proxy ? sip_proxy_authenticate_make(world->home, *texts + 1)
		                     : sip_www_authenticate_make(world->home, *texts);
		assert_non_null(*last[proxy]);
		last[proxy] = &(*last[proxy])->au_next;
	}
	return digest_client_take(world->client, &response, CREDENTIALS);
}

#define TAKE(world, ...) take(world, (const char *const[]){__VA_ARGS__, NULL})

static void
add(struct world *world, const char *body, sip_authorization_t **out,
	sip_proxy_authorization_t **proxy)
{
	assert_int_equal(digest_client_add(world->client, world->home, "INVITE", URI, body,
				 body != NULL ? strlen(body) : 0, CREDENTIALS, out, proxy),
		0);
}

/* The server's verdict over the client's header. */
static enum digest_verdict
judge(struct world *world, const msg_auth_t *header, const char *body, uint64_t now_ms)
{
	struct digest_credentials parsed;
	char ha1[DIGEST_HEX_SIZE];
	const struct digest_request request = {.realm = REALM,
		.method = "INVITE",
		.uri = URI,
		.body = body,
		.body_size = body != NULL ? strlen(body) : 0,
		.algorithms = DIGEST_ALL,
		.nonces = world->nonces,
		.now_ms = now_ms};
	enum digest_verdict verdict = digest_parse(header, &parsed);

	if (verdict != DIGEST_OK)
		return verdict;
	assert_string_equal(parsed.username, "relay");
	digest_ha1(parsed.algorithm, "relay", REALM, credentials[1].password, ha1);
	return digest_check(&parsed, &request, ha1);
}

static const char *
challenge(struct world *world, enum digest_algorithm algorithm, bool stale, uint64_t now_ms)
{
	char *text = su_alloc(world->home, 512);

	assert_int_equal(
		digest_challenge(world->nonces, REALM, algorithm, stale, now_ms, text, 512), 0);
	return text;
}

static const char *
param(const msg_auth_t *header, const char *name)
{
	const char *value = msg_params_find(header->au_params, name);

	return value != NULL ? value : "";
}

/* Each algorithm, and every request that follows with a count of its own. */
static void
test_our_server_takes_it(void **state)
{
	struct world *world = *state;
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		assert_int_equal(
			TAKE(world, challenge(world, (enum digest_algorithm)i, false, 1)), 0);
		for (unsigned k = 1; k <= 3; k++) {
			char nc[9];
			snprintf(nc, sizeof(nc), "%08x", k);
			add(world, "v=0", &header, &proxy);
			assert_null(proxy);
			assert_non_null(header);
			assert_null(header->au_next);
			assert_string_equal(param(header, "nc="), nc);
			assert_string_equal(param(header, "algorithm="),
				digest_algorithm_name((enum digest_algorithm)i));
			assert_int_equal(judge(world, header, "v=0", 2), DIGEST_OK);
			assert_int_equal(judge(world, header, "v=0", 2), DIGEST_REPLAYED);
		}
		digest_client_done(world->client);
	}
}

static void
test_strongest_wins(void **state)
{
	struct world *world = *state;
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	assert_int_equal(TAKE(world, challenge(world, DIGEST_MD5, false, 1),
				 "Digest realm=\"" REALM "\", nonce=\"n\", algorithm=SHA3, "
				 "qop=\"auth\"",
				 challenge(world, DIGEST_SHA_512_256, false, 1),
				 challenge(world, DIGEST_SHA_256, false, 1), "Basic realm=\"x\""),
		0);
	add(world, NULL, &header, &proxy);
	assert_null(header->au_next);
	assert_string_equal(param(header, "algorithm="), "SHA-512-256");
	assert_int_equal(judge(world, header, NULL, 2), DIGEST_OK);
}

/* auth-int where nothing else is offered: the body counts. */
static void
test_auth_int(void **state)
{
	struct world *world = *state;
	char text[512];
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	snprintf(text, sizeof(text), "%s", challenge(world, DIGEST_SHA_256, false, 1));
	memcpy(strstr(text, "auth,auth-int"), "no , auth-int", 13);
	assert_int_equal(TAKE(world, text), 0);
	add(world, "v=0", &header, &proxy);
	assert_string_equal(param(header, "qop="), "auth-int");
	assert_int_equal(judge(world, header, "v=1", 2), DIGEST_WRONG_RESPONSE);
	assert_int_equal(judge(world, header, "v=0", 2), DIGEST_OK);
}

/* Two realms, and a proxy of its own: one header for each; a later challenge of one leaves the
 * others be (RFC 3261 22.3). */
static void
test_realms(void **state)
{
	struct world *world = *state;
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, false, 1),
				 "PDigest realm=\"proxy.example\", nonce=\"a\\\"b\", qop=\"auth\"",
				 "PDigest realm=\"other.example\", nonce=\"c\", opaque=\"\", "
				 "qop=\"auth\""),
		0);
	add(world, NULL, &header, &proxy);
	assert_int_equal(judge(world, header, NULL, 2), DIGEST_OK);
	assert_non_null(proxy);
	assert_non_null(proxy->au_next);
	assert_null(proxy->au_next->au_next);
	const msg_auth_t *first = proxy, *second = proxy->au_next;
	if (strcmp(param(first, "realm="), "\"proxy.example\"") != 0) {
		first = proxy->au_next;
		second = proxy;
	}
	assert_string_equal(param(first, "username="), "\"relay-p\"");
	assert_string_equal(param(first, "nonce="), "\"a\\\"b\"");
	assert_string_equal(param(first, "algorithm="), "");
	assert_string_equal(param(first, "opaque="), "");
	assert_string_equal(param(second, "username="), "\"relay\"");
	assert_string_equal(param(second, "opaque="), "\"\"");

	digest_client_done(world->client);
	assert_int_equal(
		TAKE(world, "PDigest realm=\"other.example\", nonce=\"d\", qop=\"auth\""), 0);
	add(world, NULL, &header, &proxy);
	assert_string_equal(param(header, "nc="), "00000002");
	assert_int_equal(judge(world, header, NULL, 2), DIGEST_OK);
	assert_int_equal(TAKE(world, "Digest realm=\"1\", nonce=\"d\", qop=\"auth\"",
				 "Digest realm=\"2\", nonce=\"d\", qop=\"auth\"",
				 "Digest realm=\"3\", nonce=\"d\", qop=\"auth\"",
				 "Digest realm=\"4\", nonce=\"d\", qop=\"auth\"",
				 "PDigest realm=\"4\", nonce=\"d\", qop=\"auth\""),
		-E2BIG);
}

/* A realm that is asked for no more makes room, one that is does not. */
static void
test_new_realms(void **state)
{
	struct world *world = *state;
	char text[64];

	for (unsigned i = 0; i < 3 * DIGEST_CLIENT_REALMS; i++) {
		snprintf(text, sizeof(text), "Digest realm=\"%u\", nonce=\"n\"", i);
		assert_int_equal(TAKE(world, text), 0);
		digest_client_done(world->client);
	}
	for (unsigned i = 0; i < DIGEST_CLIENT_REALMS; i++) {
		snprintf(text, sizeof(text), "Digest realm=\"r%u\", nonce=\"n\"", i);
		assert_int_equal(TAKE(world, text), 0);
	}
	assert_int_equal(TAKE(world, "Digest realm=\"more\", nonce=\"n\""), -E2BIG);
}

static void
test_refused_for_good(void **state)
{
	struct world *world = *state;
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, false, 1)), 0);
	add(world, NULL, &header, &proxy);
	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, false, 1)), -EACCES);
	/* what was got before is not lost by it */
	add(world, NULL, &header, &proxy);
	assert_int_equal(judge(world, header, NULL, 2), DIGEST_OK);
}

/* Its nonce grows old: once it may come back stale, and the new one is right; not twice. */
static void
test_stale_once(void **state)
{
	struct world *world = *state;
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, false, 1)), 0);
	add(world, NULL, &header, &proxy);
	assert_int_equal(judge(world, header, NULL, LIFETIME_MS + 9), DIGEST_STALE);
	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, true, 5000)), 0);
	add(world, NULL, &header, &proxy);
	assert_string_equal(param(header, "nc="), "00000001");
	assert_int_equal(judge(world, header, NULL, 5001), DIGEST_OK);
	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, true, 5002)), -EACCES);
	digest_client_done(world->client);
	assert_int_equal(TAKE(world, challenge(world, DIGEST_SHA_256, false, 5003)), 0);
}

/* RFC 2617's way without qop, and "-sess", by the hashes that test_digest proves. */
static void
test_other_ways(void **state)
{
	struct world *world = *state;
	char ha1[DIGEST_HEX_SIZE], session[DIGEST_HEX_SIZE], response[DIGEST_HEX_SIZE + 2];
	char cnonce[64];
	struct digest_input input = {
		.ha1 = ha1, .method = "INVITE", .uri = URI, .nonce = "abc", .nc = "00000001"};
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;

	assert_int_equal(TAKE(world, "Digest realm=\"old\", nonce=\"abc\""), 0);
	add(world, NULL, &header, &proxy);
	digest_ha1(DIGEST_MD5, "relay", "old", credentials[1].password, ha1);
	response[0] = '"';
	digest_response(DIGEST_MD5, &input, response + 1);
	strcat(response, "\"");
	assert_string_equal(param(header, "response="), response);
	assert_string_equal(param(header, "qop="), "");
	assert_string_equal(param(header, "nc="), "");

	digest_client_destroy(world->client);
	world->client = digest_client_create();
	assert_int_equal(TAKE(world, "Digest realm=\"s\", nonce=\"abc\", qop=auth, "
				     "algorithm=sha-256-SESS"),
		0);
	add(world, NULL, &header, &proxy);
	assert_string_equal(param(header, "algorithm="), "SHA-256-sess");
	snprintf(cnonce, sizeof(cnonce), "%.32s", param(header, "cnonce=") + 1);
	digest_ha1(DIGEST_SHA_256, "relay", "s", credentials[1].password, ha1);
	digest_session_ha1(DIGEST_SHA_256, ha1, "abc", cnonce, session);
	input.ha1 = session;
	input.cnonce = cnonce;
	input.qop = DIGEST_QOP_AUTH;
	digest_response(DIGEST_SHA_256, &input, response + 1);
	strcat(response, "\"");
	assert_string_equal(param(header, "response="), response);
}

static void
test_not_answered(void **state)
{
	static const struct {
		const char *text;
		int result;
	} cases[] = {
		{"Basic realm=\"x\"", -EBADMSG},
		{"Digest realm=\"x\"", -EBADMSG},
		{"Digest nonce=\"x\"", -EBADMSG},
		{"Digest realm=\"\", nonce=\"x\"", -EBADMSG},
		{"Digest realm=\"x\", nonce=\"\"", -EBADMSG},
		{"Digest realm=\"x\", nonce=\"y\", nonce=\"z\"", -EBADMSG},
		{"Digest realm=\"x\", nonce=\"y\", algorithm=SHA-1", -ENOTSUP},
		{"Digest realm=\"x\", nonce=\"y\", qop=\"auth-conf\"", -ENOTSUP},
		{"Digest realm=\"x\", nonce=\"y\", algorithm=SHA-256", -ENOTSUP},
		{"Digest realm=\"x\", nonce=\"y\", algorithm=MD5-sess", -ENOTSUP},
	};
	struct world *world = *state;
	sip_authorization_t *header;
	sip_proxy_authorization_t *proxy;
	sip_t nothing = {.sip_size = sizeof(nothing)};

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (TAKE(world, cases[i].text) != cases[i].result)
			fail_msg("%s", cases[i].text);
	assert_int_equal(digest_client_take(world->client, &nothing, CREDENTIALS), -EBADMSG);
	nothing.sip_www_authenticate =
		sip_www_authenticate_make(world->home, "Digest realm=\"x\", nonce=\"y\"");
	assert_int_equal(digest_client_take(world->client, &nothing, credentials, 1), -ENOENT);
	assert_int_equal(digest_client_take(world->client, &nothing, NULL, 0), -ENOENT);
	add(world, NULL, &header, &proxy);
	assert_null(header);
	assert_null(proxy);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_our_server_takes_it),
		TEST(test_strongest_wins),
		TEST(test_auth_int),
		TEST(test_realms),
		TEST(test_new_realms),
		TEST(test_refused_for_good),
		TEST(test_stale_once),
		TEST(test_other_ways),
		TEST(test_not_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
