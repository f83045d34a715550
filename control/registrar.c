/* SPDX-License-Identifier: BSD-3-Clause */
#include "registrar.h"

#include "counters.h"
#include "registrar_private.h"
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

#define LOOK_MS 100
#define LOOK_PARTS 20       /* so every connection is looked at once in two seconds */
#define EXPIRE_AT_ONCE 1000 /* the rest waits for the next look; nothing is sent to it */
#define RETRY_AFTER "60"

static int64_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* The binding stays for its phone to come back to: see registrar.h. */
static void
look_at(struct entry *entry, int64_t now)
{
	if (entry->connection == NULL || registrar_is_living(entry, now))
		return;
	counters_add(COUNTER_BINDINGS_CLOSED);
	log_stranger(LOG_LEVEL_INFO, LOG_ABOUT({LOG_USER, entry->aor->user}),
		"%s: out of reach: the connection closed", entry->aor->user);
	/* the stack stops to read where it could not, and leaves the line open: the phone has to
	 * see that nobody listens */
	if (tport_is_shutdown(entry->connection))
		tport_shutdown(entry->connection, 2);
	entry->before = entry->connection;
	tport_unref(entry->connection);
	entry->connection = NULL;
}

static void
look(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct registrar *registrar = (struct registrar *)arg;
	struct registrar_heap *heap = &registrar->table.heap;
	int64_t now = now_s();

	for (unsigned i = 0;
		i < EXPIRE_AT_ONCE && heap->count > 0 && heap->at[0]->expires_at <= now; i++) {
		counters_add(COUNTER_BINDINGS_EXPIRED);
		log_stranger(LOG_LEVEL_INFO, LOG_ABOUT({LOG_USER, heap->at[0]->aor->user}),
			"%s: binding expired", heap->at[0]->aor->user);
		registrar_table_drop(&registrar->table, heap->at[0]);
	}
	for (size_t part = heap->count / LOOK_PARTS + 1; part > 0; part--) {
		if (registrar->looked >= heap->count) {
			registrar->looked = 0;
			break;
		}
		look_at(heap->at[registrar->looked++], now);
	}
	registrar_renew_store(registrar);
}

struct registrar *
registrar_create(su_root_t *root, const struct config_sip *config)
{
	struct registrar *registrar = calloc(1, sizeof(*registrar));

	if (registrar == NULL)
		return NULL;
	registrar->config = config;
	bindings_make_folder(config->bindings, config->user);
	registrar->timer = su_timer_create(su_root_task(root), LOOK_MS);
	if (registrar->timer == NULL || registrar_table_create(&registrar->table, config) != 0 ||
		su_timer_set_for_ever(registrar->timer, look, (su_timer_arg_t *)registrar) != 0) {
		registrar_destroy(registrar);
		return NULL;
	}
	return registrar;
}

void
registrar_configure(struct registrar *registrar, const struct config_sip *config)
{
	registrar->config = config;
	registrar->table.contacts_max = config->contacts_max;
	registrar->table.bindings_max = config->bindings_max;
}

void
registrar_destroy(struct registrar *registrar)
{
	if (registrar == NULL)
		return;
	su_timer_destroy(registrar->timer);
	bindings_close(registrar->table.store);
	registrar_table_destroy(&registrar->table);
	free(registrar);
}

unsigned
registrar_count(const struct registrar *registrar)
{
	return (unsigned)registrar->table.heap.count;
}

struct binding
registrar_show(const struct entry *entry, int64_t now)
{
	return (struct binding){
		.user = entry->aor->user,
		.contact = entry->text,
		.connection = registrar_is_living(entry, now) ? entry->connection : NULL,
		.peer = entry->peer,
		.path = entry_text(entry, entry->path),
		.instance = entry_text(entry, entry->instance),
		.reg_id = entry->reg_id,
		.q = entry->q,
		.expires_s = (uint32_t)(entry->expires_at - now),
	};
}

/* Is there a better flow to the same phone, earlier in the list? */
static bool
is_second_flow(const struct entry *entry, int64_t now)
{
	if (entry->reg_id == 0)
		return false;
	for (const struct entry *at = entry->aor->first; at != entry; at = at->next)
		if (at->reg_id != 0 && registrar_is_living(at, now) &&
			strcmp(entry_text(at, at->instance), entry_text(entry, entry->instance)) ==
				0)
			return true;
	return false;
}

unsigned
registrar_find_all(struct registrar *registrar, const char *user, binding_cb *cb, void *arg)
{
	const struct aor *aor = registrar_table_find(&registrar->table, user);
	int64_t now = now_s();
	unsigned count = 0;

	for (const struct entry *entry = aor != NULL ? aor->first : NULL; entry != NULL;
		entry = entry->next) {
		if (!registrar_is_living(entry, now) || is_second_flow(entry, now))
			continue;
		struct binding binding = registrar_show(entry, now);
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
	const struct registrar_heap *heap = &registrar->table.heap;
	int64_t now = now_s();

	for (size_t i = 0; i < heap->count; i++) {
		struct binding binding = registrar_show(heap->at[i], now);
		if (heap->at[i]->expires_at > now && cb(arg, &binding) != 0)
			return;
	}
}

/* Is the entry of the phone that sent this, and by the same way: through proxies, or not? */
static bool
is_phone(const struct entry *entry, su_home_t *home, const sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;
	const char *instance = registrar_instance(home, contact);
	const char *uri = url_as_string(home, contact->m_url);

	if ((entry->path != 0) != (sip->sip_via->v_next != NULL))
		return false;
	if (entry->instance != 0 && instance != NULL)
		return strcmp(entry_text(entry, entry->instance), instance) == 0;
	return uri != NULL && registrar_same_uri(entry->text, uri);
}

void
registrar_meet(struct registrar *registrar, const sip_t *sip, const char *user, tport_t *connection,
	const struct relay_ip *peer)
{
	struct aor *aor = registrar_table_find(&registrar->table, user);
	su_home_t home[1] = {SU_HOME_INIT(home)};
	struct entry *back = NULL;
	int64_t now = now_s();

	if (aor == NULL || sip->sip_contact == NULL || sip->sip_contact->m_url->url_type == url_any)
		return;
	su_home_init(home);
	for (struct entry *entry = aor->first; entry != NULL; entry = entry->next) {
		if (entry->expires_at <= now || !is_phone(entry, home, sip))
			continue;
		if (registrar_is_living(entry, now)) {
			back = NULL; /* another flow to it: that will do */
			break;
		}
		if (back == NULL)
			back = entry;
	}
	su_home_deinit(home);
	if (back == NULL)
		return;
	counters_add(COUNTER_BINDINGS_BACK);
	log_info("%s: in reach again", user);
	if (back->connection != NULL)
		back->before = back->connection;
	tport_unref(back->connection);
	back->connection = tport_ref(connection);
	back->peer = *peer;
}

/* One Contact of the 200: RFC 3261 10.3 step 8, RFC 5626 6. */
static sip_contact_t *
make_contact(su_home_t *home, const struct entry *entry, int64_t now)
{
	const char *instance = entry_text(entry, entry->instance);
	const char *rest = "";

	if (entry->q != 1000)
		rest = su_sprintf(home, ";q=0.%03u", entry->q);
	if (rest != NULL && instance != NULL)
		rest = su_sprintf(home, "%s;+sip.instance=\"%s\"", rest, instance);
	if (rest != NULL && entry->reg_id != 0)
		rest = su_sprintf(home, "%s;reg-id=%u", rest, entry->reg_id);
	if (rest == NULL)
		return NULL;
	return sip_contact_format(
		home, "<%s>;expires=%ld%s", entry->text, (long)(entry->expires_at - now), rest);
}

static sip_contact_t *
list_contacts(const struct registrar *registrar, su_home_t *home, const char *user)
{
	const struct aor *aor = registrar_table_find(&registrar->table, user);
	sip_contact_t *list = NULL, **last = &list;
	int64_t now = now_s();

	for (const struct entry *entry = aor != NULL ? aor->first : NULL; entry != NULL;
		entry = entry->next) {
		if (!registrar_is_living(entry, now))
			continue;
		*last = make_contact(home, entry, now);
		if (*last == NULL)
			break;
		last = &(*last)->m_next;
	}
	return list;
}

/* Each answer by its name. `result` is of the table, and matters where there are two for one
 * status. */
static enum counter
counter_of(int status, int result)
{
	switch (status) {
	case 200:
		return COUNTER_REGISTER_DONE;
	case 400:
		return result == -EINVAL ? COUNTER_REGISTER_OLD : COUNTER_REGISTER_BAD;
	case 403:
		return COUNTER_REGISTER_CONTACTS;
	case 420:
	case 439:
		return COUNTER_REGISTER_EXTENSION;
	case 423:
		return COUNTER_REGISTER_BRIEF;
	case 503:
		return COUNTER_REGISTER_FULL;
	default:
		return COUNTER_REGISTER_MEMORY;
	}
}

static void
refuse(const struct registrar *registrar, nta_incoming_t *request, int status, const char *phrase)
{
	char min_expires[16];

	snprintf(min_expires, sizeof(min_expires), "%u", registrar->config->expires_min_s);
	nta_incoming_treply(request, status, phrase,
		TAG_IF(status == 423, SIPTAG_MIN_EXPIRES_STR(min_expires)),
		TAG_IF(status == 420, SIPTAG_UNSUPPORTED_STR("path")),
		TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR(RETRY_AFTER)), TAG_END());
}

static void
answer(const struct registrar *registrar, su_home_t *home, nta_incoming_t *request,
	const sip_t *sip, const char *user, const struct registration_list *list)
{
	uint32_t timer_s = registrar->config->flow_timer_s;
	char flow_timer[32];

	snprintf(flow_timer, sizeof(flow_timer), "Flow-Timer: %u", timer_s);
	nta_incoming_treply(request, SIP_200_OK,
		SIPTAG_CONTACT(list_contacts(registrar, home, user)), SIPTAG_PATH(sip->sip_path),
		SIPTAG_SUPPORTED_STR(REGISTRAR_SUPPORTED), SIPTAG_DATE(sip_date_create(home, 0)),
		TAG_IF(list->outbound, SIPTAG_REQUIRE_STR("outbound")),
		TAG_IF(list->outbound && list->edge && timer_s != 0, SIPTAG_HEADER_STR(flow_timer)),
		TAG_END());
}

void
registrar_handle(struct registrar *registrar, nta_incoming_t *request, const sip_t *sip,
	const char *user, tport_t *connection, const struct relay_ip *peer)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	struct registration_list list;
	const char *phrase;

	su_home_init(home);
	int status = registrar_read(home, registrar->config, sip, &list, &phrase);
	int result = status != 200 ? 0
	                           : registrar_table_apply(&registrar->table, user, &list,
					     connection, peer, now_s());
	if (result == -EINVAL) {
		status = 400;
		phrase = "Request Out of Order";
	} else if (result == -E2BIG) {
		status = 403;
		phrase = "Too Many Contacts";
	} else if (result == -ENOSPC) {
		log_error("%s can't register: sip.bindings_max is reached", user);
		status = 503;
	} else if (result != 0) {
		status = 500;
	}
	counters_add(counter_of(status, result));
	if (status == 200)
		answer(registrar, home, request, sip, user, &list);
	else
		refuse(registrar, request, status, phrase);
	su_home_deinit(home);
}
