/* SPDX-License-Identifier: BSD-3-Clause */
/* The bindings of an earlier life, and the store's wish to hear everything anew. */
#include "counters.h"
#include "registrar_private.h"
#include "relay/log.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define RENEW_AT_ONCE 2000       /* bindings told to the store in one go of the event loop */
#define TEXT_SIZE_MAX 4096       /* bytes of one binding */
#define IDS_MAX (UINT64_MAX / 4) /* so that they never run out */

static int64_t
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static size_t
size_of(const char *text)
{
	return text != NULL ? strlen(text) + 1 : 0;
}

/* Their connections ended with the process that had them. The clock may have been set since, and
 * the limits changed. */
static void
on_record(void *arg, const struct bindings_record *record)
{
	struct registrar *registrar = arg;
	uint32_t most = registrar->config->expires_max_s;
	int64_t left = record->expires - (int64_t)time(NULL);

	if (left <= 0 || record->id > IDS_MAX || record->q > 1000 ||
		(record->reg_id != 0 && record->instance == NULL) ||
		size_of(record->user) > USER_NAME_SIZE ||
		size_of(record->contact) + size_of(record->instance) + size_of(record->path) +
				size_of(record->call_id) >
			TEXT_SIZE_MAX)
		return;
	registrar_table_restore(
		&registrar->table, record, left < most ? (uint32_t)left : most, now_s());
}

int
registrar_open_store(struct registrar *registrar)
{
	struct bindings *store;
	int result = bindings_open(registrar->config->bindings, on_record, registrar, &store);

	if (result != 0)
		return result;
	registrar->table.store = store;
	if (registrar->table.heap.count > 0)
		log_info("%zu binding(s) of an earlier life: their phones have yet to come back",
			registrar->table.heap.count);
	return 0;
}

void
registrar_renew_store(struct registrar *registrar)
{
	struct registrar_table *table = &registrar->table;
	unsigned told = 0;

	if (table->store == NULL)
		return;
	if (bindings_is_stale(table->store)) {
		bindings_renew(table->store);
		counters_add(COUNTER_BINDINGS_RENEWED);
		registrar->renewing = true;
		registrar->renewed = 0;
	}
	/* a table that has grown since has its users elsewhere */
	if (registrar->renew_buckets != table->buckets)
		registrar->renewed = 0;
	registrar->renew_buckets = table->buckets;
	while (registrar->renewing && told < RENEW_AT_ONCE && bindings_has_room(table->store)) {
		if (registrar->renewed == table->buckets) {
			bindings_renewed(table->store);
			registrar->renewing = false;
			break;
		}
		for (const struct aor *aor = table->bucket[registrar->renewed++]; aor != NULL;
			aor = aor->next)
			for (const struct entry *entry = aor->first; entry != NULL;
				entry = entry->next, told++)
				registrar_table_save(table, entry, now_s());
	}
}
