/* SPDX-License-Identifier: BSD-3-Clause */
#include "port_table.h"

#include <stdlib.h>

/* A ring of pair numbers. Each pair is in it at most once: one that was taken by name leaves its
 * entry behind, to be skipped when it comes up, and `queued` says so. */
struct port_queue {
	uint32_t head; /* next to take */
	uint32_t count;
	struct {
		uint16_t entry;
		uint8_t queued;
		uint8_t reserved;
	} pair[];
};

struct port_table *
port_table_create(uint16_t first, uint16_t last)
{
	uint32_t pairs = ((uint32_t)last - first + 1) / 2;
	struct port_table *table = calloc(1, sizeof(*table) + pairs * sizeof(table->entry[0]));
	struct port_queue *queue = calloc(1, sizeof(*queue) + pairs * sizeof(queue->pair[0]));

	if (table == NULL || queue == NULL) {
		free(table);
		free(queue);
		return NULL;
	}
	for (uint32_t i = 0; i < pairs; i++) {
		queue->pair[i].entry = (uint16_t)i;
		queue->pair[i].queued = 1;
	}
	queue->count = pairs;
	table->first = first;
	table->pairs = (uint16_t)pairs;
	table->queue = queue;
	return table;
}

void
port_table_destroy(struct port_table *table)
{
	if (table == NULL)
		return;
	free(table->queue);
	free(table);
}

static uint16_t
take(struct port_table *table, uint16_t pair)
{
	table->queue->pair[pair].reserved = 1;
	table->used++;
	return (uint16_t)(table->first + 2 * pair);
}

uint16_t
port_table_reserve(struct port_table *table, uint16_t wanted)
{
	struct port_queue *queue = table->queue;

	if (wanted != 0) {
		if (!port_table_covers(table, wanted) || (wanted - table->first) % 2 != 0)
			return 0;
		uint16_t pair = (uint16_t)((wanted - table->first) / 2);
		return queue->pair[pair].reserved ? 0 : take(table, pair);
	}
	while (queue->count > 0) {
		uint16_t pair = queue->pair[queue->head].entry;
		queue->head = (queue->head + 1) % table->pairs;
		queue->count--;
		queue->pair[pair].queued = 0;
		if (!queue->pair[pair].reserved)
			return take(table, pair);
	}
	return 0;
}

void
port_table_release(struct port_table *table, uint16_t port)
{
	struct port_queue *queue = table->queue;
	uint16_t pair = (uint16_t)((port - table->first) / 2);

	if (!queue->pair[pair].reserved)
		return;
	queue->pair[pair].reserved = 0;
	table->used--;
	if (queue->pair[pair].queued)
		return;
	queue->pair[(queue->head + queue->count) % table->pairs].entry = pair;
	queue->pair[pair].queued = 1;
	queue->count++;
}

static void
store(struct port_table *table, uint16_t port, uintptr_t entry)
{
	/* pairs with the acquire load in port_table_lookup() */
	atomic_store_explicit(
		&table->entry[(uint16_t)(port - table->first) / 2], entry, memory_order_release);
}

void
port_table_publish(
	struct port_table *table, uint16_t port, const struct bridge *bridge, unsigned leg)
{
	store(table, port, (uintptr_t)bridge | leg);
}

void
port_table_withdraw(struct port_table *table, uint16_t port)
{
	store(table, port, 0);
}
