/* SPDX-License-Identifier: BSD-3-Clause */
#include "call_headers.h"

#include "call_identity.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 64 /* that pass of one message */

/* Lines being gathered. */
struct gathering {
	su_home_t *home;
	const struct config_headers *config;
	const sip_t *in;
	const struct party *from;
	const struct party *to;
	bool hidden; /* the sender is not to be known there */
	bool late;   /* it was said of another call than this goes with */
	unsigned count;
	char *text;
};

static bool
is_listed(char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static void
add(struct gathering *all, const char *name, const char *value)
{
	const char *line = value != NULL ? identity_one_line(all->home, value) : NULL;

	if (line == NULL || line[0] == '\0' || all->text == NULL || all->count >= LINES_MAX ||
		is_listed(all->config->strip, all->config->strip_count, name))
		return;
	all->count++;
	all->text = su_sprintf(all->home, "%s%s: %s\r\n", all->text, name, line);
}

/* What tells of others than the sender passes inside of the trust domain only; what makes a phone
 * fetch something passes from there only. */
static bool
trust_allows(const struct gathering *all, const char *name)
{
	if (strcasecmp(name, "Diversion") == 0 || strcasecmp(name, "History-Info") == 0)
		return identity_is_trusted(all->from) && identity_is_trusted(all->to);
	if (strcasecmp(name, "Alert-Info") == 0 || strcasecmp(name, "Call-Info") == 0)
		return identity_is_trusted(all->from);
	return true;
}

/* RFC 3323 4.1: what would tell who it is. The PASSporT of Identity names the caller. */
static bool
privacy_allows(const struct gathering *all, const char *name)
{
	static const char *const telling[] = {"Subject", "Call-Info", "Organization", "User-Agent",
		"Reply-To", "In-Reply-To", "Identity", "Alert-Info", "User-to-User"};

	for (unsigned i = 0; all->hidden && i < sizeof(telling) / sizeof(telling[0]); i++)
		if (strcasecmp(name, telling[i]) == 0)
			return false;
	return true;
}

static const char *
name_of(const sip_header_t *header)
{
	const char *name = identity_header_name(header);

	/* RFC 8224 4: the one short form of a header that the stack does not know */
	return name != NULL && strcasecmp(name, "y") == 0 ? "Identity" : name;
}

/* The signature covers the date, if there is one: RFC 8224 4.1. */
static void
add_date(struct gathering *all)
{
	if (all->in->sip_date != NULL)
		add(all, sip_date_class->hc_name,
			identity_header_value(all->home, (const sip_header_t *)all->in->sip_date));
}

static void
add_listed(struct gathering *all)
{
	bool dated = false;

	for (const sip_header_t *at = identity_first_header(all->in); at != NULL;
		at = (const sip_header_t *)at->sh_succ) {
		const char *name = name_of(at);
		if (name == NULL || !is_listed(all->config->pass, all->config->pass_count, name) ||
			!trust_allows(all, name) || !privacy_allows(all, name) ||
			(all->late && strcasecmp(name, "Identity") == 0))
			continue;
		add(all, name, identity_header_value(all->home, at));
		if (!dated && strcasecmp(name, "Identity") == 0) {
			dated = true;
			add_date(all);
		}
	}
}

static const char *
gather(su_home_t *home, const struct config_sip *config, const sip_t *in, const struct party *from,
	const struct party *to, bool late)
{
	bool trusted = identity_is_trusted(to);
	su_home_t scratch[1] = {SU_HOME_INIT(scratch)};
	struct gathering all = {
		.home = scratch,
		.config = &config->headers,
		.in = in,
		.from = from,
		.to = to,
		.hidden = identity_is_hidden(in) && !trusted,
		.late = late,
	};

	su_home_init(scratch);
	all.text = su_strdup(scratch, "");
	if (!late || in->sip_request != NULL)
		add_listed(&all);
	add(&all, "P-Asserted-Identity", identity_asserted(scratch, config, in, from, to));
	if (trusted)
		add(&all, "Privacy", identity_privacy(scratch, in));
	const char *text = all.text != NULL ? su_strdup(home, all.text) : NULL;
	su_home_deinit(scratch);
	return text;
}

const char *
call_headers_pass(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to)
{
	return gather(home, config, in, from, to, false);
}

const char *
call_headers_introduce(su_home_t *home, const struct config_sip *config, const sip_t *in,
	const struct party *from, const struct party *to)
{
	return gather(home, config, in, from, to, true);
}

const char *
call_headers_reason(su_home_t *home, const sip_t *in)
{
	su_home_t scratch[1] = {SU_HOME_INIT(scratch)};
	const char *all = NULL;

	su_home_init(scratch);
	for (const sip_reason_t *at = in->sip_reason; at != NULL; at = at->re_next) {
		const char *value = identity_header_value(scratch, (const sip_header_t *)at);
		if (value != NULL)
			all = all == NULL ? value : su_sprintf(scratch, "%s, %s", all, value);
	}
	const char *text = all != NULL ? identity_one_line(home, all) : NULL;
	su_home_deinit(scratch);
	return text;
}
