/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar.h"

#include "relay/log.h"

#include <errno.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SWEEP_MS 1000
#define BUCKETS 4096         /* a power of two */
#define CONTACTS_MAX 8       /* of one user */
#define CONTACT_SIZE_MAX 512 /* bytes of a contact's URI */

struct entry {
	struct entry *next; /* in its bucket: the highest q first, among equals the newest */
	char *user;
	char *contact;
	char *call_id;
	uint32_t cseq;
	time_t expires_at; /* monotonic seconds */
	tport_t *connection;
	struct relay_ip peer;
	unsigned q; /* in thousandths */
};

struct registrar {
	const struct config_sip *config;
	su_timer_t *timer;
	unsigned count;
	struct entry *bucket[BUCKETS];
};

static time_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static struct entry **
bucket_of(struct registrar *registrar, const char *user)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (; *user != '\0'; user++)
		hash = (hash ^ (uint8_t)*user) * 16777619u;
	return &registrar->bucket[hash % BUCKETS];
}

static void
remove_entry(struct registrar *registrar, struct entry **at)
{
	struct entry *entry = *at;

	*at = entry->next;
	registrar->count--;
	tport_unref(entry->connection);
	free(entry->user);
	free(entry->contact);
	free(entry->call_id);
	free(entry);
}

static bool
is_dead(const struct entry *entry, time_t now)
{
	return entry->expires_at <= now || tport_is_closed(entry->connection) ||
	       tport_is_shutdown(entry->connection);
}

static void
sweep(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct registrar *registrar = (struct registrar *)arg;
	time_t now = now_s();

	for (unsigned i = 0; i < BUCKETS; i++) {
		struct entry **at = &registrar->bucket[i];
		while (*at != NULL) {
			if (!is_dead(*at, now)) {
				at = &(*at)->next;
				continue;
			}
			log_info("%s: binding dropped: %s", (*at)->user,
				(*at)->expires_at <= now ? "expired" : "its connection closed");
			/* the stack stops to read where it could not, and leaves the line open: the
			 * phone has to see that nobody listens */
			if (tport_is_shutdown((*at)->connection))
				tport_shutdown((*at)->connection, 2);
			remove_entry(registrar, at);
		}
	}
}

struct registrar *
registrar_create(su_root_t *root, const struct config_sip *config)
{
	struct registrar *registrar = calloc(1, sizeof(*registrar));

	if (registrar == NULL)
		return NULL;
	registrar->config = config;
	registrar->timer = su_timer_create(su_root_task(root), SWEEP_MS);
	if (registrar->timer == NULL) {
		free(registrar);
		return NULL;
	}
	su_timer_set_for_ever(registrar->timer, sweep, (su_timer_arg_t *)registrar);
	return registrar;
}

void
registrar_destroy(struct registrar *registrar)
{
	if (registrar == NULL)
		return;
	su_timer_destroy(registrar->timer);
	for (unsigned i = 0; i < BUCKETS; i++)
		while (registrar->bucket[i] != NULL)
			remove_entry(registrar, &registrar->bucket[i]);
	free(registrar);
}

unsigned
registrar_count(const struct registrar *registrar)
{
	return registrar->count;
}

static struct binding
show(const struct entry *entry, time_t now)
{
	return (struct binding){
		.user = entry->user,
		.contact = entry->contact,
		.connection = entry->connection,
		.peer = entry->peer,
		.q = entry->q,
		.expires_s = (uint32_t)(entry->expires_at - now),
	};
}

unsigned
registrar_find_all(struct registrar *registrar, const char *user, binding_cb *cb, void *arg)
{
	time_t now = now_s();
	unsigned count = 0;

	for (struct entry *entry = *bucket_of(registrar, user); entry != NULL;
		entry = entry->next) {
		if (strcmp(entry->user, user) != 0 || is_dead(entry, now))
			continue;
		struct binding binding = show(entry, now);
		count++;
		if (cb(arg, &binding) != 0)
			break;
	}
	return count;
}

static int
take_first(void *arg, const struct binding *binding)
{
	*(struct binding *)arg = *binding;
	return 1;
}

int
registrar_find(struct registrar *registrar, const char *user, struct binding *out)
{
	return registrar_find_all(registrar, user, take_first, out) > 0 ? 0 : -ENOENT;
}

void
registrar_each(struct registrar *registrar, binding_cb *cb, void *arg)
{
	time_t now = now_s();

	for (unsigned i = 0; i < BUCKETS; i++)
		for (struct entry *entry = registrar->bucket[i]; entry != NULL;
			entry = entry->next) {
			struct binding binding = show(entry, now);
			if (!is_dead(entry, now) && cb(arg, &binding) != 0)
				return;
		}
}

/* RFC 3261 10.2.1.1: the contact's own expires, else the Expires header, else our default. */
static uint32_t
expires_of(const struct config_sip *config, const sip_t *sip, const sip_contact_t *contact)
{
	unsigned long expires = config->expires_default_s;

	if (contact->m_expires != NULL)
		expires = strtoul(contact->m_expires, NULL, 10);
	else if (sip->sip_expires != NULL)
		expires = sip->sip_expires->ex_delta;
	return expires > config->expires_max_s ? config->expires_max_s : (uint32_t)expires;
}

/* Every check of RFC 3261 10.3 step 7 that may refuse the request, before anything changes. */
static const char *
check_contacts(const struct registrar *registrar, const sip_t *sip, int *status)
{
	unsigned count = 0;

	for (const sip_contact_t *at = sip->sip_contact; at != NULL; at = at->m_next) {
		*status = 400;
		if (at->m_url->url_type == url_any) {
			if (at->m_next != NULL || at != sip->sip_contact ||
				sip->sip_expires == NULL || sip->sip_expires->ex_delta != 0)
				return "A contact of * needs Expires: 0";
			continue;
		}
		if (++count > CONTACTS_MAX)
			return "Too Many Contacts";
		if (at->m_url->url_type != url_sip && at->m_url->url_type != url_sips)
			return "Contact Is No SIP URI";
		if (url_len(at->m_url) > CONTACT_SIZE_MAX)
			return "Contact Too Long";
		uint32_t expires = expires_of(registrar->config, sip, at);
		*status = 423;
		if (expires > 0 && expires < registrar->config->expires_min_s)
			return sip_423_Interval_too_brief;
	}
	*status = 200;
	return NULL;
}

static struct entry **
find_contact(struct registrar *registrar, const char *user, const char *contact)
{
	struct entry **at = bucket_of(registrar, user);

	while (*at != NULL &&
		(strcmp((*at)->user, user) != 0 || strcmp((*at)->contact, contact) != 0))
		at = &(*at)->next;
	return at;
}

/* Is this an old request that was overtaken (RFC 3261 10.3 step 7)? */
static bool
is_out_of_order(const struct entry *entry, const sip_t *sip)
{
	return strcmp(entry->call_id, sip->sip_call_id->i_id) == 0 &&
	       entry->cseq >= sip->sip_cseq->cs_seq;
}

static void
remove_all(struct registrar *registrar, const char *user, const sip_t *sip)
{
	struct entry **at = bucket_of(registrar, user);

	while (*at != NULL)
		if (strcmp((*at)->user, user) == 0 && !is_out_of_order(*at, sip))
			remove_entry(registrar, at);
		else
			at = &(*at)->next;
}

static void
drop_oldest_beyond(struct registrar *registrar, const char *user, unsigned most)
{
	unsigned count = 0;

	for (struct entry **at = bucket_of(registrar, user); *at != NULL;) {
		if (strcmp((*at)->user, user) == 0 && ++count > most)
			remove_entry(registrar, at);
		else
			at = &(*at)->next;
	}
}

static int
add(struct registrar *registrar, const char *user, const char *contact, const sip_t *sip,
	unsigned q, uint32_t expires, tport_t *connection, const struct relay_ip *peer)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct entry **at = bucket_of(registrar, user);

	if (entry == NULL)
		return -ENOMEM;
	entry->user = strdup(user);
	entry->contact = strdup(contact);
	entry->call_id = strdup(sip->sip_call_id->i_id);
	if (entry->user == NULL || entry->contact == NULL || entry->call_id == NULL) {
		free(entry->user);
		free(entry->contact);
		free(entry->call_id);
		free(entry);
		return -ENOMEM;
	}
	entry->cseq = sip->sip_cseq->cs_seq;
	entry->expires_at = now_s() + expires;
	entry->connection = tport_ref(connection);
	entry->peer = *peer;
	entry->q = q;
	while (*at != NULL && (*at)->q > q)
		at = &(*at)->next;
	entry->next = *at;
	*at = entry;
	registrar->count++;
	drop_oldest_beyond(registrar, user, CONTACTS_MAX);
	return 0;
}

static int
bind_contacts(struct registrar *registrar, su_home_t *home, const sip_t *sip, const char *user,
	tport_t *connection, const struct relay_ip *peer)
{
	for (const sip_contact_t *at = sip->sip_contact; at != NULL; at = at->m_next) {
		if (at->m_url->url_type == url_any) {
			remove_all(registrar, user, sip);
			return 0;
		}
		const char *contact = url_as_string(home, at->m_url);
		uint32_t expires = expires_of(registrar->config, sip, at);
		if (contact == NULL)
			return -ENOMEM;
		struct entry **old = find_contact(registrar, user, contact);
		if (*old != NULL) {
			if (is_out_of_order(*old, sip))
				return -EINVAL;
			remove_entry(registrar, old);
		}
		if (expires > 0 && add(registrar, user, contact, sip,
					   at->m_q != NULL ? sip_q_value(at->m_q) : 1000, expires,
					   connection, peer) != 0)
			return -ENOMEM;
	}
	return 0;
}

/* The Contact header of the 200: every binding with what is left of its life. */
static sip_contact_t *
list_contacts(struct registrar *registrar, su_home_t *home, const char *user)
{
	sip_contact_t *list = NULL, **last = &list;
	time_t now = now_s();

	for (struct entry *entry = *bucket_of(registrar, user); entry != NULL;
		entry = entry->next) {
		if (strcmp(entry->user, user) != 0 || is_dead(entry, now))
			continue;
		*last = sip_contact_format(
			home, "<%s>;expires=%ld", entry->contact, (long)(entry->expires_at - now));
		if (*last == NULL)
			break;
		last = &(*last)->m_next;
	}
	return list;
}

void
registrar_handle(struct registrar *registrar, nta_incoming_t *request, const sip_t *sip,
	const char *user, tport_t *connection, const struct relay_ip *peer)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	char min_expires[16];
	int status;
	const char *phrase = check_contacts(registrar, sip, &status);

	if (phrase != NULL) {
		snprintf(min_expires, sizeof(min_expires), "%u", registrar->config->expires_min_s);
		nta_incoming_treply(request, status, phrase,
			TAG_IF(status == 423, SIPTAG_MIN_EXPIRES_STR(min_expires)), TAG_END());
		return;
	}
	su_home_init(home);
	int result = bind_contacts(registrar, home, sip, user, connection, peer);
	if (result == 0) {
		log_debug("%s: registered, %u binding(s) in all", user, registrar->count);
		nta_incoming_treply(request, SIP_200_OK,
			SIPTAG_CONTACT(list_contacts(registrar, home, user)), TAG_END());
	} else if (result == -EINVAL) {
		nta_incoming_treply(request, 400, "Request Out of Order", TAG_END());
	} else {
		nta_incoming_treply(request, SIP_500_INTERNAL_SERVER_ERROR, TAG_END());
	}
	su_home_deinit(home);
}
