/* SPDX-License-Identifier: BSD-3-Clause */
/* What a REGISTER asks for: RFC 3261 10.3, with Path (RFC 3327) and outbound (RFC 5626). */
#include "registrar_private.h"

#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_util.h>
#include <stdlib.h>
#include <string.h>

/* Bytes; all of one binding fit 16 bits together. */
#define CONTACT_SIZE_MAX 512
#define INSTANCE_SIZE_MAX 128 /* a UUID's URN has 45 */
#define PATH_SIZE_MAX 1024
#define CALL_ID_SIZE_MAX 256

#define REG_ID_MAX 2147483647ul /* RFC 5626 11.2 */
#define Q_DEFAULT 1000

bool
registrar_same_uri(const char *a, const char *b)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	bool same = strcmp(a, b) == 0;

	if (same)
		return true;
	su_home_init(home);
	const url_t *one = url_make(home, a), *other = url_make(home, b);
	same = one != NULL && other != NULL && url_cmp_all(one, other) == 0;
	su_home_deinit(home);
	return same;
}

const char *
registrar_instance(su_home_t *home, const sip_contact_t *contact)
{
	const char *value = msg_header_find_param(contact->m_common, "+sip.instance");
	size_t length = value != NULL ? strlen(value) : 0;

	/* RFC 5626 11.1: a quoted string; those that would need escapes are no URN */
	if (length < 3 || length - 2 > INSTANCE_SIZE_MAX || value[0] != '"' ||
		value[length - 1] != '"' || strcspn(value + 1, "\"\\") != length - 2)
		return NULL;
	return su_strndup(home, value + 1, (isize_t)length - 2);
}

/* A number of decimal digits alone, cut at `most`; -1: something else. */
static int64_t
read_number(const char *text, unsigned long most)
{
	unsigned long value;

	if (*text == '\0' || text[strspn(text, "0123456789")] != '\0')
		return -1;
	value = strtoul(text, NULL, 10); /* ULONG_MAX where it is too long */
	return (int64_t)(value < most ? value : most);
}

/* RFC 3261 10.2.1.1 and 20.19: the contact's own expires, else the Expires header, else our
 * default, which stands for a malformed one, too. */
static uint32_t
expires_of(const struct config_sip *config, const sip_t *sip, const sip_contact_t *contact)
{
	int64_t expires = config->expires_default_s;

	if (contact->m_expires != NULL)
		expires = read_number(contact->m_expires, config->expires_max_s);
	else if (sip->sip_expires != NULL)
		expires = (int64_t)sip->sip_expires->ex_delta;
	if (expires < 0)
		expires = config->expires_default_s;
	return expires > config->expires_max_s ? config->expires_max_s : (uint32_t)expires;
}

/* All else stands escaped in a URI (RFC 3261 25.1), so it can be shown, logged and sent on. */
static bool
is_plain(const char *text)
{
	while (*text > ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

/* The Path headers as one Route's value: RFC 3327 5.3. 200, or a status. */
static int
read_path(su_home_t *home, const sip_t *sip, struct registration_list *out, const char **path,
	const char **phrase)
{
	const sip_path_t *last = NULL;
	size_t size = 0;
	char *text = NULL;

	for (const sip_path_t *at = sip->sip_path; at != NULL; at = at->r_next) {
		const char *one = sip_header_as_string(home, (const sip_header_t *)at);
		if (one == NULL)
			return 500;
		size += strlen(one) + 2;
		*phrase = "Path Too Long";
		if (size > PATH_SIZE_MAX)
			return 400;
		*phrase = "Bad Path";
		for (const char *each = one; *each != '\0'; each++)
			if ((unsigned char)*each < 0x20 || *each == 0x7f)
				return 400;
		text = text == NULL ? su_strdup(home, one) : su_sprintf(home, "%s, %s", text, one);
		if (text == NULL)
			return 500;
		last = at;
	}
	*path = text;
	out->edge = sip->sip_via->v_next == NULL;
	/* RFC 5626 6: is the first proxy on its way one that keeps flows? */
	*phrase = "First Hop Lacks Outbound Support";
	if (out->outbound && !out->edge && (last == NULL || !url_has_param(last->r_url, "ob")))
		return 439;
	*phrase = NULL;
	return 200;
}

/* "*": alone, and with Expires: 0 (RFC 3261 10.3 step 6). */
static const char *
check_all(const sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;

	if (contact->m_next != NULL || sip->sip_expires == NULL ||
		sip->sip_expires->ex_delta != 0 ||
		(contact->m_expires != NULL && read_number(contact->m_expires, 1) != 0))
		return "A Contact of * Stands Alone with Expires: 0";
	return NULL;
}

static int
read_reg_id(const sip_contact_t *at, struct registration *out, const char **phrase)
{
	const char *value = msg_header_find_param(at->m_common, "reg-id");
	int64_t number = value != NULL ? read_number(value, REG_ID_MAX + 1) : -1;

	*phrase = "Bad reg-id";
	if (value == NULL || out->instance == NULL) /* then it is ignored: RFC 5626 6 */
		return 200;
	if (number < 1 || (unsigned long)number > REG_ID_MAX)
		return 400;
	out->reg_id = (uint32_t)number;
	return 200;
}

static int
read_contact(su_home_t *home, const struct config_sip *config, const sip_t *sip,
	const sip_contact_t *at, struct registration *out, const char **phrase)
{
	*phrase = "Contact Is No SIP URI";
	if (at->m_url->url_type != url_sip && at->m_url->url_type != url_sips)
		return 400;
	*phrase = "Contact Too Long";
	if (url_len(at->m_url) > CONTACT_SIZE_MAX)
		return 400;
	*phrase = NULL;
	out->contact = url_as_string(home, at->m_url);
	if (out->contact == NULL)
		return 500;
	*phrase = "Contact Is No SIP URI";
	if (!is_plain(out->contact))
		return 400;
	*phrase = NULL;
	out->expires_s = expires_of(config, sip, at);
	if (out->expires_s > 0 && out->expires_s < config->expires_min_s)
		return 423;
	out->q = at->m_q != NULL ? sip_q_value(at->m_q) : Q_DEFAULT;
	out->call_id = sip->sip_call_id->i_id;
	out->cseq = sip->sip_cseq->cs_seq;
	out->instance = registrar_instance(home, at);
	return 200;
}

static int
read_contacts(su_home_t *home, const struct config_sip *config, const sip_t *sip,
	struct registration_list *out, const char **phrase)
{
	bool supported = sip_has_feature(sip->sip_supported, "outbound") ||
	                 sip_has_feature(sip->sip_require, "outbound");
	unsigned flows = 0;

	for (const sip_contact_t *at = sip->sip_contact; at != NULL; at = at->m_next) {
		struct registration *one = &out->contact[out->count];
		*phrase = "Too Many Contacts";
		if (out->count == config->contacts_max)
			return 400;
		*phrase = "A Contact of * Stands Alone with Expires: 0";
		if (at->m_url->url_type == url_any)
			return 400;
		int status = read_contact(home, config, sip, at, one, phrase);
		if (status == 200 && supported)
			status = read_reg_id(at, one, phrase);
		if (status != 200)
			return status;
		flows += one->reg_id != 0 && one->expires_s > 0;
		out->outbound = out->outbound || one->reg_id != 0;
		out->count++;
	}
	/* one connection is one flow: RFC 5626 6 */
	*phrase = "Several Contacts with reg-id";
	return flows > 1 ? 400 : 200;
}

int
registrar_read(su_home_t *home, const struct config_sip *config, const sip_t *sip,
	struct registration_list *out, const char **phrase)
{
	const char *path = NULL;

	*out = (struct registration_list){
		.call_id = sip->sip_call_id->i_id, .cseq = sip->sip_cseq->cs_seq, .edge = true};
	*phrase = "Call-ID Too Long";
	if (strlen(out->call_id) > CALL_ID_SIZE_MAX)
		return 400;
	*phrase = NULL;
	if (sip->sip_path != NULL && !sip_has_feature(sip->sip_supported, "path") &&
		!sip_has_feature(sip->sip_require, "path"))
		return 420; /* somebody put it there whom the phone does not know of: 5.3 */
	if (sip->sip_contact == NULL)
		return 200;
	if (sip->sip_contact->m_url->url_type == url_any) {
		*phrase = check_all(sip);
		out->all = *phrase == NULL;
		return out->all ? 200 : 400;
	}
	out->contact = su_zalloc(home, (isize_t)(config->contacts_max * sizeof(*out->contact)));
	if (out->contact == NULL)
		return 500;
	int status = read_contacts(home, config, sip, out, phrase);
	if (status != 200)
		return status;
	*phrase = NULL;
	status = read_path(home, sip, out, &path, phrase);
	for (unsigned i = 0; i < out->count; i++)
		out->contact[i].path = path;
	return status;
}
