/* SPDX-License-Identifier: BSD-3-Clause */
/* Where sessions lie, and how they are found by name. Slots are taken by chunk and kept: a worker's
 * request may name a session that has ended, and finds a slot whose generation tells. */
#include "session_private.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <rte_jhash.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <string.h>

#define CHUNK 256u   /* slots */
#define SPARE 65536u /* ended sessions that wait for their grace period, at most */

static struct {
	struct session **chunk;
	uint32_t chunks;
	uint32_t chunks_max;
	struct session *free;
	struct session **bucket;
	uint32_t bucket_mask;
	uint32_t seed; /* names come from controllers, and those may take them from strangers */
} table;

int
session_table_init(uint32_t sessions)
{
	uint32_t buckets = rte_align32pow2(sessions < 64 ? 64 : sessions);

	table.chunks_max = (sessions + RTE_MIN(SPARE, sessions + CHUNK) + CHUNK - 1) / CHUNK;
	table.chunk = rte_zmalloc("sessions", table.chunks_max * sizeof(*table.chunk), 64);
	table.bucket = rte_zmalloc("names", buckets * sizeof(*table.bucket), 64);
	table.bucket_mask = buckets - 1;
	table.seed = (uint32_t)rte_rand();
	return table.chunk == NULL || table.bucket == NULL ? -ENOMEM : 0;
}

void
session_table_fini(void)
{
	for (uint32_t i = 0; i < table.chunks; i++)
		rte_free(table.chunk[i]);
	rte_free(table.chunk);
	rte_free(table.bucket);
	memset(&table, 0, sizeof(table));
}

static struct session **
bucket(const char *id)
{
	return &table.bucket[rte_jhash(id, RELAY_ID_SIZE, table.seed) & table.bucket_mask];
}

struct session *
session_table_find(const char *id)
{
	struct session *session = *bucket(id);

	while (session != NULL && memcmp(session->id, id, RELAY_ID_SIZE) != 0)
		session = session->next;
	return session;
}

static int
grow(void)
{
	struct session *chunk;

	if (table.chunks == table.chunks_max)
		return -ENOSPC;
	chunk = rte_zmalloc("sessions", CHUNK * sizeof(*chunk), 64);
	if (chunk == NULL)
		return -ENOMEM;
	table.chunk[table.chunks++] = chunk;
	for (uint32_t i = CHUNK; i-- > 0;) {
		chunk[i].next = table.free;
		table.free = &chunk[i];
	}
	return 0;
}

struct session *
session_table_take(void)
{
	struct session *session;

	if (table.free == NULL && grow() != 0)
		return NULL;
	session = table.free;
	table.free = session->next;
	session->next = NULL;
	return session;
}

void
session_table_give(struct session *session)
{
	uint32_t generation = session->generation;

	OPENSSL_cleanse(session, sizeof(*session));
	session->generation = generation + 1;
	session->next = table.free;
	table.free = session;
}

void
session_table_insert(struct session *session)
{
	struct session **at = bucket(session->id);

	session->next = *at;
	*at = session;
}

void
session_table_remove(struct session *session)
{
	struct session **at = bucket(session->id);

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
	session->next = NULL;
}

uint32_t
session_table_slots(void)
{
	return table.chunks * CHUNK;
}

struct session *
session_table_slot(uint32_t index)
{
	return &table.chunk[index / CHUNK][index % CHUNK];
}

size_t
session_table_bytes(void)
{
	return sizeof(struct session) + sizeof(*table.bucket);
}
