/* SPDX-License-Identifier: BSD-3-Clause */
/* What of one leg is seen on the other: the pass list, who is said to speak, and that no text of
 * others ever becomes a line of its own. */
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "control/call_headers.h"
#include "control/call_identity.h"

#include <sofia-sip/msg.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>
#include <string.h>

static struct config_trunk trusted_trunk = {.name = "carrier",
	.tls_name = "sip.carrier.example",
	.from_domain = "us.example",
	.trust_identity = true};
static struct config_trunk other_trunk = {
	.name = "cheap", .tls_name = "sip.cheap.example", .from_domain = "us.example"};
static struct party alice, bob, carrier, cheap;
static char *pass[] = {"Subject", "Priority", "Reason", "X-Ours", "Identity", "History-Info",
	"Diversion", "Alert-Info", "User-to-User"};
static struct config_sip config = {
	.domain = "home.example", .headers = {.pass = pass, .pass_count = 9}};
static su_home_t *home;
static msg_t *message;

static int
setup(void **state)
{
	party_set_user(&alice, "alice");
	party_set_user(&bob, "bob");
	party_set_trunk(&carrier, &trusted_trunk);
	party_set_trunk(&cheap, &other_trunk);
	home = su_home_new(sizeof(su_home_t));
	config.headers.strip_count = 0;
	return home == NULL;
}

static int
teardown(void **state)
{
	msg_destroy(message);
	message = NULL;
	su_home_unref(home);
	return 0;
}

/* An INVITE with these lines; lines of `more` end with CRLF. */
static const sip_t *
invite(const char *from, const char *more)
{
	char *text = su_sprintf(home,
		"INVITE sip:bob@home.example SIP/2.0\r\n"
		"Via: SIP/2.0/TLS 192.0.2.77:5061;branch=z9hG4bK1\r\n"
		"Record-Route: <sip:192.0.2.78;lr>\r\n"
		"From: %s;tag=1\r\nTo: <sip:bob@home.example>\r\n"
		"Call-ID: secret-call-id@192.0.2.77\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
		"Contact: <sip:alice@192.0.2.77:5061>\r\nUser-Agent: Phone/1\r\nServer: S/1\r\n"
		"Warning: 399 192.0.2.77 \"hi\"\r\n%s"
		"Content-Length: 0\r\n\r\n",
		from, more);

	msg_destroy(message);
	message = msg_make(sip_default_mclass(), 0, text, (ssize_t)strlen(text));
	assert_non_null(message);
	const sip_t *sip = sip_object(message);
	assert_non_null(sip->sip_request);
	assert_non_null(sip->sip_from);
	return sip;
}

#define ALICE "<sip:alice@home.example>"

static const char *
lines(const char *more, const struct party *from, const struct party *to)
{
	return call_headers_pass(home, &config, invite(ALICE, more), from, to);
}

static const char *
from_of(const sip_t *in, const struct party *from, const struct party *to)
{
	sip_from_t *made = call_headers_from(home, &config, in, from, to);

	assert_non_null(made);
	return sip_header_as_string(home, (const sip_header_t *)made);
}

static void
test_nothing_passes_unasked(void **state)
{
	assert_string_equal("", lines("X-Theirs: 1\r\nOrganization: o\r\n", &alice, &bob));
}

static void
test_the_list_passes(void **state)
{
	assert_string_equal("Subject: hello there\r\nx-ours: a;b=\"c\"\r\nX-Ours: 2\r\n",
		lines("s: hello there\r\nx-ours: a;b=\"c\"\r\nX-Theirs: 3\r\nX-Ours: 2\r\n", &alice,
			&bob));
	static char *strip[] = {"x-ours"};
	config.headers.strip = strip;
	config.headers.strip_count = 1;
	assert_string_equal(
		"Subject: hello\r\n", lines("Subject: hello\r\nX-Ours: 1\r\n", &alice, &bob));
}

/* A value may be folded: it must come out as one line, for some read a fold otherwise. */
static void
test_no_line_is_smuggled(void **state)
{
	assert_string_equal("Subject: one Route: <sip:evil>\r\n",
		lines("Subject: one\r\n Route: <sip:evil>\r\n", &alice, &bob));
	assert_string_equal(
		"X-Ours: one X: y\r\n", lines("X-Ours: one\r\n \t \r\n X: y\r\n", &alice, &bob));
	assert_string_equal("X-Ours: one two\r\n", lines("X-Ours: one\r \n two\r\n", &alice, &bob));
}

static void
check_from(const char *said, const char *expected)
{
	const char *made = from_of(invite(said, ""), &alice, &bob);

	assert_string_equal(expected, made);
	assert_null(strpbrk(made, "\r\n"));
}

static void
test_display_names(void **state)
{
	check_from("\"Alice\" " ALICE, "\"Alice\" <sip:alice@home.example>");
	check_from("Alice A " ALICE, "\"Alice A\" <sip:alice@home.example>");
	check_from(ALICE, "<sip:alice@home.example>");
	check_from("\"\" " ALICE, "<sip:alice@home.example>");
	check_from("\"a\\\"b\\\\\" " ALICE, "\"a\\\"b\\\\\" <sip:alice@home.example>");
	check_from("\"a\r\n Route: <sip:evil>\" " ALICE,
		"\"a   Route: <sip:evil>\" <sip:alice@home.example>");
	check_from("\"a\\\r\n b\" " ALICE, "\"a   b\" <sip:alice@home.example>");
	/* what a user says of its address counts for nothing: digest has said who it is */
	check_from("\"x\" <sip:ceo@elsewhere.example;evil>", "\"x\" <sip:alice@home.example>");
}

static void
test_long_display_names(void **state)
{
	char *name = su_alloc(home, 4001);

	memset(name, '"', 4000);
	name[4000] = '\0';
	const char *quoted = identity_display(home, name);
	/* opened by a quote, it is one that never closes: nothing, or something short */
	assert_true(quoted == NULL || strlen(quoted) <= 258);
	memset(name, '\\', 4000);
	quoted = identity_display(home, name);
	assert_int_equal(258, strlen(quoted));
}

static void
test_who_asserts(void **state)
{
	static const char foreign[] = "P-Asserted-Identity: \"CEO\" <sip:ceo@c.example>\r\n"
				      "P-Preferred-Identity: <sip:ceo@home.example>\r\n";

	/* a user's own assertion never counts, ours goes to whom we trust */
	assert_string_equal("P-Asserted-Identity: <sip:alice@us.example>\r\n",
		lines(foreign, &alice, &carrier));
	assert_string_equal("", lines(foreign, &alice, &cheap));
	assert_string_equal("", lines(foreign, &alice, &bob));
	/* a trunk's counts if we trust it, and goes no further than to those who may know */
	assert_string_equal("P-Asserted-Identity: \"CEO\" <sip:ceo@c.example>\r\n",
		lines(foreign, &carrier, &bob));
	assert_string_equal("", lines(foreign, &carrier, &cheap));
	assert_string_equal("", lines(foreign, &cheap, &bob));
	assert_string_equal("", lines(foreign, &cheap, &carrier));
	/* a trunk does not speak for our users, by whichever of our names */
	assert_string_equal("", lines("P-Asserted-Identity: <sip:bob@HOME.example.>, "
				      "<sip:home.example>, <sip:alice@us.example>\r\n",
					&carrier, &bob));
	assert_string_equal("P-Asserted-Identity: <sip:+4930123456@home.example>\r\n",
		lines("P-Asserted-Identity: <sip:+4930123456@home.example>\r\n", &carrier, &bob));
	assert_string_equal("P-Asserted-Identity: <sip:+4930@c.example>, <tel:+4930>\r\n",
		lines("P-Asserted-Identity: <sip:+4930@c.example>, <tel:+4930>\r\n"
		      "P-Asserted-Identity: <sip:third@c.example>, <http://x/>\r\n",
			&carrier, &bob));
}

static void
test_privacy(void **state)
{
	static const char *const asking[] = {
		"Privacy: id\r\n", "Privacy: user;critical\r\n", "Privacy: header\r\n"};

	for (unsigned i = 0; i < 3; i++) {
		const sip_t *in = invite("\"Alice\" " ALICE, asking[i]);
		const char *hidden = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
		assert_string_equal(hidden, from_of(in, &alice, &bob));
		assert_string_equal(hidden, from_of(in, &alice, &cheap));
		assert_string_equal(
			"\"Alice\" <sip:alice@us.example>", from_of(in, &alice, &carrier));
	}
	assert_string_equal(
		"", lines("Privacy: id\r\nSubject: me\r\nIdentity: x\r\n", &alice, &bob));
	assert_string_equal("Subject: me\r\nP-Asserted-Identity: <sip:alice@us.example>\r\n"
			    "Privacy: user;id\r\n",
		lines("Privacy: id;user;nonsense\r\nSubject: me\r\n", &alice, &carrier));
	assert_string_equal(
		"", lines("Privacy: id\r\nP-Asserted-Identity: <tel:+49>\r\n", &carrier, &bob));
	/* a phone may write so itself; digest and trusted trunks know it all the same */
	const sip_t *own =
		invite("\"Anonymous\" <sip:anonymous@anonymous.invalid>", "Privacy: id\r\n");
	assert_string_equal(
		"\"Anonymous\" <sip:anonymous@anonymous.invalid>", from_of(own, &alice, &carrier));
	assert_string_equal("P-Asserted-Identity: \"Anonymous\" <sip:alice@us.example>\r\n"
			    "Privacy: id\r\n",
		call_headers_pass(home, &config, own, &alice, &carrier));
	assert_string_equal("", call_headers_pass(home, &config, own, &alice, &bob));
	/* "none" says that nobody should hide anything: RFC 3323 4.2 */
	const sip_t *in = invite(ALICE, "Privacy: none\r\nSubject: me\r\n");
	assert_string_equal("<sip:alice@home.example>", from_of(in, &alice, &bob));
	assert_string_equal("Subject: me\r\n", call_headers_pass(home, &config, in, &alice, &bob));
}

static void
test_identity(void **state)
{
	static const char signed_by[] =
		"Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n"
		"Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiMTIifX0.c2ln;info="
		"<https://cert.example/p.cer>;alg=ES256;ppt=\"shaken\"\r\n";
	static const char expected[] =
		"Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiMTIifX0.c2ln;info="
		"<https://cert.example/p.cer>;alg=ES256;ppt=\"shaken\"\r\n"
		"Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n";

	assert_string_equal(expected, lines(signed_by, &cheap, &bob));
	assert_string_equal(
		"Identity: a.b.c;info=<u>\r\n", lines("y: a.b.c;info=<u>\r\n", &cheap, &bob));
	assert_string_equal("", lines("Date: Thu, 21 Feb 2002 13:02:03 GMT\r\n", &cheap, &bob));
}

static void
test_by_trust(void **state)
{
	static const char story[] = "History-Info: <sip:a@b>;index=1\r\nDiversion: <tel:+49>\r\n"
				    "Alert-Info: <http://192.0.2.1/ring>\r\n";

	assert_string_equal("", lines(story, &alice, &bob));
	assert_string_equal("", lines(story, &cheap, &bob));
	assert_string_equal(
		"Alert-Info: <http://192.0.2.1/ring>\r\n", lines(story, &carrier, &bob));
	assert_string_equal(
		"P-Asserted-Identity: <sip:alice@us.example>\r\n", lines(story, &alice, &carrier));
	/* a long one, whole: the stack forgets its end */
	char *name = su_alloc(home, 301);
	memset(name, 'a', 300);
	name[300] = '\0';
	assert_string_equal(su_sprintf(home, "Alert-Info: <http://%s>\r\n", name),
		lines(su_sprintf(home, "Alert-Info: <http://%s>\r\n", name), &carrier, &bob));
	assert_non_null(
		strstr(lines(story, &carrier, &carrier), "History-Info: <sip:a@b>;index=1"));
}

static void
check_trunk_from(const char *said, const char *expected)
{
	assert_string_equal(expected, from_of(invite(said, ""), &cheap, &bob));
}

/* A trunk can't pretend to be one of our users. */
static void
test_from_of_trunks(void **state)
{
	check_trunk_from("<sip:+4930123456@192.0.2.9:5061;x=y>", "<sip:+4930123456@home.example>");
	check_trunk_from("\"N\" <sip:alice@home.example>", "\"N\" <sip:alice@sip.cheap.example>");
	check_trunk_from("<sip:1001@home.example>", "<sip:1001@sip.cheap.example>");
	check_trunk_from("<tel:+4930123456>", "<sip:+4930123456@home.example>");
	check_trunk_from(
		"\"U\" <sip:192.0.2.9>", "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	check_trunk_from("<sip:anonymous@anonymous.invalid>",
		"\"Anonymous\" <sip:anonymous@anonymous.invalid>");
	check_trunk_from("<sip:a%40b%3e@h>", "<sip:a%40b%3E@sip.cheap.example>");
	check_trunk_from(
		"<sip:a%0d%0aRoute:x@h>", "\"Anonymous\" <sip:anonymous@anonymous.invalid>");
}

static void
test_reason(void **state)
{
	const sip_t *in = invite(ALICE, "Reason: Q.850;cause=16;text=\"Normal\r\n clearing\"\r\n"
					"Reason: SIP;cause=200\r\n");

	assert_string_equal("Q.850;cause=16;text=\"Normal clearing\", SIP;cause=200",
		call_headers_reason(home, in));
	assert_null(call_headers_reason(home, invite(ALICE, "")));
}

/* The stack takes what we make, and adds nothing else of it. */
static void
test_the_stack_takes_them(void **state)
{
	static const char *const all[] = {"", "Subject: a\r\nX-Ours: b\r\nReason: SIP;cause=200\r\n"
					      "P-Asserted-Identity: <sip:alice@us.example>\r\n"};

	for (unsigned i = 0; i < 2; i++) {
		msg_t *out = msg_create(sip_default_mclass(), 0);
		sip_t *sip = sip_object(out);
		assert_true(sip_add_tl(out, sip, SIPTAG_HEADER_STR(all[i]), TAG_END()) >= 0);
		assert_null(sip->sip_payload);
		assert_null(sip->sip_error);
		assert_int_equal(i == 1, sip->sip_subject != NULL);
		assert_int_equal(i == 1, sip->sip_reason != NULL);
		msg_destroy(out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_passes_unasked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_list_passes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_line_is_smuggled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_display_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_display_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_asserts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_privacy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identity, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_trust, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_of_trunks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reason, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_stack_takes_them, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
