/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_identity.h"

#include "call_headers.h"

#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_extra.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/url.h>
#include <string.h>
#include <strings.h>

#define DISPLAY_MAX 128       /* bytes of a display name */
#define USER_ESCAPED "@:;?/#" /* of a user part, beside what no URI may hold */
#define VALUE_MAX (1024 * 1024)
#define NUMBER_MIN 8     /* digits of a number that names nobody of ours */
#define IDENTITIES_MAX 2 /* RFC 3325 9.1: one sip: or sips:, one tel: */

bool
identity_is_trusted(const struct party *party)
{
	return party->kind == PARTY_TRUNK && party->trunk != NULL && party->trunk->trust_identity;
}

static bool
asks_for(const sip_t *in, const char *value)
{
	const sip_privacy_t *privacy = in->sip_privacy;

	if (privacy == NULL || privacy->priv_values == NULL)
		return false;
	for (unsigned i = 0; privacy->priv_values[i] != NULL; i++)
		if (strcasecmp(privacy->priv_values[i], value) == 0)
			return true;
	return false;
}

bool
identity_is_hidden(const sip_t *in)
{
	return !asks_for(in, "none") &&
	       (asks_for(in, "id") || asks_for(in, "user") || asks_for(in, "header"));
}

char *
identity_privacy(su_home_t *home, const sip_t *in)
{
	static const char *const known[] = {
		"header", "session", "user", "id", "history", "none", "critical"};
	char *text = NULL;

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (asks_for(in, known[i]))
			text = text == NULL ? su_strdup(home, known[i])
			                    : su_sprintf(home, "%s;%s", text, known[i]);
	return text;
}

char *
identity_one_line(su_home_t *home, const char *value)
{
	char *text = su_strdup(home, value);

	if (text == NULL)
		return NULL;
	char *out = text;
	bool folded = false; /* a fold's space has been written, if it needs one */
	for (const char *in = text; *in != '\0'; in++) {
		unsigned char at = (unsigned char)*in;
		if (at == '\r' || at == '\n') {
			while (out > text && out[-1] == ' ')
				out--;
			*out++ = ' ';
			folded = true;
		} else if (at == ' ' || at == '\t') {
			if (!folded)
				*out++ = ' ';
		} else if (at >= 0x20 && at != 0x7f) {
			*out++ = (char)at;
			folded = false;
		}
	}
	*out = '\0';
	return text;
}

char *
identity_display(su_home_t *home, const char *display)
{
	if (display == NULL || display[0] == '\0')
		return NULL;
	char *plain = display[0] == '"' ? msg_unquote_dup(home, display) : su_strdup(home, display);
	char *quoted = su_alloc(home, 2 * DISPLAY_MAX + 3);
	if (plain == NULL || quoted == NULL)
		return NULL;
	char *out = quoted;
	*out++ = '"';
	for (unsigned i = 0; i < DISPLAY_MAX && plain[i] != '\0'; i++) {
		unsigned char at = (unsigned char)plain[i];
		if (at == '"' || at == '\\')
			*out++ = '\\';
		*out++ = at < 0x20 || at == 0x7f ? ' ' : plain[i];
	}
	*out++ = '"';
	*out = '\0';
	return out - quoted > 2 ? quoted : NULL;
}

/* A user's address of record, in the domain that `to` knows it by. */
static char *
address_of_record(su_home_t *home, const struct config_sip *config, const struct party *from,
	const struct party *to)
{
	const char *domain = to->trunk != NULL ? to->trunk->from_domain : config->domain;
	char escaped[3 * USER_NAME_SIZE + 1];

	url_escape(escaped, from->name, USER_ESCAPED);
	return su_sprintf(home, "sip:%s@%s", escaped, domain);
}

static char *
name_addr(su_home_t *home, const char *display, const char *uri)
{
	const char *quoted = identity_display(home, display);

	return su_sprintf(
		home, "%s%s<%s>", quoted != NULL ? quoted : "", quoted != NULL ? " " : "", uri);
}

const char *
identity_header_name(const sip_header_t *header)
{
	const char *name = header->sh_class->hc_name;

	return sip_is_unknown(header) ? header->sh_unknown->un_name : name;
}

const char *
identity_header_value(su_home_t *home, const sip_header_t *header)
{
	char *text = NULL;
	issize_t length = 0;

	if (sip_is_unknown(header))
		return header->sh_unknown->un_value;
	/* not sip_header_as_string(): some encoders of the stack end a long text without a NUL; and
	 * what they say of its length is right only where there was room */
	for (isize_t size = 512; size <= VALUE_MAX && length >= 0; size *= 4) {
		text = su_zalloc(home, size + 1);
		length = text != NULL ? sip_header_field_e(text, size, header, 0) : -1;
		if (length >= 0 && (isize_t)length < size)
			return text;
	}
	return NULL;
}

/* All of the message's, as one list; the stack does not read this header of its own accord. */
static const sip_p_asserted_identity_t *
read_assertion(su_home_t *home, const sip_t *in)
{
	const char *all = NULL;

	for (const sip_header_t *at = identity_first_header(in); at != NULL;
		at = (const sip_header_t *)at->sh_succ) {
		const char *name = identity_header_name(at);
		if (name == NULL || strcasecmp(name, "P-Asserted-Identity") != 0)
			continue;
		const char *value = identity_header_value(home, at);
		if (value != NULL)
			all = all == NULL ? value : su_sprintf(home, "%s, %s", all, value);
	}
	return all != NULL ? sip_p_asserted_identity_make(home, all) : NULL;
}

/* Digits, perhaps after a "+": a number, and long enough for none of our own short ones. */
static bool
is_number(const char *user)
{
	size_t digits = strspn(user + (*user == '+'), "0123456789");

	return digits >= NUMBER_MIN && user[digits + (*user == '+')] == '\0';
}

/* Is it the name of one of our users, whom no trunk speaks for? A number in our domain is not. */
static bool
is_of_our_users(const struct config_sip *config, const struct party *from, const url_t *url)
{
	const char *host = url->url_host;

	if (host == NULL || (url->url_type != url_sip && url->url_type != url_sips) ||
		(url->url_user != NULL && is_number(url->url_user)))
		return false;
	size_t length = strlen(host);
	if (length > 0 && host[length - 1] == '.')
		length--;
	return (strlen(config->domain) == length &&
		       strncasecmp(host, config->domain, length) == 0) ||
	       (strlen(from->trunk->from_domain) == length &&
		       strncasecmp(host, from->trunk->from_domain, length) == 0);
}

/* What a trusted trunk asserts, read and written anew: one address of each scheme. */
static char *
assert_again(
	su_home_t *home, const struct config_sip *config, const sip_t *in, const struct party *from)
{
	const sip_p_asserted_identity_t *at = read_assertion(home, in);
	char *text = NULL;
	bool had_tel = false, had_sip = false;

	for (unsigned count = 0; at != NULL && count < IDENTITIES_MAX; at = at->paid_next) {
		enum url_type_e type = at->paid_url->url_type;
		bool tel = type == url_tel;
		if ((!tel && type != url_sip && type != url_sips) || (tel ? had_tel : had_sip) ||
			is_of_our_users(config, from, at->paid_url))
			continue;
		*(tel ? &had_tel : &had_sip) = true;
		count++;
		char *uri = url_as_string(home, at->paid_url);
		char *one = uri != NULL ? name_addr(home, at->paid_display, uri) : NULL;
		if (one == NULL)
			return NULL;
		text = text == NULL ? one : su_sprintf(home, "%s, %s", text, one);
	}
	return text != NULL ? identity_one_line(home, text) : NULL;
}

char *
identity_asserted(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to)
{
	bool told = identity_is_trusted(to);

	/* our users are outside of the trust domain, but may see who calls unless he asks not to be
	 * seen: RFC 3325 7 */
	if (to->kind == PARTY_USER)
		told = from->kind == PARTY_TRUNK && !identity_is_hidden(in);
	if (!told)
		return NULL;
	if (from->kind == PARTY_USER)
		return name_addr(home, in->sip_request != NULL ? in->sip_from->a_display : NULL,
			address_of_record(home, config, from, to));
	return identity_is_trusted(from) ? assert_again(home, config, in, from) : NULL;
}

/* The URI of a caller from a trunk, as `to` sees it. A number is good in our domain, where it can
 * be called back; any other name stays the trunk's, or it could be that of one of our users. */
static char *
foreign_address(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to)
{
	const url_t *url = in->sip_from->a_url;
	const char *domain = to->trunk != NULL ? to->trunk->from_domain : config->domain;
	const char *user = url->url_user;

	if (user == NULL || user[0] == '\0' || strlen(user) >= USER_NAME_SIZE ||
		strcasecmp(user, "anonymous") == 0)
		return NULL;
	char plain[USER_NAME_SIZE], escaped[3 * USER_NAME_SIZE + 1];
	url_unescape(plain, user);
	/* a name with such characters is nobody's, and some would read more than one line */
	for (const char *at = plain; *at != '\0'; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return NULL;
	url_escape(escaped, plain, USER_ESCAPED);
	return su_sprintf(home, "sip:%s@%s", escaped,
		is_number(plain) || to->trunk != NULL ? domain : from->trunk->tls_name);
}

sip_from_t *
call_headers_from(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to)
{
	const char *uri = NULL, *display = in->sip_from->a_display;
	const char *host = in->sip_from->a_url->url_host;
	/* RFC 3323 4.1.1.3: it has made itself anonymous, and stays so, whoever is told */
	bool anonymous = host != NULL && strcasecmp(host, "anonymous.invalid") == 0;

	if (!anonymous && (!identity_is_hidden(in) || identity_is_trusted(to)))
		uri = from->kind == PARTY_USER ? address_of_record(home, config, from, to)
		                               : foreign_address(home, config, in, from, to);
	if (uri == NULL) {
		uri = "sip:anonymous@anonymous.invalid";
		display = "Anonymous";
	}
	char *text = name_addr(home, display, uri);
	return text != NULL ? sip_from_make(home, text) : NULL;
}
