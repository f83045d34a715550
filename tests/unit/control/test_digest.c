/* SPDX-License-Identifier: BSD-3-Clause */
/* Digest: the examples of RFC 2617 and RFC 7616, and every way to be refused. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/digest.h"
#include "control/nonce.h"

#include <errno.h>
#include <sofia-sip/sip.h>
#include <sofia-sip/sip_header.h>
#include <stdio.h>
#include <string.h>

#define LIFETIME_MS 1000
#define REALM "sallyport.example"
#define URI "sip:sallyport.example"

struct world {
	su_home_t home[1];
	struct nonces *nonces;
	char nonce[NONCE_TEXT_SIZE];
	char ha1[DIGEST_ALGORITHM_COUNT][DIGEST_HEX_SIZE];
};

static int
setup(void **state)
{
	static struct world world;

	memset(&world, 0, sizeof(world));
	world.home->suh_size = sizeof(world.home);
	su_home_init(world.home);
	assert_int_equal(nonces_create(LIFETIME_MS, 8, &world.nonces), 0);
	assert_int_equal(nonce_make(world.nonces, 0, world.nonce), 0);
	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++)
		assert_int_equal(digest_ha1((enum digest_algorithm)i, "alice", REALM, "secret",
					 world.ha1[i]),
			0);
	*state = &world;
	return 0;
}

static int
teardown(void **state)
{
	struct world *world = *state;

	nonces_destroy(world->nonces);
	su_home_deinit(world->home);
	return 0;
}

static void
assert_response(
	enum digest_algorithm algorithm, const struct digest_input *input, const char *expected)
{
	char response[DIGEST_HEX_SIZE];

	assert_int_equal(digest_response(algorithm, input, response), 0);
	assert_string_equal(response, expected);
}

/* RFC 2617 3.5; the others are of the same input, by another program's hashes. */
static void
test_rfc2617(void **state)
{
	char ha1[DIGEST_HEX_SIZE];
	struct digest_input input = {.ha1 = ha1,
		.method = "GET",
		.uri = "/dir/index.html",
		.nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
		.nc = "00000001",
		.cnonce = "0a4f113b",
		.qop = DIGEST_QOP_AUTH};

	digest_ha1(DIGEST_MD5, "Mufasa", "testrealm@host.com", "Circle Of Life", ha1);
	assert_string_equal(ha1, "939e7578ed9e3c518a452acee763bce9");
	assert_response(DIGEST_MD5, &input, "6629fae49393a05397450978507c4ef1");
	input.qop = DIGEST_QOP_NONE;
	assert_response(DIGEST_MD5, &input, "670fd8c2df070c60b045671b8b24ff02");
	input.qop = DIGEST_QOP_AUTH_INT;
	assert_response(DIGEST_MD5, &input, "5e6610ecf9ba3017a4870ad48e3ad30b");
	input.body = "v=0\r\n";
	input.body_size = 5;
	assert_response(DIGEST_MD5, &input, "151b6cabb7e59e0ac757207a039ff3d0");
}

/* RFC 7616 3.9.1 */
static void
test_rfc7616(void **state)
{
	static const char realm[] = "http-auth@example.org";
	char ha1[DIGEST_HEX_SIZE], session[DIGEST_HEX_SIZE];
	const struct digest_input input = {.ha1 = ha1,
		.method = "GET",
		.uri = "/dir/index.html",
		.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
		.nc = "00000001",
		.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		.qop = DIGEST_QOP_AUTH};

	digest_ha1(DIGEST_MD5, "Mufasa", realm, "Circle of Life", ha1);
	assert_response(DIGEST_MD5, &input, "8ca523f5e9506fed4657c9700eebdbec");
	digest_ha1(DIGEST_SHA_256, "Mufasa", realm, "Circle of Life", ha1);
	assert_response(DIGEST_SHA_256, &input,
		"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
	assert_int_equal(
		digest_session_ha1(DIGEST_SHA_256, ha1, input.nonce, input.cnonce, session), 0);
	assert_string_equal(
		session, "bca21f4c7d7e8bf70d96361085370c7d219947abc1b8cd628f710917b89bed5b");
}

/* RFC 7616 3.9.2's example is known to be wrong (a cut SHA-512); so the plain hash of "a:b:c". */
static void
test_sha512_256(void **state)
{
	char hex[DIGEST_HEX_SIZE];

	assert_int_equal(digest_ha1(DIGEST_SHA_512_256, "a", "b", "c", hex), 0);
	assert_string_equal(
		hex, "8eb13a416df8d7c256bb1b2fdc7824b9ab088eba9459502ef1de3d73c9dd7901");
}

static sip_authorization_t *
header(struct world *world, const char *text)
{
	sip_authorization_t *header = sip_authorization_make(world->home, text);

	if (header == NULL)
		fail_msg("the SIP parser takes no \"%s\"", text);
	return header;
}

/* What a right client sends, with a body if that is to be protected; then as told by the test:
 * from is replaced by to. */
static void
compose_with(struct world *world, enum digest_algorithm algorithm, const char *body, const char *nc,
	const char *from, const char *to, char *text, size_t size)
{
	char response[DIGEST_HEX_SIZE], whole[1024];
	const struct digest_input input = {.ha1 = world->ha1[algorithm],
		.method = "REGISTER",
		.uri = URI,
		.nonce = world->nonce,
		.nc = nc,
		.cnonce = "0a4f113b",
		.qop = body != NULL ? DIGEST_QOP_AUTH_INT : DIGEST_QOP_AUTH,
		.body = body,
		.body_size = body != NULL ? strlen(body) : 0};

	assert_int_equal(digest_response(algorithm, &input, response), 0);
	snprintf(whole, sizeof(whole),
		"Digest username=\"alice\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
		"response=\"%s\", algorithm=%s, cnonce=\"0a4f113b\", opaque=\"%s\", qop=%s, "
		"nc=%s",
		REALM, world->nonce, URI, response, digest_algorithm_name(algorithm),
		nonces_opaque(world->nonces), digest_qop_name(input.qop), nc);
	char *at = from != NULL ? strstr(whole, from) : NULL;
	if (from == NULL) {
		snprintf(text, size, "%s", whole);
		return;
	}
	assert_non_null(at);
	snprintf(text, size, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from));
}

static void
compose(struct world *world, enum digest_algorithm algorithm, const char *nc, const char *from,
	const char *to, char *text, size_t size)
{
	compose_with(world, algorithm, NULL, nc, from, to, text, size);
}

static enum digest_verdict
judge_body(struct world *world, const char *text, const char *body, size_t size)
{
	struct digest_credentials credentials;
	struct digest_request request = {.realm = REALM,
		.method = "REGISTER",
		.uri = URI,
		.body = body,
		.body_size = size,
		.algorithms = DIGEST_ALL,
		.nonces = world->nonces,
		.now_ms = 10};
	enum digest_verdict verdict = digest_parse(header(world, text), &credentials);

	if (verdict != DIGEST_OK)
		return verdict;
	return digest_check(&credentials, &request, world->ha1[credentials.algorithm]);
}

static enum digest_verdict
judge_at(struct world *world, const char *text, uint64_t now_ms, unsigned set)
{
	struct digest_credentials credentials;
	struct digest_request request = {.realm = REALM,
		.method = "REGISTER",
		.uri = URI,
		.algorithms = set,
		.nonces = world->nonces,
		.now_ms = now_ms};
	enum digest_verdict verdict = digest_parse(header(world, text), &credentials);

	if (verdict != DIGEST_OK)
		return verdict;
	return digest_check(&credentials, &request, world->ha1[credentials.algorithm]);
}

static void
assert_verdict(enum digest_verdict got, enum digest_verdict wanted, const char *what)
{
	if (got != wanted)
		fail_msg("%s: %s, not %s", what, digest_verdict_name(got),
			digest_verdict_name(wanted));
}

static void
test_right(void **state)
{
	static const char *const nc[] = {"00000001", "00000002", "0000000a"};
	struct world *world = *state;
	char text[1024];

	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		compose(world, (enum digest_algorithm)i, nc[i], NULL, NULL, text, sizeof(text));
		assert_verdict(judge_at(world, text, 10, DIGEST_ALL), DIGEST_OK, text);
	}
}

static void
test_refused(void **state)
{
	static const struct {
		const char *from, *to;
		enum digest_verdict verdict;
	} cases[] = {
		{"Digest", "Basic", DIGEST_NOT_DIGEST},
		{"username=\"alice\", ", "", DIGEST_MALFORMED},
		{"username=\"alice\"", "username=\"alice\", username=\"bob\"", DIGEST_MALFORMED},
		{"username=\"alice\"", "username=\"\"", DIGEST_MALFORMED},
		{"username=\"alice\"", "username=alice b", DIGEST_MALFORMED},
		{"username=\"alice\"", "username=\"bob\"", DIGEST_OK}, /* ha1 is what counts */
		{"realm=\"sallyport", "realm=\"elsewhere", DIGEST_WRONG_REALM},
		{"uri=\"sip:sally", "uri=\"sip:silly", DIGEST_WRONG_URI},
		{"uri=\"sip:", "uri=\"sips:", DIGEST_WRONG_URI},
		{", qop=auth", "", DIGEST_WRONG_QOP},
		{"qop=auth", "qop=auth-int", DIGEST_WRONG_RESPONSE},
		{"qop=auth", "qop=auth-conf", DIGEST_WRONG_QOP},
		{"qop=auth", "qop=\"auth\"", DIGEST_OK}, /* seen in the wild */
		{"qop=auth", "qop=\"auth,auth-int\"", DIGEST_WRONG_QOP},
		{"qop=auth", "qop=auth, qop=auth", DIGEST_MALFORMED},
		{"algorithm=MD5", "algorithm=MD5-sess", DIGEST_SESSION_ALGORITHM},
		{"algorithm=MD5", "algorithm=SHA-256-sess", DIGEST_SESSION_ALGORITHM},
		{"algorithm=MD5", "algorithm=SHA1", DIGEST_UNKNOWN_ALGORITHM},
		{"algorithm=MD5", "algorithm=SHA-256", DIGEST_MALFORMED}, /* response too short */
		{"algorithm=MD5, ", "", DIGEST_OK},                       /* it is the default */
		{"nc=00000001", "nc=1", DIGEST_MALFORMED},
		{"nc=00000001", "nc=00000000", DIGEST_MALFORMED},
		{"nc=00000001", "nc=0000000g", DIGEST_MALFORMED},
		{"nc=00000001", "nc=000000001", DIGEST_MALFORMED},
		{"nc=00000001", "nc=00000002", DIGEST_WRONG_RESPONSE},
		{", nc=00000001", "", DIGEST_MALFORMED},
		{"cnonce=\"0a4f113b\", ", "", DIGEST_MALFORMED},
		{"cnonce=\"0a", "cnonce=\"1a", DIGEST_WRONG_RESPONSE},
		{"nonce=\"0", "nonce=\"1", DIGEST_WRONG_RESPONSE},
		{"response=\"", "response=\"0", DIGEST_MALFORMED},
		{"response=\"", "response=\"\", x=\"", DIGEST_MALFORMED},
		{"opaque=\"", "opaque=\"0", DIGEST_WRONG_OPAQUE},
		{"opaque=", "xopaque=", DIGEST_WRONG_OPAQUE},
		{"nc=00000001", "nc=00000001, userhash=true", DIGEST_MALFORMED},
		{"nc=00000001", "nc=00000001, userhash=false", DIGEST_OK},
		{"nc=00000001", "nc=00000001, new-thing=\"x\"", DIGEST_OK},
		{"nc=00000001", "nc=00000001, nothing", DIGEST_MALFORMED},
	};
	char text[1024];

	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		teardown(state); /* each case has a world of its own */
		setup(state);
		compose(*state, DIGEST_MD5, "00000001", cases[i].from, cases[i].to, text,
			sizeof(text));
		assert_verdict(
			judge_at(*state, text, 10, DIGEST_ALL), cases[i].verdict, cases[i].to);
	}
}

/* auth-int: the body is as it was sent, to the byte. */
static void
test_auth_int(void **state)
{
	static const char body[] = "v=0\r\ns=-\r\n";
	char text[1024], other[sizeof(body)];
	struct world *world = *state;

	for (unsigned i = 0; i < DIGEST_ALGORITHM_COUNT; i++) {
		teardown(state);
		setup(state);
		compose_with(world, (enum digest_algorithm)i, body, "00000001", NULL, NULL, text,
			sizeof(text));
		strcpy(other, body);
		other[2] = '1';
		assert_verdict(judge_body(world, text, other, strlen(other)), DIGEST_WRONG_RESPONSE,
			"another body");
		assert_verdict(judge_body(world, text, body, strlen(body) - 1),
			DIGEST_WRONG_RESPONSE, "a shorter body");
		assert_verdict(judge_body(world, text, NULL, 0), DIGEST_WRONG_RESPONSE, "no body");
		assert_verdict(judge_body(world, text, body, strlen(body)), DIGEST_OK, text);
		compose_with(world, (enum digest_algorithm)i, "", "00000002", NULL, NULL, text,
			sizeof(text));
		assert_verdict(judge_body(world, text, NULL, 0), DIGEST_OK, "an empty body");
	}
}

/* An algorithm that policy does not offer is not taken, though the response is right. */
static void
test_policy(void **state)
{
	struct world *world = *state;
	char text[1024];

	compose(world, DIGEST_MD5, "00000001", NULL, NULL, text, sizeof(text));
	assert_verdict(judge_at(world, text, 10, 1u << DIGEST_SHA_256), DIGEST_UNKNOWN_ALGORITHM,
		"MD5 where only SHA-256 is offered");
}

static void
test_replay_stale_restart(void **state)
{
	struct world *world = *state;
	char text[1024];

	compose(world, DIGEST_SHA_256, "00000002", NULL, NULL, text, sizeof(text));
	assert_verdict(judge_at(world, text, 10, DIGEST_ALL), DIGEST_OK, "first");
	assert_verdict(judge_at(world, text, 11, DIGEST_ALL), DIGEST_REPLAYED, "same nc");
	compose(world, DIGEST_SHA_256, "00000001", NULL, NULL, text, sizeof(text));
	assert_verdict(judge_at(world, text, 12, DIGEST_ALL), DIGEST_REPLAYED, "lower nc");
	compose(world, DIGEST_SHA_256, "00000003", NULL, NULL, text, sizeof(text));
	assert_verdict(judge_at(world, text, LIFETIME_MS + 1, DIGEST_ALL), DIGEST_STALE, "late");
	nonces_destroy(world->nonces);
	assert_int_equal(nonces_create(LIFETIME_MS, 8, &world->nonces), 0);
	assert_verdict(judge_at(world, text, 13, DIGEST_ALL), DIGEST_BAD_NONCE, "after a restart");
	assert_true(digest_verdict_is_stale(DIGEST_BAD_NONCE));
	assert_false(digest_verdict_is_stale(DIGEST_WRONG_RESPONSE));
}

/* A wrong response uses up no nc: a stranger can't lock a user out. */
static void
test_wrong_response_spends_nothing(void **state)
{
	struct world *world = *state;
	char text[1024];

	compose(world, DIGEST_MD5, "0000ffff", "cnonce=\"0a", "cnonce=\"1a", text, sizeof(text));
	assert_verdict(judge_at(world, text, 10, DIGEST_ALL), DIGEST_WRONG_RESPONSE, "forged");
	compose(world, DIGEST_MD5, "00000001", NULL, NULL, text, sizeof(text));
	assert_verdict(judge_at(world, text, 10, DIGEST_ALL), DIGEST_OK, "the user's own");
}

/* The SIP stack itself reads our challenge, and a client's answer to it is right. */
static void
test_challenge(void **state)
{
	struct world *world = *state;
	char text[512], small[64];

	assert_int_equal(
		digest_challenge(world->nonces, REALM, DIGEST_SHA_256, true, 5, text, sizeof(text)),
		0);
	sip_www_authenticate_t *challenge = sip_www_authenticate_make(world->home, text);
	assert_non_null(challenge);
	assert_string_equal(challenge->au_scheme, "Digest");
	assert_string_equal(msg_params_find(challenge->au_params, "realm="), "\"" REALM "\"");
	assert_string_equal(msg_params_find(challenge->au_params, "algorithm="), "SHA-256");
	assert_string_equal(msg_params_find(challenge->au_params, "qop="), "\"auth,auth-int\"");
	assert_string_equal(msg_params_find(challenge->au_params, "stale="), "true");
	const char *nonce = msg_params_find(challenge->au_params, "nonce=");
	snprintf(world->nonce, sizeof(world->nonce), "%.64s", nonce + 1);
	compose(world, DIGEST_SHA_256, "00000001", NULL, NULL, text, sizeof(text));
	assert_verdict(judge_at(world, text, 10, DIGEST_ALL), DIGEST_OK, "answer to a challenge");
	assert_int_equal(
		digest_challenge(world->nonces, REALM, DIGEST_MD5, false, 5, small, sizeof(small)),
		-ENOSPC);
	assert_string_equal(small, "");
}

/* More text than there is room for is refused, at every length around the limit. */
static void
test_long(void **state)
{
	struct world *world = *state;
	char name[DIGEST_TEXT_MAX + 64], text[4096];
	struct digest_credentials credentials;

	memset(name, 'a', sizeof(name));
	for (size_t length = 600; length < DIGEST_TEXT_MAX + 40; length++) {
		snprintf(text, sizeof(text),
			"Digest username=\"%.*s\", realm=\"r\", nonce=\"n\", uri=\"sip:u\", "
			"response=\"00000000000000000000000000000000\", cnonce=\"c\", qop=auth, "
			"nc=00000001",
			(int)length, name);
		/* the other values with their NULs take 59 bytes */
		assert_verdict(digest_parse(header(world, text), &credentials),
			length + 1 + 59 <= DIGEST_TEXT_MAX ? DIGEST_OK : DIGEST_MALFORMED,
			"long name");
		if (length + 1 + 59 <= DIGEST_TEXT_MAX)
			assert_int_equal(strlen(credentials.username), length);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc2617),
		cmocka_unit_test(test_rfc7616),
		cmocka_unit_test(test_sha512_256),
		cmocka_unit_test_setup_teardown(test_right, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_auth_int, setup, teardown),
		cmocka_unit_test_setup_teardown(test_policy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replay_stale_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_wrong_response_spends_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_challenge, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
