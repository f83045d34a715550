/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of bindings: users by hash, each with the list of theirs. */
#include "registrar_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKETS_FIRST 4096 /* a power of two */

int
registrar_table_create(struct registrar_table *table, const struct config_sip *config)
{
	*table = (struct registrar_table){
		.buckets = BUCKETS_FIRST,
		.contacts_max = config->contacts_max,
		.bindings_max = config->bindings_max,
		.bucket = calloc(BUCKETS_FIRST, sizeof(struct aor *)),
	};
	return table->bucket != NULL ? 0 : -ENOMEM;
}

static struct aor **
bucket_of(struct aor **bucket, size_t buckets, const char *user)
{
	uint32_t hash = 2166136261u; /* FNV-1a; strangers can't choose names */

	for (; *user != '\0'; user++)
		hash = (hash ^ (uint8_t)*user) * 16777619u;
	return &bucket[hash & (buckets - 1)];
}

struct aor *
registrar_table_find(const struct registrar_table *table, const char *user)
{
	struct aor *aor = *bucket_of(table->bucket, table->buckets, user);

	while (aor != NULL && strcmp(aor->user, user) != 0)
		aor = aor->next;
	return aor;
}

/* Where there is no memory for it, the chains grow longer instead. */
static void
grow(struct registrar_table *table)
{
	struct aor **larger = calloc(table->buckets * 2, sizeof(*larger));

	if (larger == NULL)
		return;
	for (size_t i = 0; i < table->buckets; i++)
		for (struct aor *aor = table->bucket[i], *next; aor != NULL; aor = next) {
			struct aor **to = bucket_of(larger, table->buckets * 2, aor->user);
			next = aor->next;
			aor->next = *to;
			*to = aor;
		}
	free(table->bucket);
	table->bucket = larger;
	table->buckets *= 2;
}

static struct aor *
find_or_add(struct registrar_table *table, const char *user)
{
	struct aor *aor = registrar_table_find(table, user);
	size_t size = strlen(user) + 1;

	if (aor != NULL)
		return aor;
	aor = malloc(sizeof(*aor) + size);
	if (aor == NULL)
		return NULL;
	if (table->aors >= table->buckets)
		grow(table);
	memcpy(aor->user, user, size);
	aor->first = NULL;
	aor->count = 0;
	struct aor **bucket = bucket_of(table->bucket, table->buckets, user);
	aor->next = *bucket;
	*bucket = aor;
	table->aors++;
	return aor;
}

static void
drop_if_empty(struct registrar_table *table, struct aor *aor)
{
	if (aor->first != NULL)
		return;
	struct aor **at = bucket_of(table->bucket, table->buckets, aor->user);
	while (*at != aor)
		at = &(*at)->next;
	*at = aor->next;
	table->aors--;
	free(aor);
}

static uint16_t
put_text(struct entry *entry, size_t *used, const char *text)
{
	size_t at = *used;

	if (text == NULL)
		return 0;
	*used += strlen(text) + 1;
	memcpy(entry->text + at, text, *used - at);
	return (uint16_t)at;
}

/* registrar_read() and registrar_table_restore() see to it that the texts fit 16 bits. */
static struct entry *
make_entry(const struct registration *wish, int64_t now)
{
	const char *const texts[] = {wish->contact, wish->instance, wish->path, wish->call_id};
	size_t size = 0, used = 0;

	for (unsigned i = 0; i < 4; i++)
		size += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
	struct entry *entry = calloc(1, sizeof(*entry) + size);
	if (entry == NULL)
		return NULL;
	put_text(entry, &used, wish->contact);
	entry->instance = put_text(entry, &used, wish->instance);
	entry->path = put_text(entry, &used, wish->path);
	entry->call_id = put_text(entry, &used, wish->call_id);
	entry->cseq = wish->cseq;
	entry->reg_id = wish->reg_id;
	entry->q = (uint16_t)wish->q;
	entry->expires_at = now + wish->expires_s;
	return entry;
}

static void
link_entry(struct registrar_table *table, struct aor *aor, struct entry *entry)
{
	struct entry **at = &aor->first;

	while (*at != NULL && (*at)->q > entry->q)
		at = &(*at)->next;
	entry->next = *at;
	entry->aor = aor;
	*at = entry;
	aor->count++;
	registrar_heap_put(&table->heap, entry);
}

/* The aor stays, even if it is empty now. */
static void
unlink_entry(struct registrar_table *table, struct entry *entry)
{
	struct entry **at = &entry->aor->first;

	while (*at != entry)
		at = &(*at)->next;
	*at = entry->next;
	entry->aor->count--;
	registrar_heap_take(&table->heap, entry);
	tport_unref(entry->connection);
	free(entry);
}

static void
remove_entry(struct registrar_table *table, struct entry *entry)
{
	if (table->store != NULL)
		bindings_remove(table->store, entry->id);
	unlink_entry(table, entry);
}

void
registrar_table_drop(struct registrar_table *table, struct entry *entry)
{
	struct aor *aor = entry->aor;

	remove_entry(table, entry);
	drop_if_empty(table, aor);
}

void
registrar_table_save(struct registrar_table *table, const struct entry *entry, int64_t now)
{
	struct bindings_record record = {
		.id = entry->id,
		.user = entry->aor->user,
		.contact = entry->text,
		.instance = entry_text(entry, entry->instance),
		.path = entry_text(entry, entry->path),
		.call_id = entry_text(entry, entry->call_id),
		.cseq = entry->cseq,
		.reg_id = entry->reg_id,
		.q = entry->q,
		.expires = (int64_t)time(NULL) + entry->expires_at - now,
		.peer = entry->peer,
	};

	if (table->store != NULL)
		bindings_put(table->store, &record);
}

bool
registrar_is_living(const struct entry *entry, int64_t now)
{
	return entry->expires_at > now && entry->connection != NULL &&
	       !tport_is_closed(entry->connection) && !tport_is_shutdown(entry->connection);
}

/* RFC 5626 6: instance and reg-id say which binding it is, whatever the contact; RFC 3261 10.3: the
 * contact does. */
static bool
is_of(const struct entry *entry, const struct registration *wish)
{
	if (wish->reg_id != 0)
		return entry->reg_id == wish->reg_id &&
		       strcmp(entry_text(entry, entry->instance), wish->instance) == 0;
	return entry->reg_id == 0 && registrar_same_uri(entry->text, wish->contact);
}

static struct entry *
find_entry(const struct aor *aor, const struct registration *wish)
{
	struct entry *entry = aor != NULL ? aor->first : NULL;

	while (entry != NULL && !is_of(entry, wish))
		entry = entry->next;
	return entry;
}

/* An old request, overtaken by a newer one: RFC 3261 10.3 steps 6 and 7. */
static bool
is_out_of_order(const struct entry *entry, const char *call_id, uint32_t cseq)
{
	return strcmp(entry_text(entry, entry->call_id), call_id) == 0 && entry->cseq >= cseq;
}

/* Would all of it be allowed? Bindings whose connection closed count for nothing: they make room.
 */
static int
check(const struct registrar_table *table, const struct aor *aor,
	const struct registration_list *list, int64_t now)
{
	unsigned kept = 0, added = 0, replaced = 0;

	for (struct entry *entry = aor != NULL ? aor->first : NULL; entry != NULL;
		entry = entry->next) {
		bool named = list->all;
		for (unsigned i = 0; i < list->count && !named; i++)
			named = is_of(entry, &list->contact[i]);
		if (named && is_out_of_order(entry, list->call_id, list->cseq))
			return -EINVAL;
		replaced += named;
		kept += !named && registrar_is_living(entry, now);
	}
	for (unsigned i = 0; i < list->count; i++)
		added += list->contact[i].expires_s > 0;
	if (added == 0)
		return 0;
	if (kept + added > table->contacts_max)
		return -E2BIG;
	return table->heap.count - replaced + added > table->bindings_max ? -ENOSPC : 0;
}

/* A phone that comes back with another contact leaves its old one behind. */
static void
drop_left_behind(struct registrar_table *table, struct entry *newer, int64_t now)
{
	struct entry *next;

	for (struct entry *entry = newer->aor->first; entry != NULL; entry = next) {
		next = entry->next;
		if (entry != newer && newer->instance != 0 && newer->reg_id == 0 &&
			entry->instance != 0 && entry->reg_id == 0 &&
			!registrar_is_living(entry, now) &&
			strcmp(entry_text(entry, entry->instance),
				entry_text(newer, newer->instance)) == 0) {
			newer->before =
				entry->connection != NULL ? entry->connection : entry->before;
			remove_entry(table, entry);
		}
	}
}

static void
make_room(struct registrar_table *table, struct aor *aor, int64_t now)
{
	while (aor->count > table->contacts_max) {
		struct entry *first = NULL;
		for (struct entry *entry = aor->first; entry != NULL; entry = entry->next)
			if (!registrar_is_living(entry, now) &&
				(first == NULL || entry->expires_at < first->expires_at))
				first = entry;
		if (first == NULL)
			return;
		remove_entry(table, first);
	}
}

static void
commit(struct registrar_table *table, struct aor *aor, const struct registration_list *list,
	struct entry *made, tport_t *connection, const struct relay_ip *peer, int64_t now)
{
	for (unsigned i = 0; i < list->count; i++) {
		struct entry *old = find_entry(aor, &list->contact[i]);
		if (list->contact[i].expires_s == 0) {
			if (old != NULL)
				remove_entry(table, old);
			continue;
		}
		struct entry *entry = made;
		made = made->next;
		entry->id = old != NULL ? old->id : ++table->last_id;
		entry->connection = tport_ref(connection);
		entry->peer = *peer;
		if (old != NULL) {
			entry->before = old->connection == NULL || old->connection == connection
			                        ? old->before
			                        : old->connection;
			unlink_entry(table, old);
		}
		link_entry(table, aor, entry);
		registrar_table_save(table, entry, now);
		drop_left_behind(table, entry, now);
	}
	while (list->all && aor->first != NULL)
		remove_entry(table, aor->first);
	make_room(table, aor, now);
	drop_if_empty(table, aor);
}

/* Everything that may fail, ahead of everything that changes something. */
int
registrar_table_apply(struct registrar_table *table, const char *user,
	const struct registration_list *list, tport_t *connection, const struct relay_ip *peer,
	int64_t now)
{
	struct entry *made = NULL, **last = &made;
	struct aor *aor = registrar_table_find(table, user);
	int result = check(table, aor, list, now);

	if (result != 0)
		return result;
	result = registrar_heap_reserve(&table->heap, list->count);
	for (unsigned i = 0; i < list->count && result == 0; i++) {
		if (list->contact[i].expires_s == 0)
			continue;
		*last = make_entry(&list->contact[i], now);
		if (*last == NULL)
			result = -ENOMEM;
		else
			last = &(*last)->next;
	}
	if (result == 0 && aor == NULL && made != NULL) {
		aor = find_or_add(table, user);
		result = aor != NULL ? 0 : -ENOMEM;
	}
	if (result == 0) {
		if (aor != NULL)
			commit(table, aor, list, made, connection, peer, now);
		return 0;
	}
	for (struct entry *next; made != NULL; made = next) {
		next = made->next;
		free(made);
	}
	return result;
}

int
registrar_table_restore(struct registrar_table *table, const struct bindings_record *record,
	uint32_t expires_s, int64_t now)
{
	struct registration wish = {record->contact, record->instance, record->path,
		record->call_id, record->cseq, record->reg_id, record->q, expires_s};
	struct aor *aor = registrar_table_find(table, record->user);

	if (find_entry(aor, &wish) != NULL || table->heap.count >= table->bindings_max ||
		(aor != NULL && aor->count >= table->contacts_max))
		return -EINVAL;
	struct entry *entry = make_entry(&wish, now);
	if (entry == NULL || registrar_heap_reserve(&table->heap, 1) != 0 ||
		(aor = find_or_add(table, record->user)) == NULL) {
		free(entry);
		return -ENOMEM;
	}
	entry->id = record->id;
	entry->peer = record->peer;
	if (table->last_id < record->id)
		table->last_id = record->id;
	link_entry(table, aor, entry);
	return 0;
}

void
registrar_table_destroy(struct registrar_table *table)
{
	while (table->heap.count > 0) {
		struct entry *entry = table->heap.at[table->heap.count - 1];
		struct aor *aor = entry->aor;
		unlink_entry(table, entry);
		drop_if_empty(table, aor);
	}
	free(table->heap.at);
	free(table->bucket);
}
